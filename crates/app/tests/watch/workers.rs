//! Workers of a server that is asked, and the words commands had before.

use serde_json::json;

use super::Site;
use crate::{netwark, text};

#[test]
fn workers_are_managed_through_a_server() {
    let site = Site::of_an_administrator();
    let elsewhere = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = netwark(elsewhere.path(), arguments);
        command.env("NETWARK_URL", site.server.url()).env("NETWARK_TOKEN", &site.token).output().unwrap()
    };
    let told = |arguments: &[&str]| {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let place = ["--site", "paris", "--coordinates", "48.86,2.35", "--country", "FR", "--asn", "AS64500"];
    let token =
        told(&[&["workers", "add", "paris-1", "--tag", "dc", "--queue", "broadcast"], &place[..]].concat());
    assert!(token.starts_with("nww_"), "{token}");
    let workers = site.json(&["workers", "list"]);
    let worker = workers.as_array().unwrap().iter().find(|worker| worker["name"] == "paris-1").unwrap();
    assert_eq!(
        (&worker["name"], &worker["site"], &worker["tags"], &worker["asn"]),
        (&json!("paris-1"), &json!("paris"), &json!(["dc"]), &json!(64500))
    );
    let code = told(&["workers", "pair", "lyon-1"]);
    assert_eq!((code.trim().len(), code.find('-')), (9, Some(4)), "{code}");
    assert!(told(&["workers", "list"]).contains("lyon-1   enrolled"));
    assert_ne!(told(&["workers", "rotate", "paris-1"]), token);
    assert!(told(&["workers", "drain", "paris-1"]).contains("takes no new work"));
    assert!(told(&["workers", "drain", "paris-1", "--resume"]).contains("takes work again"));
    assert!(told(&["workers", "revoke", "Paris-1"]).contains("revoked"));
    assert!(told(&["workers", "remove", worker["id"].as_str().unwrap()]).contains("paris-1 is deleted"));
    assert!(!told(&["workers", "list"]).contains("paris-1"));

    let wrong = run(&["workers", "add", "x", "--country", "FRA"]);
    assert!(wrong.status.code() == Some(2) && text(&wrong.stderr).contains("country must be two letters"));
    let nobody = run(&["workers", "revoke", "nobody"]);
    assert!(nobody.status.code() == Some(1) && text(&nobody.stderr).contains("there is no worker 'nobody'"));
    let mut stranger = netwark(elsewhere.path(), &["workers", "list"]);
    let stranger = stranger.env("NETWARK_URL", site.server.url()).output().unwrap();
    assert!(stranger.status.code() == Some(1) && text(&stranger.stderr).contains("NETWARK_TOKEN"));
    assert!(!elsewhere.path().join(".local").exists(), "no database is made where a server is asked");

    // Who names a database means it.
    let here = run(&["workers", "list", "--json", "--data-dir", elsewhere.path().to_str().unwrap()]);
    assert_eq!((here.status.code(), text(&here.stdout).trim()), (Some(0), "[]"));
}

#[test]
fn the_words_of_before_do_the_same() {
    let home = tempfile::tempdir().unwrap();
    for words in [
        &["token", "create"][..],
        &["user", "create"],
        &["workers", "create"],
        &["workers", "delete"],
        &["networks", "create"],
        &["networks", "delete"],
        &["access-list", "create"],
        &["access-list", "delete"],
        &["channels", "create"],
        &["channels", "delete"],
        &["subscriptions", "create"],
        &["subscriptions", "delete"],
        &["devices", "delete"],
        &["devices", "forget"],
    ] {
        let help = netwark(home.path(), &[words, &["--help"]].concat()).output().unwrap();
        assert_eq!(help.status.code(), Some(0), "{words:?}: {}", text(&help.stderr));
    }
}

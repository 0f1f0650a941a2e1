//! `netwark workers` on the database of this machine.

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::{home, run, text};

/// What a command prints that ends well.
fn told(home: &TempDir, arguments: &[&str]) -> String {
    let output = run(home, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn refused(home: &TempDir, arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(home, arguments);
    assert!(output.stdout.is_empty(), "{arguments:?}");
    (output.status.code(), text(&output.stderr))
}

fn states(home: &TempDir) -> Vec<(String, String)> {
    let list: Value = serde_json::from_str(&told(home, &["workers", "list", "--json"])).unwrap();
    let word = |worker: &Value, key: &str| worker[key].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(|worker| (word(worker, "name"), word(worker, "state"))).collect()
}

#[test]
fn workers_are_managed_from_the_shell() {
    let home = home();
    let arguments = ["workers", "add", "paris-1", "--site", "paris", "--coordinates", "48.86,2.35"];
    let token =
        told(&home, &[&arguments[..], &["--country", "fr", "--tag", "dc", "--queue", "broadcast"]].concat());
    assert!(token.starts_with("nww_") && token.trim().len() == 4 + 32 + 1 + 43, "{token}");
    let made: Value =
        serde_json::from_str(&told(&home, &["workers", "rotate", "paris-1", "--json"])).unwrap();
    assert_ne!(made["token"], token.trim());
    assert!(made["commands"]["systemd"].as_str().unwrap().contains("RestartPreventExitStatus=2 4"));
    assert_eq!((&made["worker"]["country"], &made["worker"]["tags"][0]), (&"FR".into(), &"dc".into()));

    let code = told(&home, &["workers", "pair", "lyon-1"]);
    assert_eq!((code.trim().len(), code.find('-')), (9, Some(4)), "{code}");
    assert!(told(&home, &["workers", "list"]).contains("lyon-1   enrolled"));

    assert!(told(&home, &["workers", "drain", "paris-1"]).contains("takes no new work"));
    assert!(told(&home, &["workers", "drain", "paris-1", "--resume"]).contains("takes work again"));
    assert!(told(&home, &["workers", "revoke", "paris-1"]).contains("revoked"));
    let pairs = [("lyon-1", "enrolled"), ("paris-1", "revoked")];
    assert_eq!(states(&home), pairs.map(|(name, state)| (name.to_owned(), state.to_owned())));
    let (code, why) = refused(&home, &["workers", "add", "paris-1"]);
    assert!(code == Some(1) && why.contains("delete it to free its name"), "{why}");
    let id = made["worker"]["id"].as_str().unwrap();
    assert!(told(&home, &["workers", "remove", id]).contains("paris-1 is deleted"));
    told(&home, &["workers", "delete", "lyon-1"]);
    assert_eq!(states(&home), []);
}

#[test]
fn what_is_wrong_with_a_worker_is_named() {
    let home = home();
    for (arguments, part) in [
        (&["add", " "][..], "name: must not be empty"),
        (&["add", "x", "--country", "FRA"], "--country: must be two letters"),
        (&["add", "x", "--asn", "0"], "--asn: must be from 1"),
        (&["pair", "x", "--queue", "nowhere"], "netwark: --queue: 'netwark.nowhere' is no queue"),
        (&["pair", "x", "--coordinates", "91,0"], "the latitude must be from -90 to 90, got 91"),
        (&["add", "x", "--asn", "ASX"], "64500 or AS64500"),
    ] {
        let (code, why) = refused(&home, &[&["workers"], arguments].concat());
        assert!(code == Some(2) && why.contains(part), "{arguments:?}: {why}");
    }
    for action in ["rotate", "revoke", "drain", "remove"] {
        let (code, why) = refused(&home, &["workers", action, "nobody"]);
        assert!(code == Some(1) && why.contains("there is no worker 'nobody'"), "{action}: {why}");
    }
}

/// Runs a command that reads a password.
fn with_password(home: &TempDir, arguments: &[&str], password: &str) -> Output {
    let mut command = super::netwark(home.path(), arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that needs none has closed its end.
    let _ = writeln!(child.stdin.take().unwrap(), "{password}");
    child.wait_with_output().unwrap()
}

#[test]
fn a_password_that_was_forgotten_is_replaced_in_the_shell() {
    let home = home();
    let made = with_password(&home, &["user", "add", "Zoe"], "correct horse");
    assert_eq!(made.status.code(), Some(0));
    assert!(text(&made.stderr).contains("made a new database"), "{}", text(&made.stderr));
    let changed = with_password(&home, &["user", "password", "zoe"], "battery staple");
    assert_eq!((changed.status.code(), text(&changed.stderr).as_str()), (Some(0), ""));
    assert!(text(&changed.stdout).contains("has to sign in again"));
    let short = with_password(&home, &["user", "password", "zoe"], "short");
    assert!(short.status.code() == Some(2) && text(&short.stderr).contains("password: must be at least"));
    let nobody = with_password(&home, &["user", "password", "max"], "battery staple");
    assert!(nobody.status.code() == Some(1) && text(&nobody.stderr).contains("there is no user 'max'"));
}

//! Channels and subscriptions from the shell.

use serde_json::{Value, json};

use super::Site;
use crate::server::free_address;
use crate::text;

#[test]
fn channels_are_made_changed_and_deleted_from_the_shell() {
    let site = Site::of_an_administrator();
    let mail = ["channels", "add", "On-call", "mail", "--host", "mail.example.org", "--username", "netwark"];
    let mail =
        [&mail[..], &["--from", "netwark@example.org", "--to", "a@example.org", "--to", "b@example.org"]];
    let told = site.given("correct horse\n", &mail.concat());
    assert!(told.contains("On-call is there") && !told.contains("horse"), "{told}");
    let shown = site.told(&["channels", "show", "on-call"]);
    for part in ["smtps://mail.example.org:465", "a@example.org, b@example.org", "password", "not used yet"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("horse"), "{shown}");
    assert!(
        site.told(&["channels", "edit", "On-call", "--subject", "{{ headline }}", "--name", "Mail"])
            .contains("is changed")
    );
    let changed = site.json(&["channels", "show", "Mail"]);
    assert_eq!(
        (&changed["config"]["subject"], &changed["config"]["username"]),
        (&"{{ headline }}".into(), &"netwark".into())
    );
    assert_eq!(changed["secrets"], json!(["password"]), "what was not named stays");
    site.told(&["channels", "edit", "Mail", "--subject", "none", "--username", "none"]);
    let changed = site.json(&["channels", "show", "Mail"]);
    assert_eq!((&changed["config"]["subject"], &changed["secrets"]), (&Value::Null, &json!([])));

    // Secrets in the order in which they are named, from lines and from files.
    let file = site.home.path().join("url");
    std::fs::write(&file, "https://hooks.example.org/services/T0/B0/abcdefgh\n").unwrap();
    let hook = format!("url={}", file.display());
    let add = [
        "channels",
        "create",
        "Hook",
        "webhook",
        "--sign",
        "--header",
        "X-Team: noc",
        "--secret-file",
        &hook,
    ];
    let told = site.given("Bearer x\n", &[&add[..], &["--secret", "authorization"]].concat());
    assert!(told.contains("signing key is shown this once: whsec_"), "{told}");
    let hook = site.json(&["channels", "show", "Hook"]);
    assert_eq!(hook["leads_to"], "https://hooks.example.org/…efgh");
    assert_eq!(hook["config"]["headers"], json!({"X-Team": "noc"}));
    assert_eq!(hook["secrets"], json!(["authorization", "signing_key", "url"]));
    site.told(&["channels", "edit", "Hook", "--no-secret", "authorization", "--sign=false"]);
    assert_eq!(site.json(&["channels", "show", "Hook"])["secrets"], json!(["url"]));
    assert!(!site.told(&["channels", "list", "--json"]).contains("/services/"));

    let key = format!("key={}", file.display());
    for (arguments, code, said) in [
        (&["channels", "add", "x", "pigeon"][..], 2, "must be one of mail, webhook"),
        (&["channels", "add", "x", "gotify"], 2, "missing field `server`"),
        (&["channels", "add", "x", "slack"], 2, "no url"),
        (&["channels", "add", "x", "slack", "--secret", "url=https://x.example/"], 2, "others could see it"),
        (&["channels", "add", "x", "slack", "--secret-file", "url=/nowhere"], 2, "/nowhere cannot be read"),
        (&["channels", "add", "x", "slack", "--topic", "noc"], 2, "unknown field `topic`"),
        (&["channels", "add", "mail", "pagerduty", "--secret-file", &key], 1, "exists already"),
        (&["channels", "edit", "Mail"], 2, "nothing to change"),
        (&["channels", "edit", "Mail", "--port", "70000"], 2, "u16"),
        (&["channels", "remove", "Mail"], 2, "--yes"),
        (&["channels", "test", "attic"], 1, "there is no channel 'attic'"),
    ] {
        let (given, why) = site.refused(arguments);
        assert!(given == Some(code) && why.contains(said), "{arguments:?}: {given:?} {why}");
    }
    assert!(site.told(&["channels", "remove", "Mail", "--yes"]).contains("Mail is deleted"));
    assert_eq!(site.json(&["channels", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn channels_are_tried_from_the_shell() {
    let site = Site::of_an_administrator();
    // Nobody listens where this one leads.
    let url = format!("http://{}/\n", free_address());
    site.given(&url, &["channels", "add", "Pager", "webhook"]);
    assert!(site.told(&["channels", "list"]).contains("Pager  webhook  not used yet"));
    let tried = site.run(&["channels", "test", "pager"]);
    let told = text(&tried.stdout);
    assert!(tried.status.code() == Some(1) && told.starts_with("Pager did not take it: "), "{told}");
    let log = site.json(&["channels", "deliveries", "Pager"]);
    assert_eq!((&log[0]["test"], &log[0]["channel"]), (&true.into(), &"Pager".into()));
    assert!(site.told(&["channels", "deliveries"]).contains("a test"));
    assert!(site.told(&["channels", "retry", "pager"]).contains("nothing that Pager has failed"));
    let (code, why) = site.refused(&["channels", "retry", log[0]["id"].as_str().unwrap()]);
    assert!(code == Some(1) && why.contains("it was a test"), "{why}");
}

#[test]
fn subscriptions_are_managed_from_the_shell() {
    let site = Site::of_an_administrator();
    site.given("https://hooks.example.org/x\n", &["channels", "add", "Chat", "slack"]);
    site.given("https://hooks.example.org/y\n", &["channels", "add", "Team", "teams"]);
    site.told(&["networks", "add", "Office", "192.0.2.0/24", "--stopped"]);
    let add = ["subscriptions", "add", "Newcomers", "--channel", "chat", "--kind", "device_new,device_up"];
    let when = ["--network", "office", "--quiet-hours", "sat,sun 22:00-07:00", "--group-for", "5m"];
    assert_eq!(site.told(&[&add[..], &when].concat()), "Newcomers tells what happens from now on\n");
    let made = site.json(&["subscriptions", "list"])[0].clone();
    assert_eq!(made["quiet_hours"], json!({"days": ["sat", "sun"], "from": "22:00", "to": "07:00"}));
    assert_eq!(
        (&made["group_for_ms"], &made["kinds"]),
        (&300_000.into(), &json!(["device_new", "device_up"]))
    );
    assert_eq!(made["networks"][0], site.json(&["networks", "show", "Office"])["id"]);
    assert!(site.told(&["subscriptions", "list"]).contains("Newcomers  on     warning, alert"));

    let edit =
        ["subscriptions", "edit", "newcomers", "--channel", "Team", "--channel", "Chat", "--kind", "none"];
    let more = ["--severity", "alert", "--network", "none", "--enabled=false", "--quiet-hours", "none"];
    assert!(site.told(&[&edit[..], &more].concat()).contains("Newcomers is changed"));
    let changed = site.json(&["subscriptions", "list"])[0].clone();
    assert_eq!((&changed["kinds"], &changed["networks"]), (&json!([]), &json!([])));
    assert_eq!((&changed["severities"], &changed["enabled"]), (&json!(["alert"]), &false.into()));
    assert_eq!((changed["channels"].as_array().unwrap().len(), &changed["quiet_hours"]), (2, &Value::Null));
    assert_eq!(changed["group_for_ms"], 300_000, "what was not named stays");

    site.told(&["networks", "start", "Office"]);
    let would = site.told(&["subscriptions", "preview", "--kind", "network_started", "--severity", "none"]);
    assert!(
        would.starts_with("1 event in 1 notice to each channel\n") && would.contains("Office"),
        "{would}"
    );
    let would = site.json(&["subscriptions", "preview", "Newcomers", "--kind", "network_started"]);
    assert_eq!(would["events"], 0, "it wants alerts only");

    for (arguments, code, said) in [
        (&["subscriptions", "add", "x", "--channel", "attic"][..], 1, "there is no channel 'attic'"),
        (&["subscriptions", "add", "x", "--channel", "Chat", "--worker", "nobody"], 1, "no worker 'nobody'"),
        (&["subscriptions", "add", "newcomers", "--channel", "Chat"], 1, "exists already"),
        (&["subscriptions", "add", "x", "--channel", "Chat", "--hours", "8-18"], 2, "must be a time"),
        (&["subscriptions", "add", "x", "--channel", "Chat", "--most-per-hour", "0"], 2, "from 1 to 3600"),
        (&["subscriptions", "edit", "Newcomers"], 2, "nothing to change"),
        (&["subscriptions", "remove", "Newcomers"], 2, "--yes"),
        (&["subscriptions", "edit", "attic", "--text", "x"], 1, "there is no subscription 'attic'"),
    ] {
        let (given, why) = site.refused(arguments);
        assert!(given == Some(code) && why.contains(said), "{arguments:?}: {given:?} {why}");
    }
    assert!(site.told(&["subscriptions", "delete", "Newcomers", "--yes"]).contains("Newcomers is deleted"));
    assert_eq!(site.json(&["subscriptions", "list"]), Value::Array(Vec::new()));
}

//! `netwark geoip`, from outside.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::{home, netwark, text};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../lookup/tests/data/geoip").join(name)
}

/// Runs it with the sample files and this on standard input.
fn geoip(home: &TempDir, arguments: &[&str], input: &str) -> Output {
    let mut command = netwark(home.path(), &["geoip"]);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("NETWARK_LOOKUPS__GEOIP__CITY", sample("city.mmdb"));
    command.env("NETWARK_LOOKUPS__GEOIP__ASN", sample("asn.mmdb"));
    let mut child = command.spawn().unwrap();
    // It may end without reading, when it is not asked to.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn one_address_is_told_in_full_and_its_source_named() {
    let home = home();
    let output = geoip(&home, &["192.0.2.1"], "");
    assert_eq!(output.status.code(), Some(0));
    let told = text(&output.stdout);
    for part in
        ["Lyon, Rhône, France", "45.7485, 4.8467, within 20 km", "AS64501 Lyon Transit", "192.0.2.0/25"]
    {
        assert!(told.contains(part), "{told}");
    }
    assert!(text(&output.stderr).contains("IP Geolocation by DB-IP (https://db-ip.com)"));
    let json: Value = serde_json::from_slice(&geoip(&home, &["192.0.2.1", "--json"], "").stdout).unwrap();
    assert_eq!((&json["place"]["city"], &json["asn"]), (&"Lyon".into(), &64501.into()));
}

#[test]
fn many_come_from_arguments_and_from_standard_input() {
    let home = home();
    let output = geoip(&home, &["192.0.2.1", "2001:db8:1::1"], "");
    let told = text(&output.stdout);
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(told.lines().nth(1).is_some_and(|line| line.contains("Osaka, Japan")), "{told}");

    for arguments in [&["-", "--json"][..], &["--json"]] {
        let output = geoip(&home, arguments, "192.0.2.1\n\n198.51.100.1\n");
        let lines: Vec<Value> =
            text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            lines.iter().map(|line| line["place"]["city"].as_str()).collect::<Vec<_>>(),
            [Some("Lyon"), Some("Bremen")]
        );
        assert_eq!(output.status.code(), Some(0));
    }

    // What is wrong in a list does not keep the rest from being told.
    let output = geoip(&home, &[], "example.org\n192.0.2.1\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("DNS look-up") && text(&output.stdout).contains("Lyon"));
}

#[test]
fn exit_codes_tell_unknown_from_wrong() {
    let home = home();
    let unknown = geoip(&home, &["9.9.9.9"], "");
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stdout).contains("not listed"));
    for (arguments, input) in [
        (&["example.org", "192.0.2.1"][..], ""),
        (&["-"], "# those of Lyon\nexample.org\n192.0.2.1 # the first one\n"),
    ] {
        let wrong = geoip(&home, arguments, input);
        let (told, complaints) = (text(&wrong.stdout), text(&wrong.stderr));
        assert_eq!((wrong.status.code(), told.lines().count()), (Some(2), 1), "{told}{complaints}");
        assert!(
            told.starts_with("192.0.2.1 ") && complaints.contains("got 'example.org'"),
            "{told}{complaints}"
        );
        assert!(!complaints.contains("Lyon"), "{complaints}");
    }
    let no_file = netwark(home.path(), &["geoip", "192.0.2.1"]).output().unwrap();
    assert_eq!(no_file.status.code(), Some(1));
    assert!(text(&no_file.stderr).contains("netwark update geoip"), "{}", text(&no_file.stderr));
    let broken = home.path().join("broken.mmdb");
    std::fs::write(&broken, "x").unwrap();
    let output = netwark(home.path(), &["geoip", "::1"])
        .env("NETWARK_LOOKUPS__GEOIP__CITY", &broken)
        .output()
        .unwrap();
    assert!(text(&output.stderr).contains("broken.mmdb is not used"), "{}", text(&output.stderr));
}

#[test]
fn an_update_brings_a_file_that_is_used_from_then_on() {
    let home = home();
    let city = sample("city.mmdb");
    let output = netwark(home.path(), &["update", "geoip", "--from"]).arg(&city).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("DBIP-City-Lite of 2026-03-01"), "{}", text(&output.stdout));
    let found = netwark(home.path(), &["geoip", "192.0.2.1"]).output().unwrap();
    assert!(text(&found.stdout).contains("Lyon"), "{}", text(&found.stdout));

    let broken = home.path().join("broken.mmdb.gz");
    std::fs::write(&broken, "<html>").unwrap();
    let output = netwark(home.path(), &["update", "geoip", "--from"]).arg(&broken).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no file of MaxMind's format"), "{}", text(&output.stderr));
    let kept = netwark(home.path(), &["geoip", "192.0.2.1"]).output().unwrap();
    assert_eq!(kept.status.code(), Some(0));
}

#[test]
fn the_account_of_maxmind_is_asked_for_and_its_key_never_shown() {
    let home = home();
    let check = |variables: &[(&str, &str)], what: &str| {
        let mut command = netwark(home.path(), &["config", what]);
        command.env("NETWARK_UPDATES__GEOIP__PROVIDER", "geolite2").envs(variables.iter().copied());
        command.output().unwrap()
    };
    let missing = check(&[], "check");
    assert_eq!(missing.status.code(), Some(2));
    let told = text(&missing.stderr);
    assert!(told.contains("updates.geoip.account") && told.contains("updates.geoip.key"), "{told}");
    let whole = [("NETWARK_UPDATES__GEOIP__ACCOUNT", "1234"), ("NETWARK_UPDATES__GEOIP__KEY", "hush-hush")];
    let shown = check(&whole, "show");
    assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
    assert!(
        text(&shown.stdout).contains("1234") && !text(&shown.stdout).contains("hush"),
        "{}",
        text(&shown.stdout)
    );
}

#[test]
fn measurements_in_the_shell_name_systems_and_places() {
    let home = home();
    let measure = |arguments: &[&str]| {
        let mut command = netwark(home.path(), arguments);
        command.env("NETWARK_LOOKUPS__GEOIP__CITY", sample("city.mmdb"));
        command.env("NETWARK_LOOKUPS__GEOIP__ASN", sample("asn.mmdb"));
        command.output().unwrap()
    };
    for (arguments, part) in [
        (&["ping", "-c", "1", "127.0.0.1"][..], "127.0.0.1: AS64500 Example Networks, Lyon, Rhône, France"),
        (&["mtr", "-r", "-n", "-c", "1", "127.0.0.1"], "AS64500"),
    ] {
        let output = measure(arguments);
        let told = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{told}{}", text(&output.stderr));
        assert!(told.contains(part), "{told}");
        assert_eq!(text(&output.stderr).matches("IP Geolocation by DB-IP").count(), 1);
    }
    let output = measure(&["ping", "--json", "-c", "1", "127.0.0.1"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["reports"][0]["asn"], 64500);
    assert_eq!(text(&output.stderr), "");
    let broken = netwark(home.path(), &["ping", "-c", "1", "127.0.0.1"])
        .env("NETWARK_LOOKUPS__GEOIP__CITY", home.path().join("missing.mmdb"))
        .env("NETWARK_SERVER__LISTEN", "nonsense")
        .output()
        .unwrap();
    assert_eq!((broken.status.code(), text(&broken.stderr)), (Some(0), String::new()));
}

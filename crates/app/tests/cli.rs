//! The binary from outside: what it prints, where, and its exit codes.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

mod database;
mod dns;
mod geoip;
mod lookups;
mod server;
mod vendors;
mod watch;
mod whois;
mod workers;

/// The binary with nothing of this machine's environment, at home in a directory.
fn netwark(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netwark"));
    command.args(arguments).env_clear().env("HOME", home);
    command
}

fn run(home: &TempDir, arguments: &[&str]) -> Output {
    netwark(home.path(), arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn mistakes_of_the_configuration_are_told_at_once() {
    let home = home();
    let file = home.path().join("netwark.toml");
    std::fs::write(&file, "[server]\nlisten = 'here'\n[histori]\ndays = 3\n").unwrap();
    for command in [vec!["config", "check"], vec!["config", "show"], vec!["serve"], vec!["migrate"]] {
        let output = netwark(home.path(), &command)
            .arg("--config")
            .arg(&file)
            .env("NETWARK_LOG__FORMAT", "xml")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        assert_eq!(text(&output.stdout), "", "{command:?}");
        let told = text(&output.stderr);
        for part in
            ["3 mistakes", "server.listen", "netwark.toml line 2", "histori.days", "NETWARK_LOG__FORMAT"]
        {
            assert!(told.contains(part), "{command:?} lacks {part}: {told}");
        }
    }
    assert!(!home.path().join(".local").exists(), "a refused configuration must not make a data directory");
}

#[test]
fn the_effective_configuration_names_origins_and_hides_secrets() {
    let home = home();
    let directory = home.path().join(".config/netwark");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("netwark.toml"), "[database]\nurl = 'postgres://u:hush@db/n'\n").unwrap();
    let output = run(&home, &["config", "show", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let keys: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let url = keys.iter().find(|key| key["key"] == "database.url").unwrap();
    assert_eq!(url["value"], "\"postgres://u:***@db/n\"");
    assert!(url["origin"].as_str().unwrap().ends_with("netwark.toml line 2"));
    assert!(!text(&run(&home, &["config", "show"]).stdout).contains("hush"));
}

#[test]
fn the_example_is_a_configuration() {
    let home = home();
    let example = run(&home, &["config", "example"]);
    let file = home.path().join("example.toml");
    std::fs::write(&file, &example.stdout).unwrap();
    let checked = run(&home, &["config", "check", "--config", file.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
}

#[test]
fn what_is_not_understood_ends_with_two() {
    let home = home();
    for arguments in [
        &["ping"][..],
        &["ping", "--nonsense", "127.0.0.1"],
        &["ping", "-c", "0", "127.0.0.1"],
        &["ping", "-f", "127.0.0.1"],
        &["mtr", "192.0.2.300"],
        &["mtr", "-P", "80", "127.0.0.1"],
        &["nonsense"],
        &["token", "create", "ci", "--role", "root"],
        &["ping", "--from", "netwark", "--server", "ftp://x", "127.0.0.1"],
    ] {
        let output = run(&home, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_measurement_is_fine_when_the_target_answers() {
    let home = home();
    // UDP traces need no privilege.
    let output = run(&home, &["mtr", "-u", "-n", "-c", "1", "--json", "127.0.0.1"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(outcome["report"]["hubs"][0]["host"], "127.0.0.1");
    assert_eq!(outcome["trace"]["reached"], true);

    let output = run(&home, &["mtr", "-u", "-n", "-c", "1", "127.0.0.1"]);
    let report = text(&output.stdout);
    assert!(
        report.contains("Loss%") && report.contains("1.|-- 127.0.0.1") && report.contains("OK: "),
        "{report}"
    );
}

#[test]
fn what_cannot_be_measured_ends_with_one() {
    let home = home();
    let output = run(&home, &["ping", "-6", "127.0.0.1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("IPv6 was asked for"), "{}", text(&output.stderr));
    let output = run(&home, &["ping", "-6", "--json", "127.0.0.1"]);
    assert_eq!(output.status.code(), Some(1));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(answer["cause"].as_str().unwrap().contains("IPv6 was asked for"));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let output = run(&home(), &["ping", "--from", "netwark", "--server", "http://127.0.0.1:1", "192.0.2.1"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("http://127.0.0.1:1") && told.contains("is the server running"), "{told}");
}

#[test]
fn the_doctor_fails_when_a_check_fails() {
    let home = home();
    let doctor = |data_dir: &str| {
        let output = run(&home, &["doctor", "--json", "--data-dir", data_dir]);
        let checks: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let level = |name: &str| {
            let check = checks.iter().find(|check| check["name"] == name);
            check.map(|check| check["level"].as_str().unwrap().to_owned())
        };
        let failed = checks.iter().any(|check| check["level"] == "fail");
        assert_eq!(output.status.code(), Some(i32::from(failed)), "{checks:#?}");
        (level("data directory"), level("database"), level("configuration"))
    };
    let ok = || Some("ok".to_owned());
    let fresh = home.path().join("fresh");
    assert_eq!(doctor(fresh.to_str().unwrap()), (ok(), ok(), ok()));
    assert!(!fresh.exists(), "the doctor makes nothing");

    let broken = home.path().join("broken");
    std::fs::create_dir(&broken).unwrap();
    std::fs::set_permissions(&broken, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::write(broken.join("netwark.db"), "this is no database, however long one looks at it").unwrap();
    assert_eq!(doctor(broken.to_str().unwrap()), (ok(), Some("fail".into()), ok()));
}

#[test]
fn a_token_is_printed_alone_and_once() {
    let home = home();
    let output = run(&home, &["token", "create", "ci", "--role", "operator"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).starts_with("note: made a new database"), "{}", text(&output.stderr));
    let token = text(&output.stdout);
    assert!(token.starts_with("nwk_") && token.lines().count() == 1, "{token}");
    let again = run(&home, &["token", "create", "ci", "--role", "operator"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("'ci'") && again.stdout.is_empty());
    let database = home.path().join(".local/state/netwark/netwark.db");
    assert_eq!(std::fs::metadata(database).unwrap().permissions().mode() & 0o077, 0);
}

#[test]
fn completions_and_man_pages_know_the_tools() {
    let home = home();
    for shell in ["bash", "zsh", "fish"] {
        let script = text(&run(&home, &["completions", shell]).stdout);
        assert!(script.contains("report-cycles") && script.contains("setup-link"), "{shell}");
    }
    let directory = home.path().join("man");
    assert_eq!(run(&home, &["man", directory.to_str().unwrap()]).status.code(), Some(0));
    let page = std::fs::read_to_string(directory.join("netwark-ping.1")).unwrap();
    assert!(page.contains("echo requests"), "{page}");
}

//! `netwark migrate` and `netwark copy` from outside.

use std::fs::File;
use std::path::PathBuf;

use rustix::fs::{FlockOperation, flock};
use serde_json::Value;
use tempfile::TempDir;

use super::{home, netwark, run, text};

fn file(home: &TempDir) -> PathBuf {
    home.path().join(".local/state/netwark/netwark.db")
}

#[test]
fn pending_migrations_are_told_before_they_are_made() {
    let home = home();
    let told = run(&home, &["migrate", "--check"]);
    assert_eq!(told.status.code(), Some(1), "{}", text(&told.stderr));
    assert!(text(&told.stdout).contains("pending: m20261121_000001"), "{}", text(&told.stdout));
    let told = run(&home, &["migrate", "--dry-run"]);
    assert_eq!(told.status.code(), Some(0));
    assert!(text(&told.stdout).contains("would be applied: m20261121_000001"), "{}", text(&told.stdout));
    assert!(!file(&home).exists(), "nothing was made");

    let refused = netwark(home.path(), &["token", "create", "ci", "--role", "viewer"])
        .env("NETWARK_DATABASE__MIGRATE", "false")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("run 'netwark migrate'"), "{}", text(&refused.stderr));

    assert_eq!(run(&home, &["migrate"]).status.code(), Some(0));
    let told = run(&home, &["migrate", "--check"]);
    assert_eq!(told.status.code(), Some(0));
    assert!(text(&told.stdout).contains("up to date"), "{}", text(&told.stdout));
}

#[test]
fn an_installation_is_copied_into_an_empty_database() {
    let home = home();
    assert_eq!(run(&home, &["token", "create", "ci", "--role", "viewer"]).status.code(), Some(0));
    let from = format!("sqlite://{}", file(&home).display());
    let to = format!("sqlite://{}", home.path().join("copy.db").display());
    let copy = |more: &[&str]| run(&home, &[&["copy", "--from", &from, "--to", &to], more].concat());

    let lock = File::create(file(&home).with_file_name("lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let served = copy(&[]);
    assert_eq!(served.status.code(), Some(1));
    assert!(text(&served.stderr).contains("stop it"), "{}", text(&served.stderr));
    drop(lock);

    let copied = copy(&["--json"]);
    assert_eq!(copied.status.code(), Some(0), "{}", text(&copied.stderr));
    let told: Value = serde_json::from_slice(&copied.stdout).unwrap();
    assert_eq!(told["tables"]["tokens"], 1, "{told}");

    let again = copy(&[]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("is not empty"), "{}", text(&again.stderr));
    let nowhere = run(&home, &["copy", "--from", "mysql://h/d", "--to", &to]);
    assert_eq!(nowhere.status.code(), Some(2));
    let told = text(&nowhere.stderr);
    assert!(told.contains("sqlite://PATH") && told.contains("postgres://"), "{told}");
    let missing = run(&home, &["copy", "--from", "sqlite:///nowhere/x.db", "--to", &to]);
    assert!(text(&missing.stderr).contains("does not exist"), "{}", text(&missing.stderr));
}

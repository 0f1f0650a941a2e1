//! The walls of the house, in words: which crate may know which.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What each crate may know of ours, besides itself.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("netwark-packet", &[]),
    ("netwark-model", &[]),
    ("netwark-probe", &["netwark-model", "netwark-packet"]),
    ("netwark-lookup", &["netwark-model"]),
    ("netwark-bus", &["netwark-model"]),
    ("netwark-notify", &["netwark-model"]),
    ("netwark-store", &["netwark-model"]),
    (
        "netwark-server",
        &["netwark-bus", "netwark-lookup", "netwark-model", "netwark-notify", "netwark-store"],
    ),
    ("netwark-worker", &["netwark-bus", "netwark-lookup", "netwark-model", "netwark-probe"]),
    (
        "netwark",
        &[
            "netwark-bus",
            "netwark-lookup",
            "netwark-model",
            "netwark-probe",
            "netwark-server",
            "netwark-store",
            "netwark-worker",
        ],
    ),
];

/// Crates that do I/O or keep time, which a crate of pure logic must not have.
const IO: &[&str] = &["tokio", "socket2", "libc", "rustix", "reqwest", "sqlx", "sea-orm", "axum"];

#[test]
fn crates_know_only_what_the_plan_says() {
    let known = dependencies();
    let planned: BTreeSet<&str> = MAY_KNOW.iter().map(|(name, _)| *name).collect();
    let present: BTreeSet<&str> = known.keys().map(String::as_str).collect();
    assert_eq!(present, planned, "a crate is missing in the plan, or in the workspace");
    for (name, allowed) in MAY_KNOW {
        for dependency in known[*name].iter().filter(|dependency| dependency.starts_with("netwark")) {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not know {dependency}");
        }
    }
    assert!(MAY_KNOW.len() <= 12, "at most 12 crates");
}

#[test]
fn pure_crates_do_no_io() {
    let known = dependencies();
    for name in ["netwark-packet", "netwark-model"] {
        for dependency in &known[name] {
            assert!(!IO.contains(&dependency.as_str()), "{name} is pure and must not have {dependency}");
        }
    }
}

#[test]
fn sql_stands_in_the_store_alone() {
    for (name, dependencies) in dependencies() {
        if name != "netwark-store" {
            for sql in ["sqlx", "sea-orm", "sea-orm-migration"] {
                assert!(!dependencies.contains(sql), "{name} must not have {sql}: SQL stands in the store");
            }
        }
    }
}

/// The direct dependencies of every crate of the workspace, those of tests left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let names = dependencies
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| dependency["name"].as_str().unwrap().to_owned());
            (package["name"].as_str().unwrap().to_owned(), names.collect())
        })
        .collect()
}

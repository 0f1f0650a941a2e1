//! `netwark oui` and `netwark update`, which need no server.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use super::{home, netwark, run, text};

/// What the command says about standard input.
fn fed(home: &TempDir, arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let mut process = netwark(home.path(), arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    (output.status.code(), text(&output.stdout))
}

#[test]
fn vendors_are_told_for_arguments_and_for_standard_input() {
    let home = home();
    let output = run(&home, &["oui", "00:00:0c:12:34:56", "5254.0012.3456", "00-00-5e-00-01-0a"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "00:00:0c:12:34:56  Cisco Systems, Inc (MA-L 00000C)");
    assert_eq!(lines[1], "52:54:00:12:34:56  QEMU/KVM; locally administered");
    assert!(lines[2].ends_with("VRRP or CARP, IPv4: virtual router 10"), "{told}");

    let neighbours = "192.0.2.7 dev eth0 lladdr 00:00:0c:01:02:03 REACHABLE\n\nSony Corporation\n";
    let (code, told) = fed(&home, &["oui"], neighbours);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("00:00:0c:01:02:03  Cisco") && told.contains("Sony Corporation (MA-L"), "{told}");
    let (_, told) = fed(&home, &["oui", "--json", "-"], "# two\n00000c # Cisco\n00:1a\n");
    let documents: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(documents[0]["assignment"], "00000C");
    assert!(documents[1]["error"].as_str().unwrap().contains("no MAC address"));
    assert!(!home.path().join(".local").exists(), "a look-up must not make a data directory");
}

#[test]
fn vendors_that_are_not_known_have_exit_codes_of_their_own() {
    let home = home();
    assert_eq!(run(&home, &["oui", "no such company at all"]).status.code(), Some(1));
    assert_eq!(run(&home, &["oui", "zz:zz:zz", "00000c"]).status.code(), Some(2));
    let all = run(&home, &["oui", "--all", "0050c27d5"]);
    assert_eq!(text(&all.stdout), "0050C27D5  IAB   DEUTA-WERKE GmbH\n");
}

#[test]
fn an_update_from_a_file_counts_at_once_and_a_bad_one_never() {
    let home = home();
    let file = home.path().join("iab.csv");
    let all = text(&run(&home, &["oui", "--all", "--json", "0050c2", "40d855"]).stdout);
    let mut csv = String::from("Registry,Assignment,Organization Name,Organization Address\n");
    for line in all.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        if row["registry"] == "IAB" {
            let name = row["orgname"].as_str().unwrap().replace('"', "\"\"");
            csv += &format!("IAB,{},\"{name}\",\n", row["assignment"].as_str().unwrap());
        }
    }
    std::fs::write(&file, csv.replacen("DEUTA-WERKE GmbH", "Netwark Test", 1)).unwrap();
    let from = file.to_str().unwrap();

    let dry = run(&home, &["update", "oui", "--from", from, "--dry-run"]);
    assert!(text(&dry.stdout).contains("an update would bring"), "{}", text(&dry.stderr));
    assert!(text(&run(&home, &["update"]).stdout).contains("as they came with the program"));

    let done = run(&home, &["update", "oui", "--from", from, "--json"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let reports: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&reports[0]["outcome"], &reports[0]["changes"]["changed"]), (&"updated".into(), &1.into()));
    assert!(text(&run(&home, &["oui", "netwark test"]).stdout).contains("Netwark Test (IAB"));

    std::fs::write(&file, &csv[..csv.len() / 2]).unwrap();
    let failed = run(&home, &["update", "oui", "--from", from]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(text(&failed.stderr).contains("what was fetched is not used"), "{}", text(&failed.stderr));
    assert!(text(&run(&home, &["oui", "netwark test"]).stdout).contains("Netwark Test (IAB"));
    assert!(text(&run(&home, &["update"]).stdout).contains("the last attempt failed"));
    for wrong in
        [&["update", "cats"][..], &["update", "--from", from], &["update", "oui", "--from", "/nowhere"]]
    {
        assert_eq!(run(&home, wrong).status.code(), Some(2), "{wrong:?}");
    }
}

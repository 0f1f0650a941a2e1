//! Deciders on simulated networks: every TOML file beside this one is a network, a measurement and what must come out.

mod expectation;
mod network;
mod scenario;

use std::fs;
use std::path::{Path, PathBuf};

use netwark_probe::decide::Decider;
use netwark_probe::ping::PingDecider;
use netwark_probe::trace::TraceDecider;
use scenario::Scenario;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(folder);
    let entries = fs::read_dir(&folder).expect("the folder of scenarios is there");
    let paths = entries.map(|entry| entry.expect("an entry of the folder").path());
    let mut files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    files
}

fn run(path: &Path) -> Result<(), Vec<String>> {
    let text = fs::read_to_string(path).map_err(|error| vec![error.to_string()])?;
    let scenario: Scenario = toml::from_str(&text).map_err(|error| vec![error.to_string()])?;
    scenario.check().map_err(|error| vec![error])?;
    let mut faults = Vec::new();
    if let Some(options) = &scenario.ping {
        let decider = PingDecider::new(options, scenario.address, None);
        let run = network::run(&scenario, decider, |snapshot| assert!(snapshot.replies.len() <= 300));
        faults.extend(expectation::ping(&scenario.expect, &run.decider.output(), run.took));
    }
    if let Some(options) = &scenario.trace {
        let decider = TraceDecider::new(options, scenario.address, None);
        let run = network::run(&scenario, decider, |snapshot| assert_eq!(snapshot.end, None));
        faults.extend(expectation::trace(&scenario.expect, &run.decider.output(), run.took));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn run_all(folder: &str, required: &[&str]) {
    let files = files(folder);
    for name in required {
        let there = files.iter().any(|file| file.file_stem().is_some_and(|stem| stem == *name));
        assert!(there, "the scenario {folder}/{name}.toml is missing");
    }
    let mut report = String::new();
    for file in files {
        if let Err(faults) = run(&file) {
            report.push_str(&format!("{}\n  {}\n", file.display(), faults.join("\n  ")));
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn pings_mean_what_the_scenarios_say() {
    run_all(
        "ping",
        &[
            "normal",
            "silence",
            "loss",
            "reordering",
            "nat",
            "rate_limit",
            "unreachable",
            "other_address",
            "late",
            "wrap",
            "clock_step",
            "duplicates",
            "too_big",
            "unsent",
            "loop",
            "ecmp",
            "silent_hops",
        ],
    );
}

#[test]
fn traces_mean_what_the_scenarios_say() {
    run_all(
        "trace",
        &[
            "normal",
            "silent_hops",
            "path_loss",
            "target_loss",
            "reordering",
            "ecmp",
            "nat",
            "rate_limit",
            "loop",
            "unreachable",
            "other_address",
            "late",
            "wrap",
            "clock_step",
            "route_change",
            "black_hole",
            "udp",
            "tcp",
            "one_cycle",
            "one_cycle_silent",
            "per_packet",
            "mpls",
            "host_missing",
            "too_big",
        ],
    );
}

#[test]
fn unknown_keys_are_refused() {
    let text = fs::read_to_string(&files("ping")[0]).expect("a scenario");
    let error = toml::from_str::<Scenario>(&format!("delai = 3\n{text}")).expect_err("an unknown key");
    assert!(error.to_string().contains("delai"), "{error}");
}

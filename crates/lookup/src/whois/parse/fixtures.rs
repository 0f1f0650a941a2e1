//! Recorded answers of registries, each with every field that is in its text.

use std::fs;
use std::path::Path;

use super::{Parsed, Verdict, parse};

/// The record as lines `field: value`, in the order of its fields.
fn lines(parsed: &Parsed) -> String {
    let record = serde_json::to_value(&parsed.record).unwrap();
    let line = |(name, value): (&String, &serde_json::Value)| {
        let values = value
            .as_array()
            .map(|list| list.iter().filter_map(|v| v.as_str()).collect::<Vec<_>>().join(" | "));
        format!("{name}: {}\n", values.unwrap_or_else(|| value.as_str().unwrap_or_default().to_owned()))
    };
    record.as_object().unwrap().iter().map(line).collect()
}

fn recorded() -> Vec<(String, String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/whois");
    let mut recorded = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let text = fs::read_to_string(&path).unwrap();
            let (expected, answer) = text.split_once("===\n").unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            recorded.push((name, expected.to_owned(), answer.to_owned()));
        }
    }
    recorded.sort();
    recorded
}

#[test]
fn every_field_of_every_recorded_answer() {
    let recorded = recorded();
    let mut wrong = Vec::new();
    for (name, expected, answer) in &recorded {
        let parsed = parse(answer);
        let found = lines(&parsed);
        if parsed.verdict != Verdict::Found || found != *expected {
            wrong.push(format!("--- {name}: {:?}\n{found}", parsed.verdict));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), recorded.len(), wrong.join("\n"));
}

#[test]
fn the_collection_is_broad() {
    let recorded = recorded();
    let count = |begin: &str| recorded.iter().filter(|(name, ..)| name.starts_with(begin)).count();
    let domains =
        recorded.iter().filter(|(name, ..)| !name.starts_with("rir.") && !name.starts_with("nir.")).count();
    assert!(domains >= 50, "{domains}");
    assert!(count("rir.") >= 8 && count("nir.") >= 3);
}

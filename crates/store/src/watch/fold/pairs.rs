//! Whether newcomers that hide their hardware address are known again, on pairs of which it is known.

use netwark_model::watch::sighting::{Name, NameSource, Sighting};

use super::tests::{Lab, random};

const PAIRS: &str = include_str!("pairs.tsv");

fn names(text: &str) -> Vec<Name> {
    let name = |word: &str| {
        let (source, text) = word.split_once('=').unwrap();
        let source = if source == "dhcp" { NameSource::Dhcp } else { NameSource::Mdns };
        Name { source, text: text.to_owned(), at: None }
    };
    text.split(' ').map(name).collect()
}

/// Whether a newcomer is proposed to be the one that went.
fn is_proposed(before: &str, after: &str) -> bool {
    let (stays, before) = before.strip_prefix("there ").map_or((false, before), |before| (true, before));
    let mut lab = Lab::new();
    let first = Sighting { names: names(before), ..lab.saw(random(1), 1) };
    lab.sweep_with(std::slice::from_ref(&first), &[], true, None);
    let newcomer = Sighting { names: names(after), ..lab.saw(random(2), 2) };
    let seen = if stays { vec![first, newcomer] } else { vec![newcomer] };
    !lab.sweep_with(&seen, &[], true, None).proposals.is_empty()
}

#[test]
fn of_a_hundred_proposals_ninety_five_are_right() {
    let (mut right, mut wrong, mut passed_over, mut pairs) = (0, Vec::new(), Vec::new(), 0);
    for line in PAIRS.lines().filter(|line| !line.starts_with('#')) {
        let [label, before, after] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        pairs += 1;
        match (label, is_proposed(before, after)) {
            ("same", true) => right += 1,
            ("same", false) => passed_over.push(line),
            ("other", true) => wrong.push(line),
            ("other", false) => {}
            (label, _) => panic!("{label}"),
        }
    }
    assert!(pairs >= 100 && right >= 40, "{pairs} pairs, {right} of them known again: {passed_over:#?}");
    let precision = f64::from(right) / (f64::from(right) + wrong.len() as f64);
    assert!(precision >= 0.95, "precision {precision:.3}: {wrong:#?}");
    // Only those whose names tell nothing, or have changed, are passed over.
    let recall = f64::from(right) / (f64::from(right) + passed_over.len() as f64);
    assert!(recall >= 0.85, "recall {recall:.3}: {passed_over:#?}");
}

//! What a look has seen, in the words of the server.

use jiff::Timestamp;
use netwark_model::messages::LARGEST;
use netwark_model::tools::sweep::{SweepHost, SweepOutcome};
use netwark_model::watch::report::{Fact, MOST_FACTS, MOST_SIGHTINGS, SweepReport};
use netwark_model::watch::sighting::Sighting;
use uuid::Uuid;

/// Most bytes of the sightings of one part, so that the message around them is not too large.
const MOST_BYTES: usize = LARGEST / 2;
/// Most bytes of what went wrong.
const LONGEST_ERROR: usize = 500;

/// When and how it was looked.
pub(super) struct Look {
    pub(super) began: Timestamp,
    pub(super) ended: Timestamp,
    pub(super) rechecked: u32,
    pub(super) vlan: Option<u16>,
}

/// A look that could not be had.
pub(super) fn failed(began: Timestamp, error: &str) -> SweepReport {
    SweepReport {
        sweep: Uuid::now_v7(),
        started_at: began,
        ended_at: Timestamp::now(),
        complete: false,
        part: 1,
        parts: 1,
        probed: 0,
        rechecked: 0,
        sightings: Vec::new(),
        facts: Vec::new(),
        error: Some(error.chars().take(LONGEST_ERROR).collect()),
        link: None,
    }
}

/// The report of a look, in parts that fit into messages.
pub(super) fn parts(outcome: SweepOutcome, look: &Look) -> Vec<SweepReport> {
    let sightings = outcome.hosts.iter().flat_map(|host| sightings(host, look)).collect();
    let mut facts: Vec<Fact> = outcome.facts;
    facts.sort_unstable();
    facts.dedup();
    facts.truncate(MOST_FACTS);
    let notes = outcome.notes.join(". ");
    let error = (!outcome.complete).then(|| match notes.is_empty() {
        true => "it was not completed".to_owned(),
        false => notes.chars().take(LONGEST_ERROR).collect(),
    });
    let whole = SweepReport {
        sweep: Uuid::now_v7(),
        started_at: look.began,
        ended_at: look.ended,
        complete: outcome.complete,
        part: 1,
        parts: 1,
        probed: outcome.probed,
        rechecked: look.rechecked,
        sightings: Vec::new(),
        facts: Vec::new(),
        error,
        link: outcome.links.into_iter().next(),
    };
    let divided = divided(sightings);
    let parts = u16::try_from(divided.len()).unwrap_or(u16::MAX);
    let part = |(at, sightings): (usize, Vec<Sighting>)| SweepReport {
        part: u16::try_from(at + 1).unwrap_or(u16::MAX),
        parts,
        sightings,
        facts: if at == 0 { facts.clone() } else { Vec::new() },
        ..whole.clone()
    };
    divided.into_iter().enumerate().map(part).collect()
}

/// Sightings in bundles; at least one, which may be empty.
fn divided(sightings: Vec<Sighting>) -> Vec<Vec<Sighting>> {
    let mut bundles = vec![Vec::new()];
    let mut bytes = 0;
    for sighting in sightings {
        let size = serde_json::to_vec(&sighting).map_or(0, |text| text.len());
        let full = bundles.last().is_some_and(|last| {
            last.len() >= MOST_SIGHTINGS || (!last.is_empty() && bytes + size > MOST_BYTES)
        });
        if full {
            bundles.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(last) = bundles.last_mut() {
            last.push(sighting);
        }
    }
    bundles
}

/// One for each hardware address that answered.
fn sightings(host: &SweepHost, look: &Look) -> Vec<Sighting> {
    let first = Sighting {
        at: look.ended,
        address: Some(host.address),
        mac: host.mac,
        source: host.source,
        // A time in microseconds that does not fit is no round trip.
        rtt_us: host
            .rtt
            .map(|ms| (ms * 1000.0).round())
            .filter(|us| (0.0..=4e9).contains(us))
            .map(|us| us as u32),
        vlan: look.vlan,
        router: host.router,
        names: host.names.clone(),
    };
    let other = |mac| Sighting { mac: Some(mac), rtt_us: None, names: Vec::new(), ..first.clone() };
    let others: Vec<Sighting> = host.other_macs.iter().copied().map(other).collect();
    std::iter::once(first).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use netwark_model::mac::Mac;
    use netwark_model::watch::sighting::{LONGEST_NAME, Name, NameSource, Source};

    use super::*;

    fn host(at: u32, names: usize) -> SweepHost {
        let name = |at: usize| Name {
            source: NameSource::Ssdp,
            text: format!("{at}{}", "x".repeat(LONGEST_NAME - 4)),
            at: None,
        };
        SweepHost {
            address: Ipv4Addr::from_bits(0x0a00_0000 + at).into(),
            mac: Some(Mac::new([0, 0, 0x5e, 0, 0x53, 1])),
            other_macs: Vec::new(),
            vendor: None,
            source: Source::Arp,
            rtt: Some(0.25),
            vlan: None,
            router: false,
            own: false,
            names: (0..names).map(name).collect(),
        }
    }

    fn look() -> Look {
        Look { began: Timestamp::UNIX_EPOCH, ended: Timestamp::UNIX_EPOCH, rechecked: 3, vlan: Some(7) }
    }

    #[test]
    fn a_large_look_comes_in_parts_that_fit_and_lose_nothing() {
        for (hosts, names) in [(0, 0), (1, 0), (2_000, 0), (2_001, 0), (5_000, 2), (300, 16)] {
            let outcome = SweepOutcome {
                hosts: (0..hosts).map(|at| host(at, names)).collect(),
                facts: vec![Fact::Gateway { address: [10, 0, 0, 1].into(), mac: Mac::default() }],
                complete: true,
                ..SweepOutcome::default()
            };
            let parts = parts(outcome, &look());
            let count: usize = parts.iter().map(|part| part.sightings.len()).sum();
            assert_eq!(count, hosts as usize);
            assert_eq!(parts.iter().map(|part| part.facts.len()).sum::<usize>(), 1);
            for (at, part) in parts.iter().enumerate() {
                assert_eq!((usize::from(part.part), usize::from(part.parts)), (at + 1, parts.len()));
                assert_eq!(part.sweep, parts.first().unwrap().sweep);
                assert!(serde_json::to_vec(part).unwrap().len() < LARGEST - 10_000);
            }
        }
    }

    #[test]
    fn everybody_who_answers_for_an_address_is_told() {
        let both = SweepHost { other_macs: vec![Mac::new([2; 6])], ..host(1, 1) };
        let outcome = SweepOutcome { hosts: vec![both], complete: true, ..SweepOutcome::default() };
        let parts = parts(outcome, &look());
        let sightings = &parts.first().unwrap().sightings;
        assert_eq!(sightings.len(), 2);
        assert_eq!(sightings.iter().map(|one| one.rtt_us).collect::<Vec<_>>(), [Some(250), None]);
        assert!(sightings.iter().all(|one| one.vlan == Some(7)));
    }

    #[test]
    fn what_was_not_completed_says_why() {
        let notes = vec!["eth0 went away".to_owned()];
        let outcome = SweepOutcome { notes, ..SweepOutcome::default() };
        let report = parts(outcome, &look()).remove(0);
        assert_eq!((report.complete, report.error.as_deref()), (false, Some("eth0 went away")));
        assert!(
            failed(Timestamp::UNIX_EPOCH, &"x".repeat(1000)).error.is_some_and(|error| error.len() == 500)
        );
    }
}

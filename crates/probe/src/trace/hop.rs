//! What one flow saw at one distance, and how flows are put together into a hop.

use std::net::IpAddr;

use netwark_model::tools::mtr::{Hop, HopAnswer, HopRtt, Label, Responder};

use crate::decide::Time;
use crate::stats::{self, Spread};

/// Runs of the same responder that are kept to tell a change of route from balancing packet by packet.
const MAX_RUNS: usize = 32;

/// What one flow saw at one distance.
#[derive(Clone, Debug, Default)]
pub(crate) struct HopRecord {
    /// Probes that left.
    pub(crate) sent: u32,
    /// Probes that had no answer within the timeout.
    pub(crate) expired: u32,
    all: Spread,
    last_at: Time,
    responders: Vec<ResponderRecord>,
    runs: Vec<Run>,
    latest_cycle: Option<u32>,
}

#[derive(Clone, Debug)]
struct ResponderRecord {
    address: IpAddr,
    rtt: Spread,
    last_at: Time,
    answer: HopAnswer,
    labels: Vec<Label>,
}

/// The same responder for so many cycles in a row.
#[derive(Clone, Copy, Debug)]
struct Run {
    address: IpAddr,
    cycles: u32,
}

/// One answer, as a hop keeps it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) cycle: u32,
    pub(crate) at: Time,
    pub(crate) from: IpAddr,
    pub(crate) rtt_ms: f64,
    pub(crate) answer: HopAnswer,
    pub(crate) labels: Vec<Label>,
}

impl HopRecord {
    /// Takes an answer.
    pub(crate) fn add(&mut self, seen: Seen) {
        self.all.add(seen.rtt_ms);
        self.last_at = self.last_at.max(seen.at);
        if self.latest_cycle.is_none_or(|latest| latest < seen.cycle) {
            self.latest_cycle = Some(seen.cycle);
            self.count_run(seen.from);
        }
        if let Some(known) = self.responders.iter_mut().find(|known| known.address == seen.from) {
            known.rtt.add(seen.rtt_ms);
            known.last_at = seen.at;
            known.answer = seen.answer;
            if !seen.labels.is_empty() {
                known.labels = seen.labels;
            }
        } else {
            let mut rtt = Spread::default();
            rtt.add(seen.rtt_ms);
            self.responders.push(ResponderRecord {
                address: seen.from,
                rtt,
                last_at: seen.at,
                answer: seen.answer,
                labels: seen.labels,
            });
        }
    }

    fn count_run(&mut self, address: IpAddr) {
        let full = self.runs.len() >= MAX_RUNS;
        match self.runs.last_mut() {
            Some(run) if run.address == address => run.cycles += 1,
            _ if full => {}
            _ => self.runs.push(Run { address, cycles: 1 }),
        }
    }

    /// The slowest answer in milliseconds; 0 when there is none.
    pub(crate) fn worst_ms(&self) -> f64 {
        self.all.worst()
    }

    /// The latest cycle that had an answer.
    pub(crate) fn latest_cycle(&self) -> Option<u32> {
        self.latest_cycle
    }

    /// The last change of responder, from and to, when it looks like another route: each of the two answered
    /// for some cycles on end. Responders that take turns share the load packet by packet instead.
    pub(crate) fn change(&self) -> Option<(IpAddr, IpAddr)> {
        let [.., before, after] = self.runs.as_slice() else { return None };
        let settled = match self.runs.as_slice() {
            [before, after] => before.cycles + after.cycles >= 4,
            [first, inner @ .., last] => {
                self.runs.len() < MAX_RUNS
                    && first.cycles >= 2
                    && last.cycles >= 2
                    && inner.iter().all(|run| run.cycles >= 3)
            }
            _ => false,
        };
        settled.then_some((before.address, after.address))
    }
}

/// Puts the flows of one distance together. With `final_` everything unanswered counts as lost.
pub(crate) fn merge<'a>(ttl: u8, flows: impl Iterator<Item = (u8, &'a HopRecord)>, final_: bool) -> Hop {
    let mut sent = 0;
    let mut expired = 0;
    let mut all = Spread::default();
    let mut all_at = Time::default();
    let mut responders: Vec<(ResponderRecord, Vec<u8>)> = Vec::new();
    for (flow, record) in flows {
        sent += record.sent;
        expired += record.expired;
        all.merge(&record.all, record.last_at > all_at);
        all_at = all_at.max(record.last_at);
        for one in &record.responders {
            match responders.iter_mut().find(|(known, _)| known.address == one.address) {
                Some((known, flows)) => {
                    known.absorb(one);
                    flows.push(flow);
                }
                None => responders.push((one.clone(), vec![flow])),
            }
        }
    }
    responders.sort_by(|(a, _), (b, _)| b.rtt.count().cmp(&a.rtt.count()).then(a.address.cmp(&b.address)));
    let received = all.count();
    let lost = if final_ { sent.saturating_sub(received) } else { expired };
    Hop {
        ttl,
        sent,
        received,
        loss: stats::percentage(lost, lost + received),
        rtt: (received > 0).then(|| hop_rtt(&all)),
        responders: responders.into_iter().map(|(record, flows)| record.into_responder(flows)).collect(),
    }
}

impl ResponderRecord {
    fn absorb(&mut self, other: &Self) {
        let newer = other.last_at > self.last_at;
        self.rtt.merge(&other.rtt, newer);
        if newer {
            self.last_at = other.last_at;
            self.answer = other.answer.clone();
            self.labels.clone_from(&other.labels);
        }
    }

    fn into_responder(self, flows: Vec<u8>) -> Responder {
        Responder {
            address: self.address,
            name: None,
            asn: None,
            as_name: None,
            place: None,
            received: self.rtt.count(),
            rtt: hop_rtt(&self.rtt),
            answer: self.answer,
            labels: self.labels,
            flows,
        }
    }
}

fn hop_rtt(spread: &Spread) -> HopRtt {
    HopRtt {
        last: spread.last(),
        best: spread.best(),
        average: spread.average(),
        worst: spread.worst(),
        stddev: spread.stddev(),
        jitter: spread.jitter(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(cycle: u32, from: u8, rtt_ms: f64) -> Seen {
        Seen {
            cycle,
            at: Time(u64::from(cycle) * 1000),
            from: IpAddr::from([192, 0, 2, from]),
            rtt_ms,
            answer: HopAnswer::TimeExceeded,
            labels: Vec::new(),
        }
    }

    fn record(responders: &[u8]) -> HopRecord {
        let mut record = HopRecord { sent: responders.len() as u32, ..HopRecord::default() };
        for (cycle, from) in responders.iter().enumerate() {
            record.add(seen(cycle as u32, *from, 1.0));
        }
        record
    }

    #[test]
    fn a_lasting_change_of_responder_is_a_change_of_route() {
        let change = Some((IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2])));
        assert_eq!(record(&[1, 1, 1, 2, 2]).change(), change);
        assert_eq!(record(&[1, 1, 2, 2, 2, 1, 1, 1, 2, 2]).change(), change);
        assert_eq!(record(&[1, 1, 1, 1]).change(), None);
    }

    #[test]
    fn responders_that_take_turns_are_no_change_of_route() {
        assert_eq!(record(&[1, 2, 1, 1, 2, 1, 2, 2]).change(), None);
        assert_eq!(record(&[1, 2]).change(), None);
        let turns: Vec<u8> = (0..200).map(|n| 1 + n % 2).collect();
        assert_eq!(record(&turns).change(), None);
    }

    #[test]
    fn flows_add_up_and_the_busiest_responder_stands_first() {
        let mut one = record(&[1, 1, 1]);
        one.sent = 4;
        let two = record(&[2, 1]);
        let hop = merge(3, [(0, &one), (1, &two)].into_iter(), true);
        assert_eq!((hop.ttl, hop.sent, hop.received), (3, 6, 5));
        assert_eq!(hop.loss, 16.666_667);
        let responders: Vec<_> = hop.responders.iter().map(|r| (r.received, r.flows.as_slice())).collect();
        assert_eq!(responders, [(4, [0, 1].as_slice()), (1, &[1])]);
    }

    #[test]
    fn what_is_still_under_way_is_not_lost() {
        let mut record = record(&[1, 1, 1]);
        record.sent = 5;
        record.expired = 1;
        assert_eq!(merge(1, [(0, &record)].into_iter(), false).loss, 25.0);
        assert_eq!(merge(1, [(0, &record)].into_iter(), true).loss, 40.0);
    }
}

//! `ping` as people know it: a line for every reply, as it comes.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use netwark_model::tools::ping::{PingFate, PingOptions, PingOutcome, PingReply, PingReport};
use netwark_probe::report::ping_text;
use serde_json::Value;

use super::view::View;

/// Prints the replies of a ping that were not printed yet.
pub struct PingLines<F> {
    target: String,
    options: PingOptions,
    print: F,
    told: HashMap<IpAddr, HashSet<u32>>,
}

impl<F: FnMut(String)> PingLines<F> {
    /// Prints by calling `print` for each line.
    pub fn new(target: &str, options: PingOptions, print: F) -> Self {
        Self { target: target.into(), options, print, told: HashMap::new() }
    }

    fn tell(&mut self, report: &PingReport) {
        if let Entry::Vacant(unknown) = self.told.entry(report.address) {
            unknown.insert(HashSet::new());
            let nothing = PingReport { replies: Vec::new(), ..report.clone() };
            if let Some(head) = ping_text(&self.target, &self.options, &nothing).into_iter().next() {
                (self.print)(head);
            }
        }
        for reply in &report.replies {
            let told = self.told.entry(report.address).or_default();
            if !matches!(reply.fate, PingFate::Waiting) && told.insert(reply.seq) {
                self.tell_reply(report, reply);
            }
        }
    }

    fn tell_reply(&mut self, report: &PingReport, reply: &PingReply) {
        if matches!(reply.fate, PingFate::Lost) {
            (self.print)(format!("no answer from {} to icmp_seq={}", report.address, reply.seq));
            return;
        }
        let one = PingReport { replies: vec![reply.clone()], ..report.clone() };
        let text = ping_text(&self.target, &self.options, &one);
        text.into_iter().skip(1).take_while(|line| !line.is_empty()).for_each(&mut self.print);
    }
}

impl<F: FnMut(String) + Send> View for PingLines<F> {
    fn update(&mut self, payload: &Value) {
        // A snapshot that is not understood is shown by its report at the end.
        let Ok(outcome) = serde_json::from_value::<PingOutcome>(payload.clone()) else { return };
        for report in &outcome.reports {
            self.tell(report);
        }
    }

    fn told_replies(&self) -> bool {
        !self.told.is_empty()
    }
}

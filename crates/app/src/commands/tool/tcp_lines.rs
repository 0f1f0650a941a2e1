//! `tcp` in the manner of ping: a line for every connection, as it ends.

use std::collections::HashMap;
use std::net::IpAddr;

use netwark_model::tools::tcp::{TcpOutcome, TcpReport};
use netwark_probe::tcp::{attempt_line, head_line};
use serde_json::Value;

use super::view::View;

/// Prints the connections that were not printed yet.
pub struct TcpLines<F> {
    target: String,
    print: F,
    /// How many are told of each address.
    told: HashMap<IpAddr, usize>,
}

impl<F: FnMut(String)> TcpLines<F> {
    /// Prints by calling `print` for each line.
    pub fn new(target: &str, print: F) -> Self {
        Self { target: target.into(), print, told: HashMap::new() }
    }

    fn tell(&mut self, report: &TcpReport) {
        let told = self.told.entry(report.address).or_insert_with(|| {
            (self.print)(head_line(&self.target, report));
            0
        });
        for attempt in report.attempts.iter().skip(*told) {
            (self.print)(attempt_line(report, attempt));
            *told += 1;
        }
    }
}

impl<F: FnMut(String) + Send> View for TcpLines<F> {
    fn update(&mut self, payload: &Value) {
        // A snapshot that is not understood is shown by its report at the end.
        let Ok(outcome) = serde_json::from_value::<TcpOutcome>(payload.clone()) else { return };
        for report in &outcome.reports {
            self.tell(report);
        }
    }

    fn told_replies(&self) -> bool {
        !self.told.is_empty()
    }
}

//! Traces many addresses at once in one process: `trace_many CYCLES INTERVAL_MS ADDRESS...`
//!
//! Prints how many traces reached their target, how many hops they have in all and how many probes were lost.

use std::net::IpAddr;
use std::{env, process};

use netwark_model::tools::mtr::{MtrOptions, TraceReport};
use netwark_probe::engine::{Engine, EngineOptions};
use netwark_probe::trace::TraceDecider;

fn arguments() -> Option<(MtrOptions, Vec<IpAddr>)> {
    let mut given = env::args().skip(1);
    let cycles = given.next()?.parse().ok()?;
    let interval_ms = given.next()?.parse().ok()?;
    let targets: Vec<IpAddr> = given.map(|address| address.parse().ok()).collect::<Option<_>>()?;
    let options = MtrOptions { cycles, interval_ms, ..MtrOptions::default() };
    if targets.is_empty() { None } else { Some((options, targets)) }
}

#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
#[expect(clippy::print_stderr, reason = "printing is what this program is for")]
fn main() {
    let Some((options, targets)) = arguments() else {
        eprintln!("usage: trace_many CYCLES INTERVAL_MS ADDRESS...");
        process::exit(2)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let engine = Engine::start(EngineOptions::default()).expect("an engine");
    let tasks: Vec<_> =
        targets.iter().map(|to| engine.run(TraceDecider::new(&options, *to, None), None)).collect();
    let reports: Vec<TraceReport> = runtime.block_on(async {
        let mut reports = Vec::new();
        for task in tasks {
            reports.push(task.finished().await.expect("a report"));
        }
        reports
    });
    let reached = reports.iter().filter(|report| report.reached).count();
    let hops = reports.iter().flat_map(|report| &report.hops);
    let lost: u32 = hops.clone().map(|hop| hop.sent - hop.received).sum();
    println!("reached {reached} of {}, {} hops, {lost} probes lost", reports.len(), hops.count());
}

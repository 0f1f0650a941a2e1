//! Pings many addresses and says what it cost.
//!
//! `ping_many COUNT|FILE [--rounds N] [--interval MS] [--burst] [--stamps off|on|RATE]`: COUNT addresses from 127.0.0.1
//! on, or those in FILE, one a line; an interval of 0 sends without a gap.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};
use std::{env, fs, process};

use netwark_probe::engine::{Engine, EngineOptions};
use netwark_probe::sweep_ping::{SweepPing, SweepPingOptions};

struct Arguments {
    targets: Vec<IpAddr>,
    sweep: SweepPingOptions,
    engine: EngineOptions,
}

fn arguments() -> Result<Arguments, String> {
    let mut sweep = SweepPingOptions { interval: Duration::ZERO, ..SweepPingOptions::default() };
    let mut engine = EngineOptions { rate: u32::MAX, ..EngineOptions::default() };
    let mut given = env::args().skip(1);
    let first = given.next().ok_or("a count or a file is missing")?;
    let targets = match first.parse::<u32>() {
        Ok(count) => (0..count).map(|at| Ipv4Addr::from(0x7f00_0001 + at).into()).collect(),
        Err(_) => fs::read_to_string(&first)
            .map_err(|error| format!("{first} cannot be read: {error}"))?
            .lines()
            .map(|line| line.trim().parse().map_err(|error| format!("{line} is no address: {error}")))
            .collect::<Result<_, _>>()?,
    };
    while let Some(name) = given.next() {
        if name == "--burst" {
            sweep.spread = false;
            continue;
        }
        let value = given.next().ok_or(format!("{name} lacks its value"))?;
        let number = value.parse::<u32>();
        match (name.as_str(), value.as_str(), number) {
            ("--rounds", _, Ok(rounds)) => sweep.rounds = rounds,
            ("--interval", _, Ok(interval)) => sweep.interval = Duration::from_millis(interval.into()),
            ("--stamps", "off", _) => engine.stamps_up_to = 0,
            ("--stamps", "on", _) => engine.stamps_up_to = u32::MAX,
            ("--stamps", _, Ok(rate)) => engine.stamps_up_to = rate,
            _ => return Err(format!("{name} {value} is not understood")),
        }
    }
    Ok(Arguments { targets, sweep, engine })
}

/// User and system time of this process, in seconds.
fn cpu() -> f64 {
    // The 14th and 15th field of proc_pid_stat(5), in ticks; the name in the second may hold blanks.
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / 100.0
}

#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
#[expect(clippy::print_stderr, reason = "printing is what this program is for")]
fn main() {
    let Arguments { targets, sweep, engine } = arguments().unwrap_or_else(|error| {
        eprintln!("{error}");
        process::exit(2)
    });
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let engine = Engine::start(engine).expect("an engine");
    let outcome =
        runtime.block_on(engine.run(SweepPing::new(targets, sweep), None).finished()).expect("a result");
    let wall = began.elapsed().as_secs_f64();
    let counts = outcome.counts;
    let mut sorted: Vec<f64> = outcome.round_trips().map(|rtt| rtt.as_secs_f64() * 1e3).collect();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted.get(((sorted.len() as f64 * share) as usize).min(sorted.len() - 1)).copied();
    let mean = sorted.iter().sum::<f64>() / sorted.len().max(1) as f64;
    println!("{counts:?}");
    println!("{:?}", engine.counters());
    if !sorted.is_empty() {
        println!(
            "rtt ms: min {:?} mean {mean:.4} median {:?} p99 {:?} max {:?}",
            at(0.0),
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
    let probes = counts.sent.max(1) as f64;
    println!(
        "wall {wall:.3} s, cpu {:.2} s, {:.2} us cpu a probe, {:.0} probes/s",
        cpu(),
        cpu() * 1e6 / probes,
        probes / wall
    );
}

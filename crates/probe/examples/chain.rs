//! A chain of routers in network namespaces, for measuring by hand: `chain [--silent HOP] DELAY...`
//!
//! One link for each DELAY, in milliseconds one way. Prints the namespaces, source first and target last, a line each, and
//! then the target's address; takes the chain away when standard input ends. Needs root, iproute2 and /dev/net/tun.

#[expect(dead_code, reason = "the tests in namespaces do more with a chain")]
#[path = "../tests/namespaces/chain.rs"]
mod chain;
#[expect(dead_code, reason = "the same")]
#[path = "../tests/namespaces/link.rs"]
mod link;
#[expect(dead_code, reason = "the same")]
#[path = "../tests/namespaces/os.rs"]
mod os;

use std::io::{self, Write as _};
use std::time::Duration;
use std::{env, process};

use chain::{Chain, Plan, Quirk, TARGETS};
use link::Link;

fn plan() -> Result<Plan, String> {
    let mut plan = Plan::default();
    let mut given = env::args().skip(1);
    while let Some(word) = given.next() {
        if word == "--silent" {
            let hop = given.next().and_then(|hop| hop.parse().ok()).ok_or("--silent lacks its hop")?;
            plan.quirks.push((hop, Quirk::Silent));
            continue;
        }
        let milliseconds: f64 = word.parse().map_err(|_| format!("{word} is no number of milliseconds"))?;
        let delay = Duration::try_from_secs_f64(milliseconds / 1000.0)
            .map_err(|error| format!("{word} is no delay: {error}"))?;
        plan.links.push(Link { delay, ..Link::default() });
    }
    if plan.links.is_empty() { Err("at least one delay is needed".into()) } else { Ok(plan) }
}

#[expect(clippy::print_stderr, reason = "a mistake in the arguments is told to who made it")]
fn main() -> io::Result<()> {
    let plan = plan().unwrap_or_else(|error| {
        eprintln!("{error}");
        process::exit(2)
    });
    let _chain = Chain::build(&plan);
    let mut out = io::stdout().lock();
    for at in 0..=plan.links.len() {
        // The first chain of a process: see `Chain::build`.
        writeln!(out, "nwk{}-0-{at}", process::id())?;
    }
    writeln!(out, "{}", TARGETS[0])?;
    out.flush()?;
    io::copy(&mut io::stdin(), &mut io::sink()).map(|_| ())
}

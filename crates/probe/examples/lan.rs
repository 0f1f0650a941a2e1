//! A link with many hosts in a network namespace, for measuring by hand: `lan HOSTS PREFIX-LENGTH [LOST-PER-THOUSAND]`
//!
//! Prints the watcher's namespace and the network, a line each; takes the link away when standard input ends. Needs root,
//! iproute2 and /dev/net/tun.

#[expect(dead_code, reason = "the tests in namespaces have chains, too")]
#[path = "../tests/namespaces/chain.rs"]
mod chain;
#[expect(dead_code, reason = "the tests in namespaces do more with a link")]
#[path = "../tests/namespaces/lan.rs"]
mod lan;
#[expect(dead_code, reason = "the same")]
#[path = "../tests/namespaces/link.rs"]
mod link;
#[path = "../tests/namespaces/os.rs"]
mod os;

use std::io::{self, Write as _};
use std::{env, process};

use ipnet::Ipv4Net;
use lan::{Lan, LanPlan, OWN};

fn plan() -> Option<LanPlan> {
    let mut given = env::args().skip(1);
    let hosts = given.next()?.parse().ok()?;
    let prefix = given.next()?.parse().ok()?;
    let lost = given.next().map_or(Some(0), |lost| lost.parse().ok())?;
    Some(LanPlan { hosts, prefix, lost, ..LanPlan::default() })
}

#[expect(clippy::print_stderr, reason = "a mistake in the arguments is told to who made it")]
fn main() -> io::Result<()> {
    let Some(plan) = plan() else {
        eprintln!("usage: lan HOSTS PREFIX-LENGTH [LOST-PER-THOUSAND]");
        process::exit(2)
    };
    let network = Ipv4Net::new(OWN, plan.prefix).map_err(io::Error::other)?.trunc();
    let lan = Lan::build(plan);
    let mut out = io::stdout().lock();
    writeln!(out, "{}\n{network}", lan.name())?;
    out.flush()?;
    io::copy(&mut io::stdin(), &mut io::sink()).map(|_| ())
}

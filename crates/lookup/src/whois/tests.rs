//! The client against servers of its own on loopback.

mod chain;
mod hostile;
mod over_rdap;
mod servers;

use std::time::Duration;

use self::servers::Reply;
use super::*;
use crate::dns::Resolver;

/// A client that knows these rows and may go to these servers alone.
fn client(rows: &str, places: &[std::net::SocketAddr], limits: Limits) -> Whois {
    let mut registries = Registries::empty("192.0.2.43");
    registries.add(rows).unwrap();
    let outbound = Outbound::new(Resolver::with_servers(&[])).with_allowed(places);
    Whois::with_limits(outbound, registries, limits)
}

/// Bounds without a pace, so that tests need not wait for their turn.
fn quick() -> Limits {
    Limits { gap: Duration::ZERO, ..Limits::default() }
}

async fn ask(whois: &Whois, text: &str) -> Arc<WhoisAnswer> {
    whois.look_up(&Question::parse(text).unwrap(), false).await
}

fn outcomes(answer: &WhoisAnswer) -> Vec<StepOutcome> {
    answer.steps.iter().map(|step| step.outcome).collect()
}

const DOMAIN: &str = "Domain Name: EXAMPLE.TLD\r\nRegistrar: Example Registrar\r\nCreation Date: 2001-02-03T04:05:06Z\r\n\
                      Name Server: ns1.example.tld\r\n";

fn text(answer: &str) -> Reply {
    Reply::Text(answer.as_bytes().to_vec())
}

//! What a sweep has found, in words.

use netwark_model::mac::Mac;
use netwark_model::tools::sweep::{SweepHost, SweepOutcome};
use netwark_model::watch::report::Fact;
use netwark_model::watch::sighting::{Name, NameSource, Source};

use crate::verdict;

/// Hosts of a snapshot: more would only slow down those who watch.
const SNAPSHOT_HOSTS: usize = 500;

/// An outcome that is not the last: of bounded size, without text.
pub(super) fn snapshot(mut outcome: SweepOutcome) -> SweepOutcome {
    let hosts = outcome.hosts.len();
    outcome.hosts.truncate(SNAPSHOT_HOSTS);
    outcome.left_out = (hosts - outcome.hosts.len()) as u64;
    outcome.complete = false;
    outcome
}

/// The last outcome, with verdict and text.
pub(super) fn finished(mut outcome: SweepOutcome) -> SweepOutcome {
    outcome.verdict = verdict::sweep(&outcome);
    outcome.raw = lines(&outcome);
    outcome
}

/// The outcome as lines of text, in columns.
fn lines(outcome: &SweepOutcome) -> Vec<String> {
    let widest = outcome.hosts.iter().map(|host| host.address.to_string().len()).max().unwrap_or(0).max(15);
    let mut lines: Vec<String> = outcome.hosts.iter().map(|host| line(host, widest)).collect();
    if !outcome.hosts.is_empty() {
        lines.push(String::new());
    }
    lines.extend(outcome.facts.iter().filter_map(fact_line));
    lines.extend(outcome.notes.iter().map(|note| format!("note: {note}")));
    lines
}

/// One host as a line: address, hardware address, round trip, vendor, names.
pub(super) fn line(host: &SweepHost, widest: usize) -> String {
    let mac = host.mac.map(|mac| mac.to_string()).unwrap_or_else(|| "-".into());
    let rtt = match host.rtt {
        Some(rtt) => format!("{rtt:.2} ms"),
        None => "-".into(),
    };
    let mut text =
        format!("{:<widest$}  {mac:<17}  {rtt:>9}  {}", host.address.to_string(), source_word(host.source));
    let mut more: Vec<String> = Vec::new();
    if host.own {
        more.push("this machine".into());
    }
    if host.router {
        more.push("router".into());
    }
    more.extend(host.vendor.clone());
    more.extend(host.names.iter().map(name_words));
    if !host.other_macs.is_empty() {
        let others: Vec<String> = host.other_macs.iter().map(Mac::to_string).collect();
        more.push(format!("also {}", others.join(", ")));
    }
    if !more.is_empty() {
        text.push_str("  ");
        text.push_str(&more.join(", "));
    }
    text.trim_end().to_owned()
}

fn name_words(name: &Name) -> String {
    match name.source {
        NameSource::Dns => name.text.clone(),
        NameSource::Mdns => format!("{} (mDNS)", name.text),
        NameSource::Netbios => format!("{} (NetBIOS)", name.text),
        NameSource::Llmnr => format!("{} (LLMNR)", name.text),
        NameSource::Ssdp => format!("{} (SSDP)", name.text),
        NameSource::Dhcp => format!("{} (DHCP)", name.text),
    }
}

/// How a host was found, in a word for people.
fn source_word(source: Source) -> &'static str {
    match source {
        Source::Arp | Source::ArpHeard => "ARP",
        Source::Ndp | Source::NdpHeard => "NDP",
        Source::Icmp => "ping",
        Source::Tcp => "TCP",
        Source::NeighbourTable => "kernel",
        Source::Dhcp => "DHCP",
        Source::Mdns => "mDNS",
        Source::Netbios => "NetBIOS",
        Source::Llmnr => "LLMNR",
        Source::Ssdp => "SSDP",
    }
}

fn fact_line(fact: &Fact) -> Option<String> {
    match fact {
        Fact::DhcpServer { address, .. } => Some(format!("DHCP server: {address}")),
        Fact::RouterAdvertisement { address, prefixes, .. } => {
            let prefixes: Vec<_> = prefixes.iter().map(ToString::to_string).collect();
            Some(format!("router advertisement: {address} {}", prefixes.join(", ")).trim_end().to_owned())
        }
        Fact::Gateway { address, mac } => Some(format!("gateway: {address} at {mac}")),
        // It stands with its host.
        Fact::Conflict { .. } => None,
    }
}

//! A network in words.

use netwark_model::watch::network::{Neighbour, Network, NetworkStatus};
use netwark_model::watch::report::LinkFacts;

use super::table::facts;

/// The status as the page says it.
pub fn status(status: NetworkStatus) -> &'static str {
    match status {
        NetworkStatus::NeverDeployed => "never deployed",
        NetworkStatus::Active => "active",
        NetworkStatus::Stopped => "stopped",
        NetworkStatus::Error => "error",
    }
}

/// A duration in milliseconds as people read it.
pub fn took(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1_000),
    }
}

fn joined<T: ToString>(list: &[T]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn neighbours(list: &[Neighbour]) -> String {
    let one = |neighbour: &Neighbour| match neighbour.mac {
        Some(mac) => format!("{} at {mac}", neighbour.address),
        None => neighbour.address.to_string(),
    };
    list.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Who is trusted: those that were named, else those that were learned.
fn trusted<T: ToString>(named: &[T], learned: &[Neighbour]) -> String {
    match (named.is_empty(), learned.is_empty()) {
        (false, _) => joined(named),
        (true, true) => String::new(),
        (true, false) => format!("{} (learned)", neighbours(learned)),
    }
}

/// Prints all that is known of a network.
pub fn print(network: &Network) {
    let last = network
        .last_sweep
        .as_ref()
        .map(|sweep| format!("{:.0}, {} found in {}", sweep.started_at, sweep.hosts, took(sweep.took_ms)));
    let severities = serde_json::to_value(network.severities).unwrap_or_default();
    let severities = severities.as_object().into_iter().flatten();
    let severities: Vec<String> = severities
        .map(|(situation, severity)| format!("{situation}={}", severity.as_str().unwrap_or_default()))
        .collect();
    let yes = |is: bool, word: &str| if is { word.to_owned() } else { String::new() };
    facts(
        &network.name,
        &[
            ("status", status(network.status).into()),
            ("problem", network.problem.clone().unwrap_or_default()),
            ("prefixes", joined(&network.prefixes)),
            ("left out", joined(&network.exclude)),
            ("from", network.from.clone()),
            ("worker", network.worker.clone().unwrap_or_default()),
            ("interface", network.interface.clone().unwrap_or_default()),
            ("VLAN", network.vlan.map(|vlan| vlan.to_string()).unwrap_or_default()),
            ("interval", took(network.interval_ms)),
            ("rate", rate(network)),
            ("grace", format!("{} sweeps", network.grace_sweeps)),
            ("passive", yes(network.passive, "listens between sweeps")),
            ("names", yes(!network.names, "not asked for")),
            ("large", yes(network.large, "more than a /16 is swept")),
            ("severities", severities.join(", ")),
            (
                "devices",
                format!(
                    "{} up of {}, {} unknown or denied",
                    network.up, network.devices, network.not_allowed
                ),
            ),
            ("last sweep", last.unwrap_or_else(|| "never".into())),
            ("next sweep", network.next_sweep_at.map(|at| format!("{at:.0}")).unwrap_or_default()),
            ("gateways", neighbours(&network.learned.gateways)),
            ("DHCP servers", trusted(&network.dhcp_servers, &network.learned.dhcp_servers)),
            ("routers", trusted(&network.routers, &network.learned.routers)),
            ("made", format!("{:.0} by {}", network.created_at, network.created_by)),
            ("id", network.id.to_string()),
        ],
    );
    network.link.iter().for_each(print_link);
}

fn print_link(link: &LinkFacts) {
    let text = |value: Option<String>| value.unwrap_or_default();
    facts(
        "Link of the worker",
        &[
            ("interface", link.interface.clone()),
            ("hardware address", text(link.mac.map(|mac| mac.to_string()))),
            ("speed", text(link.speed_mbps.map(|speed| format!("{speed} Mbit/s")))),
            ("addresses", joined(&link.addresses)),
            ("gateway", text(link.gateway.map(|gateway| gateway.to_string()))),
            ("resolvers", joined(&link.resolvers)),
            ("SSID", text(link.ssid.clone())),
            ("security", text(link.security.clone())),
        ],
    );
}

/// How fast it is swept, where that is not as usual.
fn rate(network: &Network) -> String {
    let packets = network.rate_pps.map(|rate| format!("{rate} packets/s"));
    let bits = network.rate_bps.map(|rate| format!("{rate} bits/s"));
    let share = network.share.map(|share| format!("{share}% of the link"));
    let said: Vec<String> = [packets, bits, share].into_iter().flatten().collect();
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_by_people() {
        let told = [3, 1_250, 420_000, 90_500].map(took);
        assert_eq!(told, ["3 ms", "1.2 s", "7 min 0 s", "1 min 30 s"]);
    }
}

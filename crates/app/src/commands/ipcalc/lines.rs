//! Answers as a terminal shows them.

use netwark_lookup::ipcalc::{
    Answer, Binary, Inside, ListAnswer, Mechanism, Reverse, Split, V4Answer, V6Answer,
};

use crate::output;

/// Width of the column of labels.
const LABEL: usize = 12;

/// Zones that are listed in full; of more the first and the last.
const MOST_ZONES: usize = 4;

/// Whether text may be bold and dim.
#[derive(Clone, Copy, Debug)]
pub struct Paint(bool);

impl Paint {
    /// For a person at a terminal who has not asked for plain text.
    pub fn of_output() -> Self {
        Self(output::is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|asked| asked.is_empty()))
    }

    fn bold(self, text: &str) -> String {
        if self.0 { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn dim(self, text: &str) -> String {
        if self.0 { format!("\x1b[2m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Lines with a label each.
struct Lines {
    lines: Vec<String>,
    paint: Paint,
}

impl Lines {
    fn add(&mut self, label: &str, text: impl AsRef<str>) {
        let label = self.paint.dim(&format!("{label:<LABEL$}"));
        self.lines.push(format!("  {label}{}", text.as_ref()));
    }
}

/// Everything that is told of an address and its network.
pub fn answer(answer: &Answer, paint: Paint) -> Vec<String> {
    let mut lines = Lines { lines: Vec::new(), paint };
    let title = match &answer.range {
        Some(range) => format!("{} - {}", range.first, range.last),
        None => format!("{}/{}", answer.address, answer.cidr),
    };
    lines.lines.push(paint.bold(&title));
    if let Some(range) = &answer.range {
        lines.add("addresses", &range.addresses);
        let prefixes: Vec<String> = range.prefixes.iter().map(ToString::to_string).collect();
        for (at, some) in prefixes.chunks(4).enumerate() {
            lines.add(if at == 0 { "prefixes" } else { "" }, some.join("  "));
        }
        lines.add("within", answer.prefix.to_string());
    }
    bits(&mut lines, answer);
    network(&mut lines, answer);
    lines.add("kind", kind(answer));
    if !answer.special_parts.is_empty() {
        let parts: Vec<_> = answer.special_parts.iter().take(MOST_ZONES).map(|part| part.block).collect();
        let more = answer.special_parts.len() - parts.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        lines.add("with", format!("special blocks {}{more}", parts.join(", ")));
    }
    reverse(&mut lines, &answer.reverse);
    lines.add("number", format!("{}  {}", answer.integer, answer.hex));
    if let Some(mac) = &answer.multicast_mac {
        lines.add("MAC", format!("{mac} (multicast)"));
    }
    if let Some(v4) = &answer.ipv4 {
        of_v4(&mut lines, v4);
    }
    if let Some(v6) = &answer.ipv6 {
        of_v6(&mut lines, v6);
    }
    lines.lines
}

/// The address and the mask in bits, the network part set apart.
fn bits(lines: &mut Lines, answer: &Answer) {
    let Binary { address, mask } = &answer.binary;
    let split = |bits: &str| {
        let at = boundary(bits, answer.cidr);
        let (network, host) = (bits.get(..at).unwrap_or(bits), bits.get(at..).unwrap_or_default());
        format!("{} {host}", lines.paint.bold(network)).trim_end().to_owned()
    };
    let (address, mask) = (split(address), split(mask));
    match answer.netmask {
        Some(netmask) => {
            lines.add("address", format!("{:<18}{address}", answer.address.to_string()));
            lines.add("netmask", format!("{:<18}{mask}", netmask.to_string()));
            if let Some(v4) = &answer.ipv4 {
                lines.add("wildcard", format!("{:<18}{}", v4.wildcard.to_string(), v4.netmask_hex));
            }
        }
        None => {
            lines.add("address", answer.address.to_string());
            if let Some(v6) = &answer.ipv6 {
                lines.add("in full", &v6.expanded);
            }
            // 128 bits are too many for a line.
            for (at, half) in halves(&address).into_iter().enumerate() {
                lines.add(if at == 0 { "bits" } else { "" }, half);
            }
        }
    }
}

/// Where the host part begins in bits that are written in groups.
fn boundary(bits: &str, length: u8) -> usize {
    let digits = bits.char_indices().filter(|(_, c)| matches!(c, '0' | '1'));
    digits.map(|(at, _)| at).nth(length.into()).unwrap_or(bits.len())
}

/// A long line of bits in two, after the fourth group.
fn halves(bits: &str) -> Vec<String> {
    match bits.match_indices(':').nth(3) {
        Some((at, _)) => vec![bits[..=at].to_owned(), bits[at + 1..].to_owned()],
        None => vec![bits.to_owned()],
    }
}

fn network(lines: &mut Lines, answer: &Answer) {
    lines.add("network", answer.prefix.to_string());
    let hosts = match answer.usable_ips {
        1 => answer.first_ip.to_string(),
        usable => format!("{} - {}  ({usable})", answer.first_ip, answer.last_ip),
    };
    lines.add("hosts", hosts);
    if let Some(broadcast) = answer.broadcast {
        lines.add("broadcast", broadcast.to_string());
    }
    let around = [("previous", answer.previous), ("next", answer.next), ("parent", answer.parent)];
    let around = around.iter().filter_map(|(label, network)| Some(format!("{label} {}", (*network)?)));
    let around: Vec<String> = around.collect();
    if !around.is_empty() {
        lines.add("around", around.join("  "));
    }
}

fn kind(answer: &Answer) -> String {
    let mut kind = answer.kind.to_owned();
    if let Some(special) = &answer.special {
        kind.push_str(&format!(" ({}, {})", special.block, special.rfc));
    }
    if let Some(v4) = &answer.ipv4 {
        kind.push_str(&format!(", class {}", v4.class));
    }
    kind
}

fn reverse(lines: &mut Lines, reverse: &Reverse) {
    lines.add("PTR name", &reverse.name);
    match reverse.zones.as_slice() {
        [first, .., last] if reverse.zones.len() > MOST_ZONES => {
            lines.add("zones", format!("{} from {first} to {last}", reverse.zones.len()));
        }
        zones => {
            for (at, zone) in zones.iter().enumerate() {
                lines.add(
                    if at > 0 {
                        ""
                    } else if zones.len() > 1 {
                        "zones"
                    } else {
                        "zone"
                    },
                    zone,
                );
            }
        }
    }
    if let Some(delegation) = &reverse.delegation {
        lines.add("delegated", format!("{} (RFC 2317)", delegation.zone));
        lines.add("", &delegation.record);
    }
}

fn of_v4(lines: &mut Lines, v4: &V4Answer) {
    if let Some(length) = v4.as_netmask {
        lines.add("as netmask", format!("/{length}"));
    }
    lines.add("in IPv6", format!("mapped {}  6to4 {}  NAT64 {}", v4.mapped, v4.six_to_four, v4.nat64));
}

fn of_v6(lines: &mut Lines, v6: &V6Answer) {
    if let Some(scope) = v6.multicast_scope {
        lines.add("scope", scope);
    }
    if let Some(id) = &v6.interface_id {
        lines.add("interface", id);
    }
    if let Some(solicited) = v6.solicited_node {
        lines.add("solicited", format!("{solicited} (the multicast address that is asked for its MAC)"));
    }
    if let Some(eui64) = &v6.eui64 {
        let origin = if eui64.universal { "given by its maker" } else { "made up locally" };
        lines.add("EUI-64", format!("{} from MAC {}, {origin}", eui64.address, eui64.mac));
    }
    for inside in &v6.inside {
        lines.add("inside", contained(inside));
    }
}

fn contained(inside: &Inside) -> String {
    let name = match inside.mechanism {
        Mechanism::Mapped => "IPv4-mapped",
        Mechanism::Compatible => "IPv4-compatible",
        Mechanism::Translated => "IPv4-translated",
        Mechanism::Nat64 => "NAT64",
        Mechanism::SixToFour => "6to4",
        Mechanism::Teredo => "Teredo",
        Mechanism::Isatap => "ISATAP",
    };
    let mut text = format!("{} by {name}", inside.address);
    if let (Some(server), Some(port)) = (inside.server, inside.port) {
        let cone = if inside.cone == Some(true) { ", cone NAT" } else { "" };
        text.push_str(&format!(", port {port}, server {server}{cone}"));
    }
    text
}

/// The parts of a network, a line each.
pub fn split(split: &Split, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    if split.offset == "0" {
        let of_one_size = split.cidr.map(|length| format!(" of /{length}")).unwrap_or_default();
        let title = format!("{}: {} networks{of_one_size}", split.network, split.total);
        lines.push(paint.bold(&title));
    }
    let width = split.subnets.iter().map(|part| part.prefix.to_string().len()).max().unwrap_or(0);
    for part in &split.subnets {
        let hosts = match part.usable_ips.as_str() {
            "1" => String::new(),
            usable => format!("  {} - {}  ({usable})", part.first_ip, part.last_ip),
        };
        let asked = part.hosts.as_ref().map(|hosts| format!("  for {hosts}")).unwrap_or_default();
        lines.push(format!("  {:<width$}{hosts}{asked}", part.prefix.to_string()));
    }
    if !split.free.is_empty() {
        let free: Vec<String> = split.free.iter().map(ToString::to_string).collect();
        lines.push(format!("  {} {}", paint.dim("free:"), free.join("  ")));
    }
    lines
}

/// Which entries have addresses in common, a line for each pair.
pub fn relations(answer: &ListAnswer) -> Vec<String> {
    use netwark_lookup::ipcalc::Relation;
    let mut lines: Vec<String> = answer
        .relations
        .iter()
        .map(|pair| {
            let is = match pair.relation {
                Relation::Same => "is the same as",
                Relation::Contains => "contains",
                Relation::Overlaps => "overlaps",
            };
            format!("{} {is} {}", pair.one_is, pair.other_is)
        })
        .collect();
    if lines.is_empty() {
        lines.push("no two of them have addresses in common".into());
    }
    if answer.more_relations {
        lines.push("and more".into());
    }
    lines
}

//! Everything known about one thing, as lines of text.

use netwark_lookup::geoip::{GeoAnswer, Place, Source};
use netwark_lookup::ipcalc;
use netwark_lookup::resource::{Address, Kind, Known, Part, PartStatus, Ptr, Records, SystemNumber};
use netwark_lookup::special::Special;

use crate::commands::{oui as vendors, whois};

/// Width of the column of what parts are called.
const LABEL: usize = 10;

/// True when a part could not be found out.
pub(super) fn has_errors(known: &Known) -> bool {
    let parts = &known.parts;
    let states = [
        parts.special.as_ref().map(|part| part.status),
        parts.ip_calc.as_ref().map(|part| part.status),
        parts.vendor.as_ref().map(|part| part.status),
        parts.system.as_ref().map(|part| part.status),
        parts.geoip.as_ref().map(|part| part.status),
        parts.ptr.as_ref().map(|part| part.status),
        parts.addresses.as_ref().map(|part| part.status),
        parts.dns.as_ref().map(|part| part.status),
        parts.whois.as_ref().map(|part| part.status),
    ];
    states.contains(&Some(PartStatus::Error))
}

/// What is known, part by part in a fixed order.
pub(super) fn lines(known: &Known) -> Vec<String> {
    let (subject, parts) = (&known.subject, &known.parts);
    let kind = match subject.kind {
        Kind::Address => "address",
        Kind::Prefix => "prefix",
        Kind::Range => "range of addresses",
        Kind::Name => "name",
        Kind::As => "autonomous system",
        Kind::Mac => "MAC address",
    };
    let display = subject.display.as_ref().map(|display| format!(" ({display})")).unwrap_or_default();
    let mut lines = vec![format!("{}{display}, {kind}", subject.resource)];
    add(&mut lines, "special", parts.special.as_ref(), special);
    add(&mut lines, "network", parts.ip_calc.as_ref(), network);
    add(&mut lines, "vendor", parts.vendor.as_ref(), |answer| vec![vendors::words(answer)]);
    add(&mut lines, "system", parts.system.as_ref(), system);
    add(&mut lines, "place, AS", parts.geoip.as_ref(), |answer| vec![whereabouts(answer)]);
    add(&mut lines, "name", parts.ptr.as_ref(), ptr);
    add(&mut lines, "addresses", parts.addresses.as_ref(), |all| all.iter().map(address).collect());
    add(&mut lines, "DNS", parts.dns.as_ref(), records);
    add(&mut lines, "WHOIS", parts.whois.as_ref(), whois::text::lines);
    lines
}

fn add<T>(
    lines: &mut Vec<String>,
    label: &str,
    part: Option<&Part<T>>,
    words: impl FnOnce(&T) -> Vec<String>,
) {
    let Some(part) = part else { return };
    let told = match (&part.data, &part.reason) {
        (Some(data), _) => words(data),
        (None, Some(reason)) if part.status == PartStatus::Error => vec![format!("not found out: {reason}")],
        (None, reason) => vec![reason.clone().unwrap_or_default()],
    };
    for (at, line) in told.iter().enumerate() {
        let label = if at == 0 { label } else { "" };
        lines.push(format!("  {label:<LABEL$} {line}"));
    }
}

fn special(special: &Special) -> Vec<String> {
    vec![format!("{} ({}, {})", special.name, special.block, special.rfc)]
}

fn network(answer: &ipcalc::Answer) -> Vec<String> {
    let hosts = answer.usable_ips_text.clone().unwrap_or_else(|| answer.usable_ips.to_string());
    let one = answer.first_ip == answer.last_ip;
    let hosts = match one {
        true => String::new(),
        false => format!(", hosts {} - {} ({hosts})", answer.first_ip, answer.last_ip),
    };
    vec![format!("{}{hosts}", answer.prefix), format!("{}, {}", answer.kind, answer.reverse.name)]
}

fn system(system: &SystemNumber) -> Vec<String> {
    let name = system.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    let dotted = system.dotted.as_ref().map(|dotted| format!(", {dotted}")).unwrap_or_default();
    let mut lines = vec![format!("AS{}{name}{dotted}", system.number)];
    lines.extend(system.special.map(|special| format!("{} ({})", special.name, special.rfc)));
    lines
}

/// AS and place, as far as they are known.
fn whereabouts(answer: &GeoAnswer) -> String {
    let name = answer.as_name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    let system = answer.asn.map(|number| format!("AS{number}{name}"));
    let place = answer.place.as_ref().map(Place::words);
    [system, place].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn ptr(ptr: &Ptr) -> Vec<String> {
    let confirmed = match ptr.confirmed {
        Some(true) => "",
        Some(false) => ", not confirmed: the name does not have the address",
        None => ", whether the name has the address was not found out",
    };
    vec![format!("{}{confirmed}", ptr.name)]
}

fn address(one: &Address) -> String {
    let special = one.special.map(|special| special.name.to_owned());
    let more = [special, one.geoip.as_ref().map(whereabouts)];
    let words: Vec<String> = [Some(one.address.to_string())].into_iter().chain(more).flatten().collect();
    words.join(", ")
}

fn records(records: &Records) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for record in &records.records {
        lines.push(format!("{:<6}{:>7}  {}  {}", record.kind, record.ttl, record.name, record.data));
    }
    if !records.absent.is_empty() {
        lines.push(format!("none of {}", records.absent.join(", ")));
    }
    lines.extend(records.failed.iter().map(|failed| format!("{}: {}", failed.kind, failed.why)));
    lines
}

/// Takes in whom to name for the data that was told.
pub(super) fn attributions(known: &Known, told: &mut Vec<String>) {
    let parts = &known.parts;
    let answers = parts.geoip.iter().filter_map(|part| part.data.as_ref());
    let addresses = parts.addresses.iter().filter_map(|part| part.data.as_ref()).flatten();
    let of_answers = answers.chain(addresses.filter_map(|one| one.geoip.as_ref()));
    let of_system = parts.system.iter().filter_map(|part| part.data.as_ref()?.source.as_ref());
    let sources: Vec<&Source> = of_answers.flat_map(|answer| &answer.sources).chain(of_system).collect();
    for attribution in sources.into_iter().filter_map(|source| source.attribution) {
        let line = format!("{} ({})", attribution.text, attribution.url);
        if !told.contains(&line) {
            told.push(line);
        }
    }
}

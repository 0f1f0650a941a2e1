//! An answer as `dig` prints it.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use netwark_model::tools::dns::{DnsAttempt, DnsOutcome, DnsRecord};

use super::client::Reply;
use super::client::endpoint::Endpoint;
use super::wire::base;
use super::wire::kind::Kind;
use super::wire::message::{IN, Message, Question, Record, flag, rcode_name};
use super::wire::rdata;

/// The number of the option that carries a server's name for itself (RFC 5001).
const NSID: u16 = 3;
/// The number of the option that explains a failure (RFC 8914).
const EXTENDED_ERROR: u16 = 15;

/// The flags of an answer by name.
pub fn flags(message: &Message) -> Vec<&'static str> {
    let all = [
        (flag::QR, "qr"),
        (flag::AA, "aa"),
        (flag::TC, "tc"),
        (flag::RD, "rd"),
        (flag::RA, "ra"),
        (flag::AD, "ad"),
        (flag::CD, "cd"),
    ];
    all.iter().filter(|(bit, _)| message.has(*bit)).map(|(_, name)| *name).collect()
}

/// What a server calls itself: its text, or its bytes when they are none.
pub fn nsid(message: &Message) -> Option<String> {
    let (_, value) = message.edns.as_ref()?.options.iter().find(|(code, _)| *code == NSID)?;
    let plain = !value.is_empty() && value.iter().all(|byte| (b' '..=b'~').contains(byte));
    Some(if plain { String::from_utf8_lossy(value).into_owned() } else { base::hex(value) })
}

/// What a server says of its failure.
pub fn extended_errors(message: &Message) -> Vec<String> {
    let options = message.edns.iter().flat_map(|edns| &edns.options);
    options
        .filter(|(code, _)| *code == EXTENDED_ERROR)
        .filter_map(|(_, value)| extended_error(value))
        .collect()
}

fn extended_error(value: &[u8]) -> Option<String> {
    let (code, text) = value.split_first_chunk::<2>()?;
    let code = u16::from_be_bytes(*code);
    let name = match code {
        0 => "Other",
        1 => "Unsupported DNSKEY Algorithm",
        2 => "Unsupported DS Digest Type",
        3 => "Stale Answer",
        4 => "Forged Answer",
        5 => "DNSSEC Indeterminate",
        6 => "DNSSEC Bogus",
        7 => "Signature Expired",
        8 => "Signature Not Yet Valid",
        9 => "DNSKEY Missing",
        10 => "RRSIGs Missing",
        11 => "No Zone Key Bit Set",
        12 => "NSEC Missing",
        13 => "Cached Error",
        14 => "Not Ready",
        15 => "Blocked",
        16 => "Censored",
        17 => "Filtered",
        18 => "Prohibited",
        19 => "Stale NXDomain Answer",
        20 => "Not Authoritative",
        21 => "Not Supported",
        22 => "No Reachable Authority",
        23 => "Network Error",
        24 => "Invalid Data",
        _ => "Unknown",
    };
    let mut said = format!("{code} ({name})");
    if !text.is_empty() {
        let text: String =
            String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).take(200).collect();
        let _ = write!(said, ": {text}");
    }
    Some(said)
}

/// The whole answer. `at` is when it came.
pub fn lines(question: &Question, server: &Endpoint, reply: &Reply, at: Timestamp) -> Vec<String> {
    let message = &reply.message;
    let extra = usize::from(message.edns.is_some());
    let mut lines = vec![
        format!("; <<>> netwark {} <<>> {} {}", env!("CARGO_PKG_VERSION"), question.name, question.kind),
        ";; Got answer:".to_owned(),
        format!(";; ->>HEADER<<- opcode: QUERY, status: {}, id: {}", rcode_name(message.rcode), message.id),
        format!(
            ";; flags: {}; QUERY: {}, ANSWER: {}, AUTHORITY: {}, ADDITIONAL: {}",
            flags(message).join(" "),
            message.questions.len(),
            message.answers.len(),
            message.authorities.len(),
            message.additionals.len() + extra
        ),
    ];
    if message.has(flag::RD) && !message.has(flag::RA) {
        lines.push(";; WARNING: recursion requested but not available".into());
    }
    lines.push(String::new());
    if let Some(edns) = &message.edns {
        lines.push(";; OPT PSEUDOSECTION:".into());
        let shown = if edns.dnssec { " do" } else { "" };
        lines.push(format!("; EDNS: version: {}, flags:{shown}; udp: {}", edns.version, edns.size));
        if let Some(nsid) = nsid(message) {
            lines.push(format!("; NSID: {nsid}"));
        }
        lines.extend(extended_errors(message).iter().map(|error| format!("; EDE: {error}")));
    }
    if !message.questions.is_empty() {
        lines.push(";; QUESTION SECTION:".into());
        for asked in &message.questions {
            let name = padded(&format!(";{}", asked.name), 32);
            lines.push(format!("{name}{}{}", padded("IN", 8), asked.kind));
        }
        lines.push(String::new());
    }
    for (title, records) in [
        ("ANSWER", &message.answers),
        ("AUTHORITY", &message.authorities),
        ("ADDITIONAL", &message.additionals),
    ] {
        if !records.is_empty() {
            lines.push(format!(";; {title} SECTION:"));
            lines.extend(records.iter().map(record));
            lines.push(String::new());
        }
    }
    lines.extend([
        format!(";; Query time: {} msec", reply.took.as_millis()),
        format!(
            ";; SERVER: {}#{}({}) ({})",
            server.address.ip(),
            server.address.port(),
            server.host,
            reply.carrier.as_str().to_uppercase()
        ),
        format!(";; WHEN: {}", at.to_zoned(TimeZone::UTC).strftime("%a %b %d %H:%M:%S UTC %Y")),
        format!(";; MSG SIZE  rcvd: {}", message.size),
    ]);
    lines
}

/// Everything of an outcome as lines: the way to the answer, the answer or what went wrong, and the chain of trust.
pub fn whole(outcome: &DnsOutcome) -> Vec<String> {
    let mut lines = Vec::new();
    for step in outcome.trace.iter().flatten() {
        lines.push(format!(
            ";; {} ({}) for {}: {} {} {} ({:.1} ms)",
            step.server,
            step.address,
            step.zone,
            step.question.name,
            step.question.kind,
            step.text,
            step.time_ms
        ));
        let record = |r: &DnsRecord| format!("{}\t{}\tIN\t{}\t{}", r.name, r.ttl, r.kind, r.data);
        lines.extend(step.records.iter().map(record));
        lines.push(String::new());
    }
    if outcome.raw.is_empty() {
        let tried = |attempt: &DnsAttempt| {
            format!(";; {} ({}): {}", attempt.server, attempt.transport, attempt.result)
        };
        lines.extend(outcome.attempts.iter().map(tried));
    }
    lines.extend(outcome.raw.iter().cloned());
    if let Some(report) = &outcome.dnssec {
        lines.extend([String::new(), ";; CHAIN OF TRUST:".into()]);
        lines.extend(report.links.iter().map(|link| format!("; {}: {}", link.state.as_str(), link.text)));
        lines.push(format!("; verdict: {} ({})", report.verdict.as_str(), report.reason));
    }
    lines
}

/// One record as a line of a zone file.
pub fn record(record: &Record) -> String {
    let class = if record.class == IN { "IN".into() } else { format!("CLASS{}", record.class) };
    let mut line = format!(
        "{}{}{}{}{}",
        padded(&record.name.to_string(), 24),
        padded(&record.ttl.to_string(), 8),
        padded(&class, 8),
        padded(&record.kind.to_string(), 8),
        record.text()
    );
    if record.kind != Kind::OPT && rdata::is_malformed(record.kind, &record.data) {
        line.push_str("  ; does not fit its type");
    }
    line
}

/// Text with tabs after it up to a column, at least one.
fn padded(text: &str, column: usize) -> String {
    let tabs = column.saturating_sub(text.len()).div_ceil(8).max(1);
    format!("{text}{}", "\t".repeat(tabs))
}

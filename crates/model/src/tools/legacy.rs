//! Option strings of the older API: `"-c 5 -i 0.2"`, the flags of iputils' ping and of mtr.
//!
//! No tool ever sees such a string. Every flag of both programs stands in a table: parsed by the
//! tool's own clap definition, accepted because it only changes output, or refused with the reason.

use std::net::IpAddr;

use crate::error::FieldError;

/// The longest option string that is looked at, in bytes.
const LONGEST: usize = 1024;

/// What becomes of a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Handed to the tool's clap definition, which knows a flag of the same letter.
    Parsed,
    /// An interface name or a source address, whichever it looks like.
    Bind,
    /// Accepted without effect, for this reason.
    Accepted(&'static str),
    /// Refused, for this reason.
    Refused(&'static str),
}

/// One flag of an older option string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegacyFlag {
    /// Its letter.
    pub short: char,
    /// Its long name, empty when it has none.
    pub long: &'static str,
    /// True when a value follows.
    pub value: bool,
    /// What becomes of it.
    pub meaning: Meaning,
}

const fn flag(short: char, long: &'static str, value: bool, meaning: Meaning) -> LegacyFlag {
    LegacyFlag { short, long, value, meaning }
}

use Meaning::{Accepted, Bind, Parsed, Refused};

const OUTPUT: Meaning = Accepted("it only changes how the program prints");

/// The flags of iputils' ping (20221126).
pub(super) const PING: &[LegacyFlag] = &[
    flag('4', "", false, Parsed),
    flag('6', "", false, Parsed),
    flag('a', "", false, OUTPUT),
    flag('A', "", false, Refused("adaptive sending has no bound on its rate; use -i")),
    flag('b', "", false, Refused("broadcast addresses are not pinged")),
    flag('B', "", false, Accepted("the source address never changes during a measurement")),
    flag('c', "", true, Parsed),
    flag('C', "", false, Refused("sockets are shared and never connected")),
    flag('d', "", false, Refused("socket debugging is not offered")),
    flag('D', "", false, OUTPUT),
    flag('e', "", true, Refused("identifiers are chosen unpredictably")),
    flag('f', "", false, Refused("flood ping is not offered; use -i")),
    flag('h', "", false, Refused("help is in the documentation of the tool")),
    flag('H', "", false, OUTPUT),
    flag('i', "", true, Parsed),
    flag('I', "", true, Bind),
    flag('l', "", true, Refused("preloading sends a burst; use -i")),
    flag('L', "", false, Refused("multicast addresses are not pinged")),
    flag('m', "", true, Refused("packet marks are not offered")),
    flag('M', "", true, Parsed),
    flag('n', "", false, OUTPUT),
    flag('N', "", true, Refused("IPv6 node information queries are not offered")),
    flag('O', "", false, OUTPUT),
    flag('p', "", true, Refused("the payload carries a token, so it has no pattern")),
    flag('q', "", false, OUTPUT),
    flag('Q', "", true, Parsed),
    flag('r', "", false, Refused("the routing table is never bypassed")),
    flag('R', "", false, Refused("the record route option is dropped by most routers; use the mtr tool")),
    flag('s', "", true, Parsed),
    flag('S', "", true, Refused("the socket buffer is the engine's own")),
    flag('t', "", true, Parsed),
    flag('T', "", true, Refused("the timestamp option is dropped by most routers")),
    flag('U', "", false, OUTPUT),
    flag('v', "", false, OUTPUT),
    flag('V', "", false, Refused("the version is that of the worker")),
    flag('w', "", true, Refused("a deadline is not offered; use -c and -i")),
    flag('W', "", true, Parsed),
];

/// The flags of mtr (0.95).
pub(super) const MTR: &[LegacyFlag] = &[
    flag('4', "ipv4", false, Parsed),
    flag('6', "ipv6", false, Parsed),
    flag('a', "address", true, Parsed),
    flag('b', "show-ips", false, OUTPUT),
    flag('B', "bitpattern", true, Refused("the payload carries a token, so it has no pattern")),
    flag('c', "report-cycles", true, Parsed),
    flag('C', "csv", false, OUTPUT),
    flag('d', "displaymode", true, OUTPUT),
    flag('e', "mpls", false, Accepted("MPLS labels are always kept")),
    flag('f', "first-ttl", true, Parsed),
    flag('F', "filename", true, Refused("files of the worker are never read")),
    flag('g', "gtk", false, OUTPUT),
    flag('G', "gracetime", true, Accepted("a trace ends as soon as every probe is answered or given up")),
    flag('h', "help", false, Refused("help is in the documentation of the tool")),
    flag('i', "interval", true, Parsed),
    flag('I', "interface", true, Parsed),
    flag('j', "json", false, OUTPUT),
    flag('l', "raw", false, OUTPUT),
    flag('L', "localport", true, Refused("source ports are chosen unpredictably")),
    flag('m', "max-ttl", true, Parsed),
    flag('M', "mark", true, Refused("packet marks are not offered")),
    flag('n', "no-dns", false, OUTPUT),
    flag('o', "order", true, OUTPUT),
    flag('p', "split", false, OUTPUT),
    flag('P', "port", true, Parsed),
    flag('Q', "tos", true, Parsed),
    flag('r', "report", false, OUTPUT),
    flag('s', "psize", true, Parsed),
    flag('S', "sctp", false, Refused("SCTP probes are not offered; use -u or -T")),
    flag('t', "curses", false, OUTPUT),
    flag('T', "tcp", false, Parsed),
    flag('u', "udp", false, Parsed),
    flag('U', "max-unknown", true, Parsed),
    flag('v', "version", false, Refused("the version is that of the worker")),
    flag('w', "report-wide", false, OUTPUT),
    flag('x', "xml", false, OUTPUT),
    flag('y', "ipinfo", true, OUTPUT),
    flag('z', "aslookup", false, OUTPUT),
    flag('Z', "timeout", true, Parsed),
];

/// Turns an option string into arguments for the tool's clap definition. Besides the flags of the
/// table it takes the long flags of that definition, so that what the shell takes is taken here.
pub(super) fn translate(
    tool: &str,
    table: &[LegacyFlag],
    command: &clap::Command,
    text: &str,
) -> Result<Vec<String>, Vec<FieldError>> {
    if text.len() > LONGEST {
        return Err(vec![FieldError::body(
            "options",
            format!("must have at most {LONGEST} bytes, got {}", text.len()),
        )]);
    }
    if table.is_empty() {
        // A tool that no older API knew has no flags but those of its own definition.
        return Ok(text.split_ascii_whitespace().map(str::to_owned).collect());
    }
    let mut arguments = Vec::new();
    let mut errors = Vec::new();
    let mut words = text.split_ascii_whitespace();
    while let Some(word) = words.next() {
        let taken = match word.strip_prefix("--") {
            Some(long) => long_flag(tool, table, command, long, &mut words, &mut arguments),
            None => match word.strip_prefix('-').filter(|cluster| !cluster.is_empty()) {
                Some(cluster) => short_flags(tool, table, cluster, &mut words, &mut arguments),
                None => Err(format!("'{}' is no flag; the target has a field of its own", clip(word))),
            },
        };
        if let Err(text) = taken {
            errors.push(FieldError::body("options", text));
        }
    }
    if errors.is_empty() { Ok(arguments) } else { Err(errors) }
}

fn long_flag<'a>(
    tool: &str,
    table: &[LegacyFlag],
    command: &clap::Command,
    word: &'a str,
    words: &mut impl Iterator<Item = &'a str>,
    arguments: &mut Vec<String>,
) -> Result<(), String> {
    let (name, attached) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    let found = table.iter().find(|flag| !name.is_empty() && flag.long == name);
    let own = || command.get_arguments().find(|arg| arg.get_long() == Some(name));
    let takes_value = match found {
        Some(flag) => flag.value,
        None => {
            own().ok_or_else(|| format!("--{} is no flag of {tool}", clip(name)))?.get_action().takes_values()
        }
    };
    let value = match (takes_value, attached) {
        (true, None) => Some(words.next().ok_or_else(|| format!("--{name} needs a value"))?),
        (true, some) => some,
        (false, Some(_)) => return Err(format!("--{name} takes no value")),
        (false, None) => None,
    };
    if let Some(flag) = found {
        return apply(tool, flag, value, arguments);
    }
    arguments.push(value.map_or_else(|| format!("--{name}"), |value| format!("--{name}={value}")));
    Ok(())
}

fn short_flags<'a>(
    tool: &str,
    table: &[LegacyFlag],
    cluster: &'a str,
    words: &mut impl Iterator<Item = &'a str>,
    arguments: &mut Vec<String>,
) -> Result<(), String> {
    let mut rest = cluster.chars();
    while let Some(letter) = rest.next() {
        let found = table.iter().find(|flag| flag.short == letter);
        let flag = found.ok_or_else(|| format!("-{letter} is no flag of {tool}"))?;
        if flag.value {
            let attached = rest.as_str();
            let value = if attached.is_empty() { words.next() } else { Some(attached) };
            let value = value.ok_or_else(|| format!("-{letter} needs a value"))?;
            return apply(tool, flag, Some(value), arguments);
        }
        apply(tool, flag, None, arguments)?;
    }
    Ok(())
}

fn apply(
    tool: &str,
    flag: &LegacyFlag,
    value: Option<&str>,
    arguments: &mut Vec<String>,
) -> Result<(), String> {
    let short = flag.short;
    match (flag.meaning, value) {
        (Accepted(_), _) => {}
        (Refused(why), _) => return Err(format!("-{short} of {tool} is refused: {why}")),
        (Bind, Some(value)) if value.parse::<IpAddr>().is_ok() => arguments.push(format!("--source={value}")),
        (Bind | Parsed, Some(value)) => arguments.push(format!("-{short}={value}")),
        (Bind | Parsed, None) => arguments.push(format!("-{short}")),
    }
    Ok(())
}

fn clip(word: &str) -> String {
    word.chars().take(40).collect()
}

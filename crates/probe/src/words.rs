//! Wording that ping, trace, verdicts and reports share.

use std::net::IpAddr;

use crate::decide::{AnswerKind, Unreachable};

/// How every message about a packet that did not fit begins, so that a verdict can tell it from other errors.
pub(crate) const TOO_BIG: &str = "packet too big";

/// How the message of a router begins where a packet's time to live ended.
pub(crate) const TTL_EXCEEDED: &str = "time to live exceeded";

/// What kind of unreachable, in words.
pub(crate) fn unreachable(why: Unreachable) -> String {
    match why {
        Unreachable::Network => "network unreachable".into(),
        Unreachable::Host => "host unreachable".into(),
        Unreachable::Address => "address unreachable".into(),
        Unreachable::Protocol => "protocol unreachable".into(),
        Unreachable::Port => "port unreachable".into(),
        Unreachable::SourceRoute => "source route failed".into(),
        Unreachable::Scope => "beyond the scope of the source address".into(),
        Unreachable::Prohibited => "administratively prohibited".into(),
        Unreachable::Policy => "source address failed a policy".into(),
        Unreachable::Reject => "route set to reject".into(),
        Unreachable::Other(code) => format!("unreachable, code {code}"),
    }
}

/// The message of an ICMP error; `None` for an answer that is no error.
pub(crate) fn error(kind: AnswerKind) -> Option<String> {
    match kind {
        AnswerKind::EchoReply | AnswerKind::SynAck | AnswerKind::Reset | AnswerKind::Datagram => None,
        AnswerKind::TimeExceeded => Some(TTL_EXCEEDED.into()),
        AnswerKind::Unreachable(why) => Some(unreachable(why)),
        AnswerKind::TooBig { mtu: 0 } => Some(format!("{TOO_BIG}, MTU not told")),
        AnswerKind::TooBig { mtu } => Some(format!("{TOO_BIG}, MTU {mtu}")),
        AnswerKind::Other { kind, code } => Some(format!("ICMP type {kind}, code {code}")),
    }
}

/// What the system said, as a clause and without its number.
pub(crate) fn of_system(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map(|first| format!("{}{}", first.to_lowercase(), letters.as_str())).unwrap_or_default()
}

/// Milliseconds with about three figures: `0.042 ms`, `2.51 ms`, `25.1 ms`, `251 ms`.
pub(crate) fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms < 1.0 => format!("{ms:.3} ms"),
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 100.0 => format!("{ms:.1} ms"),
        ms => format!("{ms:.0} ms"),
    }
}

/// A percentage without needless digits: `0%`, `0.05%`, `12.5%`, `100%`.
/// What is not all is never rounded up to 100, and what is not nothing never down to 0.
pub(crate) fn percent(share: f64) -> String {
    let decimals = if share <= 0.0 || share >= 100.0 {
        0
    } else if (0.05..=99.95).contains(&share) {
        1
    } else {
        3
    };
    let text = format!("{share:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}%")
}

/// `1 reply`, `2 replies`.
pub(crate) fn counted(count: u32, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list<T: ToString>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// `hop 3`, `hops 3 and 5`, `hops 3 to 6`; the distances must be in rising order.
pub(crate) fn hops(distances: &[u8]) -> String {
    match distances {
        [one] => format!("hop {one}"),
        [first, .., last] if distances.len() > 2 && usize::from(last - first) + 1 == distances.len() => {
            format!("hops {first} to {last}")
        }
        _ => format!("hops {}", list(distances)),
    }
}

/// `hop 4 (192.0.2.4)`, or `hop 4` when nobody answered there.
pub(crate) fn hop_at(distance: u8, address: Option<IpAddr>) -> String {
    match address {
        Some(address) => format!("hop {distance} ({address})"),
        None => format!("hop {distance}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(milliseconds(0.0421), "0.042 ms");
        assert_eq!(milliseconds(2.514), "2.51 ms");
        assert_eq!(milliseconds(25.14), "25.1 ms");
        assert_eq!(milliseconds(251.4), "251 ms");
        assert_eq!(percent(0.0), "0%");
        assert_eq!(percent(10.0), "10%");
        assert_eq!(percent(100.0 / 3.0), "33.3%");
        assert_eq!(percent(0.01), "0.01%");
        assert_eq!(percent(99.99), "99.99%");
        assert_eq!(percent(100.0), "100%");
    }

    #[test]
    fn lists_read_well() {
        assert_eq!(hops(&[3]), "hop 3");
        assert_eq!(hops(&[3, 4]), "hops 3 and 4");
        assert_eq!(hops(&[3, 4, 5]), "hops 3 to 5");
        assert_eq!(hops(&[3, 4, 6]), "hops 3, 4 and 6");
        assert_eq!(list::<u8>(&[]), "");
        assert_eq!(counted(1, "reply", "replies"), "1 reply");
        assert_eq!(counted(2, "reply", "replies"), "2 replies");
    }

    #[test]
    fn only_errors_have_a_message() {
        assert_eq!(error(AnswerKind::EchoReply), None);
        assert_eq!(error(AnswerKind::TooBig { mtu: 1400 }).as_deref(), Some("packet too big, MTU 1400"));
        assert_eq!(error(AnswerKind::Other { kind: 12, code: 1 }).as_deref(), Some("ICMP type 12, code 1"));
    }
}

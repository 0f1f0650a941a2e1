//! What this process may do on this machine, and what would help where it may not.

use std::fs;
use std::io;

use netwark_packet::ip::Family;
use serde::{Deserialize, Serialize};

use crate::net::socket::{self, Kind};

/// One thing the engine can or cannot do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ability {
    /// Whether it can.
    pub available: bool,
    /// When it cannot: the reason, and what would help.
    pub reason: Option<String>,
}

impl Ability {
    fn of<T>(attempt: io::Result<T>, explain: impl FnOnce(&io::Error) -> String) -> Self {
        match attempt {
            Ok(_) => Self { available: true, reason: None },
            Err(error) => Self { available: false, reason: Some(explain(&error)) },
        }
    }
}

/// What this process may do on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// ICMP over raw sockets.
    pub raw_v4: Ability,
    /// ICMPv6 over raw sockets.
    pub raw_v6: Ability,
    /// ICMP over datagram sockets, for processes without privileges.
    pub datagram_v4: Ability,
    /// ICMPv6 over datagram sockets.
    pub datagram_v6: Ability,
    /// UDP traces; ICMP errors are read from raw sockets or, without privileges, from the sockets' error queues.
    pub udp_errqueue: Ability,
    /// TCP SYN probes.
    pub tcp_syn: Ability,
}

impl Capabilities {
    /// Tries everything once.
    pub(super) fn probe() -> Self {
        let raw = |family| {
            let attempt = socket::create(family, Kind::RawIcmp);
            Ability::of(attempt, |error| refused("raw ICMP sockets", family, error, RAW_HELP))
        };
        let datagram = |family| {
            let attempt = socket::create(family, Kind::IcmpDatagram);
            Ability::of(attempt, |error| refused("ICMP datagram sockets", family, error, &ping_group_range()))
        };
        let udp = socket::open(&socket::Key::plain(Family::V4, Kind::Udp { flow: 0 }), 0, true);
        let tcp = socket::create(Family::V4, Kind::RawTcp);
        Self {
            raw_v4: raw(Family::V4),
            raw_v6: raw(Family::V6),
            datagram_v4: datagram(Family::V4),
            datagram_v6: datagram(Family::V6),
            udp_errqueue: Ability::of(udp, |error| refused("UDP error queues", Family::V4, error, "")),
            tcp_syn: Ability::of(tcp, |error| refused("raw TCP sockets", Family::V4, error, RAW_HELP)),
        }
    }

    pub(super) fn raw(&self, family: Family) -> &Ability {
        match family {
            Family::V4 => &self.raw_v4,
            Family::V6 => &self.raw_v6,
        }
    }

    pub(super) fn datagram(&self, family: Family) -> &Ability {
        match family {
            Family::V4 => &self.datagram_v4,
            Family::V6 => &self.datagram_v6,
        }
    }

    /// Why ICMP echo of this family is impossible; nothing when it is possible.
    #[must_use]
    pub fn why_no_icmp(&self, v6: bool) -> Option<String> {
        let family = if v6 { Family::V6 } else { Family::V4 };
        let (raw, datagram) = (self.raw(family), self.datagram(family));
        if raw.available || datagram.available {
            return None;
        }
        let reasons: Vec<&str> =
            [raw, datagram].into_iter().filter_map(|one| one.reason.as_deref()).collect();
        Some(reasons.join("; "))
    }
}

const RAW_HELP: &str = "CAP_NET_RAW is missing: run as root, or give the binary the capability with \
                        `setcap cap_net_raw+ep`";

fn ping_group_range() -> String {
    // IPv6 obeys the same setting.
    match fs::read_to_string("/proc/sys/net/ipv4/ping_group_range") {
        Ok(range) => {
            let range = range.split_whitespace().collect::<Vec<_>>().join(" ");
            format!(
                "net.ipv4.ping_group_range is '{range}'; allow every group with \
                 `sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"`"
            )
        }
        Err(error) => format!("net.ipv4.ping_group_range cannot be read: {error}"),
    }
}

fn refused(what: &str, family: Family, error: &io::Error, help: &str) -> String {
    let version = if family == Family::V4 { "IPv4" } else { "IPv6" };
    match error.raw_os_error() {
        Some(libc::EAFNOSUPPORT) => format!("{version} is switched off on this machine"),
        Some(libc::EPERM | libc::EACCES) => format!("{what} are refused for {version}: {help}"),
        _ => format!("{what} are refused for {version}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_say_what_would_help() {
        let text =
            refused("raw ICMP sockets", Family::V4, &io::Error::from_raw_os_error(libc::EPERM), RAW_HELP);
        assert!(text.contains("CAP_NET_RAW") && text.contains("setcap"), "{text}");
        let text = refused("x", Family::V6, &io::Error::from_raw_os_error(libc::EAFNOSUPPORT), "");
        assert_eq!(text, "IPv6 is switched off on this machine");
        assert!(ping_group_range().contains("ping_group_range"));
    }

    #[test]
    fn a_missing_ability_has_a_reason() {
        let found = Capabilities::probe();
        for ability in [&found.raw_v4, &found.raw_v6, &found.datagram_v4, &found.datagram_v6, &found.tcp_syn]
        {
            assert_eq!(ability.available, ability.reason.is_none());
        }
        assert!(found.udp_errqueue.available);
        assert_eq!(found.why_no_icmp(false).is_none(), found.raw_v4.available || found.datagram_v4.available);
    }
}

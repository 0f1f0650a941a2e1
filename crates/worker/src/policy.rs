//! What a worker may touch. Its own file decides; the server cannot overrule it.
//!
//! Without a file every unicast address is allowed, private and loopback included. A file that
//! cannot be read or understood, or that has a key this version does not know, allows nothing: a
//! rule that was meant must never be lost by a slip.
//!
//! Tools that give back what a service says could be turned against what trusts this very machine: its loopback, the
//! metadata service of its cloud, the server beside it. Those are closed to such tools until the file opens them.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;

use ipnet::IpNet;
use netwark_probe::runner::unicast;
use serde::Deserialize;

/// What a worker may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    allow: Vec<IpNet>,
    deny: Vec<IpNet>,
    content_allow: Vec<IpNet>,
    packets_per_second: Option<u32>,
    /// Why nothing is allowed, when the file could not be understood.
    broken: Option<String>,
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Prefixes that may be touched; absent: all unicast addresses.
    allow: Option<Vec<IpNet>>,
    /// Prefixes that may not, whatever `allow` says.
    #[serde(default)]
    deny: Vec<IpNet>,
    /// Prefixes that tools which return content may reach although these are closed to them by default.
    #[serde(default)]
    content_allow: Vec<IpNet>,
    /// Most packets a second over all work.
    packets_per_second: Option<u32>,
}

/// Where nobody's content is fetched unless the list opens it: this machine, its links, and the addresses at which
/// clouds hand out the credentials of a machine.
const CLOSED: &[(&str, &str)] = &[
    ("127.0.0.0/8", "a loopback address"),
    ("::1/128", "a loopback address"),
    ("169.254.0.0/16", "a link-local address"),
    ("fe80::/10", "a link-local address"),
    ("fd00:ec2::/32", "the metadata service of a cloud"),
    ("fd20:ce::254/128", "the metadata service of a cloud"),
    ("fd00:c1::a9fe:a9fe/128", "the metadata service of a cloud"),
    ("100.100.100.200/32", "the metadata service of a cloud"),
    ("168.63.129.16/32", "the metadata service of a cloud"),
    ("192.0.0.192/32", "the metadata service of a cloud"),
];

/// Why an address may not be touched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The list forbids it.
    #[error("{address} is not allowed by this worker's list: {reason}")]
    Denied {
        /// The address.
        address: IpAddr,
        /// Which rule.
        reason: String,
    },
    /// The list cannot be understood, so nothing is allowed.
    #[error("this worker's list of allowed targets cannot be used, so nothing is allowed: {0}")]
    Broken(String),
}

impl Default for Policy {
    fn default() -> Self {
        let everything = ["0.0.0.0/0", "::/0"].iter().filter_map(|prefix| prefix.parse().ok());
        Self {
            allow: everything.collect(),
            deny: Vec::new(),
            content_allow: Vec::new(),
            packets_per_second: None,
            broken: None,
        }
    }
}

impl Policy {
    /// All unicast addresses, for tools that return content too: who sits at a machine may reach what it reaches.
    pub fn of_its_user() -> Self {
        let everything = Self::default();
        Self { content_allow: everything.allow.clone(), ..everything }
    }

    /// The list in a TOML file with the keys `allow`, `deny`, `content_allow` and `packets_per_second`. What cannot
    /// be read allows nothing, and says why.
    pub fn from_file(path: &Path) -> Self {
        let file = std::fs::read_to_string(path).map_err(|error| error.to_string());
        Self::from_text(file.and_then(|text| toml::from_str(&text).map_err(|e| e.message().to_owned())))
            .named(path)
    }

    fn from_text(file: Result<File, String>) -> Self {
        match file {
            Ok(File { packets_per_second: Some(0), .. }) => {
                Self::broken("packets_per_second must be at least 1".into())
            }
            Ok(file) => Self {
                allow: file.allow.unwrap_or_else(|| Self::default().allow),
                deny: file.deny,
                content_allow: file.content_allow,
                packets_per_second: file.packets_per_second,
                broken: None,
            },
            Err(reason) => Self::broken(reason),
        }
    }

    fn broken(reason: String) -> Self {
        Self { allow: Vec::new(), broken: Some(reason), ..Self::default() }
    }

    fn named(mut self, path: &Path) -> Self {
        self.broken = self.broken.map(|reason| format!("{}: {reason}", path.display()));
        self
    }

    /// Most packets a second over all work, when the list has a bound.
    pub fn packets_per_second(&self) -> Option<u32> {
        self.packets_per_second
    }

    /// The same list with the bound of another.
    #[must_use]
    pub(crate) fn at_the_rate_of(self, other: &Self) -> Self {
        Self { packets_per_second: other.packets_per_second, ..self }
    }

    /// Why nothing is allowed, when the file could not be understood.
    pub fn broken_reason(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Checks one address.
    ///
    /// # Errors
    /// Says which rule forbids it.
    pub fn check(&self, address: IpAddr) -> Result<(), PolicyError> {
        if let Some(reason) = &self.broken {
            return Err(PolicyError::Broken(reason.clone()));
        }
        let denied = |reason: String| Err(PolicyError::Denied { address, reason });
        let plain = address.to_canonical();
        if let Err(reason) = unicast(plain) {
            return denied(format!("{reason}, and only unicast addresses are measured"));
        }
        if let Some(prefix) = self.deny.iter().find(|prefix| prefix.contains(&plain)) {
            return denied(format!("{prefix} is denied"));
        }
        if !self.allow.iter().any(|prefix| prefix.contains(&plain)) {
            return denied("no allowed prefix holds it".into());
        }
        Ok(())
    }

    /// Checks where a tool that returns content connects to. `listeners` are those of the server in this process.
    ///
    /// # Errors
    /// Says which rule forbids it.
    pub fn check_content(&self, place: SocketAddr, listeners: &[SocketAddr]) -> Result<(), PolicyError> {
        let address = place.ip().to_canonical();
        self.check(address)?;
        if self.content_allow.iter().any(|prefix| prefix.contains(&address)) {
            return Ok(());
        }
        let Some(what) = closed(address).or_else(|| {
            let own = listeners.iter().any(|listener| leads_to(place.port(), address, *listener));
            own.then_some("where this server itself listens")
        }) else {
            return Ok(());
        };
        Err(PolicyError::Denied {
            address,
            reason: format!(
                "it is {what}, which tools that return content reach only where content_allow names it"
            ),
        })
    }

    /// The list in a line, for people.
    pub fn describe(&self) -> String {
        if let Some(reason) = &self.broken {
            return format!("nothing allowed: {reason}");
        }
        let join =
            |prefixes: &[IpNet]| prefixes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mut text = if self.allow == Self::default().allow {
            "all unicast addresses".to_owned()
        } else if self.allow.is_empty() {
            "nothing".to_owned()
        } else {
            join(&self.allow)
        };
        if !self.deny.is_empty() {
            text.push_str(&format!(" except {}", join(&self.deny)));
        }
        if !self.content_allow.is_empty() {
            text.push_str(&format!(", content also from {}", join(&self.content_allow)));
        }
        if let Some(rate) = self.packets_per_second {
            text.push_str(&format!(", at most {rate} packets a second"));
        }
        text
    }
}

/// What an address is that is closed to content. An IPv6 address that stands for an IPv4 one is what that is.
fn closed(address: IpAddr) -> Option<&'static str> {
    let block = CLOSED.iter().find(|(block, _)| {
        let block: Result<IpNet, _> = block.parse();
        block.is_ok_and(|block| block.contains(&address))
    });
    block.map(|(_, what)| *what).or_else(|| closed(translated(address)?))
}

/// The IPv4 address that a translator (RFC 6052) or a 6to4 relay (RFC 3056) would send to in place of this one.
fn translated(address: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(v6) = address else { return None };
    let octets = v6.octets();
    let inner: [u8; 4] = match v6.segments() {
        [0x64, 0xff9b, ..] => *octets.last_chunk()?,
        [0x2002, ..] => *octets.get(2..)?.first_chunk()?,
        _ => return None,
    };
    Some(inner.into())
}

/// Whether a connection to this address and port ends at a listener of this process.
fn leads_to(port: u16, address: IpAddr, listener: SocketAddr) -> bool {
    let everywhere = listener.ip().to_canonical().is_unspecified();
    // Only what belongs to this machine can be bound.
    let ours = || UdpSocket::bind((address, 0)).is_ok();
    port == listener.port() && (listener.ip().to_canonical() == address || (everywhere && ours()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Policy {
        Policy::from_text(toml::from_str(text).map_err(|e: toml::de::Error| e.message().to_owned()))
    }

    fn allows(policy: &Policy, address: &str) -> bool {
        policy.check(address.parse().unwrap()).is_ok()
    }

    #[test]
    fn without_a_file_all_unicast_is_allowed() {
        let policy = Policy::default();
        for address in ["127.0.0.1", "192.0.2.1", "10.0.0.1", "::1", "fe80::1", "2001:db8::1"] {
            assert!(allows(&policy, address), "{address}");
        }
        for address in ["0.0.0.0", "255.255.255.255", "224.0.0.1", "ff02::1", "::", "::ffff:224.0.0.1"] {
            assert!(!allows(&policy, address), "{address}");
        }
        assert_eq!(policy.describe(), "all unicast addresses");
    }

    #[test]
    fn deny_wins_over_allow() {
        let policy = policy("allow = ['10.0.0.0/8']\ndeny = ['10.9.0.0/16']\npackets_per_second = 100");
        assert!(allows(&policy, "10.1.2.3"));
        assert!(!allows(&policy, "10.9.2.3"));
        assert!(!allows(&policy, "192.0.2.1"));
        assert!(!allows(&policy, "::ffff:10.9.0.1"), "a mapped address is the address it maps");
        assert_eq!(policy.describe(), "10.0.0.0/8 except 10.9.0.0/16, at most 100 packets a second");
    }

    fn content(policy: &Policy, place: &str) -> Result<(), String> {
        let listeners = ["0.0.0.0:6543".parse().unwrap(), "192.0.2.7:443".parse().unwrap()];
        policy.check_content(place.parse().unwrap(), &listeners).map_err(|error| error.to_string())
    }

    #[test]
    fn content_is_not_fetched_from_what_trusts_this_machine() {
        let policy = Policy::default();
        for place in ["192.0.2.1:80", "10.0.0.1:80", "[2001:db8::1]:443", "[fd00::1]:80", "192.0.2.7:80"] {
            assert_eq!(content(&policy, place), Ok(()), "{place}");
        }
        for (place, why) in [
            ("127.0.0.1:80", "a loopback address"),
            ("[::1]:80", "a loopback address"),
            ("[::ffff:127.0.0.1]:80", "a loopback address"),
            ("169.254.169.254:80", "a link-local address"),
            ("[fe80::1]:80", "a link-local address"),
            ("[fd00:ec2::254]:80", "metadata service"),
            ("100.100.100.200:80", "metadata service"),
            ("168.63.129.16:80", "metadata service"),
            ("[64:ff9b::a9fe:a9fe]:80", "a link-local address"),
            ("[64:ff9b::7f00:1]:80", "a loopback address"),
            ("[2002:7f00:1::1]:80", "a loopback address"),
            ("192.0.2.7:443", "where this server itself listens"),
            ("224.0.0.1:80", "only unicast"),
        ] {
            let error = content(&policy, place).unwrap_err();
            assert!(error.contains(why), "{place}: {error}");
        }
    }

    #[test]
    fn a_listener_on_all_addresses_is_on_those_of_this_machine() {
        let listener = "0.0.0.0:6543".parse().unwrap();
        assert!(leads_to(6543, "127.0.0.1".parse().unwrap(), listener));
        assert!(!leads_to(6544, "127.0.0.1".parse().unwrap(), listener));
        assert!(!leads_to(6543, "192.0.2.1".parse().unwrap(), listener), "somebody else's");
    }

    #[test]
    fn what_is_closed_to_content_is_opened_by_its_own_key() {
        let opened = policy("deny = ['127.0.0.9/32']\ncontent_allow = ['127.0.0.0/8', '192.0.2.7/32']");
        assert_eq!(content(&opened, "127.0.0.1:80"), Ok(()));
        assert_eq!(content(&opened, "192.0.2.7:443"), Ok(()));
        assert!(content(&opened, "127.0.0.9:80").is_err(), "deny wins");
        assert!(content(&opened, "[::1]:80").is_err(), "nobody opened it");
        assert!(opened.describe().ends_with("content also from 127.0.0.0/8, 192.0.2.7/32"));
        let narrow = policy("allow = ['10.0.0.0/8']\ncontent_allow = ['127.0.0.0/8']");
        assert!(content(&narrow, "127.0.0.1:80").is_err(), "it must be allowed as well");
        assert_eq!(content(&Policy::of_its_user(), "[::1]:80"), Ok(()));
    }

    #[test]
    fn what_is_not_understood_allows_nothing() {
        for text in [
            "allow = ['10.0.0.0/8']\nalow = []",
            "allow = 'x'",
            "allow = ['10.0.0.0/40']",
            "packets_per_second = 0",
            "content_allow = ['loopback']",
            "[",
        ] {
            let policy = policy(text);
            assert!(!allows(&policy, "10.1.2.3"), "{text}");
            assert!(policy.broken_reason().is_some(), "{text}");
            assert!(policy.describe().starts_with("nothing allowed: "), "{text}");
        }
        let missing = Policy::from_file(Path::new("/nowhere/policy.toml"));
        assert!(!allows(&missing, "10.1.2.3"));
        assert!(missing.describe().contains("/nowhere/policy.toml"));
    }
}

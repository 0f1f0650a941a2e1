//! What a worker may touch. Its own file decides; the server cannot overrule it.
//!
//! Without a file every unicast address is allowed, private and loopback included. A file that
//! cannot be read or understood, or that has a key this version does not know, allows nothing: a
//! rule that was meant must never be lost by a slip.

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use netwark_probe::runner::unicast;
use serde::Deserialize;

/// What a worker may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    allow: Vec<IpNet>,
    deny: Vec<IpNet>,
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
    /// Most packets a second over all work.
    packets_per_second: Option<u32>,
}

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
        Self { allow: everything.collect(), deny: Vec::new(), packets_per_second: None, broken: None }
    }
}

impl Policy {
    /// The list in a TOML file with the keys `allow`, `deny` and `packets_per_second`. What cannot
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
                packets_per_second: file.packets_per_second,
                broken: None,
            },
            Err(reason) => Self::broken(reason),
        }
    }

    fn broken(reason: String) -> Self {
        Self { allow: Vec::new(), deny: Vec::new(), packets_per_second: None, broken: Some(reason) }
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
        if let Some(rate) = self.packets_per_second {
            text.push_str(&format!(", at most {rate} packets a second"));
        }
        text
    }
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

    #[test]
    fn what_is_not_understood_allows_nothing() {
        for text in [
            "allow = ['10.0.0.0/8']\nalow = []",
            "allow = 'x'",
            "allow = ['10.0.0.0/40']",
            "packets_per_second = 0",
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

//! A host with a port behind it.

use std::fmt;
use std::net::IpAddr;

use super::check;
use crate::error::FieldError;

/// An address or a name, perhaps with a port: `example.org:443`, `[2001:db8::1]:443`, `192.0.2.1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// Address or name, without brackets.
    pub host: String,
    /// The port behind it, from 1.
    pub port: Option<u16>,
}

impl HostPort {
    /// Reads a target. An IPv6 address with a port stands in brackets.
    ///
    /// # Errors
    /// Says what is wrong with it, for the field `target`.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let wrong = |description: &str| Err(FieldError::body("target", description));
        let text = text.trim();
        if text.contains("://") {
            return wrong("must be a host and a port, such as example.org:443, not a URL");
        }
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => match rest.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if rest.is_empty() => (host, None),
                None => return wrong("has something other than a colon and a port behind its brackets"),
            },
            None if text.parse::<IpAddr>().is_ok() => (text, None),
            None => match text.split_once(':') {
                None => (text, None),
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                Some(_) => {
                    return wrong(
                        "is no address; an IPv6 address with a port stands in brackets, as in [2001:db8::1]:443",
                    );
                }
            },
        };
        let port = match port.map(str::parse::<u16>) {
            None => None,
            Some(Ok(port)) if port > 0 => Some(port),
            Some(_) => return wrong("has something other than a port from 1 to 65535 behind its colon"),
        };
        Ok(Self { host: check(host)?, port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) if self.host.contains(':') => write!(f, "[{}]:{port}", self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::TargetKind;

    #[test]
    fn a_port_stands_behind_a_colon() {
        for (given, kept) in [
            ("example.org:443", "example.org:443"),
            ("example.org", "example.org"),
            (" 192.0.2.1:22 ", "192.0.2.1:22"),
            ("[2001:DB8::1]:443", "[2001:db8::1]:443"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("example.org.:443", "example.org:443"),
        ] {
            assert_eq!(TargetKind::HostPort.check(given).as_deref(), Ok(kept), "{given}");
        }
    }

    #[test]
    fn what_is_no_port_is_refused_with_a_reason() {
        for (given, why) in [
            ("example.org:", "from 1 to 65535"),
            ("example.org:0", "from 1 to 65535"),
            ("example.org:65536", "from 1 to 65535"),
            ("example.org:https", "from 1 to 65535"),
            ("2001:db8::1:x", "in brackets"),
            ("[2001:db8::1]443", "behind its brackets"),
            ("https://example.org", "not a URL"),
            ("example.org:443/x", "from 1 to 65535"),
            (":443", "must not be empty"),
            ("a b:443", "blanks"),
        ] {
            let error = HostPort::parse(given).unwrap_err();
            assert!(error.description.contains(why), "{given}: {error}");
        }
    }
}

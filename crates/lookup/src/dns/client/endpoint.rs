//! Which server is meant, and how it is to be asked.

use std::net::{IpAddr, SocketAddr};

use netwark_model::tools::dns::Transport;
use reqwest::Url;

use super::transport::Carrier;

/// A server as somebody has written it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Address or name.
    pub host: String,
    /// The port, if it is given.
    pub port: Option<u16>,
    /// How it is asked, if that is given.
    pub carrier: Option<Carrier>,
    /// The path of its URL.
    pub path: String,
}

/// A place to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where.
    pub address: SocketAddr,
    /// How.
    pub carrier: Carrier,
    /// The name its certificate must have: that which was given, or else its address.
    pub host: String,
    /// The path of its URL, for DNS over HTTPS.
    pub path: String,
}

impl Endpoint {
    /// A server asked by UDP, and by TCP when an answer is cut.
    pub fn plain(address: SocketAddr) -> Self {
        Self { address, carrier: Carrier::Udp, host: address.ip().to_string(), path: String::new() }
    }
}

impl Named {
    /// Reads `9.9.9.9`, `[2620:fe::fe]:5353`, `dns.example:853`, `tls://dns.example`,
    /// `https://dns.example/dns-query`, also `udp://` and `tcp://`.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "must be an address or a name, with a port if it is unusual, tls://NAME or https://NAME/dns-query, got {text:?}"
            )
        };
        let text = text.trim();
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err("must not hold blanks or control characters".into());
        }
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self { host: address.to_string(), port: None, carrier: None, path: String::new() });
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let carrier = match scheme {
                "udp" => Carrier::Udp,
                "tcp" => Carrier::Tcp,
                "tls" => Carrier::Tls,
                "https" => return Self::of_url(text).ok_or_else(wrong),
                _ => return Err(wrong()),
            };
            let named = Self::parse(rest.trim_end_matches('/')).map_err(|_| wrong())?;
            return match named.carrier {
                None => Ok(Self { carrier: Some(carrier), ..named }),
                Some(_) => Err(wrong()),
            };
        }
        if let Ok(place) = text.parse::<SocketAddr>() {
            let (host, port) = (place.ip().to_string(), Some(place.port()));
            return Ok(Self { host, port, carrier: None, path: String::new() });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let host = netwark_model::target::check(host).map_err(|_| wrong())?;
        Ok(Self { host, port, carrier: None, path: String::new() })
    }

    fn of_url(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return None;
        }
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        let path = match url.path() {
            "/" | "" => "/dns-query".into(),
            path => path.to_owned(),
        };
        Some(Self { host, port: url.port(), carrier: Some(Carrier::Https), path })
    }

    /// How it is asked, as the server and the option together say.
    ///
    /// # Errors
    /// When they contradict each other.
    pub fn carrier(&self, wanted: Transport) -> Result<Carrier, String> {
        let wanted = match wanted {
            Transport::Auto => return Ok(self.carrier.unwrap_or(Carrier::Udp)),
            Transport::Udp => Carrier::Udp,
            Transport::Tcp => Carrier::Tcp,
            Transport::Tls => Carrier::Tls,
            Transport::Https => Carrier::Https,
        };
        match self.carrier {
            Some(own) if own != wanted => {
                Err(format!("says {}, but the server's URL says {}", wanted.as_str(), own.as_str()))
            }
            _ => Ok(wanted),
        }
    }

    /// The place to ask at an address that the host has.
    pub fn at(&self, address: IpAddr, carrier: Carrier) -> Endpoint {
        let port = self.port.unwrap_or(carrier.port());
        let path = if self.path.is_empty() { "/dns-query".into() } else { self.path.clone() };
        Endpoint { address: SocketAddr::new(address, port), carrier, host: self.host.clone(), path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_as_people_write_them() {
        for (text, host, port, carrier, path) in [
            ("9.9.9.9", "9.9.9.9", None, None, ""),
            ("9.9.9.9:5353", "9.9.9.9", Some(5353), None, ""),
            ("2620:fe::fe", "2620:fe::fe", None, None, ""),
            ("[2620:fe::fe]:5353", "2620:fe::fe", Some(5353), None, ""),
            ("[2620:fe::fe]", "2620:fe::fe", None, None, ""),
            ("dns.example", "dns.example", None, None, ""),
            ("dns.example:853", "dns.example", Some(853), None, ""),
            ("tls://dns.example", "dns.example", None, Some(Carrier::Tls), ""),
            ("tls://[::1]:8853", "::1", Some(8853), Some(Carrier::Tls), ""),
            ("tcp://192.0.2.1", "192.0.2.1", None, Some(Carrier::Tcp), ""),
            ("https://dns.example", "dns.example", None, Some(Carrier::Https), "/dns-query"),
            ("https://[::1]:8443/q", "::1", Some(8443), Some(Carrier::Https), "/q"),
        ] {
            let expected = Named { host: host.into(), port, carrier, path: path.into() };
            assert_eq!(Named::parse(text), Ok(expected), "{text}");
        }
        for wrong in [
            "",
            "a b",
            "http://dns.example",
            "tls://https://x",
            "dns.example:",
            "dns.example:99999",
            "a..b",
            "https://me:secret@dns.example/",
            "https://dns.example/?dns=x",
            "192.0.2.1/24",
            "https://",
        ] {
            assert!(Named::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_option_must_not_contradict_the_url() {
        let plain = Named::parse("9.9.9.9").unwrap();
        assert_eq!(plain.carrier(Transport::Auto), Ok(Carrier::Udp));
        assert_eq!(plain.at("9.9.9.9".parse().unwrap(), Carrier::Tls).address.port(), 853);
        let url = Named::parse("https://dns.example/q").unwrap();
        assert_eq!(url.carrier(Transport::Auto), Ok(Carrier::Https));
        assert!(url.carrier(Transport::Tls).unwrap_err().contains("says tls, but"));
    }
}

//! Under which names this server may be asked, and who stands in front of it.
//!
//! A page from elsewhere can make a browser send it requests (DNS rebinding, cross-site requests).
//! So a `Host` must be one of ours: a name of loopback, a literal address we listen on, or one of
//! `server.public_urls`; and the `Origin` of what changes something must be the same.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::uri::Authority;
use ipnet::IpNet;

/// Where the server stands.
#[derive(Clone, Debug, Default)]
pub struct SiteSettings {
    /// The addresses it listens on.
    pub listen: Vec<SocketAddr>,
    /// `server.public_urls`: the addresses people type, such as `https://netwark.example`.
    pub public_urls: Vec<String>,
    /// `server.trusted_proxies`: who may say in `X-Forwarded-For` for whom it asks.
    pub trusted_proxies: Vec<IpNet>,
}

/// The same, understood.
#[derive(Clone, Debug)]
pub struct Site {
    listen: Vec<IpAddr>,
    public: Vec<Base>,
    proxies: Vec<IpNet>,
}

/// Scheme, host and port of a URL; the host in lower case, IPv6 in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Base {
    https: bool,
    host: String,
    port: u16,
}

/// Under which name a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Door {
    /// The connection is encrypted, as far as the public URLs tell.
    pub(crate) https: bool,
    /// The name is one of loopback, so nobody on a network can listen.
    pub(crate) loopback: bool,
}

impl Site {
    /// Understands the settings.
    ///
    /// # Errors
    /// Everything that is wrong with them, a sentence each.
    pub fn new(settings: &SiteSettings) -> Result<Self, Vec<String>> {
        let (mut public, mut mistakes) = (Vec::new(), Vec::new());
        for url in &settings.public_urls {
            match public_url(url) {
                Some(base) => public.push(base),
                None => mistakes.push(format!(
                    "server.public_urls: '{url}' is not understood; write it like https://netwark.example, without a path"
                )),
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let listen = settings.listen.iter().map(|address| address.ip().to_canonical()).collect();
        Ok(Self { listen, public, proxies: settings.trusted_proxies.clone() })
    }

    /// Looks at the name a request was sent to; none when it is not ours.
    pub(crate) fn door(&self, authority: &Authority) -> Option<Door> {
        // What stands before an @ is for the eye of a person, never sent by a browser.
        if authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host().to_ascii_lowercase();
        let loopback = is_loopback(&host);
        let known = self.public.iter().filter(|base| base.host == host);
        let port = |base: &Base| authority.port_u16().unwrap_or(default_port(base.https)) == base.port;
        if let Some(base) = known.clone().find(|base| port(base)).or_else(|| known.clone().next()) {
            return Some(Door { https: base.https && port(base), loopback });
        }
        let listened = literal(&host).is_some_and(|address| {
            // Nobody can point a literal address elsewhere, so on all addresses each is right.
            self.listen.iter().any(|listen| listen.is_unspecified() || *listen == address)
        });
        (loopback || listened).then_some(Door { https: false, loopback })
    }

    /// True when a page of this origin may change something on the host it sent the request to.
    pub(crate) fn is_own_origin(&self, origin: &str, host: &Authority) -> bool {
        let Some(origin) = base(origin) else { return false };
        let same_host = host.host().eq_ignore_ascii_case(&origin.host)
            && host.port_u16().unwrap_or(default_port(origin.https)) == origin.port;
        same_host || self.public.contains(&origin)
    }

    /// The address a request came from: the peer, or behind trusted proxies whom they name.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let named: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .into_iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        // Each proxy adds at the end whom it heard; what stands before the first stranger is his word.
        for name in named.into_iter().rev() {
            if !self.proxies.iter().any(|proxy| proxy.contains(&client)) {
                break;
            }
            let Ok(address) = name.trim().parse::<IpAddr>() else { break };
            client = address.to_canonical();
        }
        client
    }
}

fn public_url(url: &str) -> Option<Base> {
    base(url.strip_suffix('/').unwrap_or(url))
}

/// Scheme, host and port of an origin: no path, no user.
fn base(url: &str) -> Option<Base> {
    let (scheme, authority) = url.split_once("://")?;
    let https = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    if authority.is_empty() || authority.contains('@') {
        return None;
    }
    let authority: Authority = authority.parse().ok()?;
    let host = authority.host();
    let port = match authority.as_str().strip_prefix(host)? {
        "" => default_port(https),
        port => port.strip_prefix(':')?.parse().ok()?,
    };
    (!host.is_empty()).then(|| Base { https, host: host.to_ascii_lowercase(), port })
}

fn default_port(https: bool) -> u16 {
    if https { 443 } else { 80 }
}

fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || literal(host).is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn site(listen: &str, public: &[&str]) -> Site {
        Site::new(&SiteSettings {
            listen: vec![listen.parse().unwrap()],
            public_urls: public.iter().map(|url| (*url).to_owned()).collect(),
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        })
        .unwrap()
    }

    fn door(site: &Site, host: &str) -> Option<Door> {
        site.door(&host.parse().unwrap())
    }

    #[test]
    fn only_our_names_are_answered() {
        let local = site("127.0.0.1:6543", &[]);
        let inside = Some(Door { https: false, loopback: true });
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:6543", "127.9.9.9", "[::1]:6543"] {
            assert_eq!(door(&local, host), inside, "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example", "192.0.2.1", "localhost@evil.example", "10.0.0.1"]
        {
            assert_eq!(door(&local, host), None, "{host}");
        }
        let outside = Some(Door { https: false, loopback: false });
        assert_eq!(door(&site("192.0.2.1:80", &[]), "192.0.2.1"), outside);
        assert_eq!(door(&site("192.0.2.1:80", &[]), "192.0.2.2"), None);
        assert_eq!(door(&site("[::]:80", &[]), "[2001:db8::1]:80"), outside);
        assert_eq!(door(&site("[::]:80", &[]), "evil.example"), None);
    }

    #[test]
    fn public_urls_tell_the_scheme() {
        let site = site("127.0.0.1:6543", &["https://Netwark.example/", "http://lan.example:8080"]);
        assert_eq!(door(&site, "netwark.EXAMPLE"), Some(Door { https: true, loopback: false }));
        assert_eq!(door(&site, "netwark.example:443"), Some(Door { https: true, loopback: false }));
        assert_eq!(door(&site, "netwark.example:6543"), Some(Door { https: false, loopback: false }));
        assert_eq!(door(&site, "lan.example:8080"), Some(Door { https: false, loopback: false }));
    }

    #[test]
    fn bad_public_urls_are_all_named() {
        let bad =
            ["netwark.example", "ftp://x", "https://x/path", "https://u@x", "https://", "https://x:99999"];
        let settings = SiteSettings {
            public_urls: bad.iter().map(|url| (*url).to_owned()).collect(),
            ..SiteSettings::default()
        };
        let mistakes = Site::new(&settings).unwrap_err();
        assert_eq!(mistakes.len(), bad.len(), "{mistakes:?}");
    }

    #[test]
    fn origins_are_the_host_itself_or_public() {
        let site = site("127.0.0.1:6543", &["https://netwark.example"]);
        let own = |origin: &str, host: &str| site.is_own_origin(origin, &host.parse().unwrap());
        assert!(own("http://127.0.0.1:6543", "127.0.0.1:6543"));
        assert!(own("http://localhost", "LOCALHOST"));
        assert!(own("https://netwark.example", "netwark.example"));
        assert!(own("https://netwark.example", "127.0.0.1:6543"));
        for origin in [
            "http://127.0.0.1:8000",
            "http://localhost:6543",
            "http://netwark.example",
            "https://evil.example",
            "null",
            "",
            "https://netwark.example.evil.example",
            "https://netwark.example@evil.example",
        ] {
            assert!(!own(origin, "127.0.0.1:6543"), "{origin}");
        }
    }

    #[test]
    fn only_trusted_proxies_speak_for_others() {
        let site = site("127.0.0.1:6543", &[]);
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", HeaderValue::from_static("198.51.100.1, 203.0.113.9"));
        headers.append("x-forwarded-for", HeaderValue::from_static("10.1.1.1"));
        let client = |peer: &str| site.client(peer.parse().unwrap(), &headers).to_string();
        assert_eq!(client("10.2.2.2"), "203.0.113.9");
        assert_eq!(client("192.0.2.1"), "192.0.2.1");
        assert_eq!(client("::ffff:10.2.2.2"), "203.0.113.9");
        headers.insert("x-forwarded-for", HeaderValue::from_static("nonsense"));
        assert_eq!(site.client("10.2.2.2".parse().unwrap(), &headers).to_string(), "10.2.2.2");
    }
}

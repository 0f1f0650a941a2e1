//! Under which names this server may be asked, and who stands in front of it.
//!
//! A page from elsewhere can make a browser send it requests (DNS rebinding, cross-site requests).
//! So a `Host` must be one of ours: a name of loopback, a literal address we listen on, or one of
//! `server.public_urls`; and the `Origin` of what changes something must be the same.
//!
//! A public URL may have a path. A proxy passes it on or takes it away; both are understood.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::uri::Authority;
use ipnet::IpNet;

use crate::listen::Peer;

/// Where the server stands.
#[derive(Clone, Debug, Default)]
pub struct SiteSettings {
    /// The TCP addresses it listens on.
    pub listen: Vec<SocketAddr>,
    /// `server.public_urls`: the addresses people type, such as `https://netwark.example` or
    /// `https://example.org/netwark`.
    pub public_urls: Vec<String>,
    /// `server.trusted_proxies`: who may say in `X-Forwarded-For` for whom it asks, and in
    /// `X-Forwarded-Proto` how.
    pub trusted_proxies: Vec<Proxy>,
}

/// Who stands in front of the server and is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// Whoever asks from these addresses.
    Net(IpNet),
    /// Whoever asks through a Unix socket.
    Unix,
}

/// The same, understood.
#[derive(Clone, Debug)]
pub struct Site {
    listen: Vec<IpAddr>,
    public: Vec<Base>,
    proxies: Vec<Proxy>,
    /// The path of a server that is reached at the root.
    root: Arc<str>,
}

/// Scheme, host, port and path of a URL; the host in lower case, IPv6 in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Base {
    https: bool,
    host: String,
    port: u16,
    /// Empty, or with a slash at its beginning and none at its end.
    path: Arc<str>,
}

impl std::fmt::Display for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { https, host, port, path } = self;
        write!(f, "{}://{host}", if *https { "https" } else { "http" })?;
        if *port != default_port(*https) {
            write!(f, ":{port}")?;
        }
        f.write_str(path)
    }
}

impl Base {
    /// True when it is reached under this name; a port that is not named is the scheme's own.
    fn is_named(&self, authority: &Authority) -> bool {
        let port = authority.port_u16().unwrap_or(default_port(self.https));
        authority.host().eq_ignore_ascii_case(&self.host) && port == self.port
    }
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
                Ok(base) => public.push(base),
                Err(why) => mistakes.push(format!("server.public_urls: '{url}' {why}")),
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let listen = settings.listen.iter().map(|address| address.ip().to_canonical()).collect();
        Ok(Self { listen, public, proxies: settings.trusted_proxies.clone(), root: "".into() })
    }

    /// The paths it is served under, each once: `` or such as `/netwark`.
    pub(crate) fn bases(&self) -> Vec<Arc<str>> {
        let mut bases: Vec<Arc<str>> = vec!["".into()];
        for base in &self.public {
            if !bases.contains(&base.path) {
                bases.push(Arc::clone(&base.path));
            }
        }
        bases
    }

    /// Under which path a request came, and what it asks for below that: a proxy may have passed the
    /// path on or taken it away.
    pub(crate) fn below<'a>(
        &self,
        host: impl FnOnce() -> Option<Authority>,
        path: &'a str,
    ) -> (Arc<str>, &'a str) {
        if self.public.iter().all(|base| base.path.is_empty()) {
            return (Arc::clone(&self.root), path);
        }
        // Of two paths that fit, the longer one is meant.
        let passed_on = self.public.iter().filter(|base| !base.path.is_empty()).filter_map(|base| {
            let rest = path.strip_prefix(&*base.path)?;
            (rest.is_empty() || rest.starts_with('/')).then_some((base, rest))
        });
        if let Some((base, rest)) = passed_on.max_by_key(|(base, _)| base.path.len()) {
            return (Arc::clone(&base.path), if rest.is_empty() { "/" } else { rest });
        }
        let host = host();
        let named =
            || self.public.iter().filter(|base| host.as_ref().is_some_and(|host| base.is_named(host)));
        let base = named().find(|base| base.path.is_empty()).or_else(|| named().next());
        (Arc::clone(base.map_or(&self.root, |base| &base.path)), path)
    }

    /// The first of the public URLs.
    pub(crate) fn public_url(&self) -> Option<String> {
        self.public.first().map(ToString::to_string)
    }

    /// Where others find the server: the public URL of the name a request was sent to, else the first
    /// there is, else that name itself.
    pub(crate) fn url(&self, host: Option<&Authority>, https: bool) -> String {
        let named = self.public.iter().find(|base| host.is_some_and(|host| base.is_named(host)));
        if let Some(base) = named.or(self.public.first()) {
            return base.to_string();
        }
        let (name, port) = host.map_or(("127.0.0.1", None), |host| (host.host(), host.port_u16()));
        let port = port.unwrap_or(default_port(https));
        Base { https, host: name.to_ascii_lowercase(), port, path: "".into() }.to_string()
    }

    /// Looks at the name a request was sent to; none when it is not ours.
    pub(crate) fn door(&self, authority: &Authority) -> Option<Door> {
        // What stands before an @ is for the eye of a person, never sent by a browser.
        if authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host().to_ascii_lowercase();
        let loopback = is_loopback(&host);
        let mut known = self.public.iter().filter(|base| base.host == host).peekable();
        if known.peek().is_some() {
            let https = known.any(|base| base.https && base.is_named(authority));
            return Some(Door { https, loopback });
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
        let public =
            |base: &Base| (base.https, &base.host, base.port) == (origin.https, &origin.host, origin.port);
        origin.is_named(host) || self.public.iter().any(public)
    }

    /// The address a request came from: the peer, or behind trusted proxies whom they name. Unspecified
    /// when it came through a Unix socket and nobody who is believed names one.
    pub(crate) fn client(&self, peer: Peer, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.ip();
        let named: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .into_iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        // Each proxy adds at the end whom it heard; what stands before the first stranger is his word.
        for name in named.into_iter().rev() {
            if !self.trusts(client) {
                break;
            }
            let Ok(address) = name.trim().parse::<IpAddr>() else { break };
            client = Some(address.to_canonical());
        }
        client.unwrap_or(Ipv4Addr::UNSPECIFIED.into())
    }

    /// True when the client speaks HTTPS: to us, or to a proxy that is believed and says so.
    pub(crate) fn is_encrypted(&self, peer: Peer, headers: &HeaderMap) -> bool {
        // A proxy that stands behind another keeps what that one said and adds its own.
        let said = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
        let first = said.and_then(|said| said.split(',').next()).unwrap_or_default().trim();
        peer.tls || (self.trusts(peer.ip()) && first.eq_ignore_ascii_case("https"))
    }

    /// True when this address, or the Unix socket, is that of a proxy that is believed.
    fn trusts(&self, address: Option<IpAddr>) -> bool {
        self.proxies.iter().any(|proxy| match (proxy, address) {
            (Proxy::Net(net), Some(address)) => net.contains(&address),
            (Proxy::Unix, None) => true,
            _ => false,
        })
    }
}

/// Checks one of `server.public_urls`.
///
/// # Errors
/// Says what is wrong with it, behind its name.
pub fn check_public_url(url: &str) -> Result<(), String> {
    public_url(url).map(|_| ())
}

fn public_url(url: &str) -> Result<Base, String> {
    let trimmed = url.trim_end_matches('/');
    let begin = trimmed.find("://").map_or(0, |at| at + 3);
    let (origin, path) = trimmed.split_at(trimmed[begin..].find('/').map_or(trimmed.len(), |at| begin + at));
    let base = base(origin).ok_or("is not understood; write it like https://netwark.example")?;
    let is_plain = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    let mut segments = path.split('/').skip(1);
    if !segments.clone().all(is_plain) {
        return Err("has a path with other characters than letters, digits and - . _ ~".into());
    }
    // What a proxy passes on could then not be told from what it has taken the path from.
    if let Some(taken @ ("api" | "_app" | "healthz" | "readyz" | "metrics")) = segments.next() {
        return Err(format!("has a path that begins with '{taken}', which is one of the server's own"));
    }
    Ok(Base { path: path.into(), ..base })
}

/// Scheme, host and port of an origin: no path, no user.
fn base(url: &str) -> Option<Base> {
    let (scheme, authority) = url.split_once("://")?;
    let https = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    if authority.is_empty() || authority.contains(['@', '/', '?', '#']) {
        return None;
    }
    let authority: Authority = authority.parse().ok()?;
    let host = authority.host();
    let port = match authority.as_str().strip_prefix(host)? {
        "" => default_port(https),
        port => port.strip_prefix(':')?.parse().ok()?,
    };
    (!host.is_empty()).then(|| Base { https, host: host.to_ascii_lowercase(), port, path: "".into() })
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
            trusted_proxies: vec![Proxy::Net("10.0.0.0/8".parse().unwrap())],
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
    fn others_are_told_a_url_that_they_can_use() {
        let url = |site: &Site, host: &str, https| site.url(Some(&host.parse().unwrap()), https);
        let local = site("127.0.0.1:6543", &[]);
        assert_eq!(url(&local, "192.0.2.1:6543", false), "http://192.0.2.1:6543");
        assert_eq!(url(&local, "[::1]", true), "https://[::1]");
        let public = site("127.0.0.1:6543", &["https://netwark.example/sub/", "http://lan.example:8080"]);
        assert_eq!(url(&public, "localhost:6543", false), "https://netwark.example/sub");
        assert_eq!(url(&public, "LAN.example:8080", false), "http://lan.example:8080");
        assert_eq!(public.url(None, false), "https://netwark.example/sub");
    }

    #[test]
    fn bad_public_urls_are_all_named() {
        let bad = [
            "netwark.example",
            "ftp://x",
            "https://x/a b",
            "https://x/../y",
            "https://x//y",
            "https://x/api/v1",
            "https://x?y",
            "https://u@x",
            "https://",
            "https://x:99999",
        ];
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
            "https://netwark.example/",
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
        let from = |peer: &str| Peer::from(SocketAddr::new(peer.parse().unwrap(), 40_000));
        let client = |peer: &str| site.client(from(peer), &headers).to_string();
        assert_eq!(client("10.2.2.2"), "203.0.113.9");
        assert_eq!(client("192.0.2.1"), "192.0.2.1");
        assert_eq!(client("::ffff:10.2.2.2"), "203.0.113.9");
        headers.insert("x-forwarded-for", HeaderValue::from_static("nonsense"));
        assert_eq!(site.client(from("10.2.2.2"), &headers).to_string(), "10.2.2.2");

        headers.insert("x-forwarded-proto", HeaderValue::from_static("HTTPS, http"));
        assert!(site.is_encrypted(from("10.2.2.2"), &headers));
        assert!(!site.is_encrypted(from("192.0.2.1"), &headers));
        assert!(site.is_encrypted(Peer { tls: true, ..from("192.0.2.1") }, &HeaderMap::new()));
    }

    #[test]
    fn a_unix_socket_is_believed_only_when_it_is_configured() {
        let socket = Peer { address: None, tls: false };
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("203.0.113.9"));
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        let strict = site("127.0.0.1:6543", &[]);
        assert_eq!(strict.client(socket, &headers).to_string(), "0.0.0.0");
        assert!(!strict.is_encrypted(socket, &headers));
        let settings = SiteSettings { trusted_proxies: vec![Proxy::Unix], ..SiteSettings::default() };
        let trusting = Site::new(&settings).unwrap();
        assert_eq!(trusting.client(socket, &headers).to_string(), "203.0.113.9");
        assert!(trusting.is_encrypted(socket, &headers));
    }

    #[test]
    fn a_path_is_understood_whether_a_proxy_passes_it_on_or_not() {
        let site = site(
            "127.0.0.1:6543",
            &["https://example.org/netwark/", "https://example.org/netwark/lab", "https://plain.example"],
        );
        let below = |host: &str, path: &str| {
            let (base, rest) = site.below(|| host.parse().ok(), path);
            (base.to_string(), rest.to_owned())
        };
        let is = |base: &str, rest: &str| (base.to_owned(), rest.to_owned());
        assert_eq!(below("example.org", "/netwark/api/v1/tools"), is("/netwark", "/api/v1/tools"));
        assert_eq!(below("example.org", "/netwark"), is("/netwark", "/"));
        assert_eq!(below("example.org", "/netwark/lab/x"), is("/netwark/lab", "/x"));
        assert_eq!(below("example.org", "/netwarks"), is("/netwark", "/netwarks"));
        assert_eq!(below("example.org:443", "/operations"), is("/netwark", "/operations"));
        assert_eq!(below("plain.example", "/operations"), is("", "/operations"));
        assert_eq!(below("127.0.0.1:6543", "/operations"), is("", "/operations"));
        assert_eq!(below("127.0.0.1:6543", "/netwark/x"), is("/netwark", "/x"));
        assert_eq!(site.bases().len(), 3);
        assert_eq!(door(&site, "example.org"), Some(Door { https: true, loopback: false }));
    }
}

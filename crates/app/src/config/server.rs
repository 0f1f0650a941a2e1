//! `[server]`: where the server listens and what it calls itself.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;
use netwark_bus::websocket::Keepalive;
use netwark_server::auth::{Proxy, check_public_url};
use serde_json::Value;

use super::layers::{Key, Layers, Origin};
use super::setting::{Setting, quoted};

/// Where the server listens and what it calls itself.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where the page and the API are served, at least one.
    pub listen: Vec<Listen>,
    /// The certificate of the TCP ports; none for plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Addresses people reach it under, as `https://netwark.example.org` or `https://example.org/netwark`.
    pub public_urls: Vec<String>,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<Proxy>,
    /// The time zone that was given, an IANA name; [`Self::timezone`] is the one that holds.
    pub timezone: Option<String>,
    /// The file with the key that seals stored secrets.
    pub secret_key_file: Option<PathBuf>,
    /// How long requests under way are waited for when the server ends.
    pub shutdown_deadline: Duration,
    /// How often both ends of a worker's link say that they are there.
    pub link_keepalive: Keepalive,
}

/// A place to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A TCP port of an address.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Files of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate of the server, then those that lead from it to a root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Setting for Vec<Listen> {
    fn from_text(text: &str) -> Result<Self, String> {
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(place).collect()
    }

    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Self::from_text(text),
            other => Vec::<String>::from_value(other)?.iter().map(|item| place(item)).collect(),
        }
    }

    fn show(&self) -> String {
        match self.as_slice() {
            [one] => quoted(&one.to_string()),
            many => many.iter().map(ToString::to_string).collect::<Vec<_>>().show(),
        }
    }
}

fn place(text: &str) -> Result<Listen, String> {
    match text.strip_prefix("unix:") {
        Some(path) if path.starts_with('/') && !path.contains('\0') => Ok(Listen::Unix(path.into())),
        Some(_) => Err(format!("'{text}' names no absolute path")),
        None => SocketAddr::from_text(text).map(Listen::Tcp),
    }
}

/// `server.listen`.
pub const LISTEN: Key = Key {
    name: "server.listen",
    takes: "addresses with ports, such as 127.0.0.1:6543 or [::]:6543, and sockets such as unix:/run/netwark/http; one, or a list",
    default: "127.0.0.1:6543",
    about: "Where the page and the API are served. A socket's file can be used by its owner and its group.",
};
const TLS_CERTIFICATE: Key = Key {
    name: "server.tls_certificate",
    takes: "the path of a PEM file",
    default: "none: plain HTTP",
    about: "The certificate of the server, followed by those that lead from it to a root. With it, all TCP ports of `server.listen` speak HTTPS. Read again on SIGHUP.",
};
const TLS_KEY: Key = Key {
    name: "server.tls_key",
    takes: "the path of a PEM file",
    default: "none",
    about: "The private key of `server.tls_certificate`, without a passphrase. Read again on SIGHUP.",
};
const PUBLIC_URLS: Key = Key {
    name: "server.public_urls",
    takes: "a list of URLs, such as https://netwark.example.org or https://example.org/netwark",
    default: "[]",
    about: "Addresses people reach it under, with a path when a proxy serves it below one. Requests under other names than these, loopback and the addresses it listens on are refused.",
};
const TRUSTED_PROXIES: Key = Key {
    name: "server.trusted_proxies",
    takes: "a list of addresses or prefixes, such as 192.0.2.7 or 192.0.2.0/24, and the word unix for who asks through a Unix socket",
    default: "[]",
    about: "Proxies that are believed: `X-Forwarded-For` tells whose sign-in attempts are counted, `X-Forwarded-Proto` whether cookies are those of HTTPS.",
};
const TIMEZONE: Key = Key {
    name: "server.timezone",
    takes: "the name of a time zone, such as Europe/Paris or UTC",
    default: "that of the system",
    about: "Where days and weeks begin.",
};
const SECRET_KEY_FILE: Key = Key {
    name: "server.secret_key_file",
    takes: "the path of a file",
    default: "secret.key in the data directory",
    about: "The key that seals stored secrets, made at the first start. Servers that share a database share it.",
};
const SHUTDOWN_DEADLINE: Key = Key {
    name: "server.shutdown_deadline",
    takes: "a number of seconds from 1 to 3600",
    default: "10",
    about: "How long requests under way are waited for when the server is stopped; then they are cut.",
};
const LINK_KEEPALIVE: Key = Key {
    name: "server.link_keepalive",
    takes: "a number of seconds from 1 to 55",
    default: "20",
    about: "How often the server and a worker on a WebSocket say to each other that they are there. A link that is silent for twice as long and five seconds more is cut, and its worker is offline when it is not back within ten seconds. Workers hear of it when they connect.",
};

impl Server {
    /// Its keys.
    pub const KEYS: [&Key; 9] = [
        &LISTEN,
        &TLS_CERTIFICATE,
        &TLS_KEY,
        &PUBLIC_URLS,
        &TRUSTED_PROXIES,
        &TIMEZONE,
        &SECRET_KEY_FILE,
        &SHUTDOWN_DEADLINE,
        &LINK_KEEPALIVE,
    ];

    pub(super) fn read(layers: &mut Layers) -> Self {
        let default = vec![Listen::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 6543)))];
        let listen = layers.checked(&LISTEN, default, |places: &Vec<Listen>| match places.is_empty() {
            true => Err("it names no place".into()),
            false => Ok(()),
        });
        let certificate: Option<PathBuf> = layers.value(&TLS_CERTIFICATE, None);
        let key: Option<PathBuf> = layers.value(&TLS_KEY, None);
        let tls = match (certificate, key) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
            (None, None) => None,
            (given, _) => {
                let (missing, there) = match given {
                    Some(_) => (&TLS_KEY, &TLS_CERTIFICATE),
                    None => (&TLS_CERTIFICATE, &TLS_KEY),
                };
                layers.mistake(missing.name, Origin::Default, format!("is missing; {} needs it", there.name));
                None
            }
        };
        Self {
            listen,
            tls,
            public_urls: layers
                .checked(&PUBLIC_URLS, Vec::new(), |urls: &Vec<String>| {
                    urls.iter()
                        .try_for_each(|url| check_public_url(url).map_err(|why| format!("'{url}' {why}")))
                })
                .iter()
                .map(|url| url.trim_end_matches('/').to_owned())
                .collect(),
            trusted_proxies: layers
                .checked(&TRUSTED_PROXIES, Vec::new(), |nets: &Vec<String>| {
                    nets.iter()
                        .try_for_each(|net| proxy(net).map(|_| ()).ok_or(format!("'{net}' is no prefix")))
                })
                .iter()
                .filter_map(|net| proxy(net))
                .collect(),
            timezone: layers.checked(&TIMEZONE, None, |name: &Option<String>| match name {
                Some(name) => {
                    TimeZone::get(name).map(|_| ()).map_err(|_| format!("'{name}' is no known time zone"))
                }
                None => Ok(()),
            }),
            secret_key_file: layers.value(&SECRET_KEY_FILE, None),
            shutdown_deadline: Duration::from_secs(
                layers
                    .checked(&SHUTDOWN_DEADLINE, 10, |seconds: &u32| match seconds {
                        1..=3600 => Ok(()),
                        n => Err(format!("{n} is out of range")),
                    })
                    .into(),
            ),
            link_keepalive: keepalive(layers),
        }
    }

    /// The name of the time zone of days and weeks. That of the system is read here and not with the configuration:
    /// it takes milliseconds, and who measures reads the configuration, too.
    pub fn timezone(&self) -> String {
        let of_system = || Some(TimeZone::try_system().ok()?.iana_name()?.to_owned());
        self.timezone.clone().or_else(of_system).unwrap_or_else(|| "UTC".into())
    }

    /// Where a browser finds the server that listens at these places: under its first public URL, else on
    /// this machine.
    pub fn base_url(&self, places: &[Listen]) -> String {
        if let Some(url) = self.public_urls.first() {
            return url.clone();
        }
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let tcp = places.iter().find_map(|place| match place {
            Listen::Tcp(address) => Some(*address),
            Listen::Unix(_) => None,
        });
        // What is only on a socket is reached through a proxy that passes this name on.
        let Some(address) = tcp else { return "http://localhost".into() };
        let ip = match address.ip() {
            ip if !ip.is_unspecified() => ip,
            ip if ip.is_ipv4() => Ipv4Addr::LOCALHOST.into(),
            _ => Ipv6Addr::LOCALHOST.into(),
        };
        format!("{scheme}://{}", SocketAddr::new(ip, address.port()))
    }
}

fn keepalive(layers: &mut Layers) -> Keepalive {
    let of = |seconds: u32| u8::try_from(seconds).ok().and_then(Keepalive::new);
    let default = Keepalive::DEFAULT.seconds().into();
    let seconds = layers.checked(&LINK_KEEPALIVE, default, |seconds: &u32| match of(*seconds) {
        Some(_) => Ok(()),
        None => Err(format!("{seconds} is out of range")),
    });
    of(seconds).unwrap_or(Keepalive::DEFAULT)
}

/// A prefix, an address as the prefix of itself alone, or the Unix sockets.
fn proxy(text: &str) -> Option<Proxy> {
    if text == "unix" {
        return Some(Proxy::Unix);
    }
    let address = || text.parse::<IpAddr>().ok().map(Into::into);
    text.parse().ok().or_else(address).map(Proxy::Net)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The settings of a server without a configuration.
    pub(crate) fn server() -> Server {
        Server::read(&mut Layers::default())
    }

    #[test]
    fn places_are_one_or_a_list() {
        let tcp = |text: &str| Listen::Tcp(text.parse().unwrap());
        let both = vec![tcp("127.0.0.1:1"), Listen::Unix("/run/x".into())];
        assert_eq!(Vec::<Listen>::from_text("127.0.0.1:1, unix:/run/x"), Ok(both.clone()));
        assert_eq!(
            Vec::<Listen>::from_value(&serde_json::json!(["127.0.0.1:1", "unix:/run/x"])),
            Ok(both.clone())
        );
        assert_eq!(Vec::<Listen>::from_value(&"[::1]:2".into()), Ok(vec![tcp("[::1]:2")]));
        assert_eq!(both.show(), "[\"127.0.0.1:1\", \"unix:/run/x\"]");
        assert_eq!(vec![tcp("[::1]:2")].show(), "\"[::1]:2\"");
        for wrong in ["unix:", "unix:run/x", "here", "6543"] {
            assert!(Vec::<Listen>::from_text(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_base_is_what_a_browser_can_open() {
        let tcp = |text: &str| vec![Listen::Unix("/run/x".into()), Listen::Tcp(text.parse().unwrap())];
        let plain = server();
        assert_eq!(plain.base_url(&tcp("0.0.0.0:80")), "http://127.0.0.1:80");
        assert_eq!(plain.base_url(&tcp("[::]:6543")), "http://[::1]:6543");
        let files = TlsFiles { certificate: "c".into(), key: "k".into() };
        let tls = Server { tls: Some(files), ..server() };
        assert_eq!(tls.base_url(&tcp("192.0.2.1:443")), "https://192.0.2.1:443");
        let public = Server { public_urls: vec!["https://example.org/netwark".into()], ..server() };
        assert_eq!(public.base_url(&tcp("127.0.0.1:1")), "https://example.org/netwark");
    }
}

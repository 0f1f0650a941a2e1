//! `[server]`: where the server listens and what it calls itself.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use jiff::tz::TimeZone;

use super::layers::{Key, Layers};

/// Where the server listens and what it calls itself.
#[derive(Clone, Debug)]
pub struct Server {
    /// Address and port of the page and the API.
    pub listen: SocketAddr,
    /// Addresses a proxy serves it under, as `https://netwark.example.org`.
    pub public_urls: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Time zone of days and weeks, an IANA name.
    pub timezone: String,
    /// The file with the key that seals stored secrets.
    pub secret_key_file: Option<PathBuf>,
}

/// `server.listen`.
pub const LISTEN: Key = Key {
    name: "server.listen",
    takes: "an address and a port, such as 127.0.0.1:6543 or [::]:6543",
    default: "127.0.0.1:6543",
    about: "Where the page and the API are served.",
};
const PUBLIC_URLS: Key = Key {
    name: "server.public_urls",
    takes: "a list of URLs without a path, such as https://netwark.example.org",
    default: "[]",
    about: "Addresses a proxy serves it under. Requests under other names than these, loopback and the address it listens on are refused.",
};
const TRUSTED_PROXIES: Key = Key {
    name: "server.trusted_proxies",
    takes: "a list of addresses or prefixes, such as 192.0.2.7 or 192.0.2.0/24",
    default: "[]",
    about: "Proxies whose `X-Forwarded-For` is believed, so that sign-in attempts are counted for whom they ask.",
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

impl Server {
    /// Its keys.
    pub const KEYS: [&Key; 5] = [&LISTEN, &PUBLIC_URLS, &TRUSTED_PROXIES, &TIMEZONE, &SECRET_KEY_FILE];

    pub(super) fn read(layers: &mut Layers) -> Self {
        Self {
            listen: layers.value(&LISTEN, SocketAddr::from((Ipv4Addr::LOCALHOST, 6543))),
            public_urls: layers
                .checked(&PUBLIC_URLS, Vec::new(), |urls: &Vec<String>| {
                    urls.iter().try_for_each(|url| is_origin(url))
                })
                .iter()
                .map(|url| url.trim_end_matches('/').to_owned())
                .collect(),
            trusted_proxies: layers
                .checked(&TRUSTED_PROXIES, Vec::new(), |nets: &Vec<String>| {
                    nets.iter()
                        .try_for_each(|net| prefix(net).map(|_| ()).ok_or(format!("'{net}' is no prefix")))
                })
                .iter()
                .filter_map(|net| prefix(net))
                .collect(),
            timezone: layers.checked(&TIMEZONE, system_timezone(), |name: &String| {
                TimeZone::get(name).map(|_| ()).map_err(|_| format!("'{name}' is no known time zone"))
            }),
            secret_key_file: layers.value(&SECRET_KEY_FILE, None),
        }
    }
}

/// A prefix, or an address as the prefix of itself alone.
fn prefix(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn is_origin(text: &str) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("'{text}' {why}"));
    let Ok(url) = reqwest::Url::parse(text) else { return wrong("is no URL") };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return wrong("is no http or https URL");
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return wrong("holds more than scheme, host and port");
    }
    Ok(())
}

fn system_timezone() -> String {
    let name = TimeZone::try_system().ok().and_then(|zone| zone.iana_name().map(str::to_owned));
    name.unwrap_or_else(|| "UTC".into())
}

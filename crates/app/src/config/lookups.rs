//! `[lookups]`: questions that the server answers, and what name servers are asked.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use netwark_lookup::dns::ask::Trust;
use netwark_lookup::dns::dnssec::Anchors;
use netwark_lookup::dns::iterate::Root;
use netwark_lookup::geoip::{GeoIpSettings, Hold};
use netwark_lookup::update::{Kept, directory};
use netwark_lookup::whois::{self, Registries};
use serde_json::Value;

use super::layers::{Key, Layers};
use super::setting::{Paths, Setting};

/// Questions that the server answers.
#[derive(Clone, Debug)]
pub struct Lookups {
    /// Viewers may let the server ask others, too.
    pub viewers_may_ask: bool,
    /// Which registry knows what.
    pub registries: Registries,
    /// Registries of one's own that are named by address, which may be asked wherever they are.
    pub registry_places: Vec<SocketAddr>,
    /// Files of places.
    pub geoip_city: Vec<PathBuf>,
    /// Files of autonomous systems.
    pub geoip_asn: Vec<PathBuf>,
    /// Name servers that the server asks instead of those of the system.
    pub resolvers: Vec<SocketAddr>,
    /// Places that the server may ask although they are not public.
    pub allow: Vec<SocketAddr>,
    /// Where delegations and trust in signatures begin.
    pub trust: Arc<Trust>,
}

/// Places of name servers.
#[derive(Clone, Debug, Default)]
struct Places(Vec<SocketAddr>);

/// The port of name servers.
const PORT: u16 = 53;

impl Setting for Places {
    fn from_text(text: &str) -> Result<Self, String> {
        let place = |item: &str| {
            let bare = item.parse::<IpAddr>().map(|address| SocketAddr::new(address, PORT));
            bare.or_else(|_| item.parse()).map_err(|_| format!("'{item}' is no address"))
        };
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        items.map(place).collect::<Result<_, _>>().map(Self)
    }

    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Self::from_text(text),
            other => Self::from_text(&Vec::<String>::from_value(other)?.join(",")),
        }
    }

    fn show(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().show()
    }
}

const VIEWERS_MAY_ASK: Key = Key {
    name: "lookups.viewers_may_ask",
    takes: "true or false",
    default: "false",
    about: "Let viewers ask for what the server has to ask others (DNS, WHOIS, RDAP), which otherwise takes an operator.",
};
/// Registries of one's own.
pub const REGISTRIES_FILE: Key = Key {
    name: "lookups.registries_file",
    takes: "the path of a file",
    default: "none",
    about: "A file with registries of your own, which win over all others, for the server, the worker and the shell; a row is `whois` or `rdap`, a server, and the domains, prefixes and AS numbers it knows.",
};
const GEOIP_CITY: Key = Key {
    name: "lookups.geoip.city",
    takes: "the path of a file in MaxMind's format, or a list of them",
    default: "none: those of the data directory alone",
    about: "Files that tell the place of an address, asked before those in `lookups/geoip` of the data directory. A changed file is read again at once.",
};
const GEOIP_ASN: Key = Key {
    name: "lookups.geoip.asn",
    takes: "the path of a file in MaxMind's format, or a list of them",
    default: "none: those of the data directory alone",
    about: "The same for files that tell the autonomous system of an address.",
};
const RESOLVERS: Key = Key {
    name: "lookups.resolvers",
    takes: "a list of addresses, with a port where it is not 53",
    default: "those of /etc/resolv.conf",
    about: "Name servers that the server asks. They may have private addresses.",
};
const ALLOW: Key = Key {
    name: "lookups.allow",
    takes: "a list of addresses, with a port where it is not 53",
    default: "[]",
    about: "Places that look-ups of the server may go to although they are not public.",
};
const ROOT_SERVERS: Key = Key {
    name: "lookups.root_servers",
    takes: "a list of addresses, with a port where it is not 53",
    default: "those of the Internet",
    about: "Where traces of the DNS begin, of the server and of the worker. All servers below are asked at the port of the first.",
};
const TRUST_ANCHOR: Key = Key {
    name: "lookups.trust_anchor",
    takes: "a path of a file with DS or DNSKEY records",
    default: "the keys of the root of the Internet",
    about: "Where trust in DNSSEC signatures begins, for the server and the worker.",
};

impl Lookups {
    /// Its keys.
    pub const KEYS: [&Key; 8] = [
        &VIEWERS_MAY_ASK,
        &REGISTRIES_FILE,
        &GEOIP_CITY,
        &GEOIP_ASN,
        &RESOLVERS,
        &ALLOW,
        &ROOT_SERVERS,
        &TRUST_ANCHOR,
    ];

    pub(super) fn read(layers: &mut Layers) -> Self {
        let viewers_may_ask = layers.value(&VIEWERS_MAY_ASK, false);
        let (registries, registry_places) = registries(layers);
        let mut paths = |key| layers.value(key, Paths::default()).0;
        let (geoip_city, geoip_asn) = (paths(&GEOIP_CITY), paths(&GEOIP_ASN));
        let Places(resolvers) = layers.value(&RESOLVERS, Places::default());
        let Places(mut allow) = layers.value(&ALLOW, Places::default());
        let Places(root_servers) = layers.value(&ROOT_SERVERS, Places::default());
        let mut trust = Trust::default();
        let read = |path: &Option<PathBuf>| path.as_deref().map(Anchors::from_file).transpose();
        let path = layers.checked(&TRUST_ANCHOR, None, |path| read(path).map(|_| ()));
        if let Ok(Some(anchors)) = read(&path) {
            trust.anchors = anchors;
        }
        allow.extend(&registry_places);
        if !root_servers.is_empty() {
            trust.root = Root::of(&root_servers);
            allow.extend(root_servers);
        }
        let trust = Arc::new(trust);
        Self { viewers_may_ask, registries, registry_places, geoip_city, geoip_asn, resolvers, allow, trust }
    }

    /// Which registry knows what, with what updates bring to the data directory.
    pub fn kept_registries(&self, data_dir: &Path) -> Kept<Registries> {
        whois::kept(Some(directory(data_dir, whois::SOURCE)), self.registries.clone())
    }

    /// Which files tell where addresses are. A process that stays holds private copies of them.
    pub fn geoip_settings(&self, data_dir: &Path, hold: Hold) -> GeoIpSettings {
        GeoIpSettings {
            city: self.geoip_city.clone(),
            asn: self.geoip_asn.clone(),
            directory: Some(GeoIpSettings::directory(data_dir)),
            hold,
        }
    }
}

/// The registries that are built in, with those of one's own, and the places among these that are named by address.
fn registries(layers: &mut Layers) -> (Registries, Vec<SocketAddr>) {
    let mut registries = Registries::built_in();
    let mut places = Vec::new();
    layers.checked(&REGISTRIES_FILE, None, |file: &Option<PathBuf>| {
        let Some(path) = file else { return Ok(()) };
        let read = std::fs::read_to_string(path).map_err(|error| error.to_string());
        let added = read.and_then(|text| registries.add(&text).map(|()| Registries::named_places(&text)));
        places = added.map_err(|why| format!("{}: {why}", path.display()))?;
        Ok(())
    });
    (registries, places)
}

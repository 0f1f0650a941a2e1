//! `[lookups]`: questions that the server answers.

use std::path::{Path, PathBuf};

use netwark_lookup::geoip::{GeoIpSettings, Hold};

use super::layers::{Key, Layers};
use super::setting::Paths;

/// Questions that the server answers.
#[derive(Clone, Debug)]
pub struct Lookups {
    /// Viewers may let the server ask others, too.
    pub viewers_may_ask: bool,
    /// Files of places.
    pub geoip_city: Vec<PathBuf>,
    /// Files of autonomous systems.
    pub geoip_asn: Vec<PathBuf>,
}

const VIEWERS_MAY_ASK: Key = Key {
    name: "lookups.viewers_may_ask",
    takes: "true or false",
    default: "false",
    about: "Let viewers ask for what the server has to ask others (DNS, WHOIS, RDAP), which otherwise takes an operator.",
};
const GEOIP_CITY: Key = Key {
    name: "lookups.geoip.city",
    takes: "the path of a file in MaxMind's format, or a list of them",
    default: "",
    about: "Files that tell the place of an address, asked before those in `lookups/geoip` of the data directory. A changed file is read again at once.",
};
const GEOIP_ASN: Key = Key {
    name: "lookups.geoip.asn",
    takes: "the path of a file in MaxMind's format, or a list of them",
    default: "",
    about: "The same for files that tell the autonomous system of an address.",
};

impl Lookups {
    /// Its keys.
    pub const KEYS: [&Key; 3] = [&VIEWERS_MAY_ASK, &GEOIP_CITY, &GEOIP_ASN];

    pub(super) fn read(layers: &mut Layers) -> Self {
        let mut paths = |key| layers.value(key, Paths::default()).0;
        let (geoip_city, geoip_asn) = (paths(&GEOIP_CITY), paths(&GEOIP_ASN));
        Self { viewers_may_ask: layers.value(&VIEWERS_MAY_ASK, false), geoip_city, geoip_asn }
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

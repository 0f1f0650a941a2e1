//! `[updates]`: where newer data is from, and how often it is fetched.

use std::sync::Arc;

use netwark_lookup::fetch::Location;
use netwark_lookup::geoip::{GeoFiles, Provider};
use netwark_lookup::oui::Ieee;
use netwark_lookup::update::{Account, Schedule, Source};
use netwark_lookup::whois::Iana;
use netwark_server::lookups::updates::Scheduled;

use super::layers::{Key, Layers, Origin};
use super::setting::{Setting, quoted};

/// Where newer data is from, and how often it is fetched.
#[derive(Clone, Debug)]
pub struct Updates {
    /// Every source there is.
    pub sources: Vec<Scheduled>,
}

const TAKES_SCHEDULE: &str = "off, daily, weekly, monthly, or hours or days such as 12h or 7d";
const TAKES_PLACE: &str = "a URL (http or https), or the absolute path of a directory or a file";

const OUI_SCHEDULE: Key = Key {
    name: "updates.oui.schedule",
    takes: TAKES_SCHEDULE,
    default: "off",
    about: "How often this server fetches the registries of MAC vendors.",
};

const OUI_URL: Key = Key {
    name: "updates.oui.url",
    takes: TAKES_PLACE,
    default: "https://standards-oui.ieee.org",
    about: "Where MAC vendors are fetched from: IEEE, a mirror with its paths or with all files in one place, or one .csv file.",
};

const GEOIP_SCHEDULE: Key = Key {
    name: "updates.geoip.schedule",
    takes: TAKES_SCHEDULE,
    default: "off",
    about: "How often this server fetches files that tell where addresses are.",
};

const GEOIP_PROVIDER: Key = Key {
    name: "updates.geoip.provider",
    takes: "dbip or geolite2",
    default: "dbip",
    about: "Whose files they are: DB-IP Lite, which needs no key, or GeoLite2 of MaxMind with an account and a key.",
};

const GEOIP_ACCOUNT: Key = Key {
    name: "updates.geoip.account",
    takes: "a number",
    default: "none",
    about: "The account at MaxMind. One that is given on the page Sources wins over it.",
};

const GEOIP_KEY: Key = Key {
    name: "updates.geoip.key",
    takes: "the licence key of that account",
    default: "none",
    about: "The licence key of that account. It is never shown. One that is given on the page Sources is kept sealed in the database instead.",
};

const GEOIP_URL: Key = Key {
    name: "updates.geoip.url",
    takes: TAKES_PLACE,
    default: "none: the provider is asked",
    about: "A mirror, a directory or a file that is asked instead of the provider: .mmdb, .mmdb.gz or .tar.gz.",
};

const RDAP_SCHEDULE: Key = Key {
    name: "updates.rdap.schedule",
    takes: TAKES_SCHEDULE,
    default: "off",
    about: "How often this server fetches which registries are asked over RDAP.",
};

const RDAP_URL: Key = Key {
    name: "updates.rdap.url",
    takes: TAKES_PLACE,
    default: "https://data.iana.org/rdap",
    about: "Where dns.json, ipv4.json, ipv6.json and asn.json are fetched from: IANA, a mirror, a directory, or one of the files.",
};

impl Updates {
    /// Its keys.
    pub const KEYS: [&Key; 9] = [
        &OUI_SCHEDULE,
        &OUI_URL,
        &GEOIP_SCHEDULE,
        &GEOIP_PROVIDER,
        &GEOIP_ACCOUNT,
        &GEOIP_KEY,
        &GEOIP_URL,
        &RDAP_SCHEDULE,
        &RDAP_URL,
    ];

    pub(super) fn read(layers: &mut Layers) -> Self {
        let schedule = layers.value(&OUI_SCHEDULE, Schedule::Off);
        let place = layers.value::<Option<Location>>(&OUI_URL, None);
        let oui = Scheduled { source: Ieee::source(place), schedule };
        let schedule = layers.value(&GEOIP_SCHEDULE, Schedule::Off);
        let provider = provider(layers);
        let place = layers.value::<Option<Location>>(&GEOIP_URL, None);
        let geoip = Scheduled { source: GeoFiles::source(provider, place), schedule };
        let schedule = layers.value(&RDAP_SCHEDULE, Schedule::Off);
        let place = layers.value::<Option<Location>>(&RDAP_URL, None);
        let rdap = Scheduled { source: Iana::source(place), schedule };
        Self { sources: vec![oui, geoip, rdap] }
    }

    /// The source of this name.
    pub fn source(&self, name: &str) -> Option<&Arc<dyn Source>> {
        self.sources.iter().map(|configured| &configured.source).find(|source| source.name() == name)
    }
}

/// Whose files of addresses are fetched.
fn provider(layers: &mut Layers) -> Provider {
    let named = layers.checked(&GEOIP_PROVIDER, "dbip".to_owned(), |name: &String| match name.as_str() {
        "dbip" | "geolite2" => Ok(()),
        other => Err(format!("'{other}' is no provider")),
    });
    let account = layers.checked(&GEOIP_ACCOUNT, String::new(), |account: &String| {
        match account.is_empty() || Account::check_number(account).is_ok() {
            true => Ok(()),
            false => Err(format!("{} is no number", quoted(account))),
        }
    });
    let key = layers.checked(&GEOIP_KEY, String::new(), |key: &String| match key.is_empty() {
        true => Ok(()),
        false => Account::check_key(key),
    });
    if !key.is_empty() {
        layers.show_as(quoted("***"));
    }
    if named != "geolite2" {
        return Provider::DbIp;
    }
    for (missing, name) in [(account.is_empty(), GEOIP_ACCOUNT.name), (key.is_empty(), GEOIP_KEY.name)] {
        if missing {
            let told = format!(
                "is missing, and {} is geolite2; MaxMind gives one with an account",
                GEOIP_PROVIDER.name
            );
            layers.mistake(name, Origin::Default, told);
        }
    }
    Provider::GeoLite2(Account { number: account, key })
}

impl Setting for Schedule {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Setting for Location {
    fn from_text(text: &str) -> Result<Self, String> {
        text.trim().parse()
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

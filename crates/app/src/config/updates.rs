//! `[updates]`: where newer data is from, and how often it is fetched.

use std::sync::Arc;

use netwark_lookup::fetch::Location;
use netwark_lookup::oui::Ieee;
use netwark_lookup::update::{Schedule, Source};
use netwark_server::lookups::updates::Scheduled;

use super::layers::{Key, Layers};
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

impl Updates {
    /// Its keys.
    pub const KEYS: [&Key; 2] = [&OUI_SCHEDULE, &OUI_URL];

    pub(super) fn read(layers: &mut Layers) -> Self {
        let schedule = layers.value(&OUI_SCHEDULE, Schedule::Off);
        let place = layers.value::<Option<Location>>(&OUI_URL, None);
        Self { sources: vec![Scheduled { source: Ieee::source(place), schedule }] }
    }

    /// The source of this name.
    pub fn source(&self, name: &str) -> Option<&Arc<dyn Source>> {
        self.sources.iter().map(|configured| &configured.source).find(|source| source.name() == name)
    }
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

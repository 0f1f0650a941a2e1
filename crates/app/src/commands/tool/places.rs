//! Where the addresses of a measurement are and whose they are, from files on this machine.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use netwark_lookup::geoip::{self, GeoIp, Hold};
use serde_json::Value;

use crate::config::{Config, Flags};
use crate::output;

/// The tools whose outcomes have addresses to be told more of.
const TOOLS: [&str; 2] = ["ping", "mtr"];

/// The files there are. Whoever measures must not be kept from it by a file, so what is wrong with one is not told
/// here; `netwark geoip` tells it.
pub struct Places {
    files: LazyLock<Option<GeoIp>, Opening>,
    used: AtomicBool,
}

type Opening = Box<dyn FnOnce() -> Option<GeoIp> + Send>;

impl Places {
    /// Opens the files of the configuration while the first packets are under way, if the tool has a use for them.
    pub fn of(tool: &str) -> Self {
        let open = || thread::Builder::new().name("netwark-places".into()).spawn(open).ok();
        let opened = TOOLS.contains(&tool).then(open).flatten();
        let files = LazyLock::new(Box::new(|| opened?.join().ok()?) as Opening);
        Self { files, used: AtomicBool::new(false) }
    }

    /// Adds what the files know to an outcome.
    pub fn complete(&self, payload: &mut Value) {
        if let Some(files) = self.files.as_ref()
            && geoip::complete(payload, files)
        {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Says whom the data is from, if any was shown: apart from what a script reads.
    pub fn attribute(&self) {
        let files = self.files.iter().filter(|_| self.used.load(Ordering::Relaxed));
        let mut told = Vec::new();
        for attribution in files.flat_map(GeoIp::files).filter_map(|file| file.source?.attribution) {
            let line = format!("{} ({})", attribution.text, attribution.url);
            if !told.contains(&line) {
                output::complain(&line);
                told.push(line);
            }
        }
    }
}

fn open() -> Option<GeoIp> {
    let flags = Flags { config: std::env::var_os("NETWARK_CONFIG").map(Into::into), ..Flags::default() };
    let config = Config::load(&flags).ok()?;
    let files = GeoIp::new(config.lookups.geoip_settings(&config.data_dir, Hold::Itself));
    files.refresh();
    (!files.is_empty()).then_some(files)
}

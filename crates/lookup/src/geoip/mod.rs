//! Where an address is, and which autonomous system announces it: from files in the format of MaxMind.
//!
//! Files are those that the configuration names and all of one directory, where updates put theirs. Whoever looks
//! something up sees the files as they were last read; [`GeoIp::refresh`] takes in what changed. A file that cannot
//! be read is refused with the reason, and the good one that was read from the same path before stays in use.

mod answer;
mod attribution;
mod file;
mod input;
mod outcome;
mod record;
mod source;
mod unpack;
mod values;

#[cfg(test)]
mod source_tests;
#[cfg(test)]
mod tests;

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

pub use self::answer::{Attribution, Country, Finding, GeoAnswer, GeoFile, Place, Source};
pub use self::file::Hold;
use self::file::{COPY, File, Stamp};
pub use self::input::read;
pub use self::outcome::complete;
pub use self::source::{GeoFiles, NAME, Provider};
use crate::special;

/// Most files of the directory that are used.
const FILES: usize = 32;

/// Which files are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeoIpSettings {
    /// Files of places, asked before those of the directory.
    pub city: Vec<PathBuf>,
    /// Files of autonomous systems, asked before those of the directory.
    pub asn: Vec<PathBuf>,
    /// Every `*.mmdb` in it is used, the newest first.
    pub directory: Option<PathBuf>,
    /// How files are held open.
    pub hold: Hold,
}

impl Default for GeoIpSettings {
    fn default() -> Self {
        Self { city: Vec::new(), asn: Vec::new(), directory: None, hold: Hold::Itself }
    }
}

impl GeoIpSettings {
    /// The directory below the data directory that updates write to.
    pub fn directory(data_dir: &Path) -> PathBuf {
        data_dir.join("lookups").join("geoip")
    }
}

/// The files, open. Cheap to clone.
#[derive(Clone, Debug)]
pub struct GeoIp(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: GeoIpSettings,
    files: RwLock<Arc<Files>>,
}

/// Every file there is, and those in use in the order in which they are asked.
#[derive(Debug, Default)]
struct Files {
    entries: Vec<Entry>,
    asked: Vec<Arc<File>>,
}

/// What is known of one path.
#[derive(Clone, Debug)]
struct Entry {
    path: PathBuf,
    wanted: Wanted,
    stamp: Option<Stamp>,
    file: Option<Arc<File>>,
    problem: Option<String>,
}

/// What a file is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Places,
    Systems,
    Either,
}

impl GeoIp {
    /// Nothing is read yet; see [`Self::refresh`].
    pub fn new(settings: GeoIpSettings) -> Self {
        if let Hold::Copy(directory) = &settings.hold {
            remove_copies(directory);
        }
        Self(Arc::new(Inner { settings, files: RwLock::default() }))
    }

    /// Takes in files that are new or changed, and forgets those that are gone. It reads files, so it blocks.
    pub fn refresh(&self) {
        let before = self.current();
        let mut entries: Vec<Entry> = Vec::new();
        for (path, wanted) in wanted(&self.0.settings) {
            if !entries.iter().any(|entry| entry.path == path) {
                let known = before.entries.iter().find(|entry| entry.path == path);
                entries.push(self.entry(path, wanted, known));
            }
        }
        for gone in before.entries.iter().filter(|old| !entries.iter().any(|new| new.path == old.path)) {
            tracing::info!(file = %gone.path.display(), "a GeoIP file is gone");
        }
        let (named, mut found): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|entry| entry.wanted != Wanted::Either);
        found.sort_by_key(|entry| entry.file.as_ref().map(|file| std::cmp::Reverse(file.source.built)));
        let asked = named.into_iter().chain(found).filter_map(|entry| entry.file.clone()).collect();
        let files = Arc::new(Files { entries, asked });
        *self.0.files.write().unwrap_or_else(PoisonError::into_inner) = files;
    }

    /// The state of one path: as it is known when nothing changed, else read anew.
    fn entry(&self, path: PathBuf, wanted: Wanted, known: Option<&Entry>) -> Entry {
        let stamp = Stamp::of(&path);
        if let (Some(known), Ok(stamp)) = (known, &stamp)
            && known.stamp.as_ref() == Some(stamp)
        {
            return known.clone();
        }
        let last_problem = known.and_then(|entry| entry.problem.clone());
        let opened = stamp.as_ref().map_err(ToString::to_string).and_then(|_| {
            let file = File::open(&path, &self.0.settings.hold)?;
            match wanted {
                Wanted::Places if !file.places => Err("it tells no places".to_owned()),
                Wanted::Systems if !file.systems => Err("it tells no autonomous systems".to_owned()),
                _ => Ok(file),
            }
        });
        let (file, problem) = match opened {
            Ok(file) => {
                tracing::info!(file = %path.display(), kind = file.source.name, built = %file.source.built,
                    "a GeoIP file is in use");
                (Some(Arc::new(file)), None)
            }
            Err(problem) => {
                if last_problem.as_ref() != Some(&problem) {
                    tracing::warn!(file = %path.display(), %problem, "a GeoIP file is not used");
                }
                (known.and_then(|entry| entry.file.clone()), Some(problem))
            }
        };
        Entry { path, wanted, stamp: stamp.ok(), file, problem }
    }

    fn current(&self) -> Arc<Files> {
        Arc::clone(&self.0.files.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Every file that is configured or lies in the directory, with what is wrong with it.
    pub fn files(&self) -> Vec<GeoFile> {
        let told = |entry: &Entry| GeoFile {
            path: entry.path.display().to_string(),
            source: entry.file.as_ref().map(|file| file.source.clone()),
            places: entry.file.as_ref().is_some_and(|file| file.places),
            systems: entry.file.as_ref().is_some_and(|file| file.systems),
            bytes: entry.stamp.map_or(0, |stamp| stamp.bytes),
            problem: entry.problem.clone(),
        };
        self.current().entries.iter().map(told).collect()
    }

    /// True when there is no file at all.
    pub fn is_empty(&self) -> bool {
        self.current().asked.is_empty()
    }

    /// What is known of an address. The first file that knows the place better than its country tells it, and the
    /// first that knows the autonomous system tells that.
    pub fn lookup(&self, ip: IpAddr) -> GeoAnswer {
        let ip = carried(ip);
        let files = self.current();
        let state = |any: bool| if any { Finding::Unlisted } else { Finding::NoFile };
        let mut answer = GeoAnswer {
            ip,
            special: special::of(ip).copied(),
            place: None,
            place_state: state(files.asked.iter().any(|file| file.places)),
            asn: None,
            as_name: None,
            as_state: state(files.asked.iter().any(|file| file.systems)),
            sources: Vec::new(),
        };
        let (mut of_place, mut of_system) = (None, None);
        for file in &files.asked {
            let precision = answer.place.as_ref().map_or(0, Place::precision);
            let (wants_place, wants_system) =
                (file.places && precision < 2, file.systems && answer.asn.is_none());
            if !wants_place && !wants_system {
                continue;
            }
            let (record, network) = match file.record(ip) {
                Ok(Some(found)) => found,
                Ok(None) => continue,
                Err(error) => {
                    tracing::debug!(%ip, file = file.source.name, %error, "a GeoIP record cannot be read");
                    answer.damaged(wants_place, wants_system);
                    continue;
                }
            };
            if wants_place && let Some(place) = record.place().filter(|place| place.precision() > precision) {
                answer.place = Some(Place { network: Some(network), ..place });
                answer.place_state = Finding::Found;
                of_place = Some(file);
            }
            if wants_system && let Some((number, name)) = record.system() {
                (answer.asn, answer.as_name, answer.as_state) = (Some(number), name, Finding::Found);
                of_system = Some(file);
            }
        }
        let other = of_system.filter(|file| of_place.is_none_or(|place| !Arc::ptr_eq(place, file)));
        answer.sources = of_place.into_iter().chain(other).map(|file| file.source.clone()).collect();
        answer
    }
}

impl GeoIp {
    /// Who runs an autonomous system, and the file that says so. The first question after a file has come goes
    /// through all of it, so it blocks.
    pub fn system(&self, number: u32) -> Option<(String, Source)> {
        let files = self.current();
        files.asked.iter().find_map(|file| Some((file.system(number)?.to_owned(), file.source.clone())))
    }
}

impl GeoAnswer {
    /// Notes that a file could not be read where the address should be.
    fn damaged(&mut self, place: bool, system: bool) {
        for (concerned, state) in [(place, &mut self.place_state), (system, &mut self.as_state)] {
            if concerned && *state == Finding::Unlisted {
                *state = Finding::Unreadable;
            }
        }
    }
}

/// The IPv4 address that an IPv6 address carries (RFC 4291, RFC 6052), else the address itself.
fn carried(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return v4.into();
    }
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            let [.., a, b, c, d] = v6.octets();
            Ipv4Addr::new(a, b, c, d).into()
        }
        _ => ip,
    }
}

/// Every file that is to be used: those that are named, then those of the directory.
fn wanted(settings: &GeoIpSettings) -> Vec<(PathBuf, Wanted)> {
    let named = |paths: &[PathBuf], wanted| paths.iter().map(move |path| (path.clone(), wanted)).collect();
    let mut all: Vec<_> = named(&settings.city, Wanted::Places);
    all.extend::<Vec<_>>(named(&settings.asn, Wanted::Systems));
    let listed = settings.directory.as_ref().and_then(|directory| fs::read_dir(directory).ok());
    let is_ours = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "mmdb");
    let mut found: Vec<PathBuf> =
        listed.into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_ours).collect();
    found.sort();
    found.truncate(FILES);
    all.extend(found.into_iter().map(|path| (path, Wanted::Either)));
    all
}

/// Removes what a process left that was killed between making a copy and opening it.
fn remove_copies(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(COPY) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

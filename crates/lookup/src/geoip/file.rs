//! One file in the format of MaxMind, opened.
//!
//! A file of cities has a hundred megabytes and more, of which a server reads a few pages, so it is mapped and not
//! read into memory. What is mapped must not change: a file that is written over in place would end the process
//! (SIGBUS) or hand out half of each. So what is mapped is a private copy that has no name any more once it is
//! mapped; on file systems that share blocks it costs nothing, elsewhere its size on the disk.

use std::collections::{HashMap, HashSet};
use std::fs::{self, OpenOptions};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use ipnet::IpNet;
use jiff::Timestamp;
use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use mmap_guard::FileData;

use super::answer::Source;
use super::attribution;
use super::record::Record;

/// Largest file that is opened, in bytes.
pub(super) const LARGEST: u64 = 4 << 30;
/// Largest file that is read into memory, where it cannot be mapped.
const LARGEST_IN_MEMORY: u64 = 512 << 20;
/// Networks that are looked at to see what a file tells.
const SAMPLES: usize = 64;
/// What the names of private copies begin with.
pub(super) const COPY: &str = ".in-use-";

/// How a file is held open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// By a private copy that is made in this directory, for a process that stays.
    Copy(PathBuf),
    /// By itself, for a process that ends in a moment.
    Itself,
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    modified: (i64, i64),
    pub(super) bytes: u64,
}

impl Stamp {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            bytes: metadata.len(),
        })
    }
}

/// A file that is open.
#[derive(Debug)]
pub(super) struct File {
    reader: Reader<FileData>,
    pub(super) source: Source,
    /// It tells places.
    pub(super) places: bool,
    /// It tells autonomous systems.
    pub(super) systems: bool,
    /// Who runs each of them, once somebody has asked.
    names: OnceLock<HashMap<u32, String>>,
}

impl File {
    /// Opens a file and looks what it tells.
    pub(super) fn open(path: &Path, hold: &Hold) -> Result<Self, String> {
        let bytes = fs::metadata(path).map_err(|error| error.to_string())?.len();
        if bytes == 0 {
            return Err("it is empty".into());
        }
        if bytes > LARGEST {
            return Err(format!("it has {bytes} bytes, more than {LARGEST}"));
        }
        let data = held(path, bytes, hold).map_err(|error| error.to_string())?;
        let reader = Reader::from_source(data).map_err(|error| match error {
            // Nearly always a file that was cut off: what tells the format stands at the end.
            MaxMindDbError::InvalidDatabase { message, .. } => {
                format!("it is no file of MaxMind's format, or not a whole one: {message}")
            }
            error => error.to_string(),
        })?;
        let metadata = reader.metadata();
        let built = i64::try_from(metadata.build_epoch).ok().and_then(|at| Timestamp::from_second(at).ok());
        let mut told: Vec<&str> = vec![&metadata.database_type];
        told.extend(metadata.description.values().map(String::as_str));
        told.extend(path.file_name().and_then(|name| name.to_str()));
        let name: String = metadata.database_type.chars().filter(|c| !c.is_control()).take(80).collect();
        let source = Source {
            name,
            built: built.unwrap_or(Timestamp::UNIX_EPOCH),
            attribution: attribution::of(&told),
        };
        let (places, systems) = tells(&reader)?;
        if !places && !systems {
            return Err(format!(
                "it tells neither places nor autonomous systems; its type is '{}'",
                source.name
            ));
        }
        Ok(Self { reader, source, places, systems, names: OnceLock::new() })
    }

    /// The record of an address and the network it is said of; nothing when the file does not list it.
    pub(super) fn record(&self, ip: IpAddr) -> Result<Option<(Record<'_>, IpNet)>, MaxMindDbError> {
        if ip.is_ipv6() && self.reader.metadata().ip_version == 4 {
            return Ok(None);
        }
        let found = self.reader.lookup(ip)?;
        if !found.has_data() {
            return Ok(None);
        }
        let network = found.network()?;
        // A tree of IPv6 alone finds the record of some wide IPv6 network for any IPv4 address.
        let Ok(network) = IpNet::new(network.network(), network.prefix()) else { return Ok(None) };
        if network.addr().is_ipv4() != ip.is_ipv4() {
            return Ok(None);
        }
        Ok(found.decode()?.map(|record| (record, network)))
    }
}

impl File {
    /// Goes through the whole file and counts its networks. What a record says is read once, however many networks
    /// have it.
    ///
    /// # Errors
    /// When a record cannot be read, or the tree leads in circles.
    pub(super) fn networks(&self) -> Result<u64, String> {
        let wrong = |error: MaxMindDbError| format!("it is damaged: {error}");
        // A tree of so many nodes has at most one leaf more.
        let most = u64::from(self.reader.metadata().node_count) + 1;
        let mut read = HashSet::new();
        let mut count = 0;
        for found in self.reader.networks(WithinOptions::default()).map_err(wrong)? {
            let found = found.map_err(wrong)?;
            count += 1;
            if count > most {
                return Err("it is damaged: its tree leads in circles".into());
            }
            if found.offset().is_some_and(|at| read.insert(at)) {
                found.decode::<Record<'_>>().map_err(wrong)?;
            }
        }
        Ok(count)
    }

    /// Who runs an autonomous system. A file is ordered by addresses, so the first question goes through all of it,
    /// which takes a moment; what cannot be read there is left out.
    pub(super) fn system(&self, number: u32) -> Option<&str> {
        if !self.systems {
            return None;
        }
        self.names.get_or_init(|| self.read_names()).get(&number).map(String::as_str)
    }

    fn read_names(&self) -> HashMap<u32, String> {
        let mut names = HashMap::new();
        let mut read = HashSet::new();
        let most = usize::try_from(self.reader.metadata().node_count).unwrap_or(usize::MAX);
        let Ok(networks) = self.reader.networks(WithinOptions::default()) else { return names };
        for found in networks.take(most.saturating_add(1)).flatten() {
            // Most networks share the record of another one.
            if found.offset().is_some_and(|at| read.insert(at))
                && let Ok(Some(record)) = found.decode::<Record<'_>>()
                && let Some((number, Some(name))) = record.system()
            {
                names.entry(number).or_insert(name);
            }
        }
        names
    }
}

/// Whether the first records tell places, and whether they tell autonomous systems.
fn tells(reader: &Reader<FileData>) -> Result<(bool, bool), String> {
    let wrong = |error: MaxMindDbError| format!("its records cannot be read: {error}");
    let (mut places, mut systems) = (false, false);
    for found in reader.networks(WithinOptions::default()).map_err(wrong)?.take(SAMPLES) {
        if let Some(record) = found.and_then(|found| found.decode::<Record<'_>>()).map_err(wrong)? {
            places |= record.place().is_some();
            systems |= record.system().is_some();
        }
    }
    Ok((places, systems))
}

/// The bytes of a file.
fn held(path: &Path, bytes: u64, hold: &Hold) -> io::Result<FileData> {
    let directory = match hold {
        Hold::Itself => return mmap_guard::map_file(path),
        Hold::Copy(directory) => directory,
    };
    let error = match private(path, directory) {
        Ok(data) => return Ok(data),
        Err(error) => error,
    };
    tracing::warn!(file = %path.display(), directory = %directory.display(), %error,
        "no private copy can be made; the file is read into memory");
    if bytes > LARGEST_IN_MEMORY {
        return Err(io::Error::other(format!("{error}; with {bytes} bytes it is too large for the memory")));
    }
    fs::read(path).map(FileData::Loaded)
}

/// Maps a copy that nobody else can name.
fn private(path: &Path, directory: &Path) -> io::Result<FileData> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    fs::create_dir_all(directory)?;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let copy = directory.join(format!("{COPY}{}-{number}", std::process::id()));
    let mapped =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy).and_then(|mut to| {
            io::copy(&mut fs::File::open(path)?, &mut to)?;
            drop(to);
            mmap_guard::map_file(&copy)
        });
    let removed = fs::remove_file(&copy);
    let mapped = mapped?;
    removed.map(|()| mapped)
}

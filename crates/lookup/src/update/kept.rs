//! Data in memory that follows what is on disk.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use super::state::State;

/// What identifies a version of a file: its time and its size.
type Stamp = Option<(SystemTime, u64)>;

/// What loading found.
#[derive(Debug)]
pub enum Loaded<T> {
    /// Data that an update brought.
    Data(T),
    /// Nothing was brought yet.
    Nothing,
    /// Something was, and it cannot be used: what counted before goes on counting.
    Broken(String),
}

type Load<T> = dyn Fn(&std::path::Path, &State) -> Loaded<T> + Send + Sync;

/// Data that is loaded from a source's directory, and again whenever an update has ended there. Readers never wait
/// for that.
pub struct Kept<T> {
    directory: Option<PathBuf>,
    fallback: Arc<T>,
    load: Box<Load<T>>,
    value: RwLock<Arc<T>>,
    seen: Mutex<Stamp>,
}

impl<T> Kept<T> {
    /// Data of the source in this directory, which counts over `fallback` as soon as there is any. Without a
    /// directory the fallback is all there is.
    pub fn new(
        directory: Option<PathBuf>,
        fallback: T,
        load: impl Fn(&std::path::Path, &State) -> Loaded<T> + Send + Sync + 'static,
    ) -> Self {
        let fallback = Arc::new(fallback);
        let value = RwLock::new(Arc::clone(&fallback));
        let kept = Self { directory, fallback, load: Box::new(load), value, seen: Mutex::default() };
        kept.refresh();
        kept
    }

    /// What counts now.
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.value.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks whether an update has ended since the last look, and loads what it brought; true when that is in use
    /// now. Reads files.
    pub fn refresh(&self) -> bool {
        let Some(directory) = &self.directory else { return false };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = std::fs::metadata(State::path(directory))
            .ok()
            .and_then(|file| Some((file.modified().ok()?, file.len())));
        if *seen == stamp {
            return false;
        }
        *seen = stamp;
        let value = match (self.load)(directory, &State::read(directory)) {
            Loaded::Data(value) => Arc::new(value),
            Loaded::Nothing => Arc::clone(&self.fallback),
            Loaded::Broken(why) => {
                tracing::error!(directory = %directory.display(), why, "what an update brought cannot be used");
                return false;
            }
        };
        *self.value.write().unwrap_or_else(PoisonError::into_inner) = value;
        true
    }
}

impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("directory", &self.directory).finish_non_exhaustive()
    }
}

//! A worker's id: made once, kept in a file, the same across restarts and renamings.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// The year 2026 began so many seconds after 1970; lives are counted from there, in seconds.
const BEGINNING: i64 = 1_767_225_600;

/// Why a worker has no id.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file cannot be read or made.
    #[error("the worker's id in {} cannot be read or made: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} holds no worker id; delete the file to get a new one", path.display())]
    NotAnId {
        /// The file.
        path: PathBuf,
    },
}

/// The id in `DIRECTORY/worker-id`, made when there is none.
///
/// # Errors
/// When the file cannot be read or made, or holds something else.
pub fn worker_id(directory: &Path) -> Result<Uuid, IdentityError> {
    let path = directory.join("worker-id");
    let io_error = |source| IdentityError::Io { path: path.clone(), source };
    match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().map_err(|_| IdentityError::NotAnId { path: path.clone() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let id = Uuid::now_v7();
            let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(io_error)?;
            file.write_all(format!("{id}\n").as_bytes()).map_err(io_error)?;
            file.sync_all().map_err(io_error)?;
            Ok(id)
        }
        Err(error) => Err(io_error(error)),
    }
}

/// Which life of the worker begins now: the number in `DIRECTORY/boot`, raised and stored. It
/// rises over restarts, and also when the directory was lost, because it never lies behind the clock.
///
/// # Errors
/// When the file cannot be written.
pub fn next_boot(directory: &Path) -> Result<u32, IdentityError> {
    let path = directory.join("boot");
    let io_error = |source| IdentityError::Io { path: path.clone(), source };
    let last = match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().parse::<u32>().unwrap_or(0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(io_error(error)),
    };
    let seconds = jiff::Timestamp::now().as_second() - BEGINNING;
    let boot = last.saturating_add(1).max(u32::try_from(seconds).unwrap_or(0)) & 0x7fff_ffff;
    let fresh = directory.join("boot.new");
    let mut file = std::fs::File::create(&fresh).map_err(io_error)?;
    file.write_all(format!("{boot}\n").as_bytes()).map_err(io_error)?;
    file.sync_all().map_err(io_error)?;
    std::fs::rename(&fresh, &path).map_err(io_error)?;
    Ok(boot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_life_has_a_higher_number() {
        let directory = std::env::temp_dir().join(format!("netwark-boot-{}", Uuid::now_v7()));
        std::fs::create_dir_all(&directory).unwrap();
        let first = next_boot(&directory).unwrap();
        assert!(next_boot(&directory).unwrap() > first);
        std::fs::write(directory.join("boot"), "2000000000").unwrap();
        assert_eq!(next_boot(&directory).unwrap(), 2_000_000_001, "the clock was set back");
        std::fs::remove_file(directory.join("boot")).unwrap();
        assert!(next_boot(&directory).unwrap() >= first, "the directory was lost");
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn an_id_is_made_once() {
        let directory = std::env::temp_dir().join(format!("netwark-worker-{}", Uuid::now_v7()));
        std::fs::create_dir_all(&directory).unwrap();
        let id = worker_id(&directory).unwrap();
        assert_eq!(worker_id(&directory).unwrap(), id);
        std::fs::write(directory.join("worker-id"), "nonsense").unwrap();
        assert!(matches!(worker_id(&directory), Err(IdentityError::NotAnId { .. })));
        assert!(matches!(worker_id(Path::new("/nowhere/at/all")), Err(IdentityError::Io { .. })));
        std::fs::remove_dir_all(&directory).unwrap();
    }
}

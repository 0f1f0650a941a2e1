//! A worker's id: made once, kept in a file, the same across restarts and renamings.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;

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

#[cfg(test)]
mod tests {
    use super::*;

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

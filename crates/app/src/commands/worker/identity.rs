//! Who a worker is: its token and its server, kept in its data directory.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use netwark_bus::signing::SigningKey;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::failure::Failure;

/// How the token of every worker begins.
const PREFIX: &str = "nww_";

/// What enrolling or pairing leaves behind.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// URL of the server.
    pub server: String,
    /// The token.
    pub token: String,
}

impl Identity {
    /// What is kept in this directory, if anything is.
    ///
    /// # Errors
    /// When the file cannot be read or holds something else.
    pub fn load(data_dir: &Path) -> Result<Option<Self>, Failure> {
        let path = file(data_dir);
        match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|_| {
                Failure::Failed(format!(
                    "{} does not hold a worker's token; delete it and enrol the worker again",
                    path.display()
                ))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::Failed(format!("{} cannot be read: {error}", path.display()))),
        }
    }

    /// Keeps it in this directory, for its owner alone.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, data_dir: &Path) -> Result<(), Failure> {
        let path = file(data_dir);
        let fresh = path.with_extension("new");
        let written = || -> io::Result<()> {
            match std::fs::remove_file(&fresh) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&fresh)?;
            serde_json::to_writer(&mut file, self)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            std::fs::rename(&fresh, &path)
        };
        written().map_err(|error| Failure::Failed(format!("{} cannot be written: {error}", path.display())))
    }
}

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("worker-token")
}

/// The worker that a token names.
///
/// # Errors
/// When it is no token of a worker.
pub fn worker_of(token: &str) -> Result<Uuid, Failure> {
    let id = token.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_'));
    id.and_then(|(id, _)| Uuid::try_parse(id).ok()).ok_or_else(|| {
        Failure::Usage(
            "the token is none of a worker: it begins with nww_, and enrolling the worker makes it".into(),
        )
    })
}

/// The key a worker signs its reports with, made when there is none.
///
/// # Errors
/// When it cannot be read or written, or others may read it.
pub fn signing_key(data_dir: &Path) -> Result<SigningKey, Failure> {
    SigningKey::load_or_create(&data_dir.join("worker.key")).map_err(Failure::failed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_identity_is_kept_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        assert!(Identity::load(directory.path()).unwrap().is_none());
        for token in ["nww_one", "nww_two"] {
            let identity = Identity { server: "https://example.org".into(), token: token.into() };
            identity.keep(directory.path()).unwrap();
            assert!(Identity::load(directory.path()).unwrap() == Some(identity));
        }
        let path = directory.path().join("worker-token");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "nonsense").unwrap();
        assert!(Identity::load(directory.path()).is_err());
    }

    #[test]
    fn a_token_names_its_worker() {
        let id = Uuid::now_v7();
        assert_eq!(worker_of(&format!("nww_{}_secret", id.simple())).unwrap(), id);
        for token in ["", "nww_", "nwk_x", "nww_x_y"] {
            assert!(worker_of(token).is_err(), "{token}");
        }
    }
}

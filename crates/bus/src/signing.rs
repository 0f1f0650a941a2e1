//! Reports signed by the worker that makes them.
//!
//! On a broker everybody who may write reports could write those of another worker. So each worker
//! has an Ed25519 key of its own (RFC 8032), whose public half the server knows since its enrolment.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Stands in front of every signed report, so that a signature made for something else is none.
const DOMAIN: &[u8] = b"netwark report v2\n";
/// Bytes of a public key.
const PUBLIC_KEY: usize = 32;
/// Most bytes of a key file that is read; a key has about a hundred.
const LARGEST_FILE: u64 = 4096;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the key {path} cannot be read or written: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Others on this machine may read it.
    #[error("the key {path} may be read by others; run chmod 600 {path}")]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// What the file holds is no Ed25519 key.
    #[error(
        "{path} holds no Ed25519 key (PKCS #8); put back a copy, or delete it and enrol the worker again"
    )]
    Broken {
        /// The file.
        path: PathBuf,
    },
    /// The machine has no random numbers.
    #[error("no key could be made: the machine gives no random numbers")]
    NoRandomness,
}

/// Why a public key is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an Ed25519 public key is 32 bytes in base64; this is not")]
pub struct NoPublicKey;

/// The signature is not from the holder of the key, or not of these bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not fit")]
pub struct Forged;

/// A worker's key.
#[derive(Debug)]
pub struct SigningKey {
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// The key in this file; made first when there is none. Only its owner may read the file.
    ///
    /// # Errors
    /// When the file cannot be read or written, holds something else, or others may read it.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        match Self::load(path) {
            Err(KeyError::File { error, .. }) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::NoRandomness)?;
        let document = pair.to_pkcs8().map_err(|_| KeyError::NoRandomness)?;
        let failed = |error| KeyError::File { path: path.into(), error };
        match place(path, document.as_ref()) {
            // Another process was faster; there is one key per directory.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::load(path),
            Err(error) => Err(failed(error)),
            Ok(()) => Ok(Self { pair }),
        }
    }

    /// The key in this file.
    ///
    /// # Errors
    /// As [`Self::load_or_create`], and when there is no file.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let failed = |error| KeyError::File { path: path.into(), error };
        let metadata = fs::metadata(path).map_err(failed)?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(KeyError::Open { path: path.into() });
        }
        if metadata.len() > LARGEST_FILE {
            return Err(KeyError::Broken { path: path.into() });
        }
        let bytes = fs::read(path).map_err(failed)?;
        let pair = Ed25519KeyPair::from_pkcs8(&bytes).map_err(|_| KeyError::Broken { path: path.into() })?;
        Ok(Self { pair })
    }

    /// The public half, as base64 of its 32 bytes.
    pub fn public_key(&self) -> String {
        STANDARD.encode(self.pair.public_key().as_ref())
    }

    /// The signature of a report's bytes.
    pub fn sign(&self, body: &[u8]) -> Vec<u8> {
        self.pair.sign(&[DOMAIN, body].concat()).as_ref().to_vec()
    }
}

/// Checks that some text is a public key, and gives its usual spelling.
///
/// # Errors
/// When it is not 32 bytes in base64.
pub fn public_key(text: &str) -> Result<String, NoPublicKey> {
    let bytes = STANDARD.decode(text.trim()).map_err(|_| NoPublicKey)?;
    if bytes.len() != PUBLIC_KEY || ParsedPublicKey::new(&ED25519, &bytes).is_err() {
        return Err(NoPublicKey);
    }
    Ok(STANDARD.encode(bytes))
}

/// Checks that the holder of this public key signed a report of these bytes.
///
/// # Errors
/// When the signature does not fit, whatever the reason; a key that is none fits nothing.
pub fn verify(public_key: &str, body: &[u8], signature: &[u8]) -> Result<(), Forged> {
    let key = STANDARD.decode(public_key.trim()).map_err(|_| Forged)?;
    let key = ParsedPublicKey::new(&ED25519, &key).map_err(|_| Forged)?;
    key.verify_sig(&[DOMAIN, body].concat(), signature).map_err(|_| Forged)
}

/// Writes a new file that is there with all its bytes or not at all, and overwrites none.
fn place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension(format!("{:016x}.new", rand::random::<u64>()));
    let mut options = OpenOptions::new();
    let linked = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        // Unlike a rename, a link never replaces a file that is there.
        .and_then(|()| fs::hard_link(&unfinished, path));
    let removed = fs::remove_file(&unfinished);
    linked.and(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> (tempfile::TempDir, PathBuf, SigningKey) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("worker.key");
        let key = SigningKey::load_or_create(&path).unwrap();
        (directory, path, key)
    }

    #[test]
    fn a_signature_fits_its_key_and_its_bytes_only() {
        let (_a, _, key) = key();
        let (_b, _, other) = super::tests::key();
        let signature = key.sign(b"alive");
        assert_eq!(verify(&key.public_key(), b"alive", &signature), Ok(()));
        assert_eq!(verify(&key.public_key(), b"Alive", &signature), Err(Forged));
        assert_eq!(verify(&other.public_key(), b"alive", &signature), Err(Forged));
        assert_eq!(verify(&key.public_key(), b"alive", &other.sign(b"alive")), Err(Forged));
        assert_eq!(verify(&key.public_key(), b"alive", signature.get(1..).unwrap()), Err(Forged));
        assert_eq!(verify(&key.public_key(), b"alive", b""), Err(Forged));
        assert_eq!(verify("", b"alive", &signature), Err(Forged));
        assert_eq!(verify("?", b"alive", &signature), Err(Forged));
    }

    #[test]
    fn a_signature_without_the_domain_is_none() {
        let (_directory, _, key) = key();
        let bare = key.pair.sign(b"alive");
        assert_eq!(verify(&key.public_key(), b"alive", bare.as_ref()), Err(Forged));
    }

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let (directory, path, key) = key();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(SigningKey::load_or_create(&path).unwrap().public_key(), key.public_key());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no draft is left");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(SigningKey::load_or_create(&path), Err(KeyError::Open { .. })));
    }

    #[test]
    fn a_truncated_key_is_refused_and_kept() {
        let (_directory, path, _key) = key();
        let whole = fs::read(&path).unwrap();
        for length in [0, 1, whole.len() / 2, whole.len() - 1] {
            fs::write(&path, whole.get(..length).unwrap()).unwrap();
            assert!(matches!(SigningKey::load_or_create(&path), Err(KeyError::Broken { .. })), "{length}");
            assert_eq!(fs::metadata(&path).unwrap().len(), u64::try_from(length).unwrap());
        }
    }

    #[test]
    fn public_keys_are_checked_and_spelled_alike() {
        let (_directory, _, key) = key();
        assert_eq!(public_key(&format!(" {}\n", key.public_key())), Ok(key.public_key()));
        for wrong in ["", "AAAA", "not base64!", &STANDARD.encode([7; 33])] {
            assert_eq!(public_key(wrong), Err(NoPublicKey), "{wrong}");
        }
    }
}

//! The key under which stored secrets are sealed (`server.secret_key`).
//!
//! Passwords and tokens are only ever compared, so they are hashed. What the server must present to
//! others, such as the password of a mail server, has to be readable again: it is sealed with
//! AES-256-GCM under a key that stands in a file beside the database, never in it. The file holds
//! one key a line, 32 bytes in base64url: the first seals, all open. To change the key, put a new
//! line on top and keep the old ones below.
//!
//! A sealed text is `v1.ID.DATA`: the id of its key, then nonce and ciphertext. The context it was
//! sealed for is authenticated with it, so that one sealed text cannot stand in another's place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use netwark_store::{Store, StoreError};
use sha2::{Digest, Sha256};

/// Name of the setting that holds a known text, sealed.
const CHECK: &str = "secret_key_check";
const CHECK_TEXT: &[u8] = b"netwark";
const VERSION: &str = "v1";
const NONCE_LEN: usize = 12;
/// A file of keys is never larger.
const MAX_FILE: u64 = 64 * 1024;

/// What can be wrong with the key.
#[derive(Debug, thiserror::Error)]
pub enum SecretKeyError {
    /// The database was used with another key.
    #[error(
        "server.secret_key {path} holds the wrong key: this database is sealed under key {wanted}, the file has {found}; \
         put back the file that belongs to the database"
    )]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Id of the key the database needs.
        wanted: String,
        /// Ids of the keys in the file.
        found: String,
    },
    /// The database was used with a key, and the file is gone.
    #[error(
        "server.secret_key {path} is missing, and this database is sealed under key {wanted}; \
         put back the file that belongs to the database"
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// Id of the key the database needs.
        wanted: String,
    },
    /// The file is no file of keys.
    #[error(
        "server.secret_key {path} is not understood: {reason}; it should hold one key a line, 32 bytes in base64url"
    )]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file cannot be read or made.
    #[error("server.secret_key {path} cannot be {verb}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        verb: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// What is stored to check the key cannot be read.
    #[error("the check value of server.secret_key in the database is damaged: {0}")]
    Check(#[source] OpenError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a sealed text does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It was sealed under a key that is not in the file.
    #[error("it was sealed under key {0}, which server.secret_key does not hold")]
    UnknownKey(String),
    /// It is no sealed text.
    #[error("it is no sealed text")]
    Malformed,
    /// It was changed, or sealed for another purpose.
    #[error("it was changed, or belongs elsewhere")]
    Forged,
}

/// The keys of a server. Its `Debug` form shows their ids only.
#[derive(Clone)]
pub struct SecretKey {
    current: Key,
    old: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    id: String,
    cipher: Aes256Gcm,
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretKey").field("ids", &self.ids()).finish_non_exhaustive()
    }
}

impl SecretKey {
    /// Reads the file, makes it when neither it nor anything sealed exists, and makes sure that it
    /// is the key of this database. Never overwrites a file.
    ///
    /// # Errors
    /// When the key is not the one the database needs, or the file cannot be read or made.
    pub async fn open(path: &Path, store: &Store) -> Result<Self, SecretKeyError> {
        let check = store.setting(CHECK).await?;
        let key = match (read(path)?, &check) {
            (Some(key), _) => key,
            (None, Some(check)) => {
                let wanted = key_id(check).unwrap_or("?").to_owned();
                return Err(SecretKeyError::Missing { path: path.to_owned(), wanted });
            }
            (None, None) => create(path)?,
        };
        let check = match check {
            Some(check) => check,
            None => store.add_setting(CHECK, &key.seal(CHECK, CHECK_TEXT)).await?,
        };
        match key.unseal(CHECK, &check) {
            Ok(text) if text == CHECK_TEXT => {}
            Ok(_) => return Err(SecretKeyError::Check(OpenError::Malformed)),
            Err(OpenError::UnknownKey(wanted)) => {
                return Err(SecretKeyError::Wrong { path: path.to_owned(), wanted, found: key.ids() });
            }
            Err(error) => return Err(SecretKeyError::Check(error)),
        }
        if key_id(&check) != Some(key.current.id.as_str()) {
            store.replace_setting(CHECK, &key.seal(CHECK, CHECK_TEXT)).await?;
        }
        Ok(key)
    }

    /// Seals a secret for a context, such as the id and field of what it belongs to.
    pub fn seal(&self, context: &str, secret: &[u8]) -> String {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let payload = Payload { msg: secret, aad: context.as_bytes() };
        let mut data = nonce.to_vec();
        // Fails only beyond 64 GiB; an empty ciphertext would open as forged, never as something else.
        let sealed = self.current.cipher.encrypt(&Nonce::from(nonce), payload).unwrap_or_default();
        data.extend(sealed);
        format!("{VERSION}.{}.{}", self.current.id, URL_SAFE_NO_PAD.encode(data))
    }

    /// Opens what was sealed for this context, under the current key or an old one.
    ///
    /// # Errors
    /// When no key fits, or the text was changed or sealed for another context.
    pub fn unseal(&self, context: &str, sealed: &str) -> Result<Vec<u8>, OpenError> {
        let id = key_id(sealed).ok_or(OpenError::Malformed)?;
        let data = sealed.rsplit('.').next().ok_or(OpenError::Malformed)?;
        let data = URL_SAFE_NO_PAD.decode(data).map_err(|_| OpenError::Malformed)?;
        let (nonce, data) = data.split_first_chunk::<NONCE_LEN>().ok_or(OpenError::Malformed)?;
        let mut keys = std::iter::once(&self.current).chain(&self.old);
        let key = keys.find(|key| key.id == id).ok_or_else(|| OpenError::UnknownKey(id.to_owned()))?;
        let payload = Payload { msg: data, aad: context.as_bytes() };
        key.cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| OpenError::Forged)
    }

    fn ids(&self) -> String {
        let ids: Vec<_> =
            std::iter::once(&self.current).chain(&self.old).map(|key| key.id.as_str()).collect();
        ids.join(", ")
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut keys = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            let bytes = URL_SAFE_NO_PAD
                .decode(line)
                .ok()
                .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
                .ok_or_else(|| format!("line {} is no key", number + 1))?;
            keys.push(Key::new(&bytes));
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or("it holds no key")?;
        Ok(Self { current, old: keys.collect() })
    }
}

impl Key {
    fn new(bytes: &[u8; 32]) -> Self {
        let digest = Sha256::new().chain_update(b"netwark key id").chain_update(bytes).finalize();
        let id = URL_SAFE_NO_PAD.encode(&digest[..6]);
        Self { id, cipher: Aes256Gcm::new(bytes.into()) }
    }
}

/// The id of the key a text was sealed under.
fn key_id(sealed: &str) -> Option<&str> {
    let mut parts = sealed.split('.');
    let (version, id, _) = (parts.next()?, parts.next()?, parts.next()?);
    (version == VERSION && parts.next().is_none()).then_some(id)
}

fn read(path: &Path) -> Result<Option<SecretKey>, SecretKeyError> {
    let failed = |source| SecretKeyError::File { path: path.to_owned(), verb: "read", source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if file.metadata().map_err(failed)?.permissions().mode() & 0o007 != 0 {
        tracing::warn!(path = %path.display(), "everybody on this machine can read server.secret_key; chmod 600 it");
    }
    let mut text = String::new();
    file.take(MAX_FILE).read_to_string(&mut text).map_err(failed)?;
    let key = SecretKey::parse(&text)
        .map_err(|reason| SecretKeyError::Content { path: path.to_owned(), reason })?;
    Ok(Some(key))
}

/// Makes the file. It appears whole or not at all, and when another process was quicker its file
/// stands and is read.
fn create(path: &Path) -> Result<SecretKey, SecretKeyError> {
    let failed = |source| SecretKeyError::File { path: path.to_owned(), verb: "made", source };
    let bytes: [u8; 32] = rand::random();
    let unfinished = path.with_extension(format!("{:016x}.new", rand::random::<u64>()));
    let written = write_new(&unfinished, &format!("{}\n", URL_SAFE_NO_PAD.encode(bytes)));
    // Unlike a rename, a link never replaces a file that is there.
    let linked = written.and_then(|()| fs::hard_link(&unfinished, path));
    let removed = fs::remove_file(&unfinished);
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return read(path)?.ok_or_else(|| failed(error));
        }
        Err(error) => return Err(failed(error)),
    }
    removed.map_err(failed)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)?;
    Ok(SecretKey { current: Key::new(&bytes), old: Vec::new() })
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use netwark_store::StoreOptions;

    use super::*;

    async fn store(directory: &Path, name: &str) -> Store {
        let url = format!("sqlite://{}", directory.join(name).display());
        Store::open(&StoreOptions::new(url)).await.unwrap()
    }

    fn key() -> SecretKey {
        SecretKey { current: Key::new(&rand::random()), old: Vec::new() }
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let key = key();
        let sealed = key.seal("channels/1/password", b"hunter2");
        assert!(!sealed.contains("hunter2"));
        assert_ne!(sealed, key.seal("channels/1/password", b"hunter2"));
        assert_eq!(key.unseal("channels/1/password", &sealed).unwrap(), b"hunter2");
        assert_eq!(key.unseal("channels/2/password", &sealed), Err(OpenError::Forged));
        let stranger = self::key();
        assert!(matches!(stranger.unseal("channels/1/password", &sealed), Err(OpenError::UnknownKey(_))));
        for bad in ["", "v1", "v1.x", "v2.x.AAAA", "v1.x.AAAA.y", "v1.x.%%%", "v1.x.AAAA"] {
            assert!(key.unseal("c", bad).is_err(), "{bad}");
        }
        let (head, data) = sealed.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(data).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        let forged = format!("{head}.{}", URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(key.unseal("channels/1/password", &forged), Err(OpenError::Forged));
    }

    #[tokio::test]
    async fn the_key_is_made_once_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret_key");
        let store = store(directory.path(), "a.db").await;
        let key = SecretKey::open(&path, &store).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        let again = SecretKey::open(&path, &store).await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(again.unseal("c", &key.seal("c", b"x")).unwrap(), b"x");
        assert!(!format!("{key:?}").contains(text.trim()));
        let left: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".new"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[tokio::test]
    async fn a_wrong_or_lost_key_is_one_clear_error() {
        let directory = tempfile::tempdir().unwrap();
        let (path, other) = (directory.path().join("secret_key"), directory.path().join("other"));
        let store_a = store(directory.path(), "a.db").await;
        let store_b = store(directory.path(), "b.db").await;
        let key = SecretKey::open(&path, &store_a).await.unwrap();
        SecretKey::open(&other, &store_b).await.unwrap();

        let wrong = SecretKey::open(&other, &store_a).await.unwrap_err();
        assert!(matches!(&wrong, SecretKeyError::Wrong { wanted, .. } if *wanted == key.ids()), "{wrong}");
        fs::remove_file(&path).unwrap();
        let missing = SecretKey::open(&path, &store_a).await.unwrap_err();
        assert!(
            matches!(&missing, SecretKeyError::Missing { wanted, .. } if *wanted == key.ids()),
            "{missing}"
        );
        assert!(!path.exists());

        fs::write(&path, "").unwrap();
        let empty = SecretKey::open(&path, &store_a).await.unwrap_err();
        assert!(empty.to_string().contains("it holds no key"), "{empty}");
        fs::write(&path, "\nshort\n").unwrap();
        let bad = SecretKey::open(&path, &store_b).await.unwrap_err();
        assert!(bad.to_string().contains("line 2 is no key"), "{bad}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "\nshort\n");
    }

    #[tokio::test]
    async fn a_new_key_on_top_opens_what_the_old_one_sealed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret_key");
        let store = store(directory.path(), "a.db").await;
        let old = SecretKey::open(&path, &store).await.unwrap();
        let sealed = old.seal("c", b"x");
        let line = fs::read_to_string(&path).unwrap();
        let new_line = URL_SAFE_NO_PAD.encode([7; 32]);
        fs::write(&path, format!("{new_line}\n{line}")).unwrap();
        let rotated = SecretKey::open(&path, &store).await.unwrap();
        assert_eq!(rotated.unseal("c", &sealed).unwrap(), b"x");
        // The check value moved to the new key, so a file without it is the wrong one now.
        fs::write(&path, line).unwrap();
        assert!(matches!(SecretKey::open(&path, &store).await, Err(SecretKeyError::Wrong { .. })));
    }
}

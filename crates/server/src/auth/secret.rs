//! Random secrets that are shown once and kept as their hash.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A secret of random bits. Its `Debug` form does not show it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// 256 random bits in base64url, behind a prefix.
    pub(crate) fn new(prefix: &str) -> Self {
        let bits: [u8; 32] = rand::random();
        Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bits)))
    }

    /// 128 random bits as 32 hexadecimal digits: survives being the end of a link in a terminal,
    /// and being typed.
    pub(crate) fn code() -> Self {
        let bits: [u8; 16] = rand::random();
        Self(format!("{:032x}", u128::from_be_bytes(bits)))
    }

    /// The secret itself, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub(crate) fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// SHA-256 of a secret. Enough for what is random, unlike passwords.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_stay_hidden() {
        let (one, two) = (Secret::new("nwk_"), Secret::new("nwk_"));
        assert_ne!(one.reveal(), two.reveal());
        assert_ne!(one.hash(), two.hash());
        assert_eq!(one.hash(), hash(one.reveal()));
        assert_eq!(one.reveal().len(), 4 + 43);
        assert!(one.reveal().starts_with("nwk_"));
        assert!(!format!("{one:?}").contains(one.reveal()));
    }

    #[test]
    fn a_code_is_32_digits() {
        let code = Secret::code();
        assert_eq!(code.reveal().len(), 32);
        assert!(code.reveal().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}

//! A certificate with its key, read from PEM files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("{} cannot be read: {reason}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The file has no certificate.
    #[error("{} holds no certificate in PEM form (BEGIN CERTIFICATE)", .0.display())]
    NoCertificate(PathBuf),
    /// The file has no key.
    #[error("{} holds no private key in PEM form; keys with a passphrase cannot be used", .0.display())]
    NoKey(PathBuf),
    /// Both were read and belong to different pairs.
    #[error("the key in {} is not the one of the certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// The file of the key.
        key: PathBuf,
        /// The file of the certificate.
        certificate: PathBuf,
    },
    /// The certificate or its key is of a kind that is not understood.
    #[error("{} cannot be used: {reason}", certificate.display())]
    Unusable {
        /// The file of the certificate.
        certificate: PathBuf,
        /// Why.
        reason: String,
    },
}

/// A certificate chain, the certificate of the server first, with its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    key: Arc<CertifiedKey>,
    not_after: Timestamp,
}

impl Certificate {
    /// Reads both files and makes sure that they belong together.
    ///
    /// # Errors
    /// Says which file is wrong and how.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let unreadable = |file: &Path, error: pem::Error| CertificateError::Unreadable {
            file: file.into(),
            reason: match error {
                pem::Error::Io(error) => error.to_string(),
                error => error.to_string(),
            },
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unreadable(certificate, error))?;
        let first = chain.first().ok_or_else(|| CertificateError::NoCertificate(certificate.into()))?;
        let unusable =
            |reason: String| CertificateError::Unusable { certificate: certificate.into(), reason };
        let not_after = not_after(first).ok_or_else(|| unusable("it is no X.509 certificate".into()))?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| match error {
            pem::Error::NoItemsFound => CertificateError::NoKey(key.into()),
            error => unreadable(key, error),
        })?;
        let pair = CertifiedKey::from_der(chain, private, &provider()).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                CertificateError::Mismatch { key: key.into(), certificate: certificate.into() }
            }
            error => unusable(error.to_string()),
        })?;
        Ok(Self { key: Arc::new(pair), not_after })
    }

    /// When it ends to be valid.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    pub(super) fn key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
    }
}

/// The cryptography of this program, whatever else is linked into it.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Tags of the DER parts that stand on the way to the end of the validity (RFC 5280, 4.1).
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When a certificate ends to be valid: `Certificate.tbsCertificate.validity.notAfter`.
fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let (_, whole, _) = part(certificate)?;
    let (tag, mut rest, _) = part(whole)?;
    if tag != SEQUENCE {
        return None;
    }
    // The version may be left out; serial number, algorithm and issuer stand before the validity.
    if rest.first() == Some(&VERSION) {
        rest = part(rest)?.2;
    }
    for _ in 0..3 {
        rest = part(rest)?.2;
    }
    let (_, validity, _) = part(rest)?;
    let (_, _, after) = part(validity)?;
    let (tag, text, _) = part(after)?;
    let text = std::str::from_utf8(text).ok()?;
    let full = match tag {
        // Two digits from 50 on are of the last century.
        UTC_TIME => format!("{}{text}", if text.get(..2)? < "50" { "20" } else { "19" }),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let time = jiff::civil::DateTime::strptime("%Y%m%d%H%M%SZ", full).ok()?;
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// The first part of some DER: its tag, what it holds, and what stands behind it.
fn part(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // Nothing of a certificate is longer than four bytes can say.
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_no_certificate() {
        for der in
            [&[][..], &[0x30], &[0x30, 0x80], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 2, 0x30, 0]]
        {
            assert_eq!(not_after(der), None, "{der:?}");
        }
    }
}

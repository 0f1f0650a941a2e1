//! Certificates in words.

use std::net::IpAddr;

use jiff::Timestamp;
use netwark_model::tools::tls::Certificate;
use sha2::{Digest, Sha256};
use x509_parser::asn1_rs::Oid;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::OidRegistry;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// Most certificates of a chain that are told.
pub(super) const MOST: usize = 10;
/// Most names of a certificate that are told.
const MOST_NAMES: usize = 100;
/// Longest text out of a certificate, in characters.
const LONGEST: usize = 300;

/// A certificate that was sent; `None` when it cannot be read.
pub(super) fn read(der: &[u8], now: Timestamp) -> Option<Certificate> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    let mut names = names(&parsed);
    let more_names = u32::try_from(names.len().saturating_sub(MOST_NAMES)).unwrap_or(u32::MAX);
    names.truncate(MOST_NAMES);
    let validity = parsed.validity();
    let not_after = Timestamp::from_second(validity.not_after.timestamp()).ok()?;
    Some(Certificate {
        subject: clip(&parsed.subject().to_string()),
        issuer: clip(&parsed.issuer().to_string()),
        names,
        more_names,
        serial: clip(&parsed.raw_serial_as_string()),
        not_before: Timestamp::from_second(validity.not_before.timestamp()).ok()?,
        not_after,
        days_left: days_left(not_after, now),
        key: key(parsed.public_key()),
        signature: name_of(&parsed.signature_algorithm.algorithm),
        authority: parsed.is_ca(),
        fingerprint: hex(&Sha256::digest(der)),
        key_fingerprint: hex(&Sha256::digest(parsed.public_key().raw)),
    })
}

/// Whole days until then, rounded down: an hour after the end is a day too late.
pub(super) fn days_left(not_after: Timestamp, now: Timestamp) -> i64 {
    (not_after.as_second() - now.as_second()).div_euclid(86_400)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn names(parsed: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = parsed.subject_alternative_name() else { return Vec::new() };
    extension.value.general_names.iter().filter_map(name).collect()
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(text) => Some(clip(text)),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => Some(IpAddr::from(*bytes.first_chunk::<4>()?).to_string()),
            16 => Some(IpAddr::from(*bytes.first_chunk::<16>()?).to_string()),
            _ => None,
        },
        GeneralName::RFC822Name(text) => Some(clip(text)),
        GeneralName::URI(text) => Some(clip(text)),
        _ => None,
    }
}

/// `RSA 2048`, `EC P-256`, `Ed25519`.
fn key(info: &SubjectPublicKeyInfo<'_>) -> String {
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        Ok(PublicKey::EC(_)) => match curve(info) {
            Some(curve) => format!("EC {curve}"),
            None => "EC".into(),
        },
        _ => name_of(&info.algorithm.algorithm),
    }
}

fn curve(info: &SubjectPublicKeyInfo<'_>) -> Option<String> {
    let oid = info.algorithm.parameters.as_ref()?.as_oid().ok()?;
    Some(match oid.to_id_string().as_str() {
        "1.2.840.10045.3.1.7" => "P-256".into(),
        "1.3.132.0.34" => "P-384".into(),
        "1.3.132.0.35" => "P-521".into(),
        other => other.to_owned(),
    })
}

/// The name of an algorithm, or its number where it has none here.
fn name_of(oid: &Oid<'_>) -> String {
    let number = oid.to_id_string();
    match number.as_str() {
        "1.3.101.112" => return "Ed25519".into(),
        "1.3.101.113" => return "Ed448".into(),
        _ => {}
    }
    let registry = OidRegistry::default().with_crypto().with_x509();
    registry.get(oid).map_or(number, |entry| entry.sn().to_owned())
}

/// Text out of a certificate, without what could confuse a terminal or a page.
fn clip(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

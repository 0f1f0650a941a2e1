//! Whether an OCSP response is to be believed (RFC 6960, section 3.2).

use std::borrow::Cow;

use aws_lc_rs::digest::{self, Algorithm};
use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::SignatureVerificationAlgorithm;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::response::{Answer, Responder, Response};
use crate::tls::der::{Reader, SEQUENCE};

/// How far a responder's clock may be ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Ways to sign that are understood.
pub(in crate::tls) type Algorithms<'a> = &'a [&'a dyn SignatureVerificationAlgorithm];

/// An authority that may have issued the certificate.
#[derive(Clone, Debug)]
pub(in crate::tls) struct Issuer<'a> {
    /// Its name in DER.
    pub(in crate::tls) name: Cow<'a, [u8]>,
    /// Its key in DER, a `SubjectPublicKeyInfo`.
    pub(in crate::tls) key: Cow<'a, [u8]>,
}

impl Issuer<'_> {
    fn key(&self) -> Option<Key<'_>> {
        Key::read(&self.key)
    }
}

/// A public key.
#[derive(Clone, Copy, Debug)]
struct Key<'a> {
    /// The content of its `AlgorithmIdentifier`.
    algorithm: &'a [u8],
    bits: &'a [u8],
}

impl<'a> Key<'a> {
    fn read(info: &'a [u8]) -> Option<Self> {
        let mut info = Reader::new(info).enter(SEQUENCE)?;
        Some(Self { algorithm: info.take(SEQUENCE)?, bits: info.take_bits()? })
    }

    /// Checks a signature; the error is what is wrong with it.
    fn check(
        self,
        algorithms: Algorithms<'_>,
        algorithm: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), &'static str> {
        let fits = |known: &&&dyn SignatureVerificationAlgorithm| {
            known.signature_alg_id().as_ref() == algorithm
                && known.public_key_alg_id().as_ref() == self.algorithm
        };
        let mut known = algorithms.iter().filter(fits).peekable();
        if known.peek().is_none() {
            return Err("it is signed in a way that is not trusted any more, or not known");
        }
        let is_right =
            known.any(|algorithm| algorithm.verify_signature(self.bits, message, signature).is_ok());
        if is_right { Ok(()) } else { Err("its signature is wrong") }
    }
}

/// What a response says of a certificate, whether it is to be believed or not, and why it is not.
pub(super) fn judge<'a>(
    response: &Response<'a>,
    leaf: &X509Certificate<'_>,
    issuers: &[Issuer<'_>],
    algorithms: Algorithms<'_>,
    now: Timestamp,
) -> (Option<Answer<'a>>, Result<(), String>) {
    if issuers.is_empty() {
        let told = "the certificate of the authority was not sent, so that it cannot be checked";
        return (response.answers.first().copied(), Err(told.into()));
    }
    let about = issuers.iter().find_map(|issuer| {
        let mut answers = response.answers.iter();
        Some((issuer, answers.find(|answer| is_about(answer, leaf, issuer))?))
    });
    let Some((issuer, answer)) = about else {
        return (response.answers.first().copied(), Err("it is about another certificate".into()));
    };
    let signed = signed(response, issuer, algorithms, now).map_err(str::to_owned);
    (Some(*answer), signed.and_then(|()| timely(answer, now)))
}

fn is_about(answer: &Answer<'_>, leaf: &X509Certificate<'_>, issuer: &Issuer<'_>) -> bool {
    let (Some(hash), Some(key)) = (hash(answer.hash), issuer.key()) else { return false };
    answer.serial == leaf.raw_serial()
        && answer.issuer_name == digest::digest(hash, &issuer.name).as_ref()
        && answer.issuer_key == digest::digest(hash, key.bits).as_ref()
}

/// The hash behind an object identifier. SHA-1 is what most have; a name and a key are only found by it, not trusted.
fn hash(oid: &[u8]) -> Option<&'static Algorithm> {
    Some(match oid {
        [0x2b, 0x0e, 0x03, 0x02, 0x1a] => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01] => &digest::SHA256,
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02] => &digest::SHA384,
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03] => &digest::SHA512,
        _ => return None,
    })
}

/// Checks that the authority has signed it, or somebody to whom it gave that task.
fn signed(
    response: &Response<'_>,
    issuer: &Issuer<'_>,
    algorithms: Algorithms<'_>,
    now: Timestamp,
) -> Result<(), &'static str> {
    let check = |key: Key<'_>| key.check(algorithms, response.algorithm, response.signed, response.signature);
    let own = issuer.key().ok_or("the key of the authority cannot be read")?;
    if is_responder(response.responder, &issuer.name, own) {
        return check(own);
    }
    let mut why = "neither the authority nor somebody it has named has signed it";
    for der in &response.certificates {
        let Ok((_, certificate)) = X509Certificate::from_der(der) else { continue };
        let Some(key) = Key::read(certificate.public_key().raw) else { continue };
        if !is_responder(response.responder, certificate.subject().as_raw(), key) {
            continue;
        }
        match delegated(der, &certificate, issuer, own, algorithms, now) {
            Ok(()) => return check(key),
            Err(told) => why = told,
        }
    }
    Err(why)
}

fn is_responder(responder: Responder<'_>, name: &[u8], key: Key<'_>) -> bool {
    match responder {
        Responder::Name(told) => told == name,
        Responder::Key(told) => told == digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, key.bits).as_ref(),
    }
}

/// Checks that the authority gave the task to the holder of this certificate (RFC 6960, section 4.2.2.2).
fn delegated(
    der: &[u8],
    certificate: &X509Certificate<'_>,
    issuer: &Issuer<'_>,
    own: Key<'_>,
    algorithms: Algorithms<'_>,
    now: Timestamp,
) -> Result<(), &'static str> {
    if certificate.issuer().as_raw() != &*issuer.name {
        return Err("it is signed by somebody whom the authority of the certificate does not know");
    }
    let purposes = certificate.extended_key_usage().ok().flatten();
    if !purposes.is_some_and(|purposes| purposes.value.ocsp_signing) {
        return Err("the certificate of who signed it is not for signing OCSP");
    }
    let validity = certificate.validity();
    if !(validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now.as_second()) {
        return Err("the certificate of who signed it has ended or not begun");
    }
    let parts = || {
        let mut parts = Reader::new(der).enter(SEQUENCE)?;
        Some((parts.next()?.whole, parts.take(SEQUENCE)?, parts.take_bits()?))
    };
    let (message, algorithm, signature) = parts().ok_or("the certificate of who signed it cannot be read")?;
    own.check(algorithms, algorithm, message, signature)
        .map_err(|_| "the certificate of who signed it was not signed by the authority")
}

/// Checks that it is true now.
fn timely(answer: &Answer<'_>, now: Timestamp) -> Result<(), String> {
    let Some(this_update) = answer.this_update else { return Err("it does not say when it was true".into()) };
    if this_update.duration_since(now) > AHEAD {
        return Err(format!("it is of {}, which is yet to come", minute(this_update)));
    }
    match answer.next_update.filter(|next| *next < now) {
        Some(next) => Err(format!("it was to be renewed by {}", minute(next))),
        None => Ok(()),
    }
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

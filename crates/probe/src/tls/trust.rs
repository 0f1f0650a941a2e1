//! Whether certificates are trusted for a name, and every reason why not.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use netwark_model::tools::tls::{OcspStaple, TrustProblem, TrustProblemKind};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, OtherError, RootCertStore};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Version;

use super::der;
use super::ocsp::{self, Issuer};

/// Most names of a certificate that a reason tells.
const NAMED: usize = 3;

/// Whom a worker trusts: the roots of its system, read once, or others. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Trust {
    roots: Arc<OnceLock<Arc<RootCertStore>>>,
    provider: Arc<CryptoProvider>,
}

impl Trust {
    /// The roots of the system, which are read when they are needed first.
    pub fn system() -> Self {
        Self { roots: Arc::default(), provider: Arc::new(aws_lc_rs::default_provider()) }
    }

    /// These roots alone.
    pub fn in_roots(roots: RootCertStore) -> Self {
        let system = Self::system();
        // Nobody else has seen the cell, so that it is empty.
        let _ = system.roots.set(Arc::new(roots));
        system
    }

    pub(super) fn provider(&self) -> &Arc<CryptoProvider> {
        &self.provider
    }

    fn roots(&self) -> &RootCertStore {
        self.roots.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::warn!(%error, "some of the system's trusted certificates cannot be read");
            }
            roots.add_parsable_certificates(found.certs);
            Arc::new(roots)
        })
    }

    /// What a stapled response says of the first of these certificates.
    pub(super) fn staple(
        &self,
        response: &[u8],
        chain: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Option<OcspStaple> {
        let (leaf, rest) = chain.split_first()?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        ocsp::read(response, leaf, &self.issuers(leaf, rest), algorithms, now)
    }

    /// Whoever has the name of the authority of a certificate: among those that were sent along, and among the roots.
    fn issuers(&self, leaf: &CertificateDer<'_>, rest: &[CertificateDer<'_>]) -> Vec<Issuer<'static>> {
        let Some(leaf) = read(leaf) else { return Vec::new() };
        let wanted = leaf.issuer().as_raw();
        let sent = rest.iter().filter_map(|one| {
            let parsed = read(one).filter(|parsed| parsed.subject().as_raw() == wanted)?;
            Some(Issuer { name: wanted.to_vec().into(), key: parsed.public_key().raw.to_vec().into() })
        });
        let roots = self.roots().roots.iter().filter(|root| der::sequence(&root.subject) == wanted);
        let roots = roots.map(|root| Issuer {
            name: wanted.to_vec().into(),
            key: der::sequence(&root.subject_public_key_info).into(),
        });
        sent.chain(roots).collect()
    }

    /// Every reason not to trust these certificates, as they were sent, for a name.
    pub(super) fn problems(
        &self,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: Option<&OcspStaple>,
        now: Timestamp,
    ) -> Vec<TrustProblem> {
        let Some((leaf, rest)) = chain.split_first() else {
            return vec![problem(TrustProblemKind::Other, "no certificate was sent")];
        };
        let parsed = match ParsedCertificate::try_from(leaf) {
            Ok(parsed) => parsed,
            Err(error) => return vec![self.of_error(&error, chain)],
        };
        let mut problems = Vec::new();
        if let Err(error) = verify_server_name(&parsed, name) {
            problems.push(wrong_name(leaf, name, &error));
        }
        let algorithms = self.provider.signature_verification_algorithms.all;
        let signed = |at: Timestamp| {
            verify_server_cert_signed_by_trust_anchor(&parsed, self.roots(), rest, unix(at), algorithms)
        };
        let mut result = signed(now);
        if let Some((dates, inside)) = out_of_date(leaf, "the certificate", now) {
            problems.push(dates);
            // The dates hide everything else that may be wrong.
            result = signed(inside);
        }
        match result {
            Ok(()) => {}
            Err(error) if is_date(&error) => {
                let others = rest.iter().filter_map(|one| {
                    let subject = read(one)?.subject().to_string();
                    Some(out_of_date(one, &format!("the certificate of the authority '{subject}'"), now)?.0)
                });
                let before = problems.len();
                problems.extend(others);
                if problems.len() == before {
                    problems.push(self.of_error(&error, chain));
                }
            }
            Err(_) if self.roots().is_empty() => problems.push(problem(
                TrustProblemKind::UnknownRoot,
                "this worker has no trusted roots at all; install the package ca-certificates",
            )),
            Err(error) => problems.push(self.of_error(&error, chain)),
        }
        if let Some(staple) = ocsp.filter(|staple| staple.trusted && staple.status == "revoked") {
            let when = staple.revoked_at.map(|at| format!(" on {}", day(at))).unwrap_or_default();
            problems.push(problem(TrustProblemKind::Revoked, format!("its authority revoked it{when}")));
        }
        problems
    }

    /// What an error of the verification means, in words.
    fn of_error(&self, error: &Error, chain: &[CertificateDer<'_>]) -> TrustProblem {
        let Error::InvalidCertificate(error) = error else {
            return problem(TrustProblemKind::Other, error.to_string());
        };
        match error {
            CertificateError::UnknownIssuer => unknown_issuer(chain),
            CertificateError::BadSignature => {
                problem(TrustProblemKind::BadSignature, "a certificate of the chain has a wrong signature")
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                problem(TrustProblemKind::WrongPurpose, "the certificate is not for servers")
            }
            CertificateError::BadEncoding => {
                problem(TrustProblemKind::Other, "the certificate cannot be read")
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                problem(TrustProblemKind::Expired, "a certificate of the chain has ended")
            }
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => problem(
                TrustProblemKind::Other,
                "a certificate of the chain is signed in a way that is not trusted any more",
            ),
            other => {
                self.of_nature(chain).unwrap_or_else(|| problem(TrustProblemKind::Other, in_words(other)))
            }
        }
    }

    /// What about the certificate itself is refused, where the error has no name of its own. Devices and people who make
    /// a certificate by themselves mostly make one of an authority, or one of the first version.
    fn of_nature(&self, chain: &[CertificateDer<'_>]) -> Option<TrustProblem> {
        let leaf = read(chain.first()?)?;
        let known =
            self.roots().roots.iter().any(|root| der::sequence(&root.subject) == leaf.subject().as_raw());
        if leaf.issuer().as_raw() == leaf.subject().as_raw() && !known {
            return Some(problem(TrustProblemKind::SelfSigned, "the certificate is signed by itself"));
        }
        if leaf.is_ca() {
            let text = "the certificate is that of an authority and not that of a server";
            return Some(problem(TrustProblemKind::WrongPurpose, text));
        }
        let old = chain.iter().filter_map(read).any(|one| one.version() != X509Version::V3);
        let text =
            "a certificate of the chain has an old form, before version 3, which is not trusted any more";
        old.then(|| problem(TrustProblemKind::Other, text))
    }
}

fn problem(kind: TrustProblemKind, text: impl Into<String>) -> TrustProblem {
    TrustProblem { kind, text: text.into() }
}

fn read<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(der).ok().map(|(_, parsed)| parsed)
}

fn unix(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0)))
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// What is wrong with the dates of a certificate, and a time at which nothing is.
fn out_of_date(der: &CertificateDer<'_>, what: &str, now: Timestamp) -> Option<(TrustProblem, Timestamp)> {
    let validity = read(der)?.validity().clone();
    let (first, last) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    let at = now.as_second();
    let days = |seconds: i64| match seconds / 86_400 {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    let (kind, text, inside) = if at > last {
        let text =
            format!("{what} ended {} ago, on {}", days(at - last), day(Timestamp::from_second(last).ok()?));
        (TrustProblemKind::Expired, text, last)
    } else if at < first {
        let text =
            format!("{what} begins in {}, on {}", days(first - at), day(Timestamp::from_second(first).ok()?));
        (TrustProblemKind::NotYetValid, text, first)
    } else {
        return None;
    };
    Some((problem(kind, text), Timestamp::from_second(inside).ok()?))
}

fn is_date(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
        )
    )
}

fn wrong_name(leaf: &CertificateDer<'_>, name: &ServerName<'_>, error: &Error) -> TrustProblem {
    let names =
        super::certificate::read(leaf, Timestamp::UNIX_EPOCH).map(|one| one.names).unwrap_or_default();
    let wanted = name.to_str();
    let text = match names.as_slice() {
        [] => format!("the certificate names no host, so it is not for {wanted}"),
        names => {
            let more = names.len().saturating_sub(NAMED);
            let mut told: Vec<_> = names.iter().take(NAMED).cloned().collect();
            if more > 0 {
                told.push(format!("{more} more"));
            }
            format!("the certificate is for {}, not for {wanted}", crate::words::list(&told))
        }
    };
    match error {
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => problem(TrustProblemKind::WrongName, text),
        other => problem(TrustProblemKind::WrongName, other.to_string()),
    }
}

/// The name of an error that has no words: `NameConstraintViolation` is "name constraint violation".
fn in_words(error: &CertificateError) -> String {
    let CertificateError::Other(OtherError(inner)) = error else { return error.to_string() };
    let name = inner.to_string();
    if !name.chars().all(char::is_alphanumeric) {
        return name;
    }
    let mut words = String::from("the chain is refused:");
    for c in name.chars() {
        if c.is_uppercase() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

/// Where the way from the certificate to a known root breaks off.
fn unknown_issuer(chain: &[CertificateDer<'_>]) -> TrustProblem {
    let parsed: Vec<_> = chain.iter().filter_map(read).collect();
    let Some(leaf) = parsed.first() else {
        return problem(TrustProblemKind::Other, "the certificate cannot be read");
    };
    let mut last = leaf;
    // No way is longer than the chain.
    for _ in 0..parsed.len() {
        if last.issuer().as_raw() == last.subject().as_raw() {
            break;
        }
        match parsed.iter().find(|other| other.subject().as_raw() == last.issuer().as_raw()) {
            Some(issuer) => last = issuer,
            None => break,
        }
    }
    let own = last.issuer().as_raw() == last.subject().as_raw();
    if own && std::ptr::eq(last, leaf) {
        return problem(TrustProblemKind::SelfSigned, "the certificate is signed by itself");
    }
    let issuer = last.issuer();
    if own {
        return problem(
            TrustProblemKind::UnknownRoot,
            format!("its chain ends in the root '{issuer}', which this worker does not trust"),
        );
    }
    let text = format!(
        "it is signed by '{issuer}', whose certificate was not sent and is no root that this worker trusts"
    );
    problem(TrustProblemKind::MissingIntermediate, text)
}

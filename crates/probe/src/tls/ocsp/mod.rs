//! What a stapled OCSP response says of a certificate, and whether that is to be believed (RFC 6960).

mod response;
#[cfg(test)]
mod tests;
mod verify;

use jiff::Timestamp;
use netwark_model::tools::tls::OcspStaple;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use self::response::State;
pub(super) use self::verify::{Algorithms, Issuer};

/// Reads and checks a stapled response; nothing was stapled when there are no bytes. `issuers` may have issued the
/// certificate.
pub(super) fn read(
    bytes: &[u8],
    leaf: &[u8],
    issuers: &[Issuer<'_>],
    algorithms: Algorithms<'_>,
    now: Timestamp,
) -> Option<OcspStaple> {
    if bytes.is_empty() {
        return None;
    }
    let unread = |status: &str| OcspStaple { status: status.into(), ..OcspStaple::default() };
    let response = match response::read(bytes) {
        Ok(response) => response,
        Err(why) => return Some(unread(why)),
    };
    let Ok((_, leaf)) = X509Certificate::from_der(leaf) else {
        return Some(OcspStaple {
            problem: Some("the certificate cannot be read".into()),
            ..unread("unknown")
        });
    };
    let (answer, judged) = verify::judge(&response, &leaf, issuers, algorithms, now);
    // A response without any answer is not read.
    let answer = answer?;
    let (status, revoked_at) = match answer.state {
        State::Good => ("good", None),
        State::Revoked(at) => ("revoked", at),
        State::Unknown => ("unknown", None),
    };
    Some(OcspStaple {
        status: status.into(),
        trusted: judged.is_ok(),
        problem: judged.err(),
        this_update: answer.this_update,
        next_update: answer.next_update,
        revoked_at,
    })
}

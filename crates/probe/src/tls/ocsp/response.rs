//! The parts of an OCSP response (RFC 6960, section 4.2).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::tls::der::{Reader, SEQUENCE};

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const ENUMERATED: u8 = 0x0a;
const TIME: u8 = 0x18;
/// Most answers, and most certificates, of a response that are looked at.
const MOST: usize = 32;

/// Tags of a context: `[n]` constructed, and `[n]` primitive.
const fn constructed(number: u8) -> u8 {
    0xa0 | number
}
const fn primitive(number: u8) -> u8 {
    0x80 | number
}

/// A response that says something.
#[derive(Debug)]
pub(super) struct Response<'a> {
    /// What is signed.
    pub(super) signed: &'a [u8],
    /// How it is signed: the content of an `AlgorithmIdentifier`.
    pub(super) algorithm: &'a [u8],
    /// The signature.
    pub(super) signature: &'a [u8],
    /// Who says so.
    pub(super) responder: Responder<'a>,
    /// What is said of each certificate.
    pub(super) answers: Vec<Answer<'a>>,
    /// Certificates that were sent along.
    pub(super) certificates: Vec<&'a [u8]>,
}

/// Who signs a response.
#[derive(Clone, Copy, Debug)]
pub(super) enum Responder<'a> {
    /// By its name, in DER.
    Name(&'a [u8]),
    /// By the SHA-1 of its key.
    Key(&'a [u8]),
}

/// What is said of one certificate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer<'a> {
    /// The hash of the two below, an object identifier.
    pub(super) hash: &'a [u8],
    /// The hash of the issuer's name.
    pub(super) issuer_name: &'a [u8],
    /// The hash of the issuer's key.
    pub(super) issuer_key: &'a [u8],
    /// The number of the certificate, as it stands in it.
    pub(super) serial: &'a [u8],
    pub(super) state: State,
    pub(super) this_update: Option<Timestamp>,
    pub(super) next_update: Option<Timestamp>,
}

/// The state of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Good,
    Revoked(Option<Timestamp>),
    Unknown,
}

/// Reads a response; the error is what is wrong with it.
pub(super) fn read(bytes: &[u8]) -> Result<Response<'_>, &'static str> {
    const UNREADABLE: &str = "cannot be read";
    let mut response = Reader::new(bytes).enter(SEQUENCE).ok_or(UNREADABLE)?;
    match response.take(ENUMERATED).ok_or(UNREADABLE)? {
        [0] => {}
        [1] => return Err("the responder did not understand the question"),
        [2] => return Err("the responder failed"),
        [3] => return Err("the responder asks to be asked later"),
        [5] => return Err("the responder wants signed questions"),
        [6] => return Err("the responder does not answer for this certificate"),
        _ => return Err(UNREADABLE),
    }
    success(response).ok_or(UNREADABLE)
}

fn success(mut response: Reader<'_>) -> Option<Response<'_>> {
    let mut bytes = response.enter(constructed(0))?.enter(SEQUENCE)?;
    bytes.take(OBJECT)?;
    let mut basic = Reader::new(bytes.take(OCTETS)?).enter(SEQUENCE)?;
    let signed = basic.next().filter(|data| data.tag == SEQUENCE)?;
    let algorithm = basic.take(SEQUENCE)?;
    let signature = basic.take_bits()?;
    let mut certificates = Vec::new();
    if let Some(mut sent) = basic.enter(constructed(0)).and_then(|mut inside| inside.enter(SEQUENCE)) {
        while let Some(one) = sent.next().filter(|_| certificates.len() < MOST) {
            certificates.push(one.whole);
        }
    }
    let mut data = Reader::new(signed.content);
    // The version, which is the first of all unless it is written.
    data.take(constructed(0));
    let responder = data.next()?;
    let responder = match responder.tag {
        tag if tag == constructed(1) => Responder::Name(responder.content),
        tag if tag == constructed(2) => Responder::Key(Reader::new(responder.content).take(OCTETS)?),
        _ => return None,
    };
    // When it was made: what counts is when it is true.
    data.take(TIME)?;
    let mut singles = data.enter(SEQUENCE)?;
    let mut answers = Vec::new();
    while let Some(single) = singles.enter(SEQUENCE).filter(|_| answers.len() < MOST) {
        answers.push(answer(single)?);
    }
    (!answers.is_empty()).then_some(Response {
        signed: signed.whole,
        algorithm,
        signature,
        responder,
        answers,
        certificates,
    })
}

fn answer(mut single: Reader<'_>) -> Option<Answer<'_>> {
    let mut id = single.enter(SEQUENCE)?;
    let hash = id.enter(SEQUENCE)?.take(OBJECT)?;
    let (issuer_name, issuer_key, serial) = (id.take(OCTETS)?, id.take(OCTETS)?, id.take(INTEGER)?);
    let state = single.next()?;
    let state = match state.tag {
        tag if tag == primitive(0) => State::Good,
        tag if tag == constructed(1) => State::Revoked(Reader::new(state.content).take(TIME).and_then(time)),
        tag if tag == primitive(2) => State::Unknown,
        _ => return None,
    };
    let this_update = single.take(TIME).and_then(time);
    let next_update = single.enter(constructed(0)).and_then(|mut inside| inside.take(TIME)).and_then(time);
    Some(Answer { hash, issuer_name, issuer_key, serial, state, this_update, next_update })
}

/// `20260301120000Z`; DER has no fractions and no other zone here.
fn time(content: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let time = DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

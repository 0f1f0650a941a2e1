//! What a stapled OCSP response says (RFC 6960). The signature is not checked: the server shows it of itself, so that a
//! forged one could only speak against it or repeat what nobody doubts.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use netwark_model::tools::tls::OcspStaple;

use super::der::Reader;

const SEQUENCE: u8 = 0x30;
const ENUMERATED: u8 = 0x0a;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const TIME: u8 = 0x18;

/// Tags of a context: `[n]` constructed, and `[n]` primitive.
const fn constructed(number: u8) -> u8 {
    0xa0 | number
}
const fn primitive(number: u8) -> u8 {
    0x80 | number
}

/// Reads a stapled response; nothing was stapled when there are no bytes.
pub(super) fn read(bytes: &[u8]) -> Option<OcspStaple> {
    if bytes.is_empty() {
        return None;
    }
    let unread = |status: &str| OcspStaple {
        status: status.into(),
        this_update: None,
        next_update: None,
        revoked_at: None,
    };
    Some(response(bytes).unwrap_or_else(|| unread("cannot be read")))
}

fn response(bytes: &[u8]) -> Option<OcspStaple> {
    let mut response = Reader::new(bytes).enter(SEQUENCE)?;
    let success = response.take(ENUMERATED)? == [0];
    if !success {
        return None;
    }
    let mut bytes = response.enter(constructed(0))?.enter(SEQUENCE)?;
    bytes.take(OBJECT)?;
    let mut data = Reader::new(bytes.take(OCTETS)?).enter(SEQUENCE)?.enter(SEQUENCE)?;
    // Version, who responds (by name or by key) and when it was made.
    data.take(constructed(0));
    data.next()?;
    data.take(TIME)?;
    let mut single = data.enter(SEQUENCE)?.enter(SEQUENCE)?;
    single.take(SEQUENCE)?;
    let state = single.next()?;
    let (status, revoked_at) = match state.tag {
        tag if tag == primitive(0) => ("good", None),
        tag if tag == constructed(1) => ("revoked", Reader::new(state.content).take(TIME).and_then(time)),
        tag if tag == primitive(2) => ("unknown", None),
        _ => return None,
    };
    let this_update = single.take(TIME).and_then(time);
    let next_update = single.enter(constructed(0)).and_then(|mut inside| inside.take(TIME)).and_then(time);
    Some(OcspStaple { status: status.into(), this_update, next_update, revoked_at })
}

/// `20260301120000Z`; DER has no fractions and no other zone here.
fn time(content: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let time = DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag];
        match content.len() {
            length @ 0..=0x7f => bytes.push(length as u8),
            length => bytes.extend([0x82, (length >> 8) as u8, length as u8]),
        }
        bytes.extend(content);
        bytes
    }

    /// A response with one state, as a responder would make it but for its signature.
    fn made(state: &[u8]) -> Vec<u8> {
        let id = element(SEQUENCE, &element(0x02, &[7]));
        let update = element(TIME, b"20260301120000Z");
        let next = element(constructed(0), &element(TIME, b"20260308120000Z"));
        let single = element(SEQUENCE, &[id, state.to_vec(), update.clone(), next].concat());
        let responder = element(constructed(2), &element(OCTETS, &[1; 20]));
        let data = element(SEQUENCE, &[responder, update, element(SEQUENCE, &single)].concat());
        let basic = element(SEQUENCE, &[data, element(SEQUENCE, &[]), element(0x03, &[0; 65])].concat());
        let object = element(OBJECT, &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]);
        let inner = element(SEQUENCE, &[object, element(OCTETS, &basic)].concat());
        element(SEQUENCE, &[element(ENUMERATED, &[0]), element(constructed(0), &inner)].concat())
    }

    #[test]
    fn the_state_and_its_times_are_read() {
        let staple = read(&made(&element(primitive(0), &[]))).unwrap();
        assert_eq!(staple.status, "good");
        assert_eq!(staple.this_update, "2026-03-01T12:00:00Z".parse().ok());
        assert_eq!(staple.next_update, "2026-03-08T12:00:00Z".parse().ok());
        let revoked = element(constructed(1), &element(TIME, b"20260228000000Z"));
        let staple = read(&made(&revoked)).unwrap();
        assert_eq!(
            (staple.status.as_str(), staple.revoked_at),
            ("revoked", "2026-02-28T00:00:00Z".parse().ok())
        );
        assert_eq!(read(&[]), None);
        assert_eq!(read(&element(SEQUENCE, &element(ENUMERATED, &[3]))).unwrap().status, "cannot be read");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
        }

        #[test]
        fn a_response_that_is_cut_or_changed_is_survived(
            at in 0usize..300, cut in 0usize..300, byte in any::<u8>(),
        ) {
            let mut bytes = made(&element(primitive(0), &[]));
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            bytes.truncate(cut);
            let _ = read(&bytes);
        }
    }
}

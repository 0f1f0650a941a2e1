use std::net::Ipv6Addr;

use proptest::prelude::*;

use super::*;
use crate::extension::{Label, write_mpls};
use crate::{ip, protocol, udp};

const LABELS: [Label; 2] = [
    Label { label: 24_001, traffic_class: 0, bottom: false, ttl: 1 },
    Label { label: 3, traffic_class: 7, bottom: true, ttl: 254 },
];

/// A UDP packet of 28 bytes and some payload, as a router would quote it.
fn quoted(payload: usize) -> Vec<u8> {
    let payload = vec![0x5a; payload];
    let mut datagram = Vec::from(udp::header(40_000, 33_434, &payload, Sum::default()).unwrap());
    datagram.extend(payload);
    let packet = ip::Packet {
        source: [192, 0, 2, 1].into(),
        destination: [198, 51, 100, 9].into(),
        protocol: protocol::UDP,
        ttl: 1,
        traffic_class: 0,
        identification: 77,
        later_fragment: false,
        payload: &datagram,
    };
    let mut bytes = Vec::new();
    ip::write(&packet, &mut bytes).unwrap();
    bytes
}

fn error(kind: u8, code: u8, rest: [u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, code, 0, 0];
    bytes.extend(rest);
    bytes.extend(body);
    bytes
}

#[test]
fn the_codes_of_both_families_are_told_apart() {
    let cases = [
        (Family::V4, 11, 0, Fault::TimeExceeded { code: 0 }),
        (Family::V6, 3, 0, Fault::TimeExceeded { code: 0 }),
        (Family::V4, 3, 13, Fault::Unreachable { code: 13 }),
        (Family::V6, 1, 4, Fault::Unreachable { code: 4 }),
        (Family::V4, 3, 4, Fault::TooBig { mtu: 1280 }),
        (Family::V6, 2, 0, Fault::TooBig { mtu: 1280 }),
        (Family::V4, 12, 0, Fault::Other { kind: 12, code: 0 }),
        (Family::V6, 4, 1, Fault::Other { kind: 4, code: 1 }),
    ];
    for (family, kind, code, expected) in cases {
        let bytes = error(kind, code, [0, 0, 5, 0], &quoted(0));
        let Ok(Message::Error { fault, quoted: inner, extension: None }) = parse(family, &bytes) else {
            panic!("{family:?} type {kind} code {code} is no error: {:?}", parse(family, &bytes));
        };
        assert_eq!(fault, expected);
        assert_eq!(ip::parse(inner).unwrap().destination.to_string(), "198.51.100.9");
    }
}

#[test]
fn what_is_no_error_is_not_taken_for_one() {
    assert_eq!(parse(Family::V4, &error(13, 0, [0; 4], &[])), Ok(Message::Other { kind: 13, code: 0 }));
    assert_eq!(parse(Family::V6, &error(135, 0, [0; 4], &[])), Ok(Message::Other { kind: 135, code: 0 }));
    assert!(matches!(parse(Family::V4, &error(129, 0, [0; 4], &[])), Ok(Message::Other { .. })));
    assert!(parse(Family::V4, &[0; 7]).is_err());
}

/// The quoted packet is padded to 128 bytes in both forms; only the compliant router says how long it is.
#[test]
fn labels_are_found_with_and_without_a_length_field() {
    let mut body = quoted(8);
    body.resize(128, 0);
    body.extend(write_mpls(&LABELS));
    let cases = [
        (Family::V4, 11, [0, 32, 0, 0]),
        (Family::V4, 11, [0, 0, 0, 0]),
        (Family::V6, 3, [16, 0, 0, 0]),
        (Family::V6, 3, [0, 0, 0, 0]),
    ];
    for (family, kind, rest) in cases {
        let bytes = error(kind, 0, rest, &body);
        let Ok(Message::Error { quoted: inner, extension: Some(extension), .. }) = parse(family, &bytes)
        else {
            panic!("no extension found for {family:?} {rest:?}");
        };
        assert_eq!((extension.mpls(), inner.len()), (LABELS.to_vec(), 128));
    }
}

#[test]
fn a_long_quote_without_extension_is_left_whole() {
    let body = quoted(400);
    let bytes = error(11, 0, [0; 4], &body);
    let read = parse(Family::V4, &bytes).unwrap();
    assert_eq!(
        read,
        Message::Error { fault: Fault::TimeExceeded { code: 0 }, quoted: body.as_slice(), extension: None }
    );
}

#[test]
fn a_length_beyond_the_packet_leaves_the_quote_whole() {
    let body = quoted(0);
    let bytes = error(11, 0, [0, 255, 0, 0], &body);
    assert!(
        matches!(parse(Family::V4, &bytes), Ok(Message::Error { quoted, extension: None, .. }) if quoted == body)
    );
}

proptest! {
    #[test]
    fn echo_requests_survive_the_wire(id: u16, sequence: u16, payload in proptest::collection::vec(any::<u8>(), 0..100)) {
        let mut bytes = Vec::from(echo_request(Family::V4, id, sequence, Sum::default().bytes(&payload)));
        bytes.extend(&payload);
        let expected = Message::EchoRequest(Echo { id, sequence, payload: &payload });
        prop_assert_eq!(parse(Family::V4, &bytes), Ok(expected));
        prop_assert_eq!(crate::checksum::of(&bytes), 0);

        let length = u32::try_from(bytes.len()).unwrap();
        let pseudo = Sum::pseudo_header(Ipv6Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into(), 58, length);
        let mut bytes = Vec::from(echo_request(Family::V6, id, sequence, pseudo.bytes(&payload)));
        bytes.extend(&payload);
        prop_assert_eq!(parse(Family::V6, &bytes), Ok(expected));
        prop_assert_eq!(pseudo.bytes(&bytes).checksum(), 0);
    }

    #[test]
    fn a_paris_flow_keeps_its_checksum(id: u16, wanted: u16, token: u64, sequences: (u16, u16)) {
        let build = |sequence: u16, token: u64| {
            let mut payload = Vec::from(token.to_be_bytes());
            let filler = Sum::default().bytes(&payload).word(sequence).filler(wanted);
            payload.extend(filler.to_be_bytes());
            echo_request(Family::V4, id, sequence, Sum::default().bytes(&payload))
        };
        let (one, two) = (build(sequences.0, token), build(sequences.1, !token));
        prop_assert_eq!(one[..6].to_vec(), two[..6].to_vec());
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300), six: bool) {
        let family = if six { Family::V6 } else { Family::V4 };
        if let Ok(Message::Error { quoted, extension, .. }) = parse(family, &bytes) {
            let _ = ip::parse(quoted);
            let _ = extension.map(Extension::mpls);
        }
    }
}

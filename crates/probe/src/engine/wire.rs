//! Probes as bytes.
//!
//! ICMP: token in payload bytes 0 to 7, a filler in 8 and 9 that keeps the checksum of a flow constant while sequence and
//! token vary; the sequence is the identity. UDP: token and filler likewise, the filler makes the checksum the
//! identity. TCP: the sequence number is identity (high half) and secret (low half); a SYN carries no payload.

use std::net::IpAddr;

use netwark_packet::checksum::Sum;
use netwark_packet::ip::Family;
use netwark_packet::{icmp, protocol, tcp, udp};

use super::flight::{Handle, TOKEN};

/// Payload bytes from which on a filler has room behind the token.
pub(super) const FILLED: usize = TOKEN + 2;
/// Window and largest segment of our SYNs, as common systems send them.
const WINDOW: u16 = 64_240;
const SEGMENT: u16 = 1_460;

/// What the probes of one task have in common.
pub(super) struct Recipe {
    payload: Vec<u8>,
    /// Sum of the payload with token and filler left out.
    rest: Sum,
    seed: u16,
}

impl Recipe {
    /// `payload` is its length in bytes; `seed` makes the flows of one task unlike those of others.
    pub(super) fn new(payload: u16, seed: u16) -> Self {
        let payload: Vec<u8> = (0..payload).map(|at| at as u8).collect();
        let rest = Sum::default().bytes(payload.get(FILLED..).unwrap_or_default());
        Self { payload, rest, seed }
    }

    /// Length of the payload in bytes.
    pub(super) fn payload(&self) -> usize {
        self.payload.len()
    }

    /// Appends an echo request.
    pub(super) fn echo(
        &self,
        family: Family,
        id: u16,
        flow: u8,
        sequence: u16,
        handle: Handle,
        out: &mut Vec<u8>,
    ) {
        let token = handle.token();
        if let Some((_, tail)) = self.payload.split_at_checked(FILLED) {
            let wanted = self.seed.wrapping_add(u16::from(flow).wrapping_mul(0x0401));
            let filler = self.rest.word(sequence).bytes(&token).filler(wanted);
            // What lies behind the id adds up to `wanted`, so the checksum is that of the id and it alone.
            let header = icmp::echo_request(family, id, wanted, Sum::default());
            out.extend_from_slice(&header[..6]);
            out.extend_from_slice(&sequence.to_be_bytes());
            out.extend_from_slice(&token);
            out.extend_from_slice(&filler.to_be_bytes());
            out.extend_from_slice(tail);
        } else {
            let mut payload = self.payload.clone();
            for (byte, token) in payload.iter_mut().zip(token) {
                *byte = token;
            }
            out.extend_from_slice(&icmp::echo_request(family, id, sequence, Sum::default().bytes(&payload)));
            out.extend_from_slice(&payload);
        }
    }

    /// Appends the payload of a UDP probe between these addresses and ports, whose checksum will be `identity`.
    /// It is at least `least` bytes long: 2 for the filler, [`FILLED`] for token and filler.
    pub(super) fn datagram(
        &self,
        ends: &Ends,
        least: usize,
        identity: u16,
        handle: Handle,
        out: &mut Vec<u8>,
    ) {
        let length = self.payload.len().max(least);
        let whole = (length + udp::HEADER) as u32;
        let sum = Sum::pseudo_header(ends.source, ends.destination, protocol::UDP, whole)
            .word(ends.source_port)
            .word(ends.destination_port)
            .word(whole as u16);
        if length >= FILLED {
            let token = handle.token();
            let tail = self.payload.get(FILLED..).unwrap_or_default();
            out.extend_from_slice(&token);
            out.extend_from_slice(&sum.bytes(&token).bytes(tail).filler(!identity).to_be_bytes());
            out.extend_from_slice(tail);
        } else {
            let tail = self.payload.get(2..).unwrap_or_default();
            out.extend_from_slice(&sum.bytes(tail).filler(!identity).to_be_bytes());
            out.extend_from_slice(tail);
        }
    }
}

/// The identity as a UDP checksum: zero would mean that there is none, and is sent as all ones.
pub(super) fn udp_identity(identity: u16) -> u16 {
    if identity == 0 { u16::MAX } else { identity }
}

/// The addresses and ports of a probe.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
}

/// The TCP sequence number of a probe.
pub(super) fn tcp_sequence(identity: u16, handle: Handle) -> u32 {
    u32::from(identity) << 16 | handle.secret & 0xffff
}

/// Appends a TCP SYN.
pub(super) fn syn(ends: &Ends, sequence: u32, out: &mut Vec<u8>) {
    let options = tcp::maximum_segment_size(SEGMENT);
    let length = (tcp::HEADER + options.len()) as u32;
    let pseudo = Sum::pseudo_header(ends.source, ends.destination, protocol::TCP, length);
    let segment = tcp::Segment {
        beginning: tcp::Beginning { source: ends.source_port, destination: ends.destination_port, sequence },
        acknowledgement: 0,
        flags: tcp::SYN,
        window: WINDOW,
    };
    out.extend_from_slice(&tcp::header(&segment, &options, pseudo));
    out.extend_from_slice(&options);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn echo_requests_verify_and_a_flow_keeps_its_checksum(
            length in 0u16..200, seed: u16, id: u16, flow in 0u8..16, sequences: (u16, u16), token: (u32, u32),
        ) {
            let recipe = Recipe::new(length, seed);
            let build = |sequence: u16, slot: u32| {
                let mut bytes = Vec::new();
                let handle = Handle { slot, secret: token.1 };
                recipe.echo(Family::V4, id, flow, sequence, handle, &mut bytes);
                (bytes, handle)
            };
            let (one, handle) = build(sequences.0, token.0);
            let (two, _) = build(sequences.1, !token.0);
            prop_assert_eq!(one.len(), icmp::HEADER + usize::from(length));
            prop_assert_eq!(netwark_packet::checksum::of(&one), 0);
            let Ok(icmp::Message::EchoRequest(echo)) = icmp::parse(Family::V4, &one) else { panic!("no echo request") };
            prop_assert_eq!((echo.id, echo.sequence), (id, sequences.0));
            let told = usize::from(length).min(TOKEN);
            prop_assert_eq!(&echo.payload[..told], &handle.token()[..told]);
            if usize::from(length) >= FILLED {
                prop_assert_eq!(&one[..6], &two[..6]);
            }
        }

        #[test]
        fn the_checksum_of_a_datagram_is_its_identity(
            length in 0u16..200, least in prop_oneof![Just(2), Just(FILLED)], identity: u16, token: (u32, u32),
            ports: (u16, u16), v6: bool,
        ) {
            let (source, destination) = if v6 { ([1; 16].into(), [2; 16].into()) } else { ([9; 4].into(), [7; 4].into()) };
            let ends = Ends { source, destination, source_port: ports.0, destination_port: ports.1 };
            let recipe = Recipe::new(length, 0);
            let mut payload = Vec::new();
            recipe.datagram(&ends, least, identity, Handle { slot: token.0, secret: token.1 }, &mut payload);
            prop_assert_eq!(payload.len(), usize::from(length).max(least));
            let whole = (payload.len() + udp::HEADER) as u32;
            let pseudo = Sum::pseudo_header(source, destination, protocol::UDP, whole);
            let header = udp::header(ports.0, ports.1, &payload, pseudo).unwrap();
            prop_assert_eq!(u16::from_be_bytes([header[6], header[7]]), udp_identity(identity));
        }
    }

    #[test]
    fn flows_differ_in_their_checksum() {
        let recipe = Recipe::new(32, 0xfff0);
        let mut checksums: Vec<_> = (0..16)
            .map(|flow| {
                let mut bytes = Vec::new();
                recipe.echo(Family::V6, 1, flow, 9, Handle { slot: 1, secret: 2 }, &mut bytes);
                [bytes[2], bytes[3]]
            })
            .collect();
        checksums.sort_unstable();
        checksums.dedup();
        assert_eq!(checksums.len(), 16);
    }
}

use std::sync::Arc;

use netwark_packet::checksum::Sum;
use proptest::prelude::*;

use super::*;
use crate::engine::capabilities::Capabilities;
use crate::engine::counters::Shared;
use crate::engine::options::EngineOptions;
use crate::engine::pace::Pace;
use crate::engine::ports::Ports;
use crate::engine::wire::{Ends, Recipe};

const IDS: u16 = 0x4ae0;
const TCP_PORTS: u16 = 0xa010;
const RAW_V4: (Family, Kind) = (Family::V4, Kind::RawIcmp);

fn source() -> IpAddr {
    [192, 0, 2, 1].into()
}

fn target() -> IpAddr {
    [198, 51, 100, 7].into()
}

fn router() -> IpAddr {
    [203, 0, 113, 9].into()
}

/// An engine's state without any socket.
fn state() -> State {
    let ports = Ports::new(IDS, TCP_PORTS, 0);
    State::new(
        &EngineOptions::default(),
        Pace::new(1000),
        Arc::new(Capabilities::probe()),
        Arc::new(Shared::default()),
        ports,
        0,
    )
}

fn packet(from: IpAddr, to: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let packet = ip::Packet {
        source: from,
        destination: to,
        protocol,
        ttl: 61,
        traffic_class: 0,
        identification: 0,
        later_fragment: false,
        payload,
    };
    let mut bytes = Vec::new();
    ip::write(&packet, &mut bytes).unwrap();
    bytes
}

/// An echo request in flight, as bytes.
fn request(state: &mut State) -> (Handle, Vec<u8>) {
    let handle = state.flight.insert(0, 1, target(), protocol::ICMP);
    let mut bytes = Vec::new();
    let sequence = state.flight.identity(handle);
    Recipe::new(56, 5).echo(Family::V4, IDS + 3, 3, sequence, handle, &mut bytes);
    (handle, bytes)
}

fn reply(request: &[u8]) -> Vec<u8> {
    let mut reply = request.to_vec();
    reply[0] = 0;
    packet(target(), source(), protocol::ICMP, &reply)
}

/// A router's time exceeded that quotes so many bytes behind the IP header of a probe.
fn exceeded(protocol: u8, probe: &[u8], quoted: usize) -> Vec<u8> {
    let mut message = vec![11, 0, 0, 0, 0, 0, 0, 0];
    message.extend(&packet(source(), target(), protocol, probe)[..20 + quoted]);
    packet(router(), source(), protocol::ICMP, &message)
}

fn found(state: &State, kind: (Family, Kind), bytes: &[u8]) -> Result<(Handle, AnswerKind), Useless> {
    state.recognise(kind, bytes, None, Notes::default()).map(|found| (found.handle, found.kind))
}

#[test]
fn an_echo_reply_is_known_by_its_token_alone() {
    let mut state = state();
    let (handle, request) = request(&mut state);
    assert_eq!(found(&state, RAW_V4, &reply(&request)), Ok((handle, AnswerKind::EchoReply)));

    let mut forged = request.clone();
    forged[15] ^= 1;
    assert_eq!(found(&state, RAW_V4, &reply(&forged)), Err(Useless::BadToken));
    let mut other_sequence = request.clone();
    other_sequence[7] ^= 1;
    assert_eq!(found(&state, RAW_V4, &reply(&other_sequence)), Err(Useless::BadToken));
    let mut foreign = request.clone();
    foreign[4] ^= 0x80;
    assert_eq!(found(&state, RAW_V4, &reply(&foreign)), Err(Useless::Foreign));

    state.flight.remove(handle);
    assert_eq!(found(&state, RAW_V4, &reply(&request)), Err(Useless::BadToken));
}

#[test]
fn our_own_requests_are_no_answers() {
    let mut state = state();
    let (_, request) = request(&mut state);
    let bytes = packet(source(), target(), protocol::ICMP, &request);
    assert_eq!(found(&state, RAW_V4, &bytes), Err(Useless::Foreign));
}

#[test]
fn errors_find_their_probe_however_much_they_quote() {
    let mut state = state();
    let (handle, request) = request(&mut state);
    for quoted in [8, 12, 16, 18, 64] {
        let error = exceeded(protocol::ICMP, &request, quoted);
        assert_eq!(found(&state, RAW_V4, &error), Ok((handle, AnswerKind::TimeExceeded)), "{quoted} bytes");
    }
    // Some routers fill up with zeros what they do not quote.
    let mut padded = request;
    padded[8..].fill(0);
    assert!(found(&state, RAW_V4, &exceeded(protocol::ICMP, &padded, 64)).is_ok());
}

#[test]
fn an_error_about_someone_elses_packet_is_foreign() {
    let mut state = state();
    let (_, request) = request(&mut state);
    let mut sequence = request.clone();
    sequence[7] ^= 1;
    let mut id = request.clone();
    id[4] ^= 0x80;
    for other in [sequence, id] {
        assert_eq!(found(&state, RAW_V4, &exceeded(protocol::ICMP, &other, 8)), Err(Useless::Foreign));
    }
    // The same probe, said to have gone elsewhere.
    let mut message = vec![11, 0, 0, 0, 0, 0, 0, 0];
    message.extend(&packet(source(), router(), protocol::ICMP, &request)[..28]);
    let error = packet(router(), source(), protocol::ICMP, &message);
    assert_eq!(found(&state, RAW_V4, &error), Err(Useless::Foreign));
}

#[test]
fn tcp_answers_must_acknowledge_the_very_probe() {
    let mut state = state();
    let handle = state.flight.insert(0, 1, target(), protocol::TCP);
    let sequence = wire::tcp_sequence(state.flight.identity(handle), handle);
    let ends =
        Ends { source: source(), destination: target(), source_port: TCP_PORTS, destination_port: 443 };
    let mut syn = Vec::new();
    wire::syn(&ends, sequence, &mut syn);
    assert_eq!(
        found(&state, RAW_V4, &exceeded(protocol::TCP, &syn, 8)),
        Ok((handle, AnswerKind::TimeExceeded))
    );
    assert_eq!(state.by_sequence(sequence, target()), Some(handle));
    assert_eq!(state.by_sequence(sequence ^ 1, target()), None);
    assert_eq!(state.by_sequence(sequence, router()), None);
}

#[test]
fn an_unprivileged_error_is_found_by_payload_or_by_being_the_only_one() {
    let mut state = state();
    let error = QueuedError { kind: 11, code: 0, info: 0, offender: Some(router()) };
    let kind = (Family::V4, Kind::Udp { flow: 0 });
    let one = state.flight.insert(0, 1, target(), protocol::UDP);
    state.flight.get_mut(one).unwrap().leave(1, 1);
    let look = |state: &State, payload: &[u8]| {
        state.recognise_queued(kind, error, payload, Some(target())).map(|found| (found.handle, found.from))
    };
    assert_eq!(look(&state, &one.token()), Ok((one, router())));
    assert_eq!(look(&state, &[]), Ok((one, router())));
    let two = state.flight.insert(0, 2, target(), protocol::UDP);
    state.flight.get_mut(two).unwrap().leave(1, 1);
    assert_eq!(look(&state, &two.token()), Ok((two, router())));
    assert_eq!(look(&state, &[]), Err(Useless::Foreign), "nothing tells which of the two it is");
}

#[test]
fn codes_have_their_meaning_by_family() {
    let cases = [
        (Family::V4, 0, Unreachable::Network),
        (Family::V4, 1, Unreachable::Host),
        (Family::V4, 3, Unreachable::Port),
        (Family::V4, 13, Unreachable::Prohibited),
        (Family::V6, 0, Unreachable::Network),
        (Family::V6, 1, Unreachable::Prohibited),
        (Family::V6, 3, Unreachable::Address),
        (Family::V6, 4, Unreachable::Port),
        (Family::V6, 9, Unreachable::Other(9)),
    ];
    for (family, code, expected) in cases {
        assert_eq!(kind_of(family, Fault::Unreachable { code }), AnswerKind::Unreachable(expected));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0..100usize, flip in 0..100usize) {
        let mut state = state();
        let (_, request) = request(&mut state);
        let mut error = exceeded(protocol::ICMP, &request, 64);
        error.truncate(100 - cut);
        if let Some(byte) = error.get_mut(flip) {
            *byte ^= 0xff;
        }
        let queued = QueuedError { kind: 3, code: 4, info: 1, offender: None };
        for family in [Family::V4, Family::V6] {
            for kind in [Kind::RawIcmp, Kind::IcmpDatagram, Kind::Udp { flow: 0 }, Kind::RawTcp] {
                for bytes in [&bytes, &error] {
                    let _ = state.recognise((family, kind), bytes, Some(router()), Notes::default());
                    let _ = state.recognise_queued((family, kind), queued, bytes, Some(target()));
                }
            }
        }
    }

    #[test]
    fn no_other_payload_passes_for_an_echo_reply(token: u64) {
        let mut state = state();
        let (handle, _) = request(&mut state);
        prop_assume!(token.to_be_bytes() != handle.token());
        let sum = Sum::default().bytes(&token.to_be_bytes());
        let mut forged = Vec::from(icmp::echo_request(Family::V4, IDS, state.flight.identity(handle), sum));
        forged.extend(token.to_be_bytes());
        prop_assert_eq!(found(&state, RAW_V4, &reply(&forged)), Err(Useless::BadToken));
    }
}

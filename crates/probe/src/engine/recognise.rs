//! What an incoming packet is, and which probe it answers.
//!
//! The token in a payload names its probe. Without it (payloads under 8 bytes, routers that quote 8 bytes of the probe)
//! an answer must agree in id or ports, identity and address with a probe in flight.

use std::net::IpAddr;

use netwark_model::tools::mtr::Label;
use netwark_packet::extension::Extension;
use netwark_packet::icmp::{self, Echo, Fault, Message};
use netwark_packet::ip::{self, Family};
use netwark_packet::{Malformed, protocol, tcp, udp};

use super::flight::{Handle, InFlight, TOKEN};
use super::state::State;
use super::wire;
use crate::decide::{AnswerKind, Transport, Unreachable};
use crate::net::control::{Notes, QueuedError};
use crate::net::filter::BLOCK;
use crate::net::socket::Kind;

/// Probes in flight among which an answer without any identity is looked for, at most.
const MOST_SEARCHED: usize = 4_096;

/// An answer whose probe has been found.
pub(super) struct Found {
    pub(super) handle: Handle,
    pub(super) from: IpAddr,
    pub(super) ttl: Option<u8>,
    pub(super) kind: AnswerKind,
    pub(super) labels: Vec<Label>,
}

/// Why an incoming packet is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Useless {
    /// It is no answer to a probe in flight.
    Foreign,
    /// An echo reply to our id with a token that names no probe.
    BadToken,
    /// It cannot be read.
    Malformed,
}

impl From<Malformed> for Useless {
    fn from(_: Malformed) -> Self {
        Useless::Malformed
    }
}

/// A packet of ours that an ICMP error quotes.
struct Quote<'a> {
    to: IpAddr,
    protocol: u8,
    /// From its transport header on.
    bytes: &'a [u8],
    /// Whether the id of a quoted echo request is one of ours; the kernel chooses it on datagram sockets.
    own_ids: bool,
}

impl State {
    /// Looks at a packet that arrived at a socket of this kind. `from` is the sender where the packet itself does
    /// not tell.
    pub(super) fn recognise(
        &self,
        (family, kind): (Family, Kind),
        bytes: &[u8],
        from: Option<IpAddr>,
        notes: Notes,
    ) -> Result<Found, Useless> {
        let raw = matches!(kind, Kind::RawIcmp | Kind::RawTcp);
        // Only raw IPv4 sockets give the IP header.
        let (payload, from, ttl) = if raw && family == Family::V4 {
            let packet = ip::parse(bytes)?;
            (packet.payload, packet.source, Some(packet.ttl))
        } else {
            (bytes, from.ok_or(Useless::Malformed)?, notes.ttl)
        };
        match kind {
            Kind::RawIcmp | Kind::IcmpDatagram => self.icmp(family, raw, payload, from, ttl),
            Kind::Udp { .. } => {
                let handle = Handle::from_token(payload)
                    .filter(|handle| self.is_alive(*handle, protocol::UDP))
                    .or_else(|| self.only_one_to(from, protocol::UDP))
                    .ok_or(Useless::Foreign)?;
                Ok(Found { handle, from, ttl, kind: AnswerKind::Datagram, labels: Vec::new() })
            }
            Kind::RawTcp => self.tcp(payload, from, ttl),
        }
    }

    fn icmp(
        &self,
        family: Family,
        raw: bool,
        message: &[u8],
        from: IpAddr,
        ttl: Option<u8>,
    ) -> Result<Found, Useless> {
        match icmp::parse(family, message)? {
            Message::EchoReply(echo) => {
                let handle = self.replied(family, raw, &echo, from)?;
                Ok(Found { handle, from, ttl, kind: AnswerKind::EchoReply, labels: Vec::new() })
            }
            Message::Error { fault, quoted, extension } => {
                let packet = ip::parse(quoted)?;
                let (to, protocol) = (packet.destination, packet.protocol);
                let quote = Quote { to, protocol, bytes: packet.payload, own_ids: raw };
                let handle = self.quoted(&quote).ok_or(Useless::Foreign)?;
                let labels = extension.map(labels).unwrap_or_default();
                Ok(Found { handle, from, ttl, kind: kind_of(family, fault), labels })
            }
            Message::EchoRequest(_) | Message::Other { .. } => Err(Useless::Foreign),
        }
    }

    /// The probe that an echo reply answers.
    fn replied(&self, family: Family, raw: bool, echo: &Echo<'_>, from: IpAddr) -> Result<Handle, Useless> {
        if raw && !in_block(echo.id, self.ports.icmp_ids()) {
            return Err(Useless::Foreign);
        }
        let own = icmp_protocol(family);
        if let Some(handle) = Handle::from_token(echo.payload) {
            let known = self.is_alive(handle, own) && self.flight.identity(handle) == echo.sequence;
            return if known { Ok(handle) } else { Err(Useless::BadToken) };
        }
        self.flight
            .with_identity(echo.sequence)
            .find(|(handle, probe)| {
                let length = echo.payload.len();
                probe.to == from
                    && probe.protocol == own
                    && self.payload_of(probe) == Some(length)
                    && handle.token().get(..length) == Some(echo.payload)
            })
            .map(|(handle, _)| handle)
            .ok_or(Useless::BadToken)
    }

    /// The probe that an ICMP error quotes.
    fn quoted(&self, quote: &Quote<'_>) -> Option<Handle> {
        match quote.protocol {
            protocol::ICMP | protocol::ICMPV6 => {
                let Ok(Message::EchoRequest(echo)) = icmp::parse(Family::of(quote.to), quote.bytes) else {
                    return None;
                };
                if quote.own_ids && !in_block(echo.id, self.ports.icmp_ids()) {
                    return None;
                }
                self.by_token(echo.payload, quote).or_else(|| self.by_identity(echo.sequence, quote))
            }
            protocol::UDP => {
                let datagram = udp::parse(quote.bytes).ok()?;
                if !self.ports.is_udp_port(datagram.source) {
                    return None;
                }
                self.by_token(datagram.payload, quote)
                    .or_else(|| self.by_identity(datagram.checksum, quote))
                    // All ones stand for the identity zero too.
                    .or_else(|| {
                        let zero = datagram.checksum == wire::udp_identity(0);
                        zero.then(|| self.by_identity(0, quote)).flatten()
                    })
            }
            protocol::TCP => {
                let beginning = tcp::parse_beginning(quote.bytes).ok()?;
                self.by_sequence(beginning.sequence, quote.to)
            }
            _ => None,
        }
    }

    fn by_token(&self, payload: &[u8], quote: &Quote<'_>) -> Option<Handle> {
        Handle::from_token(payload).filter(|handle| self.is_alive(*handle, quote.protocol))
    }

    fn by_identity(&self, identity: u16, quote: &Quote<'_>) -> Option<Handle> {
        let ours = |probe: &InFlight| probe.to == quote.to && probe.protocol == quote.protocol;
        let mut all = self.flight.with_identity(identity).filter(|(_, probe)| ours(probe));
        all.next().map(|(handle, _)| handle)
    }

    /// The TCP probe with this sequence number.
    fn by_sequence(&self, sequence: u32, to: IpAddr) -> Option<Handle> {
        let identity = (sequence >> 16) as u16;
        let mut all = self.flight.with_identity(identity);
        all.find(|(handle, probe)| {
            probe.to == to
                && probe.protocol == protocol::TCP
                && wire::tcp_sequence(identity, *handle) == sequence
        })
        .map(|(handle, _)| handle)
    }

    fn tcp(&self, segment: &[u8], from: IpAddr, ttl: Option<u8>) -> Result<Found, Useless> {
        let segment = tcp::parse(segment)?;
        let kind = match segment.flags {
            flags if flags & tcp::RST != 0 => AnswerKind::Reset,
            flags if flags & (tcp::SYN | tcp::ACK) == tcp::SYN | tcp::ACK => AnswerKind::SynAck,
            _ => return Err(Useless::Foreign),
        };
        if !in_block(segment.beginning.destination, self.ports.tcp_ports()) {
            return Err(Useless::Foreign);
        }
        let handle =
            self.by_sequence(segment.acknowledgement.wrapping_sub(1), from).ok_or(Useless::Foreign)?;
        let asked = self.flight.get(handle).and_then(|probe| self.transport_of(probe));
        if asked != Some(Transport::Tcp { port: segment.beginning.source }) {
            return Err(Useless::Foreign);
        }
        Ok(Found { handle, from, ttl, kind, labels: Vec::new() })
    }

    /// Looks at an ICMP error from a socket's error queue: `bytes` are what it quotes of our packet, from the ICMP
    /// header on, or the payload only when it was UDP. `to` is where our packet was going.
    pub(super) fn recognise_queued(
        &self,
        (family, kind): (Family, Kind),
        error: QueuedError,
        bytes: &[u8],
        to: Option<IpAddr>,
    ) -> Result<Found, Useless> {
        let to = to.ok_or(Useless::Malformed)?;
        let handle = match kind {
            Kind::Udp { .. } => Handle::from_token(bytes)
                .filter(|handle| self.is_alive(*handle, protocol::UDP))
                .or_else(|| self.only_one_to(to, protocol::UDP)),
            _ => self.quoted(&Quote { to, protocol: icmp_protocol(family), bytes, own_ids: false }),
        };
        let handle = handle.ok_or(Useless::Foreign)?;
        let kind = kind_of_queued(family, error);
        Ok(Found { handle, from: error.offender.unwrap_or(to), ttl: None, kind, labels: Vec::new() })
    }

    fn is_alive(&self, handle: Handle, protocol: u8) -> bool {
        self.flight.get(handle).is_some_and(|probe| probe.protocol == protocol)
    }

    /// The probe that waits for an answer from this address, when there is but one.
    fn only_one_to(&self, to: IpAddr, protocol: u8) -> Option<Handle> {
        if self.flight.len() > MOST_SEARCHED {
            return None;
        }
        let waits = |probe: &InFlight| probe.to == to && probe.protocol == protocol && probe.is_waiting();
        let mut all = self.flight.all().filter(|(_, probe)| waits(probe));
        let (only, _) = all.next()?;
        all.next().is_none().then_some(only)
    }

    fn transport_of(&self, probe: &InFlight) -> Option<Transport> {
        Some(self.works.get(probe.work as usize)?.as_ref()?.shape.transport)
    }

    /// Length of a probe's payload, where it is too short for a token.
    fn payload_of(&self, probe: &InFlight) -> Option<usize> {
        let length = self.works.get(probe.work as usize)?.as_ref()?.recipe.payload();
        (length < TOKEN).then_some(length)
    }
}

fn in_block(number: u16, first: u16) -> bool {
    number & !(BLOCK - 1) == first & !(BLOCK - 1)
}

fn icmp_protocol(family: Family) -> u8 {
    match family {
        Family::V4 => protocol::ICMP,
        Family::V6 => protocol::ICMPV6,
    }
}

fn labels(extension: Extension<'_>) -> Vec<Label> {
    let label = |entry: netwark_packet::extension::Label| Label {
        label: entry.label,
        tc: entry.traffic_class,
        bottom: entry.bottom,
        ttl: entry.ttl,
    };
    extension.mpls().into_iter().map(label).collect()
}

/// What an ICMP error on an error queue says, in the words of the deciders.
pub(crate) fn kind_of_queued(family: Family, error: QueuedError) -> AnswerKind {
    match icmp::fault(family, error.kind, error.code, [0; 4]) {
        Some(Fault::TooBig { .. }) => AnswerKind::TooBig { mtu: error.info },
        Some(fault) => kind_of(family, fault),
        None => AnswerKind::Other { kind: error.kind, code: error.code },
    }
}

/// What an ICMP error says, in the words of the deciders.
fn kind_of(family: Family, fault: Fault) -> AnswerKind {
    match fault {
        Fault::TimeExceeded { code: 0 } => AnswerKind::TimeExceeded,
        Fault::TimeExceeded { code } => {
            AnswerKind::Other { kind: if family == Family::V4 { 11 } else { 3 }, code }
        }
        Fault::TooBig { mtu } => AnswerKind::TooBig { mtu },
        Fault::Other { kind, code } => AnswerKind::Other { kind, code },
        Fault::Unreachable { code } => AnswerKind::Unreachable(match (family, code) {
            // RFC 792, and RFC 1812 section 5.2.7.1.
            (Family::V4, 0 | 6 | 11) | (Family::V6, 0) => Unreachable::Network,
            (Family::V4, 1 | 7 | 8 | 12) => Unreachable::Host,
            (Family::V4, 2) => Unreachable::Protocol,
            (Family::V4, 3) | (Family::V6, 4) => Unreachable::Port,
            (Family::V4, 5) => Unreachable::SourceRoute,
            (Family::V4, 9 | 10 | 13 | 14 | 15) | (Family::V6, 1) => Unreachable::Prohibited,
            // RFC 4443, section 3.1.
            (Family::V6, 2) => Unreachable::Scope,
            (Family::V6, 3) => Unreachable::Address,
            (Family::V6, 5) => Unreachable::Policy,
            (Family::V6, 6) => Unreachable::Reject,
            (_, code) => Unreachable::Other(code),
        }),
    }
}

#[cfg(test)]
#[path = "recognise_tests.rs"]
mod tests;

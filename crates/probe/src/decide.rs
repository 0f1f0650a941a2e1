//! The contract between what decides and what carries packets.
//!
//! A [`Decider`] is a state machine: it is fed events and the time, and asks a [`Network`] to send
//! probes and to wake it. It never sees a socket or a clock, so the same decider runs on the real
//! engine and on a simulated network.

use std::net::IpAddr;
use std::ops::{Add, Sub};
use std::time::Duration;

use netwark_model::tools::mtr::Label;

/// A point on the engine's monotonic clock, in nanoseconds since an origin that only the carrier knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, duration: Duration) -> Time {
        Time(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Time {
    type Output = Duration;

    /// Saturates at zero.
    fn sub(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// What all probes of one task have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What the probes are made of.
    pub transport: Transport,
    /// Bytes behind the IP header's transport header (ICMP, UDP or TCP header): the payload.
    pub payload: u16,
    /// Differentiated services code point, 0 to 63.
    pub dscp: u8,
    /// Forbid fragmentation.
    pub dont_fragment: bool,
    /// Source address, when one was asked for.
    pub source: Option<IpAddr>,
    /// Interface, when one was asked for.
    pub interface: Option<String>,
    /// How long after sending a probe [`Event::Expired`] is given, unless an answer came before.
    pub timeout: Duration,
    /// How much longer an expired or answered probe is remembered, so that late replies and duplicates are known.
    pub linger: Duration,
}

/// What a probe is made of. Flows are told apart by source port (UDP, TCP) or checksum (ICMP).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// ICMP or ICMPv6 echo request.
    Icmp,
    /// UDP to this port.
    Udp {
        /// Destination port.
        port: u16,
    },
    /// TCP SYN to this port.
    Tcp {
        /// Destination port.
        port: u16,
    },
}

/// One probe to send. `key` is the decider's own name for it, given back with every event about it.
/// A key may be used again only after its probe has been answered or expired and its linger time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The decider's name for this probe.
    pub key: u64,
    /// Where to.
    pub to: IpAddr,
    /// Time to live (IPv6: hop limit).
    pub ttl: u8,
    /// Which flow it belongs to: all probes of one flow of one task share their 5-tuple (ICMP: id and checksum).
    pub flow: u8,
}

/// Something that happened to a task.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The task begins.
    Start,
    /// The wake that was asked for by [`Network::wake_at`].
    Wake,
    /// A probe has left. Until then it may have waited for rate caps and gaps; its timeout runs from here.
    Sent {
        /// Which probe.
        key: u64,
        /// When.
        at: Time,
    },
    /// A probe could not be sent.
    Unsent {
        /// Which probe.
        key: u64,
        /// Why, for people, such as `message too long, mtu 1500`.
        reason: String,
    },
    /// An answer to a probe, the first or a further one, in time or late.
    Answer(Answer),
    /// A probe had no answer within the timeout.
    Expired {
        /// Which probe.
        key: u64,
    },
}

/// An answer to a probe.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Which probe.
    pub key: u64,
    /// Who answered.
    pub from: IpAddr,
    /// When it was sent.
    pub sent: Time,
    /// Round trip.
    pub rtt: Duration,
    /// True when both ends of `rtt` are kernel stamps, false when both come from the monotonic clock.
    pub kernel: bool,
    /// Time to live the answer arrived with, where known.
    pub ttl: Option<u8>,
    /// False when this probe was answered before: a duplicate.
    pub first: bool,
    /// True when the timeout had passed.
    pub late: bool,
    /// What the answer is.
    pub kind: AnswerKind,
    /// MPLS labels quoted by a router, outermost first.
    pub labels: Vec<Label>,
}

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// ICMP echo reply.
    EchoReply,
    /// TCP SYN-ACK.
    SynAck,
    /// TCP RST.
    Reset,
    /// A UDP datagram from the port that was asked.
    Datagram,
    /// ICMP time exceeded in transit.
    TimeExceeded,
    /// ICMP destination unreachable.
    Unreachable(Unreachable),
    /// ICMP packet too big, or fragmentation needed; the next hop's MTU where it was told.
    TooBig {
        /// MTU in bytes, 0 when not told.
        mtu: u32,
    },
    /// Another ICMP error.
    Other {
        /// ICMP type.
        kind: u8,
        /// ICMP code.
        code: u8,
    },
}

/// Why a destination is unreachable: the codes of RFC 792, RFC 1812 and RFC 4443 in one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unreachable {
    /// Network unreachable, or no route.
    Network,
    /// Host unreachable.
    Host,
    /// Address unreachable (IPv6).
    Address,
    /// Protocol unreachable.
    Protocol,
    /// Port unreachable.
    Port,
    /// Source route failed.
    SourceRoute,
    /// Beyond the scope of the source address (IPv6).
    Scope,
    /// Forbidden by an administrator, whatever the exact code.
    Prohibited,
    /// The source address failed a policy (IPv6).
    Policy,
    /// The route is set to reject (IPv6).
    Reject,
    /// Any other code.
    Other(u8),
}

/// What carries a decider's probes: the engine, or a simulation.
pub trait Network {
    /// Queues a probe. It leaves as soon as the rate cap and the gap for its target allow;
    /// [`Event::Sent`] or [`Event::Unsent`] follows, possibly within this call's event loop turn.
    fn send(&mut self, probe: Probe);

    /// Asks for one [`Event::Wake`] at this time; a later call replaces an earlier one.
    fn wake_at(&mut self, at: Time);
}

/// A state machine that measures.
pub trait Decider: Send + 'static {
    /// What it measured; a snapshot while it runs, final once it is done.
    type Output: Send + 'static;

    /// What all its probes have in common.
    fn shape(&self) -> Shape;

    /// Takes one event.
    fn on_event(&mut self, now: Time, event: Event, network: &mut dyn Network);

    /// True once nothing more is to come. The carrier then drops all its probes.
    fn is_done(&self) -> bool;

    /// What is known so far.
    fn output(&self) -> Self::Output;
}

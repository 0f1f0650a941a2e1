//! Connections of TCP for the tools that need them: to what the list allows, with what became of them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use netwark_model::tools::args::Family;
use netwark_packet::ip;
use socket2::Socket;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{self, Instant};

pub(crate) use crate::counted::Counted;
use crate::decide::Unreachable;
use crate::engine::{Pacer, Traffic, kind_of_queued};
use crate::net::connect;
use crate::net::control::QueuedError;
use crate::resolve::{self, Choice, Resolve};
use crate::runner::{ProbeError, reach};
use crate::words;

/// Says whether a tool that returns content may connect to a place; the error is the rule that forbids it.
pub type ContentPermit = dyn Fn(SocketAddr) -> Result<(), String> + Send + Sync;

/// Bytes of a segment without data: headers of IP and TCP, with the options of a SYN left out.
pub(crate) const SEGMENT_V4: u64 = 40;
pub(crate) const SEGMENT_V6: u64 = 60;
/// Segments that either side sends on the way in and out of a connection.
const SEGMENTS: u64 = 3;

/// Resolves names and opens connections. Cheap to clone.
#[derive(Clone)]
pub struct Dialer {
    resolver: Arc<dyn Resolve>,
    permit: Arc<ContentPermit>,
    traffic: Arc<Traffic>,
    pacer: Option<Pacer>,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer").finish_non_exhaustive()
    }
}

/// The turn of a connection to a place: its packets may leave now.
#[derive(Debug)]
pub(crate) struct Turn {
    place: SocketAddr,
    /// How long it was waited for.
    pub(crate) waited: Duration,
}

/// What became of a connection. Durations begin with its first packet.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It came about.
    Connected { stream: TcpStream, took: Duration },
    /// A reset came back.
    Refused { took: Duration },
    /// An ICMP error came back.
    Filtered { took: Duration, from: Option<IpAddr>, message: String },
    /// Nothing came back in time.
    Unanswered,
    /// The system did not let us try.
    Unsent { message: String },
}

impl Dialer {
    /// A dialer that connects to what `permit` allows and nowhere else.
    pub fn new(resolver: Arc<dyn Resolve>, permit: Arc<ContentPermit>, traffic: Arc<Traffic>) -> Self {
        Self { resolver, permit, traffic, pacer: None }
    }

    /// The same, but no faster than this pace lets packets leave.
    #[must_use]
    pub fn at_pace(mut self, pacer: Pacer) -> Self {
        self.pacer = Some(pacer);
        self
    }

    /// Waits until the pace lets the packets of a connection leave. No time of a measurement is to run meanwhile.
    pub(crate) async fn turn(&self, place: SocketAddr) -> Turn {
        let waited = match &self.pacer {
            Some(pacer) => pacer.turn(place.ip(), SEGMENTS).await,
            None => Duration::ZERO,
        };
        Turn { place, waited }
    }

    /// The addresses of a host that are measured, not yet checked against the list.
    pub(crate) async fn addresses(
        &self,
        host: &str,
        family: Family,
        source: Option<IpAddr>,
    ) -> Result<Vec<Choice>, ProbeError> {
        let choices = match resolve::literal(host) {
            Some(address) => vec![resolve::choose_literal(address, family)?],
            None => {
                let family = match (family, source) {
                    (Family::Auto | Family::All, Some(IpAddr::V4(_))) => Family::V4,
                    (Family::Auto | Family::All, Some(IpAddr::V6(_))) => Family::V6,
                    (family, _) => family,
                };
                let mut addresses = self.resolver.addresses(host, family).await?;
                addresses.iter_mut().for_each(|address| *address = address.to_canonical());
                resolve::choose(host, &addresses, family, reach(&addresses))?
            }
        };
        for Choice { address, .. } in &choices {
            if let Some(source) = source.filter(|source| source.is_ipv4() != address.is_ipv4()) {
                return Err(ProbeError::SourceFamily { source_address: source, target: *address });
            }
        }
        Ok(choices)
    }

    /// Whether the list allows a place.
    pub(crate) fn check(&self, place: SocketAddr) -> Result<(), ProbeError> {
        (self.permit)(place).map_err(|reason| ProbeError::Forbidden { address: place.ip(), reason })
    }

    /// The same stream, with what it carries counted.
    pub(crate) fn counted(&self, stream: TcpStream) -> Counted {
        let peer = stream.peer_addr().ok().map(|peer| peer.ip());
        let headers = if peer.is_some_and(|peer| peer.is_ipv6()) { SEGMENT_V6 } else { SEGMENT_V4 };
        let counted = Counted::new(stream, Arc::clone(&self.traffic), headers);
        match (&self.pacer, peer) {
            (Some(pacer), Some(peer)) => counted.at_pace(pacer.clone(), peer),
            _ => counted,
        }
    }

    /// Connects to the place whose turn it is, if the list allows it.
    pub(crate) async fn dial(
        &self,
        Turn { place, .. }: Turn,
        source: Option<IpAddr>,
        timeout: Duration,
    ) -> Result<Fate, ProbeError> {
        self.check(place)?;
        let fate = connected(place, source, timeout).await;
        let segment = if place.is_ipv4() { SEGMENT_V4 } else { SEGMENT_V6 };
        let (sent, received) = match fate {
            Fate::Connected { .. } => (SEGMENTS, SEGMENTS),
            Fate::Refused { .. } | Fate::Filtered { .. } => (1, 1),
            Fate::Unanswered => (1, 0),
            Fate::Unsent { .. } => (0, 0),
        };
        self.traffic.add_sent(sent * segment);
        self.traffic.add_received(received * segment);
        Ok(fate)
    }
}

/// Connects to a place; nobody is asked whether that is allowed.
pub(crate) async fn connected(place: SocketAddr, source: Option<IpAddr>, timeout: Duration) -> Fate {
    let unsent = |error: &io::Error| Fate::Unsent { message: words::of_system(error) };
    // The copy still tells of ICMP errors when the connection, and with it the socket, is gone.
    let opened = connect::open(place, source).and_then(|socket| Ok((socket.try_clone()?, socket)));
    let (errors, socket) = match opened {
        Ok(both) => both,
        Err(error) => return unsent(&error),
    };
    let begin = Instant::now();
    match time::timeout(timeout, TcpSocket::from_std_stream(socket.into()).connect(place)).await {
        Err(_) => Fate::Unanswered,
        Ok(Err(error)) => ended(&error, &errors, place, begin.elapsed()),
        Ok(Ok(stream)) => {
            let took = begin.elapsed();
            if stream.peer_addr().is_err() {
                // Newer kernels go on trying after an error that may pass; for us it is an answer.
                return connect::kept_error(&errors)
                    .map_or(Fate::Unanswered, |error| filtered(error, place, took));
            }
            match connect::keep_errors(&errors, place.is_ipv4(), false) {
                Ok(()) => Fate::Connected { stream, took },
                Err(error) => unsent(&error),
            }
        }
    }
}

/// What an error of the system means for a connection.
fn ended(error: &io::Error, socket: &Socket, place: SocketAddr, took: Duration) -> Fate {
    if let Some(queued) = connect::kept_error(socket) {
        return filtered(queued, place, took);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Fate::Refused { took },
        io::ErrorKind::TimedOut => Fate::Unanswered,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Fate::Filtered { took, from: None, message: words::of_system(error) }
        }
        _ => Fate::Unsent { message: words::of_system(error) },
    }
}

fn filtered(error: QueuedError, place: SocketAddr, took: Duration) -> Fate {
    let family = if place.is_ipv4() { ip::Family::V4 } else { ip::Family::V6 };
    let message =
        words::error(kind_of_queued(family, error)).unwrap_or_else(|| words::unreachable(Unreachable::Host));
    Fate::Filtered { took, from: error.offender, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::{Answer, ResolveError};

    /// Knows no name.
    struct Nobody;

    impl Resolve for Nobody {
        fn addresses<'a>(
            &'a self,
            name: &'a str,
            _: Family,
        ) -> Answer<'a, Result<Vec<IpAddr>, ResolveError>> {
            Box::pin(async move { Err(ResolveError::Resolver(format!("no such name: '{name}'"))) })
        }

        fn name(&self, _: IpAddr) -> Answer<'_, Option<String>> {
            Box::pin(async { None })
        }
    }

    fn dialer(permit: fn(SocketAddr) -> Result<(), String>) -> Dialer {
        Dialer::new(Arc::new(Nobody), Arc::new(permit), Arc::default())
    }

    fn counted(dialer: &Dialer) -> (u64, u64) {
        (dialer.traffic.sent(), dialer.traffic.received())
    }

    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_listener_is_connected_to_and_a_closed_port_refuses() {
        let dialer = dialer(|_| Ok(()));
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = tokio::net::TcpListener::bind(host).await else { continue };
            let place = listener.local_addr().unwrap();
            let fate = dialer.dial(dialer.turn(place).await, None, PATIENCE).await.unwrap();
            let Fate::Connected { stream, .. } = fate else { panic!("{fate:?}") };
            assert_eq!(stream.peer_addr().unwrap(), place);
            drop(listener);
            let fate = dialer.dial(dialer.turn(place).await, None, PATIENCE).await.unwrap();
            assert!(matches!(fate, Fate::Refused { .. }), "{fate:?}");
        }
        assert!(counted(&dialer).0 >= 4 * SEGMENT_V4, "{:?}", counted(&dialer));
    }

    #[tokio::test]
    async fn what_the_list_forbids_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap();
        let dialer = dialer(|_| Err("loopback".into()));
        let error = dialer.dial(dialer.turn(place).await, None, PATIENCE).await.unwrap_err();
        assert_eq!(error.to_string(), "127.0.0.1 must not be measured from here: loopback");
    }

    #[tokio::test]
    async fn a_source_that_is_not_ours_is_said() {
        let place = "127.0.0.1:9".parse().unwrap();
        let source = Some("192.0.2.1".parse().unwrap());
        let dialer = dialer(|_| Ok(()));
        let fate = dialer.dial(dialer.turn(place).await, source, PATIENCE).await.unwrap();
        let Fate::Unsent { message } = fate else { panic!("{fate:?}") };
        assert_eq!(message, "cannot assign requested address");
        let error = dialer.addresses("::1", Family::Auto, source).await.unwrap_err();
        assert!(error.to_string().contains("of the other family"), "{error}");
    }
}

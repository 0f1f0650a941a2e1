//! Asking one question of chosen servers, the way `dig` does: nothing is cached, and everything that was sent is told.

pub mod endpoint;
mod https;
pub mod tls;
pub mod transport;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::endpoint::Endpoint;
use self::tls::Tls;
use self::transport::{Carrier, Failure, exchange};
use super::wire::message::{Asking, Message, Question, flag, rcode_name};
use netwark_model::tools::dns::DnsAttempt;

/// Says whether an address may be asked; the error says which rule speaks against it.
pub type Permit = Arc<dyn Fn(SocketAddr) -> Result<(), String> + Send + Sync>;

/// Is told the bytes of a question and of its answer, as IP carries them, connections left out.
pub type Meter = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// What IP and UDP add to a message at least, in bytes.
const HEADERS: u64 = 28;

/// Asks questions.
#[derive(Clone)]
pub struct Client {
    permit: Permit,
    tls: Tls,
    meter: Option<Meter>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// How hard a question is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// How often a silent server is asked by UDP.
    pub tries: u8,
    /// Ask again by TCP when an answer does not fit into a datagram.
    pub tcp_when_cut: bool,
}

/// An answer and how it came.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The answer.
    pub message: Message,
    /// Who gave it.
    pub from: SocketAddr,
    /// How it travelled.
    pub carrier: Carrier,
    /// From the question to the answer.
    pub took: Duration,
    /// What the connection took.
    pub connect: Option<Duration>,
}

impl Client {
    /// Asks only whom `permit` allows; certificates are checked as `tls` has it.
    pub fn new(permit: Permit, tls: Tls) -> Self {
        Self { permit, tls, meter: None }
    }

    /// The same, telling what it sends and receives.
    #[must_use]
    pub fn metered(mut self, meter: Meter) -> Self {
        self.meter = Some(meter);
        self
    }

    /// Whether a place may be asked.
    ///
    /// # Errors
    /// Says which rule speaks against it.
    pub fn may_ask(&self, place: SocketAddr) -> Result<(), String> {
        (self.permit)(place)
    }

    /// Asks these servers in turn until one answers. What an answer says does not matter, unless it is that the server
    /// cannot or will not answer and there is another one to ask. Everything sent is added to `attempts`.
    pub async fn ask(
        &self,
        servers: &[Endpoint],
        question: &Question,
        asking: Asking,
        patience: Patience,
        attempts: &mut Vec<DnsAttempt>,
    ) -> Option<Reply> {
        let mut unwilling = None;
        for server in servers {
            match self.ask_one(server, question, asking, patience, attempts).await {
                Some(reply) if matches!(reply.message.rcode, 0 | 3) => return Some(reply),
                Some(reply) => unwilling = unwilling.or(Some(reply)),
                None => {}
            }
        }
        unwilling
    }

    async fn ask_one(
        &self,
        server: &Endpoint,
        question: &Question,
        mut asking: Asking,
        patience: Patience,
        attempts: &mut Vec<DnsAttempt>,
    ) -> Option<Reply> {
        let mut server = server.clone();
        let mut tries = if server.carrier == Carrier::Udp { patience.tries } else { 1 };
        let mut cut = None;
        while tries > 0 {
            let Some(reply) = self.try_once(&server, question, asking, patience.timeout, attempts).await
            else {
                tries -= 1;
                continue;
            };
            // FORMERR or NOTIMP without EDNS in it: a server from before EDNS.
            if matches!(reply.message.rcode, 1 | 4) && asking.size.is_some() && reply.message.edns.is_none() {
                asking = Asking { size: None, dnssec: false, nsid: false, ..asking };
            } else if reply.message.has(flag::TC) && server.carrier == Carrier::Udp && patience.tcp_when_cut {
                server.carrier = Carrier::Tcp;
                cut = Some(reply);
                tries = 1;
            } else {
                return Some(reply);
            }
        }
        // Half an answer says more than none.
        cut
    }

    async fn try_once(
        &self,
        server: &Endpoint,
        question: &Question,
        asking: Asking,
        within: Duration,
        attempts: &mut Vec<DnsAttempt>,
    ) -> Option<Reply> {
        let began = Instant::now();
        let sent = match self.may_ask(server.address) {
            Ok(()) => exchange(server, question, asking, within, &self.tls).await,
            Err(why) => Err(Failure::NotAllowed(why)),
        };
        if let (Some(meter), false) = (&self.meter, matches!(sent, Err(Failure::NotAllowed(_)))) {
            let received = sent.as_ref().map_or(0, |answer| answer.message.size as u64 + HEADERS);
            // A header of 12 bytes, type and class, and the record of EDNS.
            let asked = 16 + question.name.wire().len() + if asking.size.is_some() { 11 } else { 0 };
            meter(asked as u64 + HEADERS, received);
        }
        let (reply, result) = match sent {
            Ok(answer) => {
                let mut result = rcode_name(answer.message.rcode);
                if answer.message.has(flag::TC) {
                    result.push_str(", cut to fit");
                }
                let reply = Reply {
                    message: answer.message,
                    from: server.address,
                    carrier: server.carrier,
                    took: answer.took,
                    connect: answer.connect,
                };
                (Some(reply), result)
            }
            Err(failure) => (None, failure.to_string()),
        };
        attempts.push(DnsAttempt {
            server: server.address.to_string(),
            transport: server.carrier.as_str().into(),
            time_ms: milliseconds(began.elapsed()),
            result,
        });
        reply
    }
}

/// A duration in milliseconds, to the microsecond.
pub fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

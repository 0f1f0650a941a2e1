//! A question as a user puts it, and everything that becomes of it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use netwark_model::error::FieldError;
use netwark_model::tools::dns::{
    DnsAttempt, DnsOptions, DnsOutcome, DnsQuestion, DnsRecord, DnsReply, DnssecReport, LONGEST_WALK_MS,
    Transport, wrong_type,
};
use tokio::time::timeout;

use super::client::endpoint::{Endpoint, Named};
use super::client::tls::Tls;
use super::client::transport::Carrier;
use super::client::{Client, Meter, Patience, Permit, Reply, milliseconds};
use super::dnssec::{self, Anchors};
use super::iterate::{Root, Walker};
use super::wire::kind::Kind;
use super::wire::message::{Asking, Message, Question, Record, flag, rcode_name};
use super::wire::name::DomainName;
use super::{Families, Resolver, text, verdict};

/// Most servers that are tried with one question.
const MOST_SERVERS: usize = 3;

/// Whoever asks questions for users: whom by default, whom at all, and what is trusted.
#[derive(Clone, Debug)]
pub struct Asker {
    resolver: Resolver,
    client: Client,
    trust: Arc<Trust>,
}

/// What is taken for granted. Cheap to share.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Where delegations begin.
    pub root: Root,
    /// Where trust in signatures begins.
    pub anchors: Anchors,
    /// Whose certificates count.
    pub tls: Tls,
}

/// Why a question is not asked at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// Something in it is wrong.
    #[error(transparent)]
    Wrong(#[from] FieldError),
    /// There is nobody to ask.
    #[error("{0}")]
    Nobody(String),
    /// The chosen server may not be asked from here.
    #[error("{0}")]
    NotAllowed(String),
}

impl Asker {
    /// Asks the servers of `resolver` unless others are named. Those are always allowed; all others as `permit` says.
    pub fn new(resolver: Resolver, permit: Permit, trust: Arc<Trust>) -> Self {
        let own = resolver.clone();
        let permit: Permit = Arc::new(move |place: SocketAddr| match own.servers().contains(&place) {
            true => Ok(()),
            false => permit(place),
        });
        let client = Client::new(permit, trust.tls.clone());
        Self { resolver, client, trust }
    }

    /// The same, telling what it sends and receives.
    #[must_use]
    pub fn metered(mut self, meter: Meter) -> Self {
        self.client = self.client.metered(meter);
        self
    }

    /// Asks.
    ///
    /// # Errors
    /// When the question makes no sense, or nobody is there to be asked. That nobody answers is an outcome.
    pub async fn ask(&self, target: &str, options: &DnsOptions) -> Result<DnsOutcome, AskError> {
        let question = question(target, options.kind.as_deref())?;
        if options.trace {
            return Ok(self.trace(&question, options).await);
        }
        let servers = self.servers(options).await?;
        let asking = asking(options);
        let patience = patience(options);
        let mut attempts = Vec::new();
        let reply = self.client.ask(&servers, &question, asking, patience, &mut attempts).await;
        let mut outcome = self.outcome(&question, &servers, reply.as_ref(), attempts);
        if let (Some(reply), true) = (&reply, options.dnssec) {
            let server = servers.into_iter().find(|server| server.address == reply.from);
            let source = dnssec::Source::Server {
                client: &self.client,
                servers: server.into_iter().collect(),
                patience,
            };
            let report = dnssec::validate(&self.trust.anchors, source, &question, &reply.message);
            outcome.dnssec = Some(within(report).await);
        }
        Ok(finish(outcome))
    }

    async fn trace(&self, question: &Question, options: &DnsOptions) -> DnsOutcome {
        let mut walker = Walker::new(&self.client, &self.trust.root, patience(options), options.dnssec);
        let limit = Duration::from_millis(LONGEST_WALK_MS.into());
        let reply = timeout(limit, walker.resolve(question)).await.ok().flatten();
        let servers: Vec<Endpoint> = reply.iter().map(|reply| Endpoint::plain(reply.from)).collect();
        let mut outcome = self.outcome(question, &servers, reply.as_ref(), Vec::new());
        outcome.trace = Some(walker.take_steps());
        if let (Some(reply), true) = (&reply, options.dnssec) {
            let source = dnssec::Source::Walker(&mut walker);
            let report = dnssec::validate(&self.trust.anchors, source, question, &reply.message);
            outcome.dnssec = Some(within(report).await);
        }
        outcome.attempts = walker.take_attempts();
        finish(outcome)
    }

    /// The places to ask, by name or by default.
    async fn servers(&self, options: &DnsOptions) -> Result<Vec<Endpoint>, AskError> {
        let wrong =
            |name: &str, why: String| AskError::Wrong(FieldError::body(format!("options.{name}"), why));
        let Some(text) = options.nameserver.as_deref() else {
            let servers = self.resolver.servers();
            if servers.is_empty() {
                return Err(AskError::Nobody(
                    "no name server is configured; name one in /etc/resolv.conf, or choose one".into(),
                ));
            }
            let named = Named { host: String::new(), port: None, carrier: None, path: String::new() };
            let carrier = named.carrier(options.transport).map_err(|why| wrong("transport", why))?;
            let place = |server: &SocketAddr| match carrier {
                Carrier::Udp | Carrier::Tcp => Endpoint { carrier, ..Endpoint::plain(*server) },
                _ => Named { host: server.ip().to_string(), ..named.clone() }.at(server.ip(), carrier),
            };
            return Ok(servers.iter().take(MOST_SERVERS).map(place).collect());
        };
        let named = Named::parse(text).map_err(|why| wrong("nameserver", why))?;
        let carrier = named.carrier(options.transport).map_err(|why| wrong("transport", why))?;
        let addresses: Vec<IpAddr> =
            self.resolver.addresses(&named.host, Families::Both).await.map_err(|error| {
                AskError::Nobody(format!("the server {} has no address: {error}", named.host))
            })?;
        let (mut places, mut refused) = (Vec::new(), None);
        for place in addresses.into_iter().map(|address| named.at(address, carrier)) {
            match self.client.may_ask(place.address) {
                Ok(()) => places.push(place),
                Err(why) => refused = Some(why),
            }
        }
        match refused {
            Some(why) if places.is_empty() => Err(AskError::NotAllowed(why)),
            _ => Ok(places.into_iter().take(MOST_SERVERS).collect()),
        }
    }

    fn outcome(
        &self,
        question: &Question,
        servers: &[Endpoint],
        reply: Option<&Reply>,
        attempts: Vec<DnsAttempt>,
    ) -> DnsOutcome {
        let mut outcome = DnsOutcome { question: told(question), attempts, ..DnsOutcome::default() };
        let Some(reply) = reply else { return outcome };
        let message = &reply.message;
        outcome.status = Some(rcode_name(message.rcode));
        outcome.answers = message.answers.iter().map(record).collect();
        outcome.answers.sort();
        outcome.essence = essence(message);
        outcome.serial = serial(message);
        let server = servers.iter().find(|server| server.address == reply.from);
        let server = server.cloned().unwrap_or_else(|| Endpoint::plain(reply.from));
        outcome.raw = text::lines(question, &server, reply, Timestamp::now());
        outcome.reply = Some(DnsReply {
            server: reply.from.to_string(),
            transport: reply.carrier.as_str().into(),
            time_ms: milliseconds(reply.took),
            connect_ms: reply.connect.map(milliseconds),
            size: u32::try_from(message.size).unwrap_or(u32::MAX),
            flags: text::flags(message).into_iter().map(str::to_owned).collect(),
            nsid: text::nsid(message),
            extended_errors: text::extended_errors(message),
            authority: message.authorities.iter().map(record).collect(),
            additional: message.additionals.iter().map(record).collect(),
        });
        outcome
    }
}

/// The chain of trust is followed for a bounded time.
async fn within(report: impl Future<Output = DnssecReport>) -> DnssecReport {
    let limit = Duration::from_millis(LONGEST_WALK_MS.into());
    timeout(limit, report).await.unwrap_or_else(|_| DnssecReport {
        reason: format!("the chain of trust could not be followed within {} s", limit.as_secs()),
        ..Default::default()
    })
}

fn finish(mut outcome: DnsOutcome) -> DnsOutcome {
    outcome.raw = text::whole(&outcome);
    outcome.verdict = verdict::of(&outcome);
    outcome
}

/// The question that a target and a type of records make.
///
/// # Errors
/// Says which of the two is wrong.
pub fn question(target: &str, kind: Option<&str>) -> Result<Question, FieldError> {
    let text = target.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Some(wrong) = kind.and_then(wrong_type) {
        return Err(FieldError::body("options.type", wrong));
    }
    let kind = kind.and_then(Kind::parse);
    match bare.parse::<IpAddr>() {
        Ok(address) => {
            Ok(Question { name: DomainName::of_address(address), kind: kind.unwrap_or(Kind::PTR) })
        }
        Err(_) => {
            let name = DomainName::parse(text).map_err(|why| FieldError::body("target", why))?;
            Ok(Question { name, kind: kind.unwrap_or(Kind::A) })
        }
    }
}

fn asking(options: &DnsOptions) -> Asking {
    let mut flags = 0;
    if !options.no_recursion {
        flags |= flag::RD;
    }
    // A verdict of our own needs what a server that checks would hold back.
    if options.checking_disabled || options.dnssec {
        flags |= flag::CD;
    }
    // Says that we understand the server's own verdict (RFC 6840 §5.7).
    flags |= flag::AD;
    let size = match (options.edns_size, options.dnssec || options.nsid) {
        (0, false) => None,
        (0, true) => Some(1232),
        (size, _) => Some(size),
    };
    Asking { flags, size, dnssec: options.dnssec, nsid: options.nsid }
}

fn patience(options: &DnsOptions) -> Patience {
    Patience {
        timeout: Duration::from_millis(options.timeout_ms.into()),
        tries: options.tries,
        tcp_when_cut: options.transport != Transport::Udp,
    }
}

/// A question for people.
pub(super) fn told(question: &Question) -> DnsQuestion {
    DnsQuestion { name: question.name.to_string(), kind: question.kind.to_string() }
}

/// A record for people.
pub(super) fn record(record: &Record) -> DnsRecord {
    DnsRecord {
        name: record.name.to_string(),
        kind: record.kind.to_string(),
        data: record.text(),
        ttl: record.ttl,
    }
}

/// What an answer says, apart from its lifetimes and signatures.
fn essence(message: &Message) -> Vec<String> {
    let counts = message.answers.iter().filter(|record| record.kind != Kind::RRSIG);
    let mut lines: Vec<_> = counts.map(|record| format!("{} {}", record.kind, record.text())).collect();
    lines.sort();
    lines.dedup();
    lines
}

fn serial(message: &Message) -> Option<u32> {
    let soa = message.answers.iter().chain(&message.authorities).find(|record| record.kind == Kind::SOA)?;
    record(soa).data.split(' ').nth(2)?.parse().ok()
}

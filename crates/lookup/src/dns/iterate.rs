//! Following the delegations from the root, asking the servers of each zone.
//!
//! Everything is bounded: questions, zones, aliases, and how deep the search for the address of a server may lead to
//! the search for another. Addresses beside a referral are believed only for servers inside of the zone that refers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use netwark_model::tools::dns::{DnsAttempt, StepKind, TraceStep};

use super::ask::{record, told};
use super::client::endpoint::Endpoint;
use super::client::{Client, Patience, Reply, milliseconds};
use super::wire::kind::Kind;
use super::wire::message::{Asking, Message, Question, Record, flag, rcode_name};
use super::wire::name::DomainName;

/// Most questions that are sent for one.
const QUESTIONS: usize = 150;
/// Most zones from the root down.
const ZONES: usize = 40;
/// Most names that are other names for the next.
const ALIASES: usize = 8;
/// Most servers of a zone that are tried.
const SERVERS: usize = 4;
/// How deep the search for the address of a server may lead to another such search.
const DEPTH: usize = 4;

/// Servers of the root (<https://www.iana.org/domains/root/servers>, November 2026).
const ROOT: [(&str, &str, &str); 13] = [
    ("a", "198.41.0.4", "2001:503:ba3e::2:30"),
    ("b", "170.247.170.2", "2801:1b8:10::b"),
    ("c", "192.33.4.12", "2001:500:2::c"),
    ("d", "199.7.91.13", "2001:500:2d::d"),
    ("e", "192.203.230.10", "2001:500:a8::e"),
    ("f", "192.5.5.241", "2001:500:2f::f"),
    ("g", "192.112.36.4", "2001:500:12::d0d"),
    ("h", "198.97.190.53", "2001:500:1::53"),
    ("i", "192.36.148.17", "2001:7fe::53"),
    ("j", "192.58.128.30", "2001:503:c27::2:30"),
    ("k", "193.0.14.129", "2001:7fd::1"),
    ("l", "199.7.83.42", "2001:500:9f::42"),
    ("m", "202.12.27.33", "2001:dc3::35"),
];

/// Where delegations begin.
#[derive(Clone, Debug)]
pub struct Root {
    servers: Vec<Server>,
    /// The port of all servers below.
    port: u16,
}

#[derive(Clone, Debug)]
struct Server {
    name: String,
    addresses: Vec<IpAddr>,
}

impl Default for Root {
    fn default() -> Self {
        let server = |(letter, v4, v6): &(&str, &str, &str)| Server {
            name: format!("{letter}.root-servers.net."),
            addresses: [v4, v6].iter().filter_map(|text| text.parse().ok()).collect(),
        };
        Self { servers: ROOT.iter().map(server).collect(), port: 53 }
    }
}

impl Root {
    /// A private root. All servers below it are asked at the port of the first.
    pub fn of(servers: &[SocketAddr]) -> Self {
        let server =
            |place: &SocketAddr| Server { name: place.ip().to_string(), addresses: vec![place.ip()] };
        Self {
            servers: servers.iter().map(server).collect(),
            port: servers.first().map_or(53, SocketAddr::port),
        }
    }
}

/// Follows delegations and remembers the zones it came through.
pub struct Walker<'a> {
    client: &'a Client,
    port: u16,
    patience: Patience,
    dnssec: bool,
    zones: BTreeMap<DomainName, Vec<Server>>,
    searched: BTreeSet<DomainName>,
    steps: Vec<TraceStep>,
    quiet: bool,
    attempts: Vec<DnsAttempt>,
}

/// What an answer means on the way.
enum Meaning {
    Referral(DomainName),
    Answer,
    Alias(DomainName),
    Nothing,
    Lame(String),
}

impl<'a> Walker<'a> {
    /// Begins at this root; with `dnssec` signatures are asked for.
    pub fn new(client: &'a Client, root: &Root, patience: Patience, dnssec: bool) -> Self {
        let zones = BTreeMap::from([(DomainName::root(), root.servers.clone())]);
        Self {
            client,
            port: root.port,
            patience,
            dnssec,
            zones,
            searched: BTreeSet::new(),
            steps: Vec::new(),
            quiet: false,
            attempts: Vec::new(),
        }
    }

    /// The way so far.
    pub fn take_steps(&mut self) -> Vec<TraceStep> {
        std::mem::take(&mut self.steps)
    }

    /// Everything that was sent so far.
    pub fn take_attempts(&mut self) -> Vec<DnsAttempt> {
        std::mem::take(&mut self.attempts)
    }

    /// The answer of the servers that are responsible; that to an alias holds the records of all its names.
    pub async fn resolve(&mut self, question: &Question) -> Option<Reply> {
        let mut asked = question.clone();
        let mut before: Vec<Message> = Vec::new();
        for _ in 0..=ALIASES {
            let mut reply = self.find(&asked, 0).await?;
            if let Some(target) = alias(&asked, &reply.message)
                && before.len() < ALIASES
            {
                before.push(reply.message);
                asked.name = target;
                continue;
            }
            for message in before.into_iter().rev() {
                reply.message.answers.splice(0..0, message.answers);
                reply.message.authorities.extend(message.authorities);
            }
            reply.message.questions = vec![question.clone()];
            return Some(reply);
        }
        None
    }

    /// The same for a question that only checks something: its way is not shown.
    pub async fn check(&mut self, question: &Question) -> Option<Message> {
        self.quiet = true;
        let reply = self.find(question, 0).await;
        self.quiet = false;
        reply.map(|reply| reply.message)
    }

    fn find<'b>(
        &'b mut self,
        question: &'b Question,
        depth: usize,
    ) -> Pin<Box<dyn Future<Output = Option<Reply>> + Send + 'b>> {
        Box::pin(async move {
            let mut zone = self.deepest(question);
            for _ in 0..ZONES {
                match self.ask_zone(&zone, question, depth).await? {
                    (_, Meaning::Referral(below)) => zone = below,
                    (reply, _) => return Some(reply),
                }
            }
            None
        })
    }

    /// The deepest zone known that can answer; a DS record is a matter of the zone above.
    fn deepest(&self, question: &Question) -> DomainName {
        let above = question.kind == Kind::DS;
        let fits = |zone: &&DomainName| question.name.is_within(zone) && !(above && **zone == question.name);
        self.zones
            .keys()
            .filter(fits)
            .max_by_key(|zone| zone.depth())
            .cloned()
            .unwrap_or_else(DomainName::root)
    }

    /// Asks the servers of a zone in turn, until one says something of use.
    async fn ask_zone(
        &mut self,
        zone: &DomainName,
        question: &Question,
        depth: usize,
    ) -> Option<(Reply, Meaning)> {
        let mut unhelpful = None;
        for (server, address) in self.places(zone, depth).await {
            if self.attempts.len() >= QUESTIONS {
                return None;
            }
            let asking = Asking { flags: 0, size: Some(1232), dnssec: self.dnssec, nsid: false };
            let endpoint = Endpoint::plain(SocketAddr::new(address, self.port));
            let before = self.attempts.len();
            let reply =
                self.client.ask(&[endpoint], question, asking, self.patience, &mut self.attempts).await;
            let step = Step { zone, server: &server, address, question };
            let Some(mut reply) = reply else {
                let failures: Vec<_> =
                    self.attempts.iter().skip(before).map(|one| one.result.clone()).collect();
                self.step(&step, depth, StepKind::Failed, failures.last().cloned().unwrap_or_default(), None);
                continue;
            };
            // A server may follow an alias out of its zone, where its word counts for nothing.
            reply.message.answers.retain(|record| record.name.is_within(zone));
            let meaning = meaning(zone, question, &reply.message);
            if let Meaning::Referral(below) = &meaning {
                let servers = servers_of(zone, below, &reply.message);
                self.zones.entry(below.clone()).or_insert(servers);
            }
            let (kind, text) = in_words(&meaning, &reply.message);
            self.step(&step, depth, kind, text, Some((&reply, &meaning)));
            match meaning {
                Meaning::Lame(_) => unhelpful = Some((reply, meaning)),
                meaning => return Some((reply, meaning)),
            }
        }
        unhelpful
    }

    /// Addresses of the servers of a zone. Those without an address beside their name are searched for.
    async fn places(&mut self, zone: &DomainName, depth: usize) -> Vec<(String, IpAddr)> {
        let servers = self.zones.get(zone).cloned().unwrap_or_default();
        let known = |servers: &[Server]| -> Vec<(String, IpAddr)> {
            let mut places: Vec<(String, IpAddr)> = servers
                .iter()
                .flat_map(|server| server.addresses.iter().map(|address| (server.name.clone(), *address)))
                .collect();
            // Not every machine has IPv6.
            places.sort_by_key(|(_, address)| address.is_ipv6());
            places.truncate(SERVERS);
            places
        };
        let places = known(&servers);
        if !places.is_empty() || depth >= DEPTH {
            return places;
        }
        let mut found = servers;
        for server in found.iter_mut().take(SERVERS) {
            let Ok(name) = DomainName::parse(&server.name) else { continue };
            // A search that comes back to itself finds nothing.
            if !self.searched.insert(name.clone()) {
                continue;
            }
            for kind in [Kind::A, Kind::AAAA] {
                let question = Question { name: name.clone(), kind };
                if let Some(reply) = self.find(&question, depth + 1).await {
                    server.addresses.extend(reply.message.answers.iter().filter_map(address));
                }
                if !server.addresses.is_empty() {
                    break;
                }
            }
            self.searched.remove(&name);
            if !server.addresses.is_empty() {
                break;
            }
        }
        let places = known(&found);
        self.zones.insert(zone.clone(), found);
        places
    }

    fn step(
        &mut self,
        step: &Step<'_>,
        depth: usize,
        kind: StepKind,
        text: String,
        answer: Option<(&Reply, &Meaning)>,
    ) {
        // What a search for a server's address takes is not part of the way.
        if self.quiet || depth > 0 {
            return;
        }
        let records = answer.map_or(Vec::new(), |(reply, meaning)| match meaning {
            Meaning::Referral(_) => {
                reply.message.authorities.iter().filter(|r| r.kind != Kind::RRSIG).map(record).collect()
            }
            _ => reply.message.answers.iter().map(record).collect(),
        });
        self.steps.push(TraceStep {
            zone: step.zone.to_string(),
            server: step.server.to_owned(),
            address: SocketAddr::new(step.address, self.port).to_string(),
            question: told(step.question),
            kind,
            text,
            time_ms: answer.map_or(0.0, |(reply, _)| milliseconds(reply.took)),
            records,
        });
    }
}

struct Step<'a> {
    zone: &'a DomainName,
    server: &'a str,
    address: IpAddr,
    question: &'a Question,
}

fn in_words(meaning: &Meaning, message: &Message) -> (StepKind, String) {
    match meaning {
        Meaning::Referral(below) => (StepKind::Referral, format!("refers to the servers of {below}")),
        Meaning::Answer => (StepKind::Answer, "answers".into()),
        Meaning::Alias(target) => (StepKind::Alias, format!("says that it is another name for {target}")),
        Meaning::Nothing if message.rcode == 3 => {
            (StepKind::Nothing, "says that there is no such name".into())
        }
        Meaning::Nothing => (StepKind::Nothing, "says that the name has no such record".into()),
        Meaning::Lame(why) => (StepKind::Lame, why.clone()),
    }
}

/// The next name, when the answer says only that this one is another name for it.
fn alias(question: &Question, message: &Message) -> Option<DomainName> {
    match meaning_of_answers(question, message)? {
        Meaning::Alias(target) => Some(target),
        _ => None,
    }
}

fn meaning_of_answers(question: &Question, message: &Message) -> Option<Meaning> {
    let mut name = question.name.clone();
    // The answer may follow the aliases itself, as far as the server is responsible for them.
    for _ in 0..ALIASES {
        let of_name = |record: &&Record| record.name == name;
        if message.answers.iter().filter(of_name).any(|record| record.kind == question.kind) {
            return Some(Meaning::Answer);
        }
        let Some(next) = message.answers.iter().filter(of_name).find(|record| record.kind == Kind::CNAME)
        else {
            break;
        };
        name = next.target()?;
    }
    (name != question.name).then_some(Meaning::Alias(name))
}

fn meaning(zone: &DomainName, question: &Question, message: &Message) -> Meaning {
    if !matches!(message.rcode, 0 | 3) {
        return Meaning::Lame(format!("does not answer for {zone} ({})", rcode_name(message.rcode)));
    }
    if let Some(meaning) = meaning_of_answers(question, message) {
        return meaning;
    }
    let has_soa = message.authorities.iter().any(|record| record.kind == Kind::SOA);
    if message.rcode == 3 || has_soa {
        return Meaning::Nothing;
    }
    let owner = message.authorities.iter().find(|record| record.kind == Kind::NS).map(|record| &record.name);
    match owner {
        Some(below) if below != zone && below.is_within(zone) && question.name.is_within(below) => {
            Meaning::Referral(below.clone())
        }
        Some(elsewhere) if elsewhere != zone => {
            Meaning::Lame(format!("is no server of {zone}: it refers to {elsewhere}"))
        }
        _ if message.has(flag::AA) => Meaning::Nothing,
        _ => Meaning::Lame(format!("is no server of {zone}: it has no answer of its own")),
    }
}

/// The servers that a referral names, with the addresses that the zone above may give for them.
fn servers_of(zone: &DomainName, below: &DomainName, message: &Message) -> Vec<Server> {
    let named = message.authorities.iter().filter(|record| record.kind == Kind::NS && record.name == *below);
    let targets = named.filter_map(Record::target).take(3 * SERVERS);
    targets
        .map(|target| {
            let beside =
                message.additionals.iter().filter(|record| record.name == target && target.is_within(zone));
            Server { name: target.to_string(), addresses: beside.filter_map(address).take(SERVERS).collect() }
        })
        .collect()
}

fn address(record: &Record) -> Option<IpAddr> {
    match record.kind {
        Kind::A => <[u8; 4]>::try_from(record.data.as_slice()).ok().map(IpAddr::from),
        Kind::AAAA => <[u8; 16]>::try_from(record.data.as_slice()).ok().map(IpAddr::from),
        _ => None,
    }
}

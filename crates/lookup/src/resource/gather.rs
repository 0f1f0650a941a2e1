//! Asks all look-ups that have something to say of a resource, at the same time.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use futures::stream::FuturesUnordered;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::answer::{Address, Part, PartName, Parts, Ptr, SystemNumber};
use super::{Name, Resource, records, registry};
use crate::dns::ask::Asker;
use crate::dns::{Families, KnownName, Resolver};
use crate::geoip::{Finding, GeoAnswer, GeoIp};
use crate::oui::{self, Vendors};
use crate::update::Kept;
use crate::whois::{Question, Whois};
use crate::{asn, ipcalc, special};

/// The longest any part may take.
const LONGEST: Duration = Duration::from_secs(30);

/// What is asked. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Names and addresses.
    pub resolver: Resolver,
    /// Where addresses are.
    pub geoip: GeoIp,
    /// To whom MAC addresses are assigned.
    pub vendors: Arc<Kept<Vendors>>,
    /// Asks name servers for records.
    pub dns: Asker,
    /// How many more questions for records may be under way; others wait for their turn.
    pub turns: Arc<Semaphore>,
    /// The registries.
    pub whois: Whois,
    /// Names that only mean something inside a network are asked for, too: whoever asks stands in it.
    pub inside: bool,
}

impl Resource {
    /// The parts there are of it.
    pub fn parts(&self) -> Vec<PartName> {
        use PartName as P;
        match self {
            Self::Address(_) => vec![P::Special, P::Geoip, P::Ptr, P::IpCalc, P::Whois],
            Self::Prefix(_) | Self::Range(..) => vec![P::Special, P::IpCalc, P::Whois],
            Self::Name(_) => vec![P::Addresses, P::Dns, P::Whois],
            Self::As(_) => vec![P::System, P::Whois],
            Self::Mac(_) => vec![P::Vendor],
        }
    }
}

type Answer = Pin<Box<dyn Future<Output = Parts> + Send>>;

/// What is known of a resource, part by part as it arrives. Parts for which others would be asked say so when
/// `may_ask` is false; no part waits for another, and none for longer than half a minute.
pub fn gather(
    resource: &Resource,
    wanted: &[PartName],
    sources: &Sources,
    may_ask: bool,
) -> impl Stream<Item = Parts> + Send + 'static {
    let answers: FuturesUnordered<Answer> = FuturesUnordered::new();
    for name in wanted.iter().copied() {
        let answer = match name.asks_others() && !may_ask {
            true => Box::pin(async move { Parts::not_allowed(name) }),
            false => bounded(name, ask(name, resource, sources)),
        };
        answers.push(answer);
    }
    answers
}

fn bounded(name: PartName, answer: Answer) -> Answer {
    Box::pin(async move {
        timeout(LONGEST, answer).await.unwrap_or_else(|_| Parts::late(name, LONGEST.as_secs()))
    })
}

fn ask(name: PartName, resource: &Resource, sources: &Sources) -> Answer {
    match name {
        PartName::Special => {
            let special = Some(special_of(resource));
            now(Parts { special, ..Parts::default() })
        }
        PartName::IpCalc => {
            let ip_calc = Some(match ipcalc::calculate(&resource.to_string()) {
                Ok(answer) => Part::ok(answer),
                Err(error) => Part::nothing(error.to_string()),
            });
            now(Parts { ip_calc, ..Parts::default() })
        }
        PartName::Whois => whois(resource, sources),
        name => match resource {
            Resource::Address(address) => of_address(name, *address, sources),
            Resource::Name(domain) => of_name(name, domain.clone(), sources),
            Resource::As(number) => of_system(*number, sources.geoip.clone()),
            Resource::Mac(mac) => {
                let vendor = Some(vendor(&sources.vendors.get(), mac));
                now(Parts { vendor, ..Parts::default() })
            }
            Resource::Prefix(_) | Resource::Range(..) => now(Parts::default()),
        },
    }
}

fn of_address(name: PartName, address: IpAddr, sources: &Sources) -> Answer {
    if name == PartName::Geoip {
        let geoip = Some(whereabouts(sources.geoip.lookup(address)));
        return now(Parts { geoip, ..Parts::default() });
    }
    let resolver = sources.resolver.clone();
    Box::pin(async move {
        let ptr = Some(ptr(&resolver, address).await);
        Parts { ptr, ..Parts::default() }
    })
}

fn of_name(name: PartName, domain: Name, sources: &Sources) -> Answer {
    let sources = sources.clone();
    Box::pin(async move {
        match (name, domain.is_internal() && !sources.inside) {
            (PartName::Dns, false) => {
                let dns = Some(records::ask(&sources.dns, &sources.turns, domain.ascii()).await);
                Parts { dns, ..Parts::default() }
            }
            (PartName::Dns, true) => {
                let why = format!("{INTERNAL}, by a measurement with the tool dns");
                Parts { dns: Some(Part::not_available(why)), ..Parts::default() }
            }
            (_, false) => {
                let addresses = Some(addresses(&sources, &domain).await);
                Parts { addresses, ..Parts::default() }
            }
            (_, true) => {
                let why = format!("{INTERNAL}, by pinging the name");
                Parts { addresses: Some(Part::not_available(why)), ..Parts::default() }
            }
        }
    })
}

/// Why a name is not asked for from here.
const INTERNAL: &str = "the name means something inside a network only; ask a worker that stands in it";

fn of_system(number: u32, geoip: GeoIp) -> Answer {
    Box::pin(async move {
        // The first question after a file has come reads all of it.
        let named = spawn_blocking(move || geoip.system(number)).await.ok().flatten();
        let (name, source) = named.unzip();
        let dotted = (number > 0xffff).then(|| format!("{}.{}", number >> 16, number & 0xffff));
        let special = asn::special(number).copied();
        let system = Some(Part::ok(SystemNumber { number, dotted, special, name, source }));
        Parts { system, ..Parts::default() }
    })
}

fn whois(resource: &Resource, sources: &Sources) -> Answer {
    let is_internal = matches!(resource, Resource::Name(name) if name.is_internal());
    let question: Option<Question> = registry::question(resource).filter(|_| !is_internal);
    let whois = sources.whois.clone();
    Box::pin(async move {
        let whois = Some(match question {
            Some(question) => registry::ask(&whois, &question).await,
            None => Part::nothing("no registry has such a name: it means something inside a network only"),
        });
        Parts { whois, ..Parts::default() }
    })
}

fn now(parts: Parts) -> Answer {
    Box::pin(std::future::ready(parts))
}

fn special_of(resource: &Resource) -> Part<special::Special> {
    let (first, last) = match resource {
        Resource::Address(address) => (*address, *address),
        Resource::Prefix(network) => (network.network(), network.broadcast()),
        Resource::Range(first, last) => (*first, *last),
        Resource::Name(_) | Resource::As(_) | Resource::Mac(_) => return Part::nothing("it is no address"),
    };
    match special::of_range(first, last) {
        Some(special) => Part::ok(*special),
        None if first == last => Part::nothing("a public address"),
        None => Part::nothing("not within one block of special-purpose addresses"),
    }
}

fn whereabouts(answer: GeoAnswer) -> Part<GeoAnswer> {
    if answer.place.is_some() || answer.asn.is_some() {
        return Part::ok(answer);
    }
    match [answer.place_state, answer.as_state] {
        [Finding::NoFile, Finding::NoFile] => Part::not_available(
            "there is no file of places or autonomous systems; get one with `netwark update geoip`",
        ),
        states if states.contains(&Finding::Unreadable) => {
            Part::error("the file of places or autonomous systems is damaged at this address")
        }
        _ => Part::nothing("no file of places or autonomous systems lists the address"),
    }
}

fn vendor(table: &oui::Table, mac: &oui::Prefix) -> Part<oui::Answer> {
    match table.answer(&mac.to_string()) {
        Ok(answer) => Part::ok(answer),
        Err(error) => Part::nothing(error.to_string()),
    }
}

/// Reverse names are asked of the configured resolvers, which know those of the network they stand in.
async fn ptr(resolver: &Resolver, address: IpAddr) -> Part<Ptr> {
    let name = match resolver.known_name_of(address).await {
        KnownName::Named(name) => name,
        KnownName::Nameless => return Part::nothing("the address has no name"),
        KnownName::Unanswered => return Part::error("no name server said whether the address has a name"),
    };
    let confirmed = match resolver.addresses(&name, Families::Both).await {
        Ok(addresses) => Some(addresses.contains(&address)),
        Err(error) => (!error.is_failure()).then_some(false),
    };
    Part::ok(Ptr { name: name.to_string(), confirmed })
}

async fn addresses(sources: &Sources, name: &Name) -> Part<Vec<Address>> {
    match sources.resolver.addresses(name.ascii(), Families::Both).await {
        Ok(addresses) => {
            let known = |address| {
                let geoip = sources.geoip.lookup(address);
                let says_something = geoip.place.is_some() || geoip.asn.is_some();
                Address {
                    address,
                    special: special::of(address).copied(),
                    geoip: says_something.then_some(geoip),
                }
            };
            Part::ok(addresses.into_iter().map(known).collect())
        }
        Err(error) if error.is_failure() => Part::error(error.to_string()),
        Err(error) => Part::nothing(error.to_string()),
    }
}

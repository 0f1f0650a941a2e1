//! Asks all look-ups that have something to say of a resource, at the same time.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use futures::stream::FuturesUnordered;
use tokio::time::timeout;

use super::answer::{Address, Part, PartName, Parts, Ptr, SystemNumber};
use super::{Mac, Name, Resource};
use crate::dns::{Families, KnownName, Resolver};
use crate::geoip::{Finding, GeoAnswer, GeoIp};
use crate::oui::{self, Vendors};
use crate::update::Kept;
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
}

impl Resource {
    /// The parts there are of it.
    pub fn parts(&self) -> Vec<PartName> {
        use PartName as P;
        match self {
            Self::Address(_) => vec![P::Special, P::Geoip, P::Ptr, P::IpCalc],
            Self::Prefix(_) | Self::Range(..) => vec![P::Special, P::IpCalc],
            Self::Name(_) => vec![P::Addresses],
            Self::As(_) => vec![P::System],
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
    let resolver = sources.resolver.clone();
    match (name, resource.clone()) {
        (PartName::Special, resource) => {
            let special = Some(special_of(&resource));
            now(Parts { special, ..Parts::default() })
        }
        (PartName::IpCalc, resource) => {
            let ip_calc = Some(match ipcalc::calculate(&resource.to_string()) {
                Ok(answer) => Part::ok(answer),
                Err(error) => Part::nothing(error.to_string()),
            });
            now(Parts { ip_calc, ..Parts::default() })
        }
        (PartName::System, Resource::As(number)) => {
            let system = Some(Part::ok(system(number)));
            now(Parts { system, ..Parts::default() })
        }
        (PartName::Geoip, Resource::Address(address)) => {
            let geoip = Some(whereabouts(sources.geoip.lookup(address)));
            now(Parts { geoip, ..Parts::default() })
        }
        (PartName::Vendor, Resource::Mac(mac)) => {
            let vendor = Some(vendor(&sources.vendors.get(), &mac));
            now(Parts { vendor, ..Parts::default() })
        }
        (PartName::Ptr, Resource::Address(address)) => Box::pin(async move {
            let ptr = Some(ptr(&resolver, address).await);
            Parts { ptr, ..Parts::default() }
        }),
        (PartName::Addresses, Resource::Name(name)) => Box::pin(async move {
            let addresses = Some(addresses(&resolver, &name).await);
            Parts { addresses, ..Parts::default() }
        }),
        _ => now(Parts::default()),
    }
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

fn system(number: u32) -> SystemNumber {
    let dotted = (number > 0xffff).then(|| format!("{}.{}", number >> 16, number & 0xffff));
    SystemNumber { number, dotted, special: asn::special(number).copied() }
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

fn vendor(table: &oui::Table, mac: &Mac) -> Part<oui::Answer> {
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

async fn addresses(resolver: &Resolver, name: &Name) -> Part<Vec<Address>> {
    if name.is_internal() {
        return Part::not_available(
            "the name means something inside a network only; ask a worker that stands in it, by pinging the name",
        );
    }
    match resolver.addresses(name.ascii(), Families::Both).await {
        Ok(addresses) => {
            let known = |address| Address { address, special: special::of(address).copied() };
            Part::ok(addresses.into_iter().map(known).collect())
        }
        Err(error) if error.is_failure() => Part::error(error.to_string()),
        Err(error) => Part::nothing(error.to_string()),
    }
}

//! Who is there: a sweep over the link by ARP and neighbour discovery, beyond it by ping and TCP, with names.
//!
//! Three floors as everywhere here. [`link`] decides what is asked on a link, its `carry` sends it from a packet socket
//! on a thread of its own, and `net` is the operating system. What lies beyond the link goes by the engine. Hosts of the
//! link are never found through the kernel's table of neighbours, which is small and shared by everybody, unless this
//! process may not send frames.

mod beyond;
mod gather;
mod here;
pub(crate) mod link;
pub mod listen;
mod names;
mod report;
mod surroundings;
pub(crate) mod targets;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use netwark_model::mac::Mac;
use netwark_model::tools::args::Family;
use netwark_model::tools::sweep::{SweepHost, SweepOptions, SweepOutcome};
use netwark_model::watch::ranges::{LARGE, Ranges};
use netwark_model::watch::report::LinkFacts;
use netwark_model::watch::sighting::Source;
use netwark_model::watch::span::{self, Span};

use self::gather::Gather;
pub use self::here::links;
use self::surroundings::Surroundings;
use crate::net::netlink::Interface;
use crate::runner::{ProbeError, Prober};

/// Tells to whom a hardware address is assigned.
pub type Vendor = dyn Fn(Mac) -> Option<String> + Send + Sync;

/// What is swept.
#[derive(Clone)]
pub struct SweepPlan {
    /// What is asked.
    pub ranges: Ranges,
    /// What is left out.
    pub exclude: Vec<Span>,
    /// How it is asked.
    pub options: SweepOptions,
    /// Addresses that are known to have been there: those of IPv6 are asked one by one.
    pub known: Vec<IpAddr>,
    /// Whether names are asked for.
    pub names: bool,
    /// To whom hardware addresses are assigned.
    pub vendor: Arc<Vendor>,
}

impl SweepPlan {
    /// What a target and options ask for.
    ///
    /// # Errors
    /// When either is not understood.
    pub fn new(target: &str, options: SweepOptions, vendor: Arc<Vendor>) -> Result<Self, ProbeError> {
        let wrong = |error: netwark_model::error::FieldError| ProbeError::Target(error.description);
        let ranges = Ranges::parse(target).map_err(wrong)?;
        let exclude =
            options.excluded().map_err(wrong)?.map(|ranges| ranges.whole_spans()).unwrap_or_default();
        let names = !options.no_names;
        Ok(Self { ranges, exclude, options, known: Vec::new(), names, vendor })
    }
}

/// What is done about each address, before anything is sent.
#[derive(Default)]
struct Split {
    /// What is asked on each link: by number of the interface.
    links: BTreeMap<u32, OnLink>,
    /// What lies beyond.
    beyond: Vec<Span>,
    /// This machine's own.
    own: Vec<SweepHost>,
    notes: Vec<String>,
}

/// What is asked on a link.
#[derive(Default)]
struct OnLink {
    spans: Vec<Span>,
    /// IPv6 is asked as a whole in these prefixes.
    vast: Vec<ipnet::Ipv6Net>,
    everybody: bool,
}

impl Prober {
    /// Sweeps; `on_snapshot` is given the outcome so far, now and then. Dropping the future ends it.
    ///
    /// # Errors
    /// [`ProbeError`] when nothing at all can be asked. A network in which nobody answers is no such error.
    pub async fn sweep(
        &self,
        plan: &SweepPlan,
        progress_every: Duration,
        on_snapshot: impl FnMut(SweepOutcome) + Send,
    ) -> Result<SweepOutcome, ProbeError> {
        let here = Surroundings::look().map_err(|error| ProbeError::Missing {
            what: "questions about this machine's links",
            reason: error.to_string(),
        })?;
        let spans = self.named_spans(plan).await?;
        let split = split(plan, &here, spans)?;
        Gather::new(self, plan, &here, split).run(progress_every, on_snapshot).await
    }

    /// Addresses that are asked one by one, those of names among them.
    async fn named_spans(&self, plan: &SweepPlan) -> Result<Vec<Span>, ProbeError> {
        let mut spans = plan.ranges.spans();
        for name in plan.ranges.names() {
            let addresses = self.resolver().addresses(name, Family::All).await?;
            spans.extend(addresses.into_iter().map(|address| Span::one(address.to_canonical())));
        }
        Ok(spans)
    }
}

/// Decides how each address is asked.
fn split(plan: &SweepPlan, here: &Surroundings, mut spans: Vec<Span>) -> Result<Split, ProbeError> {
    let options = &plan.options;
    let mut split = Split::default();
    let chosen = match &options.interface {
        None => None,
        Some(name) => {
            let found = here.named(name);
            Some(found.ok_or_else(|| {
                ProbeError::Target(format!("needs the interface {name}, which is not here"))
            })?)
        }
    };
    if let Some(vlan) = options.vlan {
        // What the kernel sends for us bears no tag.
        let why = match (&here.no_frames, chosen) {
            (Some(why), _) => Some(format!("cannot be asked in VLAN {vlan}: {why}")),
            (None, None) => Some(format!("needs the interface that is to bear the tag of VLAN {vlan}")),
            (None, Some(_)) => None,
        };
        if let Some(why) = why {
            return Err(ProbeError::Target(why));
        }
    }
    let links: Vec<&Interface> = match chosen {
        Some(interface) => here.links().filter(|link| link.index == interface.index).collect(),
        None => here.links().collect(),
    };
    if let (Some(interface), true) = (chosen, links.is_empty()) {
        let why = if interface.up { "is no Ethernet" } else { "is down" };
        return Err(ProbeError::Target(format!(
            "cannot be asked by the interface {}: it {why}",
            interface.name
        )));
    }
    if plan.ranges.is_local() {
        spans.extend(local(&links, options, &mut split));
    }
    spans = span::without(spans, plan.exclude.clone());
    let many: u64 = spans.iter().fold(0, |sum, span| sum.saturating_add(span.count()));
    if many > LARGE && !options.large {
        let why = format!("has {many} addresses; say that so many are to be swept (option large)");
        return Err(ProbeError::Target(why));
    }
    spans = without_own(spans, &links, options.vlan.is_some(), here, &mut split);
    if here.no_frames.is_none() {
        for link in &links {
            let (on_link, left) = match chosen {
                // Whoever names the link means it, also for networks in which it has no address.
                Some(_) => (std::mem::take(&mut spans), Vec::new()),
                None => surroundings::on_link(std::mem::take(&mut spans), link),
            };
            spans = left;
            if !on_link.is_empty() {
                split.links.entry(link.index).or_default().spans = on_link;
            }
        }
    }
    vast(plan, here, &links, &mut split);
    split.beyond = spans;
    Ok(split)
}

/// Spans of the networks this machine stands in.
fn local(links: &[&Interface], options: &SweepOptions, split: &mut Split) -> Vec<Span> {
    let mut spans = Vec::new();
    for link in links {
        for own in &link.addresses {
            let span = Span::hosts(own.trunc());
            match own.addr() {
                IpAddr::V4(_) if span.count() > LARGE && !options.large => split.notes.push(format!(
                    "{} has {} addresses, which are not swept unless the option large says so",
                    own.trunc(),
                    span.count()
                )),
                IpAddr::V4(_) => spans.push(span),
                IpAddr::V6(_) => {}
            }
        }
        let on_link = split.links.entry(link.index).or_default();
        on_link.everybody = true;
        on_link.vast.extend(surroundings::v6_of(link).iter().map(ipnet::Ipv6Net::trunc));
    }
    if links.is_empty() {
        split.notes.push("this machine stands on no link on which others could be asked for".into());
    }
    spans
}

/// Takes this machine's own addresses out: nobody else is to answer for them, and it is known that they are there.
fn without_own(
    spans: Vec<Span>,
    links: &[&Interface],
    tagged: bool,
    here: &Surroundings,
    split: &mut Split,
) -> Vec<Span> {
    // In another VLAN the address may be somebody else's.
    if tagged {
        return spans;
    }
    let mut own = Vec::new();
    for interface in &here.interfaces {
        if interface.resolves
            && !interface.loopback
            && !links.iter().any(|link| link.index == interface.index)
        {
            continue;
        }
        for address in interface.addresses.iter().map(ipnet::IpNet::addr) {
            if spans.iter().any(|span| span.contains(address)) {
                own.push(Span::one(address));
                split.own.push(SweepHost {
                    address,
                    mac: interface.mac.filter(|_| !interface.loopback).map(Mac::new),
                    other_macs: Vec::new(),
                    vendor: None,
                    source: Source::NeighbourTable,
                    rtt: None,
                    vlan: None,
                    router: false,
                    own: true,
                    names: Vec::new(),
                });
            }
        }
    }
    span::without(spans, own)
}

/// Networks of IPv6 that are asked as a whole, each on the links that stand in it.
fn vast(plan: &SweepPlan, here: &Surroundings, links: &[&Interface], split: &mut Split) {
    for prefix in plan.ranges.vast() {
        let whole = Span::whole(prefix.into());
        let mut asked = false;
        for link in links {
            let own = surroundings::v6_of(link);
            let stands = own.iter().any(|own| Span::whole((*own).into()).overlaps(whole));
            if stands || plan.options.interface.is_some() {
                let on_link = split.links.entry(link.index).or_default();
                on_link.everybody = true;
                on_link.vast.push(prefix);
                asked = true;
            }
        }
        if !asked {
            split.notes.push(format!(
                "{prefix} is too large to be asked address by address, and no link of this machine stands in it"
            ));
        }
    }
    if let Some(why) = &here.no_frames
        && split.links.values().any(|link| link.everybody)
    {
        split.notes.push(format!("hosts of IPv6 cannot be asked for as a whole: {why}"));
        split.links.clear();
    }
}

/// What is told of the links that are asked.
fn link_facts(here: &Surroundings, split: &Split) -> Vec<LinkFacts> {
    let asked = here.interfaces.iter().filter(|one| split.links.contains_key(&one.index));
    asked.map(|interface| here.facts(interface)).collect()
}

#[cfg(test)]
mod tests;

//! Runs the parts of a sweep side by side and puts together what they find.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use netwark_model::mac::Mac;
use netwark_model::tools::sweep::{SweepHost, SweepOutcome};
use netwark_model::watch::report::{Fact, MOST_FACTS};
use netwark_model::watch::sighting::Source;
use rand::Rng;
use tokio::sync::{oneshot, watch};
use tokio::time::{self, Instant};

use super::beyond::{self, Answers};
use super::link::carry::{Carriage, Carried, carry};
use super::link::frames::{Identity, Question};
use super::link::{LinkPlan, LinkSweep};
use super::surroundings::{self, Surroundings};
use super::targets::Targets;
use super::{OnLink, Split, SweepPlan, link_facts, names, report};
use crate::engine::EngineError;
use crate::net::netlink::{self, Interface};
use crate::runner::{ProbeError, Prober};
use crate::stats::ms;

/// Where no frames can be sent, the kernel's table of neighbours must not overflow: above so many addresses of the link
/// they are asked no faster than this.
const TABLE_HOLDS: u64 = 512;
const TABLE_RATE: u32 = 250;

/// What one part has found so far.
#[derive(Clone, Debug, Default)]
struct Part {
    hosts: Vec<SweepHost>,
    facts: BTreeSet<Fact>,
    probed: u64,
    sent: u64,
    complete: bool,
    notes: Vec<String>,
    forbidden: u64,
    why_forbidden: Option<String>,
}

/// Raises its flag when it is dropped, so that threads end with the future that waits for them.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(super) struct Gather<'a> {
    prober: &'a Prober,
    plan: &'a SweepPlan,
    here: &'a Surroundings,
    split: Split,
    begin: Instant,
    total: u64,
}

/// A link's thread, seen from outside.
struct Running {
    so_far: watch::Receiver<Part>,
    end: oneshot::Receiver<Part>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(prober: &'a Prober, plan: &'a SweepPlan, here: &'a Surroundings, split: Split) -> Self {
        let spans = split.links.values().flat_map(|link| &link.spans).chain(&split.beyond);
        let total = spans.map(|span| span.count()).sum::<u64>() + split.own.len() as u64;
        Self { prober, plan, here, split, begin: Instant::now(), total }
    }

    pub(super) async fn run(
        self,
        progress_every: Duration,
        mut on_snapshot: impl FnMut(SweepOutcome) + Send,
    ) -> Result<SweepOutcome, ProbeError> {
        let stop = Stop(Arc::default());
        let mut running = Vec::new();
        for (index, on_link) in &self.split.links {
            let Some(interface) = self.here.interfaces.iter().find(|one| one.index == *index) else {
                continue;
            };
            running.push(self.begin_link(interface, on_link, &stop, progress_every)?);
        }
        let (beyond_so_far, mut beyond_news) = watch::channel(Part::default());
        let beyond = self.beyond(&beyond_so_far);
        tokio::pin!(beyond);
        let so_far: Vec<_> = running.iter().map(|link| link.so_far.clone()).collect();
        let mut ends = futures::future::join_all(running.into_iter().map(|link| link.end));
        let (mut links_done, mut beyond_done) = (None, None);
        let mut tick = time::interval(progress_every.max(Duration::from_millis(10)));
        while links_done.is_none() || beyond_done.is_none() {
            tokio::select! {
                ended = &mut ends, if links_done.is_none() => links_done = Some(ended),
                ended = &mut beyond, if beyond_done.is_none() => beyond_done = Some(ended?),
                _ = tick.tick() => {
                    let mut parts: Vec<Part> = so_far.iter().map(|link| link.borrow().clone()).collect();
                    parts.push(beyond_news.borrow_and_update().clone());
                    on_snapshot(report::snapshot(self.outcome(parts)));
                }
            }
        }
        drop(stop);
        let mut parts = Vec::new();
        for ended in links_done.into_iter().flatten() {
            // The thread is gone without a word only when it has panicked.
            parts.push(ended.map_err(|_| EngineError::Stopped)?);
        }
        parts.extend(beyond_done);
        self.check_forbidden(&parts)?;
        let mut outcome = self.outcome(parts);
        outcome.found_ms = ms(self.begin.elapsed());
        if self.plan.names && !outcome.hosts.is_empty() {
            on_snapshot(report::snapshot(outcome.clone()));
            self.name(&mut outcome).await;
        }
        outcome.took_ms = ms(self.begin.elapsed());
        Ok(report::finished(outcome))
    }

    /// When the list allows nothing of it, that is an error and not an empty network.
    fn check_forbidden(&self, parts: &[Part]) -> Result<(), ProbeError> {
        let forbidden: u64 = parts.iter().map(|part| part.forbidden).sum();
        let asked = self.total - self.split.own.len() as u64;
        let first = self.split.links.values().flat_map(|link| &link.spans).chain(&self.split.beyond).next();
        let why = parts.iter().find_map(|part| part.why_forbidden.clone());
        match (first, why) {
            (Some(span), Some(reason)) if forbidden >= asked => {
                Err(ProbeError::Forbidden { address: span.first(), reason })
            }
            _ => Ok(()),
        }
    }

    fn begin_link(
        &self,
        interface: &Interface,
        on_link: &OnLink,
        stop: &Stop,
        progress_every: Duration,
    ) -> Result<Running, ProbeError> {
        let vlan = self.plan.options.vlan;
        let own = Identity {
            mac: interface.mac.map(Mac::new).unwrap_or_default(),
            addresses: interface.addresses.clone(),
            vlan,
            echo_id: rand::rng().next_u32() as u16,
        };
        let sweep = LinkSweep::new(self.link_plan(interface, on_link, own.echo_id));
        let carriage = Carriage {
            interface: interface.index,
            rate: self.link_rate(interface, on_link, &own),
            own,
            stop: Arc::clone(&stop.0),
            traffic: self.prober.engine().traffic(),
            progress_every,
        };
        let (so_far, news) = watch::channel(Part::default());
        let (done, end) = oneshot::channel();
        let name = interface.name.clone();
        thread::Builder::new()
            .name("netwark-sweep".into())
            .spawn(move || {
                let part = link_thread(sweep, &carriage, &name, vlan, &so_far);
                // Nobody waits any more when the sweep was given up.
                let _ = done.send(part);
            })
            .map_err(|source| EngineError::Start { what: "thread", source })?;
        Ok(Running { so_far: news, end })
    }

    /// Whom to ask on a link.
    fn link_plan(&self, interface: &Interface, on_link: &OnLink, echo_id: u16) -> LinkPlan {
        let options = &self.plan.options;
        let permit = Arc::clone(self.prober.permit());
        let v6 = surroundings::v6_of(interface).into_iter().map(|own| own.addr());
        // To ask everybody is to touch the whole link; who may not touch it itself there may not do so.
        let everybody = if on_link.everybody {
            v6.filter(|own| permit((*own).into()).is_ok()).collect()
        } else {
            Vec::new()
        };
        let known = self.plan.known.iter().filter_map(|known| match known {
            IpAddr::V6(v6) if on_link.everybody => Some(*v6),
            _ => None,
        });
        LinkPlan {
            targets: Targets::new(on_link.spans.clone()),
            everybody,
            vast: on_link.vast.clone(),
            known: known.collect(),
            tries: options.tries,
            wait: Duration::from_millis(options.timeout_ms.into()),
            seed: rand::rng().next_u64(),
            echo_id,
            permit,
        }
    }

    /// How many frames a second may go out on a link.
    fn link_rate(&self, interface: &Interface, on_link: &OnLink, own: &Identity) -> u32 {
        // The longest that is asked, so that no mixture of questions takes more than it may.
        let asks_v6 = on_link.everybody || on_link.spans.iter().any(|span| span.first().is_ipv6());
        let longest = match asks_v6 {
            true => Question::Solicit(Ipv6Addr::UNSPECIFIED),
            false => Question::Arp(Ipv4Addr::UNSPECIFIED),
        };
        let speed = self.here.facts(interface).speed_mbps;
        let rate = self.plan.options.most_packets(speed, own.on_wire(longest));
        rate.min(self.prober.most_frames().unwrap_or(u32::MAX))
    }

    /// Asks what lies beyond the links, or all when no frames can be sent.
    async fn beyond(&self, so_far: &watch::Sender<Part>) -> Result<Part, ProbeError> {
        let mut part = Part { complete: true, ..Part::default() };
        if self.split.beyond.is_empty() {
            return Ok(part);
        }
        let options = &self.plan.options;
        let targets = self.permitted(&mut part);
        let rate = self.rate_beyond(&targets, &mut part.notes);
        let capabilities = self.prober.engine().capabilities();
        let (mut pinged, mut others): (Vec<IpAddr>, Vec<IpAddr>) = targets
            .iter()
            .copied()
            .partition(|address| capabilities.why_no_icmp(address.is_ipv6()).is_none());
        for v6 in [false, true] {
            let why = capabilities.why_no_icmp(v6).filter(|_| others.iter().any(|one| one.is_ipv6() == v6));
            part.notes.extend(why.map(|why| format!("addresses were tried by TCP only: {why}")));
        }
        // In order, a router or firewall would see a scan of one network after the other.
        shuffle(&mut pinged);
        let wait = Duration::from_millis(options.timeout_ms.into());
        let answers =
            beyond::ping(self.prober.engine(), &pinged, rate, options.tries, wait, |asked, answers| {
                so_far.send_replace(Part { hosts: hosts(answers), probed: asked as u64, ..Part::default() });
            })
            .await?;
        part.sent += pinged.len() as u64;
        if options.tcp {
            others.extend(pinged.iter().filter(|address| !answers.contains_key(address)));
        }
        part.probed = targets.len() as u64;
        if others.len() > beyond::MOST_TRIED {
            part.notes.push(format!(
                "{} addresses are too many to be tried by TCP; at most {} are",
                others.len(),
                beyond::MOST_TRIED
            ));
            part.complete &= options.tcp && pinged.len() == targets.len();
            others.clear();
        }
        let mut all = answers;
        all.extend(beyond::connect(others, rate, self.prober.engine()).await);
        part.hosts = hosts(&all);
        if self.here.no_frames.is_some() {
            self.add_neighbours(&targets, &mut part);
        }
        Ok(part)
    }

    /// Those beyond the links that may be asked; the others are counted.
    fn permitted(&self, part: &mut Part) -> Vec<IpAddr> {
        let mut targets = Vec::new();
        for address in Targets::new(self.split.beyond.clone()).iter() {
            match (self.prober.permit())(address) {
                Ok(()) => targets.push(address),
                Err(why) => {
                    part.forbidden += 1;
                    part.why_forbidden.get_or_insert(why);
                }
            }
        }
        targets
    }

    /// How many packets a second may go beyond the links, or to neighbours when no frames can be sent.
    fn rate_beyond(&self, targets: &[IpAddr], notes: &mut Vec<String>) -> u32 {
        let options = &self.plan.options;
        let speed = self.here.slowest_mbps(options.interface.as_deref());
        let rate = options.most_packets(speed, beyond::on_wire(targets.iter().any(IpAddr::is_ipv6)));
        let Some(why) = &self.here.no_frames else { return rate };
        let on_links = |address: &&IpAddr| self.here.links().any(|link| has(link, **address));
        let neighbours = targets.iter().filter(on_links).count() as u64;
        if neighbours > 0 {
            notes.push(format!(
                "neighbours were asked through the kernel, which finds fewer of them and takes longer: {why}"
            ));
        }
        if neighbours > TABLE_HOLDS { rate.min(TABLE_RATE) } else { rate }
    }

    /// Adds what the kernel knows of neighbours: hardware addresses, and who did not answer but was heard of just now.
    fn add_neighbours(&self, targets: &[IpAddr], part: &mut Part) {
        let Ok(neighbours) = netlink::neighbours() else { return };
        let known: BTreeMap<IpAddr, _> = neighbours.iter().map(|one| (one.address, one)).collect();
        for host in &mut part.hosts {
            if let Some(neighbour) = known.get(&host.address) {
                host.mac = Some(Mac::new(neighbour.mac));
                host.router |= neighbour.router;
            }
        }
        let answered: BTreeSet<IpAddr> = part.hosts.iter().map(|host| host.address).collect();
        let silent = targets.iter().filter(|target| !answered.contains(target));
        part.hosts.extend(silent.filter_map(|target| {
            let neighbour = known.get(target).filter(|neighbour| neighbour.reachable)?;
            Some(SweepHost {
                mac: Some(Mac::new(neighbour.mac)),
                router: neighbour.router,
                ..host(*target, Source::NeighbourTable)
            })
        }));
    }

    /// What was found, put together.
    fn outcome(&self, parts: Vec<Part>) -> SweepOutcome {
        let mut outcome = SweepOutcome {
            targets: self.plan.ranges.to_string(),
            complete: true,
            total: self.total,
            probed: self.split.own.len() as u64,
            hosts: self.split.own.clone(),
            links: link_facts(self.here, &self.split),
            notes: self.split.notes.clone(),
            ..SweepOutcome::default()
        };
        let mut facts = BTreeSet::new();
        for part in parts {
            outcome.complete &= part.complete;
            outcome.probed += part.probed;
            outcome.sent += part.sent;
            outcome.hosts.extend(part.hosts);
            outcome.notes.extend(part.notes);
            facts.extend(part.facts);
            if let (1.., Some(why)) = (part.forbidden, part.why_forbidden) {
                outcome.notes.push(format!("{} addresses may not be asked from here: {why}", part.forbidden));
            }
        }
        outcome.hosts.sort_by_key(|host| host.address);
        outcome.hosts.dedup_by_key(|host| host.address);
        for host in &mut outcome.hosts {
            host.vendor = host.mac.and_then(|mac| (self.plan.vendor)(mac));
        }
        self.add_facts(&outcome.hosts, &mut facts);
        outcome.facts = facts.into_iter().take(MOST_FACTS).collect();
        outcome.found = outcome.hosts.len() as u64;
        outcome.took_ms = ms(self.begin.elapsed());
        outcome.found_ms = outcome.took_ms;
        outcome
    }

    /// Gateways that were seen, and addresses that several answer for.
    fn add_facts(&self, hosts: &[SweepHost], facts: &mut BTreeSet<Fact>) {
        let asked = self.here.interfaces.iter().filter(|one| self.split.links.contains_key(&one.index));
        let gateways: BTreeSet<IpAddr> = asked.flat_map(|link| self.here.gateways_of(link)).collect();
        for host in hosts {
            let Some(mac) = host.mac else { continue };
            let address = host.address;
            if gateways.contains(&address) && self.plan.options.vlan.is_none() {
                facts.insert(Fact::Gateway { address, mac });
            }
            if !host.other_macs.is_empty() {
                let mut macs: Vec<Mac> =
                    std::iter::once(mac).chain(host.other_macs.iter().copied()).collect();
                macs.sort_unstable();
                facts.insert(Fact::Conflict { address, macs });
            }
        }
    }

    /// Asks for names.
    async fn name(&self, outcome: &mut SweepOutcome) {
        let permitted: Vec<IpAddr> = outcome.hosts.iter().map(|host| host.address).collect();
        let traffic = self.prober.engine().traffic();
        // In another VLAN this machine has no address to ask devices from.
        let links = self.here.links().filter(|_| self.plan.options.vlan.is_none());
        let asked = links.filter_map(|link| {
            let own = link.addresses.iter().find_map(|own| match own.addr() {
                IpAddr::V4(v4) => Some(v4),
                IpAddr::V6(_) => None,
            })?;
            let neighbours: Vec<Ipv4Addr> = permitted
                .iter()
                .filter(|address| has(link, **address) && (self.prober.permit())(**address).is_ok())
                .filter_map(|address| match address {
                    IpAddr::V4(v4) => Some(*v4),
                    IpAddr::V6(_) => None,
                })
                .collect();
            Some(names::devices(own, neighbours, Arc::clone(&traffic)))
        });
        let devices = futures::future::join_all(asked);
        let (mut named, devices) =
            tokio::join!(names::reverse(Arc::clone(self.prober.resolver()), permitted.clone()), devices);
        for (address, more) in devices.into_iter().flatten() {
            named.entry(address).or_default().extend(more);
        }
        for host in &mut outcome.hosts {
            host.names = named.remove(&host.address).unwrap_or_default();
        }
    }
}

/// Whether an address stands in a prefix of a link.
fn has(link: &Interface, address: IpAddr) -> bool {
    link.addresses.iter().any(|own| own.contains(&address))
}

fn shuffle(addresses: &mut [IpAddr]) {
    let mut random = rand::rng();
    for at in (1..addresses.len()).rev() {
        // The tiny lean of the remainder towards small numbers does not matter here.
        let other = usize::try_from(random.next_u64() % (at as u64 + 1)).unwrap_or(0);
        addresses.swap(at, other);
    }
}

fn host(address: IpAddr, source: Source) -> SweepHost {
    SweepHost {
        address,
        mac: None,
        other_macs: Vec::new(),
        vendor: None,
        source,
        rtt: None,
        vlan: None,
        router: false,
        own: false,
        names: Vec::new(),
    }
}

fn hosts(answers: &Answers) -> Vec<SweepHost> {
    let of = |(address, answered): (&IpAddr, &beyond::Answered)| SweepHost {
        rtt: answered.rtt.map(ms),
        ..host(*address, answered.source)
    };
    answers.iter().map(of).collect()
}

/// What the thread of a link does.
fn link_thread(
    mut sweep: LinkSweep,
    told: &Carriage,
    name: &str,
    vlan: Option<u16>,
    so_far: &watch::Sender<Part>,
) -> Part {
    let ended = carry(&mut sweep, told, |sweep| {
        so_far.send_replace(part_of(sweep, vlan, Carried::default()));
    });
    match ended {
        Ok(carried) => {
            let mut part = part_of(&sweep, vlan, carried);
            if carried.lost > 0 {
                part.notes.push(format!(
                    "{} answers on {name} came faster than they could be read and were lost; lower the rate",
                    carried.lost
                ));
            }
            part
        }
        Err(error) => {
            let mut part = part_of(&sweep, vlan, Carried::default());
            part.notes.push(format!("{name} could not be swept to the end: {error}"));
            part
        }
    }
}

fn part_of(sweep: &LinkSweep, vlan: Option<u16>, carried: Carried) -> Part {
    let hosts = sweep.found().iter().map(|(address, found)| SweepHost {
        mac: Some(found.mac),
        other_macs: found.others.clone(),
        rtt: found.rtt.map(ms),
        vlan,
        router: found.router,
        ..host(*address, found.source)
    });
    let (forbidden, why_forbidden) = sweep.forbidden();
    Part {
        hosts: hosts.collect(),
        facts: sweep.facts().clone(),
        probed: sweep.probed(),
        sent: carried.sent,
        complete: carried.complete,
        notes: Vec::new(),
        forbidden,
        why_forbidden: why_forbidden.map(str::to_owned),
    }
}

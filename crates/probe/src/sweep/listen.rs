//! Listening: devices that speak are seen without being asked.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ipnet::IpNet;
use jiff::Timestamp;
use netwark_model::mac::Mac;
use netwark_model::watch::report::{Fact, HeardReport, MOST_FACTS, MOST_HEARD};
use netwark_model::watch::sighting::{Name, NameSource, Sighting, Source};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;

use super::link::frames::{self, Heard, Identity};
use super::surroundings::{self, Surroundings};
use crate::net::receive::{self, Queue};
use crate::net::{clock, packet};
use netwark_packet::dhcp;

/// How long what was heard is gathered before it is told, in nanoseconds.
const GATHER: u64 = 5_000_000_000;
/// What was told is told again after this, in nanoseconds; a new hardware address or name at once.
const AGAIN: u64 = 300_000_000_000;
/// The same for who hands out addresses or a way out: whether that may be can change meanwhile.
const FACT_AGAIN: u64 = 60_000_000_000;
/// What is remembered of what was told; more is forgotten, and told again.
const MOST_TOLD: usize = 20_000;
/// How often it is looked whether to stop.
const LOOK_UP: Timespec = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };
/// Reports that wait to be taken; more are dropped, since what is heard comes again.
const WAITING: usize = 16;

/// Where is listened.
#[derive(Clone, Debug, Default)]
pub struct ListenPlan {
    /// The interface; without one, those that stand in the prefixes.
    pub interface: Option<String>,
    /// The VLAN.
    pub vlan: Option<u16>,
    /// Addresses that belong to it; those of a link of IPv6 always do.
    pub prefixes: Vec<IpNet>,
}

/// Somebody who listens. It ends when it is dropped.
#[derive(Debug)]
pub struct Listener {
    heard: mpsc::Receiver<HeardReport>,
    stop: Arc<AtomicBool>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Listener {
    /// Begins to listen, a thread for each link.
    ///
    /// # Errors
    /// When this process may not listen, or there is no such link.
    pub fn start(plan: &ListenPlan) -> io::Result<Self> {
        let here = Surroundings::look()?;
        if let Some(why) = &here.no_frames {
            return Err(io::Error::other(why.clone()));
        }
        let stands = |interface: &&crate::net::netlink::Interface| match &plan.interface {
            Some(name) => interface.name == *name,
            None => {
                let whole = |prefix: &IpNet| netwark_model::watch::span::Span::whole(*prefix);
                plan.prefixes
                    .iter()
                    .any(|prefix| !surroundings::on_link(vec![whole(prefix)], interface).0.is_empty())
            }
        };
        let links: Vec<_> = here.links().filter(stands).collect();
        if links.is_empty() {
            return Err(io::Error::other("no link of this machine stands in it"));
        }
        let (tell, heard) = mpsc::channel(WAITING);
        let listener = Self { heard, stop: Arc::default() };
        for link in links {
            let own = Identity {
                mac: link.mac.map(Mac::new).unwrap_or_default(),
                addresses: link.addresses.clone(),
                vlan: plan.vlan,
                echo_id: 0,
            };
            let socket = packet::open(link.index, packet::Hears::Everything)?;
            let (stop, tell, prefixes) = (Arc::clone(&listener.stop), tell.clone(), plan.prefixes.clone());
            let name = link.name.clone();
            thread::Builder::new().name("netwark-listen".into()).spawn(move || {
                let mut ear = Ear::new(prefixes);
                if let Err(error) = hear(&socket, &own, &mut ear, &stop, &tell) {
                    tracing::warn!(interface = name, %error, "listening has ended");
                }
            })?;
        }
        Ok(listener)
    }

    /// What was heard next; none when listening has ended.
    pub async fn next(&mut self) -> Option<HeardReport> {
        self.heard.recv().await
    }
}

fn hear(
    socket: &socket2::Socket,
    own: &Identity,
    ear: &mut Ear,
    stop: &AtomicBool,
    tell: &mpsc::Sender<HeardReport>,
) -> io::Result<()> {
    let mut incoming = receive::Batch::new();
    let mut told_at = clock::monotonic();
    while !stop.load(Ordering::Relaxed) {
        let mut fds = [PollFd::new(socket, PollFlags::IN)];
        match poll(&mut fds, Some(&LOOK_UP)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let now = clock::monotonic();
        match incoming.receive(socket.as_fd(), Queue::Data) {
            Ok(_) => {}
            // The interface is down; it may come back.
            Err(error) if error.raw_os_error() == Some(libc::ENETDOWN) => {
                thread::sleep(Duration::from_millis(250));
            }
            Err(error) => return Err(error),
        }
        for packet in incoming.packets() {
            if let Some(heard) = frames::read(packet.bytes, packet.notes.vlan, own) {
                ear.take(now, Timestamp::now(), heard);
            }
        }
        if ear.is_full() || now.saturating_sub(told_at) >= GATHER {
            told_at = now;
            if let Some(report) = ear.tell() {
                match tell.try_send(report) {
                    Err(mpsc::error::TrySendError::Closed(_)) => return Ok(()),
                    Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => {}
                }
            }
        }
    }
    Ok(())
}

/// Decides what of what is heard is worth telling.
struct Ear {
    prefixes: Vec<IpNet>,
    /// When each was told last.
    told: HashMap<(Option<IpAddr>, Mac, Option<String>), u64>,
    told_facts: HashMap<Fact, u64>,
    sightings: Vec<Sighting>,
    facts: BTreeSet<Fact>,
}

impl Ear {
    fn new(prefixes: Vec<IpNet>) -> Self {
        let (told, told_facts) = (HashMap::new(), HashMap::new());
        Self { prefixes, told, told_facts, sightings: Vec::new(), facts: BTreeSet::new() }
    }

    fn is_full(&self) -> bool {
        self.sightings.len() >= MOST_HEARD
    }

    /// What was heard since it was told last.
    fn tell(&mut self) -> Option<HeardReport> {
        if self.sightings.is_empty() && self.facts.is_empty() {
            return None;
        }
        let facts = std::mem::take(&mut self.facts).into_iter().collect();
        Some(HeardReport { sightings: std::mem::take(&mut self.sightings), facts })
    }

    fn take(&mut self, now: u64, at: Timestamp, heard: Heard) {
        match heard {
            // Who answers us is told by what has asked: a sweep sees everybody who answers for an address at once.
            Heard::Claim { asked: true, .. } | Heard::Echo { .. } => {}
            Heard::Claim { address, mac, router, asked: false } => {
                let source = if address.is_ipv4() { Source::ArpHeard } else { Source::NdpHeard };
                self.see(now, at, (Some(address), mac, source, router), None);
            }
            Heard::Router { address, mac, fact } => {
                self.note(now, fact);
                self.see(now, at, (Some(address.into()), mac, Source::NdpHeard, true), None);
            }
            Heard::Spoke { from, mac, source, name } => {
                let name = name.and_then(|(source, text)| Name::new(source, &text, at));
                self.see(now, at, (Some(from.into()), mac, source, false), name);
            }
            Heard::Dhcp { mac, from, message } => self.dhcp(now, at, mac, (from, message)),
        }
    }

    fn dhcp(
        &mut self,
        now: u64,
        at: Timestamp,
        mac: Mac,
        (from, message): (std::net::Ipv4Addr, dhcp::Message),
    ) {
        if message.is_from_server() {
            let address = message.server.unwrap_or(from);
            if frames::is_host(address.into()) {
                self.note(
                    now,
                    Fact::DhcpServer {
                        address: address.into(),
                        mac: Some(mac),
                        gateway: message.gateways.first().map(|gateway| IpAddr::V4(*gateway)),
                        resolvers: message.resolvers.iter().map(|one| IpAddr::V4(*one)).collect(),
                    },
                );
            }
            return;
        }
        // Servers answer a client alone, which a switch lets nobody else hear; whom it chose it tells everybody.
        if let Some(address) = message.server.filter(|server| frames::is_host((*server).into())) {
            let (address, resolvers) = (address.into(), Vec::new());
            self.note(now, Fact::DhcpServer { address, mac: None, gateway: None, resolvers });
        }
        let client = Mac::new(message.client);
        if client.is_unicast() {
            let name = message.host_name.and_then(|name| Name::new(NameSource::Dhcp, &name, at));
            let address = message.has.map(IpAddr::V4).filter(|address| frames::is_host(*address));
            self.see(now, at, (address, client, Source::Dhcp, false), name);
        }
    }

    fn see(
        &mut self,
        now: u64,
        at: Timestamp,
        (address, mac, source, router): (Option<IpAddr>, Mac, Source, bool),
        name: Option<Name>,
    ) {
        if !address.is_none_or(|address| self.belongs(address)) {
            return;
        }
        if self.told.len() >= MOST_TOLD {
            self.told.clear();
        }
        let text = name.as_ref().map(|name| name.text.clone());
        let told = self.told.entry((address, mac, text)).or_insert(0);
        if *told != 0 && now.saturating_sub(*told) < AGAIN {
            return;
        }
        *told = now.max(1);
        let names = name.into_iter().collect();
        self.sightings.push(Sighting {
            at,
            address,
            mac: Some(mac),
            source,
            rtt_us: None,
            vlan: None,
            router,
            names,
        });
    }

    fn note(&mut self, now: u64, fact: Fact) {
        if self.told_facts.len() >= MOST_TOLD {
            self.told_facts.clear();
        }
        let told = self.told_facts.entry(fact.clone()).or_insert(0);
        if (*told == 0 || now.saturating_sub(*told) >= FACT_AGAIN) && self.facts.len() < MOST_FACTS {
            *told = now.max(1);
            self.facts.insert(fact);
        }
    }

    fn belongs(&self, address: IpAddr) -> bool {
        let link_local = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
        link_local || self.prefixes.iter().any(|prefix| prefix.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn ear() -> Ear {
        Ear::new(vec!["192.0.2.0/24".parse().unwrap()])
    }

    fn claim(address: &str, last: u8) -> Heard {
        let mac = Mac::new([0, 0, 0x5e, 0, 0x53, last]);
        Heard::Claim { address: address.parse().unwrap(), mac, asked: false, router: false }
    }

    #[test]
    fn what_was_told_is_not_told_again_soon_but_another_hardware_address_is() {
        let mut ear = ear();
        let mut told = |at: u64, heard: Heard| {
            ear.take(at * SECOND, Timestamp::UNIX_EPOCH, heard);
            ear.tell().map_or(0, |report| report.sightings.len())
        };
        assert_eq!(told(1, claim("192.0.2.9", 1)), 1);
        assert_eq!(told(2, claim("192.0.2.9", 1)), 0);
        assert_eq!(told(3, claim("192.0.2.9", 2)), 1);
        assert_eq!(told(400, claim("192.0.2.9", 1)), 1);
        assert_eq!(told(401, claim("10.0.0.1", 1)), 0, "of another network");
        assert_eq!(told(402, claim("fe80::1", 1)), 1);
        let Heard::Claim { address, mac, router, .. } = claim("192.0.2.10", 3) else { panic!("a claim") };
        assert_eq!(told(403, Heard::Claim { address, mac, asked: true, router }), 0, "it was asked");
    }

    fn dhcp(kind: dhcp::Kind) -> Heard {
        let message = dhcp::Message {
            kind,
            client: [0, 0, 0x5e, 0, 0x53, 7],
            has: None,
            address: Some([192, 0, 2, 77].into()),
            server: Some([192, 0, 2, 1].into()),
            host_name: Some("laptop\u{0}".into()),
            client_id: Vec::new(),
            vendor_class: None,
            gateways: vec![[192, 0, 2, 254].into()],
            resolvers: Vec::new(),
        };
        Heard::Dhcp { mac: Mac::new([0, 0, 0x5e, 0, 0x53, 1]), from: [0, 0, 0, 0].into(), message }
    }

    #[test]
    fn clients_tell_their_names_and_servers_that_they_are_there() {
        let mut ear = ear();
        ear.take(SECOND, Timestamp::UNIX_EPOCH, dhcp(dhcp::Kind::Request));
        ear.take(SECOND, Timestamp::UNIX_EPOCH, dhcp(dhcp::Kind::Offer));
        ear.take(2 * SECOND, Timestamp::UNIX_EPOCH, dhcp(dhcp::Kind::Acknowledge));
        let report = ear.tell().unwrap();
        let [sighting] = report.sightings.as_slice() else { panic!("{report:?}") };
        assert_eq!((sighting.address, sighting.source), (None, Source::Dhcp));
        assert_eq!(sighting.names.first().map(|name| name.text.as_str()), Some("laptop"));
        let [Fact::DhcpServer { address: named, mac: None, .. }, Fact::DhcpServer { address, gateway, .. }] =
            report.facts.as_slice()
        else {
            panic!("{report:?}")
        };
        assert_eq!((named, *address), (address, IpAddr::from([192, 0, 2, 1])));
        assert_eq!(*gateway, Some(IpAddr::from([192, 0, 2, 254])));
    }

    #[test]
    fn a_flood_is_bounded() {
        let mut ear = ear();
        for last in 0..=255 {
            for host in 0..200 {
                ear.take(SECOND, Timestamp::UNIX_EPOCH, claim(&format!("192.0.2.{last}"), host));
                if ear.is_full() {
                    assert_eq!(ear.tell().unwrap().sightings.len(), MOST_HEARD);
                }
            }
        }
        assert!(ear.told.len() <= MOST_TOLD);
    }
}

//! A link with many hosts: one thread answers for all of them on a TAP device in a namespace.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::{Command, Stdio, id};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use netwark_model::mac::Mac;
use netwark_packet::arp::{Arp, Operation};
use netwark_packet::ethernet::{self, Frame, ethertype};
use netwark_packet::ip::{self, Family, Packet};
use netwark_packet::{arp, checksum, dns, icmp, ndp, protocol, udp};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::chain::{inside, ip as configure};
use super::os;

/// The watcher's own address; hosts have those behind it.
pub(crate) const OWN: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 1);

/// How often frames are sent that nobody asked for.
const ANNOUNCED_EVERY: Duration = Duration::from_millis(100);

/// What is on the link. It may change.
#[derive(Clone, Debug)]
pub(crate) struct LanPlan {
    /// How many hosts there are.
    pub(crate) hosts: u32,
    /// Length of the prefix of IPv4.
    pub(crate) prefix: u8,
    /// Of a thousand frames from the watcher, so many are lost.
    pub(crate) lost: u32,
    /// The VLAN in which the hosts are.
    pub(crate) vlan: Option<u16>,
    /// The host for whose address somebody else answers, too.
    pub(crate) doubled: Option<u32>,
    /// Every answer comes with what is none.
    pub(crate) garbage: bool,
    /// Frames that are sent again and again without being asked for.
    pub(crate) announced: Vec<Vec<u8>>,
    /// Hosts that are not there.
    pub(crate) absent: BTreeSet<u32>,
    /// Hosts with another interface than the usual one.
    pub(crate) swapped: BTreeMap<u32, Mac>,
    /// What hosts answer when they are asked for their names by mDNS, in labels.
    pub(crate) names: BTreeMap<u32, Vec<String>>,
}

impl LanPlan {
    /// The hardware address of a host.
    fn mac(&self, host: u32) -> Mac {
        self.swapped.get(&host).copied().unwrap_or_else(|| mac(host))
    }

    fn is_there(&self, host: u32) -> bool {
        host < self.hosts && !self.absent.contains(&host)
    }

    fn there(&self) -> impl Iterator<Item = u32> {
        (0..self.hosts).filter(|host| !self.absent.contains(host))
    }
}

impl Default for LanPlan {
    fn default() -> Self {
        Self {
            hosts: 250,
            prefix: 24,
            lost: 0,
            vlan: None,
            doubled: None,
            garbage: false,
            announced: Vec::new(),
            absent: BTreeSet::new(),
            swapped: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }
}

/// What the link and who looks at it share.
#[derive(Debug, Default)]
struct State {
    plan: LanPlan,
    /// How often each address was asked for by ARP.
    asked: BTreeMap<Ipv4Addr, u64>,
}

pub(crate) struct Lan {
    name: String,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    answering: Option<JoinHandle<()>>,
}

impl Drop for Lan {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(answering) = self.answering.take() {
            let _ = answering.join();
        }
        let _ = Command::new("ip").args(["netns", "del", &self.name]).stderr(Stdio::null()).status();
    }
}

pub(crate) fn mac(host: u32) -> Mac {
    let [_, a, b, c] = (host + 1).to_be_bytes();
    Mac::new([0x00, 0x1b, 0x21, a, b, c])
}

/// Who answers for an address that is not theirs.
pub(crate) const IMPOSTOR: Mac = Mac::new([0x00, 0x25, 0x90, 0xdd, 0xdd, 0xdd]);

pub(crate) fn v4(host: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(OWN.to_bits() + 1 + host)
}

pub(crate) fn v6(host: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(0xfd88 << 112 | u128::from(host + 2))
}

pub(crate) fn link_local(host: u32) -> Ipv6Addr {
    link_local_of(mac(host))
}

/// The address that an interface gives itself.
pub(crate) fn link_local_of(mac: Mac) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac.bytes();
    let low = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    Ipv6Addr::from_bits(0xfe80 << 112 | u128::from(low))
}

impl Lan {
    pub(crate) fn build(plan: LanPlan) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("nwl{}-{}", id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let made = Command::new("ip").args(["netns", "add", &name]).status().expect("ip can be started");
        assert!(made.success(), "namespace {name} cannot be made");
        let tap = inside(&name, || os::tap("eth0")).expect("a TAP device");
        configure(
            &name,
            &format!(
                // One program reads for all hosts, who would have a queue each.
                "link set lo up\nlink set dev eth0 txqueuelen 10000\nlink set dev eth0 address 00:00:5e:00:53:01\nlink set dev eth0 addrgenmode none\n\
                 link set dev eth0 up\naddr add {OWN}/{} dev eth0\naddr add fe80::1/64 dev eth0 nodad\n\
                 addr add fd88::1/64 dev eth0 nodad\n",
                plan.prefix
            ),
        );
        let stop = Arc::new(AtomicBool::new(false));
        let state = Arc::new(Mutex::new(State { plan, asked: BTreeMap::new() }));
        let (flag, shared) = (Arc::clone(&stop), Arc::clone(&state));
        let answering = thread::spawn(move || run(&tap, &shared, &flag));
        Self { name, state, stop, answering: Some(answering) }
    }

    /// Changes what is on the link, all at once.
    pub(crate) fn change(&self, change: impl FnOnce(&mut LanPlan)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).plan);
    }

    /// How often an address was asked for by ARP.
    pub(crate) fn asked(&self, address: Ipv4Addr) -> u64 {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked.get(&address).copied().unwrap_or_default()
    }

    /// Name of the namespace.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Runs `work` on a thread of its own at the watcher.
    pub(crate) fn at_watcher<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        inside(self.name(), work)
    }

    /// Lines of the kernel's table of neighbours.
    pub(crate) fn neighbours(&self) -> Vec<String> {
        let output =
            Command::new("ip").args(["-n", self.name(), "neigh"]).output().expect("ip can be started");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }
}

fn run(tap: &File, state: &Mutex<State>, stop: &AtomicBool) {
    let mut room = [0; 2_048];
    let mut seed = 1u32;
    let mut announced: Option<Instant> = None;
    while !stop.load(Ordering::Relaxed) {
        let mut fds = [PollFd::new(tap, PollFlags::IN)];
        let _ = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 20_000_000 }));
        let State { plan, asked } = &mut *state.lock().unwrap_or_else(PoisonError::into_inner);
        while let Ok(length @ 1..) = (&*tap).read(&mut room) {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if (seed >> 8) % 1_000 >= plan.lost {
                Hosts { tap, plan, asked }.frame(&room[..length]);
            }
        }
        if announced.is_none_or(|at| at.elapsed() >= ANNOUNCED_EVERY) {
            announced = Some(Instant::now());
            for frame in &plan.announced {
                let _ = (&*tap).write(frame);
            }
        }
    }
}

struct Hosts<'a> {
    tap: &'a File,
    plan: &'a LanPlan,
    asked: &'a mut BTreeMap<Ipv4Addr, u64>,
}

impl Hosts<'_> {
    fn frame(&mut self, bytes: &[u8]) {
        let Ok(frame) = ethernet::parse(bytes) else { return };
        if frame.vlan != self.plan.vlan {
            return;
        }
        match frame.kind {
            ethertype::ARP => self.arp(&frame),
            ethertype::IPV4 => self.v4(&frame),
            ethertype::IPV6 => self.v6(&frame),
            _ => {}
        }
    }

    /// A frame to the watcher.
    fn send(&self, from: Mac, kind: u16, write: impl FnOnce(&mut Vec<u8>), to: [u8; 6]) {
        let mut bytes = Vec::new();
        ethernet::write_header(to, from.bytes(), self.plan.vlan, kind, &mut bytes);
        write(&mut bytes);
        if self.plan.garbage {
            for cut in [14, 15, 20, 30, bytes.len() - 1] {
                let _ = (&*self.tap).write(bytes.get(..cut).unwrap_or(&bytes));
            }
            let mut odd = bytes.clone();
            for at in [15, 16, 18, 19, 20] {
                if let Some(byte) = odd.get_mut(at) {
                    *byte = byte.wrapping_add(7);
                }
                let _ = (&*self.tap).write(&odd);
            }
        }
        // A full queue loses it, as a wire would.
        let _ = (&*self.tap).write(&bytes);
    }

    /// The host at an address.
    fn at(&self, address: Ipv4Addr) -> Option<u32> {
        let host = address.to_bits().checked_sub(v4(0).to_bits())?;
        self.plan.is_there(host).then_some(host)
    }

    fn arp(&mut self, frame: &Frame<'_>) {
        let Ok(asked) = arp::parse(frame.payload) else { return };
        *self.asked.entry(asked.target).or_default() += 1;
        let Some(host) = self.at(asked.target) else { return };
        let own = self.plan.mac(host);
        let answer = |mac: Mac| Arp {
            operation: Operation::Reply,
            sender_mac: mac.bytes(),
            sender: asked.target,
            target_mac: asked.sender_mac,
            target: asked.sender,
        };
        self.send(own, ethertype::ARP, |out| answer(own).write(out), frame.source);
        if self.plan.doubled == Some(host) {
            self.send(IMPOSTOR, ethertype::ARP, |out| answer(IMPOSTOR).write(out), frame.source);
        }
    }

    fn v4(&self, frame: &Frame<'_>) {
        let Ok(packet) = ip::parse(frame.payload) else { return };
        let IpAddr::V4(to) = packet.destination else { return };
        let Some(host) = self.at(to) else { return };
        let payload = match packet.protocol {
            protocol::ICMP => pong(packet.payload),
            protocol::UDP => self.name(host, packet.payload),
            _ => None,
        };
        let Some(payload) = payload else { return };
        let reply =
            Packet { source: packet.destination, destination: packet.source, payload: &payload, ..packet };
        let write = |out: &mut Vec<u8>| ip::write(&reply, out).expect("a reply");
        self.send(self.plan.mac(host), ethertype::IPV4, write, frame.source);
    }

    /// The datagram in which a host that was asked by mDNS says what it is called.
    fn name(&self, host: u32, datagram: &[u8]) -> Option<Vec<u8>> {
        let asked = udp::parse(datagram).ok().filter(|asked| asked.destination == dns::MDNS_PORT)?;
        let labels = self.plan.names.get(&host)?;
        let mut answer = asked.payload.to_vec();
        // An answer with one record, whose name is that of the question.
        *answer.get_mut(2)? = 0x84;
        *answer.get_mut(7)? = 1;
        let length: usize = labels.iter().map(|label| label.len() + 1).sum::<usize>() + 1;
        answer.extend([0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 10]);
        answer.extend(u16::try_from(length).ok()?.to_be_bytes());
        for label in labels {
            answer.push(u8::try_from(label.len()).ok()?);
            answer.extend(label.as_bytes());
        }
        answer.push(0);
        let header = udp::header(dns::MDNS_PORT, asked.source, &answer, checksum::Sum::default()).ok()?;
        // Without a checksum, as IPv4 allows.
        let mut reply = [&header[..6], &[0, 0]].concat();
        reply.extend(answer);
        Some(reply)
    }

    fn v6(&self, frame: &Frame<'_>) {
        let Ok(packet) = ip::parse(frame.payload) else { return };
        let (IpAddr::V6(source), IpAddr::V6(destination)) = (packet.source, packet.destination) else {
            return;
        };
        if let Ok(Some(ndp::Message::NeighbourSolicitation { target, .. })) = ndp::parse(packet.payload) {
            let has = |host: &u32| [v6(*host), link_local_of(self.plan.mac(*host))].contains(&target);
            if let Some(host) = self.plan.there().find(has) {
                let own = self.plan.mac(host);
                let mut message = vec![136, 0, 0, 0, 0x60, 0, 0, 0];
                message.extend(target.octets());
                message.extend([2, 1]);
                message.extend(own.bytes());
                let write = |out: &mut Vec<u8>| ndp::write_message(target, source, 255, &mut message, out);
                self.send(own, ethertype::IPV6, write, frame.source);
            }
            return;
        }
        let Ok(icmp::Message::EchoRequest(echo)) = icmp::parse(Family::V6, packet.payload) else { return };
        if destination != ndp::ALL_NODES {
            return;
        }
        for host in self.plan.there() {
            let mac = self.plan.mac(host);
            let own = if source.is_unicast_link_local() { link_local_of(mac) } else { v6(host) };
            let mut message = vec![129, 0, 0, 0];
            message.extend(echo.id.to_be_bytes());
            message.extend(echo.sequence.to_be_bytes());
            let write = |out: &mut Vec<u8>| ndp::write_message(own, source, 64, &mut message, out);
            self.send(mac, ethertype::IPV6, write, frame.source);
        }
    }
}

/// The answer to an echo request.
fn pong(asked: &[u8]) -> Option<Vec<u8>> {
    let Ok(icmp::Message::EchoRequest(_)) = icmp::parse(Family::V4, asked) else { return None };
    let mut payload = asked.to_vec();
    payload[0] = icmp::echo_reply_type(Family::V4);
    payload[2..4].fill(0);
    let sum = checksum::of(&payload).to_be_bytes();
    payload[2..4].copy_from_slice(&sum);
    Some(payload)
}

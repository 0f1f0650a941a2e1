//! A link with many hosts: one thread answers for all of them on a TAP device in a namespace.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::{Command, Stdio, id};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};

use netwark_model::mac::Mac;
use netwark_packet::arp::{Arp, Operation};
use netwark_packet::ethernet::{self, Frame, ethertype};
use netwark_packet::ip::{self, Family, Packet};
use netwark_packet::{arp, checksum, icmp, ndp, protocol};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::chain::{inside, ip as configure};
use super::os;

/// The watcher's own address; hosts have those behind it.
pub(crate) const OWN: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 1);

/// What is on the link.
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
        }
    }
}

pub(crate) struct Lan {
    name: String,
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
    let [a, b, c, d, e, f] = mac(host).bytes();
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
                "link set lo up\nlink set dev eth0 address 00:00:5e:00:53:01\nlink set dev eth0 addrgenmode none\n\
                 link set dev eth0 up\naddr add {OWN}/{} dev eth0\naddr add fe80::1/64 dev eth0 nodad\n\
                 addr add fd88::1/64 dev eth0 nodad\n",
                plan.prefix
            ),
        );
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let answering = thread::spawn(move || Hosts { tap, plan, seed: 1 }.run(&flag));
        Self { name, stop, answering: Some(answering) }
    }

    /// Name of the namespace.
    #[cfg_attr(test, expect(dead_code, reason = "for measuring by hand"))]
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Runs `work` on a thread of its own at the watcher.
    pub(crate) fn at_watcher<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        inside(&self.name, work)
    }

    /// Lines of the kernel's table of neighbours.
    pub(crate) fn neighbours(&self) -> Vec<String> {
        let output =
            Command::new("ip").args(["-n", &self.name, "neigh"]).output().expect("ip can be started");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }
}

struct Hosts {
    tap: File,
    plan: LanPlan,
    seed: u32,
}

impl Hosts {
    fn run(mut self, stop: &AtomicBool) {
        let mut room = [0; 2_048];
        while !stop.load(Ordering::Relaxed) {
            let mut fds = [PollFd::new(&self.tap, PollFlags::IN)];
            let _ = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 20_000_000 }));
            while let Ok(length @ 1..) = (&self.tap).read(&mut room) {
                self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if (self.seed >> 8) % 1_000 >= self.plan.lost {
                    self.frame(&room[..length]);
                }
            }
            for frame in &self.plan.announced {
                let _ = (&self.tap).write(frame);
            }
        }
    }

    fn frame(&self, bytes: &[u8]) {
        let Ok(frame) = ethernet::parse(bytes) else { return };
        if frame.vlan != self.plan.vlan {
            return;
        }
        match frame.kind {
            ethertype::ARP => self.arp(&frame),
            ethertype::IPV4 => self.ping(&frame),
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
                let _ = (&self.tap).write(bytes.get(..cut).unwrap_or(&bytes));
            }
            let mut odd = bytes.clone();
            for at in [15, 16, 18, 19, 20] {
                if let Some(byte) = odd.get_mut(at) {
                    *byte = byte.wrapping_add(7);
                }
                let _ = (&self.tap).write(&odd);
            }
        }
        // A full queue loses it, as a wire would.
        let _ = (&self.tap).write(&bytes);
    }

    fn arp(&self, frame: &Frame<'_>) {
        let Ok(asked) = arp::parse(frame.payload) else { return };
        let Some(host) =
            asked.target.to_bits().checked_sub(v4(0).to_bits()).filter(|host| *host < self.plan.hosts)
        else {
            return;
        };
        let answer = |mac: Mac| Arp {
            operation: Operation::Reply,
            sender_mac: mac.bytes(),
            sender: asked.target,
            target_mac: asked.sender_mac,
            target: asked.sender,
        };
        self.send(mac(host), ethertype::ARP, |out| answer(mac(host)).write(out), frame.source);
        if self.plan.doubled == Some(host) {
            self.send(IMPOSTOR, ethertype::ARP, |out| answer(IMPOSTOR).write(out), frame.source);
        }
    }

    fn ping(&self, frame: &Frame<'_>) {
        let Ok(packet) = ip::parse(frame.payload) else { return };
        let (IpAddr::V4(to), protocol::ICMP) = (packet.destination, packet.protocol) else { return };
        let Some(host) = to.to_bits().checked_sub(v4(0).to_bits()).filter(|host| *host < self.plan.hosts)
        else {
            return;
        };
        let Ok(icmp::Message::EchoRequest(_)) = icmp::parse(Family::V4, packet.payload) else { return };
        let mut payload = packet.payload.to_vec();
        payload[0] = icmp::echo_reply_type(Family::V4);
        payload[2..4].fill(0);
        let sum = checksum::of(&payload).to_be_bytes();
        payload[2..4].copy_from_slice(&sum);
        let reply =
            Packet { source: packet.destination, destination: packet.source, payload: &payload, ..packet };
        let write = |out: &mut Vec<u8>| ip::write(&reply, out).expect("a reply");
        self.send(mac(host), ethertype::IPV4, write, frame.source);
    }

    fn v6(&self, frame: &Frame<'_>) {
        let Ok(packet) = ip::parse(frame.payload) else { return };
        let (IpAddr::V6(source), IpAddr::V6(destination)) = (packet.source, packet.destination) else {
            return;
        };
        if let Ok(Some(ndp::Message::NeighbourSolicitation { target, .. })) = ndp::parse(packet.payload) {
            if let Some(host) =
                (0..self.plan.hosts).find(|host| [v6(*host), link_local(*host)].contains(&target))
            {
                let mut message = vec![136, 0, 0, 0, 0x60, 0, 0, 0];
                message.extend(target.octets());
                message.extend([2, 1]);
                message.extend(mac(host).bytes());
                let write = |out: &mut Vec<u8>| ndp::write_message(target, source, 255, &mut message, out);
                self.send(mac(host), ethertype::IPV6, write, frame.source);
            }
            return;
        }
        let Ok(icmp::Message::EchoRequest(echo)) = icmp::parse(Family::V6, packet.payload) else { return };
        if destination != ndp::ALL_NODES {
            return;
        }
        for host in 0..self.plan.hosts {
            let own = if source.is_unicast_link_local() { link_local(host) } else { v6(host) };
            let mut message = vec![129, 0, 0, 0];
            message.extend(echo.id.to_be_bytes());
            message.extend(echo.sequence.to_be_bytes());
            let write = |out: &mut Vec<u8>| ndp::write_message(own, source, 64, &mut message, out);
            self.send(mac(host), ethertype::IPV6, write, frame.source);
        }
    }
}

//! A chain of routers in network namespaces, with IPv4 and IPv6.
//!
//! Link k joins namespaces k - 1 and k: 10.77.k.1 and 10.77.k.2, fd77:k::1 and fd77:k::2. Namespace 0 is the source, the last
//! one is the target, which has 10.77.255.1 and fd77:ff::1 as well.

use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::process::{Command, Stdio, id};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};

use super::link::{self, Cable, Link};
use super::os;

pub(crate) const TARGETS: [&str; 2] = ["10.77.255.1", "fd77:ff::1"];

/// What is special about a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quirk {
    /// Answers one probe in so many milliseconds, after a burst of six.
    Limits(u32),
    /// Forwards but never answers.
    Silent,
    /// Loses everything for the target.
    BlackHole,
    /// Answers that the target is administratively prohibited.
    Prohibits,
    /// Two equal ways lead to the next router.
    Forks,
}

/// How a chain is made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) links: Vec<Link>,
    /// Routers, from 1, and what is special about them.
    pub(crate) quirks: Vec<(usize, Quirk)>,
}

pub(crate) struct Chain {
    names: Vec<String>,
    stop: Arc<AtomicBool>,
    mover: Option<JoinHandle<()>>,
}

impl Drop for Chain {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(mover) = self.mover.take() {
            let _ = mover.join();
        }
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "del", name]).stderr(Stdio::null()).status();
        }
    }
}

/// The address of a hop as a trace shows it.
pub(crate) fn hop(family: usize, hop: usize, hops: usize) -> IpAddr {
    let text = match (family, hop == hops) {
        (_, true) => TARGETS[family].to_owned(),
        (0, _) => format!("10.77.{hop}.2"),
        _ => format!("fd77:{hop}::2"),
    };
    text.parse().expect("an address")
}

pub(crate) fn ip(namespace: &str, batch: &str) {
    let mut ip = Command::new("ip")
        .args(["-n", namespace, "-batch", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("ip can be started");
    ip.stdin.take().expect("a pipe").write_all(batch.as_bytes()).expect("ip reads");
    assert!(ip.wait().expect("ip ends").success(), "ip failed in {namespace} on:\n{batch}");
}

/// Runs `work` on a thread inside a namespace.
pub(crate) fn inside<T: Send>(namespace: &str, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let run = || {
            os::enter(namespace).expect("the namespace can be entered");
            work()
        };
        match scope.spawn(run).join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

pub(crate) fn sysctl(name: &str, value: &str) {
    let path = format!("/proc/sys/net/{name}");
    let missing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    // Some kernels lack some of the limits.
    let error = fs::write(&path, value).err().filter(|error| !missing(error));
    assert!(error.is_none(), "{path} cannot be set to {value}: {error:?}");
}

impl Chain {
    pub(crate) fn build(plan: &Plan) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let names: Vec<_> = (0..=plan.links.len()).map(|at| format!("nwk{}-{number}-{at}", id())).collect();
        for name in &names {
            let made = Command::new("ip").args(["netns", "add", name]).status().expect("ip can be started");
            assert!(made.success(), "namespace {name} cannot be made");
        }
        let mut chain = Self { names, stop: Arc::new(AtomicBool::new(false)), mover: None };
        let mut cables = Vec::new();
        for (near, link) in plan.links.iter().enumerate() {
            cables.push(chain.cable(near, "f", "b", *link));
            if plan.quirks.contains(&(near, Quirk::Forks)) {
                cables.push(chain.cable(near, "g", "c", *link));
            }
        }
        for at in 0..chain.names.len() {
            chain.configure(at, plan);
        }
        let stop = Arc::clone(&chain.stop);
        chain.mover = Some(thread::spawn(move || link::run(cables, &stop)));
        chain
    }

    fn cable(&self, near: usize, forward: &str, back: &str, link: Link) -> Cable {
        let end = |at: usize, name: &str| inside(&self.names[at], || os::tun(name)).expect("a TUN device");
        Cable { near: end(near, forward), far: end(near + 1, back), link, first: near == 0 }
    }

    fn configure(&self, at: usize, plan: &Plan) {
        let last = plan.links.len();
        let quirks: Vec<_> =
            plan.quirks.iter().filter(|(hop, _)| *hop == at).map(|(_, quirk)| *quirk).collect();
        let mut limit = "0".to_owned();
        let forks = quirks.contains(&Quirk::Forks);
        let forked_before = plan.quirks.contains(&(at.wrapping_sub(1), Quirk::Forks));
        let mut batch = String::from("link set lo up\n");
        let mut device = |name: &str, net: usize, end: u8, link: Link| {
            let mtu = link.mtu.map_or(String::new(), |mtu| format!("mtu {mtu}"));
            batch += &format!(
                "link set dev {name} addrgenmode none {mtu}\nlink set dev {name} up\n\
                 addr add 10.77.{net}.{end}/24 dev {name}\naddr add fd77:{net}::{end}/64 dev {name} nodad\n"
            );
        };
        if at > 0 {
            device("b", at, 2, plan.links[at - 1]);
        }
        if forked_before {
            device("c", 100 + at, 2, plan.links[at - 1]);
        }
        if at < last {
            device("f", at + 1, 1, plan.links[at]);
        }
        if forks {
            device("g", 101 + at, 1, plan.links[at]);
        }
        let next = at + 1;
        if forks {
            for (all, near, far) in [("0.0.0.0/0", "10.77.", ".2"), ("::/0", "fd77:", "::2")] {
                let other = 100 + next;
                batch += &format!(
                    "route add {all} nexthop via {near}{next}{far} dev f nexthop via {near}{other}{far} dev g\n"
                );
            }
        } else if at < last {
            batch += &format!("route add 0.0.0.0/0 via 10.77.{next}.2\nroute add ::/0 via fd77:{next}::2\n");
        } else {
            batch += "addr add 10.77.255.1/32 dev lo\naddr add fd77:ff::1/128 dev lo nodad\n";
        }
        for net in 1..at {
            batch += &format!("route add 10.77.{net}.0/24 via 10.77.{at}.1\n");
            batch += &if forked_before {
                let other = 100 + at;
                format!(
                    "route add fd77:{net}::/64 nexthop via fd77:{at}::1 dev b nexthop via fd77:{other}::1 dev c\n"
                )
            } else {
                format!("route add fd77:{net}::/64 via fd77:{at}::1\n")
            };
        }
        for quirk in quirks {
            match quirk {
                Quirk::Limits(milliseconds) => limit = milliseconds.to_string(),
                // The kernel allows a newcomer sixty seconds' worth of answers: less than one of these.
                Quirk::Silent => limit = "100000".into(),
                Quirk::BlackHole => {
                    batch += "route add blackhole 10.77.255.1\nroute add blackhole fd77:ff::1\n";
                }
                Quirk::Prohibits => {
                    batch += "route add prohibit 10.77.255.1\nroute add prohibit fd77:ff::1\n";
                }
                Quirk::Forks => {}
            }
        }
        inside(&self.names[at], || {
            for (name, value) in [
                ("ipv4/ip_forward", "1"),
                ("ipv6/conf/all/forwarding", "1"),
                ("ipv4/conf/all/rp_filter", "0"),
                ("ipv4/conf/default/rp_filter", "0"),
                ("ipv4/fib_multipath_hash_policy", "1"),
                ("ipv6/fib_multipath_hash_policy", "1"),
                ("ipv4/icmp_msgs_per_sec", "1000000"),
                ("ipv4/icmp_msgs_burst", "100000"),
                // Errors come from the address the packet came to, which tells equal ways apart.
                ("ipv4/icmp_errors_use_inbound_ifaddr", "1"),
                ("ipv4/icmp_ratelimit", &limit),
                ("ipv6/icmp/ratelimit", &limit),
            ] {
                sysctl(name, value);
            }
        });
        ip(&self.names[at], &batch);
    }

    /// Runs `work` on a thread of its own at the source.
    pub(crate) fn at_source<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        inside(&self.names[0], work)
    }

    /// The same at the target.
    pub(crate) fn at_target<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        inside(self.names.last().expect("a chain has ends"), work)
    }

    /// The same as [`Self::at_source`] as an ordinary user; `datagrams` says whether ICMP datagram sockets are allowed.
    pub(crate) fn unprivileged<T: Send>(&self, datagrams: bool, work: impl FnOnce() -> T + Send) -> T {
        self.at_source(|| {
            sysctl("ipv4/ping_group_range", if datagrams { "0 2147483647" } else { "1 0" });
            os::drop_privileges().expect("privileges can be dropped");
            work()
        })
    }
}

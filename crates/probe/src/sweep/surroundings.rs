//! The links this machine stands on, and which addresses are found on which of them.

use std::fs;
use std::io;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv6Net};
use netwark_model::mac::Mac;
use netwark_model::watch::report::LinkFacts;
use netwark_model::watch::span::{self, Span};

use crate::net::netlink::{self, DefaultRoute, Interface};
use crate::net::{packet, wireless};

/// What this machine knows of where it stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) routes: Vec<DefaultRoute>,
    /// Why frames cannot be sent and heard, when they cannot.
    pub(crate) no_frames: Option<String>,
}

impl Surroundings {
    /// Asks the kernel.
    ///
    /// # Errors
    /// What the kernel says.
    pub(crate) fn look() -> io::Result<Self> {
        let no_frames = packet::possible().err().map(|error| match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => {
                "CAP_NET_RAW is missing: run as root, or give the binary the capability with `setcap cap_net_raw+ep`"
                    .to_owned()
            }
            _ => error.to_string(),
        });
        Ok(Self { interfaces: netlink::interfaces()?, routes: netlink::default_routes()?, no_frames })
    }

    /// The interface of a name.
    pub(crate) fn named(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|one| one.name == name)
    }

    /// Links on which hosts can be asked for by their addresses.
    pub(crate) fn links(&self) -> impl Iterator<Item = &Interface> {
        self.interfaces.iter().filter(|one| one.up && one.resolves && !one.loopback && one.mac.is_some())
    }

    /// The way out by an interface.
    fn gateways(&self, interface: &Interface) -> impl Iterator<Item = IpAddr> + use<'_> {
        let index = interface.index;
        self.routes.iter().filter(move |route| route.interface == index).map(|route| route.gateway)
    }

    /// What is told of a link.
    pub(crate) fn facts(&self, interface: &Interface) -> LinkFacts {
        // Most links are no wireless ones, of which the kernel may know nothing.
        let wireless = wireless::joined(interface.index).ok().flatten();
        LinkFacts {
            interface: interface.name.clone(),
            mac: interface.mac.map(Mac::new),
            speed_mbps: speed_mbps(interface),
            addresses: interface.addresses.clone(),
            gateway: self.gateways(interface).next(),
            resolvers: resolvers(),
            security: wireless.as_ref().map(|network| network.security.to_owned()),
            ssid: wireless.and_then(|network| network.ssid),
        }
    }

    /// The speed of the slowest of these links that say theirs, in Mbit/s.
    pub(crate) fn slowest_mbps(&self, named: Option<&str>) -> Option<u32> {
        self.links().filter(|link| named.is_none_or(|name| link.name == name)).filter_map(speed_mbps).min()
    }

    /// Gateways by this interface, of both families.
    pub(crate) fn gateways_of(&self, interface: &Interface) -> Vec<IpAddr> {
        self.gateways(interface).collect()
    }
}

/// Resolvers that the system names, at most eight.
fn resolvers() -> Vec<IpAddr> {
    let text = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let named = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    named.filter_map(|rest| rest.trim().parse().ok()).take(8).collect()
}

/// The speed of a link in Mbit/s, when its driver says. The file system of devices may be that of another network
/// namespace, so the hardware address must be the same.
fn speed_mbps(interface: &Interface) -> Option<u32> {
    // A name with a slash would lead elsewhere; the kernel gives none.
    if interface.name.contains('/') {
        return None;
    }
    let directory = format!("/sys/class/net/{}", interface.name);
    let read = |file: &str| fs::read_to_string(format!("{directory}/{file}")).ok();
    let same = read("address")?.trim().parse().ok() == interface.mac.map(Mac::new);
    // A tap has a speed that nothing keeps to.
    if !same || read("tun_flags").is_some() {
        return None;
    }
    read("speed")?.trim().parse::<u32>().ok().filter(|speed| *speed > 0)
}

/// The spans that an interface has neighbours in, and what is left of the others.
pub(crate) fn on_link(spans: Vec<Span>, interface: &Interface) -> (Vec<Span>, Vec<Span>) {
    let prefixes = interface.addresses.iter().map(|own| Span::whole(*own)).collect();
    let left = span::without(spans.clone(), prefixes);
    let here = span::without(spans, left.clone());
    (here, left)
}

/// Addresses of IPv6 of an interface.
pub(crate) fn v6_of(interface: &Interface) -> Vec<Ipv6Net> {
    let v6 = |own: &IpNet| match own {
        IpNet::V6(v6) => Some(*v6),
        IpNet::V4(_) => None,
    };
    interface.addresses.iter().filter_map(v6).collect()
}

#[cfg(test)]
mod tests {
    use netwark_model::watch::ranges::Ranges;

    use super::*;

    fn interface(addresses: &[&str]) -> Interface {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        Interface { name: "eth0".into(), addresses, ..Interface::default() }
    }

    #[test]
    fn what_stands_in_a_prefix_of_ours_is_on_the_link() {
        let spans = Ranges::parse("192.0.2.100-192.0.3.20, 10.0.0.1, 2001:db8::/120").unwrap().spans();
        let (here, left) = on_link(spans, &interface(&["192.0.2.1/24", "2001:db8::99/64"]));
        let shown = |spans: Vec<Span>| -> Vec<String> {
            spans.iter().map(|span| format!("{}-{}", span.first(), span.last())).collect()
        };
        assert_eq!(shown(here), ["192.0.2.100-192.0.2.255", "2001:db8::-2001:db8::ff"]);
        assert_eq!(shown(left), ["10.0.0.1-10.0.0.1", "192.0.3.0-192.0.3.20"]);
    }

    #[test]
    fn this_machine_is_known_to_itself() {
        let here = Surroundings::look().unwrap();
        assert!(here.interfaces.iter().any(|one| one.loopback));
        assert!(here.named("no such link").is_none());
        for link in here.links() {
            assert_eq!(here.facts(link).mac, link.mac.map(Mac::new));
        }
    }
}

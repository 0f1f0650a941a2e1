//! The default gateways of this machine, from the kernel's tables of routes.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most gateways that are looked at.
const MOST: usize = 4;
/// Flags of a route that is up and leads over a gateway, from linux/route.h.
const UP_BY_GATEWAY: u32 = 0x0003;

/// A router that packets to the rest of the world are given to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gateway {
    pub(crate) address: IpAddr,
    /// The interface it is reached by.
    pub(crate) interface: String,
}

/// The default gateways of both families, each once, in the kernel's order.
pub(crate) fn all() -> Vec<Gateway> {
    // The tables of this thread's network namespace; /proc/net is that of the process's first thread. A family that
    // the kernel does not have has no file.
    let table = |name| fs::read_to_string(format!("/proc/thread-self/net/{name}")).unwrap_or_default();
    parse(&table("route"), &table("ipv6_route"))
}

fn parse(v4: &str, v6: &str) -> Vec<Gateway> {
    let mut gateways = Vec::new();
    for gateway in v4.lines().filter_map(route_v4).chain(v6.lines().filter_map(route_v6)) {
        if !gateways.contains(&gateway) {
            gateways.push(gateway);
        }
    }
    gateways.truncate(MOST);
    gateways
}

/// A line of /proc/net/route: interface, destination, gateway, flags, three counts, mask. Addresses are 32-bit numbers
/// in the machine's own order of bytes.
fn route_v4(line: &str) -> Option<Gateway> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let [interface, "00000000", gateway, flags, _, _, _, "00000000", ..] = fields[..] else { return None };
    let flags = u32::from_str_radix(flags, 16).ok()?;
    let address = Ipv4Addr::from(u32::from_str_radix(gateway, 16).ok()?.to_ne_bytes());
    let leads = flags & UP_BY_GATEWAY == UP_BY_GATEWAY && !address.is_unspecified();
    leads.then(|| Gateway { address: address.into(), interface: interface.into() })
}

/// A line of /proc/net/ipv6_route: destination and its length, source and its length, next hop, three counts, flags,
/// interface.
fn route_v6(line: &str) -> Option<Gateway> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let [destination, "00", _, _, next, _, _, _, flags, interface] = fields[..] else { return None };
    let destination = u128::from_str_radix(destination, 16).ok()?;
    let flags = u32::from_str_radix(flags, 16).ok()?;
    let address = Ipv6Addr::from(u128::from_str_radix(next, 16).ok()?);
    let leads = destination == 0 && flags & UP_BY_GATEWAY == UP_BY_GATEWAY && !address.is_unspecified();
    leads.then(|| Gateway { address: address.into(), interface: interface.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(gateways: &[Gateway]) -> Vec<String> {
        gateways.iter().map(|gateway| format!("{} {}", gateway.address, gateway.interface)).collect()
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn default_gateways_are_found_among_routes() {
        let v4 = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth1\t000A0A0A\t010A0A0A\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0
ppp0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0
";
        let zero = "0".repeat(32);
        let v6 = format!(
            "{zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eth0\n\
             20010db8000000000000000000000000 20 {zero} 00 fe800000000000000000000000000002 00000400 00000001 00000000 00000003     eth0\n\
             {zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo\n"
        );
        assert_eq!(shown(&parse(v4, &v6)), ["192.0.2.1 eth0", "fe80::1 eth0"]);
    }

    #[test]
    fn what_is_no_table_of_routes_has_no_gateways() {
        for text in ["", "\n\n", "eth0", "eth0 00000000 xyz 0003 0 0 0 00000000", "\u{0}\u{fffd} 00 1 2"] {
            assert_eq!(parse(text, text), []);
        }
    }

    #[test]
    fn a_machine_with_many_gateways_has_the_first() {
        let line = |at: u32| format!("eth0 00000000 {:08X} 0003 0 0 0 00000000 0 0 0\n", at + 1);
        let table: String = (0..10).map(line).collect();
        assert_eq!(parse(&table, "").len(), MOST);
    }
}

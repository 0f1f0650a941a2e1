//! What is asked on a link, and what is heard there, as frames.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};
use netwark_model::mac::Mac;
use netwark_model::watch::report::Fact;
use netwark_model::watch::sighting::{NameSource, Source};
use netwark_packet::arp::{Arp, Operation};
use netwark_packet::checksum::Sum;
use netwark_packet::ethernet::{self, ethertype};
use netwark_packet::ip::Family;
use netwark_packet::{arp, dhcp, dns, icmp, ip, ndp, netbios, protocol, ssdp, udp};

/// Who asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    /// The interface's hardware address.
    pub(crate) mac: Mac,
    /// Its own addresses.
    pub(crate) addresses: Vec<IpNet>,
    /// The VLAN whose tag frames bear.
    pub(crate) vlan: Option<u16>,
    /// The id of echo requests.
    pub(crate) echo_id: u16,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Who has this address?
    Arp(Ipv4Addr),
    /// Who has this address?
    Solicit(Ipv6Addr),
    /// Who is there? Asked from this address of ours.
    Everybody(Ipv6Addr),
}

/// What is heard.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    /// Somebody has an address.
    Claim {
        address: IpAddr,
        mac: Mac,
        /// It was meant for us.
        asked: bool,
        router: bool,
    },
    /// An answer to an echo request with this id.
    Echo { address: Ipv6Addr, mac: Mac, id: u16 },
    /// A router says what it is.
    Router { address: Ipv6Addr, mac: Mac, fact: Fact },
    /// A device speaks of itself in a datagram of IPv4.
    Spoke { from: Ipv4Addr, mac: Mac, source: Source, name: Option<(NameSource, String)> },
    /// DHCP.
    Dhcp { mac: Mac, from: Ipv4Addr, message: dhcp::Message },
}

/// Preamble, check sequence and gap of a frame, in bytes (IEEE 802.3).
pub(crate) const AROUND_A_FRAME: u64 = 24;

/// Prefixes of a router that are kept.
const MOST_PREFIXES: usize = 16;

impl Identity {
    /// An address of ours in the same prefix as another.
    fn beside(&self, other: IpAddr) -> Option<IpAddr> {
        self.addresses.iter().find(|own| own.contains(&other)).map(IpNet::addr)
    }

    /// The address that neighbours of IPv6 are asked from.
    fn v6_for(&self, target: Ipv6Addr) -> Ipv6Addr {
        let own = || {
            self.addresses.iter().filter_map(|own| match own.addr() {
                IpAddr::V6(v6) => Some(v6),
                IpAddr::V4(_) => None,
            })
        };
        let beside = match self.beside(target.into()) {
            Some(IpAddr::V6(v6)) => Some(v6),
            _ => None,
        };
        let link_local = || own().find(Ipv6Addr::is_unicast_link_local);
        beside.or_else(link_local).or_else(|| own().next()).unwrap_or(Ipv6Addr::UNSPECIFIED)
    }

    /// What a question takes on the wire, with preamble, check sequence and gap, in bytes.
    pub(crate) fn on_wire(&self, question: Question) -> u64 {
        let mut frame = Vec::new();
        self.write(question, &mut frame);
        frame.len() as u64 + AROUND_A_FRAME
    }

    /// Appends the frame that asks.
    pub(crate) fn write(&self, question: Question, out: &mut Vec<u8>) {
        let start = out.len();
        let mac = self.mac.bytes();
        match question {
            Question::Arp(target) => {
                ethernet::write_header(ethernet::BROADCAST, mac, self.vlan, ethertype::ARP, out);
                // Without an address of that network nobody's table is filled with one (RFC 5227, section 2.1.1).
                let sender = match self.beside(target.into()) {
                    Some(IpAddr::V4(v4)) => v4,
                    _ => Ipv4Addr::UNSPECIFIED,
                };
                let operation = Operation::Request;
                Arp { operation, sender_mac: mac, sender, target_mac: [0; 6], target }.write(out);
            }
            Question::Solicit(target) => {
                let group = ethernet::multicast_v6(ndp::solicited_group(target));
                ethernet::write_header(group, mac, self.vlan, ethertype::IPV6, out);
                ndp::write_solicitation(self.v6_for(target), mac, target, out);
            }
            Question::Everybody(source) => {
                let group = ethernet::multicast_v6(ndp::ALL_NODES);
                ethernet::write_header(group, mac, self.vlan, ethertype::IPV6, out);
                let mut echo = icmp::echo_request(Family::V6, self.echo_id, 1, Sum::default());
                ndp::write_message(source, ndp::ALL_NODES, 1, &mut echo, out);
            }
        }
        out.resize(out.len().max(start + ethernet::SHORTEST), 0);
    }
}

/// What a frame tells; `vlan` is that of a tag that was taken off. None for what tells nothing, comes from ourselves or
/// belongs to another VLAN.
pub(crate) fn read(bytes: &[u8], vlan: Option<u16>, own: &Identity) -> Option<Heard> {
    let frame = ethernet::parse(bytes).ok()?;
    // A tag of VLAN 0 gives a priority only (IEEE 802.1Q).
    let tag = vlan.or(frame.vlan).filter(|vlan| *vlan != 0);
    let mac = Mac::new(frame.source);
    if tag != own.vlan || mac == own.mac || !mac.is_unicast() {
        return None;
    }
    let asked = frame.destination == own.mac.bytes();
    match frame.kind {
        ethertype::ARP => {
            let arp = arp::parse(frame.payload).ok()?;
            let (address, claimed) = (IpAddr::V4(arp.sender), Mac::new(arp.sender_mac));
            (is_host(address) && claimed.is_unicast() && claimed != own.mac).then_some(Heard::Claim {
                address,
                mac: claimed,
                asked: asked && arp.operation == Operation::Reply,
                router: false,
            })
        }
        ethertype::IPV6 => {
            let packet = ip::parse(frame.payload).ok()?;
            let IpAddr::V6(source) = packet.source else { return None };
            if packet.protocol != protocol::ICMPV6 || packet.later_fragment {
                return None;
            }
            match icmp::parse(Family::V6, packet.payload) {
                Ok(icmp::Message::EchoReply(echo)) => {
                    let (address, id) = (source, echo.id);
                    is_host(address.into()).then_some(Heard::Echo { address, mac, id })
                }
                // What was passed on by a router is a forgery (RFC 4861, section 7.1).
                _ if packet.ttl == ndp::HOP_LIMIT => neighbour(packet.payload, source, mac, asked),
                _ => None,
            }
        }
        ethertype::IPV4 => datagram(frame.payload, mac),
        _ => None,
    }
}

fn neighbour(message: &[u8], source: Ipv6Addr, mac: Mac, asked: bool) -> Option<Heard> {
    let claim = |address: Ipv6Addr, mac: Mac, asked, router| {
        let address = IpAddr::V6(address);
        (is_host(address) && mac.is_unicast()).then_some(Heard::Claim { address, mac, asked, router })
    };
    match ndp::parse(message).ok()?? {
        ndp::Message::NeighbourAdvertisement { target, mac: said, router, solicited } => {
            claim(target, said.map_or(mac, Mac::new), asked && solicited, router)
        }
        // Whoever has no address yet looks whether this one is free.
        ndp::Message::NeighbourSolicitation { target, .. } if source.is_unspecified() => {
            claim(target, mac, false, false)
        }
        ndp::Message::NeighbourSolicitation { mac: said, .. }
        | ndp::Message::RouterSolicitation { mac: said } => {
            claim(source, said.map_or(mac, Mac::new), false, false)
        }
        ndp::Message::RouterAdvertisement(said) => {
            if !source.is_unicast_link_local() {
                return None;
            }
            let prefix =
                |(address, length): &(Ipv6Addr, u8)| Ipv6Net::new(*address, *length).ok().map(IpNet::V6);
            let mut prefixes: Vec<IpNet> = said
                .prefixes
                .iter()
                .filter_map(prefix)
                .map(|prefix| prefix.trunc())
                .take(MOST_PREFIXES)
                .collect();
            prefixes.sort_unstable();
            prefixes.dedup();
            let mac = said.mac.map_or(mac, Mac::new);
            let fact = Fact::RouterAdvertisement {
                address: source.into(),
                mac: Some(mac),
                prefixes,
                lifetime_s: said.lifetime,
            };
            Some(Heard::Router { address: source, mac, fact })
        }
    }
}

fn datagram(bytes: &[u8], mac: Mac) -> Option<Heard> {
    let packet = ip::parse(bytes).ok()?;
    let IpAddr::V4(from) = packet.source else { return None };
    if packet.protocol != protocol::UDP || packet.later_fragment {
        return None;
    }
    let datagram = udp::parse(packet.payload).ok()?;
    if matches!(datagram.destination, dhcp::SERVER_PORT | dhcp::CLIENT_PORT) {
        let message = dhcp::parse(datagram.payload).ok()?;
        return Some(Heard::Dhcp { mac, from, message });
    }
    if !is_host(from.into()) {
        return None;
    }
    let (source, name) = match (datagram.source, datagram.destination) {
        (dns::MDNS_PORT, dns::MDNS_PORT) => {
            (Source::Mdns, announced(datagram.payload, from).map(|name| (NameSource::Mdns, name)))
        }
        (_, ssdp::PORT) => {
            let said = ssdp::parse(datagram.payload).filter(|said| !said.leaves)?;
            (Source::Ssdp, said.server.map(|server| (NameSource::Ssdp, server)))
        }
        // Only announcements to everybody come here unasked.
        (netbios::PORT, netbios::PORT) => (Source::Netbios, None),
        _ => return None,
    };
    Some(Heard::Spoke { from, mac, source, name })
}

/// The name that a device announces for its own address.
fn announced(payload: &[u8], own: Ipv4Addr) -> Option<String> {
    let message = dns::parse(payload).ok().filter(|message| message.response)?;
    let own = dns::Data::Address(own.into());
    message.records.into_iter().find(|record| record.data == own).map(|record| record.name)
}

/// Whether an address can be that of a host on a link.
pub(crate) fn is_host(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            !(v4.is_unspecified() || v4.is_broadcast() || v4.is_multicast() || v4.is_loopback())
        }
        IpAddr::V6(v6) => !(v6.is_unspecified() || v6.is_multicast() || v6.is_loopback()),
    }
}

/// The address that an interface gives itself within a prefix by its hardware address (RFC 4291, appendix A).
pub(crate) fn modified_eui64(prefix: Ipv6Net, mac: Mac) -> Option<Ipv6Addr> {
    if prefix.prefix_len() > 64 {
        return None;
    }
    let [a, b, c, d, e, f] = mac.bytes();
    let low = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    let address = Ipv6Addr::from_bits(prefix.network().to_bits() & (u128::MAX << 64) | u128::from(low));
    prefix.contains(&address).then_some(address)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOST: Mac = Mac::new([0, 0, 0x5e, 0, 0x53, 9]);

    fn own(vlan: Option<u16>) -> Identity {
        Identity {
            mac: Mac::new([0, 0, 0x5e, 0, 0x53, 1]),
            addresses: ["192.0.2.1/24", "fe80::1/64", "2001:db8::1/64"]
                .map(|text| text.parse().unwrap())
                .to_vec(),
            vlan,
            echo_id: 7,
        }
    }

    fn asked(question: Question, own: &Identity) -> Vec<u8> {
        let mut bytes = vec![9];
        own.write(question, &mut bytes);
        assert!(bytes.len() > ethernet::SHORTEST, "frames are filled up");
        bytes.split_off(1)
    }

    fn reply(own: &Identity, sender: [u8; 4]) -> Vec<u8> {
        let mut bytes = Vec::new();
        ethernet::write_header(own.mac.bytes(), HOST.bytes(), own.vlan, ethertype::ARP, &mut bytes);
        let operation = Operation::Reply;
        let (sender_mac, target_mac) = (HOST.bytes(), own.mac.bytes());
        Arp { operation, sender_mac, sender: sender.into(), target_mac, target: [192, 0, 2, 1].into() }
            .write(&mut bytes);
        bytes
    }

    #[test]
    fn a_request_names_us_only_in_our_own_network() {
        for (target, sender) in [([192, 0, 2, 9], [192, 0, 2, 1]), ([10, 0, 0, 9], [0; 4])] {
            let bytes = asked(Question::Arp(target.into()), &own(None));
            let frame = ethernet::parse(&bytes).unwrap();
            let arp = arp::parse(frame.payload).unwrap();
            assert_eq!((arp.sender, arp.target), (sender.into(), target.into()));
        }
        let tagged = asked(Question::Arp([192, 0, 2, 9].into()), &own(Some(100)));
        assert_eq!(ethernet::parse(&tagged).unwrap().vlan, Some(100));
    }

    #[test]
    fn neighbours_are_asked_from_the_address_beside_them() {
        for (target, source) in [("2001:db8::9", "2001:db8::1"), ("2001:db9::9", "fe80::1")] {
            let bytes = asked(Question::Solicit(target.parse().unwrap()), &own(None));
            let frame = ethernet::parse(&bytes).unwrap();
            let packet = ip::parse(frame.payload).unwrap();
            assert_eq!(packet.source, source.parse::<IpAddr>().unwrap(), "{target}");
        }
        let bytes = asked(Question::Everybody("fe80::1".parse().unwrap()), &own(None));
        assert_eq!(bytes.get(..6), Some([0x33, 0x33, 0, 0, 0, 1].as_slice()));
    }

    #[test]
    fn answers_count_in_their_own_vlan_only() {
        let claim = Heard::Claim { address: [192, 0, 2, 9].into(), mac: HOST, asked: true, router: false };
        for (asking, tag, heard) in [
            (None, None, true),
            (None, Some(0), true),
            (None, Some(100), false),
            (Some(100), Some(100), true),
            (Some(100), Some(7), false),
        ] {
            let own = own(asking);
            let bytes = reply(&Identity { vlan: None, ..own.clone() }, [192, 0, 2, 9]);
            assert_eq!(read(&bytes, tag, &own), heard.then(|| claim.clone()), "{asking:?} {tag:?}");
        }
        assert_eq!(
            read(&reply(&own(Some(100)), [192, 0, 2, 9]), None, &own(Some(100))),
            Some(claim),
            "with its tag"
        );
    }

    #[test]
    fn what_cannot_be_a_host_is_not_heard() {
        for sender in [[0, 0, 0, 0], [255; 4], [224, 0, 0, 1], [127, 0, 0, 1]] {
            assert_eq!(read(&reply(&own(None), sender), None, &own(None)), None, "{sender:?}");
        }
        let mut ours = reply(&own(None), [192, 0, 2, 9]);
        ours[6..12].copy_from_slice(&own(None).mac.bytes());
        assert_eq!(read(&ours, None, &own(None)), None, "our own frame");
    }

    #[test]
    fn a_solicitation_from_nowhere_looks_whether_an_address_is_free() {
        let host = Identity { mac: HOST, ..Identity::default() };
        let bytes = asked(Question::Solicit("fe80::9".parse().unwrap()), &host);
        let address: IpAddr = "fe80::9".parse().unwrap();
        let claim = Heard::Claim { address, mac: HOST, asked: false, router: false };
        assert_eq!(read(&bytes, None, &own(None)), Some(claim));
        let mut routed = bytes;
        routed[14 + 7] = 254;
        assert_eq!(read(&routed, None, &own(None)), None, "a router has passed it on");
    }

    #[test]
    fn devices_that_speak_are_heard_with_their_names() {
        let frame = |source: u16, destination: u16, payload: &[u8]| {
            let (from, to) = (IpAddr::from([192, 0, 2, 9]), IpAddr::from([224, 0, 0, 251]));
            let mut datagram = udp::header(source, destination, payload, Sum::default()).unwrap().to_vec();
            datagram.extend(payload);
            let packet = ip::Packet {
                source: from,
                destination: to,
                protocol: protocol::UDP,
                ttl: 255,
                traffic_class: 0,
                identification: 0,
                later_fragment: false,
                payload: &datagram,
            };
            let mut bytes = Vec::new();
            ethernet::write_header([1, 0, 0x5e, 0, 0, 0xfb], HOST.bytes(), None, ethertype::IPV4, &mut bytes);
            ip::write(&packet, &mut bytes).unwrap();
            read(&bytes, None, &own(None))
        };
        let mut announcement = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3];
        announcement.extend(b"nas\x05local\0");
        announcement.extend([0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4, 192, 0, 2, 9]);
        let Some(Heard::Spoke { source, name, .. }) = frame(5353, 5353, &announcement) else {
            panic!("not heard")
        };
        assert_eq!((source, name), (Source::Mdns, Some((NameSource::Mdns, "nas.local".into()))));
        let notify = b"NOTIFY * HTTP/1.1\r\nSERVER: Speaker/1\r\nNTS: ssdp:alive\r\n\r\n";
        let Some(Heard::Spoke { name: Some((_, name)), .. }) = frame(40_000, 1900, notify) else {
            panic!("not heard")
        };
        assert_eq!(name, "Speaker/1");
        assert_eq!(frame(40_000, 1900, &ssdp::search()), None, "who searches offers nothing");
    }

    #[test]
    fn addresses_made_of_hardware_addresses() {
        let prefix = "2001:db8::/64".parse().unwrap();
        let made = modified_eui64(prefix, HOST).unwrap();
        assert_eq!(made, "2001:db8::200:5eff:fe00:5309".parse::<Ipv6Addr>().unwrap());
        assert_eq!(modified_eui64("2001:db8::/80".parse().unwrap(), HOST), None);
    }

    proptest! {
        #[test]
        fn any_frame_is_survived(
            kind in proptest::sample::select(vec![0x0806_u16, 0x86dd, 0x0800, 0x8100]),
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut frame = vec![2; 12];
            frame.extend(kind.to_be_bytes());
            frame.extend(bytes);
            if let Some(Heard::Claim { address, mac, .. }) = read(&frame, None, &own(None)) {
                prop_assert!(is_host(address) && mac.is_unicast());
            }
        }
    }
}

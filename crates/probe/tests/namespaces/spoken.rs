//! Frames of devices that nobody has asked.

use std::net::Ipv4Addr;

use netwark_model::mac::Mac;
use netwark_packet::arp::{Arp, Operation};
use netwark_packet::checksum::Sum;
use netwark_packet::ethernet::{self, ethertype};
use netwark_packet::{ip, ndp, protocol, udp};

use super::lan::link_local_of;

/// A frame to everybody.
fn frame(from: Mac, to: [u8; 6], kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    ethernet::write_header(to, from.bytes(), None, kind, &mut bytes);
    bytes.extend(payload);
    bytes
}

fn datagram(from: Ipv4Addr, ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let mut datagram = udp::header(ports.0, ports.1, payload, Sum::default()).expect("a header").to_vec();
    // Without a checksum, as IPv4 allows.
    datagram[6..8].fill(0);
    datagram.extend(payload);
    let packet = ip::Packet {
        source: from.into(),
        destination: Ipv4Addr::BROADCAST.into(),
        protocol: protocol::UDP,
        ttl: 64,
        traffic_class: 0,
        identification: 0,
        later_fragment: false,
        payload: &datagram,
    };
    let mut bytes = Vec::new();
    ip::write(&packet, &mut bytes).expect("a packet");
    bytes
}

/// What a client asks for an address with, or a server offers one with.
fn dhcp(client: Mac, kind: u8, options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 236];
    bytes[..3].copy_from_slice(&[1, 1, 6]);
    bytes[28..34].copy_from_slice(&client.bytes());
    bytes.extend([99, 130, 83, 99, 53, 1, kind]);
    bytes.extend(options);
    bytes.push(255);
    bytes
}

/// A device says by ARP which address it has.
pub(crate) fn announcement(from: Mac, address: Ipv4Addr) -> Vec<u8> {
    let (operation, sender_mac) = (Operation::Request, from.bytes());
    let mut said = Vec::new();
    Arp { operation, sender_mac, sender: address, target_mac: [0; 6], target: address }.write(&mut said);
    frame(from, ethernet::BROADCAST, ethertype::ARP, &said)
}

/// A client looks for servers of DHCP and says what it is called, in at most 255 bytes.
pub(crate) fn dhcp_client(from: Mac, name: &[u8]) -> Vec<u8> {
    let length = u8::try_from(name.len()).expect("a name that fits");
    let said = dhcp(from, 1, &[&[12, length], name].concat());
    let datagram = datagram(Ipv4Addr::UNSPECIFIED, (68, 67), &said);
    frame(from, ethernet::BROADCAST, ethertype::IPV4, &datagram)
}

/// A server of DHCP offers somebody an address.
pub(crate) fn dhcp_server(from: Mac, address: Ipv4Addr) -> Vec<u8> {
    let client = Mac::new([0, 0, 0x5e, 0, 0x53, 0xee]);
    let said = dhcp(client, 2, &[&[54, 4][..], &address.octets()].concat());
    frame(from, ethernet::BROADCAST, ethertype::IPV4, &datagram(address, (67, 68), &said))
}

/// A router says that it is one, for so many seconds.
pub(crate) fn router(from: Mac, lifetime: u16) -> Vec<u8> {
    let [high, low] = lifetime.to_be_bytes();
    let mut message = vec![134, 0, 0, 0, 64, 0, high, low, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1];
    message.extend(from.bytes());
    let mut packet = Vec::new();
    ndp::write_message(link_local_of(from), ndp::ALL_NODES, ndp::HOP_LIMIT, &mut message, &mut packet);
    frame(from, ethernet::multicast_v6(ndp::ALL_NODES), ethertype::IPV6, &packet)
}

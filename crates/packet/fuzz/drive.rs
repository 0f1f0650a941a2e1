// What each fuzz target does with its bytes; the crate's own tests do the same with the corpus.

use netwark_packet::ip::Family;
use netwark_packet::{
    arp, checksum, dhcp, dns, ethernet, extension::Extension, icmp, ip, ndp, netbios, ssdp, tcp, udp,
};

/// Reads a packet, and a written copy of it, which must say the same.
pub(crate) fn ip(bytes: &[u8]) {
    let Ok(packet) = ip::parse(bytes) else { return };
    assert!(packet.payload.len() <= bytes.len());
    let mut copy = Vec::new();
    if !packet.later_fragment
        && ip::write(&packet, &mut copy).is_ok()
        && let Ok(again) = ip::parse(&copy)
    {
        assert_eq!(
            (packet.source, packet.destination, packet.ttl),
            (again.source, again.destination, again.ttl)
        );
    }
}

/// Reads a message of both families and everything inside it.
pub(crate) fn icmp(bytes: &[u8]) {
    for family in [Family::V4, Family::V6] {
        if let Ok(icmp::Message::Error { quoted, extension, .. }) = icmp::parse(family, bytes) {
            assert!(quoted.len() + icmp::HEADER <= bytes.len());
            if let Ok(packet) = ip::parse(quoted) {
                transport(packet.payload);
            }
            if let Some(extension) = extension {
                assert!(extension.mpls().len() * 4 <= bytes.len());
            }
        }
    }
}

/// Reads transport headers, an extension and the checksum.
pub(crate) fn transport(bytes: &[u8]) {
    let _ = tcp::parse_beginning(bytes);
    let _ = tcp::parse(bytes);
    if let Ok(datagram) = udp::parse(bytes) {
        assert!(datagram.payload.len() <= bytes.len());
    }
    if let Ok(extension) = Extension::parse(bytes) {
        assert!(extension.objects().count() <= bytes.len() / 4);
    }
    let _ = checksum::of(bytes);
}

/// Reads a frame as a sweep hears it, down to what devices say of themselves.
pub(crate) fn link(bytes: &[u8]) {
    let Ok(frame) = ethernet::parse(bytes) else { return };
    assert!(frame.payload.len() + 14 <= bytes.len());
    if let Ok(arp) = arp::parse(frame.payload) {
        let mut copy = Vec::new();
        arp.write(&mut copy);
        assert_eq!(arp::parse(&copy), Ok(arp));
    }
    let Ok(packet) = ip::parse(frame.payload) else { return };
    let _ = ndp::parse(packet.payload);
    if let Ok(datagram) = udp::parse(packet.payload) {
        names(datagram.payload);
    }
}

/// Reads what devices say of themselves in datagrams.
pub(crate) fn names(bytes: &[u8]) {
    if let Ok(message) = dns::parse(bytes) {
        assert!(message.records.len() <= 256 && message.questions.len() <= 256);
    }
    let _ = netbios::parse(bytes);
    let _ = ssdp::parse(bytes);
    if let Ok(message) = dhcp::parse(bytes) {
        assert!(message.client_id.len() <= 255);
    }
}

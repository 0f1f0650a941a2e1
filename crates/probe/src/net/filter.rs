//! Classic BPF programs that let only our answers through, so that nobody else's traffic wakes us.
//!
//! They only thin out: whatever they let through is matched to a probe in flight afterwards.

use std::io;
use std::os::fd::BorrowedFd;

use netwark_packet::ethernet::ethertype;
use netwark_packet::icmp;
use netwark_packet::ip::Family;
use netwark_packet::protocol;

use super::options;

/// A raw IPv4 socket's packets begin with the IP header, a raw IPv6 socket's behind it.
const IP_LENGTH_TO_X: u16 = (libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH) as u16;
const BYTE: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_IND) as u16;
const HALF: u16 = (libc::BPF_LD | libc::BPF_H | libc::BPF_IND) as u16;
const BYTE_AT: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
const HALF_AT: u16 = (libc::BPF_LD | libc::BPF_H | libc::BPF_ABS) as u16;
const ABOVE: u16 = (libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K) as u16;
const AND: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;
const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
const ZERO_TO_X: u16 = (libc::BPF_LDX | libc::BPF_IMM) as u16;

/// Ids and ports come in blocks of this many, so that one comparison tells them.
pub(crate) const BLOCK: u16 = 16;
/// More UDP ports than this are not told apart in the kernel.
const MOST_PORTS: usize = 100;

/// What is ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ours {
    /// First of a block of [`BLOCK`] ICMP ids.
    pub(crate) icmp_ids: u16,
    /// First of a block of [`BLOCK`] TCP source ports.
    pub(crate) tcp_ports: u16,
    /// UDP source ports.
    pub(crate) udp_ports: Vec<u16>,
}

/// A program under construction. Jumps to the two ends are patched when it is finished.
#[derive(Default)]
struct Program(Vec<libc::sock_filter>);

/// Stands for the two ends until the program is finished.
const ACCEPT: u8 = 254;
const REJECT: u8 = 255;
const NEXT: u8 = 0;

impl Program {
    fn load(&mut self, code: u16, offset: u32) {
        self.0.push(libc::sock_filter { code, jt: 0, jf: 0, k: offset });
    }

    fn jump(&mut self, code: u16, k: u32, yes: u8, no: u8) {
        self.0.push(libc::sock_filter { code, jt: yes, jf: no, k });
    }

    /// The block of ids or ports that the number at `offset` behind X must be in.
    fn block(&mut self, offset: u32, first: u16) {
        self.load(HALF, offset);
        self.load(AND, u32::from(!(BLOCK - 1)));
        self.jump(EQUAL, u32::from(first & !(BLOCK - 1)), ACCEPT, REJECT);
    }

    /// Puts the ends behind the program and lets the jumps find them: first the one that accepts.
    fn finish(mut self) -> Vec<libc::sock_filter> {
        let length = self.0.len();
        for (at, instruction) in self.0.iter_mut().enumerate() {
            let distance = u8::try_from(length - at - 1).unwrap_or(ACCEPT - 2);
            for target in [&mut instruction.jt, &mut instruction.jf] {
                match *target {
                    ACCEPT => *target = distance,
                    REJECT => *target = distance + 1,
                    _ => {}
                }
            }
        }
        self.load(RETURN, u32::MAX);
        self.load(RETURN, 0);
        self.0
    }
}

/// Lets through echo replies with our ids, and ICMP errors that quote a probe of ours.
fn icmp_program(family: Family, ours: &Ours) -> Vec<libc::sock_filter> {
    let mut program = Program::default();
    let (next_header, inner_length, own_protocol) = match family {
        Family::V4 => (9, 20, protocol::ICMP),
        Family::V6 => (6, 40, protocol::ICMPV6),
    };
    let inner = 8 + inner_length;
    match family {
        Family::V4 => program.load(IP_LENGTH_TO_X, 0),
        Family::V6 => program.load(ZERO_TO_X, 0),
    }
    program.load(BYTE, 0);
    program.jump(EQUAL, u32::from(icmp::echo_reply_type(family)), NEXT, 3);
    program.block(4, ours.icmp_ids);
    if family == Family::V4 {
        // A quoted packet with IP options is too rare to be taken apart here.
        program.load(BYTE, 8);
        program.jump(EQUAL, 0x45, NEXT, ACCEPT);
    }
    program.load(BYTE, 8 + next_header);
    program.jump(EQUAL, u32::from(own_protocol), NEXT, 3);
    program.block(inner + 4, ours.icmp_ids);
    program.jump(EQUAL, u32::from(protocol::TCP), NEXT, 3);
    program.block(inner, ours.tcp_ports);
    let other = if family == Family::V6 { ACCEPT } else { REJECT };
    if ours.udp_ports.is_empty() || ours.udp_ports.len() > MOST_PORTS {
        let udp = if ours.udp_ports.is_empty() { REJECT } else { ACCEPT };
        program.jump(EQUAL, u32::from(protocol::UDP), udp, other);
    } else {
        program.jump(EQUAL, u32::from(protocol::UDP), NEXT, other);
        program.load(HALF, inner);
        for port in &ours.udp_ports {
            program.jump(EQUAL, u32::from(*port), ACCEPT, NEXT);
        }
        program.jump(EQUAL, 0x1_0000, ACCEPT, REJECT);
    }
    program.finish()
}

/// Lets through segments to our ports that acknowledge or reset.
fn tcp_program(family: Family, ours: &Ours) -> Vec<libc::sock_filter> {
    let mut program = Program::default();
    match family {
        Family::V4 => program.load(IP_LENGTH_TO_X, 0),
        Family::V6 => program.load(ZERO_TO_X, 0),
    }
    program.load(BYTE, 13);
    program.jump(ANY_BIT, 0x14, NEXT, REJECT);
    program.block(2, ours.tcp_ports);
    program.finish()
}

/// Ports of IPv4 that tell of devices when they are overheard: DHCP, NetBIOS, SSDP, mDNS.
const TELLING_PORTS: [u16; 5] = [67, 68, 137, 1900, 5353];

/// Lets through what tells of hosts on a link: ARP, neighbour discovery and replies to echo over IPv6; with `telling`
/// also the datagrams in which devices speak of themselves. Tags of VLANs are taken off before the filter is asked.
fn link_program(telling: bool) -> Vec<libc::sock_filter> {
    let mut program = Program::default();
    program.load(HALF_AT, 12);
    program.jump(EQUAL, u32::from(ethertype::ARP), ACCEPT, NEXT);
    program.jump(EQUAL, u32::from(ethertype::IPV6), NEXT, 6);
    program.load(BYTE_AT, 14 + 6);
    program.jump(EQUAL, u32::from(protocol::ICMPV6), NEXT, REJECT);
    program.load(BYTE_AT, 14 + 40);
    program.jump(EQUAL, u32::from(icmp::echo_reply_type(Family::V6)), ACCEPT, NEXT);
    // Router solicitation to neighbour advertisement.
    program.jump(ABOVE, 132, NEXT, REJECT);
    program.jump(ABOVE, 136, REJECT, ACCEPT);
    if !telling {
        program.jump(EQUAL, 0x1_0000, ACCEPT, REJECT);
        return program.finish();
    }
    program.jump(EQUAL, u32::from(ethertype::IPV4), NEXT, REJECT);
    program.load(BYTE_AT, 14 + 9);
    program.jump(EQUAL, u32::from(protocol::UDP), NEXT, REJECT);
    program.load(HALF_AT, 14 + 6);
    // Later fragments have no ports.
    program.jump(ANY_BIT, 0x1fff, REJECT, NEXT);
    program.load(IP_LENGTH_TO_X, 14);
    for offset in [14, 14 + 2] {
        program.load(HALF, offset);
        for port in TELLING_PORTS {
            program.jump(EQUAL, u32::from(port), ACCEPT, NEXT);
        }
    }
    program.jump(EQUAL, 0x1_0000, ACCEPT, REJECT);
    program.finish()
}

/// Makes a packet socket receive only what tells of hosts on a link; with `telling` also what devices say of
/// themselves.
pub(crate) fn attach_link(socket: BorrowedFd<'_>, telling: bool) -> io::Result<()> {
    options::attach_filter(socket, &mut link_program(telling))
}

/// Makes a raw ICMP socket receive our answers only.
pub(crate) fn attach_icmp(socket: BorrowedFd<'_>, family: Family, ours: &Ours) -> io::Result<()> {
    options::attach_filter(socket, &mut icmp_program(family, ours))
}

/// Makes a raw TCP socket receive our answers only.
pub(crate) fn attach_tcp(socket: BorrowedFd<'_>, family: Family, ours: &Ours) -> io::Result<()> {
    options::attach_filter(socket, &mut tcp_program(family, ours))
}

/// Makes a socket receive nothing: it only sends.
pub(crate) fn attach_deaf(socket: BorrowedFd<'_>) -> io::Result<()> {
    let mut program = Program::default();
    program.load(RETURN, 0);
    options::attach_filter(socket, &mut program.0)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixDatagram;

    use netwark_packet::{checksum::Sum, ip};

    use super::*;

    const OURS: u16 = 0x4ae0;

    /// What the kernel lets through, tried on a socket that anyone may open.
    fn passes(attach: impl Fn(BorrowedFd<'_>) -> io::Result<()>, bytes: &[u8]) -> bool {
        let (from, to) = UnixDatagram::pair().unwrap();
        attach(to.as_fd()).unwrap();
        to.set_nonblocking(true).unwrap();
        let _ = from.send(bytes);
        to.recv(&mut [0; 2000]).is_ok()
    }

    fn packet(family: Family, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let (source, destination) = match family {
            Family::V4 => ([192, 0, 2, 1].into(), [192, 0, 2, 2].into()),
            Family::V6 => ([1; 16].into(), [2; 16].into()),
        };
        let packet = ip::Packet {
            source,
            destination,
            protocol,
            ttl: 9,
            traffic_class: 0,
            identification: 0,
            later_fragment: false,
            payload,
        };
        let mut bytes = Vec::new();
        ip::write(&packet, &mut bytes).unwrap();
        bytes
    }

    /// As a raw socket of this family would see it.
    fn arriving(family: Family, protocol: u8, payload: &[u8]) -> Vec<u8> {
        if family == Family::V4 { packet(family, protocol, payload) } else { payload.to_vec() }
    }

    fn icmp_passes(family: Family, message: &[u8], udp_ports: &[u16]) -> bool {
        let ours = Ours { icmp_ids: OURS, tcp_ports: OURS, udp_ports: udp_ports.to_vec() };
        passes(|socket| attach_icmp(socket, family, &ours), &arriving(family, 1, message))
    }

    fn error_about(family: Family, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let kind = if family == Family::V4 { 11 } else { 3 };
        let mut message = vec![kind, 0, 0, 0, 0, 0, 0, 0];
        message.extend(packet(family, protocol, payload));
        message
    }

    #[test]
    fn echo_replies_pass_by_id() {
        for family in [Family::V4, Family::V6] {
            for (id, expected) in [(OURS, true), (OURS + 15, true), (OURS + 16, false), (OURS - 1, false)] {
                let mut message = icmp::echo_request(family, id, 1, Sum::default());
                assert!(!icmp_passes(family, &message, &[]), "requests are not for us");
                message[0] = icmp::echo_reply_type(family);
                assert_eq!(icmp_passes(family, &message, &[]), expected, "{family:?} id {id:04x}");
            }
        }
    }

    #[test]
    fn errors_pass_by_what_they_quote() {
        for (family, icmp_protocol) in [(Family::V4, 1), (Family::V6, 58)] {
            let ours = icmp::echo_request(family, OURS, 1, Sum::default());
            let foreign = icmp::echo_request(family, 1, 1, Sum::default());
            assert!(icmp_passes(family, &error_about(family, icmp_protocol, &ours), &[]));
            assert!(!icmp_passes(family, &error_about(family, icmp_protocol, &foreign), &[]));

            let port = |port: u16| [port.to_be_bytes().as_slice(), &[0; 6]].concat();
            assert!(icmp_passes(family, &error_about(family, 6, &port(OURS + 3)), &[]));
            assert!(!icmp_passes(family, &error_about(family, 6, &port(80)), &[]));
            assert!(icmp_passes(family, &error_about(family, 17, &port(4001)), &[4000, 4001]));
            assert!(!icmp_passes(family, &error_about(family, 17, &port(4002)), &[4000, 4001]));
            assert!(!icmp_passes(family, &error_about(family, 17, &port(4002)), &[]));
            assert!(icmp_passes(family, &error_about(family, 17, &port(4002)), &[1; MOST_PORTS + 1]));
            assert!(icmp_passes(
                family,
                &error_about(family, 17, &port(2)),
                &[vec![1; 99], vec![2]].concat()
            ));
        }
    }

    #[test]
    fn tcp_answers_pass_by_port_and_flags() {
        let ours = Ours { tcp_ports: OURS, ..Ours::default() };
        for family in [Family::V4, Family::V6] {
            let segment = |port: u16, flags: u8| {
                let mut bytes = [0; 20];
                bytes[2..4].copy_from_slice(&port.to_be_bytes());
                bytes[13] = flags;
                arriving(family, 6, &bytes)
            };
            let pass = |bytes: &[u8]| passes(|socket| attach_tcp(socket, family, &ours), bytes);
            assert!(pass(&segment(OURS + 2, 0x12)));
            assert!(pass(&segment(OURS, 0x14)));
            assert!(!pass(&segment(OURS, 0x02)));
            assert!(!pass(&segment(443, 0x12)));
        }
    }

    #[test]
    fn what_tells_of_hosts_passes() {
        let frame = |kind: u16, payload: &[u8]| [&[0; 12], kind.to_be_bytes().as_slice(), payload].concat();
        let pass = |bytes: &[u8], telling| passes(|socket| attach_link(socket, telling), bytes);
        let datagram = |port: u16| {
            let datagram = [40_000_u16.to_be_bytes(), port.to_be_bytes(), [0, 8], [0, 0]].concat();
            frame(0x0800, &packet(Family::V4, 17, &datagram))
        };
        for telling in [false, true] {
            assert!(pass(&frame(0x0806, &[0; 28]), telling));
            for (kind, passes) in
                [(128, false), (129, true), (132, false), (133, true), (136, true), (137, false)]
            {
                let bytes = frame(0x86dd, &packet(Family::V6, 58, &[kind, 0, 0, 0, 0, 0, 0, 0]));
                assert_eq!(pass(&bytes, telling), passes, "ICMPv6 {kind}");
            }
            assert!(!pass(&frame(0x86dd, &packet(Family::V6, 17, &[129; 8])), telling));
            assert_eq!(pass(&datagram(5353), telling), telling);
            assert_eq!(pass(&datagram(67), telling), telling);
            assert!(!pass(&datagram(443), telling));
            assert!(!pass(&frame(0x88cc, &[0; 60]), telling));
        }
    }

    #[test]
    fn a_deaf_socket_hears_nothing() {
        assert!(!passes(attach_deaf, &[1, 2, 3]));
    }
}

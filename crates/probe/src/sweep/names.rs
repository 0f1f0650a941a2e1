//! Names of who was found: from name servers and from the devices themselves, all at once, within a short time.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use jiff::Timestamp;
use netwark_model::tools::sweep::NAMES_WITHIN_MS;
use netwark_model::watch::sighting::{MOST_NAMES, Name, NameSource};
use netwark_packet::dns::{self, Data, kind};
use netwark_packet::{netbios, ssdp};
use rand::Rng;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::{self, Instant};

use crate::engine::Traffic;
use crate::resolve::Resolve;

/// Names that are asked for of name servers at the same time.
const AT_ONCE: usize = 128;
/// Devices that are asked before a breath is taken, and how long that is.
const BURST: usize = 8;
const BREATH: Duration = Duration::from_millis(3);
/// With more devices than this the kernel's table of neighbours would overflow if they were asked as fast.
const MANY: usize = 800;
const LONG_BREATH: Duration = Duration::from_millis(40);
/// How long devices are listened to once all have been asked: those that answer the search wait for up to a second.
const LISTEN: Duration = Duration::from_millis(1_100);
/// Largest datagram that is read.
const ROOM: usize = 9_000;

/// Names by address.
pub(super) type Names = HashMap<IpAddr, Vec<Name>>;

/// Adds a name, once.
fn add(names: &mut Names, address: IpAddr, name: Option<Name>) {
    let Some(name) = name else { return };
    let known = names.entry(address).or_default();
    let same = |one: &Name| one.source == name.source && one.text.eq_ignore_ascii_case(&name.text);
    if known.len() < MOST_NAMES && !known.iter().any(same) {
        known.push(name);
    }
}

/// Asks name servers for the names of addresses. What is not answered in time is left.
pub(super) async fn reverse(resolver: Arc<dyn Resolve>, addresses: Vec<IpAddr>) -> Names {
    let until = Instant::now() + Duration::from_millis(NAMES_WITHIN_MS);
    let mut names = Names::new();
    let asked = addresses.into_iter().map(|address| {
        let resolver = Arc::clone(&resolver);
        async move {
            let name = time::timeout_at(until, resolver.name(address)).await.ok().flatten();
            (address, name)
        }
    });
    let mut answers = stream::iter(asked).buffer_unordered(AT_ONCE);
    while let Ok(Some((address, name))) = time::timeout_at(until, answers.next()).await {
        let name = name.and_then(|name| Name::new(NameSource::Dns, &name, Timestamp::now()));
        add(&mut names, address, name);
    }
    names
}

/// Asks the devices of a link, from this address of ours.
pub(super) async fn devices(own: Ipv4Addr, mut addresses: Vec<Ipv4Addr>, traffic: Arc<Traffic>) -> Names {
    addresses.retain(|address| *address != own);
    if addresses.is_empty() {
        return Names::new();
    }
    match ask(own, &addresses, &traffic).await {
        Ok(names) => names,
        Err(error) => {
            tracing::debug!(%own, %error, "devices cannot be asked for their names");
            Names::new()
        }
    }
}

/// A socket that sends from an address, to groups on its link only.
fn socket(own: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM.nonblocking().cloexec(), Some(Protocol::UDP))?;
    socket.set_multicast_if_v4(&own)?;
    // Responders to mDNS may pass over what could have come from another link (RFC 6762, section 11).
    socket.set_multicast_ttl_v4(255)?;
    socket.set_multicast_loop_v4(false)?;
    socket.bind(&SockAddr::from(SocketAddr::new(own.into(), 0)))?;
    UdpSocket::from_std(socket.into())
}

async fn ask(own: Ipv4Addr, addresses: &[Ipv4Addr], traffic: &Traffic) -> io::Result<Names> {
    let (asking, searching) = (socket(own)?, socket(own)?);
    let id = rand::rng().next_u32() as u16;
    let search = ssdp::search();
    send(&searching, &search, (ssdp::GROUP, ssdp::PORT), traffic).await;
    let mut heard = Hearing { id, names: Names::new(), addresses };
    let sending = async {
        for (at, address) in addresses.iter().enumerate() {
            let reverse = dns::reverse_name((*address).into());
            if let Ok(question) = dns::question(id, &reverse, kind::PTR, true) {
                send(&asking, &question, (*address, dns::MDNS_PORT), traffic).await;
            }
            if let Ok(question) = dns::question(id, &reverse, kind::PTR, false) {
                send(&asking, &question, (dns::LLMNR_GROUP, dns::LLMNR_PORT), traffic).await;
            }
            send(&asking, &netbios::question(id), (*address, netbios::PORT), traffic).await;
            if at % BURST == BURST - 1 {
                time::sleep(if addresses.len() > MANY { LONG_BREATH } else { BREATH }).await;
            }
        }
        time::sleep(LISTEN).await;
    };
    tokio::pin!(sending);
    let (mut room, mut other) = (vec![0; ROOM], vec![0; ROOM]);
    loop {
        tokio::select! {
            () = &mut sending => return Ok(heard.names),
            read = asking.recv_from(&mut room) => {
                if let Ok((length, from)) = read {
                    traffic.add_received(length as u64 + 28);
                    heard.answer(room.get(..length).unwrap_or_default(), from);
                }
            }
            read = searching.recv_from(&mut other) => {
                if let Ok((length, from)) = read {
                    traffic.add_received(length as u64 + 28);
                    heard.found(other.get(..length).unwrap_or_default(), from);
                }
            }
        }
    }
}

async fn send(socket: &UdpSocket, bytes: &[u8], to: (Ipv4Addr, u16), traffic: &Traffic) {
    // Who refuses, or is gone by now, has no name to tell.
    if socket.send_to(bytes, to).await.is_ok() {
        traffic.add_sent(bytes.len() as u64 + 28);
    }
}

/// What devices have said.
struct Hearing<'a> {
    id: u16,
    names: Names,
    /// Who was asked.
    addresses: &'a [Ipv4Addr],
}

impl Hearing<'_> {
    /// Takes an answer to one of the questions; what nobody was asked for is passed over.
    fn answer(&mut self, bytes: &[u8], from: SocketAddr) {
        let now = Timestamp::now();
        match from.port() {
            netbios::PORT => {
                if let Ok((id, status)) = netbios::parse(bytes)
                    && id == self.id
                    && self.was_asked(from.ip())
                {
                    let name = status.name.and_then(|name| Name::new(NameSource::Netbios, &name, now));
                    add(&mut self.names, from.ip(), name);
                }
            }
            port @ (dns::MDNS_PORT | dns::LLMNR_PORT) => {
                let source = if port == dns::MDNS_PORT { NameSource::Mdns } else { NameSource::Llmnr };
                let Ok(message) = dns::parse(bytes) else { return };
                if !message.response || !self.was_asked(from.ip()) {
                    return;
                }
                let own = dns::reverse_name(from.ip());
                for record in message.records {
                    if let Data::Name(name) = record.data
                        && record.name.eq_ignore_ascii_case(&own)
                    {
                        add(&mut self.names, from.ip(), Name::new(source, &name, now));
                    }
                }
            }
            _ => {}
        }
    }

    /// Takes an answer to the search for products.
    fn found(&mut self, bytes: &[u8], from: SocketAddr) {
        if let Some(server) = ssdp::parse(bytes).and_then(|said| said.server)
            && self.was_asked(from.ip())
        {
            add(&mut self.names, from.ip(), Name::new(NameSource::Ssdp, &server, Timestamp::now()));
        }
    }

    fn was_asked(&self, address: IpAddr) -> bool {
        matches!(address, IpAddr::V4(v4) if self.addresses.contains(&v4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::{Answer, ResolveError};
    use netwark_model::tools::args::Family;

    /// Names every address but one, for which it never comes to an end.
    struct Slow;

    impl Resolve for Slow {
        fn addresses<'a>(
            &'a self,
            name: &'a str,
            _: Family,
        ) -> Answer<'a, Result<Vec<IpAddr>, ResolveError>> {
            Box::pin(async move { Err(ResolveError::Resolver(name.into())) })
        }

        fn name(&self, address: IpAddr) -> Answer<'_, Option<String>> {
            Box::pin(async move {
                if address == IpAddr::from([192, 0, 2, 1]) {
                    std::future::pending::<()>().await;
                }
                Some(format!("host-{address}.\u{7}example."))
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_resolver_that_says_nothing_keeps_nobody_from_a_name() {
        let addresses: Vec<IpAddr> = (1..=200).map(|last| IpAddr::from([192, 0, 2, last])).collect();
        let names = reverse(Arc::new(Slow), addresses).await;
        assert_eq!(names.len(), 199);
        let name = names.get(&IpAddr::from([192, 0, 2, 2])).and_then(|names| names.first()).unwrap();
        assert_eq!((name.source, name.text.as_str()), (NameSource::Dns, "host-192.0.2.2.example"));
    }

    fn hearing(addresses: &[Ipv4Addr]) -> Hearing<'_> {
        Hearing { id: 9, names: Names::new(), addresses }
    }

    #[test]
    fn answers_count_from_those_who_were_asked() {
        let asked = [Ipv4Addr::new(192, 0, 2, 1)];
        let mut bytes = dns::question(9, "1.2.0.192.in-addr.arpa", kind::PTR, false).unwrap();
        bytes[2] = 0x84;
        bytes[7] = 1;
        bytes.extend([0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 10, 0, 9, 7]);
        bytes.extend(b"printer\0");
        for (from, expected) in [("192.0.2.1:5353", 1), ("192.0.2.2:5353", 0), ("192.0.2.1:53", 0)] {
            let mut heard = hearing(&asked);
            heard.answer(&bytes, from.parse().unwrap());
            assert_eq!(heard.names.len(), expected, "{from}");
        }
        let mut heard = hearing(&asked);
        heard.found(b"HTTP/1.1 200 OK\r\nSERVER: a\r\n", "192.0.2.1:1900".parse().unwrap());
        heard.found(b"HTTP/1.1 200 OK\r\nSERVER: a\r\n", "192.0.2.1:1900".parse().unwrap());
        assert_eq!(heard.names.values().map(Vec::len).sum::<usize>(), 1, "each name once");
    }
}

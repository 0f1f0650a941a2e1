//! The client against a small name server on loopback.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, PTR};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;

use super::{Families, ResolveError, Resolver};

const V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

/// A name server that knows a handful of names.
struct Server {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 2048];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                counter.fetch_add(1, Ordering::SeqCst);
                let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
                if let Some(answer) = answer(&question) {
                    socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
                }
            }
        });
        Self { address, asked }
    }

    fn resolver(&self) -> Resolver {
        Resolver::with_servers(&[self.address])
    }
}

fn answer(question: &Message) -> Option<Message> {
    let query = question.queries.first()?;
    let name = query.name().to_ascii().to_lowercase();
    let mut reply = Message::response(question.metadata.id, OpCode::Query);
    reply.metadata.recursion_available = true;
    reply.add_query(query.clone());
    let a = RData::A(A(V4));
    let aaaa = RData::AAAA(AAAA(V6));
    let ptr = |host: &[u8]| RData::PTR(PTR(Name::from_labels([host, b"example"]).unwrap()));
    let known: Vec<RData> = match name.as_str() {
        "both.example." | "xn--bcher-kva.example." | "host_1.example." => vec![a, aaaa],
        "four.example." => vec![a],
        "six.example." => vec![aaaa],
        "bare.example." => vec![],
        "silent.example." => return None,
        "refused.example." => {
            reply.metadata.response_code = ResponseCode::Refused;
            vec![]
        }
        "1.2.0.192.in-addr.arpa." => vec![ptr(b"router")],
        "2.2.0.192.in-addr.arpa." => vec![ptr(b"evil\x1b[2J")],
        "3.2.0.192.in-addr.arpa." => return None,
        _ => {
            reply.metadata.response_code = ResponseCode::NXDomain;
            vec![]
        }
    };
    let wanted: RecordType = query.query_type();
    for data in known.into_iter().filter(|data| data.record_type() == wanted) {
        reply.add_answer(Record::from_rdata(query.name().clone(), 60, data));
    }
    Some(reply)
}

#[tokio::test]
async fn every_family_is_found_and_told_apart() {
    let resolver = Server::start().await.resolver();
    let (four, six) = (IpAddr::V4(V4), IpAddr::V6(V6));
    for (name, wanted, expected) in [
        ("both.example", Families::Both, vec![four, six]),
        ("both.example", Families::V4, vec![four]),
        ("both.example.", Families::V6, vec![six]),
        ("four.example", Families::Both, vec![four]),
        ("six.example", Families::Both, vec![six]),
        ("host_1.example", Families::V4, vec![four]),
        ("BÜCHER.example", Families::V4, vec![four]),
        ("xn--bcher-kva.example", Families::V4, vec![four]),
    ] {
        assert_eq!(resolver.addresses(name, wanted).await, Ok(expected), "{name} {wanted:?}");
    }
}

#[tokio::test]
async fn an_address_asks_nobody() {
    let server = Server::start().await;
    let resolver = server.resolver();
    assert_eq!(resolver.addresses("192.0.2.9", Families::Both).await, Ok(vec!["192.0.2.9".parse().unwrap()]));
    assert_eq!(resolver.addresses("::1", Families::V4).await, Ok(vec!["::1".parse().unwrap()]));
    assert_eq!(server.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn each_failure_has_its_own_words() {
    let server = Server::start().await;
    let resolver = server.resolver();
    let text = async |name: &str, wanted| resolver.addresses(name, wanted).await.unwrap_err().to_string();

    assert_eq!(text("four.example", Families::V6).await, "'four.example' has no IPv6 address, only IPv4");
    assert_eq!(text("six.example", Families::V4).await, "'six.example' has no IPv4 address, only IPv6");
    assert_eq!(text("bare.example", Families::Both).await, "'bare.example' has no address");
    assert_eq!(
        text("missing.example", Families::Both).await,
        format!("no such name: 'missing.example' (asked {})", server.address)
    );
    let refused = text("refused.example", Families::Both).await;
    assert!(refused.contains("REFUSED") && refused.contains(&server.address.to_string()), "{refused}");
    let odd = text("a..b", Families::Both).await;
    assert!(odd.contains("is no name that can be looked up"), "{odd}");
}

#[tokio::test(start_paused = true)]
async fn silence_names_the_server() {
    let server = Server::start().await;
    let error = server.resolver().addresses("silent.example", Families::Both).await.unwrap_err();
    assert!(
        matches!(&error, ResolveError::NoAnswer { servers, .. } if *servers == server.address.to_string()),
        "{error}"
    );
}

#[tokio::test]
async fn without_a_server_the_error_says_so() {
    let error = Resolver::with_servers(&[]).addresses("both.example", Families::Both).await.unwrap_err();
    assert!(matches!(error, ResolveError::NoServer { .. }), "{error}");
    assert_eq!(Resolver::with_servers(&[]).name_of("192.0.2.1".parse().unwrap()).await, None);
}

#[tokio::test]
async fn names_are_asked_for_once() {
    let server = Server::start().await;
    let resolver = server.resolver();
    for _ in 0..3 {
        let name = resolver.name_of("192.0.2.1".parse().unwrap()).await;
        assert_eq!(name.as_deref(), Some("router.example"));
        assert_eq!(resolver.name_of("192.0.2.77".parse().unwrap()).await, None);
    }
    assert_eq!(server.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_name_that_would_move_the_cursor_is_none() {
    let resolver = Server::start().await.resolver();
    assert_eq!(resolver.name_of("192.0.2.2".parse().unwrap()).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_silent_reverse_zone_is_remembered() {
    let server = Server::start().await;
    let resolver = server.resolver();
    assert_eq!(resolver.name_of("192.0.2.3".parse().unwrap()).await, None);
    let asked = server.asked.load(Ordering::SeqCst);
    assert_eq!(resolver.name_of("192.0.2.3".parse().unwrap()).await, None);
    assert_eq!(server.asked.load(Ordering::SeqCst), asked);
}

//! A worker tests itself before it says hello.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use netwark_lookup::dns::Resolver;
use netwark_model::messages::End;
use netwark_model::workers::SelfTest;
use netwark_worker::Keeping;
use serde_json::json;
use tokio::net::UdpSocket;

use super::{Pair, skipped, toolbox};

/// A name server that refuses until it is told to work, and then has one address for every name.
async fn name_server() -> (SocketAddr, Arc<AtomicBool>) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let works = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&works);
    tokio::spawn(async move {
        let mut question = [0; 1_500];
        while let Ok((length, from)) = socket.recv_from(&mut question).await {
            let answer = answer(&question[..length], told.load(Ordering::SeqCst));
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    (address, works)
}

/// The answer of RFC 1035 to a message with one question.
fn answer(question: &[u8], works: bool) -> Vec<u8> {
    let name = question[12..].iter().position(|byte| *byte == 0).unwrap();
    let end = 12 + name + 1 + 4;
    let is_a = question[end - 4..end - 2] == [0, 1];
    let (code, answers) = match (works, is_a) {
        (false, _) => (5, 0),
        (true, false) => (0, 0),
        (true, true) => (0, 1),
    };
    let mut answer = question[..2].to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0]);
    answer.extend(&question[12..end]);
    if answers == 1 {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
    }
    answer
}

/// The test of this name among those of a worker.
fn named<'a>(tests: &'a [SelfTest], what: &str) -> &'a SelfTest {
    tests.iter().find(|test| test.what == what).unwrap_or_else(|| panic!("{what}: {tests:#?}"))
}

/// The test of this name, which need not be over when the worker says hello.
async fn eventually(pair: &Pair, what: &str) -> SelfTest {
    loop {
        if let Some(test) = pair.alive().await.self_test.into_iter().find(|test| test.what == what) {
            return test;
        }
    }
}

#[tokio::test]
async fn a_tool_that_needs_dns_is_offered_once_dns_answers() {
    let (address, works) = name_server().await;
    let keeping = Keeping {
        server_host: Some("netwark.example".into()),
        retest_every: Duration::from_millis(100),
        ..Keeping::default()
    };
    let pair = Pair::start(keeping, Resolver::with_servers(&[address]));
    let hello = pair.welcome().await;
    let test = named(&hello.self_test, "DNS: netwark.example");
    assert_eq!(
        (test.passed, test.takes_away.as_slice()),
        (false, ["named".to_owned(), "whois".to_owned()].as_slice()),
        "{test:?}"
    );
    assert_eq!(hello.capabilities.tools, WITHOUT_DNS);
    let cause = pair.cause("named").await;
    assert!(cause.contains("does not offer 'named' now") && cause.contains("DNS"), "{cause}");

    works.store(true, Ordering::SeqCst);
    let hello = pair.welcome().await;
    let test = named(&hello.self_test, "DNS: netwark.example");
    assert_eq!((test.passed, test.detail.as_str()), (true, "192.0.2.7"), "{test:?}");
    assert_eq!(hello.capabilities.tools, toolbox().names());
    assert!(matches!(pair.run("named", json!({})).await, End::Done { .. }));
    let alive = pair.alive().await;
    assert!(named(&alive.self_test, "DNS: netwark.example").passed);
    let clock = named(&alive.self_test, "Clock");
    assert!(!clock.passed && clock.detail.contains("NTP"), "the server's clock stands in 1970: {clock:?}");
}

/// What a worker offers that has no name servers: all that can do with addresses.
const WITHOUT_DNS: [&str; 8] = ["dns", "http", "mtr", "ping", "quick", "sweep", "tcp", "tls"];

/// Set in the process that runs inside the namespace.
const INSIDE: &str = "NETWARK_TEST_INSIDE_NAMESPACE";

/// Whether a namespace can be made here.
fn possible() -> bool {
    let made = Command::new("unshare").args(["--net", "ip", "-V"]).output();
    let missing = match made {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("`unshare` cannot be run: {error}"),
    };
    skipped(&missing);
    false
}

#[test]
fn a_worker_without_gateway_and_dns_becomes_ready_and_lacks_only_what_needs_dns() {
    if std::env::var_os(INSIDE).is_some() {
        return tokio::runtime::Runtime::new().unwrap().block_on(air_gapped());
    }
    if !possible() {
        return;
    }
    let name = "self_test::a_worker_without_gateway_and_dns_becomes_ready_and_lacks_only_what_needs_dns";
    let output = Command::new("unshare")
        .args(["--net", "sh", "-c", "ip link set lo up && exec \"$0\" --exact \"$1\" --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}\n{err}");
}

async fn air_gapped() {
    let keeping = Keeping { server_host: Some("netwark.example".into()), ..Keeping::default() };
    let pair = Pair::start(keeping, Resolver::with_servers(&[([192, 0, 2, 53], 53).into()]));
    let hello = pair.welcome().await;
    pair.worker.ready().await.unwrap();
    assert_eq!(hello.capabilities.tools, WITHOUT_DNS);
    for loopback in ["ICMP to 127.0.0.1", "ICMP to ::1"] {
        let test = eventually(&pair, loopback).await;
        assert!(test.passed, "{test:?}");
    }
    let gateway = eventually(&pair, "ICMP to the default gateway").await;
    assert!(gateway.skipped && gateway.passed, "{gateway:?}");
    let dns = named(&hello.self_test, "DNS: netwark.example");
    assert!(!dns.passed && dns.detail.contains("/etc/resolv.conf"), "{dns:?}");
    assert_eq!(dns.takes_away, ["named", "whois"]);
    assert!(matches!(pair.run("quick", json!({})).await, End::Done { .. }));
    let End::Done { payload } = pair.run("ping", json!({ "count": 1 })).await else { panic!("no ping") };
    assert_eq!(payload["received"], 1);
}

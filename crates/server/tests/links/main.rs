//! Workers linked to a server over a WebSocket, and servers that share a database.
//!
//! PostgreSQL runs when `NETWARK_TEST_POSTGRES_URL` names a server on which databases may be made; where `CI`
//! is set, a missing one fails the tests.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "who runs the tests should see what was skipped")]

mod forged;
mod servers;
mod sharing;
mod support;
mod watched;

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use jiff::Timestamp;
use netwark_bus::websocket::frames::{FromWorker, LARGEST_FRAME, write};
use netwark_bus::{BusError, LinkState, WorkerBus};
use netwark_model::messages::{Delivery, End, Hello, News, Order, Report, control, inbox};
use netwark_store::notices::Channel;
use netwark_store::workers::Arrival;
use netwark_store::{Store, StoreOptions};
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use uuid::Uuid;

use self::support::{Player, Server, run_order, within};

/// How many reports were refused, in the metrics.
const REFUSED: &str = "netwark_reports_total{fate=\"refused\"}";

async fn server() -> (Server, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/test.db", directory.path().display());
    let store = Store::open(&StoreOptions::new(url)).await.unwrap();
    (Server::on(store).await, directory)
}

#[tokio::test]
async fn work_goes_out_and_results_come_in() {
    let (server, _directory) = server().await;
    let (id, token) = server.enrol("paris").await;
    let (mut player, welcome) = Player::arrive(&server, id, &token).await;
    assert_eq!(welcome.name, "paris");
    assert_eq!(welcome.queues, ["netwark", "netwark.broadcast"]);
    let mut work = player.work(&["netwark", "netwark.broadcast"], 4);
    for queue in ["netwark", "netwark.broadcast"] {
        let operation = server.operation(queue).await;
        let incoming = within(work.next()).await.unwrap();
        player.done(&run_order(&incoming)).await;
        incoming.acknowledge();
        let results = server.results(&operation).await;
        assert_eq!(
            (results[0]["status"].as_str(), results[0]["worker"].as_str()),
            (Some("done"), Some("paris"))
        );
    }
    let worker = server.app.store.worker(id).await.unwrap().unwrap();
    assert_eq!((worker.online, worker.link.as_str()), (true, "websocket"));
}

#[tokio::test]
async fn what_was_taken_comes_back_when_the_link_is_cut() {
    let (server, _directory) = server().await;
    let (id, token) = server.enrol("paris").await;
    let (player, _) = Player::arrive(&server, id, &token).await;
    let mut work = player.work(&["netwark"], 4);
    let operation = server.operation("netwark").await;
    let lost = within(work.next()).await.unwrap();
    assert!(!lost.redelivered);
    // As when the machine dies: nothing is said.
    drop((player, work));
    let (mut player, _) = Player::arrive(&server, id, &token).await;
    let mut work = player.work(&["netwark"], 4);
    let again = within(work.next()).await.unwrap();
    assert!(again.redelivered);
    assert_eq!(run_order(&again), run_order(&lost));
    player.done(&run_order(&again)).await;
    again.acknowledge();
    assert_eq!(server.results(&operation).await[0]["status"], "done");
    drop(lost);
}

#[tokio::test]
async fn no_more_is_sent_than_was_asked_for() {
    let (server, _directory) = server().await;
    let (id, token) = server.enrol("paris").await;
    let (player, _) = Player::arrive(&server, id, &token).await;
    let mut work = player.work(&["netwark"], 1);
    for _ in 0..2 {
        server.operation("netwark").await;
    }
    let first = within(work.next()).await.unwrap();
    let second = tokio::time::timeout(Duration::from_millis(300), work.next()).await;
    assert!(second.is_err(), "one is held already");
    first.acknowledge();
    within(work.next()).await.unwrap().acknowledge();
}

#[tokio::test]
async fn who_listens_no_more_gets_no_more() {
    let (server, _directory) = server().await;
    let (id, token) = server.enrol("paris").await;
    let (player, _) = Player::arrive(&server, id, &token).await;
    drop(player.work(&["netwark"], 4));
    server.operation("netwark").await;
    // It goes to who listens, whether it went to the first listener for a moment or not.
    let mut work = player.work(&["netwark"], 4);
    within(work.next()).await.unwrap().acknowledge();
}

#[tokio::test]
async fn a_worker_listens_on_what_it_was_granted_a_moment_ago() {
    let (server, _directory) = server().await;
    let (id, token) = server.enrol("paris").await;
    // Remembered as it was before it had any queue, as by a server whose notices are late.
    server.app.directory.card(&server.app.store, id).await.unwrap().unwrap();
    let hello = Hello { name: "paris".into(), queues: vec!["netwark".into()], ..Hello::default() };
    let arrival = Arrival {
        id,
        hello,
        unknown_queues: Vec::new(),
        link: "websocket",
        mark: 1,
        again: false,
        enter: false,
    };
    server.app.store.worker_hello(arrival, Timestamp::now()).await.unwrap();
    let player = Player::connect(&server, id, &token);
    player.up().await;
    let mut work = player.work(&["netwark"], 4);
    server.operation("netwark").await;
    within(work.next()).await.unwrap().acknowledge();
}

#[tokio::test]
async fn a_worker_listens_only_on_what_it_is_granted() {
    let (server, _directory) = server().await;
    let (id, token) = server.enrol("paris").await;
    let (player, _) = Player::arrive(&server, id, &token).await;
    let secret = "netwark.secret";
    let order = Delivery::new(Order::Cancel { operation_id: Uuid::nil() });
    server.app.bus.publish(secret, order.clone(), None).await.unwrap();
    let mut work = player.work(&[secret, "netwark.broadcast"], 4);
    server.app.bus.publish(&inbox(id), Delivery::new(Order::Introduce), None).await.unwrap();
    let incoming = within(work.next()).await.unwrap();
    assert_eq!(incoming.delivery.order, Order::Introduce);
    // What it was not granted is still there.
    let mut other = server.bus.listen(vec![secret.into()], 1);
    assert_eq!(within(other.next()).await.unwrap().delivery, order);
}

#[tokio::test]
async fn the_later_link_of_a_worker_takes_the_place_of_the_earlier() {
    let (server, _directory) = server().await;
    let (id, token) = server.enrol("paris").await;
    let (first, _) = Player::arrive(&server, id, &token).await;
    let (mut second, _) = Player::arrive(&server, id, &token).await;
    let told = first.ended().await;
    assert!(!told.revoked && told.reason.contains("another program"), "{told:?}");
    second.report(News::Goodbye).await.unwrap();
    assert_eq!(server.app.links.number(), 1);
}

#[tokio::test]
async fn a_revoked_worker_is_cut_and_not_let_in_again() {
    let (server, _directory) = server().await;
    // By a notice at once, and without one by looking.
    for noticed in [true, false] {
        let (id, token) = server.enrol(&format!("paris-{noticed}")).await;
        let (player, _) = Player::arrive(&server, id, &token).await;
        server.app.store.revoke_worker(id, "the test", Timestamp::now()).await.unwrap().unwrap();
        if noticed {
            server.app.store.notify(Channel::Workers, &id.to_string()).await.unwrap();
        }
        let told = player.ended().await;
        assert!(told.revoked && told.reason.contains("revoked by an administrator"), "{told:?}");
        assert_eq!(player.bus.report(Report::new(id, 1, News::Goodbye)).await, Err(BusError::Gone));
        let again = Player::connect(&server, id, &token);
        let told = again.ended().await;
        assert!(told.revoked && told.reason.contains("revoked by an administrator"), "{told:?}");
    }
    assert_eq!(server.app.links.number(), 0);
}

#[tokio::test]
async fn a_revoked_worker_at_the_broker_is_told_at_once() {
    let (server, _directory) = server().await;
    // By a notice at once, and without one by looking.
    for noticed in [true, false] {
        let name = format!("paris-{noticed}");
        let (id, _) = server.enrol(&name).await;
        let hello = Hello { name, ..Hello::default() };
        let arrival = Arrival {
            id,
            hello,
            unknown_queues: Vec::new(),
            link: "amqp",
            mark: 1,
            again: false,
            enter: false,
        };
        server.app.store.worker_hello(arrival, Timestamp::now()).await.unwrap();
        let mut orders = server.bus.listen(vec![control(id)], 1);
        server.app.store.revoke_worker(id, "the test", Timestamp::now()).await.unwrap().unwrap();
        if noticed {
            server.app.store.notify(Channel::Workers, &id.to_string()).await.unwrap();
        }
        let told = within(orders.next()).await.unwrap().delivery.order.clone();
        assert!(matches!(&told, Order::Unwelcome(why) if why.revoked), "{told:?}");
    }
}

#[tokio::test]
async fn a_replaced_token_opens_nothing_more() {
    let (server, _directory) = server().await;
    let (id, token) = server.enrol("paris").await;
    let (player, _) = Player::arrive(&server, id, &token).await;
    let fresh = format!("nww_{}_fresh", id.simple());
    let hash = Sha256::digest(fresh.as_bytes()).into();
    server.app.store.replace_worker_token(id, hash, "user admin", Timestamp::now()).await.unwrap().unwrap();
    server.app.store.notify(Channel::Workers, &id.to_string()).await.unwrap();
    let told = player.ended().await;
    assert!(!told.revoked && told.reason.contains("replaced"), "{told:?}");
    within(async {
        while server.app.store.worker(id).await.unwrap().unwrap().online {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    for bad in [&token, "nww_unknown", "nww_"] {
        let told = Player::connect(&server, id, bad).ended().await;
        assert!(!told.revoked && told.reason.contains("unknown"), "{told:?}");
    }
    Player::arrive(&server, id, &fresh).await;
}

#[tokio::test]
async fn a_worker_reports_in_its_own_name_only() {
    let (server, _directory) = server().await;
    let (id, token) = server.enrol("paris").await;
    let (other, _) = server.enrol("london").await;
    let (mut player, _) = Player::arrive(&server, id, &token).await;
    let mut forged = player.marked(News::Goodbye);
    forged.worker_id = other;
    let refused = within(player.bus.report(forged)).await;
    assert!(matches!(&refused, Err(BusError::Refused(reason)) if reason.contains("own name")), "{refused:?}");
    // Said before: a hello that somebody recorded.
    let recorded = player.marked(News::Goodbye);
    within(player.bus.report(recorded.clone())).await.unwrap();
    let refused = within(player.bus.report(recorded)).await;
    assert!(matches!(&refused, Err(BusError::Refused(reason)) if reason.contains("before")), "{refused:?}");
    // Too new, or of news this server does not know.
    let mut newer = player.marked(News::Goodbye);
    newer.version = 99;
    assert!(matches!(within(player.bus.report(newer)).await, Err(BusError::Refused(_))));
    assert!(matches!(player.report(News::Unknown).await, Err(BusError::Refused(_))));
    assert_eq!(*player.bus.state().borrow(), LinkState::Up);
}

#[tokio::test]
async fn a_worker_has_no_say_in_what_is_meant_for_another() {
    let (server, _directory) = server().await;
    let (paris, token) = server.enrol("paris").await;
    let (mut paris, _) = Player::arrive(&server, paris, &token).await;
    let mut work = paris.work(&[], 4);
    let operation = server.operation("netwark.broadcast").await;
    // It comes when the work of all is given out, and listens where it was asked for.
    let (london, token) = server.enrol("london").await;
    let (mut london, _) = Player::arrive(&server, london, &token).await;
    let incoming = within(work.next()).await.unwrap();
    let order = run_order(&incoming);
    let (operation_id, result_id) = (order.operation_id, order.result_id);
    let before = server.detail(&operation).await;
    let end = || End::Done { payload: json!({"forged": true}) };
    let elsewhere = Uuid::now_v7();
    for news in [
        News::Started { operation_id, result_id, redelivered: true },
        News::Progress { operation_id, result_id, payload: json!({"forged": true}) },
        News::Final { operation_id, result_id, end: end() },
        News::Final { operation_id: elsewhere, result_id, end: end() },
        News::Final { operation_id, result_id: elsewhere, end: end() },
    ] {
        let refused = server.counted(REFUSED).await;
        let told = london.report(news.clone()).await;
        assert!(
            matches!(&told, Err(BusError::Refused(why)) if why.contains("not this worker's")),
            "{told:?}"
        );
        assert_eq!(server.counted(REFUSED).await, refused + 1, "{news:?}");
        assert_eq!(server.detail(&operation).await, before, "{news:?}");
    }
    paris.done(&order).await;
    incoming.acknowledge();
    assert_eq!(server.results(&operation).await[0]["status"], "done");
}

#[tokio::test]
async fn a_server_that_stops_does_not_send_workers_away() {
    let (server, _directory) = server().await;
    let (id, token) = server.enrol("paris").await;
    let (player, _) = Player::arrive(&server, id, &token).await;
    within(server.running.stop()).await;
    let mut state = player.bus.state();
    let down = within(state.wait_for(|state| *state != LinkState::Up)).await.unwrap().clone();
    assert!(matches!(&down, LinkState::Down { reason } if reason.contains("stops")), "{down:?}");
}

type Raw = WebSocketStream<TcpStream>;

/// Opens a link frame by frame, with more headers.
async fn raw(server: &Server, token: &str, more: &[(&'static str, &str)]) -> Result<Raw, tungstenite::Error> {
    let address = server.url.strip_prefix("http://").unwrap();
    let mut request = format!("ws://{address}/api/v1/workers/link").into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    for (name, value) in more {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let stream = TcpStream::connect(address).await.unwrap();
    within(client_async(request, stream)).await.map(|(link, _)| link)
}

/// Why the server closes a link.
async fn closed(link: &mut Raw) -> CloseCode {
    loop {
        match within(link.next()).await {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code,
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_must_not_be_said_ends_the_link() {
    let (server, _directory) = server().await;
    let (id, token) = server.enrol("paris").await;
    let listen = |addresses: &[String]| {
        write(&FromWorker::Listen { id: 1, addresses: addresses.to_vec(), most: 1 }).unwrap()
    };
    let progress = News::Progress {
        operation_id: Uuid::nil(),
        result_id: Uuid::nil(),
        payload: json!("x".repeat(LARGEST_FRAME)),
    };
    let report = FromWorker::Report { id: 1, report: Box::new(Report::new(id, 1, progress)) };
    let too_large = serde_json::to_string(&report).unwrap();
    let words = [
        (Message::text("nonsense"), CloseCode::Policy),
        (Message::text("{\"dance\":{}}"), CloseCode::Policy),
        (Message::binary(vec![1, 2, 3]), CloseCode::Unsupported),
        (Message::text(listen(&[inbox(Uuid::now_v7())])), CloseCode::Policy),
        (Message::text(listen(&vec!["netwark".to_owned(); 2000])), CloseCode::Policy),
        (Message::text(too_large), CloseCode::Size),
    ];
    let number = words.len() as u64;
    for (word, code) in words {
        let shown: String = word.to_string().chars().take(60).collect();
        let mut link = raw(&server, &token, &[]).await.unwrap();
        // A server that does not read on may close before all is written.
        let _ = link.send(word).await;
        assert_eq!(closed(&mut link).await, code, "{shown}");
    }
    assert_eq!(server.app.links.malformed(), number);
}

#[tokio::test]
async fn browsers_and_strangers_are_refused() {
    let (server, _directory) = server().await;
    let (_, token) = server.enrol("paris").await;
    let refused = async |token: &str, more: &[(&'static str, &str)]| match raw(&server, token, more).await {
        Err(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&token, &[("origin", &server.url)]).await, 403);
    assert_eq!(refused(&token, &[("cookie", "a=b")]).await, 403);
    assert_eq!(refused(&server.token, &[]).await, 403, "the token of a program is none of a worker");
    assert_eq!(refused("nww_x", &[]).await, 401);
    let plain = reqwest::Client::new().get(format!("{}/api/v1/workers/link", server.url));
    assert_eq!(plain.bearer_auth(&token).send().await.unwrap().status(), 400);
    assert_eq!(server.app.links.number(), 0);
}

#[tokio::test]
async fn who_sends_too_much_hears_why() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (server, _directory) = server().await;
    let mut client = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    let (part, parts) = ([b' '; 64 << 10], 48);
    let head = format!(
        "POST /api/v1/operations HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        server.token,
        parts * part.len()
    );
    client.write_all(head.as_bytes()).await.unwrap();
    for sent in 0..parts {
        client.write_all(&part).await.unwrap();
        // By now it is more than is taken, and there is time to close.
        if sent == 4 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    let mut answer = [0; 1024];
    let read = within(client.read(&mut answer)).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

//! A worker's end of a link, with the server played by the test.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use netwark_bus::websocket::frames::{FromServer, FromWorker, NotSettled, read, write};
use netwark_bus::websocket::{REVOKED, Timing, UNWELCOME, WebSocketBus, WebSocketOptions};
use netwark_bus::{BusError, LinkState, WorkerBus};
use netwark_model::messages::{Delivery, News, Order, Report, Unwelcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use uuid::Uuid;

/// No step of a test takes so long unless something is stuck.
const PATIENCE: Duration = Duration::from_secs(20);

struct Server(TcpListener);

impl Server {
    async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn options(&self) -> WebSocketOptions {
        let url = format!("http://{}/sub", self.0.local_addr().unwrap());
        let mut options = WebSocketOptions::new(url, "nww_token", "1.2.3");
        options.timing = Timing {
            first_pause: Duration::from_millis(5),
            longest_pause: Duration::from_millis(50),
            ..Timing::default()
        };
        options
    }

    async fn accept(&self) -> End {
        let stream = within(self.0.accept()).await.unwrap().0;
        #[expect(clippy::result_large_err, reason = "the library wants it so")]
        let look = |request: &Request, answer: Response| -> Result<Response, ErrorResponse> {
            assert_eq!(request.uri().path(), "/sub/api/v1/workers/link");
            assert_eq!(request.headers()["authorization"], "Bearer nww_token");
            assert_eq!(request.headers()["user-agent"], "netwark/1.2.3");
            Ok(answer)
        };
        End(within(tokio_tungstenite::accept_hdr_async(stream, look)).await.unwrap())
    }
}

/// The server's end of a link.
struct End(WebSocketStream<TcpStream>);

impl End {
    async fn hear(&mut self) -> FromWorker {
        loop {
            match within(self.0.next()).await.unwrap().unwrap() {
                Message::Text(text) => return read(&text).unwrap(),
                Message::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn say(&mut self, frame: FromServer) {
        self.0.send(Message::text(write(&frame).unwrap())).await.unwrap();
    }

    async fn deliver(&mut self, listen: u64, tag: u64) {
        let delivery = Box::new(Delivery::new(Order::Cancel { operation_id: Uuid::from_u128(tag.into()) }));
        self.say(FromServer::Delivery { listen, tag, redelivered: false, delivery }).await;
    }

    async fn listen(&mut self) -> (u64, Vec<String>, usize) {
        match self.hear().await {
            FromWorker::Listen { id, addresses, most } => (id, addresses, most),
            other => panic!("{other:?}"),
        }
    }
}

async fn within<T>(step: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, step).await.unwrap()
}

async fn up(bus: &WebSocketBus) {
    within(bus.state().wait_for(|state| *state == LinkState::Up)).await.unwrap();
}

async fn down(bus: &WebSocketBus) -> String {
    let mut state = bus.state();
    match &*within(state.wait_for(|state| *state != LinkState::Up)).await.unwrap() {
        LinkState::Down { reason } => reason.clone(),
        other => panic!("{other:?}"),
    }
}

fn goodbye() -> Report {
    Report::new(Uuid::nil(), 1, News::Goodbye)
}

fn tag_of(delivery: &Delivery) -> u128 {
    match delivery.order {
        Order::Cancel { operation_id } => operation_id.as_u128(),
        _ => panic!("{delivery:?}"),
    }
}

#[tokio::test]
async fn messages_are_taken_acknowledged_and_given_back() {
    let server = Server::new().await;
    let bus = WebSocketBus::connect(&server.options()).unwrap();
    let mut consumer = bus.listen(vec!["netwark".into()], 2);
    let mut end = server.accept().await;
    let (id, addresses, most) = end.listen().await;
    assert_eq!((addresses, most), (vec!["netwark".to_owned()], 2));
    end.deliver(id, 1).await;
    end.deliver(id, 2).await;
    let first = within(consumer.next()).await.unwrap();
    assert_eq!(tag_of(&first.delivery), 1);
    first.acknowledge();
    assert_eq!(end.hear().await, FromWorker::Ack { tag: 1 });
    drop(within(consumer.next()).await.unwrap());
    assert_eq!(end.hear().await, FromWorker::Back { tag: 2 });
    end.deliver(id, 3).await;
    // Whether it has arrived by now or is still on its way, nobody wants it any more.
    drop(consumer);
    let mut said = vec![end.hear().await, end.hear().await];
    said.sort_by_key(|frame| matches!(frame, FromWorker::Back { .. }));
    assert_eq!(said, [FromWorker::Unlisten { id }, FromWorker::Back { tag: 3 }]);
}

#[tokio::test]
async fn a_report_is_safe_once_the_server_says_so() {
    let server = Server::new().await;
    let bus = std::sync::Arc::new(WebSocketBus::connect(&server.options()).unwrap());
    assert_eq!(bus.report(goodbye()).await, Err(BusError::Gone), "there is no link yet");
    let mut end = server.accept().await;
    up(&bus).await;
    for (error, expected) in [
        (None, Ok(())),
        (Some(NotSettled::Refused("no".into())), Err(BusError::Refused("no".into()))),
        (Some(NotSettled::NotStored("full".into())), Err(BusError::NotStored("full".into()))),
    ] {
        let sending = tokio::spawn({
            let bus = bus.clone();
            async move { bus.report(goodbye()).await }
        });
        let FromWorker::Report { id, report } = end.hear().await else { panic!("no report") };
        assert_eq!(*report, goodbye());
        end.say(FromServer::Settled { id, error }).await;
        assert_eq!(within(sending).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_lost_link_is_made_again_and_listens_again() {
    let server = Server::new().await;
    let bus = std::sync::Arc::new(WebSocketBus::connect(&server.options()).unwrap());
    let mut consumer = bus.listen(vec!["netwark".into()], 5);
    let mut end = server.accept().await;
    let (id, ..) = end.listen().await;
    end.deliver(id, 1).await;
    end.deliver(id, 2).await;
    let held = within(consumer.next()).await.unwrap();
    up(&bus).await;
    let sending = tokio::spawn({
        let bus = bus.clone();
        async move { bus.report(goodbye()).await }
    });
    assert!(matches!(end.hear().await, FromWorker::Report { .. }));
    drop(end);
    assert_eq!(within(sending).await.unwrap(), Err(BusError::Gone), "nobody knows its fate");
    let mut end = server.accept().await;
    let (again, addresses, _) = end.listen().await;
    assert_eq!((again, addresses), (id, vec!["netwark".to_owned()]));
    // It came by the link that was lost, so it must not be settled on this one; nor is what was not taken yet.
    held.acknowledge();
    end.deliver(id, 7).await;
    let fresh = within(consumer.next()).await.unwrap();
    assert_eq!(tag_of(&fresh.delivery), 7);
    fresh.acknowledge();
    assert_eq!(end.hear().await, FromWorker::Ack { tag: 7 });
}

#[tokio::test]
async fn a_silent_server_is_left() {
    let server = Server::new().await;
    let mut options = server.options();
    options.timing.ping = Duration::from_millis(20);
    options.timing.silence = Duration::from_millis(300);
    let bus = WebSocketBus::connect(&options).unwrap();
    let end = server.accept().await;
    up(&bus).await;
    let reason = down(&bus).await;
    assert!(reason.contains("silent"), "{reason}");
    drop(end);
    // One that answers pings is not silent.
    let mut end = server.accept().await;
    up(&bus).await;
    let hearing = tokio::spawn(async move {
        for _ in 0..30 {
            assert!(matches!(within(end.0.next()).await, Some(Ok(Message::Ping(_)))));
        }
        end
    });
    let _end = within(hearing).await.unwrap();
    assert_eq!(*bus.state().borrow(), LinkState::Up);
}

#[tokio::test]
async fn who_is_told_to_end_does_not_come_back() {
    let server = Server::new().await;
    let bus = WebSocketBus::connect(&server.options()).unwrap();
    let mut end = server.accept().await;
    let told = Unwelcome { revoked: true, reason: "an administrator revoked it".into() };
    end.say(FromServer::End(told.clone())).await;
    let mut state = bus.state();
    let ended = within(state.wait_for(|state| matches!(state, LinkState::Ended(_)))).await.unwrap().clone();
    assert_eq!(ended, LinkState::Ended(told));
    assert_eq!(bus.report(goodbye()).await, Err(BusError::Gone));
    let again = tokio::time::timeout(Duration::from_millis(300), server.0.accept()).await;
    assert!(again.is_err(), "it came back");
}

/// Answers the next request in plain text.
async fn answer(server: &Server, head: &str) {
    let (mut stream, _) = within(server.0.accept()).await.unwrap();
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        asked.push(stream.read_u8().await.unwrap());
    }
    let body = r#"{"detail":"because"}"#;
    let text = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn only_the_server_itself_sends_a_worker_away() {
    let server = Server::new().await;
    let bus = WebSocketBus::connect(&server.options()).unwrap();
    let mut state = bus.state();
    // A proxy may refuse for reasons of its own.
    for head in ["403 Forbidden", "401 Unauthorized", "502 Bad Gateway"] {
        answer(&server, head).await;
        let status = head.split(' ').next().unwrap();
        let seen = within(state.wait_for(|state| {
            matches!(state, LinkState::Down { reason } if reason.contains(status) && reason.contains("because"))
        }));
        drop(seen.await.unwrap());
    }
    answer(&server, &format!("403 Forbidden\r\n{UNWELCOME}: {REVOKED}")).await;
    let ended = within(state.wait_for(|state| matches!(state, LinkState::Ended(_)))).await.unwrap().clone();
    assert_eq!(ended, LinkState::Ended(Unwelcome { revoked: true, reason: "because".into() }));
}

#[tokio::test]
async fn nonsense_from_a_server_is_survived() {
    let server = Server::new().await;
    let bus = WebSocketBus::connect(&server.options()).unwrap();
    let mut consumer = bus.listen(vec!["netwark".into()], 1);
    let mut end = server.accept().await;
    let (id, ..) = end.listen().await;
    for text in ["", "{}", "{\"dance\":{}}", "{\"settled\":{\"id\":99,\"error\":null}}"] {
        end.0.send(Message::text(text)).await.unwrap();
    }
    end.deliver(id + 1, 5).await;
    assert_eq!(end.hear().await, FromWorker::Back { tag: 5 }, "nobody wanted it");
    end.deliver(id, 6).await;
    assert_eq!(tag_of(&within(consumer.next()).await.unwrap().delivery), 6);
    // More than was asked for ends the link.
    for tag in 10..20 {
        end.deliver(id, tag).await;
    }
    let reason = down(&bus).await;
    assert!(reason.contains("more than was asked for"), "{reason}");
}

//! Syslog over UDP, TCP and TLS.

use netwark_model::channels::ChannelConfig;
use netwark_notify::{FailureKind, Options, Sender};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, UdpSocket};

use crate::pki::Pki;
use crate::receiver::nobody;
use crate::setting::{config, notice, options, secrets, sender};

const LATER: FailureKind = FailureKind::Later { after: None };

fn channel(port: u16, transport: &str) -> ChannelConfig {
    config(json!({
        "kind": "syslog", "server": "127.0.0.1", "port": port, "transport": transport, "facility": "local4",
    }))
}

/// Looks at the messages of the notice of these tests.
fn look(messages: &[String]) {
    let heads: Vec<&str> = messages.iter().map(|message| message.split(' ').next().unwrap()).collect();
    // Facility 20 times 8, and the levels alert and informational; the last line counts what is left out.
    assert_eq!(heads, ["<161>1", "<166>1", "<161>1"]);
    let fields: Vec<&str> = messages[0].splitn(7, ' ').collect();
    assert_eq!(
        fields[1..6],
        ["2026-03-04T05:06:07.000Z", "netwark.example.org", "netwark", "-", "device_up"]
    );
    assert!(fields[6].starts_with("[origin software=\"Netwark\" swVersion=\""), "{fields:?}");
    assert!(fields[6].contains("] rogue DHCP server <script>"), "{fields:?}");
    assert!(fields[6].contains(" network=\"office\" device=\"<b>printer</b>\" worker=\"paris-1\" event="));
    assert!(messages[2].ends_with("3 more events happened in this time"), "{messages:?}");
}

/// Takes frames apart as RFC 6587 has them: a length, a blank, so many bytes.
async fn frames(mut stream: impl AsyncRead + Unpin) -> Vec<String> {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let (mut rest, mut frames) = (bytes.as_slice(), Vec::new());
    while !rest.is_empty() {
        let blank = rest.iter().position(|byte| *byte == b' ').unwrap();
        let length: usize = std::str::from_utf8(&rest[..blank]).unwrap().parse().unwrap();
        let (frame, after) = rest[blank + 1..].split_at(length);
        frames.push(String::from_utf8(frame.to_vec()).unwrap());
        rest = after;
    }
    frames
}

#[tokio::test]
async fn datagrams() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let accepted = sender().deliver(&channel(port, "udp"), &secrets(&[]), &notice()).await.unwrap();
    assert!(accepted.answer.starts_with("sent 3 datagrams"), "{accepted:?}");
    let mut messages = Vec::new();
    for _ in 0..3 {
        let mut buffer = [0; 4096];
        let length = socket.recv(&mut buffer).await.unwrap();
        messages.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
    }
    look(&messages);
}

#[tokio::test]
async fn a_port_on_which_nobody_listens() {
    for transport in ["udp", "tcp", "tls"] {
        let port = nobody().await.port();
        let failure =
            sender().deliver(&channel(port, transport), &secrets(&[]), &notice()).await.unwrap_err();
        assert_eq!(failure.kind, LATER, "{transport}");
        assert!(failure.text.contains("refused"), "{failure}");
    }
}

#[tokio::test]
async fn a_stream() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = tokio::spawn(async move { frames(listener.accept().await.unwrap().0).await });
    sender().deliver(&channel(port, "tcp"), &secrets(&[]), &notice()).await.unwrap();
    look(&taken.await.unwrap());
}

#[tokio::test]
async fn a_stream_that_is_torn() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        // Closing with bytes unread is a reset.
        stream.readable().await.unwrap();
        drop(stream);
    });
    let failure = sender().deliver(&channel(port, "tcp"), &secrets(&[]), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, LATER);
    assert!(failure.text.contains("broke"), "{failure}");
}

#[tokio::test]
async fn a_stream_inside_tls() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(&["127.0.0.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = tokio::spawn(async move {
        loop {
            if let Ok(stream) = acceptor.accept(listener.accept().await.unwrap().0).await {
                return frames(stream).await;
            }
        }
    });
    let failure = sender().deliver(&channel(port, "tls"), &secrets(&[]), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, LATER);
    assert!(failure.text.contains("certificate"), "{failure}");
    let trusting = Sender::new(Options { authorities: vec![pki.root()], ..options() });
    trusting.deliver(&channel(port, "tls"), &secrets(&[]), &notice()).await.unwrap();
    look(&taken.await.unwrap());
}

//! Receivers that are slow, broken, endless or not there.

use std::time::Duration;

use netwark_notify::{FailureKind, Options, Sender};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::pki::Pki;
use crate::receiver::{nobody, raw};
use crate::setting::{config, hasty, notice, options, secrets, sender};

const LATER: FailureKind = FailureKind::Later { after: None };

fn hook() -> netwark_model::channels::ChannelConfig {
    config(json!({"kind": "webhook"}))
}

#[tokio::test]
async fn nobody_there() {
    let url = format!("http://{}/", nobody().await);
    let failure = sender().deliver(&hook(), &secrets(&[("url", &url)]), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, LATER);
    assert!(
        failure.text.contains("127.0.0.1 cannot be reached") && failure.text.contains("refused"),
        "{failure}"
    );
}

#[tokio::test]
async fn somebody_who_never_answers() {
    let url = raw(|stream| async move {
        tokio::time::sleep(Duration::from_secs(600)).await;
        drop(stream);
    })
    .await;
    let failure = hasty().deliver(&hook(), &secrets(&[("url", &url)]), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, LATER);
    assert!(failure.text.contains("did not answer within 0.3 s"), "{failure}");
}

#[tokio::test]
async fn somebody_who_hangs_up() {
    let url = raw(|mut stream| async move {
        let _ = stream.read(&mut [0; 512]).await;
    })
    .await;
    let failure = sender().deliver(&hook(), &secrets(&[("url", &url)]), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, LATER, "{failure}");
}

#[tokio::test]
async fn somebody_who_speaks_no_http() {
    let url = raw(|mut stream| async move {
        let _ = stream.read(&mut [0; 512]).await;
        let _ = stream.write_all(b"220 mail.example.org ESMTP\r\n").await;
    })
    .await;
    let failure = sender().deliver(&hook(), &secrets(&[("url", &url)]), &notice()).await.unwrap_err();
    assert_eq!(failure.kind, LATER, "{failure}");
}

/// Reads a request until it ends, so that no reset takes the answer away.
async fn request(stream: &mut tokio::net::TcpStream) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while !bytes.ends_with(b"}") {
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => break,
        }
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    for status in ["200 OK", "400 Bad Request"] {
        let url = raw(move |mut stream| async move {
            request(&mut stream).await;
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: 99999999999\r\n\r\n");
            let mut left = stream.write_all(head.as_bytes()).await;
            while left.is_ok() {
                left = stream.write_all(&[b'a'; 4096]).await;
            }
        })
        .await;
        let told = match sender().deliver(&hook(), &secrets(&[("url", &url)]), &notice()).await {
            Ok(accepted) => accepted.answer,
            Err(failure) => failure.text,
        };
        assert!(told.contains(status) && told.chars().count() <= 500, "{told}");
    }
}

#[tokio::test]
async fn an_answer_that_stalls_was_given() {
    let url = raw(|mut stream| async move {
        request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ntaken").await;
        tokio::time::sleep(Duration::from_secs(600)).await;
    })
    .await;
    // Long enough for a busy machine to answer, and waited for to its end.
    let patient = Sender::new(Options { timeout: Duration::from_secs(3), ..options() });
    let accepted = patient.deliver(&hook(), &secrets(&[("url", &url)]), &notice()).await.unwrap();
    assert_eq!(accepted.answer, "200 OK: taken");
}

#[tokio::test]
async fn metadata_is_never_asked() {
    for url in
        ["http://169.254.169.254/latest", "http://[fd00:ec2::254]/", "http://[::ffff:169.254.169.254]/"]
    {
        let failure = sender().deliver(&hook(), &secrets(&[("url", url)]), &notice()).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Never, "{failure}");
        assert!(failure.text.contains("no notice is sent there"), "{failure}");
    }
}

#[tokio::test]
async fn certificates_are_checked() {
    let pki = Pki::new();
    let acceptor = pki.acceptor(&["localhost", "127.0.0.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 8192]).await;
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            let _ = stream.shutdown().await;
        }
    });
    let url = format!("https://{place}/");
    let (hook, secrets) = (hook(), secrets(&[("url", &url)]));
    let failure = sender().deliver(&hook, &secrets, &notice()).await.unwrap_err();
    assert_eq!(failure.kind, LATER);
    assert!(failure.text.contains("certificate"), "{failure}");
    let trusting = Sender::new(Options { authorities: vec![pki.root()], ..options() });
    trusting.deliver(&hook, &secrets, &notice()).await.unwrap();
}

//! Listeners as clients meet them.

use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair};
use reqwest::Client;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::certificate::{Certificate, CertificateError};
use super::{Listener, Peer, Room, Tls, serve};

/// Files of a certificate for `localhost` that names itself.
struct Pair {
    directory: TempDir,
    pem: String,
}

impl Pair {
    fn new(name: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2049, 12, 31);
        let pem = params.self_signed(&key).unwrap().pem();
        std::fs::write(directory.path().join("certificate.pem"), &pem).unwrap();
        std::fs::write(directory.path().join("key.pem"), key.serialize_pem()).unwrap();
        Self { directory, pem }
    }

    fn certificate(&self) -> PathBuf {
        self.directory.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.directory.path().join("key.pem")
    }

    fn load(&self) -> Certificate {
        Certificate::load(&self.certificate(), &self.key()).unwrap()
    }

    /// A client that trusts this certificate alone.
    fn client(&self) -> Client {
        let root = reqwest::Certificate::from_pem(self.pem.as_bytes()).unwrap();
        Client::builder().tls_certs_only([root]).no_proxy().build().unwrap()
    }
}

struct Serving {
    stop: CancellationToken,
    room: Room,
    task: JoinHandle<()>,
}

fn start(listener: Listener) -> Serving {
    let hello = |ConnectInfo(peer): ConnectInfo<Peer>| async move {
        format!("{} {}", peer.ip().map_or("socket".into(), |ip| ip.to_string()), peer.tls)
    };
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        "slow"
    };
    let router = Router::new().route("/", get(hello)).route("/slow", get(slow));
    let (stop, room) = (CancellationToken::new(), Room::default());
    let task = tokio::spawn(serve(listener, router, room.clone(), stop.clone()));
    Serving { stop, room, task }
}

async fn port() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn requests_under_way_end_well_and_idle_connections_do_not_hold_up_the_end() {
    let (listener, port) = port().await;
    let serving = start(Listener::tcp(listener));
    let client = Client::builder().no_proxy().build().unwrap();
    let url = format!("http://127.0.0.1:{port}");
    assert_eq!(client.get(&url).send().await.unwrap().text().await.unwrap(), "127.0.0.1 false");
    let idle = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let slow = tokio::spawn(client.get(format!("{url}/slow")).send());
    while serving.room.taken() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    serving.stop.cancel();
    assert_eq!(slow.await.unwrap().unwrap().text().await.unwrap(), "slow");
    serving.task.await.unwrap();
    assert_eq!(serving.room.taken(), 0);
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
    drop(idle);
}

#[tokio::test]
async fn a_unix_socket_answers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let _serving = start(Listener::unix(UnixListener::bind(&path).unwrap()));
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("socket false"), "{answer}");
}

#[tokio::test]
async fn a_certificate_is_replaced_while_connections_live() {
    let (first, second) = (Pair::new("localhost"), Pair::new("localhost"));
    let (listener, port) = port().await;
    let tls = Tls::new(&first.load()).unwrap();
    let serving = start(Listener::tls(listener, tls.clone()));
    let url = format!("https://localhost:{port}/");
    let (old, new) = (first.client(), second.client());
    assert_eq!(old.get(&url).send().await.unwrap().text().await.unwrap(), "127.0.0.1 true");
    assert!(new.get(&url).send().await.is_err(), "another certificate must not be believed");

    tls.replace(&second.load());
    assert_eq!(new.get(&url).send().await.unwrap().text().await.unwrap(), "127.0.0.1 true");
    // The connection that was there lives on; a new one sees the new certificate.
    assert_eq!(old.get(&url).send().await.unwrap().text().await.unwrap(), "127.0.0.1 true");
    assert!(first.client().get(&url).send().await.is_err());
    serving.stop.cancel();
    serving.task.await.unwrap();
}

#[tokio::test]
async fn plain_http_is_told_to_use_https() {
    let pair = Pair::new("localhost");
    let (listener, port) = port().await;
    let _serving = start(Listener::tls(listener, Tls::new(&pair.load()).unwrap()));
    let answer = reqwest::get(format!("http://127.0.0.1:{port}/")).await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains("https://"));
}

#[test]
fn a_certificate_is_checked_as_it_is_read() {
    let (pair, other) = (Pair::new("localhost"), Pair::new("localhost"));
    let until: Timestamp = "2049-12-31T00:00:00Z".parse().unwrap();
    assert_eq!(pair.load().not_after(), until);

    let wrong = |certificate: &PathBuf, key: &PathBuf| Certificate::load(certificate, key).unwrap_err();
    let mismatch = wrong(&pair.certificate(), &other.key());
    assert!(matches!(mismatch, CertificateError::Mismatch { .. }), "{mismatch}");
    let swapped = wrong(&pair.key(), &pair.certificate());
    assert!(matches!(swapped, CertificateError::NoCertificate(_)), "{swapped}");
    let no_key = wrong(&pair.certificate(), &pair.certificate());
    assert!(matches!(no_key, CertificateError::NoKey(_)), "{no_key}");
    let missing = wrong(&pair.directory.path().join("nothing.pem"), &pair.key()).to_string();
    assert!(missing.contains("nothing.pem") && missing.contains("No such file"), "{missing}");
}

//! Servers of WHOIS and RDAP that say what a test wants.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What a server does with a question.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// Sends this and ends.
    Text(Vec<u8>),
    /// Sends this and then nothing, without an end.
    Unfinished(Vec<u8>),
    /// Sends without an end.
    Endless,
}

/// A server and what it was asked.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) place: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Over port 43.
    pub(super) async fn whois(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::whois_on(listener, reply)
    }

    pub(super) fn whois_on(
        listener: TcpListener,
        reply: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let server = Self { place: listener.local_addr().unwrap(), asked: Arc::default() };
        let (asked, reply) = (Arc::clone(&server.asked), Arc::new(reply));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (asked, reply) = (Arc::clone(&asked), Arc::clone(&reply));
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    let mut line = String::new();
                    let _ = stream.read_line(&mut line).await;
                    let line = line.trim_end_matches("\r\n").to_owned();
                    let reply = reply(&line);
                    asked.lock().unwrap().push(line);
                    send(stream.into_inner(), reply).await;
                });
            }
        });
        server
    }

    /// Over HTTP: status, further headers and body for each path.
    pub(super) async fn rdap(reply: impl Fn(&str) -> (u16, String, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { place: listener.local_addr().unwrap(), asked: Arc::default() };
        let (asked, reply) = (Arc::clone(&server.asked), Arc::new(reply));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 4096];
                let read = stream.read(&mut request).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..read]).into_owned();
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                let (status, headers, body) = reply(&path);
                asked.lock().unwrap().push(path);
                let head = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n",
                    body.len()
                );
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(body.as_bytes()).await;
            }
        });
        server
    }

    /// What it was asked so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn send(mut stream: TcpStream, reply: Reply) {
    match reply {
        Reply::Text(text) => {
            let _ = stream.write_all(&text).await;
        }
        Reply::Unfinished(text) => {
            let _ = stream.write_all(&text).await;
            tokio::time::sleep(Duration::from_secs(600)).await;
        }
        Reply::Endless => while stream.write_all(&[b'x'; 4096]).await.is_ok() {},
    }
}

//! A relay of TCP connections whose links can be cut or go silent.

use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the links are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Bytes pass.
    Fine,
    /// Connections stand, and no byte passes: what a firewall does that forgot them.
    Silent,
    /// Connections are closed.
    Cut,
}

/// A relay.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    weather: watch::Sender<Weather>,
}

impl Proxy {
    /// Relays connections to this address.
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (weather, watched) = watch::channel(Weather::Fine);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(relay(near, target, watched.clone()));
            }
        });
        Self { address, weather }
    }

    /// Changes the weather. Connections that were made before stay silent, or closed, for ever.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

async fn relay(mut near: TcpStream, target: SocketAddr, mut weather: watch::Receiver<Weather>) {
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        _ = weather.wait_for(|weather| *weather != Weather::Fine) => {}
    }
    let now = *weather.borrow();
    match now {
        // Held open, never read again.
        Weather::Silent => std::future::pending().await,
        _ => {
            let _ = near.shutdown().await;
        }
    }
}

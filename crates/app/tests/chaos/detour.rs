//! A relay of TCP connections on loopback that can be stopped, slowed, and made to forget what is idle.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A connection that moved nothing for so long is idle.
const IDLE: Duration = Duration::from_millis(100);
/// How long a service keeps a silent connection; PostgreSQL and RabbitMQ keep it for half a minute and more.
const GIVEN_UP: Duration = Duration::from_secs(2);

/// What happens on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Bytes pass.
    Fine,
    /// Connections stand, and no byte passes.
    Silent,
    /// Connections are closed.
    Cut,
}

#[derive(Clone, Copy, Debug)]
struct State {
    weather: Weather,
    /// How often idle connections were forgotten.
    forgotten: u32,
    /// How long each piece takes.
    delay: Duration,
}

/// The relay.
pub(crate) struct Detour {
    address: SocketAddr,
    state: watch::Sender<State>,
}

impl Detour {
    /// Relays what comes to an address, on a free port unless it says which, to a port of loopback.
    pub(crate) async fn start(listen: &str, port: u16) -> Self {
        let listener = TcpListener::bind(listen).await.unwrap();
        let address = listener.local_addr().unwrap();
        let fine = State { weather: Weather::Fine, forgotten: 0, delay: Duration::ZERO };
        let state = watch::Sender::new(fine);
        let watched = state.subscribe();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(relay(near, port, watched.clone()));
            }
        });
        Self { address, state }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather. What was silenced or closed by it stays so.
    pub(crate) fn set(&self, weather: Weather) {
        self.state.send_modify(|state| state.weather = weather);
    }

    /// Holds each piece back for so long, both ways.
    pub(crate) fn delay(&self, delay: Duration) {
        self.state.send_modify(|state| state.delay = delay);
    }

    /// Silences every connection for ever, once it is idle, and lets new ones pass: what a firewall does that
    /// has forgotten them.
    pub(crate) fn forget(&self) {
        self.state.send_modify(|state| state.forgotten += 1);
    }
}

async fn relay(near: TcpStream, port: u16, mut state: watch::Receiver<State>) {
    let begin = *state.borrow_and_update();
    let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let (near, far) = (near.into_split(), far.into_split());
    let moved = Mutex::new(Instant::now());
    let (out, back) = (state.clone(), state.clone());
    let silent = {
        let mut ways = ((near.0, far.1), (far.0, near.1));
        let ended = tokio::select! {
            () = pump(&mut ways.0, &moved, out) => true,
            () = pump(&mut ways.1, &moved, back) => true,
            silent = until_it_ends(begin.forgotten, &moved, &mut state) => !silent,
        };
        (!ended).then_some(ways)
    };
    if let Some(((near_read, far_write), (far_read, near_write))) = silent {
        // The service finds out that its client is silent and closes its end; the client has to find out itself.
        tokio::time::sleep(GIVEN_UP).await;
        drop((far_read, far_write));
        let _held = (near_read, near_write);
        std::future::pending::<()>().await;
    }
}

async fn pump(
    (from, to): &mut (OwnedReadHalf, OwnedWriteHalf),
    moved: &Mutex<Instant>,
    state: watch::Receiver<State>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        *moved.lock().unwrap() = Instant::now();
        let delay = state.borrow().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// Waits until the connection is over; true when it stays open and silent.
async fn until_it_ends(forgotten: u32, moved: &Mutex<Instant>, state: &mut watch::Receiver<State>) -> bool {
    loop {
        let now = *state.borrow_and_update();
        match now.weather {
            Weather::Silent => return true,
            Weather::Cut => return false,
            Weather::Fine => {}
        }
        let idle = moved.lock().unwrap().elapsed();
        if now.forgotten != forgotten && idle >= IDLE {
            return true;
        }
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return false },
            () = tokio::time::sleep(IDLE - idle.min(IDLE)), if now.forgotten != forgotten => {}
        }
    }
}

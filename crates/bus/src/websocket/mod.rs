//! The bus over a WebSocket, for workers that reach nothing but a server over HTTP.
//!
//! The server listens on its own bus on behalf of the worker and passes on what it takes. Each text
//! frame holds one JSON message of [`frames`]. What is taken and not acknowledged goes back when the
//! connection ends; reports in flight then have an unknown fate and are sent again by who made them.

mod client;
mod connect;
mod consumer;
pub mod frames;
mod proxy;

use std::path::PathBuf;
use std::time::Duration;

pub use client::WebSocketBus;
pub use connect::OptionsError;

/// Path of the link below the server's URL.
pub const PATH: &str = "/api/v1/workers/link";
/// Header of a refusal that tells a worker not to come back: [`REVOKED`] or [`REFUSED`].
pub const UNWELCOME: &str = "netwark-unwelcome";
/// Header of the answer that opens a link: the seconds of its [`Keepalive`], for the worker to do the same.
pub const KEEPALIVE: &str = "netwark-keepalive";
/// An administrator revoked the worker.
pub const REVOKED: &str = "revoked";
/// Nobody knows the token.
pub const REFUSED: &str = "refused";
/// Most messages that one consumer holds over a link, whatever it asks for.
pub const MOST_HELD: usize = 1024;

/// How often each end of a link says that it is there, and when the other gives it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive(u8);

impl Keepalive {
    /// Seconds when nobody says otherwise.
    pub const DEFAULT: Self = Self(20);
    /// The most seconds. Proxies cut what is silent for a minute.
    pub const MOST: u8 = 55;

    /// A sign of life every so many seconds, from 1 to [`Keepalive::MOST`].
    pub fn new(seconds: u8) -> Option<Self> {
        (1..=Self::MOST).contains(&seconds).then_some(Self(seconds))
    }

    /// The seconds.
    pub fn seconds(self) -> u8 {
        self.0
    }

    /// The time between two signs of life.
    pub fn every(self) -> Duration {
        Duration::from_secs(self.0.into())
    }

    /// A link that brought nothing for so long is cut: one sign of life may be lost, and one be late.
    pub fn silence(self) -> Duration {
        self.every() * 2 + Duration::from_secs(5)
    }
}

/// How to reach a server.
#[derive(Clone)]
pub struct WebSocketOptions {
    /// URL of the server: `https://HOST`, with a port and a path where it has them. `http` is not encrypted.
    pub server: String,
    /// The worker's token.
    pub token: String,
    /// Certificates (PEM) that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// Version of the program, told to the server.
    pub version: String,
    /// When something is said, given up and tried again.
    pub timing: Timing,
}

impl WebSocketOptions {
    /// The defaults for this server and token.
    pub fn new(server: impl Into<String>, token: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            server: server.into(),
            token: token.into(),
            ca_file: None,
            version: version.into(),
            timing: Timing::default(),
        }
    }
}

impl std::fmt::Debug for WebSocketOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token is a secret.
        f.debug_struct("WebSocketOptions").field("server", &self.server).finish_non_exhaustive()
    }
}

/// When something is said, given up and tried again.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How often a sign of life is sent to a server that does not say how often.
    pub ping: Duration,
    /// A link to such a server that brought nothing for so long is cut.
    pub silence: Duration,
    /// How long it may take to connect.
    pub connect: Duration,
    /// The first pause before a lost link is made again; it doubles with every failure.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ping: Keepalive::DEFAULT.every(),
            silence: Keepalive::DEFAULT.silence(),
            connect: Duration::from_secs(15),
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_given_up_after_two_signs_of_life_are_missing() {
        let silence = |seconds| Keepalive::new(seconds).map(|keepalive| keepalive.silence().as_secs());
        assert_eq!([0, 1, 20, 55, 56].map(silence), [None, Some(7), Some(45), Some(115), None]);
        assert_eq!(Keepalive::new(20), Some(Keepalive::DEFAULT));
    }
}

//! Connections, handshakes and requests with real servers on loopback.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

mod http;
mod pki;
mod serve;
mod tls;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use netwark_model::tools::args::Family;
use netwark_probe::dial::Dialer;
use netwark_probe::resolve::{Answer, Resolve, ResolveError};

/// Knows that names under `test` are this machine, and no other name.
struct Names;

impl Resolve for Names {
    fn addresses<'a>(&'a self, name: &'a str, _: Family) -> Answer<'a, Result<Vec<IpAddr>, ResolveError>> {
        Box::pin(async move {
            match name.ends_with(".test") {
                true => Ok(vec![Ipv4Addr::LOCALHOST.into()]),
                false => Err(ResolveError::Resolver(format!("no such name: '{name}'"))),
            }
        })
    }

    fn name(&self, _: IpAddr) -> Answer<'_, Option<String>> {
        Box::pin(async { None })
    }
}

/// Connects to loopback, but not to port 1.
fn dialer() -> Dialer {
    let permit = |place: std::net::SocketAddr| match place.port() {
        1 => Err("port 1 is closed to it".to_owned()),
        _ => Ok(()),
    };
    Dialer::new(Arc::new(Names), Arc::new(permit), Arc::default())
}

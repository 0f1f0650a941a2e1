//! The resolver and the port.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use netwark_lookup::dns::Resolver;

use super::Check;
use crate::port;

/// Asks the name servers of this machine for something they all know.
pub(super) async fn resolver() -> Vec<Check> {
    let resolver = Resolver::system();
    let servers = resolver.servers();
    if servers.is_empty() {
        return vec![Check::warn(
            "resolver",
            "no name server is configured: only addresses and names of /etc/hosts can be measured",
            "add a line such as 'nameserver 192.0.2.53' to /etc/resolv.conf",
        )];
    }
    let names = servers.iter().map(|server| server.ip().to_string()).collect::<Vec<_>>().join(", ");
    vec![match resolver.check().await {
        Ok(()) => Check::ok("resolver", format!("{names} answers")),
        Err(error) => {
            Check::warn("resolver", error.to_string(), "correct the name servers in /etc/resolv.conf")
        }
    }]
}

/// Looks whether the server could listen.
pub(super) fn port(listen: SocketAddr) -> Check {
    let Err(error) = TcpListener::bind(listen) else {
        return Check::ok("port", format!("{listen} is free"));
    };
    match (error.kind(), port::holder(listen)) {
        (ErrorKind::AddrInUse, Some(holder)) if holder.name.starts_with("netwark") => {
            Check::ok("port", format!("{listen} is served by {holder}"))
        }
        (ErrorKind::AddrInUse, Some(holder)) => Check::fail(
            "port",
            format!("{listen} is held by {holder}"),
            "stop that process, or choose another port with --listen or server.listen",
        ),
        (ErrorKind::AddrInUse, None) => Check::fail(
            "port",
            format!("{listen} is held by a process of another user"),
            format!(
                "sudo ss -ltnp 'sport = :{}' names it; or choose another port with --listen",
                listen.port()
            ),
        ),
        (ErrorKind::AddrNotAvailable, _) => Check::fail(
            "port",
            format!("{} is no address of this machine", listen.ip()),
            "choose one that 'ip address' shows, in server.listen",
        ),
        (ErrorKind::PermissionDenied, _) => Check::fail(
            "port",
            format!("port {} is reserved for root", listen.port()),
            "choose a port from 1024 on, or grant CAP_NET_BIND_SERVICE",
        ),
        _ => Check::fail("port", format!("{listen}: {error}"), "choose another in server.listen"),
    }
}

//! The resolver, the places to listen and the certificate.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use jiff::Timestamp;
use netwark_lookup::dns::Resolver;
use netwark_server::listen::certificate::Certificate;

use super::Check;
use crate::config::server::{Listen, TlsFiles};
use crate::{listening, port};

/// Days before its end from which a certificate is worth a warning.
const ENDS_SOON: i64 = 14;

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
pub(super) fn place(place: &Listen) -> Check {
    match place {
        Listen::Tcp(address) => port(*address),
        Listen::Unix(path) => {
            match (listening::stale(path), path.parent().is_some_and(std::path::Path::is_dir)) {
                (Ok(_), true) => Check::ok("socket", format!("{place} is free")),
                (Ok(_), false) => Check::fail(
                    "socket",
                    format!("{place} is in a directory that does not exist"),
                    "make the directory, or choose another in server.listen",
                ),
                (Err(why), _) => match port::socket_holder(path) {
                    Some(holder) if holder.name.starts_with("netwark") => {
                        Check::ok("socket", format!("{place} is served by {holder}"))
                    }
                    Some(holder) => Check::fail(
                        "socket",
                        format!("{place} is held by {holder}"),
                        "stop that process, or choose another path in server.listen",
                    ),
                    None => Check::fail(
                        "socket",
                        format!("{place}: {why}"),
                        "remove what is there, or choose another path in server.listen",
                    ),
                },
            }
        }
    }
}

/// Looks at the certificate as a server would, and at its end.
pub(super) fn certificate(files: &TlsFiles) -> Check {
    let name = "certificate";
    let certificate = match Certificate::load(&files.certificate, &files.key) {
        Ok(certificate) => certificate,
        Err(error) => {
            let remedy = "correct server.tls_certificate and server.tls_key, or the files they name";
            return Check::fail(name, error.to_string(), remedy);
        }
    };
    let left = certificate.not_after().duration_since(Timestamp::now()).as_hours() / 24;
    let found = format!("valid until {}", certificate.not_after());
    let remedy = "renew it, then send the server SIGHUP";
    match left {
        _ if certificate.not_after() <= Timestamp::now() => {
            Check::fail(name, format!("its validity ended at {}", certificate.not_after()), remedy)
        }
        days if days < ENDS_SOON => Check::warn(name, found, remedy),
        _ => Check::ok(name, found),
    }
}

fn port(listen: SocketAddr) -> Check {
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

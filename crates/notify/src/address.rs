//! Where no notice is sent: to the addresses at which clouds hand out the credentials of a machine. A channel may be
//! anywhere else, since it is an administrator who sets it up, and many a server for notices stands in the LAN.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::outcome::Failure;

/// How long one address of several may take to answer.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(10);

const CLOSED: &[&str] = &[
    "169.254.0.0/16",
    "fe80::/10",
    "fd00:ec2::/32",
    "fd20:ce::254/128",
    "fd00:c1::a9fe:a9fe/128",
    "100.100.100.200/32",
    "168.63.129.16/32",
    "192.0.0.192/32",
];

/// True for link-local addresses and those of metadata services.
pub(crate) fn is_closed(address: IpAddr) -> bool {
    let address = address.to_canonical();
    CLOSED.iter().filter_map(|prefix| prefix.parse::<IpNet>().ok()).any(|prefix| prefix.contains(&address))
}

/// Why a closed address is not connected to.
pub(crate) fn refusal(address: IpAddr) -> String {
    format!("{address} is a link-local address or the metadata service of a cloud; no notice is sent there")
}

/// The addresses of a host that may be connected to.
pub(crate) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    let found = match timeout(CONNECT_WITHIN, lookup_host((host, port))).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => return Err(Failure::later(format!("{host} has no address: {error}"))),
        Err(_) => return Err(Failure::later(format!("no name server told the address of {host} in time"))),
    };
    let (closed, open): (Vec<SocketAddr>, Vec<_>) = found.partition(|place| is_closed(place.ip()));
    match (open.is_empty(), closed.first()) {
        (false, _) => Ok(open),
        (true, Some(place)) => Err(Failure::never(refusal(place.ip()))),
        (true, None) => Err(Failure::later(format!("{host} has no address"))),
    }
}

/// Connects to the first address of a host that takes the connection.
pub(crate) async fn connect(host: &str, port: u16) -> Result<TcpStream, Failure> {
    let mut why = String::new();
    for place in resolve(host, port).await? {
        let error = match timeout(CONNECT_WITHIN, TcpStream::connect(place)).await {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => error,
            Err(_) => io::ErrorKind::TimedOut.into(),
        };
        why = format!("cannot connect to {host} ({place}): {error}");
    }
    Err(Failure::later(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureKind;

    #[test]
    fn closed_addresses() {
        for prefix in CLOSED {
            assert!(prefix.parse::<IpNet>().is_ok(), "{prefix}");
        }
        for closed in ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "fe80::1"] {
            assert!(is_closed(closed.parse().unwrap()), "{closed}");
        }
        for open in ["127.0.0.1", "10.0.0.1", "192.168.1.1", "fd00::1", "2001:db8::1"] {
            assert!(!is_closed(open.parse().unwrap()), "{open}");
        }
    }

    #[tokio::test]
    async fn a_closed_address_is_never_tried() {
        let failure = connect("169.254.169.254", 80).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Never);
        assert!(failure.text.contains("metadata"), "{failure}");
    }
}

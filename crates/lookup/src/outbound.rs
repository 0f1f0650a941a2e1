//! Where a server goes by itself: to public addresses and to what was configured, and nowhere else.
//!
//! What a user asks about must never become a way into the network that the server stands in. So the address is
//! checked that is connected to, after the name was resolved, at every referral and every redirect; and each protocol
//! has its own ports.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Url};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::dns::{Families, ResolveError, Resolver};
use crate::special;

/// Most redirects that are followed.
const REDIRECTS: usize = 5;
/// Ports of HTTP and HTTPS.
const WEB_PORTS: &[u16] = &[80, 443];

/// Why a place is not gone to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The address is not one of the Internet, and was not configured.
    #[error("{place} is not asked: {why}; ask it through a worker that may")]
    NotAllowed {
        /// The address and port.
        place: SocketAddr,
        /// Which rule speaks against it.
        why: String,
    },
    /// The name has no address.
    #[error(transparent)]
    NoAddress(#[from] ResolveError),
    /// No address of the host took the connection.
    #[error("{host} (port {port}) cannot be reached: {why}")]
    Unreachable {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// What the last address said.
        why: String,
    },
}

/// Says why an address may not be touched.
type Permit = dyn Fn(IpAddr) -> Result<(), String> + Send + Sync;

/// Connects to public addresses and to configured exceptions. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    resolver: Resolver,
    allowed: Arc<[SocketAddr]>,
    permit: Option<Arc<Permit>>,
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

impl Outbound {
    /// To public addresses alone; names are asked of this resolver.
    pub fn new(resolver: Resolver) -> Self {
        Self { resolver, allowed: Arc::default(), permit: None }
    }

    /// The same, and also to these places, which somebody who runs the server has named.
    #[must_use]
    pub fn with_allowed(mut self, places: &[SocketAddr]) -> Self {
        self.allowed = places.into();
        self
    }

    /// The same, where somebody else has a say, too: a worker's own list.
    #[must_use]
    pub fn with_permit(
        mut self,
        permit: impl Fn(IpAddr) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.permit = Some(Arc::new(permit));
        self
    }

    /// The resolver that names are asked of.
    pub fn resolver(&self) -> &Resolver {
        &self.resolver
    }

    /// Checks an address and port against what a protocol may use.
    ///
    /// # Errors
    /// Says which rule speaks against it.
    pub fn check(&self, place: SocketAddr, ports: &[u16]) -> Result<(), OutboundError> {
        if let Some(permit) = &self.permit {
            permit(place.ip()).map_err(|why| OutboundError::NotAllowed { place, why })?;
        }
        if self.allowed.contains(&place) {
            return Ok(());
        }
        let not_allowed = |why: String| Err(OutboundError::NotAllowed { place, why });
        if !special::is_public(place.ip()) {
            let what = special::of(place.ip()).map_or("no public address", |special| special.name);
            return not_allowed(format!(
                "the server itself asks public addresses only, and this one is {what}"
            ));
        }
        if !ports.contains(&place.port()) {
            let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
            return not_allowed(format!("the port must be {}", ports.join(" or ")));
        }
        Ok(())
    }

    /// The addresses of a host that may be connected to, best first.
    ///
    /// # Errors
    /// When it has none, or none that is allowed.
    pub async fn addresses(
        &self,
        host: &str,
        port: u16,
        ports: &[u16],
    ) -> Result<Vec<SocketAddr>, OutboundError> {
        let addresses = self.resolver.addresses(host, Families::Both).await?;
        let mut places = Vec::new();
        let mut refused = None;
        for address in addresses {
            let place = SocketAddr::new(address, port);
            match self.check(place, ports) {
                Ok(()) => places.push(place),
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if places.is_empty() => Err(error),
            _ => Ok(places),
        }
    }

    /// Connects to the first address of a host that takes the connection within the time.
    ///
    /// # Errors
    /// When none is allowed, or none takes it.
    pub async fn connect(
        &self,
        host: &str,
        port: u16,
        ports: &[u16],
        within: Duration,
    ) -> Result<TcpStream, OutboundError> {
        let places = self.addresses(host, port, ports).await?;
        let mut why = String::from("it has no address");
        // A silent address must leave time for the others.
        let each = within / u32::try_from(places.len().max(1)).unwrap_or(1);
        for place in places {
            match timeout(each, TcpStream::connect(place)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => why = format!("{}: {error}", place.ip()),
                Err(_) => why = format!("{} did not answer within {} ms", place.ip(), each.as_millis()),
            }
        }
        Err(OutboundError::Unreachable { host: host.into(), port, why })
    }

    /// Checks a URL whose host is an address; a name is checked when it is connected to.
    ///
    /// # Errors
    /// When it is neither HTTP nor HTTPS, or leads where nobody may go.
    pub fn check_url(&self, url: &Url) -> Result<(), String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{url} is neither http nor https"));
        }
        let port = url.port_or_known_default().unwrap_or(0);
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        match host.parse::<IpAddr>() {
            Ok(address) => {
                self.check(SocketAddr::new(address, port), WEB_PORTS).map_err(|error| error.to_string())
            }
            // Which address it leads to is not known yet, so no configured one can excuse the port.
            Err(_) if !WEB_PORTS.contains(&port) => {
                Err(format!("{url} is not asked: the port must be 80 or 443"))
            }
            Err(_) => Ok(()),
        }
    }

    /// A client for HTTP that is held to these rules, redirects included. The caller checks the first URL by
    /// [`Self::check_url`]. No proxy is used, since a proxy would connect in our place unchecked.
    ///
    /// # Errors
    /// When the system's certificates cannot be used.
    pub fn http(&self, within: Duration) -> Result<Client, reqwest::Error> {
        let rules = self.clone();
        let follow = move |attempt: Attempt<'_>| {
            if attempt.previous().len() > REDIRECTS {
                return attempt.error(io::Error::other("it redirects too often"));
            }
            match rules.check_url(attempt.url()) {
                Ok(()) => attempt.follow(),
                Err(why) => attempt.error(io::Error::other(why)),
            }
        };
        Client::builder()
            .user_agent(USER_AGENT)
            .no_proxy()
            .dns_resolver(Arc::new(CheckedNames(self.clone())))
            .redirect(Policy::custom(follow))
            .timeout(within)
            .build()
    }
}

/// What we call ourselves to servers of others.
pub const USER_AGENT: &str = concat!("netwark/", env!("CARGO_PKG_VERSION"));

/// Names for the HTTP client: their public addresses alone.
struct CheckedNames(Outbound);

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.0.clone();
        Box::pin(async move {
            // The port is the client's matter: the URL was checked for it.
            let places = rules.addresses(name.as_str(), WEB_PORTS[1], WEB_PORTS).await?;
            let places: Addrs = Box::new(places.into_iter().map(|place| SocketAddr::new(place.ip(), 0)));
            Ok(places)
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn outbound(allowed: &[SocketAddr]) -> Outbound {
        Outbound::new(Resolver::with_servers(&[])).with_allowed(allowed)
    }

    #[test]
    fn only_public_addresses_and_the_ports_of_the_protocol() {
        let outbound = outbound(&["127.0.0.1:5353".parse().unwrap()]);
        assert_eq!(outbound.check("1.1.1.1:43".parse().unwrap(), &[43]), Ok(()));
        assert_eq!(outbound.check("127.0.0.1:5353".parse().unwrap(), &[53]), Ok(()));
        for place in ["1.1.1.1:22", "127.0.0.1:43", "10.0.0.1:43", "[::1]:43", "[::ffff:10.0.0.1]:43"] {
            let error = outbound.check(place.parse().unwrap(), &[43]).unwrap_err().to_string();
            assert!(error.contains("is not asked"), "{error}");
        }
    }

    #[test]
    fn a_workers_list_has_a_say() {
        let outbound = outbound(&[]).with_permit(|address| match address.is_ipv6() {
            true => Err("no IPv6 here".into()),
            false => Ok(()),
        });
        assert_eq!(outbound.check("1.1.1.1:43".parse().unwrap(), &[43]), Ok(()));
        let error = outbound.check("[2606:4700::1111]:43".parse().unwrap(), &[43]).unwrap_err().to_string();
        assert!(error.contains("no IPv6 here"), "{error}");
    }

    #[test]
    fn urls_are_checked_before_they_are_opened() {
        let outbound = outbound(&[]);
        assert_eq!(outbound.check_url(&"https://rdap.example/x".parse().unwrap()), Ok(()));
        for url in [
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://0x7f000001/",
            "https://192.168.1.1/",
            "https://rdap.example:8443/",
            "ftp://rdap.example/",
        ] {
            assert!(outbound.check_url(&url.parse().unwrap()).is_err(), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap();
        let within = Duration::from_secs(2);
        // `localhost` stands in /etc/hosts of every system.
        let error =
            outbound(&[]).connect("localhost", place.port(), &[place.port()], within).await.unwrap_err();
        assert!(matches!(error, OutboundError::NotAllowed { .. }), "{error}");
        outbound(&[place]).connect("localhost", place.port(), &[], within).await.unwrap();
    }

    #[tokio::test]
    async fn a_redirect_inside_is_not_followed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream
                    .write_all(
                        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n",
                    )
                    .await;
            }
        });
        let outbound = outbound(&[place]);
        let url: Url = format!("http://{place}/").parse().unwrap();
        outbound.check_url(&url).unwrap();
        let error = outbound.http(Duration::from_secs(5)).unwrap().get(url).send().await.unwrap_err();
        assert!(error.is_redirect(), "{error:?}");
    }
}

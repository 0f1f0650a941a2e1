//! The one DNS client: look-ups on the server, targets and hop names on a worker.
//!
//! It asks the name servers of `/etc/resolv.conf` and knows `/etc/hosts`, search domains included, as the
//! system's own resolver does; both files are read again when they change, so that a process that runs for
//! months follows its network. Every question ends within a deadline, and answers are cached, the empty ones too.

pub mod ask;
pub mod client;
pub mod dnssec;
mod error;
pub mod iterate;
mod system;
mod text;
mod verdict;
pub mod wire;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use moka::Expiry;
use moka::future::Cache;
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub use self::error::{Families, ResolveError};
use self::system::{Source, Upstream};

/// The longest a question for addresses may take.
pub const ADDRESS_DEADLINE: Duration = Duration::from_secs(5);

/// The longest a question for a name may take.
pub const NAME_DEADLINE: Duration = Duration::from_secs(2);

/// Questions under way at once; more wait for their turn.
const CONCURRENT: usize = 64;

/// Names kept in memory.
const NAMES_KEPT: u64 = 50_000;

/// A client for names and addresses; clones share servers and caches.
#[derive(Clone, Debug)]
pub struct Resolver {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    source: Source,
    names: Cache<IpAddr, KnownName>,
    permits: Semaphore,
}

/// What is known about the name of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownName {
    /// Its name, without the trailing dot.
    Named(Arc<str>),
    /// It was said that it has none.
    Nameless,
    /// Nobody answered, so it is worth asking again soon.
    Unanswered,
}

struct Lifetimes;

impl Expiry<IpAddr, KnownName> for Lifetimes {
    fn expire_after_create(&self, _: &IpAddr, name: &KnownName, _: Instant) -> Option<Duration> {
        Some(Duration::from_secs(match name {
            KnownName::Named(_) => 3600,
            KnownName::Nameless => 600,
            KnownName::Unanswered => 30,
        }))
    }
}

impl Resolver {
    /// The client of this system: `/etc/resolv.conf` and `/etc/hosts`. Without a name server in the former
    /// only the latter is known, and every other question says so.
    pub fn system() -> Self {
        Self::from_source(Source::system())
    }

    /// A client of these servers alone, without search domains. `/etc/hosts` counts all the same.
    pub fn with_servers(servers: &[SocketAddr]) -> Self {
        Self::from_source(Source::fixed(servers))
    }

    fn from_source(source: Source) -> Self {
        let names = Cache::builder().max_capacity(NAMES_KEPT).expire_after(Lifetimes).build();
        Self { inner: Arc::new(Inner { source, names, permits: Semaphore::new(CONCURRENT) }) }
    }

    /// The name servers that are asked.
    pub fn servers(&self) -> Vec<SocketAddr> {
        self.inner.source.current().servers.clone()
    }

    /// Asks for the servers of the root, which every name server knows.
    ///
    /// # Errors
    /// When no server answers, or none is configured.
    pub async fn check(&self) -> Result<(), ResolveError> {
        let upstream = self.inner.source.current();
        match timeout(NAME_DEADLINE, upstream.ask(Name::root(), RecordType::NS)).await {
            Err(_) => Err(upstream.error(".", &NetError::Timeout)),
            Ok(Err(failure)) if !error::is_empty(&failure) => Err(upstream.error(".", &failure)),
            Ok(_) => Ok(()),
        }
    }

    /// The addresses of a name, IPv4 first, each family in the order of the answer. International names are
    /// asked for in their ASCII form (RFC 5891); an address in text form is its own answer.
    ///
    /// # Errors
    /// Tells a name that does not exist from one without an address of the wanted family, and both from
    /// servers that gave no answer.
    pub async fn addresses(&self, name: &str, wanted: Families) -> Result<Vec<IpAddr>, ResolveError> {
        if let Ok(address) = name.parse::<IpAddr>() {
            return Ok(vec![address]);
        }
        // The rules of international names forbid the underscore, which plain names on a network do have.
        let question = if name.is_ascii() { Name::from_ascii(name) } else { Name::from_utf8(name) }
            .map_err(|e| ResolveError::NotAName { name: name.into(), why: e.to_string() })?;
        let upstream = self.inner.source.current();
        let silence = || ResolveError::NoAnswer {
            name: name.into(),
            servers: upstream.names(),
            seconds: ADDRESS_DEADLINE.as_secs(),
        };
        // Both families are asked for even if one is wanted, because "it has only the other" helps more than
        // "no such name".
        let both = async {
            let _permit = self.inner.permits.acquire().await.ok();
            tokio::join!(
                upstream.ask(question.clone(), RecordType::A),
                upstream.ask(question.clone(), RecordType::AAAA)
            )
        };
        let (v4, v6) = timeout(ADDRESS_DEADLINE, both).await.map_err(|_| silence())?;
        choose(name, wanted, &upstream, v4, v6)
    }

    /// The name of an address, without its trailing dot; `None` when it has none or nobody says within
    /// [`NAME_DEADLINE`].
    pub async fn name_of(&self, address: IpAddr) -> Option<Arc<str>> {
        match self.known_name_of(address).await {
            KnownName::Named(name) => Some(name),
            KnownName::Nameless | KnownName::Unanswered => None,
        }
    }

    /// The name of an address, and if it has none, whether that was said or nobody answered within
    /// [`NAME_DEADLINE`].
    pub async fn known_name_of(&self, address: IpAddr) -> KnownName {
        self.inner.names.get_with(address, self.ask_name(address)).await
    }

    async fn ask_name(&self, address: IpAddr) -> KnownName {
        let upstream = self.inner.source.current();
        if let Some(name) = upstream.host(address) {
            return KnownName::Named(name);
        }
        let asked = async {
            let _permit = self.inner.permits.acquire().await.ok();
            upstream.ask(Name::from(address), RecordType::PTR).await
        };
        match timeout(NAME_DEADLINE, asked).await {
            Ok(Ok(records)) => {
                records.iter().find_map(host_name).map_or(KnownName::Nameless, KnownName::Named)
            }
            Ok(Err(error)) if error::is_empty(&error) => KnownName::Nameless,
            Ok(Err(_)) | Err(_) => KnownName::Unanswered,
        }
    }
}

/// The name in a PTR record. Whoever holds the reverse zone writes it, so all but the letters of a host name
/// is refused: such a name could carry the control sequences of a terminal.
fn host_name(record: &RData) -> Option<Arc<str>> {
    let RData::PTR(pointer) = record else { return None };
    let text = pointer.0.to_ascii();
    let text = text.strip_suffix('.').unwrap_or(&text);
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    plain.then(|| text.into())
}

fn choose(
    name: &str,
    wanted: Families,
    upstream: &Upstream,
    v4: Result<Vec<RData>, NetError>,
    v6: Result<Vec<RData>, NetError>,
) -> Result<Vec<IpAddr>, ResolveError> {
    let addresses = |answer: &Result<Vec<RData>, NetError>| -> Vec<IpAddr> {
        answer.iter().flatten().filter_map(RData::ip_addr).collect()
    };
    let (four, six) = (addresses(&v4), addresses(&v6));
    let (has_v4, has_v6) = (!four.is_empty(), !six.is_empty());
    let chosen: Vec<IpAddr> =
        four.into_iter().filter(|_| wanted.v4()).chain(six.into_iter().filter(|_| wanted.v6())).collect();
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    // A failure of what was wanted counts before the emptiness of what was not.
    let failures = [v4.err().filter(|_| wanted.v4()), v6.err().filter(|_| wanted.v6())];
    if let Some(failure) = failures.iter().flatten().find(|e| !error::is_empty(e)) {
        return Err(upstream.error(name, failure));
    }
    if has_v4 || has_v6 {
        return Err(ResolveError::NoAddress { name: name.into(), wanted });
    }
    match failures.iter().flatten().find(|e| error::exists(e)) {
        Some(_) => Err(ResolveError::NoAddress { name: name.into(), wanted: Families::Both }),
        None => Err(ResolveError::NoSuchName { name: name.into(), servers: upstream.names() }),
    }
}

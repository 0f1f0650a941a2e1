//! Where the client learns whom to ask: the system's files, read again when they change.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::parse_resolv_conf;

use super::error::{self, ResolveError};

const RESOLV_CONF: &str = "/etc/resolv.conf";
const HOSTS: &str = "/etc/hosts";

/// How long the files are trusted before they are looked at again.
const TRUSTED: Duration = Duration::from_secs(5);

/// One try at one server; two fit into every deadline for addresses.
const TRY: Duration = Duration::from_secs(2);

/// Answers that the client itself keeps for their time to live.
const ANSWERS_KEPT: u64 = 4096;

/// Longest time to live that is believed, so that a mistake in a zone does not outlive an hour.
const LONGEST_TTL: Duration = Duration::from_secs(3600);

/// Whom to ask, as known at one moment.
#[derive(Debug)]
pub(super) struct Upstream {
    /// The servers.
    pub(super) servers: Vec<SocketAddr>,
    /// Why there are none.
    missing: Option<String>,
    client: Option<TokioResolver>,
    /// The canonical name of each address in `/etc/hosts`.
    hosts: HashMap<IpAddr, Arc<str>>,
}

impl Upstream {
    fn new(config: ResolverConfig, mut options: ResolverOpts, missing: Option<String>) -> Self {
        options.timeout = options.timeout.min(TRY);
        options.attempts = options.attempts.min(2);
        options.cache_size = ANSWERS_KEPT;
        options.positive_max_ttl = Some(LONGEST_TTL);
        options.negative_max_ttl = Some(LONGEST_TTL);
        let port = |server: &NameServerConfig| server.connections.first().map_or(53, |c| c.port);
        let servers = config.name_servers().iter().map(|s| SocketAddr::new(s.ip, port(s))).collect();
        let built = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            .with_options(options)
            .build();
        match built {
            Ok(client) => Self { servers, missing, client: Some(client), hosts: canonical_names() },
            Err(error) => {
                Self { servers, missing: Some(error.to_string()), client: None, hosts: canonical_names() }
            }
        }
    }

    /// Reads `/etc/resolv.conf`; without a server in it, only `/etc/hosts` is left.
    fn from_system() -> Self {
        let nobody = |why: String| {
            Self::new(ResolverConfig::from_parts(None, vec![], vec![]), ResolverOpts::default(), Some(why))
        };
        match std::fs::read(RESOLV_CONF) {
            Err(e) => nobody(format!("{RESOLV_CONF} cannot be read ({e})")),
            Ok(text) => match parse_resolv_conf(text) {
                Ok((config, options)) => Self::new(config, options, None),
                Err(NetError::Io(_)) => nobody(format!("{RESOLV_CONF} names no server")),
                Err(e) => nobody(format!("{RESOLV_CONF} cannot be understood ({e})")),
            },
        }
    }

    /// The records of this kind that a name has.
    pub(super) async fn ask(&self, name: Name, kind: RecordType) -> Result<Vec<RData>, NetError> {
        let client = self.client.as_ref().ok_or(NetError::NoConnections)?;
        let found = client.lookup(name, kind).await?;
        Ok(found.answers().iter().filter(|r| r.record_type() == kind).map(|r| r.data.clone()).collect())
    }

    /// The name that `/etc/hosts` gives an address.
    pub(super) fn host(&self, address: IpAddr) -> Option<Arc<str>> {
        self.hosts.get(&address).cloned()
    }

    /// The servers for a sentence.
    pub(super) fn names(&self) -> String {
        if self.servers.is_empty() {
            return HOSTS.into();
        }
        let name = |s: &SocketAddr| if s.port() == 53 { s.ip().to_string() } else { s.to_string() };
        self.servers.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    /// A failure in words.
    pub(super) fn error(&self, name: &str, failure: &NetError) -> ResolveError {
        let name = name.to_owned();
        if let Some(why) = &self.missing {
            return ResolveError::NoServer { name, why: why.clone() };
        }
        let servers = self.names();
        match failure {
            NetError::Timeout => ResolveError::NoAnswer { name, servers, seconds: TRY.as_secs() * 2 },
            failure => ResolveError::Failed { name, servers, why: error::describe(failure) },
        }
    }
}

/// Where the list of servers comes from.
#[derive(Debug)]
pub(super) struct Source {
    follows_system: bool,
    known: RwLock<Known>,
}

#[derive(Debug)]
struct Known {
    upstream: Arc<Upstream>,
    stamps: [Option<SystemTime>; 2],
    looked_at: Instant,
}

impl Source {
    pub(super) fn system() -> Self {
        let stamps = stamps();
        Self::of(true, Upstream::from_system(), stamps)
    }

    pub(super) fn fixed(servers: &[SocketAddr]) -> Self {
        let server = |address: &SocketAddr| {
            let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
            for connection in &mut connections {
                connection.port = address.port();
            }
            NameServerConfig::new(address.ip(), true, connections)
        };
        let config = ResolverConfig::from_parts(None, vec![], servers.iter().map(server).collect());
        let missing = servers.is_empty().then(|| "no name server is configured".to_owned());
        Self::of(false, Upstream::new(config, ResolverOpts::default(), missing), [None; 2])
    }

    fn of(follows_system: bool, upstream: Upstream, stamps: [Option<SystemTime>; 2]) -> Self {
        let known = Known { upstream: Arc::new(upstream), stamps, looked_at: Instant::now() };
        Self { follows_system, known: RwLock::new(known) }
    }

    /// Whom to ask now.
    pub(super) fn current(&self) -> Arc<Upstream> {
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if !self.follows_system || known.looked_at.elapsed() < TRUSTED {
                return known.upstream.clone();
            }
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.looked_at.elapsed() >= TRUSTED {
            known.looked_at = Instant::now();
            let stamps = stamps();
            if stamps != known.stamps {
                tracing::info!("{RESOLV_CONF} or {HOSTS} has changed and is read again");
                known.stamps = stamps;
                known.upstream = Arc::new(Upstream::from_system());
            }
        }
        known.upstream.clone()
    }
}

/// When the files last changed.
fn stamps() -> [Option<SystemTime>; 2] {
    [RESOLV_CONF, HOSTS].map(|path| Path::new(path).metadata().and_then(|m| m.modified()).ok())
}

fn canonical_names() -> HashMap<IpAddr, Arc<str>> {
    std::fs::read_to_string(HOSTS).map(|text| names_in(&text)).unwrap_or_default()
}

/// The first name of the first line of each address, as hosts(5) has it; the client's own table knows no order.
fn names_in(text: &str) -> HashMap<IpAddr, Arc<str>> {
    let mut names = HashMap::new();
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        if let (Some(Ok(address)), Some(name)) = (words.next().map(str::parse), words.next()) {
            names.entry(address).or_insert_with(|| name.into());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_of_an_address_is_its_own() {
        let names = names_in("# 127.0.0.9 no\n127.0.0.1 localhost box # b\n127.0.0.1 other\n::1\nbad line\n");
        assert_eq!(names.len(), 1);
        assert_eq!(names[&IpAddr::from([127, 0, 0, 1])].as_ref(), "localhost");
    }
}

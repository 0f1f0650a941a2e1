//! Who holds a domain, an address or an AS number: asked of the registries, brought into one shape.
//!
//! RDAP first (RFC 9082) where the registry has it, otherwise WHOIS on port 43 (RFC 3912). Referrals are followed from
//! IANA to the registry and from there to the registrar or to another registry, and every answer is kept as it came.

mod bootstrap;
mod charset;
mod forms;
mod pace;
mod parse;
mod port43;
mod question;
mod rdap;
mod registries;
mod sentence;
mod shape;
mod source;
mod unasked;
mod walk;

#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;
use reqwest::Client;
use tokio::sync::Semaphore;

pub use self::parse::{Parsed, Verdict, parse};
pub use self::question::{NotAQuestion, Question};
pub use self::registries::{IANA, Registries, Registry};
pub use self::shape::{Dnssec, Outcome, Protocol, Record, Step, StepOutcome, Subject, WhoisAnswer};
pub use self::source::{Iana, SOURCE, kept};

use self::pace::{Pace, Rate};
use crate::outbound::Outbound;
use crate::update::Kept;

/// Questions under way at once; more wait for their turn.
const CONCURRENT: usize = 32;

/// Bounds of a question.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest that one server may take.
    pub step: Duration,
    /// The longest that all of it may take.
    pub total: Duration,
    /// Most servers that are asked.
    pub steps: usize,
    /// Most bytes that are kept of an answer.
    pub bytes: usize,
    /// The time between two questions to the same server in the long run; five may come at once.
    pub gap: Duration,
    /// Most bytes of answers that are kept in memory.
    pub cache_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            step: Duration::from_secs(10),
            total: Duration::from_secs(25),
            steps: 6,
            bytes: 256 * 1024,
            gap: Duration::from_secs(1),
            cache_bytes: 32 * 1024 * 1024,
        }
    }
}

/// A client for registries; clones share its cache and its pace.
#[derive(Clone, Debug)]
pub struct Whois {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    outbound: Outbound,
    /// Made when RDAP is asked first, since it reads all certificates of the system. Says why there is no RDAP when
    /// they cannot be used.
    http: OnceLock<Result<Client, String>>,
    registries: Kept<Registries>,
    pace: Pace,
    limits: Limits,
    cache: Cache<Question, Arc<WhoisAnswer>>,
    permits: Semaphore,
}

/// How long an answer is kept.
struct Lifetimes;

impl Expiry<Question, Arc<WhoisAnswer>> for Lifetimes {
    fn expire_after_create(&self, _: &Question, answer: &Arc<WhoisAnswer>, _: Instant) -> Option<Duration> {
        Some(Duration::from_secs(match answer.outcome {
            Outcome::Found | Outcome::Special => 3600,
            Outcome::NoMatch | Outcome::NoRegistry => 300,
            // What went wrong may go right soon, but not for everybody who asks within the same moment.
            Outcome::RateLimited | Outcome::Unclear | Outcome::Failed => 15,
        }))
    }
}

impl Whois {
    /// A client that goes out this way and knows these registries.
    pub fn new(outbound: Outbound, registries: Registries) -> Self {
        Self::following(outbound, kept(None, registries))
    }

    /// The same with registries that updates change; see [`Self::refresh`].
    pub fn following(outbound: Outbound, registries: Kept<Registries>) -> Self {
        Self::bounded(outbound, registries, Limits::default())
    }

    /// The same with bounds of one's own.
    pub fn with_limits(outbound: Outbound, registries: Registries, limits: Limits) -> Self {
        Self::bounded(outbound, kept(None, registries), limits)
    }

    fn bounded(outbound: Outbound, registries: Kept<Registries>, limits: Limits) -> Self {
        let rate =
            Rate { gap: limits.gap, burst: 5, patience: limits.step / 2, rest: Duration::from_secs(60) };
        let weight = |_: &Question, answer: &Arc<WhoisAnswer>| {
            let raw: usize = answer.steps.iter().map(|step| step.raw.len()).sum();
            u32::try_from(raw + 2048).unwrap_or(u32::MAX)
        };
        let cache =
            Cache::builder().weigher(weight).max_capacity(limits.cache_bytes).expire_after(Lifetimes).build();
        let inner = Inner {
            outbound,
            http: OnceLock::new(),
            registries,
            pace: Pace::new(rate),
            limits,
            cache,
            permits: Semaphore::new(CONCURRENT),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Takes over what an update has brought since the last look; true when there was something. Reads files.
    pub fn refresh(&self) -> bool {
        let changed = self.inner.registries.refresh();
        if changed {
            // Another registry may know what the one before did not.
            self.inner.cache.invalidate_all();
        }
        changed
    }

    /// What the registries say. What goes wrong is part of the answer. Answers are kept for an hour, a "no such thing"
    /// for five minutes; `fresh` asks again all the same.
    pub async fn look_up(&self, question: &Question, fresh: bool) -> Arc<WhoisAnswer> {
        if fresh {
            self.inner.cache.invalidate(question).await;
        }
        let registries = self.inner.registries();
        let asked = async {
            let _permit = self.inner.permits.acquire().await.ok();
            Arc::new(walk::ask(&self.inner, question).await)
        };
        let answer = self.inner.cache.get_with(question.clone(), asked).await;
        // Those who were asked may be others by now; what was kept of it came too late to be taken out.
        if !Arc::ptr_eq(&registries, &self.inner.registries()) {
            self.inner.cache.invalidate(question).await;
        }
        answer
    }
}

impl Inner {
    fn registries(&self) -> Arc<Registries> {
        self.registries.get()
    }
}

/// The regional registry behind a server.
fn rir_of(server: &str) -> Option<&'static str> {
    Some(match server {
        "whois.ripe.net" => "RIPE NCC",
        "whois.arin.net" => "ARIN",
        "whois.apnic.net" | "whois.nic.ad.jp" | "whois.kisa.or.kr" | "whois.twnic.net" => "APNIC",
        "whois.lacnic.net" | "whois.registro.br" => "LACNIC",
        "whois.afrinic.net" => "AFRINIC",
        _ => return None,
    })
}

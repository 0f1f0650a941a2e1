//! HTTP: one request, each redirect it leads to, and the time of every step.

mod exchange;
mod redirect;
mod text;

use std::net::SocketAddr;
use std::time::Duration;

use netwark_model::tools::http::{HttpHop, HttpOptions, HttpOutcome, HttpReport};
use netwark_model::tools::tls::{Failure, Phase};
use netwark_model::tools::verdict::Verdict;
use tokio::task::JoinSet;
use tokio::time::Instant;
use url::Url;

use self::exchange::Step;
use self::redirect::Next;
use crate::dial::Dialer;
use crate::engine::EngineError;
use crate::resolve::{self, Choice};
use crate::runner::ProbeError;
use crate::stats::ms;
use crate::tls::Trust;
use crate::verdict;

/// Asks for a URL; `on_snapshot` is given the outcome so far whenever an address has ended.
///
/// # Errors
/// [`ProbeError`] when nothing can be measured. A host that does not answer was measured.
pub async fn run(
    dialer: &Dialer,
    trust: &Trust,
    target: &str,
    options: &HttpOptions,
    mut on_snapshot: impl FnMut(HttpOutcome) + Send,
) -> Result<HttpOutcome, ProbeError> {
    let url = Url::parse(target).map_err(|error| ProbeError::Target(format!("is no URL: {error}")))?;
    let begin = Instant::now();
    let choices = first_addresses(dialer, &url, options).await?;
    let is_name = options.connect_to.is_none() && resolve::literal(host_of(&url)).is_none();
    let name_ms = is_name.then(|| ms(begin.elapsed()));
    let mut reports: Vec<Option<HttpReport>> = vec![None; choices.len()];
    let mut walks = JoinSet::new();
    for (index, choice) in choices.into_iter().enumerate() {
        dialer.check(SocketAddr::new(choice.address, port_of(&url)))?;
        let walk = Walk {
            dialer: dialer.clone(),
            trust: trust.clone(),
            options: options.clone(),
            first: url.clone(),
            choice,
            name_ms,
        };
        walks.spawn(async move { (index, walk.whole().await) });
    }
    while let Some(done) = walks.join_next().await {
        let (index, report) = done.map_err(|_| EngineError::Stopped)?;
        if let Some(place) = reports.get_mut(index) {
            *place = Some(report);
        }
        on_snapshot(outcome(reports.iter().flatten().cloned().collect()));
    }
    Ok(outcome(reports.into_iter().flatten().collect()))
}

fn outcome(reports: Vec<HttpReport>) -> HttpOutcome {
    HttpOutcome { raw: text::lines(&reports), reports }
}

async fn first_addresses(
    dialer: &Dialer,
    url: &Url,
    options: &HttpOptions,
) -> Result<Vec<Choice>, ProbeError> {
    match options.connect_to {
        Some(address) => {
            dialer.addresses(&address.to_string(), options.family, options.source).await.map(|choices| {
                let by_hand = |choice| Choice { reason: Some("chosen by hand".into()), ..choice };
                choices.into_iter().map(by_hand).collect()
            })
        }
        None => dialer.addresses(host_of(url), options.family, options.source).await,
    }
}

/// The host of an http URL, which always has one, without brackets.
fn host_of(url: &Url) -> &str {
    url.host_str().unwrap_or_default().trim_matches(['[', ']'])
}

/// The port of an http URL, which always has one.
fn port_of(url: &Url) -> u16 {
    url.port_or_known_default().unwrap_or(80)
}

/// One way through the redirects, beginning at one address.
struct Walk {
    dialer: Dialer,
    trust: Trust,
    options: HttpOptions,
    first: Url,
    choice: Choice,
    name_ms: Option<f64>,
}

impl Walk {
    async fn whole(self) -> HttpReport {
        let begin = Instant::now();
        let first_deadline = begin + Duration::from_millis(self.options.timeout_ms.into());
        let mut deadline = first_deadline;
        let mut hops: Vec<HttpHop> = Vec::new();
        let mut step = Step {
            url: self.first.clone(),
            method: self.options.method,
            address: Some(self.choice.address),
            name_ms: self.name_ms,
            same_host: true,
        };
        loop {
            let asked = exchange::exchange(&self.dialer, &self.trust, &self.options, &step, &mut deadline);
            let mut hop = asked.await;
            let next = redirect::next(&step, &hop, &hops, &self.options);
            if let Next::Broken(message) = &next {
                hop.failure = Some(Failure { phase: Phase::Redirect, message: message.clone() });
            }
            hops.push(hop);
            let Next::Goes(url, method) = next else { break };
            let same_host = url.host() == self.first.host();
            step = Step {
                address: same_host.then_some(self.choice.address),
                url,
                method,
                name_ms: None,
                same_host,
            };
        }
        let held_up = deadline.duration_since(first_deadline);
        let mut report = HttpReport {
            address: self.choice.address,
            chosen: self.choice.reason,
            status: hops.last().and_then(|hop| hop.status),
            hops,
            // What the name took was spent before this began.
            total_ms: ms(begin.elapsed().saturating_sub(held_up)) + self.name_ms.unwrap_or_default(),
            verdict: Verdict::default(),
        };
        report.verdict = verdict::http(&report, &self.options);
        report
    }
}

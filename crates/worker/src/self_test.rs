//! What a worker finds out about itself before it takes work, and again while something is wrong.
//!
//! Nothing is touched but loopback, the default gateways, and the name servers, which are asked for the name of the host that the worker connects to.
//! Whatever fails, the worker becomes ready; a failing DNS takes away the tools that cannot work without it. Only what may
//! take a tool away is waited for before the worker says hello; what comes later is told with its signs of life.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use netwark_lookup::dns::{Families, ResolveError};
use netwark_model::tools::ping::{PingFate, PingOptions};
use netwark_model::workers::SelfTest;
use netwark_probe::runner::{Brief, NameLookup, ProbeError};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::gateways::{self, Gateway};
use crate::tools::{Context, Need, Toolbox};
use crate::worker::Shared;

/// Longest that one step may take. All steps are made at once.
const WITHIN: Duration = Duration::from_secs(2);
/// How long the steps that take no tool away are waited for before the worker says hello: loopback answers at once, and
/// a gateway that does not would delay every start.
const SOON: Duration = Duration::from_millis(20);
/// Echo requests to one address; one that is lost proves nothing.
const TRIES: u32 = 2;
/// How long the answer to one of them is waited for, in milliseconds.
const ANSWER_MS: u32 = 700;
/// Beyond this the worker's clock is worth a warning, in milliseconds, as on the page Workers.
const CLOCK_LIMIT_MS: i64 = 1_000;

/// What a worker knows of itself.
#[derive(Debug, Default)]
pub(crate) struct Health {
    found: Mutex<Vec<SelfTest>>,
    /// True once it is known which tools are offered.
    tested: watch::Sender<bool>,
    /// The set of tools or the links have changed, which only a hello tells.
    pub(crate) hello_again: Notify,
}

impl Health {
    fn lock(&self) -> MutexGuard<'_, Vec<SelfTest>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is known which tools are offered.
    pub(crate) async fn tested(&self) {
        // The sender is here, so the wait cannot fail.
        let _ = self.tested.subscribe().wait_for(|tested| *tested).await;
    }

    /// What was found, and how the clock stands beside the server's where that is known.
    pub(crate) fn found(&self, clock_offset_ms: Option<i64>) -> Vec<SelfTest> {
        let mut found = self.lock().clone();
        found.extend(clock_offset_ms.map(clock));
        found
    }

    /// The tools that are offered.
    pub(crate) fn offered(&self, tools: &Toolbox) -> Vec<String> {
        let mut names = tools.names();
        names.retain(|name| self.why_not(name).is_none());
        names
    }

    /// Why a tool is not offered.
    pub(crate) fn why_not(&self, tool: &str) -> Option<String> {
        let found = self.lock();
        let cause = found.iter().find(|test| test.takes_away.iter().any(|away| away == tool))?;
        Some(format!(
            "this worker does not offer '{tool}' now, because its self-test failed ({}): {}",
            cause.what, cause.detail
        ))
    }

    fn is_well(&self) -> bool {
        self.lock().iter().all(|test| test.passed)
    }

    /// Takes over what was found, and says in the log what is news. True when other tools are offered than before.
    fn take_over(&self, found: Vec<SelfTest>) -> bool {
        let mut known = self.lock();
        for test in &found {
            let before = known.iter().find(|before| before.what == test.what).is_none_or(|test| test.passed);
            let SelfTest { what, detail, takes_away, .. } = test;
            let not_offered = (!takes_away.is_empty()).then(|| takes_away.join(", "));
            match (before, test.passed) {
                (true, false) => {
                    tracing::warn!(what, detail, not_offered, "self-test failed");
                }
                (false, true) => tracing::info!(what, detail, "self-test passes now"),
                _ => {}
            }
        }
        let taken = |tests: &[SelfTest]| {
            let mut taken: Vec<_> = tests.iter().flat_map(|test| test.takes_away.clone()).collect();
            taken.sort_unstable();
            taken
        };
        let is_changed = taken(&known) != taken(&found);
        *known = found;
        is_changed
    }
}

/// Tests everything once at the beginning, and again from time to time while something fails, until stopped.
pub(crate) async fn keep(shared: Arc<Shared>, stop: CancellationToken) {
    let tests = async {
        all(&shared).await;
        loop {
            tokio::time::sleep(shared.settings.keeping.retest_every).await;
            if !shared.health.is_well() && all(&shared).await {
                shared.health.hello_again.notify_one();
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = tests => {}
    }
}

/// Makes every step. True when other tools are offered than before.
async fn all(shared: &Shared) -> bool {
    let (mut steps, deciding) = steps(shared);
    let mut found = BTreeMap::new();
    let soon = Instant::now() + SOON;
    loop {
        let is_decided = deciding.is_none_or(|step| found.contains_key(&step));
        let is_first = !*shared.health.tested.borrow();
        tokio::select! {
            step = steps.join_next() => match step {
                Some(Ok((step, test))) => {
                    found.insert(step, test);
                }
                Some(Err(error)) => tracing::error!(%error, "a step of the self-test failed by a fault in the program"),
                None => break,
            },
            () = tokio::time::sleep_until(soon), if is_first && is_decided => {
                shared.health.take_over(found.values().cloned().collect());
                shared.health.tested.send_replace(true);
            }
        }
    }
    let is_changed = shared.health.take_over(found.into_values().collect());
    shared.health.tested.send_replace(true);
    is_changed
}

/// A step by its place among all.
type Steps = JoinSet<(usize, SelfTest)>;

/// Begins all steps at once; tells which of them takes tools away when it fails.
fn steps(shared: &Shared) -> (Steps, Option<usize>) {
    let gateways = gateways::all();
    let are_none = gateways.is_empty();
    let mut targets = vec![Target::loopback(Ipv4Addr::LOCALHOST.into())];
    if UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        targets.push(Target::loopback(Ipv6Addr::LOCALHOST.into()));
    }
    targets.extend(gateways.into_iter().map(Target::gateway));
    let mut steps = JoinSet::new();
    for target in targets {
        let (step, context) = (steps.len(), shared.context.clone());
        steps.spawn(async move { (step, target.judge(echo(&context, &target).await)) });
    }
    if are_none {
        let step = steps.len();
        steps.spawn(async move { (step, no_gateway()) });
    }
    let (step, context) = (steps.len(), shared.context.clone());
    // What is this very machine is never asked for, RFC 6761.
    let host =
        shared.settings.keeping.server_host.clone().filter(|host| !host.eq_ignore_ascii_case("localhost"));
    let needing = shared.tools.that_need(Need::Dns);
    let deciding = (!needing.is_empty()).then_some(step);
    steps.spawn(async move {
        let names = look_up(&context, host.as_deref()).await;
        (step, judge_names(host.as_deref(), names, needing))
    });
    (steps, deciding)
}

/// Somebody who should answer echo requests.
#[derive(Clone, Debug)]
struct Target {
    address: IpAddr,
    /// The interface of a gateway.
    interface: Option<String>,
}

/// What came of an echo request.
#[derive(Clone, Debug, PartialEq)]
enum Echo {
    /// Answered after so many milliseconds.
    Answered(f64),
    /// No answer.
    Silent,
    /// Somebody answered that it cannot be delivered, or it cannot be sent; why.
    Failed(String),
    /// The worker's list does not allow it; why.
    Forbidden(String),
}

impl Target {
    fn loopback(address: IpAddr) -> Self {
        Self { address, interface: None }
    }

    fn gateway(gateway: Gateway) -> Self {
        Self { address: gateway.address, interface: Some(gateway.interface) }
    }

    fn what(&self) -> String {
        match &self.interface {
            None => format!("ICMP to {}", self.address),
            Some(interface) => format!("ICMP to the gateway {} on {interface}", self.address),
        }
    }

    fn judge(&self, echo: Echo) -> SelfTest {
        match echo {
            Echo::Answered(ms) => passed(self.what(), format!("{} ms", round(ms))),
            Echo::Forbidden(reason) => skipped(self.what(), reason),
            Echo::Failed(reason) => failed(self.what(), reason),
            Echo::Silent if self.interface.is_none() => {
                failed(self.what(), "no answer; a firewall on this machine drops ICMP, allow it on loopback")
            }
            Echo::Silent => failed(
                self.what(),
                "no answer; check that the gateway is up, unless it is set not to answer ICMP, which is harmless",
            ),
        }
    }
}

fn passed(what: impl Into<String>, detail: impl Into<String>) -> SelfTest {
    SelfTest { what: what.into(), passed: true, detail: detail.into(), ..SelfTest::default() }
}

fn skipped(what: impl Into<String>, why: impl Into<String>) -> SelfTest {
    SelfTest { skipped: true, ..passed(what, why) }
}

fn failed(what: impl Into<String>, why: impl Into<String>) -> SelfTest {
    SelfTest { passed: false, ..passed(what, why) }
}

/// Milliseconds as people read them: two digits that count below ten.
fn round(ms: f64) -> f64 {
    let digits = if ms < 1.0 { 100.0 } else { 10.0 };
    (ms * digits).round() / digits
}

fn no_gateway() -> SelfTest {
    skipped(
        "ICMP to the default gateway",
        "there is none; only networks that this machine is attached to can be reached",
    )
}

/// Sends echo requests until one is answered.
async fn echo(context: &Context, target: &Target) -> Echo {
    let is_scoped = matches!(target.address, IpAddr::V6(v6) if v6.is_unicast_link_local());
    let options = PingOptions {
        count: 1,
        timeout_ms: ANSWER_MS,
        interface: target.interface.clone().filter(|_| is_scoped),
        ..PingOptions::default()
    };
    let text = target.address.to_string();
    let brief = Brief {
        target: &text,
        worker: &context.name,
        started: Timestamp::now(),
        progress_every: WITHIN,
        names: NameLookup::Off,
    };
    let tries = async {
        let mut echo = Echo::Silent;
        for _ in 0..TRIES {
            echo = match context.prober.ping(brief, &options, |_| ()).await {
                Err(ProbeError::Forbidden { reason, .. }) => return Echo::Forbidden(reason),
                Err(error) => return Echo::Failed(error.to_string()),
                Ok(outcome) => outcome
                    .reports
                    .iter()
                    .flat_map(|report| &report.replies)
                    .map(|reply| fate(&reply.fate))
                    .next_back()
                    .unwrap_or(Echo::Silent),
            };
            if matches!(echo, Echo::Answered(_)) {
                break;
            }
        }
        echo
    };
    timeout(WITHIN, tries).await.unwrap_or(Echo::Silent)
}

fn fate(fate: &PingFate) -> Echo {
    match fate {
        PingFate::Reply { rtt, .. } | PingFate::Late { rtt } => Echo::Answered(*rtt),
        PingFate::Waiting | PingFate::Lost => Echo::Silent,
        PingFate::Error { from, message } => Echo::Failed(format!("{from} answers: {message}")),
        PingFate::Unsent { message } => Echo::Failed(format!("cannot be sent: {message}")),
    }
}

/// What came of looking up the name of the host that the worker connects to.
#[derive(Clone, Debug, PartialEq)]
enum Names {
    /// Nobody can be asked.
    NoServers,
    /// That host has no name to ask for.
    NothingToAsk,
    /// The addresses.
    Found(Vec<IpAddr>),
    /// The name servers answer, but know no address; what they say.
    Unknown(String),
    /// The name servers do not answer as they should; what went wrong.
    Failed(String),
}

async fn look_up(context: &Context, host: Option<&str>) -> Names {
    let servers = context.resolver.servers();
    if servers.is_empty() {
        return Names::NoServers;
    }
    let Some(name) = host.filter(|host| literal(host).is_none()) else { return Names::NothingToAsk };
    match timeout(WITHIN, context.resolver.addresses(name, Families::Both)).await {
        Ok(Ok(addresses)) => Names::Found(addresses),
        Ok(Err(error @ (ResolveError::NoSuchName { .. } | ResolveError::NoAddress { .. }))) => {
            Names::Unknown(error.to_string())
        }
        Ok(Err(error)) => Names::Failed(error.to_string()),
        Err(_) => {
            let servers: Vec<_> = servers.iter().map(ToString::to_string).collect();
            Names::Failed(format!("no answer from {} within {} s", servers.join(", "), WITHIN.as_secs()))
        }
    }
}

/// The address that a host of a URL is.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// `needing` are the tools that need name servers which answer.
fn judge_names(host: Option<&str>, names: Names, needing: Vec<String>) -> SelfTest {
    let what = match host.filter(|host| literal(host).is_none()) {
        Some(name) => format!("DNS: {name}"),
        None => "DNS".into(),
    };
    match names {
        Names::Found(addresses) => {
            let addresses: Vec<_> = addresses.iter().take(4).map(ToString::to_string).collect();
            passed(what, addresses.join(", "))
        }
        Names::NothingToAsk => match host {
            Some(address) => {
                skipped(what, format!("nothing to ask for: the worker connects to the address {address}"))
            }
            None => skipped(what, "nothing to ask for: the worker connects to no host by name"),
        },
        Names::Unknown(said) => {
            failed(what, format!("{said}; the name servers answer, so check the name itself"))
        }
        Names::NoServers => {
            let why = "there is no name server to ask; name one in /etc/resolv.conf, or give addresses";
            SelfTest { takes_away: needing, ..failed(what, why) }
        }
        Names::Failed(reason) => {
            let why = format!("{reason}; check the name servers in /etc/resolv.conf, or give addresses");
            SelfTest { takes_away: needing, ..failed(what, why) }
        }
    }
}

/// How the clock stands beside the server's.
fn clock(offset_ms: i64) -> SelfTest {
    let side = if offset_ms < 0 { "behind" } else { "ahead of" };
    let detail = format!("{} ms {side} the server's", offset_ms.unsigned_abs());
    if offset_ms.saturating_abs() <= CLOCK_LIMIT_MS {
        return passed("Clock", detail);
    }
    failed("Clock", format!("{detail}; let NTP set both, or the times of measurements disagree"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tools() -> Toolbox {
        let runner: crate::Runner = |_, _, _| Box::pin(async { Ok(json!(null)) });
        Toolbox::default().with("ping", runner).with_needs("named", &[Need::Dns], runner)
    }

    fn judged(host: Option<&str>, names: Names) -> (bool, String, Vec<String>) {
        let SelfTest { passed, detail, takes_away, .. } =
            judge_names(host, names, tools().that_need(Need::Dns));
        (passed, detail, takes_away)
    }

    #[test]
    fn a_failing_dns_takes_away_only_the_tools_that_need_it() {
        let host = Some("netwark.example");
        let failed = Names::Failed("no answer from 192.0.2.53:53 within 2 s".into());
        for names in [failed, Names::NoServers] {
            let (passed, detail, takes_away) = judged(host, names);
            assert!(!passed && detail.contains("/etc/resolv.conf"), "{detail}");
            assert_eq!(takes_away, ["named"]);
        }
    }

    #[test]
    fn name_servers_that_answer_take_nothing_away() {
        let host = Some("netwark.example");
        let found = Names::Found(vec![[192, 0, 2, 7].into()]);
        assert_eq!(judged(host, found), (true, "192.0.2.7".into(), Vec::new()));
        let (passed, detail, takes_away) = judged(host, Names::Unknown("no such name".into()));
        assert_eq!((passed, takes_away), (false, Vec::new()));
        assert!(detail.contains("check the name itself"), "{detail}");
        for host in [None, Some("192.0.2.7"), Some("[2001:db8::7]")] {
            let (passed, detail, takes_away) = judged(host, Names::NothingToAsk);
            assert_eq!((passed, takes_away), (true, Vec::new()), "{detail}");
            assert!(judge_names(host, Names::NothingToAsk, Vec::new()).skipped);
        }
    }

    #[test]
    fn an_echo_is_told_with_what_to_do() {
        let loopback = Target::loopback(Ipv4Addr::LOCALHOST.into());
        let gateway = Target::gateway(Gateway { address: [192, 0, 2, 1].into(), interface: "eth0".into() });
        assert_eq!(loopback.what(), "ICMP to 127.0.0.1");
        assert_eq!(gateway.what(), "ICMP to the gateway 192.0.2.1 on eth0");
        for (echo, passed, skipped, detail) in [
            (Echo::Answered(0.04321), true, false, "0.04 ms"),
            (Echo::Answered(12.3456), true, false, "12.3 ms"),
            (Echo::Forbidden("10.0.0.0/8 is denied".into()), true, true, "10.0.0.0/8 is denied"),
            (Echo::Failed("no route to host".into()), false, false, "no route to host"),
        ] {
            let test = gateway.judge(echo);
            assert_eq!((test.passed, test.skipped, test.detail.as_str()), (passed, skipped, detail));
        }
        assert!(gateway.judge(Echo::Silent).detail.contains("gateway is up"));
        assert!(loopback.judge(Echo::Silent).detail.contains("firewall on this machine"));
    }

    #[test]
    fn a_clock_that_is_off_is_said() {
        assert_eq!(clock(12).detail, "12 ms ahead of the server's");
        assert!(clock(-1_000).passed && !clock(-1_001).passed && !clock(i64::MIN).passed);
        assert!(
            clock(-2_345).detail.starts_with("2345 ms behind the server's; let NTP"),
            "{}",
            clock(-2_345).detail
        );
    }

    #[test]
    fn a_tool_is_offered_again_when_its_need_is_met() {
        let judged = |names| judge_names(Some("netwark.example"), names, tools().that_need(Need::Dns));
        let health = Health::default();
        let offered = |health: &Health| health.offered(&tools());
        assert!(health.is_well());
        assert!(health.take_over(vec![judged(Names::NoServers)]));
        assert!(!health.take_over(vec![judged(Names::Failed(String::new()))]));
        assert_eq!((offered(&health), health.is_well()), (vec!["ping".to_owned()], false));
        let why = health.why_not("named").unwrap();
        assert!(why.contains("'named'") && why.contains("DNS: netwark.example"), "{why}");
        assert_eq!(health.why_not("ping"), None);
        assert!(health.take_over(vec![judged(Names::Found(Vec::new()))]));
        assert_eq!((offered(&health), health.is_well()), (tools().names(), true));
        assert_eq!(health.found(Some(3)).len(), 2, "the clock is added once it is known");
    }
}

//! The tools a worker runs: from an order's typed options to what was measured.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use netwark_lookup::dns::Resolver;
use netwark_lookup::dns::ask::{Asker, Trust as DnsTrust};
use netwark_lookup::outbound::Outbound;
use netwark_lookup::update::Kept;
use netwark_lookup::whois::{Outcome as Registered, Question, Registries, Whois};
use netwark_model::messages::RunOrder;
use netwark_model::tools::whois::WhoisOptions;
use netwark_probe::dial::Dialer;
use netwark_probe::engine::{Engine, Traffic};
use netwark_probe::runner::{Brief, NameLookup, Prober};
use netwark_probe::tls::Trust;
use netwark_probe::{http, tcp, tls};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch;

use crate::policy::Policy;
use crate::resolver::NameResolver;
use crate::sweeping;

/// Least time between two snapshots of a run.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);
/// How long the names of hops are waited for once a trace has ended.
const NAMES_WITHIN: Duration = Duration::from_secs(2);

/// What every tool may use.
#[derive(Clone, Debug)]
pub struct Context {
    /// Measures what the list allows.
    pub prober: Prober,
    /// What may be touched; a new list counts for all that is sent from then on.
    pub policy: Arc<watch::Sender<Policy>>,
    /// Name of this worker.
    pub name: Arc<str>,
    /// Least time between two snapshots of a run.
    pub progress_every: Duration,
    /// How the names of hops are looked up.
    pub names: NameLookup,
    /// The system's resolver.
    pub resolver: Resolver,
    /// The registries of domains, addresses and AS numbers.
    pub whois: Whois,
    /// What a run sends and receives. The prober counts by itself; a tool that measures by other means adds to it.
    pub traffic: Arc<Traffic>,
    /// Where the server in this process listens; tools that return content stay away from it.
    pub listeners: Arc<[SocketAddr]>,
    /// Whose certificates are trusted.
    pub trust: Trust,
    /// Where delegations and trust in signatures begin.
    pub dns: Arc<DnsTrust>,
    /// Most bytes of an outcome that could be of any size; none where it need not fit into a message.
    pub most_bytes: Option<usize>,
}

impl Context {
    /// A prober on this engine, held to the list.
    pub fn new(engine: Engine, resolver: Resolver, policy: Policy, name: &str) -> Self {
        let most_frames = policy.packets_per_second();
        let policy = Arc::new(watch::Sender::new(policy));
        let list = Arc::clone(&policy);
        let permit = Arc::new(move |address| list.borrow().check(address).map_err(|error| error.to_string()));
        let whois = Whois::new(outbound(&resolver, &policy, &[]), Registries::built_in());
        let prober = Prober::new(engine, Arc::new(NameResolver::new(resolver.clone())))
            .with_permit(permit)
            .with_most_frames(most_frames);
        let names = NameLookup::Within(NAMES_WITHIN);
        Self {
            prober,
            policy,
            name: name.into(),
            progress_every: PROGRESS_EVERY,
            names,
            resolver,
            whois,
            traffic: Arc::default(),
            listeners: Arc::default(),
            trust: Trust::system(),
            dns: Arc::default(),
            most_bytes: Some(sweeping::MOST_BYTES),
        }
    }

    /// The same with registries of one's own, or that updates change. `places` are those among them that may be asked
    /// although they are not public; the list has its say all the same.
    #[must_use]
    pub fn with_registries(mut self, registries: Kept<Registries>, places: &[SocketAddr]) -> Self {
        self.whois = Whois::following(outbound(&self.resolver, &self.policy, places), registries);
        self
    }

    /// Checks where a tool that returns content is about to connect to, or to ask, against the list as it is now.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn check_content(&self, place: SocketAddr) -> Result<(), String> {
        self.policy.borrow().check_content(place, &self.listeners).map_err(|error| error.to_string())
    }

    /// Opens connections for tools that return content.
    pub fn dialer(&self) -> Dialer {
        let context = self.clone();
        Dialer::new(
            Arc::new(NameResolver::new(self.resolver.clone())),
            Arc::new(move |place| context.check_content(place)),
            Arc::clone(&self.traffic),
        )
        .at_pace(self.prober.engine().pacer())
    }

    /// Asks name servers: those of the system, and others as far as the list allows.
    fn asker(&self) -> Asker {
        let (context, traffic) = (self.clone(), Arc::clone(&self.traffic));
        let permit = Arc::new(move |place| context.check_content(place));
        Asker::new(self.resolver.clone(), permit, Arc::clone(&self.dns)).metered(Arc::new(
            move |sent, received| {
                traffic.add_sent(sent);
                traffic.add_received(received);
            },
        ))
    }

    /// The same for a run whose bytes are counted here.
    pub(crate) fn metered(mut self, traffic: Arc<Traffic>) -> Self {
        self.prober = self.prober.metered(Arc::clone(&traffic));
        self.traffic = traffic;
        self
    }

    fn brief<'a>(&'a self, order: &'a RunOrder) -> Brief<'a> {
        Brief {
            target: &order.target,
            worker: &self.name,
            started: Timestamp::now(),
            progress_every: self.progress_every,
            names: self.names,
        }
    }
}

/// The way of look-ups to others, as far as the list allows.
fn outbound(resolver: &Resolver, policy: &Arc<watch::Sender<Policy>>, places: &[SocketAddr]) -> Outbound {
    let list = Arc::clone(policy);
    let permit = move |address| list.borrow().check(address).map_err(|error| error.to_string());
    Outbound::new(resolver.clone()).with_allowed(places).with_permit(permit)
}

/// Where a tool puts its latest snapshot.
pub type Snapshots = watch::Sender<Option<Value>>;

/// Why a tool could not measure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RunError(pub String);

/// What a run returns.
pub type Outcome = Pin<Box<dyn Future<Output = Result<Value, RunError>> + Send>>;

/// Runs one tool.
pub type Runner = fn(Context, RunOrder, Snapshots) -> Outcome;

/// Something outside the worker that a tool cannot work without, whatever its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Name servers that answer. A tool that measures an address as well as a name does not need them.
    Dns,
}

#[derive(Clone, Copy)]
struct Entry {
    runner: Runner,
    needs: &'static [Need],
}

/// The tools of a worker by name.
#[derive(Clone, Default)]
pub struct Toolbox {
    tools: BTreeMap<&'static str, Entry>,
}

impl Toolbox {
    /// Every tool of this version.
    pub fn standard() -> Self {
        Self::default()
            .with("ping", |context, order, snapshots| Box::pin(ping(context, order, snapshots)))
            .with("mtr", |context, order, snapshots| Box::pin(mtr(context, order, snapshots)))
            .with("tcp", |context, order, snapshots| Box::pin(connect(context, order, snapshots)))
            .with("tls", |context, order, snapshots| Box::pin(shake(context, order, snapshots)))
            .with("http", |context, order, snapshots| Box::pin(request(context, order, snapshots)))
            .with("sweep", |context, order, snapshots| Box::pin(sweeping::run(context, order, snapshots)))
            .with("dns", |context, order, _| Box::pin(dns(context, order)))
            .with_needs("whois", &[Need::Dns], |context, order, _| Box::pin(whois(context, order)))
    }

    /// The same toolbox with one more tool.
    #[must_use]
    pub fn with(self, name: &'static str, runner: Runner) -> Self {
        self.with_needs(name, &[], runner)
    }

    /// The same toolbox with one more tool, which is offered only while its needs are met.
    #[must_use]
    pub fn with_needs(mut self, name: &'static str, needs: &'static [Need], runner: Runner) -> Self {
        self.tools.insert(name, Entry { runner, needs });
        self
    }

    /// Names of the tools that need this.
    pub fn that_need(&self, need: Need) -> Vec<String> {
        let needing = self.tools.iter().filter(|(_, tool)| tool.needs.contains(&need));
        needing.map(|(name, _)| name.to_string()).collect()
    }

    /// The runner of a tool.
    pub fn get(&self, name: &str) -> Option<Runner> {
        self.tools.get(name).map(|tool| tool.runner)
    }

    /// Names of all tools.
    pub fn names(&self) -> Vec<String> {
        self.tools.keys().map(ToString::to_string).collect()
    }
}

impl std::fmt::Debug for Toolbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.tools.keys()).finish()
    }
}

async fn ping(context: Context, order: RunOrder, snapshots: Snapshots) -> Result<Value, RunError> {
    let options = options(&order)?;
    let on_snapshot = |snapshot| publish(&snapshots, &snapshot);
    let outcome = context.prober.ping(context.brief(&order), &options, on_snapshot).await;
    value(&outcome.map_err(|error| RunError(error.to_string()))?)
}

async fn mtr(context: Context, order: RunOrder, snapshots: Snapshots) -> Result<Value, RunError> {
    let options = options(&order)?;
    let on_snapshot = |snapshot| publish(&snapshots, &snapshot);
    let outcome = context.prober.mtr(context.brief(&order), &options, on_snapshot).await;
    value(&outcome.map_err(|error| RunError(error.to_string()))?)
}

async fn connect(context: Context, order: RunOrder, snapshots: Snapshots) -> Result<Value, RunError> {
    let options = options(&order)?;
    let on_snapshot = |snapshot| publish(&snapshots, &snapshot);
    let every = context.progress_every;
    let outcome = tcp::run(&context.dialer(), &order.target, &options, every, on_snapshot).await;
    value(&outcome.map_err(|error| RunError(error.to_string()))?)
}

async fn shake(context: Context, order: RunOrder, snapshots: Snapshots) -> Result<Value, RunError> {
    let options = options(&order)?;
    let on_snapshot = |snapshot| publish(&snapshots, &snapshot);
    let outcome = tls::run(&context.dialer(), &context.trust, &order.target, &options, on_snapshot).await;
    value(&outcome.map_err(|error| RunError(error.to_string()))?)
}

async fn request(context: Context, order: RunOrder, snapshots: Snapshots) -> Result<Value, RunError> {
    let options = options(&order)?;
    let on_snapshot = |snapshot| publish(&snapshots, &snapshot);
    let outcome = http::run(&context.dialer(), &context.trust, &order.target, &options, on_snapshot).await;
    value(&outcome.map_err(|error| RunError(error.to_string()))?)
}

async fn dns(context: Context, order: RunOrder) -> Result<Value, RunError> {
    let options = options(&order)?;
    let outcome = context.asker().ask(&order.target, &options).await;
    value(&outcome.map_err(|error| RunError(error.to_string()))?)
}

async fn whois(context: Context, order: RunOrder) -> Result<Value, RunError> {
    let WhoisOptions { fresh } = options(&order)?;
    let wrong = |why: &dyn std::fmt::Display| RunError(format!("the target {why}"));
    let question = Question::parse(&order.target).map_err(|error| wrong(&error))?;
    let registries = context.whois.clone();
    // What is on disk is read beside the runtime; without it the registries that are known count.
    let _ = tokio::task::spawn_blocking(move || registries.refresh()).await;
    let began = Timestamp::now().as_second();
    let answer = context.whois.look_up(&question, fresh).await;
    // An answer that was kept has cost nothing this time.
    if answer.asked_at.parse::<Timestamp>().is_ok_and(|asked| asked.as_second() >= began) {
        for step in &answer.steps {
            context.traffic.add_sent(step.query.len() as u64);
            context.traffic.add_received(step.raw.len() as u64);
        }
    }
    match answer.outcome {
        Registered::Failed => Err(RunError(answer.summary.clone())),
        _ => value(&*answer),
    }
}

pub(crate) fn options<O: DeserializeOwned>(order: &RunOrder) -> Result<O, RunError> {
    serde_json::from_value(order.options.clone()).map_err(|error| {
        RunError(format!(
            "this worker does not understand the options ({error}); update the older of worker and server"
        ))
    })
}

pub(crate) fn publish<T: serde::Serialize>(snapshots: &Snapshots, snapshot: &T) {
    // What cannot be written is left out: the final outcome says so.
    if let Ok(value) = serde_json::to_value(snapshot) {
        snapshots.send_replace(Some(value));
    }
}

pub(crate) fn value<T: serde::Serialize>(outcome: &T) -> Result<Value, RunError> {
    serde_json::to_value(outcome).map_err(|error| RunError(format!("the outcome cannot be written: {error}")))
}

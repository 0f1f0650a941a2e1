//! A worker and its server: hello, welcome, orders, signs of life.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use netwark_bus::{BusError, Consumer, LinkState};
use netwark_model::assignments::AssignmentChange;
use netwark_model::messages::{Alive, Hello, News, Order, Unwelcome, Welcome, control};
use netwark_model::watch::report::LinkFacts;
use netwark_model::workers::{Capabilities, MissingCapability, SelfTest};
use netwark_probe::engine;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Answer;
use crate::draining::Draining;
use crate::policy::Policy;
use crate::spool::Spool;
use crate::standing::Changed;
use crate::worker::Shared;

/// How often a worker says that it is still here.
const ALIVE: Duration = Duration::from_secs(15);
/// How long an answer to hello is waited for before it is said again.
const ANSWER: Duration = Duration::from_secs(10);
/// First pause between two tries to say hello; it doubles with every failure.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause. No work comes meanwhile, and one that is refused costs the server little.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Says hello whenever it has to be said, and follows orders, until stopped or unwelcome.
pub(crate) async fn lead(shared: Arc<Shared>, stop: CancellationToken) {
    let mut orders = shared.bus.listen(vec![control(shared.settings.id)], usize::MAX >> 4);
    let mut link = shared.bus.state();
    let mut policy = shared.context.policy.subscribe();
    tokio::select! {
        () = stop.cancelled() => return,
        () = shared.health.tested() => {}
    }
    loop {
        let turn = async {
            policy.mark_unchanged();
            greet(&shared, &mut orders, &mut link).await?;
            attend(&shared, &mut orders, &mut link, &mut policy).await
        };
        let turn = tokio::select! {
            () = stop.cancelled() => return,
            turn = turn => turn,
        };
        if let Err(unwelcome) = turn {
            tracing::error!(reason = %unwelcome.reason, "the server does not want this worker");
            shared.ended.send_replace(Some(unwelcome));
            return;
        }
    }
}

/// Says hello until it is answered.
async fn greet(
    shared: &Shared,
    orders: &mut Box<dyn Consumer>,
    link: &mut watch::Receiver<LinkState>,
) -> Result<(), Unwelcome> {
    let mut pause = FIRST_PAUSE;
    loop {
        if let LinkState::Ended(unwelcome) = &*link.borrow_and_update() {
            return Err(unwelcome.clone());
        }
        let telling = shared.telling.lock().await;
        let report = shared.marked(News::Hello(Box::new(hello(shared).await)));
        let mark = report.mark;
        shared.clock.send_if_modified(|clock| {
            clock.ask(mark, Instant::now());
            false
        });
        let told = shared.bus.report(report).await;
        drop(telling);
        match told {
            Ok(()) => {
                let answered = tokio::time::timeout(ANSWER, answer(shared, orders, link, mark));
                match answered.await {
                    Ok(welcome) => {
                        if let Some(welcome) = welcome? {
                            welcomed(shared, welcome);
                            return Ok(());
                        }
                    }
                    Err(_) => tracing::warn!("hello was not answered; saying it again"),
                }
            }
            Err(BusError::Refused(reason)) => return Err(Unwelcome { revoked: false, reason }),
            Err(error) => tracing::debug!(%error, "hello was not heard; trying again"),
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            // A link that comes back is used at once, and its failures are its own.
            () = changed(link) => pause = FIRST_PAUSE,
        }
    }
}

/// Ends when the state of the link changes; never when nobody tells it any more.
async fn changed(link: &mut watch::Receiver<LinkState>) {
    if link.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The answer to the hello with this mark; none when the link went down meanwhile.
async fn answer(
    shared: &Shared,
    orders: &mut Box<dyn Consumer>,
    link: &mut watch::Receiver<LinkState>,
    mark: u64,
) -> Result<Option<Welcome>, Unwelcome> {
    loop {
        let incoming = tokio::select! {
            incoming = orders.next() => incoming,
            () = changed(link) => return Ok(None),
        };
        let Some(incoming) = incoming else { return closed().await };
        let order = incoming.delivery.order.clone();
        incoming.acknowledge();
        match order {
            Order::Welcome(welcome) if welcome.answers == mark => return Ok(Some(welcome)),
            Order::Refused { answers, reason } if answers == mark => {
                return Err(Unwelcome { revoked: false, reason });
            }
            // Left from an earlier life, or the answer that is on its way makes it needless.
            Order::Welcome(_) | Order::Refused { .. } | Order::Introduce => {}
            order => follow(shared, order).await?,
        }
    }
}

fn welcomed(shared: &Shared, welcome: Welcome) {
    let Welcome { answers, server_time_ms, heard_at_ms, draining, drain_revision, .. } = welcome;
    let heard_at_ms = heard_at_ms.unwrap_or(server_time_ms);
    time_told(shared, Answer { to: answers, heard_at_ms, sent_at_ms: server_time_ms });
    tracing::info!(name = %welcome.name, queues = welcome.queues.join(", "), "welcome");
    for queue in &welcome.unknown_queues {
        tracing::warn!(
            queue,
            "the server does not have this queue; make it there, or take it out of worker.queues"
        );
    }
    follow_draining(shared, |now| now.welcomed(draining, drain_revision));
    shared.welcome.send_replace(Some(welcome));
}

/// Takes in what the server's clock says.
fn time_told(shared: &Shared, answer: Answer) {
    shared.clock.send_if_modified(|clock| {
        let before = clock.offset_ms();
        clock.answered(answer, Timestamp::now().as_millisecond(), Instant::now());
        clock.offset_ms() != before
    });
}

fn follow_draining(shared: &Shared, change: impl FnOnce(Draining) -> Draining) {
    shared.draining.send_if_modified(|now| {
        let before = std::mem::replace(now, change(*now));
        if before.is_on() != now.is_on() {
            tracing::info!(draining = now.is_on(), "told by the server");
        }
        before != *now
    });
}

/// Follows orders until hello has to be said again.
async fn attend(
    shared: &Shared,
    orders: &mut Box<dyn Consumer>,
    link: &mut watch::Receiver<LinkState>,
    policy: &mut watch::Receiver<Policy>,
) -> Result<(), Unwelcome> {
    loop {
        let incoming = tokio::select! {
            incoming = orders.next() => incoming,
            // What it may touch is part of what it says of itself.
            Ok(()) = policy.changed() => return Ok(()),
            () = shared.health.hello_again.notified() => return Ok(()),
            () = changed(link) => match &*link.borrow_and_update() {
                LinkState::Up => return Ok(()),
                LinkState::Down { reason } => {
                    tracing::warn!(%reason, "the link is down");
                    continue;
                }
                LinkState::Ended(unwelcome) => return Err(unwelcome.clone()),
            },
        };
        let Some(incoming) = incoming else { return closed().await };
        let order = incoming.delivery.order.clone();
        incoming.acknowledge();
        match order {
            Order::Introduce => return Ok(()),
            order => follow(shared, order).await?,
        }
    }
}

async fn follow(shared: &Shared, order: Order) -> Result<(), Unwelcome> {
    match order {
        Order::Cancel { operation_id } => shared.cancel(operation_id),
        Order::Drain { draining, revision } => {
            follow_draining(shared, |now| now.ordered(draining, revision));
        }
        Order::Time { answers, heard_at_ms, server_time_ms } => {
            time_told(shared, Answer { to: answers, heard_at_ms, sent_at_ms: server_time_ms });
        }
        Order::Unwelcome(unwelcome) => return Err(unwelcome),
        // What answers an earlier hello.
        Order::Welcome(_) | Order::Refused { .. } | Order::Introduce => {}
        Order::Assign(change) => assigned(shared, change).await,
        Order::Now { assignment_id } => {
            if let Some(standing) = &shared.standing {
                standing.hurry(assignment_id);
            }
        }
        Order::Unknown => tracing::warn!("an order cannot be understood; update this worker"),
        Order::Run(_) => tracing::warn!("work came where only orders are expected"),
    }
    Ok(())
}

/// Takes over standing orders, and says what was let go.
async fn assigned(shared: &Shared, change: AssignmentChange) {
    let Some(standing) = shared.standing.clone() else {
        tracing::error!("standing orders came, but this worker has no directory to keep them in");
        return;
    };
    let changed = tokio::task::spawn_blocking(move || standing.change(change)).await;
    let Changed { revision, released } = match changed {
        Ok(Ok(changed)) => changed,
        Ok(Err(error)) => {
            tracing::error!(%error, "standing orders cannot be written down and were not taken");
            return;
        }
        Err(error) => {
            tracing::error!(%error, "standing orders were not taken");
            return;
        }
    };
    let released = released.into_iter().map(|(assignment_id, epoch)| News::Released { assignment_id, epoch });
    for news in released.chain([News::Assigned { revision }]) {
        if let Err(error) = shared.report(news).await {
            // The lease ends without it, and the next hello says which revision is here.
            tracing::debug!(%error, "the server did not hear what became of standing orders");
        }
    }
}

/// The bus was closed under us: nothing more comes, and who closed it ends this worker.
async fn closed<T>() -> Result<T, Unwelcome> {
    std::future::pending().await
}

/// Says from time to time that the worker is still here, and how it is.
pub(crate) async fn stay_alive(shared: Arc<Shared>, stop: CancellationToken) {
    let mut welcome = shared.welcome.subscribe();
    let mut draining = shared.draining.subscribe();
    let mut clock = shared.clock.subscribe();
    let mut stood_on = links().await;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(ALIVE) => {}
            // What is new is told at once.
            _ = welcome.changed() => {}
            _ = draining.changed() => {}
            _ = clock.changed() => {}
        }
        // All of it is told now.
        welcome.mark_unchanged();
        draining.mark_unchanged();
        clock.mark_unchanged();
        if shared.welcome.borrow().is_none() || shared.ended.borrow().is_some() {
            continue;
        }
        // Where it stands is part of hello: a cable was plugged in, or an address came late.
        let stands_on = links().await;
        if stands_on != stood_on {
            stood_on = stands_on;
            shared.health.hello_again.notify_one();
        }
        let _telling = shared.telling.lock().await;
        let alive = alive(&shared);
        let asks_time = alive.asks_time;
        let report = shared.marked(News::Alive(alive));
        if asks_time {
            shared.clock.send_if_modified(|clock| {
                clock.ask(report.mark, Instant::now());
                false
            });
        }
        if let Err(error) = shared.bus.report(report).await {
            // A server that does not know this worker any more asks it to say hello.
            tracing::debug!(%error, "the server does not hear this worker");
        }
    }
}

fn alive(shared: &Shared) -> Alive {
    let self_test = found(shared);
    let draining = *shared.draining.borrow();
    let clock = shared.clock.borrow();
    Alive {
        running: shared.running.load(Ordering::Relaxed),
        load: load(),
        spool_bytes: shared.spool.as_ref().map_or(0, Spool::bytes),
        clock_offset_ms: clock.offset_ms(),
        usage: shared.usage.of_month(Timestamp::now()),
        self_test,
        revision: shared.standing.as_ref().map_or(0, |standing| standing.revision()),
        draining: Some(draining.own),
        drain_revision: draining.revision,
        asks_time: clock.is_wanted(Instant::now()),
    }
}

/// Processes that waited for the processors, on average over the last minute.
fn load() -> Option<f32> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

/// What it has found out about itself.
fn found(shared: &Shared) -> Vec<SelfTest> {
    // In the server's process there is but one clock, and the difference is what a message takes.
    let offset = shared.clock.borrow().offset_ms();
    shared.health.found(offset.filter(|_| !shared.settings.embedded))
}

async fn hello(shared: &Shared) -> Hello {
    let links = links().await;
    let settings = shared.settings.clone();
    let draining = *shared.draining.borrow();
    Hello {
        name: settings.name,
        site: settings.site,
        location: settings.location,
        tags: settings.tags,
        version: env!("CARGO_PKG_VERSION").into(),
        queues: settings.queues,
        capabilities: capabilities(
            shared.health.offered(&shared.tools),
            shared.context.prober.engine().capabilities(),
        ),
        policy: shared.context.policy.borrow().describe(),
        embedded: settings.embedded,
        coordinates: settings.coordinates,
        country: settings.country,
        asn: settings.asn,
        concurrency: u32::try_from(settings.concurrency).unwrap_or(u32::MAX),
        self_test: found(shared),
        usage_cap_bytes: shared.usage.cap(),
        revision: shared.standing.as_ref().map_or(0, |standing| standing.revision()),
        draining: draining.own,
        drain_revision: draining.revision,
        links,
    }
}

/// The links it stands on. Without them it is only not known where it could watch.
async fn links() -> Vec<LinkFacts> {
    // The kernel is asked several questions for each, and may take its time.
    let looked = tokio::task::spawn_blocking(netwark_probe::sweep::links).await;
    looked.unwrap_or_else(|error| Err(error.into())).unwrap_or_else(|error| {
        tracing::debug!(%error, "the kernel does not tell of its links");
        Vec::new()
    })
}

/// What the engine can do, in the words of the API.
fn capabilities(tools: Vec<String>, engine: &engine::Capabilities) -> Capabilities {
    let mut missing = Vec::new();
    let mut note = |what: &str, why: Option<String>| {
        if let Some(why) = why {
            let (why, remedy) =
                why.split_once(": ").map_or((why.as_str(), ""), |(why, remedy)| (why, remedy));
            missing.push(MissingCapability { what: what.into(), why: why.into(), remedy: remedy.into() });
        }
    };
    note("IPv4 ping and ICMP traces", engine.why_no_icmp(false));
    note("IPv6 ping and ICMP traces", engine.why_no_icmp(true));
    note("UDP traces", engine.udp_errqueue.reason.clone());
    note("TCP traces", engine.tcp_syn.reason.clone());
    // Addresses of documentation: whether there is a way to anywhere. Nothing is sent.
    let anywhere =
        [Ipv4Addr::new(192, 0, 2, 1).into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()];
    let reach = netwark_probe::runner::reach(&anywhere);
    Capabilities { tools, ipv4: reach.v4, ipv6: reach.v6, raw_sockets: engine.raw_v4.available, missing }
}

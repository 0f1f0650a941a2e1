//! Workers come, stay and go, as they report it.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use netwark_bus::BusError;
use netwark_model::messages::{Alive, Delivery, Hello, Order, Unwelcome, Welcome, control, inbox};
use netwark_model::queues::full_name;
use netwark_model::watch::report::LinkFacts;
use netwark_model::workers::{SelfTest, ToolUsage};
use netwark_store::workers::{Arrival, DrainOrder, Greeting, Presence};
use uuid::Uuid;

use crate::app::App;
use crate::assignments;
use crate::operations::reports::not_stored;

/// An answer to a hello is of no use later than this.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// A worker that was revoked while it was away learns of it within this time.
pub(super) const FAREWELL_WITHIN: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Longest text a worker may say of itself.
const LONGEST_TEXT: usize = 500;
/// Most tags of a worker.
const MOST_TAGS: usize = 100;
/// Most links of a worker that are kept.
const MOST_LINKS: usize = 32;
/// Most addresses, and most resolvers, of a link that are kept.
const MOST_ADDRESSES: usize = 16;
/// Most queues that a worker is told do not exist.
const MOST_UNKNOWN: usize = 100;

/// Takes in a worker that says hello, and answers it. What the bus gives out `again` may have been heard and not
/// answered, because the broker or the server went away in between.
pub async fn hello(
    app: &App,
    id: Uuid,
    hello: Hello,
    (mark, again): (u64, bool),
    link: &'static str,
) -> Result<(), BusError> {
    let heard_at = Timestamp::now();
    let mut hello = hello;
    // What runs inside the server's process cannot be revoked, so nobody else may say so of himself.
    hello.embedded &= link == EMBEDDED || app.settings.embedded_worker == Some(id);
    let (hello, unknown_queues) = match checked(app, id, hello).await {
        Ok(checked) => checked,
        Err(BusError::Refused(reason)) => return Err(refused(app, id, reason, mark, link).await),
        Err(error) => return Err(error),
    };
    let revision = hello.revision;
    let told = unknown_queues.clone();
    let arrival = Arrival { id, hello, unknown_queues, link, mark, again, enter: link == EMBEDDED };
    let greeting = app.store.worker_hello(arrival, Timestamp::now()).await;
    app.directory.forget(id).await;
    match greeting.map_err(not_stored) {
        Ok(Greeting::Welcome { name, queues, drain, .. }) => {
            tracing::info!(worker = %name, link, "a worker is here");
            let direct = direct_queues(app, &queues).await?;
            app.bus.declare([vec![inbox(id), control(id)], direct.clone()].concat()).await?;
            let welcome = Welcome {
                answers: mark,
                heard_at_ms: Some(heard_at.as_millisecond()),
                server_time_ms: Timestamp::now().as_millisecond(),
                name,
                queues,
                listen: Some(direct),
                unknown_queues: told,
                draining: drain.draining,
                drain_revision: drain.revision,
            };
            let answer = Delivery::new(Order::Welcome(welcome));
            app.bus.publish(&control(id), answer, Some(ANSWER_WITHIN)).await?;
            assignments::greeted(app, id, revision).await
        }
        Ok(Greeting::Revoked) => {
            tell(app, id, revoked(), FAREWELL_WITHIN).await;
            Err(BusError::Refused(REVOKED.into()))
        }
        Ok(Greeting::Unknown) => Err(BusError::Refused("nobody has enrolled this worker".into())),
        Ok(Greeting::Replayed) => Err(BusError::Refused(REPLAYED.into())),
        Err(BusError::Refused(reason)) => Err(refused(app, id, reason, mark, link).await),
        Err(error) => Err(error),
    }
}

/// What a hello cannot be is said to the worker. Over a broker nobody waits for what becomes of a report, so it
/// is told by an order; every other link says so by itself, and an order would wait for the corrected worker.
async fn refused(app: &App, id: Uuid, reason: String, mark: u64, link: &'static str) -> BusError {
    if link == AMQP {
        let order = Order::Refused { answers: mark, reason: reason.clone() };
        tell(app, id, order, ANSWER_WITHIN).await;
    }
    BusError::Refused(reason)
}

/// What a worker is told that an administrator has revoked.
pub const REVOKED: &str = "this worker was revoked by an administrator";

/// Why a report is refused whose mark is not above those that were heard.
pub const REPLAYED: &str = "this was said before";

/// How the worker inside the server's own process is linked.
pub const EMBEDDED: &str = "embedded";

/// How a worker that takes its work from the broker is linked.
pub const AMQP: &str = "amqp";

/// Notes that a worker is still here.
pub async fn alive(app: &App, id: Uuid, mut alive: Alive, mark: u64) -> Result<(), BusError> {
    let heard_at = Timestamp::now();
    bound_tests(&mut alive.self_test);
    bound_usage(&mut alive.usage);
    let (revision, followed, asks_time) = (alive.revision, alive.drain_revision, alive.asks_time);
    let known = app.store.worker_alive(id, alive, mark, heard_at).await.map_err(not_stored)?;
    settled(app, id, known).await?;
    if asks_time {
        let order = Order::Time {
            answers: mark,
            heard_at_ms: heard_at.as_millisecond(),
            server_time_ms: Timestamp::now().as_millisecond(),
        };
        tell(app, id, order, ANSWER_WITHIN).await;
    }
    assignments::confirmed(app, id, revision).await?;
    let card = app.directory.card(&app.store, id).await.map_err(not_stored)?;
    if let (Some(card), Some(followed)) = (card, followed)
        && followed < card.drain.revision
    {
        // The order was lost, or another process gave it in the database alone.
        tell_to_drain(app, id, card.drain).await;
    }
    Ok(())
}

/// Notes that a worker leaves.
pub async fn goodbye(app: &App, id: Uuid, mark: u64) -> Result<(), BusError> {
    let known = app.store.worker_gone(id, mark, Timestamp::now()).await.map_err(not_stored)?;
    settled(app, id, known).await
}

async fn settled(app: &App, id: Uuid, presence: Presence) -> Result<(), BusError> {
    match presence {
        Presence::Known => Ok(()),
        Presence::Unknown => {
            tell(app, id, Order::Introduce, ANSWER_WITHIN).await;
            Err(BusError::Refused("say hello first".into()))
        }
        Presence::Revoked => {
            // Who was revoked by another process hears of it here.
            tell(app, id, revoked(), FAREWELL_WITHIN).await;
            Err(BusError::Refused(REVOKED.into()))
        }
        Presence::Replayed => Err(BusError::Refused(REPLAYED.into())),
    }
}

/// The order to end, for who was revoked.
pub fn revoked() -> Order {
    Order::Unwelcome(Unwelcome { revoked: true, reason: REVOKED.into() })
}

/// Tells a worker what an administrator last wanted of it; hearing it twice changes nothing.
pub async fn tell_to_drain(app: &App, id: Uuid, drain: DrainOrder) {
    let DrainOrder { draining, revision } = drain;
    tell(app, id, Order::Drain { draining, revision }, ANSWER_WITHIN).await;
}

/// Says something to a worker that is of no use when it is not heard.
pub async fn tell(app: &App, id: Uuid, order: Order, within: Duration) {
    if let Err(error) = app.bus.publish(&control(id), Delivery::new(order), Some(within)).await {
        tracing::debug!(worker = %id, %error, "a worker could not be told");
    }
}

/// Those of these queues that any one member takes work from; only they have an address of their own.
pub async fn direct_queues(app: &App, queues: &[String]) -> Result<Vec<String>, BusError> {
    let kinds = app.store.queue_kinds().await.map_err(not_stored)?;
    Ok(queues
        .iter()
        .filter(|queue| kinds.get(queue).is_some_and(|(_, broadcast)| !broadcast))
        .cloned()
        .collect())
}

/// What a worker says of itself, bounded, with the queues that exist; and those that do not.
async fn checked(app: &App, id: Uuid, mut hello: Hello) -> Result<(Hello, Vec<String>), BusError> {
    let name_fits = !hello.name.trim().is_empty()
        && hello.name.chars().count() <= 100
        && !hello.name.chars().any(char::is_control);
    if !name_fits {
        return Err(BusError::Refused(
            "a worker's name has 1 to 100 characters, none of them control characters".into(),
        ));
    }
    hello.tags.truncate(MOST_TAGS);
    hello.capabilities.tools.truncate(MOST_TAGS);
    hello.capabilities.missing.truncate(MOST_TAGS);
    let texts =
        [&mut hello.site, &mut hello.location, &mut hello.policy, &mut hello.country, &mut hello.version];
    texts.into_iter().chain(&mut hello.tags).chain(&mut hello.capabilities.tools).for_each(bound);
    bound_tests(&mut hello.self_test);
    bound_links(&mut hello.links);
    hello.coordinates = hello.coordinates.filter(|place| place.is_valid());
    let kinds = app.store.queue_kinds().await.map_err(not_stored)?;
    let card = app.directory.card(&app.store, id).await.map_err(not_stored)?;
    let introduced = card.is_some_and(|card| card.introduced);
    let (mut granted, mut unknown) = (Vec::new(), Vec::new());
    for queue in &hello.queues {
        match full_name(queue).map(|full| (kinds.get(&full), full)) {
            Ok((Some((name, _)), _)) => {
                if !granted.iter().any(|known| known == name) {
                    granted.push(name.to_owned());
                }
            }
            // A queue may be deleted while workers name it; they go on with the others.
            Ok((None, full)) if introduced => {
                tracing::warn!(worker = %hello.name, queue = full, "a worker asks for a queue that this server does not have");
                if unknown.len() < MOST_UNKNOWN && !unknown.contains(&full) {
                    unknown.push(full);
                }
            }
            _ => {
                let shown: String = queue.chars().take(200).collect();
                return Err(BusError::Refused(format!(
                    "'{shown}' is no queue of this server; declare it there, or take it out of worker.queues"
                )));
            }
        }
    }
    hello.queues = granted;
    Ok((hello, unknown))
}

/// Bounds what a worker says of its self-test: each thing is tried once.
fn bound_tests(tests: &mut Vec<SelfTest>) {
    tests.truncate(MOST_TAGS);
    for test in &mut *tests {
        test.takes_away.truncate(MOST_TAGS);
        [&mut test.what, &mut test.detail].into_iter().chain(&mut test.takes_away).for_each(bound);
    }
    let mut tried = HashSet::new();
    tests.retain(|test| tried.insert(test.what.clone()));
}

/// Bounds what a worker says of its links.
fn bound_links(links: &mut Vec<LinkFacts>) {
    links.truncate(MOST_LINKS);
    for link in links {
        link.addresses.truncate(MOST_ADDRESSES);
        link.resolvers.truncate(MOST_ADDRESSES);
        [Some(&mut link.interface), link.ssid.as_mut(), link.security.as_mut()]
            .into_iter()
            .flatten()
            .for_each(bound);
    }
}

/// Bounds what a worker says its tools have used: each tool is counted once a month.
fn bound_usage(usage: &mut Vec<ToolUsage>) {
    usage.truncate(MOST_TAGS);
    usage.iter_mut().for_each(|one| [&mut one.tool, &mut one.month].into_iter().for_each(bound));
    let mut counted = HashSet::new();
    usage.retain(|one| counted.insert((one.month.clone(), one.tool.clone())));
}

fn bound(text: &mut String) {
    *text = text.chars().filter(|c| !c.is_control()).take(LONGEST_TEXT).collect();
}

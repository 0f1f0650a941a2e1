//! Makes notices of events and sends them, until stopped.
//!
//! Every server does this. Of several, one at a time makes notices, and each channel is claimed by who sends over it;
//! both are decided in the database, so a server that ends loses nothing. A claim is forgotten after a while, or with
//! the next start where there is only one server.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use netwark_notify::FailureKind;
use netwark_store::channels::{Claimed, Finished, Outcome, Tried};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{notice, retry, secrets};
use crate::app::App;
use crate::watch::happened;

/// How often it is looked whether there is something to do.
const LOOK: Duration = Duration::from_millis(500);
/// Channels that are sent over at once.
const AT_ONCE: usize = 16;
/// How long a claim is believed: longer than a try can take.
const CLAIMED_FOR: SignedDuration = SignedDuration::from_secs(180);
/// Pause before it is tried again to note how a try ended.
const NOTE_AGAIN: Duration = Duration::from_secs(1);
/// How often that is tried when the database answers, but with an error that does not pass by itself.
const NOTE_TRIES: u32 = 10;

/// Makes notices and sends them until stopped; what is being sent then is waited for.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    if !app.store.is_shared()
        && let Err(error) = app.store.forget_claims().await
    {
        tracing::warn!(%error, "channels that were in use before the restart stay so for a while");
    }
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut sending = JoinSet::new();
    let mut well = true;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = look.tick() => {}
        }
        while sending.try_join_next().is_some() {}
        let looked = look_at_all(&app, &mut sending, &stop).await;
        match looked {
            Ok(()) => well = true,
            Err(error) if well => {
                well = false;
                tracing::warn!(%error, "notices cannot be looked at; they wait");
            }
            Err(error) => tracing::debug!(%error, "notices cannot be looked at"),
        }
    }
    while sending.join_next().await.is_some() {}
}

async fn look_at_all(
    app: &App,
    sending: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Result<(), netwark_store::StoreError> {
    while !stop.is_cancelled() && app.store.notice_events(&app.channels.zone, Timestamp::now()).await? > 0 {}
    if sending.len() >= AT_ONCE {
        return Ok(());
    }
    let channels = app.store.channels_with_notices(Timestamp::now()).await?;
    for channel in channels.into_iter().take(AT_ONCE - sending.len()) {
        sending.spawn(send_all(app.clone(), channel, stop.clone()));
    }
    Ok(())
}

/// Sends what there is over one channel, one notice after another.
async fn send_all(app: App, channel: Uuid, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let now = Timestamp::now();
        let until = now.checked_add(CLAIMED_FOR).unwrap_or(now);
        match app.store.claim_notice(channel, &app.channels.zone, until, now).await {
            Ok(Some(claimed)) => send(&app, claimed).await,
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(%error, "a notice could not be claimed");
                return;
            }
        }
    }
}

async fn send(app: &App, claimed: Claimed) {
    let Claimed { claim, channel, delivery, gathered } = claimed;
    let kind = channel.config.kind().as_str();
    let tried = Tried { claim, channel: channel.id, delivery: delivery.id };
    let began = delivery.began_at.unwrap_or(delivery.opened_at);
    let attempts = delivery.attempts.saturating_add(1);
    let opened = secrets::open(app.settings.secret_key.as_ref(), channel.id, &channel.secrets);
    let tried_now = match opened {
        Err(error) => Err((FailureKind::Never, error.to_string())),
        Ok(secrets) => {
            let notice = notice(app, &delivery, gathered);
            let sent = app.channels.sender.deliver(&channel.config, &secrets, &notice).await;
            sent.map_err(|failure| (failure.kind, failure.text))
        }
    };
    let now = Timestamp::now();
    let outcome = match tried_now {
        Ok(accepted) => Outcome::Delivered { answer: accepted.answer },
        Err((kind, error)) => {
            let next_at = match kind {
                FailureKind::Later { after } => retry::next(attempts, began, after, rand::random(), now),
                FailureKind::Never => None,
            };
            match next_at {
                Some(next_at) => Outcome::Later { error, next_at },
                None => {
                    let failures = channel.state.failures.saturating_add(1);
                    Outcome::Dead { error, rests_until: retry::rest(failures, rand::random(), now) }
                }
            }
        }
    };
    match &outcome {
        Outcome::Delivered { .. } => {
            tracing::debug!(channel = channel.name, delivery = %delivery.id, "a notice was delivered");
        }
        Outcome::Later { error, next_at } => {
            tracing::info!(channel = channel.name, delivery = %delivery.id, error, next = %next_at, "a notice was not taken");
        }
        Outcome::Dead { error, .. } => {
            tracing::warn!(channel = channel.name, delivery = %delivery.id, error, "a notice was given up");
        }
    }
    app.metrics.notice(kind, word(&outcome));
    if finish(app, tried, outcome).await.told {
        happened(app).await;
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered { .. } => "delivered",
        Outcome::Later { .. } => "later",
        Outcome::Dead { .. } => "dead",
    }
}

/// Notes how a try ended. What was taken would be sent again if that were lost, so it is tried until it is done.
async fn finish(app: &App, tried: Tried, outcome: Outcome) -> Finished {
    let mut tries = 0;
    while tries < NOTE_TRIES {
        match app.store.finish_try(tried, outcome.clone(), Timestamp::now()).await {
            Ok(finished) => return finished,
            Err(error) => {
                tries += u32::from(!error.is_temporary());
                tracing::warn!(%error, delivery = %tried.delivery, "how a notice fared could not be noted");
                tokio::time::sleep(NOTE_AGAIN).await;
            }
        }
    }
    Finished::default()
}

//! Channels and subscriptions: what of the timeline is told to whom, and what became of it.

mod answers;
mod deliveries;
mod dispatch;
mod input;
mod manage;
mod retry;
mod secrets;
mod subscription_input;
mod subscriptions;
mod trying;

use jiff::tz::TimeZone;
use netwark_model::channels::Notice;
use netwark_model::subscriptions::{Delivery, Gathered};
use netwark_notify::{Options, Sender};
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::{App, ServerSettings};

pub(crate) use self::dispatch::run;

/// Channels that are tried out at once.
const TRIED_OUT: usize = 4;

/// What sending notices needs.
#[derive(Debug)]
pub struct Channels {
    /// Sends one.
    sender: Sender,
    /// How many more channels may be tried out now.
    trying: Semaphore,
    /// The time zone of hours.
    zone: TimeZone,
}

impl Channels {
    /// Ready to send.
    pub fn new(settings: &ServerSettings) -> Self {
        let zone = TimeZone::get(&settings.timezone).unwrap_or(TimeZone::UTC);
        let sender = Sender::new(Options {
            hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            zone: zone.clone(),
            ..Options::default()
        });
        Self { sender, trying: Semaphore::new(TRIED_OUT), zone }
    }
}

/// The routes, to be nested under the base of the API.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(manage::list_channels, manage::create_channel))
        .routes(routes!(manage::get_channel, manage::change_channel, manage::delete_channel))
        .routes(routes!(trying::test_channel))
        .routes(routes!(deliveries::list_channel_deliveries))
        .routes(routes!(deliveries::retry_channel))
        .routes(routes!(deliveries::list_deliveries))
        .routes(routes!(deliveries::retry_delivery))
        .routes(routes!(subscriptions::list_subscriptions, subscriptions::create_subscription))
        .routes(routes!(
            subscriptions::get_subscription,
            subscriptions::change_subscription,
            subscriptions::delete_subscription
        ))
        .routes(routes!(subscriptions::preview_subscription))
}

/// What is sent for a delivery.
fn notice(app: &App, delivery: &Delivery, gathered: Gathered) -> Notice {
    Notice {
        key: delivery.id,
        made_at: delivery.opened_at,
        subscription: delivery.subscription.clone(),
        test: delivery.test,
        worst: delivery.worst,
        more: gathered.more,
        events: gathered.events,
        link: app.auth.public_url().and_then(|url| format!("{url}/events").parse().ok()),
    }
}

//! A channel as the API shows it, and the errors of these routes as its description tells them.

use jiff::Timestamp;
use netwark_model::auth::Permission;
use netwark_model::channels::{ChannelConfig, ChannelKind};
use netwark_store::channels::StoredChannel;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};
use uuid::Uuid;

use super::secrets;
use crate::answers::{Responses, conflict, denied, invalid, not_found, too_many};
use crate::app::App;
use crate::auth::Principal;
use crate::error::Problem;

/// A channel: a way on which notices go out.
///
/// How it is set up is shown to who may manage channels. Secrets that were given are never shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Channel {
    /// Its id, a UUIDv7.
    id: Uuid,
    /// Its name, unique.
    #[schema(example = "On-call mail")]
    name: String,
    /// What kind it is.
    kind: ChannelKind,
    /// Its last tries failed, at least three in a row.
    failing: bool,
    /// Tries in a row that have failed.
    failures: u32,
    /// When something was last delivered.
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    /// When a try last failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    failed_at: Option<Timestamp>,
    /// Notices that are on their way: they gather, wait, or are tried again.
    waiting: u64,
    /// Why the last try failed, while none was delivered since; for who may manage channels.
    error: Option<String>,
    /// How it is set up; for who may manage channels.
    config: Option<ChannelConfig>,
    /// Where it leads: a server, and of a URL that is a secret its last characters; for who may manage channels.
    #[schema(example = "https://hooks.example.org/…wXyZ")]
    leads_to: Option<String>,
    /// Names of the secrets that are set; for who may manage channels.
    #[schema(example = json!(["password"]))]
    secrets: Option<Vec<String>>,
    /// The key that requests are signed with, when it was made just now because none was given. It is shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signing_key: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Who made it.
    #[schema(example = "user admin")]
    created_by: String,
}

/// A channel, with as much of it as who asks may see.
pub(super) fn shown(app: &App, principal: &Principal, channel: StoredChannel) -> Channel {
    let manages = app.auth.may(principal, Permission::ChannelsManage);
    let state = channel.state;
    let leads_to = manages.then(|| {
        let opened = secrets::open(app.settings.secret_key.as_ref(), channel.id, &channel.secrets);
        channel.config.leads_to(&opened.unwrap_or_default())
    });
    Channel {
        id: channel.id,
        name: channel.name,
        kind: channel.config.kind(),
        failing: state.failing,
        failures: state.failures,
        delivered_at: state.delivered_at,
        failed_at: state.failed_at,
        waiting: state.waiting,
        error: state.error.filter(|_| manages),
        leads_to,
        secrets: manages.then(|| channel.secrets.into_keys().collect()),
        config: manages.then_some(channel.config),
        signing_key: None,
        created_at: channel.created_at,
        created_by: channel.created_by,
    }
}

pub(super) fn no_channel() -> Problem {
    Problem::not_found("there is no channel of this id")
}

pub(super) fn no_subscription() -> Problem {
    Problem::not_found("there is no subscription of this id")
}

/// Who may not read channels.
pub(super) struct MayReadChannels;
/// Who may not change channels.
pub(super) struct MayManageChannels;
/// Who may not read subscriptions.
pub(super) struct MayReadSubscriptions;
/// Who may not change subscriptions.
pub(super) struct MayManageSubscriptions;
/// A body or parameter that is not acceptable.
pub(super) struct Invalid;
/// There is no channel of this id.
pub(super) struct NoChannel;
/// There is no subscription of this id.
pub(super) struct NoSubscription;
/// There is no delivery of this id.
pub(super) struct NoDelivery;
/// The name of a channel is taken.
pub(super) struct ChannelTaken;
/// The name of a subscription is taken.
pub(super) struct SubscriptionTaken;
/// A delivery that cannot be tried again.
pub(super) struct NotAgain;
/// Others are being tried out.
pub(super) struct Busy;

impl IntoResponses for MayReadChannels {
    fn responses() -> Responses {
        denied("channels:read")
    }
}

impl IntoResponses for MayManageChannels {
    fn responses() -> Responses {
        denied("channels:manage")
    }
}

impl IntoResponses for MayReadSubscriptions {
    fn responses() -> Responses {
        denied("subscriptions:read")
    }
}

impl IntoResponses for MayManageSubscriptions {
    fn responses() -> Responses {
        denied("subscriptions:manage")
    }
}

impl IntoResponses for Invalid {
    fn responses() -> Responses {
        invalid("secrets.password: is missing")
    }
}

impl IntoResponses for NoChannel {
    fn responses() -> Responses {
        [not_found("There is none of this id", "there is no channel of this id")].into()
    }
}

impl IntoResponses for NoSubscription {
    fn responses() -> Responses {
        [not_found("There is none of this id", "there is no subscription of this id")].into()
    }
}

impl IntoResponses for NoDelivery {
    fn responses() -> Responses {
        [not_found("There is none of this id", "there is no delivery of this id")].into()
    }
}

impl IntoResponses for ChannelTaken {
    fn responses() -> Responses {
        [conflict("The name is taken", "a channel named 'On-call mail' exists already")].into()
    }
}

impl IntoResponses for SubscriptionTaken {
    fn responses() -> Responses {
        [conflict("The name is taken", "a subscription named 'Newcomers' exists already")].into()
    }
}

impl IntoResponses for NotAgain {
    fn responses() -> Responses {
        [conflict("It is not to be tried again", "it is delivered; only what is due or dead is tried again")]
            .into()
    }
}

impl IntoResponses for Busy {
    fn responses() -> Responses {
        [too_many()].into()
    }
}

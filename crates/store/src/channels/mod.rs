//! Channels, subscriptions, and the notices on their way from one to the other.
//!
//! Every event is marked in the transaction that stores it while some subscription is switched on. Whoever takes the
//! marks away adds the events, in the same transaction, to the notice that gathers for each subscription and channel.
//! A notice is claimed with its channel, so that of several servers one sends; from then on what it says is settled,
//! and it is tried under the same id until it is delivered or given up. Meanwhile further ones gather behind it.

mod claim;
mod entity;
mod finish;
mod log;
mod manage;
mod notice;
mod subscriptions;

pub use self::claim::Claimed;
pub use self::finish::{Finished, Outcome, Tried};
pub use self::log::{Again, DeliveryFilter};
pub use self::manage::{ChannelDraft, ChannelState, StoredChannel};
pub use self::subscriptions::SubscriptionDraft;

pub(crate) use self::subscriptions::move_device;

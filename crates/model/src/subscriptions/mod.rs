//! Subscriptions: which events become notices, to which channels, and when.
//!
//! A notice gathers events for a while, waits for the end of quiet hours and for its turn when there were many in the
//! last hour, and then goes to one channel. What decides all that are functions here, without a clock of their own.

mod delivery;
mod gather;
mod hours;
mod preview;
mod rules;

pub use self::delivery::{Delivery, DeliveryStatus};
pub use self::gather::Gathered;
pub use self::hours::{Day, Hours, TimeOfDay};
pub use self::preview::{Preview, preview};
pub use self::rules::{Rules, Subscription};

/// Most subscriptions of an installation.
pub const MOST_SUBSCRIPTIONS: u64 = 500;
/// Most channels of an installation.
pub const MOST_CHANNELS: u64 = 100;
/// Most entries of each list of a subscription.
pub const MOST_ENTRIES: usize = 200;
/// How long a notice gathers events when nothing else is said, in milliseconds.
pub const GROUP_FOR_MS: u64 = 60_000;
/// The longest a notice may gather events, in milliseconds: a day.
pub const LONGEST_GROUP_MS: u64 = 24 * 3600 * 1000;
/// Most notices in an hour to one channel when nothing else is said.
pub const MOST_PER_HOUR: u32 = 30;
/// Most notices in an hour that can be asked for.
pub const MOST_PER_HOUR_EVER: u32 = 3_600;
/// Most events that are told in one notice; of more there is the number.
pub const MOST_TOLD: usize = 100;

//! The kinds of channels that speak HTTP, each with the format that the other side documents.

pub(crate) mod discord;
pub(crate) mod gotify;
pub(crate) mod matrix;
pub(crate) mod ntfy;
pub(crate) mod pagerduty;
pub(crate) mod slack;
pub(crate) mod teams;
pub(crate) mod telegram;
pub(crate) mod webhook;

use netwark_model::channels::Secrets;

use crate::outcome::Failure;

/// A secret that the channel cannot do without.
pub(crate) fn secret<'a>(secrets: &'a Secrets, name: &str) -> Result<&'a str, Failure> {
    let missing = || Failure::never(format!("this channel has no {name}; give it one"));
    secrets.get(name).map(netwark_model::channels::Secret::reveal).ok_or_else(missing)
}

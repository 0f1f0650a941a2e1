//! Notices: written for the other side, and sent over one channel.
//!
//! [`Sender::deliver`] tries once and says how it ended; when to try again, and what is told to whom, is decided by
//! others. A `View` holds what a notice says, with all texts cleaned and bounded, since host names and other
//! texts in it come from the network; each kind then writes it in its own format and escapes for it.

mod address;
mod check;
mod http;
mod kinds;
mod mail;
mod outcome;
#[cfg(test)]
mod sample;
mod sender;
mod syslog;
mod template;
mod text;
mod tls;
mod view;

pub use check::check;
pub use kinds::webhook::new_signing_key;
pub use outcome::{Accepted, Failure, FailureKind, LONGEST_ANSWER};
pub use sender::{Options, Sender};

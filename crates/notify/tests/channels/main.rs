//! Every kind of channel against a real receiver on loopback.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

mod docs;
mod hardships;
mod kinds;
mod mail;
mod pagerduty;
mod pki;
mod receiver;
mod setting;
mod smtp;
mod syslog;
mod webhook;

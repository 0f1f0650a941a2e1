//! Questions answered at once: names and addresses, and everything that is known about one of them.

pub mod asn;
pub mod dns;
pub mod fetch;
pub mod geoip;
pub mod ipcalc;
pub mod oui;
pub mod outbound;
pub mod resource;
pub mod special;
pub mod update;
pub mod whois;

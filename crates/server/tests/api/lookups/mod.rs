//! Questions that the server answers.

mod geoip;
mod ipcalc;
mod mac_oui;
mod resource;
mod updates;
mod whois;

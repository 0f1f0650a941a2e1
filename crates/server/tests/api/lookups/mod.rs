//! Questions that the server answers.

mod geoip;
mod ipcalc;
mod resource;

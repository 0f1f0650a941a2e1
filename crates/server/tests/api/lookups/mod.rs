//! Questions that the server answers.

mod ipcalc;
mod resource;

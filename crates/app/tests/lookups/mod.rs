//! Look-ups in the shell.

mod ipcalc;
mod lookup;

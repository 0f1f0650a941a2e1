//! Look-ups in the shell.

mod ipcalc;

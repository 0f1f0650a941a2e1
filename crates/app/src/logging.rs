//! What the program says about itself: to standard error, so that standard output stays for answers.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::log::{Format, Log};

/// Starts writing lines as the configuration says.
pub fn start(log: &Log) {
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let base = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start, as in tests, keeps the first.
    let _ = match log.format {
        Format::Text => base.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init(),
        Format::Json => base.json().with_current_span(false).with_span_list(false).try_init(),
    };
}

/// Starts writing only what is wrong, for commands whose answer is their output.
pub fn start_quiet() {
    start(&Log { filter: "warn".into(), format: Format::Text });
}

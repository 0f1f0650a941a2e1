//! The tools, from the shell: on this machine, or with `--from` through a server.
//!
//! A tool's options are those of its definition, so a new tool has its command without a line here. What is
//! shown while it measures is a [`view::View`]; a tool without one of its own shows its payload.

mod finish;
mod flags;
mod local;
mod many;
mod mtr_table;
mod ping_lines;
mod places;
mod remote;
mod screen;
mod sweep_progress;
mod tcp_lines;
mod view;
mod waiting;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use clap::ArgMatches;
use clap::parser::ValueSource;
use netwark_lookup::dns::client::endpoint::Named;
use netwark_model::tools::dns::DnsOptions;
use netwark_model::tools::{ToolDefinition, args};
use serde_json::Value;

use self::flags::Shared;
pub use self::flags::{command, habits, selector};
pub use self::many::through as run_many;
pub use self::remote::run as run_from;
use crate::failure::{Failure, Outcome};
use crate::{logging, output};

/// What is to be measured and how it is to be shown.
#[derive(Clone, Debug)]
pub struct Job {
    /// Name of the tool.
    pub tool: &'static str,
    /// All options with their values.
    pub options: Value,
    /// What is shared by all tools.
    pub shared: Shared,
}

impl Job {
    /// A job whose target and options have been checked.
    pub fn new(tool: &'static str, target: &str, options: Value, matches: &ArgMatches) -> Self {
        Self { tool, options, shared: Shared::new(target.to_owned(), None, matches) }
    }

    /// True when a live table is to be drawn: `mtr` for a person at a terminal.
    pub fn wants_table(&self) -> bool {
        self.tool == "mtr" && !self.shared.json && !self.shared.report && output::is_terminal()
    }
}

/// Runs a tool.
///
/// # Errors
/// When options or target are not understood, or it could not be measured.
pub fn run(tool: &ToolDefinition, matches: &ArgMatches) -> Outcome {
    logging::start_quiet();
    let checked = tool.check_matches(matches);
    // A flag that is refused has its own reason, which says more than that its value is wrong.
    let shared = flags::read(tool, matches, checked.as_ref().ok())?;
    let checked = checked.map_err(|errors| {
        let lines: Vec<_> =
            errors.iter().map(|e| format!("{}: {}", flag_of(&e.name), e.description)).collect();
        Failure::Usage(lines.join("\n"))
    })?;
    check_nameserver(&checked.typed)?;
    let mut job = Job { tool: tool.text.name, options: checked.typed, shared };
    if job.wants_table() && matches.value_source("cycles") == Some(ValueSource::DefaultValue) {
        run_on(&mut job.options);
    }
    let wrong = job.shared.wrong;
    let code = super::wait(async move {
        match job.shared.from.clone() {
            _ if !job.shared.more.is_empty() => many::run(job).await,
            None => local::run(&job).await,
            Some(from) => remote::run(&job, from).await,
        }
    })?;
    Ok(if wrong { ExitCode::from(2) } else { code })
}

/// A table is watched until one has seen enough: as many cycles as a measurement may have.
fn run_on(options: &mut Value) {
    let number = |name: &str| options.get(name).and_then(Value::as_u64).unwrap_or_default();
    let (interval, timeout) = (number("interval_ms").max(1), number("timeout_ms"));
    let cycles = (args::LONGEST_MS.saturating_sub(2 * timeout) / interval).clamp(1, 1000);
    options["cycles"] = cycles.into();
}

/// A name server that makes no sense is a mistake of usage, and found before anything is asked.
fn check_nameserver(options: &Value) -> Result<(), Failure> {
    let Ok(DnsOptions { nameserver: Some(text), transport, .. }) = serde_json::from_value(options.clone())
    else {
        return Ok(());
    };
    let named = Named::parse(&text).and_then(|named| named.carrier(transport).map(drop));
    named.map_err(|why| Failure::Usage(format!("nameserver: {why}")))
}

/// The option behind a field of the API, `options.interval_ms`.
fn flag_of(field: &str) -> &str {
    field.strip_prefix("options.").unwrap_or(field)
}

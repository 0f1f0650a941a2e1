//! `netwark doctor`: checks this machine and says what to do.

mod broker;
mod machine;
mod network;
mod storage;

use std::process::ExitCode;

use netwark_worker::Policy;
use serde::Serialize;
use uuid::Uuid;

use crate::config::{Config, Flags};
use crate::failure::Outcome;
use crate::{logging, output};

/// Check this machine and say what to do.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code 1 when something fails; a warning alone is 0.")]
pub struct Args {
    #[command(flatten)]
    flags: Flags,
    /// The broker's URL with a worker's credentials: tries that they allow what a worker needs, and no more
    #[arg(long, value_name = "URL")]
    worker_broker: Option<String>,
    /// The worker these credentials are for [default: the one that is enrolled in the data directory]
    #[arg(long, value_name = "ID", requires = "worker_broker")]
    worker: Option<Uuid>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// All is well.
    Ok,
    /// It works, but less than it could.
    Warn,
    /// It does not work.
    Fail,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it went.
    pub level: Level,
    /// What was found.
    pub found: String,
    /// What to do, a command where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, level: Level::Ok, found: found.into(), remedy: None }
    }

    fn warn(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, level: Level::Warn, found: found.into(), remedy: Some(remedy.into()) }
    }

    fn fail(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, level: Level::Fail, found: found.into(), remedy: Some(remedy.into()) }
    }
}

/// Checks everything.
///
/// # Errors
/// None: what fails is part of the answer.
pub async fn run(args: Args) -> Outcome {
    logging::start_quiet();
    let mut checks = vec![Check::ok("version", env!("CARGO_PKG_VERSION"))];
    let config = match Config::load(&args.flags) {
        Ok(config) => {
            let file = config.file.as_ref().map(|path| path.display().to_string());
            checks.push(Check::ok("configuration", file.unwrap_or_else(|| "no file, defaults count".into())));
            Some(config)
        }
        Err(mistakes) => {
            let remedy = "correct them; docs/configure.md lists every key";
            checks.push(Check::fail("configuration", mistakes.to_string(), remedy));
            None
        }
    };
    checks.extend(machine::checks());
    checks.extend(network::resolver().await);
    if let Some(config) = &config {
        checks.extend(config.server.listen.iter().map(network::place));
        checks.extend(config.server.tls.as_ref().map(network::certificate));
        checks.push(policy(config));
        checks.extend(storage::data_dir(&config.data_dir));
        checks.extend(storage::database(&config.database).await);
        checks.extend(broker::broker(&config.broker).await);
        if let Some(url) = &args.worker_broker {
            checks.extend(
                broker::worker(
                    &config.broker,
                    url,
                    args.worker.or_else(|| broker::enrolled(&config.data_dir)),
                )
                .await,
            );
        }
    }
    match args.json {
        true => output::json(&checks),
        false => output::lines(checks.iter().map(line)),
    }
    let failed = checks.iter().any(|check| check.level == Level::Fail);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What the embedded worker may touch.
fn policy(config: &Config) -> Check {
    let policy = config.worker.policy_file.as_deref().map_or_else(Policy::default, Policy::from_file);
    match policy.broken_reason() {
        Some(reason) => Check::fail("targets", format!("nothing is allowed: {reason}"), "correct the list"),
        None => Check::ok("targets", policy.describe()),
    }
}

fn line(check: &Check) -> String {
    let word = match check.level {
        Level::Ok => "ok  ",
        Level::Warn => "warn",
        Level::Fail => "FAIL",
    };
    let mut text = format!("{word}  {:<14} {}", check.name, check.found);
    if let Some(remedy) = &check.remedy {
        text.push_str(&format!("\n{:21}-> {remedy}", ""));
    }
    text
}

//! `netwark config`: check and show the configuration.

use std::process::ExitCode;

use serde_json::json;

use crate::config::layers::{Effective, Mistakes};
use crate::config::{Config, Flags, keys};
use crate::failure::Outcome;
use crate::output;

/// Check and show the configuration.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Tell every mistake, with its key, where it stands and what is allowed
    Check(Common),
    /// Print every key with its value and where that comes from; secrets are hidden
    Show(Common),
    /// Print a file with every key, its default and what it does, to begin with
    Example,
}

#[derive(Debug, clap::Args)]
struct Common {
    #[command(flatten)]
    flags: Flags,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Checks or shows it.
///
/// # Errors
/// Every mistake in the configuration.
pub fn run(args: &Args) -> Outcome {
    let (common, show) = match &args.action {
        Action::Check(common) => (common, false),
        Action::Show(common) => (common, true),
        Action::Example => {
            output::lines(example());
            return Ok(ExitCode::SUCCESS);
        }
    };
    let config = match Config::load(&common.flags) {
        Ok(config) => config,
        Err(mistakes) if common.json => {
            output::json(&mistakes_json(&mistakes));
            return Ok(ExitCode::from(2));
        }
        Err(mistakes) => return Err(mistakes.into()),
    };
    match (show, common.json) {
        (false, false) => output::line(match &config.file {
            Some(path) => format!("the configuration is fine; it was read from {}", path.display()),
            None => "the configuration is fine; there is no file, so defaults and environment count".into(),
        }),
        (false, true) => output::json(&json!({ "file": config.file, "mistakes": [] })),
        (true, false) => output::lines(toml_lines(&config.effective)),
        (true, true) => output::json(&config.effective.iter().map(effective_json).collect::<Vec<_>>()),
    }
    Ok(ExitCode::SUCCESS)
}

/// The values as a file that could be read again, each with its origin.
fn toml_lines(effective: &[Effective]) -> Vec<String> {
    effective
        .iter()
        .map(|e| match e.value.is_empty() {
            true => format!("# {} is not set", e.key),
            false => format!("{} = {}  # {}", e.key, e.value, e.origin),
        })
        .collect()
}

/// A file with every key as a comment.
fn example() -> Vec<String> {
    let mut lines = vec![
        "# The configuration of netwark. Every line that sets a key is a comment: these are the defaults."
            .into(),
    ];
    let mut section = "";
    for key in keys() {
        let (of, name) = key.name.split_once('.').unwrap_or(("", key.name));
        lines.push(String::new());
        if section != of && !of.is_empty() {
            lines.extend([format!("[{of}]"), String::new()]);
        }
        section = of;
        lines.push(format!("# {}", key.about));
        lines.push(format!(
            "# It takes {}. Default: {}. Environment: {}.",
            key.takes,
            key.default,
            key.variable()
        ));
        lines.push(match key.name {
            "queues" => {
                "# [[queues]]\n# name = \"paris\"\n# label = \"Paris office\"\n# broadcast = true".into()
            }
            _ => format!("# {name} ="),
        });
    }
    lines
}

fn effective_json(effective: &Effective) -> serde_json::Value {
    json!({ "key": effective.key, "value": effective.value, "origin": effective.origin.to_string() })
}

fn mistakes_json(Mistakes(mistakes): &Mistakes) -> serde_json::Value {
    let all =
        mistakes.iter().map(|m| json!({ "key": m.key, "origin": m.origin.to_string(), "text": m.text }));
    json!({ "mistakes": all.collect::<Vec<_>>() })
}

//! `netwark subscriptions`: who is told of what.

use std::collections::HashMap;
use std::process::ExitCode;

use serde_json::Value;

use super::table::Table;
use super::text;
use crate::api::At;
use crate::failure::{Failure, Outcome};
use crate::{logging, output};

/// List subscriptions: which events are told, and over which channels; through a server.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List subscriptions
    List(At),
}

/// Lists subscriptions.
///
/// # Errors
/// Those of the server.
pub async fn run(args: Args) -> Outcome {
    logging::start_quiet();
    let Action::List(at) = args.action;
    list(&at).await?;
    Ok(ExitCode::SUCCESS)
}

async fn list(at: &At) -> Result<(), Failure> {
    let api = at.api()?;
    let subscriptions: Vec<Value> = api.get("subscriptions").await?;
    if at.json {
        output::json(&subscriptions);
        return Ok(());
    }
    let channels: Vec<Value> = api.get("channels").await?;
    let names: HashMap<&str, &str> =
        channels.iter().map(|channel| (text(channel, "id"), text(channel, "name"))).collect();
    let mut table = Table::new(["NAME", "STATE", "SEVERITIES", "KINDS", "CHANNELS", "ID"]);
    for subscription in &subscriptions {
        let is_on = subscription.get("enabled").and_then(Value::as_bool) == Some(true);
        let channels = words(subscription, "channels");
        let channels: Vec<&str> = channels.iter().map(|id| names.get(id).copied().unwrap_or("?")).collect();
        let listed = |name: &str| {
            let words = words(subscription, name);
            if words.is_empty() { "all".to_owned() } else { words.join(", ") }
        };
        table.row([
            text(subscription, "name").into(),
            if is_on { "on" } else { "off" }.into(),
            listed("severities"),
            listed("kinds"),
            channels.join(", "),
            text(subscription, "id").into(),
        ]);
    }
    table.print();
    Ok(())
}

fn words<'v>(value: &'v Value, name: &str) -> Vec<&'v str> {
    value.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

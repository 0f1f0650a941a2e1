//! `netwark channels`: where notices go, and what became of them.

mod edit;
mod secrets;
mod settings;

use std::process::ExitCode;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::table::Table;
use super::{counted, done, number, text};
use crate::api::{Api, At};
use crate::failure::{Failure, Outcome};
use crate::output::shown;
use crate::{logging, output};

/// List, make, change and try channels, and tell what became of notices; through a server.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List channels with their state
    List(At),
    /// Show a channel and how it is set up; secrets are never shown
    Show(Named),
    /// Make a channel; its secrets are asked for, or read from standard input or files
    #[command(alias = "create")]
    Add(Box<edit::Add>),
    /// Change a channel; what is not named stays
    Edit(Box<edit::Edit>),
    /// Delete a channel and the log of its deliveries; asks
    #[command(alias = "delete")]
    Remove(edit::Remove),
    /// Send a test over a channel and tell what the other side says; exit code 1 when it does not take it
    Test(Named),
    /// Show the latest notices and what became of them
    Deliveries(Deliveries),
    /// Send a notice again that was given up, or try one now that waits; or all of a channel
    Retry(Retry),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// Its name or id
    channel: String,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, clap::Args)]
struct Deliveries {
    /// Only those to this channel, by name or id
    channel: Option<String>,
    /// Only those that are so far
    #[arg(long, value_parser = ["gathering", "due", "held", "delivered", "dead"])]
    status: Option<String>,
    /// How many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1000))]
    limit: u64,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, clap::Args)]
struct Retry {
    /// Its id, as `netwark channels deliveries` shows it, or a channel by name
    #[arg(value_name = "DELIVERY|CHANNEL")]
    what: String,
    #[command(flatten)]
    at: At,
}

/// Lists, makes, changes and tries channels.
///
/// # Errors
/// Those of the server, and of what was typed.
pub async fn run(args: Args) -> Outcome {
    logging::start_quiet();
    match args.action {
        Action::List(at) => list(&at).await?,
        Action::Show(named) => edit::show(&named).await?,
        Action::Add(args) => edit::add(*args).await?,
        Action::Edit(args) => edit::edit(*args).await?,
        Action::Remove(args) => edit::remove(&args).await?,
        Action::Test(named) => return test(&named).await,
        Action::Deliveries(args) => deliveries(&args).await?,
        Action::Retry(args) => retry(&args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A time of the API to the second, or what stands for none.
pub(super) fn time(value: &Value, name: &str, none: &str) -> String {
    let read = text(value, name).parse::<jiff::Timestamp>();
    read.map_or_else(|_| none.to_owned(), |time| format!("{time:.0}"))
}

/// How a channel is doing, as the page says it.
fn state(channel: &Value) -> &'static str {
    let failing = channel.get("failing").and_then(Value::as_bool) == Some(true);
    match (failing, number(channel, "failures"), text(channel, "delivered_at")) {
        (true, ..) => "failing",
        (false, 1.., _) => "failed last",
        (false, 0, "") => "not used yet",
        (false, 0, _) => "works",
    }
}

async fn list(at: &At) -> Result<(), Failure> {
    let channels: Vec<Value> = at.api()?.get("channels").await?;
    if at.json {
        output::json(&channels);
        return Ok(());
    }
    let mut table = Table::new(["NAME", "KIND", "STATE", "WAITING", "LAST DELIVERED", "ID", "ERROR"]);
    for channel in &channels {
        table.row([
            text(channel, "name").into(),
            text(channel, "kind").into(),
            state(channel).into(),
            number(channel, "waiting").to_string(),
            time(channel, "delivered_at", "never"),
            text(channel, "id").into(),
            text(channel, "error").into(),
        ]);
    }
    table.print();
    Ok(())
}

/// The channel of this name or id.
pub(super) async fn find(api: &Api, named: &str) -> Result<Value, Failure> {
    let channels: Vec<Value> = api.get("channels").await?;
    let fits = |channel: &Value| {
        text(channel, "id") == named || text(channel, "name").to_lowercase() == named.to_lowercase()
    };
    channels.into_iter().find(fits).ok_or_else(|| {
        Failure::Failed(format!("there is no channel '{}'; 'netwark channels list' shows all", shown(named)))
    })
}

async fn retry(args: &Retry) -> Result<(), Failure> {
    let api = args.at.api()?;
    if let Ok(delivery) = Uuid::try_parse(&args.what) {
        let answer: Value = api.post(&format!("deliveries/{delivery}/retry"), &json!({})).await?;
        let told = format!("it is sent again over {}", shown(text(&answer, "channel")));
        done(args.at.json, &answer, &told);
        return Ok(());
    }
    let channel = find(&api, &args.what).await?;
    let answer: Value = api.post(&format!("channels/{}/retry", text(&channel, "id")), &json!({})).await?;
    let notices = number(&answer, "notices");
    let told = match notices {
        0 => format!("nothing that {} has failed to deliver waits", shown(text(&channel, "name"))),
        1 => "1 notice is sent again".into(),
        _ => format!("{notices} notices are sent again"),
    };
    done(args.at.json, &answer, &told);
    Ok(())
}

async fn test(named: &Named) -> Outcome {
    let api = named.at.api()?;
    let channel = find(&api, &named.channel).await?;
    let path = format!("channels/{}/test", text(&channel, "id"));
    let answer: Value = api.post(&path, &json!({})).await?;
    let is_delivered = text(&answer, "status") == "delivered";
    let (told, said) = match is_delivered {
        true => ("took it", text(&answer, "answer")),
        false => ("did not take it", text(&answer, "error")),
    };
    let said = super::table::plain(said);
    let said = if said.is_empty() { said } else { format!(": {said}") };
    done(named.at.json, &answer, &format!("{} {told}{said}", shown(text(&answer, "channel"))));
    Ok(if is_delivered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn deliveries(args: &Deliveries) -> Result<(), Failure> {
    let api = args.at.api()?;
    let mut query = vec![("per_page", args.limit.to_string())];
    if let Some(named) = &args.channel {
        query.push(("channel", text(&find(&api, named).await?, "id").to_owned()));
    }
    query.extend(args.status.clone().map(|status| ("status", status)));
    let answer: Vec<Value> = api.answer(api.request(Method::GET, "deliveries").query(&query)).await?;
    if args.at.json {
        output::json(&answer);
        return Ok(());
    }
    let mut table = Table::new(["OPENED", "STATUS", "CHANNEL", "TRIES", "TELLS", "ID", "ERROR"]);
    for delivery in &answer {
        let is_test = delivery.get("test").and_then(Value::as_bool) == Some(true);
        table.row([
            time(delivery, "opened_at", ""),
            text(delivery, "status").into(),
            text(delivery, "channel").into(),
            number(delivery, "attempts").to_string(),
            if is_test { "a test".into() } else { counted(number(delivery, "events"), "event", "events") },
            text(delivery, "id").into(),
            text(delivery, "error").into(),
        ]);
    }
    table.print();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_as_its_latest_tries_were() {
        for (failing, failures, delivered_at, told) in [
            (true, 3, json!("2026-11-26T08:00:00Z"), "failing"),
            (false, 1, json!("2026-11-26T08:00:00Z"), "failed last"),
            (false, 0, json!("2026-11-26T08:00:00Z"), "works"),
            (false, 0, Value::Null, "not used yet"),
        ] {
            let channel = json!({ "failing": failing, "failures": failures, "delivered_at": delivered_at });
            assert_eq!(state(&channel), told);
        }
    }
}

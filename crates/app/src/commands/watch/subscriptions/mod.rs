//! `netwark subscriptions`: who is told of what.

mod rules;

use std::collections::HashMap;
use std::process::ExitCode;

use reqwest::Method;
use serde_json::{Map, Value, json};

use self::rules::{RulesFlags, channel_ids};
use super::channels::time;
use super::table::{Table, facts};
use super::{confirm, counted, done, number, text};
use crate::api::{Api, At};
use crate::failure::{Failure, Outcome};
use crate::output::shown;
use crate::{logging, output};

/// List, make and change subscriptions: which events are told, over which channels; through a server.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List subscriptions
    List(At),
    /// Make a subscription; it hears of what happens from now on
    #[command(alias = "create")]
    Add(Box<Add>),
    /// Change a subscription; what is not named stays
    Edit(Box<Edit>),
    /// Say what a subscription would have told in the last week, without making or changing it
    Preview(Box<PreviewArgs>),
    /// Delete a subscription; what it has gathered is sent at once
    #[command(alias = "delete")]
    Remove(Remove),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Its name, unique
    name: String,
    /// A channel its notices go to, by name or id; may be given more than once
    #[arg(long = "channel", value_name = "CHANNEL", required = true)]
    channels: Vec<String>,
    /// Do not make notices yet
    #[arg(long)]
    off: bool,
    #[command(flatten)]
    rules: RulesFlags,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, clap::Args)]
struct Edit {
    /// Its name or id
    subscription: String,
    /// Another name
    #[arg(long)]
    name: Option<String>,
    /// A channel its notices go to, instead of those before; may be given more than once
    #[arg(long = "channel", value_name = "CHANNEL")]
    channels: Vec<String>,
    /// Make notices, or with false none
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    enabled: Option<bool>,
    #[command(flatten)]
    rules: RulesFlags,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, clap::Args)]
struct PreviewArgs {
    /// The name or id of the one to begin with; flags change it
    subscription: Option<String>,
    #[command(flatten)]
    rules: RulesFlags,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, clap::Args)]
struct Remove {
    /// Its name or id
    subscription: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    at: At,
}

/// Lists, makes and changes subscriptions.
///
/// # Errors
/// Those of the server, and of what was typed.
pub async fn run(args: Args) -> Outcome {
    logging::start_quiet();
    match args.action {
        Action::List(at) => list(&at).await,
        Action::Add(args) => add(*args).await,
        Action::Edit(args) => edit(*args).await,
        Action::Preview(args) => preview(*args).await,
        Action::Remove(args) => remove(&args).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

/// What a preview takes of a subscription that is there: all it wants to hear of.
const RULES: [&str; 11] = [
    "severities",
    "kinds",
    "networks",
    "devices",
    "workers",
    "text",
    "hours",
    "quiet_hours",
    "alerts_break_quiet",
    "group_for_ms",
    "most_per_hour",
];

/// The subscription of this name or id.
async fn find(api: &Api, named: &str) -> Result<Value, Failure> {
    let subscriptions: Vec<Value> = api.get("subscriptions").await?;
    let fits =
        |one: &Value| text(one, "id") == named || text(one, "name").to_lowercase() == named.to_lowercase();
    subscriptions.into_iter().find(fits).ok_or_else(|| {
        let named = shown(named);
        Failure::Failed(format!("there is no subscription '{named}'; 'netwark subscriptions list' shows all"))
    })
}

async fn add(args: Add) -> Result<(), Failure> {
    let api = args.at.api()?;
    let mut fields = args.rules.fields(&api).await?;
    fields.insert("name".into(), args.name.into());
    fields.insert("channels".into(), channel_ids(&api, &args.channels).await?);
    fields.insert("enabled".into(), (!args.off).into());
    let answer: Value = api.post("subscriptions", &fields).await?;
    let told = match args.off {
        false => "tells what happens from now on",
        true => "is there; 'netwark subscriptions edit --enabled' lets it tell what happens",
    };
    done(args.at.json, &answer, &format!("{} {told}", shown(text(&answer, "name"))));
    Ok(())
}

async fn edit(args: Edit) -> Result<(), Failure> {
    let api = args.at.api()?;
    let subscription = find(&api, &args.subscription).await?;
    let mut fields = args.rules.fields(&api).await?;
    fields.extend(args.name.map(|name| ("name".to_owned(), name.into())));
    fields.extend(args.enabled.map(|enabled| ("enabled".to_owned(), enabled.into())));
    if !args.channels.is_empty() {
        fields.insert("channels".into(), channel_ids(&api, &args.channels).await?);
    }
    if fields.is_empty() {
        return Err(Failure::Usage("nothing to change was named; --help tells what can be".into()));
    }
    let path = format!("subscriptions/{}", text(&subscription, "id"));
    let answer: Value = api.answer(api.request(Method::PATCH, &path).json(&fields)).await?;
    done(args.at.json, &answer, &format!("{} is changed", shown(text(&answer, "name"))));
    Ok(())
}

async fn preview(args: PreviewArgs) -> Result<(), Failure> {
    let api = args.at.api()?;
    let mut fields = Map::new();
    if let Some(named) = &args.subscription {
        let subscription = find(&api, named).await?;
        let known =
            RULES.iter().filter_map(|name| Some(((*name).to_owned(), subscription.get(*name)?.clone())));
        fields.extend(known);
    }
    fields.extend(args.rules.fields(&api).await?);
    let answer: Value = api.post("subscriptions/preview", &fields).await?;
    if args.at.json {
        output::json(&answer);
        return Ok(());
    }
    let latest = answer.get("latest").and_then(Value::as_array).into_iter().flatten();
    let latest = latest.map(|event| format!("{} {}", time(event, "at", ""), text(event, "text")));
    let events = counted(number(&answer, "events"), "event", "events");
    let notices = counted(number(&answer, "notices"), "notice", "notices");
    facts(
        &format!("{events} in {notices} to each channel"),
        &[("since", time(&answer, "since", "")), ("the latest", latest.collect::<Vec<_>>().join("\n"))],
    );
    Ok(())
}

async fn remove(args: &Remove) -> Result<(), Failure> {
    let api = args.at.api()?;
    let subscription = find(&api, &args.subscription).await?;
    let (id, name) = (text(&subscription, "id"), shown(text(&subscription, "name")));
    confirm(&format!("Delete {name}? What it has gathered is sent at once."), args.yes)?;
    api.send(api.request(Method::DELETE, &format!("subscriptions/{id}"))).await?;
    done(args.at.json, &json!({ "id": id }), &format!("{name} is deleted"));
    Ok(())
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

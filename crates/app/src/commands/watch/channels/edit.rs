//! Making, changing and deleting channels.

use netwark_model::channels::{ChannelConfig, ChannelKind};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::super::table::facts;
use super::super::{confirm, counted, done, number, text};
use super::secrets::Given;
use super::settings::{Settings, kind};
use super::{Named, find, state, time};
use crate::api::At;
use crate::failure::Failure;
use crate::output;
use crate::output::shown;

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// Its name, unique
    name: String,
    /// What kind it is: mail, webhook, slack, teams, discord, telegram, matrix, ntfy, gotify, pagerduty or syslog
    #[arg(value_parser = kind)]
    kind: ChannelKind,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    secrets: Given,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, clap::Args)]
pub(super) struct Edit {
    #[command(flatten)]
    named: Named,
    /// Another name
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    secrets: Given,
    /// A secret to take away; may be given more than once
    #[arg(long, value_name = "NAME")]
    no_secret: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Remove {
    #[command(flatten)]
    named: Named,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn show(named: &Named) -> Result<(), Failure> {
    let channel = find(&named.at.api()?, &named.channel).await?;
    if named.at.json {
        output::json(&channel);
        return Ok(());
    }
    let words = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    let config = channel.get("config").and_then(Value::as_object).into_iter().flatten();
    let config = config.filter(|(name, value)| *name != "kind" && !value.is_null());
    let secrets = channel.get("secrets").map(words).unwrap_or_default();
    let mut told = vec![
        ("kind", text(&channel, "kind").to_owned()),
        ("state", state(&channel).to_owned()),
        ("leads to", text(&channel, "leads_to").to_owned()),
    ];
    told.extend(config.map(|(name, value)| (name.as_str(), words(value))));
    told.extend([
        ("secrets", secrets),
        ("waiting", counted(number(&channel, "waiting"), "notice", "notices")),
        ("last delivered", time(&channel, "delivered_at", "never")),
        ("last failed", time(&channel, "failed_at", "never")),
        ("error", text(&channel, "error").to_owned()),
        ("made", format!("{} by {}", time(&channel, "created_at", ""), text(&channel, "created_by"))),
        ("id", text(&channel, "id").to_owned()),
    ]);
    facts(text(&channel, "name"), &told);
    Ok(())
}

pub(super) async fn add(args: Add) -> Result<(), Failure> {
    let api = args.at.api()?;
    let mut config = Map::new();
    config.insert("kind".into(), args.kind.as_str().into());
    args.settings.apply(&mut config)?;
    let read = understood(&config)?;
    let secrets = args.secrets.read(Some(&read))?;
    let fields = json!({ "name": args.name, "config": config, "secrets": secrets });
    let answer: Value = api.post("channels", &fields).await?;
    let name = shown(text(&answer, "name"));
    let told =
        format!("{name} is there; 'netwark channels test' tries it, and subscriptions say what it tells");
    done(args.at.json, &answer, &(told + &key(&answer)));
    Ok(())
}

pub(super) async fn edit(args: Edit) -> Result<(), Failure> {
    let api = args.named.at.api()?;
    let channel = find(&api, &args.named.channel).await?;
    let mut fields = Map::new();
    fields.extend(args.name.map(|name| ("name".to_owned(), name.into())));
    // They are one field of the API, and those that are not named stay.
    let mut config = channel.get("config").and_then(Value::as_object).cloned().unwrap_or_default();
    if args.settings.apply(&mut config)? {
        understood(&config)?;
        fields.insert("config".into(), config.into());
    }
    if !args.secrets.is_empty() || !args.no_secret.is_empty() {
        let mut secrets = args.secrets.read(None)?;
        secrets.extend(args.no_secret.into_iter().map(|name| (name, Value::Null)));
        fields.insert("secrets".into(), secrets.into());
    }
    if fields.is_empty() {
        return Err(Failure::Usage("nothing to change was named; --help tells what can be".into()));
    }
    let path = format!("channels/{}", text(&channel, "id"));
    let answer: Value = api.answer(api.request(Method::PATCH, &path).json(&fields)).await?;
    let told = format!("{} is changed", shown(text(&answer, "name")));
    done(args.named.at.json, &answer, &(told + &key(&answer)));
    Ok(())
}

pub(super) async fn remove(args: &Remove) -> Result<(), Failure> {
    let api = args.named.at.api()?;
    let channel = find(&api, &args.named.channel).await?;
    let name = shown(text(&channel, "name"));
    let waiting = counted(number(&channel, "waiting"), "notice that waits", "notices that wait");
    confirm(&format!("With {name} go {waiting}, and the log of its deliveries. Delete it?"), args.yes)?;
    api.send(api.request(Method::DELETE, &format!("channels/{}", text(&channel, "id")))).await?;
    done(args.named.at.json, &json!({ "id": text(&channel, "id") }), &format!("{name} is deleted"));
    Ok(())
}

/// A key that was made just now, which is not shown again.
fn key(answer: &Value) -> String {
    match text(answer, "signing_key") {
        "" => String::new(),
        key => format!("\nIts signing key is shown this once: {}", shown(key)),
    }
}

/// The set-up as the server will read it.
fn understood(config: &Map<String, Value>) -> Result<ChannelConfig, Failure> {
    serde_json::from_value(Value::Object(config.clone())).map_err(|error| {
        let kind = config.get("kind").and_then(Value::as_str).unwrap_or_default();
        Failure::Usage(format!(
            "this is no channel of the kind {kind}: {error}; the flags are named alike, but --host for server"
        ))
    })
}

//! `netwark access-list`: which hardware addresses are known, and which should not be there.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::civil::Date;
use netwark_model::watch::access::{AccessAction, AccessEntry, MacPattern};
use reqwest::Method;
use serde_json::{Value, json};

use super::table::{Table, plain};
use super::{counted, done, find, number, text, typed};
use crate::api::{Api, At};
use crate::failure::{Failure, Outcome};
use crate::{logging, output};

/// Most bytes of a file; the server takes no more.
const LARGEST: u64 = 4 << 20;

/// List, add, remove, import and export entries of the access list; through a server.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List entries
    List(List),
    /// Allow or deny a hardware address, or all that begin alike
    #[command(alias = "create")]
    Add(Add),
    /// Remove an entry
    #[command(alias = "delete")]
    Remove(Remove),
    /// Add entries from a CSV file; - reads standard input
    Import(Import),
    /// Print the whole list as CSV, as import reads it
    Export(At),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only for a hardware address that begins like this, or with this in the note
    text: Option<String>,
    /// Only those that hold on the network of this name or id
    #[arg(long)]
    network: Option<String>,
    /// Only those that say this
    #[arg(long, value_parser = ["allow", "deny"])]
    action: Option<String>,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: netwark access-list add allow 00:00:5e:00:53:01 --note 'laptop of Anna' --expires 2027-01-31"
)]
struct Add {
    /// What the entry says: allow or deny
    #[arg(value_parser = ["allow", "deny"])]
    action: String,
    /// A hardware address in any notation, or its first 6 to 11 digits for a vendor
    mac: String,
    /// Why
    #[arg(long)]
    note: Option<String>,
    /// A network it holds on, by name or id; may be given more than once, all when left out
    #[arg(long = "network", value_name = "NETWORK")]
    networks: Vec<String>,
    /// When it ceases to hold: a time, or a day, at whose end in the server's time zone it does
    #[arg(long, value_name = "TIME", value_parser = end)]
    expires: Option<String>,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, clap::Args)]
struct Remove {
    /// Its hardware address or id
    entry: String,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The first line names the columns: mac, and action, note, networks (names with | between them) and \
                  expires_at. Exit code 1 when some lines could not be taken over."
)]
struct Import {
    /// The file
    file: PathBuf,
    /// Only tell which lines are wrong
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    at: At,
}

/// When an entry ends: a length of time would be one that has passed.
fn end(text: &str) -> Result<String, String> {
    match text.parse::<Date>().is_ok() || text.parse::<Timestamp>().is_ok() {
        true => Ok(text.to_owned()),
        false => Err("write a time such as 2027-01-31T18:00:00Z, or a day such as 2027-01-31".into()),
    }
}

/// Lists and changes the access list.
///
/// # Errors
/// Those of the server, of files, and of what was typed.
pub async fn run(args: Args) -> Outcome {
    logging::start_quiet();
    match args.action {
        Action::List(args) => list(args).await?,
        Action::Add(args) => add(args).await?,
        Action::Remove(args) => remove(&args).await?,
        Action::Import(args) => return import(&args).await,
        Action::Export(at) => export(&at).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(args: List) -> Result<(), Failure> {
    let api = args.at.api()?;
    let network = match &args.network {
        Some(named) => Some(find::network(&api, named).await?.id.to_string()),
        None => None,
    };
    let asked = [("q", args.text), ("network", network), ("action", args.action)];
    let query: Vec<_> = asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let answer = api.list("access-list", &query).await?;
    if args.at.json {
        output::json(&answer);
        return Ok(());
    }
    let names = find::network_names(&api).await?;
    let mut table = Table::new(["MAC", "ACTION", "NETWORKS", "EXPIRES", "VENDOR", "NOTE", "ID"]);
    for entry in &answer {
        let entry: AccessEntry = typed(entry)?;
        let networks: Vec<&str> =
            entry.networks.iter().map(|id| names.get(id).map_or("?", String::as_str)).collect();
        table.row([
            entry.mac.to_string(),
            entry.action.as_str().into(),
            if networks.is_empty() { "all".into() } else { networks.join(", ") },
            entry.expires_at.map_or_else(|| "never".into(), |at| format!("{at:.0}")),
            entry.vendor.unwrap_or_default(),
            entry.note,
            entry.id.to_string(),
        ]);
    }
    table.print();
    Ok(())
}

async fn add(args: Add) -> Result<(), Failure> {
    let api = args.at.api()?;
    let mut networks = Vec::new();
    for named in &args.networks {
        networks.push(find::network(&api, named).await?.id);
    }
    let body = json!({
        "action": args.action,
        "mac": args.mac,
        "note": args.note,
        "networks": networks,
        "expires_at": args.expires,
    });
    let answer: Value = api.post("access-list", &body).await?;
    let entry: AccessEntry = typed(&answer)?;
    done(args.at.json, &answer, &format!("{} is {}", entry.mac, said(entry.action)));
    Ok(())
}

fn said(action: AccessAction) -> &'static str {
    match action {
        AccessAction::Allow => "allowed",
        AccessAction::Deny => "denied",
    }
}

async fn remove(args: &Remove) -> Result<(), Failure> {
    let api = args.at.api()?;
    let entry = entry(&api, &args.entry).await?;
    api.send(api.request(Method::DELETE, &format!("access-list/{}", entry.id))).await?;
    let told = format!("{} is not {} any more", entry.mac, said(entry.action));
    done(args.at.json, &json!(entry), &told);
    Ok(())
}

/// The entry of this id or hardware address.
async fn entry(api: &Api, named: &str) -> Result<AccessEntry, Failure> {
    if let Ok(id) = uuid::Uuid::try_parse(named) {
        return api.get(&format!("access-list/{id}")).await;
    }
    let pattern: MacPattern = named.parse().map_err(|wrong| {
        Failure::Usage(format!("the entry is named by its id or hardware address, which {wrong}"))
    })?;
    let near = api.list("access-list", &[("q", pattern.to_string())]).await?;
    let near: Vec<AccessEntry> = near.iter().map(typed).collect::<Result<_, _>>()?;
    let mut fitting: Vec<AccessEntry> = near.into_iter().filter(|entry| entry.mac == pattern).collect();
    match (fitting.pop(), fitting.len()) {
        (Some(entry), 0) => Ok(entry),
        (None, _) => Err(Failure::Failed(format!("the access list has no entry for {pattern}"))),
        (Some(last), _) => {
            let ids: Vec<String> = fitting.iter().chain([&last]).map(|entry| entry.id.to_string()).collect();
            Err(Failure::Failed(format!(
                "{pattern} has several entries; say which by its id: {}",
                ids.join(", ")
            )))
        }
    }
}

async fn import(args: &Import) -> Outcome {
    let file = read(&args.file)?;
    let api = args.at.api()?;
    let request = api.request(Method::POST, "access-list/import").query(&[("dry_run", args.dry_run)]);
    let answer: Value = api.answer(request.header("Content-Type", "text/csv").body(file)).await?;
    let refused = number(&answer, "refused_count");
    if !args.at.json {
        for line in answer.get("refused").and_then(Value::as_array).into_iter().flatten() {
            let reason = plain(text(line, "reason"));
            output::complain(&format!("line {}: {reason}", number(line, "line")));
        }
    }
    let added = counted(number(&answer, "added"), "entry", "entries");
    let verb = if args.dry_run { "would be added" } else { "added" };
    done(
        args.at.json,
        &answer,
        &format!("{added} {verb}, {} there already, {refused} refused", number(&answer, "known")),
    );
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The text of a file, or of standard input.
fn read(file: &std::path::Path) -> Result<String, Failure> {
    let failed =
        |error: std::io::Error| Failure::Failed(format!("{} cannot be read: {error}", file.display()));
    let mut text = String::new();
    let read = match file.as_os_str() == "-" {
        true => std::io::stdin().lock().take(LARGEST + 1).read_to_string(&mut text),
        false => std::fs::File::open(file).map_err(failed)?.take(LARGEST + 1).read_to_string(&mut text),
    };
    read.map_err(failed)?;
    if text.len() as u64 > LARGEST {
        return Err(Failure::Usage(format!("{} has more than {LARGEST} bytes", file.display())));
    }
    Ok(text)
}

async fn export(at: &At) -> Result<(), Failure> {
    let api = at.api()?;
    match at.json {
        true => output::json(&api.list("access-list", &[]).await?),
        false => {
            let text = api.text(api.request(Method::GET, "access-list.csv")).await?;
            output::line(text.trim_end_matches(['\r', '\n']));
        }
    }
    Ok(())
}

//! `netwark workers`: enrolling and managing workers, directly on the database or through a server.

mod local;
mod remote;

use std::process::ExitCode;

use netwark_model::workers::{Coordinates, Worker};
use netwark_server::workers::input::NewWorker;
use serde::Deserialize;
use serde_json::Value;

use self::local::Local;
use self::remote::Remote;
use crate::api::{Api, not_understood};
use crate::config::Flags;
use crate::failure::{Failure, Outcome};
use crate::{logging, output};

/// Enrol and manage workers; on the database of this machine, beside a running server, or through a server that is named.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List workers
    List(At),
    /// Enrol a worker and print its token, alone and for the only time
    #[command(alias = "create")]
    Add(New),
    /// Print a code that is typed where the worker is started, within 10 minutes
    Pair(New),
    /// Give a worker another token and print it; the one before is of no use any more
    Rotate(Named),
    /// Cut a worker off; its program ends
    Revoke(Named),
    /// Let a worker finish what runs and take nothing new; it hears of it within seconds
    Drain(Drain),
    /// Delete a worker that is not here; what it measured stays
    #[command(alias = "delete")]
    Remove(Named),
}

/// Where the workers are known, and how the answer is printed.
#[derive(Debug, clap::Args)]
struct At {
    /// The server to ask; `NETWARK_TOKEN` holds the token to use. Without it, and with --data-dir or --config, the database
    /// of this machine is used
    #[arg(long, env = "NETWARK_URL", value_name = "URL")]
    server: Option<String>,
    #[command(flatten)]
    flags: Flags,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: --site paris --coordinates 48.86,2.35 --country FR --tag dc")]
struct New {
    /// Its name, unique
    name: String,
    /// The site it stands at, such as paris
    #[arg(long)]
    site: Option<String>,
    /// Where that is, for people
    #[arg(long)]
    location: Option<String>,
    /// Where it stands on the map, as degrees north and east: 48.86,2.35
    #[arg(long, value_name = "LAT,LON", value_parser = coordinates, allow_hyphen_values = true)]
    coordinates: Option<Coordinates>,
    /// Its country, two letters
    #[arg(long)]
    country: Option<String>,
    /// Number of the autonomous system it stands in: 64500 or AS64500
    #[arg(long, value_parser = asn, allow_hyphen_values = true)]
    asn: Option<i64>,
    /// A word to select it by; may be given more than once
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// A queue it listens on, whatever it asks for, and on no other that is not named, netwark and
    /// netwark.broadcast included; may be given more than once
    #[arg(long = "queue", value_name = "QUEUE")]
    queues: Vec<String>,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, clap::Args)]
struct Named {
    /// Its name or id
    worker: String,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, clap::Args)]
struct Drain {
    #[command(flatten)]
    named: Named,
    /// Take work again, whoever wanted it to drain
    #[arg(long)]
    resume: bool,
}

impl New {
    /// What was typed of a new worker.
    fn worker(self) -> NewWorker {
        let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
        NewWorker {
            name: self.name,
            site: self.site,
            location: self.location,
            coordinates: self.coordinates,
            country: self.country,
            asn: self.asn,
            tags: some(self.tags),
            queues: some(self.queues),
            public_key: None,
        }
    }
}

fn coordinates(text: &str) -> Result<Coordinates, String> {
    let place = text.split_once(',').and_then(|(north, east)| {
        Some(Coordinates { latitude: north.trim().parse().ok()?, longitude: east.trim().parse().ok()? })
    });
    let place = place.ok_or("write degrees north and east, as 48.86,2.35")?;
    let wrong: Vec<_> = place.mistakes().map(|(part, wrong)| format!("the {part} {wrong}")).collect();
    if wrong.is_empty() { Ok(place) } else { Err(wrong.join("; ")) }
}

/// A number with or without the letters before it. Its range is checked with everything else.
fn asn(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let digits = text.get(..2).filter(|start| start.eq_ignore_ascii_case("as")).map_or(text, |_| &text[2..]);
    digits.parse().map_err(|_| "write a number from 1 to 4294967295, as 64500 or AS64500".into())
}

/// Where workers are known.
enum Place {
    Here(Box<Local>),
    There(Remote),
}

impl Place {
    async fn of(at: &At) -> Result<Self, Failure> {
        let here = at.flags.data_dir.is_some() || at.flags.config.is_some();
        match at.server.as_deref().filter(|server| !here && !server.is_empty()) {
            Some(server) => Ok(Self::There(Remote::new(Api::new(server.trim_end_matches('/'))?))),
            None => Ok(Self::Here(Box::new(Local::open(&at.flags).await?))),
        }
    }

    /// All workers by name.
    async fn list(&self) -> Result<Value, Failure> {
        match self {
            Self::Here(local) => local.list().await,
            Self::There(remote) => remote.list().await,
        }
    }

    /// The new worker, its token, and commands that start it.
    async fn add(&self, new: New) -> Result<Value, Failure> {
        match self {
            Self::Here(local) => local.add(new).await,
            Self::There(remote) => remote.add(new).await,
        }
    }

    /// The new worker, its code, when that expires, and a command that starts it.
    async fn pair(&self, new: New) -> Result<Value, Failure> {
        match self {
            Self::Here(local) => local.pair(new).await,
            Self::There(remote) => remote.pair(new).await,
        }
    }

    /// The worker, its other token, and commands that start it.
    async fn rotate(&self, named: &str) -> Result<Value, Failure> {
        match self {
            Self::Here(local) => local.rotate(named).await,
            Self::There(remote) => remote.rotate(named).await,
        }
    }

    async fn revoke(&self, named: &str) -> Result<Value, Failure> {
        match self {
            Self::Here(local) => local.revoke(named).await,
            Self::There(remote) => remote.revoke(named).await,
        }
    }

    async fn drain(&self, named: &str, draining: bool) -> Result<Value, Failure> {
        match self {
            Self::Here(local) => local.drain(named, draining).await,
            Self::There(remote) => remote.drain(named, draining).await,
        }
    }

    async fn remove(&self, named: &str) -> Result<Value, Failure> {
        match self {
            Self::Here(local) => local.remove(named).await,
            Self::There(remote) => remote.remove(named).await,
        }
    }

    async fn close(self) {
        if let Self::Here(local) = self {
            local.close().await;
        }
    }
}

/// Enrols and manages workers.
///
/// # Errors
/// Those of the configuration, the database, the server, and of what was typed.
pub async fn run(args: Args) -> Outcome {
    logging::start_quiet();
    let at = match &args.action {
        Action::List(at) => at,
        Action::Add(args) | Action::Pair(args) => &args.at,
        Action::Rotate(args) | Action::Revoke(args) | Action::Remove(args) => &args.at,
        Action::Drain(args) => &args.named.at,
    };
    let place = Place::of(at).await?;
    let outcome = act(&place, args.action).await;
    place.close().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn act(place: &Place, action: Action) -> Result<(), Failure> {
    match action {
        Action::List(at) => show_list(&place.list().await?, at.json)?,
        Action::Add(args) => {
            let as_json = args.at.json;
            show_token(&place.add(args).await?, as_json);
        }
        Action::Pair(args) => {
            let as_json = args.at.json;
            show_code(&place.pair(args).await?, as_json);
        }
        Action::Rotate(args) => show_token(&place.rotate(&args.worker).await?, args.at.json),
        Action::Revoke(args) => {
            let worker = place.revoke(&args.worker).await?;
            done(&worker, args.at.json, "is revoked and cut off; remove it to free its name");
        }
        Action::Drain(args) => {
            let worker = place.drain(&args.named.worker, !args.resume).await?;
            let told = if args.resume { "takes work again" } else { "takes no new work" };
            done(&worker, args.named.at.json, told);
        }
        Action::Remove(args) => {
            let worker = place.remove(&args.worker).await?;
            done(&worker, args.at.json, "is deleted; what it measured stays");
        }
    }
    Ok(())
}

fn show_list(answer: &Value, as_json: bool) -> Result<(), Failure> {
    if as_json {
        output::json(answer);
        return Ok(());
    }
    let workers = Vec::<Worker>::deserialize(answer).map_err(|error| not_understood(&error))?;
    let name = workers.iter().map(|worker| worker.name.chars().count()).max().unwrap_or_default().max(4);
    let site = workers.iter().map(|worker| worker.site.chars().count()).max().unwrap_or_default().max(4);
    output::line(format!(
        "{:name$}  {:8}  {:site$}  {:9}  {:20}  ID",
        "NAME", "STATE", "SITE", "LINK", "LAST SEEN"
    ));
    for worker in workers {
        let seen = worker.last_seen_at.map_or_else(|| "never".into(), |at| format!("{at:.0}"));
        output::line(format!(
            "{:name$}  {:8}  {:site$}  {:9}  {seen:20}  {}",
            worker.name,
            worker.state.as_str(),
            worker.site,
            worker.link,
            worker.id
        ));
    }
    Ok(())
}

/// A text of an answer; empty when it is not there.
fn text<'v>(answer: &'v Value, path: &str) -> &'v str {
    answer.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

fn show_code(answer: &Value, as_json: bool) {
    let (code, command) = (text(answer, "/code"), text(answer, "/command"));
    if as_json {
        output::json(answer);
    } else if output::is_terminal() {
        output::line(format!("The code of {} is good for 10 minutes: {code}", text(answer, "/worker/name")));
        start_with(command);
    } else {
        output::line(code);
    }
}

fn show_token(answer: &Value, as_json: bool) {
    let token = text(answer, "/token");
    if as_json {
        output::json(answer);
    } else if output::is_terminal() {
        output::line(format!("The token of {}, shown this once: {token}", text(answer, "/worker/name")));
        start_with(text(answer, "/commands/shell"));
    } else {
        output::line(token);
    }
}

/// Tells the command that starts a worker, and when it names a server that other machines cannot reach.
fn start_with(command: &str) {
    output::line("Start the worker on its machine with:");
    output::line(format!("  {command}"));
    if ["://127.", "://localhost", "://[::1]"].iter().any(|here| command.contains(here)) {
        output::line("Only this machine reaches the server there; server.public_urls says how others do.");
    }
}

fn unknown(named: &str) -> Failure {
    Failure::Failed(format!(
        "there is no worker '{}'; 'netwark workers list' shows all",
        output::shown(named)
    ))
}

fn done(worker: &Value, as_json: bool, told: &str) {
    match as_json {
        true => output::json(worker),
        false => output::line(format!("{} {told}", text(worker, "/name"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_two_numbers() {
        let place = coordinates("-33.9, 18.4").unwrap();
        assert_eq!((place.latitude, place.longitude), (-33.9, 18.4));
        for wrong in ["", "48.8", "91,0", "0,181", "a,b", "1,2,3", "NaN,0"] {
            assert!(coordinates(wrong).is_err(), "{wrong}");
        }
        let wrong = coordinates("91,-181").unwrap_err();
        assert_eq!(
            wrong,
            "the latitude must be from -90 to 90, got 91; the longitude must be from -180 to 180, got -181"
        );
    }

    #[test]
    fn the_letters_before_a_number_may_be_typed() {
        for text in ["64500", "AS64500", "as64500"] {
            assert_eq!(asn(text), Ok(64500), "{text}");
        }
        for wrong in ["", "AS", "ASAS1", "6.4", "é1"] {
            assert!(asn(wrong).is_err(), "{wrong}");
        }
    }
}

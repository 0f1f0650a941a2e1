//! `netwark workers`: enrolling and managing workers, directly on the database.

use std::process::ExitCode;

use jiff::Timestamp;
use netwark_model::workers::{Coordinates, Worker};
use netwark_server::auth::AuthError;
use netwark_server::workers::commands::{Commands, pair_command};
use netwark_server::workers::enrol;
use netwark_server::workers::input::NewWorker;
use netwark_store::Store;
use netwark_store::notices::Channel;
use serde_json::json;
use uuid::Uuid;

use crate::config::{Config, Flags};
use crate::failure::{Failure, Outcome};
use crate::{logging, output};

/// Who does it, in the timeline.
const BY: &str = "the shell of the server";

/// Enrol and manage workers; works beside a running server.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List workers
    List(List),
    /// Enrol a worker and print its token, alone and for the only time
    Create(New),
    /// Print a code that is typed where the worker is started, within 10 minutes
    Pair(New),
    /// Give a worker another token and print it; the one before is of no use any more
    Rotate(Named),
    /// Cut a worker off; its program ends
    Revoke(Named),
    /// Let a worker finish what runs and take nothing new; it hears of it within seconds
    Drain(Drain),
    /// Delete a worker that is not here; what it measured stays
    Delete(Named),
}

#[derive(Debug, clap::Args)]
struct List {
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
    flags: Flags,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Named {
    /// Its name or id
    worker: String,
    #[command(flatten)]
    flags: Flags,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Drain {
    #[command(flatten)]
    named: Named,
    /// Take work again, whoever wanted it to drain
    #[arg(long)]
    resume: bool,
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

/// Why a worker was not made. What is wrong is named as it was typed: by its flag.
fn not_made(error: AuthError) -> Failure {
    super::auth_failure(match error {
        AuthError::Invalid(mut errors) => {
            for error in &mut errors {
                error.name = flag_of(&error.name);
            }
            AuthError::Invalid(errors)
        }
        other => other,
    })
}

/// The flag behind a field of the API: `--queue` for `queues[0]`.
fn flag_of(field: &str) -> String {
    match field.split(['[', '.']).next().unwrap_or(field) {
        "name" => "name".into(),
        "tags" => "--tag".into(),
        "queues" => "--queue".into(),
        other => format!("--{other}"),
    }
}

/// Enrols and manages workers.
///
/// # Errors
/// Those of the configuration, the database, and of what was typed.
pub async fn run(args: Args) -> Outcome {
    logging::start_quiet();
    let flags = match &args.action {
        Action::List(args) => &args.flags,
        Action::Create(args) | Action::Pair(args) => &args.flags,
        Action::Rotate(args) | Action::Revoke(args) | Action::Delete(args) => &args.flags,
        Action::Drain(args) => &args.named.flags,
    };
    let config = Config::load(flags)?;
    let store = super::open_store(&config).await?;
    let server = config.server.base_url(&config.server.listen);
    let outcome = act(&store, args.action, &config, &server).await;
    store.close().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn act(store: &Store, action: Action, config: &Config, server: &str) -> Result<(), Failure> {
    match action {
        Action::List(args) => list(store, &args).await,
        Action::Create(args) => create(store, args, config, server).await,
        Action::Pair(args) => pair(store, args, config, server).await,
        Action::Rotate(args) => rotate(store, &args, server).await,
        Action::Revoke(args) => {
            let id = find(store, &args.worker).await?.id;
            let revoked = store.revoke_worker(id, BY, Timestamp::now()).await.map_err(Failure::failed)?;
            let (worker, _) = revoked.ok_or_else(|| unknown(&args.worker))?;
            done(store, &args, &worker, "is revoked and cut off; delete it to free its name").await
        }
        Action::Drain(args) => {
            let id = find(store, &args.named.worker).await?.id;
            let drained = store.drain_worker(id, !args.resume, BY, Timestamp::now()).await;
            let worker = drained.map_err(Failure::failed)?.ok_or_else(|| unknown(&args.named.worker))?;
            let told = if args.resume { "takes work again" } else { "takes no new work" };
            done(store, &args.named, &worker, told).await
        }
        Action::Delete(args) => {
            let id = find(store, &args.worker).await?.id;
            let removed = store.remove_worker(id, BY, Timestamp::now()).await.map_err(Failure::failed)?;
            let (worker, _) = removed.ok_or_else(|| unknown(&args.worker))?;
            done(store, &args, &worker, "is deleted; what it measured stays").await
        }
    }
}

async fn list(store: &Store, args: &List) -> Result<(), Failure> {
    let workers = store.workers().await.map_err(Failure::failed)?;
    if args.json {
        output::json(&workers);
        return Ok(());
    }
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

impl New {
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

async fn create(store: &Store, args: New, config: &Config, server: &str) -> Result<(), Failure> {
    let as_json = args.json;
    declare_queues(store, config).await?;
    let (worker, token) = enrol::enrol(store, args.worker(), BY).await.map_err(not_made)?;
    show_token(&worker, token.reveal(), server, as_json);
    Ok(())
}

async fn pair(store: &Store, args: New, config: &Config, server: &str) -> Result<(), Failure> {
    let as_json = args.json;
    declare_queues(store, config).await?;
    let pairing = enrol::start_pairing(store, args.worker(), BY, Timestamp::now()).await;
    let pairing = pairing.map_err(not_made)?;
    let command = pair_command(server, &pairing.code);
    let enrol::Pairing { worker, code, expires_at } = pairing;
    if as_json {
        output::json(
            &json!({ "worker": worker, "code": code, "expires_at": expires_at, "command": command }),
        );
    } else if output::is_terminal() {
        output::line(format!("The code of {} is good for 10 minutes: {code}", worker.name));
        output::line("Start the worker on its machine with:");
        output::line(format!("  {command}"));
        reachable(server);
    } else {
        output::line(code);
    }
    Ok(())
}

async fn rotate(store: &Store, args: &Named, server: &str) -> Result<(), Failure> {
    let id = find(store, &args.worker).await?.id;
    let rotated = enrol::rotate(store, id, BY).await.map_err(Failure::failed)?;
    let (worker, token) = rotated.ok_or_else(|| unknown(&args.worker))?;
    tell_servers(store, id).await;
    show_token(&worker, token.reveal(), server, args.json);
    Ok(())
}

/// A database on which no server has run yet does not know the queues of the configuration.
async fn declare_queues(store: &Store, config: &Config) -> Result<(), Failure> {
    if store.queue_kinds().await.map_err(Failure::failed)?.is_empty() {
        store.declare_queues(&config.queues).await.map_err(Failure::failed)?;
    }
    Ok(())
}

fn show_token(worker: &Worker, token: &str, server: &str, as_json: bool) {
    let commands = Commands::new(server, token);
    if as_json {
        output::json(&json!({ "worker": worker, "token": token, "commands": commands }));
    } else if output::is_terminal() {
        output::line(format!("The token of {}, shown this once: {token}", worker.name));
        output::line("Start the worker on its machine with:");
        output::line(format!("  {}", commands.shell));
        reachable(server);
    } else {
        output::line(token);
    }
}

/// Says when a command names a server that other machines cannot reach.
fn reachable(server: &str) {
    if ["://127.", "://localhost", "://[::1]"].iter().any(|here| server.contains(here)) {
        output::line("Only this machine reaches the server there; server.public_urls says how others do.");
    }
}

/// The worker of this name or id.
async fn find(store: &Store, named: &str) -> Result<Worker, Failure> {
    let mut found = store.worker_named(named).await.map_err(Failure::failed)?;
    if let (None, Ok(id)) = (&found, Uuid::try_parse(named)) {
        found = store.worker(id).await.map_err(Failure::failed)?;
    }
    found.ok_or_else(|| unknown(named))
}

fn unknown(named: &str) -> Failure {
    Failure::Failed(format!("there is no worker '{named}'; 'netwark workers list' shows all"))
}

async fn done(store: &Store, args: &Named, worker: &Worker, told: &str) -> Result<(), Failure> {
    tell_servers(store, worker.id).await;
    match args.json {
        true => output::json(worker),
        false => output::line(format!("{} {told}", worker.name)),
    }
    Ok(())
}

/// Servers on PostgreSQL learn of it at once; on SQLite the running one looks every second.
async fn tell_servers(store: &Store, id: Uuid) {
    if let Err(error) = store.notify(Channel::Workers, &id.to_string()).await {
        tracing::warn!(%error, "servers could not be told; they find out within seconds");
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

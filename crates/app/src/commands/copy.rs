//! `netwark copy`: move an installation from one database to another.

use std::fs::File;
use std::process::ExitCode;
use std::time::Duration;

use netwark_store::copy::{Copied, copy};
use netwark_store::{Leadership, Store, StoreOptions};
use rustix::fs::{FlockOperation, flock};
use serde_json::json;

use crate::config::database;
use crate::failure::{Failure, Outcome};
use crate::{logging, output};

/// Where no server leads it takes one question of the database to lead.
const LEADS_WITHIN: Duration = Duration::from_secs(4);

/// Copy everything from one database into another that is empty. Stop the server before.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: netwark copy --from sqlite:///var/lib/netwark/netwark.db --to postgres://netwark@db/netwark"
)]
pub struct Args {
    /// The database to read, at the schema of this version; it is not changed
    #[arg(long, value_name = "URL", value_parser = url, env = "NETWARK_COPY_FROM", hide_env_values = true)]
    from: String,
    /// The database to fill: a SQLite file that does not exist, or an empty one of PostgreSQL
    #[arg(long, value_name = "URL", value_parser = url, env = "NETWARK_COPY_TO", hide_env_values = true)]
    to: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn url(text: &str) -> Result<String, String> {
    match database::is_known(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(wrong) => Err(format!("{wrong}; it takes {}", database::URL.takes)),
    }
}

/// Copies.
///
/// # Errors
/// Those of either database, a source that is served, and a target that is not empty.
pub async fn run(args: Args) -> Outcome {
    logging::start_quiet();
    if args.from == args.to {
        return Err(Failure::Usage("--from and --to name the same database".into()));
    }
    let _locks = [hold(&args.from)?, hold(&args.to)?];
    if let Some(file) = database::file(&args.from).filter(|file| !file.exists()) {
        return Err(Failure::Failed(format!("the database {} does not exist", file.display())));
    }
    let from = StoreOptions { migrate: false, ..StoreOptions::new(&args.from) };
    let from = Store::open(&from).await.map_err(Failure::failed)?;
    let _leadership = lead(&from).await?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let to = Store::open(&StoreOptions::new(&args.to)).await.map_err(Failure::failed)?;
    let copied = copy(&from, &to).await;
    let places = (from.place().to_owned(), to.place().to_owned());
    to.close().await;
    from.close().await;
    let copied = copied.map_err(Failure::failed)?;
    match args.json {
        true => output::json(&json!({ "from": places.0, "to": places.1, "tables": tables(&copied) })),
        false => tell(&copied, &places.1),
    }
    Ok(ExitCode::SUCCESS)
}

fn tables(copied: &[Copied]) -> serde_json::Map<String, serde_json::Value> {
    copied.iter().map(|copied| (copied.table.to_owned(), copied.rows.into())).collect()
}

fn tell(copied: &[Copied], place: &str) {
    let width = copied.iter().map(|copied| copied.table.len()).max().unwrap_or_default();
    output::lines(copied.iter().map(|copied| format!("{:width$}  {:>10}", copied.table, copied.rows)));
    let rows: u64 = copied.iter().map(|copied| copied.rows).sum();
    output::line(format!("{rows} rows are in {place}, as many as were read."));
    output::line(
        "Every server on it needs the same secret.key: keep the file of the installation you leave.",
    );
}

/// Leads in the place of a server, of which one always leads where there are any.
async fn lead(store: &Store) -> Result<Leadership, Failure> {
    let leadership = store.leadership();
    let mut leads = leadership.watch();
    let told = tokio::time::timeout(LEADS_WITHIN, leads.wait_for(|leads| *leads)).await;
    if !told.is_ok_and(|told| told.is_ok()) {
        return Err(Failure::Failed(format!(
            "a server uses {}; stop every server on it before it is copied",
            store.place()
        )));
    }
    Ok(leadership)
}

/// Holds the lock that a server on this file would hold: that of the directory it is in. The lock lives as long
/// as the file. A directory without one has never had a server.
fn hold(url: &str) -> Result<Option<File>, Failure> {
    let Some(file) = database::file(url) else { return Ok(None) };
    let Some(lock) = file.parent().map(|directory| directory.join("lock")) else { return Ok(None) };
    let Ok(lock) = File::open(lock) else { return Ok(None) };
    flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
        Failure::Failed(format!("a server uses {}; stop it before its database is copied", file.display()))
    })?;
    Ok(Some(lock))
}

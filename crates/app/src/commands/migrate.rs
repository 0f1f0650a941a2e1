//! `netwark migrate`: bring the database up to date.

use std::process::ExitCode;

use netwark_store::{Store, StoreOptions};
use serde_json::json;

use crate::config::{Config, Flags};
use crate::failure::{Failure, Outcome};
use crate::{logging, output};

/// Bring the database up to date. A server does so by itself when it starts.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    flags: Flags,
    /// Only tell what would be done
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Migrates.
///
/// # Errors
/// Those of the configuration and of the database.
pub async fn run(args: Args) -> Outcome {
    logging::start_quiet();
    let config = Config::load(&args.flags)?;
    if let Some(file) = config.database.file().filter(|file| args.dry_run && !file.exists()) {
        // Looking at a database that does not exist would make it.
        match args.json {
            true => output::json(&json!({ "database": "missing", "applied": false })),
            false => output::line(format!("{} does not exist yet and would be made", file.display())),
        }
        return Ok(ExitCode::SUCCESS);
    }
    super::make_data_dir(&config)?;
    let options = StoreOptions::new(&config.database.url);
    let pending = Store::pending_migrations(&options).await.map_err(Failure::failed)?;
    if !args.dry_run {
        Store::open(&options).await.map_err(Failure::failed)?.close().await;
    }
    if args.json {
        output::json(&json!({ "migrations": pending, "applied": !args.dry_run }));
        return Ok(ExitCode::SUCCESS);
    }
    let verb = if args.dry_run { "would be applied" } else { "applied" };
    output::lines(pending.iter().map(|name| format!("{verb}: {name}")));
    if pending.is_empty() {
        output::line("the database is up to date");
    }
    Ok(ExitCode::SUCCESS)
}

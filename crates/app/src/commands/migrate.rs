//! `netwark migrate`: bring the database up to date.

use std::process::ExitCode;

use netwark_store::{Store, StoreOptions};
use serde_json::json;

use crate::config::{Config, Flags};
use crate::failure::{Failure, Outcome};
use crate::{logging, output};

/// Bring the database up to date. A server does so by itself when it starts.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 up to date, 1 failed or, with --check, migrations are pending.")]
pub struct Args {
    #[command(flatten)]
    flags: Flags,
    /// Change nothing; end with exit code 1 and list them when migrations are pending
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,
    /// Change nothing; only tell what would be done
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
    let options = StoreOptions { migrate: true, ..config.database.options() };
    let pending = Store::pending_migrations(&options).await.map_err(Failure::failed)?;
    let changes = !args.check && !args.dry_run;
    if changes && !pending.is_empty() {
        super::make_data_dir(&config)?;
        Store::open(&options).await.map_err(Failure::failed)?.close().await;
    }
    let code = match args.check && !pending.is_empty() {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    };
    if args.json {
        output::json(&json!({ "migrations": pending, "applied": changes }));
        return Ok(code);
    }
    if let Some(file) = config.database.file().filter(|file| !changes && !file.exists()) {
        output::line(format!("{} does not exist yet and would be made", file.display()));
    }
    let verb = match (args.check, args.dry_run) {
        (true, _) => "pending",
        (_, true) => "would be applied",
        _ => "applied",
    };
    output::lines(pending.iter().map(|name| format!("{verb}: {name}")));
    if pending.is_empty() {
        output::line("the database is up to date");
    }
    Ok(code)
}

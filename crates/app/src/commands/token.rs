//! `netwark token`: tokens for programs.

use std::process::ExitCode;

use netwark_model::auth::Role;
use netwark_server::auth;
use serde_json::json;

use crate::config::{Config, Flags};
use crate::failure::Outcome;
use crate::{logging, output};

/// Manage tokens for programs.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a token and print it, alone and for the only time; works beside a running server
    #[command(alias = "create")]
    Add(Add),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: export NETWARK_TOKEN=$(netwark token add ci --role operator)")]
struct Add {
    /// What it is for, unique
    name: String,
    /// What it may do: viewer, operator or admin
    #[arg(long)]
    role: Role,
    #[command(flatten)]
    flags: Flags,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Manages tokens.
///
/// # Errors
/// Those of the configuration, the database, and of names.
pub async fn run(args: Args) -> Outcome {
    logging::start_quiet();
    let Action::Add(args) = args.action;
    let config = Config::load(&args.flags)?;
    let store = super::open_store(&config).await?;
    let made = auth::add_token(&store, &args.name, args.role).await;
    store.close().await;
    let (token, secret) = made.map_err(super::auth_failure)?;
    match args.json {
        true => output::json(&json!({ "token": token, "secret": secret.reveal() })),
        false => output::line(secret.reveal()),
    }
    Ok(ExitCode::SUCCESS)
}

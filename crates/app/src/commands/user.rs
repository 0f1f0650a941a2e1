//! `netwark user`: the first administrator's link, and more users.

use std::io::IsTerminal;
use std::process::ExitCode;

use netwark_model::auth::Role;
use netwark_server::auth::{self, Passwords};

use super::{input, unseen};
use crate::config::{Config, Flags};
use crate::failure::{Failure, Outcome};
use crate::{logging, output};

/// Manage users.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a user; the password is asked for, or read from standard input
    #[command(alias = "create")]
    Add(Add),
    /// Give a user another password, asked for or read from standard input; ends every session of theirs
    Password(Password),
    /// Print a new link that makes the first administrator; earlier links no longer work
    SetupLink(SetupLink),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// The name to sign in with
    name: String,
    /// What the user may do: viewer, operator or admin
    #[arg(long, default_value = "operator")]
    role: Role,
    #[command(flatten)]
    flags: Flags,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Password {
    /// The name to sign in with
    name: String,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, clap::Args)]
struct SetupLink {
    #[command(flatten)]
    flags: Flags,
}

/// Manages users.
///
/// # Errors
/// Those of the configuration, the database, and of names and passwords.
pub async fn run(args: Args) -> Outcome {
    logging::start_quiet();
    match args.action {
        Action::Add(add) => add_user(add).await,
        Action::Password(password) => set_password(password).await,
        Action::SetupLink(link) => setup_link(link).await,
    }
}

async fn add_user(args: Add) -> Outcome {
    let config = Config::load(&args.flags)?;
    let password = ask_password(&args.name)?;
    let store = super::open_store(&config).await?;
    let made = auth::add_user(&store, &Passwords::default(), &args.name, &password, args.role).await;
    store.close().await;
    let user = made.map_err(super::auth_failure)?;
    match args.json {
        true => output::json(&user),
        false => output::line(format!("{} may sign in now, as {}", user.name, user.role.as_str())),
    }
    Ok(ExitCode::SUCCESS)
}

async fn set_password(args: Password) -> Outcome {
    let config = Config::load(&args.flags)?;
    let password = ask_password(&args.name)?;
    let store = super::open_store(&config).await?;
    let changed = auth::set_password(&store, &Passwords::default(), &args.name, &password).await;
    store.close().await;
    let Some(user) = changed.map_err(super::auth_failure)? else {
        return Err(Failure::Failed(format!(
            "there is no user '{}'; 'netwark user add' makes one",
            args.name
        )));
    };
    output::line(format!("{} has another password, and has to sign in again", user.name));
    Ok(ExitCode::SUCCESS)
}

async fn setup_link(args: SetupLink) -> Outcome {
    let config = Config::load(&args.flags)?;
    let store = super::open_store(&config).await?;
    let code = auth::make_setup_code(&store).await;
    store.close().await;
    match code.map_err(Failure::failed)? {
        Some(code) => output::line(auth::setup_link(&config.server.base_url(&config.server.listen), &code)),
        None => {
            return Err(Failure::Failed(
                "there is a user already; sign in, or make another with 'netwark user add NAME --role admin'"
                    .into(),
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The password: typed twice at a terminal, unseen, or the first line of standard input.
fn ask_password(name: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        let password = input::line()?.filter(|password| !password.is_empty());
        let missing = || Failure::Usage("no password: give it as the first line of standard input".into());
        return password.ok_or_else(missing);
    }
    let first = unseen::ask(&format!("Password for {name}: "))?;
    let second = unseen::ask("Once more: ")?;
    if first == second { Ok(first) } else { Err(Failure::Usage("the two passwords differ".into())) }
}

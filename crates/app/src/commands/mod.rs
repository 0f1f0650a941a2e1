//! The commands, one file each.

pub mod completions;
pub mod config;
pub mod copy;
pub mod doctor;
#[cfg(test)]
pub mod drift;
pub mod geoip;
pub mod input;
pub mod ipcalc;
pub mod lookup;
pub mod man;
pub mod migrate;
pub mod oui;
pub mod serve;
pub mod token;
pub mod tool;
pub mod unseen;
pub mod update;
pub mod user;
pub mod watch;
pub mod whois;
pub mod worker;
pub mod workers;

use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use clap::{ArgMatches, FromArgMatches};
use netwark_model::tools::Registry;
use netwark_server::auth::AuthError;
use netwark_store::{Store, StoreOptions};
use rustix::fs::{FlockOperation, flock};

use crate::cli::Command;
use crate::config::Config;
use crate::failure::{Failure, Outcome};

/// Does what is asked.
///
/// # Errors
/// Says what could not be done and why.
pub fn run(tools: &Registry, asked: &ArgMatches) -> Outcome {
    if let Some((name, matches)) = asked.subcommand()
        && let Some(tool) = tools.get(name)
    {
        return match name {
            "whois" => whois::run(tool, matches),
            _ => tool::run(tool, matches),
        };
    }
    match Command::from_arg_matches(asked).map_err(|error| Failure::Usage(error.to_string()))? {
        Command::Serve(args) => wait(serve::run(args, tools.clone())),
        Command::Worker(args) => {
            netwark_probe::share_one_arena();
            wait(worker::run(*args))
        }
        Command::Workers(args) => wait(workers::run(*args)),
        Command::Networks(args) => wait(watch::networks::run(*args)),
        Command::Devices(args) => wait(watch::devices::run(*args)),
        Command::AccessList(args) => wait(watch::access_list::run(args)),
        Command::Channels(args) => wait(watch::channels::run(args)),
        Command::Subscriptions(args) => wait(watch::subscriptions::run(args)),
        Command::Events(args) => wait(watch::events::run(*args)),
        Command::Ipcalc(args) => ipcalc::run(args),
        Command::Migrate(args) => wait(migrate::run(args)),
        Command::Copy(args) => wait(copy::run(args)),
        Command::User(args) => wait(user::run(args)),
        Command::Token(args) => wait(token::run(args)),
        Command::Oui(args) => oui::run(&args),
        Command::Update(args) => wait(update::run(args)),
        Command::Config(args) => config::run(&args),
        Command::GeoIp(args) => geoip::run(&args),
        Command::Lookup(args) => lookup::run(args),
        Command::Doctor(args) => wait(doctor::run(args)),
        Command::Completions(args) => completions::run(&args, tools),
        Command::Man(args) => man::run(&args, tools),
    }
}

/// Runs a command that waits for others.
///
/// # Errors
/// Those of the command, and of a system that gives no threads.
pub fn wait(command: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("cannot start threads: {error}")))?;
    let outcome = runtime.block_on(command);
    // Work that is still under way, such as a look-up of a name, must not delay the end.
    runtime.shutdown_background();
    outcome
}

/// Makes the data directory, for its owner alone, as is every file that this process makes from here on.
///
/// # Errors
/// Says which directory could not be made and how to choose another.
pub fn make_data_dir(config: &Config) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.data_dir);
    made.map_err(|error| {
        Failure::Failed(format!(
            "the data directory {} cannot be made: {error}; choose another with --data-dir",
            config.data_dir.display()
        ))
    })
}

/// Makes sure that no other server or worker uses the data directory. The lock lives as long as the file.
///
/// # Errors
/// When another does, or the directory cannot be written.
pub fn lock(data_dir: &Path) -> Result<File, Failure> {
    let path = data_dir.join("lock");
    let failed = |error: io::Error| Failure::Failed(format!("{} cannot be written: {error}", path.display()));
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|error| match error {
        rustix::io::Errno::WOULDBLOCK => Failure::Failed(format!(
            "another server or worker uses the data directory {}; stop it, or choose another directory with --data-dir",
            data_dir.display()
        )),
        error => failed(error.into()),
    })?;
    Ok(file)
}

/// Opens the database of the configuration, which may be in use by a server. One that is made by this is told:
/// whoever looked for that of a server has named another place.
///
/// # Errors
/// Says what is wrong with it and what would help.
pub async fn open_store(config: &Config) -> Result<Store, Failure> {
    let fresh = config.database.file().filter(|file| !file.exists());
    let store = open_store_within(config, Duration::ZERO).await?;
    if let Some(file) = fresh {
        crate::output::complain(&format!(
            "note: made a new database, {}; if a server runs already, name its data directory with --data-dir",
            file.display()
        ));
    }
    Ok(store)
}

/// The same, with a time that a PostgreSQL which is not there or still starting is waited for.
///
/// # Errors
/// Says what is wrong with it and what would help.
pub async fn open_store_within(config: &Config, wait: Duration) -> Result<Store, Failure> {
    make_data_dir(config)?;
    let options = StoreOptions { wait, ..config.database.options() };
    Store::open(&options).await.map_err(Failure::failed)
}

/// Why a user or token was not made; what the user typed wrong is a mistake of usage.
pub fn auth_failure(error: AuthError) -> Failure {
    match error {
        AuthError::Invalid(_) => Failure::Usage(error.to_string()),
        error => Failure::failed(error),
    }
}

//! The command line: fixed commands, and one for every tool there is.

use clap::{CommandFactory, Parser, Subcommand};
use netwark_model::tools::Registry;

use crate::commands::{
    completions, config, copy, doctor, geoip, ipcalc, lookup, man, migrate, oui, serve, token, tool, update,
    user,
    watch::{access_list, channels, devices, events, networks, subscriptions},
    whois, worker, workers,
};

/// Self-hosted network toolkit: measure from many places at once
#[derive(Debug, Parser)]
#[command(name = "netwark", version, max_term_width = 100, subcommand_required = true)]
#[command(arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 fine, 1 failed, 2 not understood, 4 the server does not want this worker, \
                        130 interrupted."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do, besides measuring.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the page and the API, and measure from here
    Serve(serve::Args),
    /// Measure from here for a server elsewhere
    Worker(Box<worker::Args>),
    /// Enrol and manage workers
    Workers(Box<workers::Args>),
    /// List, make, change and sweep the networks that are watched
    Networks(Box<networks::Args>),
    /// List, name, allow, deny and merge devices
    Devices(Box<devices::Args>),
    /// List, change, import and export the access list
    AccessList(access_list::Args),
    /// Show the timeline, and go on with what happens
    Events(Box<events::Args>),
    /// List channels, try them out, and tell what became of notices
    Channels(channels::Args),
    /// List subscriptions
    Subscriptions(subscriptions::Args),
    /// Tell everything that is known about an address, a name, an AS number or anything else
    Lookup(lookup::Args),
    /// Calculate addresses, networks and ranges; cut and summarise them
    Ipcalc(ipcalc::Args),
    /// Bring the database up to date
    Migrate(migrate::Args),
    /// Copy everything from one database into another
    Copy(copy::Args),
    /// Manage users
    User(user::Args),
    /// Manage tokens for programs
    Token(token::Args),
    /// Say to whom MAC addresses are assigned
    Oui(oui::Args),
    /// Fetch newer data for look-ups
    Update(update::Args),
    /// Check and show the configuration
    Config(config::Args),
    /// Tell where addresses are and whose they are
    #[command(name = "geoip")]
    GeoIp(geoip::Args),
    /// Check this machine and say what to do
    Doctor(doctor::Args),
    /// Print completions for a shell
    Completions(completions::Args),
    /// Write man pages into a directory
    Man(man::Args),
}

/// The whole command line.
pub fn command(tools: &Registry) -> clap::Command {
    tools.iter().fold(Cli::command(), |command, tool| {
        command.subcommand(match tool.text.name {
            "whois" => whois::command(tool),
            _ => tool::command(tool),
        })
    })
}

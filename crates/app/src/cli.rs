//! The command line: fixed commands, and one for every tool there is.

use std::ffi::OsString;

use clap::Subcommand;
use netwark_model::tools::{Registry, ToolDefinition};

use crate::commands::{
    completions, config, copy, doctor, geoip, ipcalc, lookup, man, migrate, oui, serve, token, tool, update,
    user,
    watch::{access_list, channels, devices, events, networks, subscriptions},
    whois, worker, workers,
};

const ABOUT: &str = "Measure networks from many places at once, and watch who is in them";

/// The commands besides those of the tools.
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
    /// Set up and test channels, and tell what became of notices
    Channels(channels::Args),
    /// List, make, change and preview subscriptions
    Subscriptions(subscriptions::Args),
    /// Tell everything that is known of an address, a name, an AS number and the like
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
    let measuring = tools.iter().fold(root(), |command, tool| command.subcommand(of_tool(tool)));
    // The commands bring the description of their type, which is not that of the program.
    Command::augment_subcommands(measuring).about(ABOUT).long_about(None)
}

/// As much of the command line as these arguments need; the first is the name of the program. To build the flags of all
/// commands takes longer than to ping a neighbour.
pub fn command_for(tools: &Registry, arguments: &[OsString]) -> clap::Command {
    let tool = arguments.get(1).and_then(|name| name.to_str()).and_then(|name| tools.get(name));
    tool.map_or_else(|| command(tools), |tool| root().subcommand(of_tool(tool)))
}

fn root() -> clap::Command {
    clap::Command::new("netwark")
        .about(ABOUT)
        .version(env!("CARGO_PKG_VERSION"))
        .max_term_width(100)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help(
            "Exit codes: 0 fine, 1 failed, 2 not understood, 4 the server does not want this worker, 130 interrupted.",
        )
}

fn of_tool(tool: &ToolDefinition) -> clap::Command {
    match tool.text.name {
        "whois" => whois::command(tool),
        _ => tool::command(tool),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_told_the_same_without_the_other_commands() {
        let tools = Registry::standard();
        for tool in tools.iter() {
            for rest in [&["--no-such-flag"][..], &["a", "b", "--json=1"], &["--help"]] {
                let line: Vec<OsString> =
                    ["netwark", tool.text.name].iter().chain(rest).map(|word| (*word).into()).collect();
                let told =
                    |command: clap::Command| command.try_get_matches_from(&line).unwrap_err().to_string();
                assert_eq!(told(command_for(&tools, &line)), told(command(&tools)), "{line:?}");
            }
        }
    }
}

//! `netwark completions`: completions for a shell.

use std::process::ExitCode;

use clap_complete::Shell;
use netwark_model::tools::Registry;

use crate::failure::Outcome;
use crate::{cli, output};

/// Print completions for a shell.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: netwark completions bash > ~/.local/share/bash-completion/completions/netwark"
)]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints them.
///
/// # Errors
/// None.
pub fn run(args: &Args, tools: &Registry) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(tools), "netwark", &mut script);
    output::line(String::from_utf8_lossy(&script).trim_end());
    Ok(ExitCode::SUCCESS)
}

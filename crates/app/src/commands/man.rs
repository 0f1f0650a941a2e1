//! `netwark man`: manual pages, one for the program and one for each command.

use std::path::PathBuf;
use std::process::ExitCode;

use netwark_model::tools::Registry;

use crate::failure::{Failure, Outcome};
use crate::{cli, output};

/// Write man pages into a directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: netwark man ~/.local/share/man/man1 && man netwark-ping")]
pub struct Args {
    /// The directory; it is made when it does not exist
    directory: PathBuf,
}

/// Writes them.
///
/// # Errors
/// When the directory cannot be written.
pub fn run(args: &Args, tools: &Registry) -> Outcome {
    let failed = |error: std::io::Error| {
        Failure::Failed(format!("cannot write man pages to {}: {error}", args.directory.display()))
    };
    std::fs::create_dir_all(&args.directory).map_err(failed)?;
    clap_mangen::generate_to(cli::command(tools), &args.directory).map_err(failed)?;
    output::line(format!("man pages are in {}", args.directory.display()));
    Ok(ExitCode::SUCCESS)
}

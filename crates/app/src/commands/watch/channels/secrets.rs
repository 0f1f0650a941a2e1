//! Secrets of channels: asked for at the terminal, read from standard input or from files, never typed into a command,
//! where others on the machine and the history of the shell would have them.

use std::fs::File;
use std::io::{BufRead, IsTerminal, Read};
use std::path::{Path, PathBuf};

use netwark_model::channels::ChannelConfig;
use netwark_model::channels::secret::LONGEST_SECRET;
use serde_json::{Map, Value};

use crate::commands::unseen;
use crate::failure::Failure;

/// The one that is made where it is missing.
const MADE: &str = "signing_key";

/// Which secrets are given, and how.
#[derive(Debug, clap::Args)]
pub(super) struct Given {
    /// A secret to give, by its name: asked for, or the next line of standard input; may be given more than once. Those
    /// that a new channel needs are asked for anyway
    #[arg(long = "secret", value_name = "NAME", value_parser = name)]
    asked: Vec<String>,
    /// A secret that stands in a file; may be given more than once
    #[arg(long = "secret-file", value_name = "NAME=FILE", value_parser = file)]
    files: Vec<(String, PathBuf)>,
}

impl Given {
    /// True when none is named.
    pub fn is_empty(&self) -> bool {
        self.asked.is_empty() && self.files.is_empty()
    }

    /// Asks for those that were named, and for those that a new channel needs.
    ///
    /// # Errors
    /// When one cannot be read, or is not there.
    pub fn read(self, needed_by: Option<&ChannelConfig>) -> Result<Map<String, Value>, Failure> {
        let mut secrets = Map::new();
        for (name, path) in self.files {
            let text = read_file(&path, LONGEST_SECRET)?;
            secrets.insert(name, text.trim_end_matches(['\r', '\n']).into());
        }
        let mut asked = self.asked;
        for field in needed_by.into_iter().flat_map(ChannelConfig::secrets) {
            let is_named = secrets.contains_key(field.name) || asked.iter().any(|name| name == field.name);
            if field.needed && field.name != MADE && !is_named {
                asked.push(field.name.to_owned());
            }
        }
        let is_terminal = std::io::stdin().is_terminal();
        for name in asked {
            let secret = match is_terminal {
                true => unseen::ask(&format!("{name}: "))?,
                false => next_line()?,
            };
            if secret.is_empty() {
                return Err(Failure::Usage(format!(
                    "no {name}: type it when asked, give it as a line of standard input, or as --secret-file \
                     {name}=FILE"
                )));
            }
            secrets.insert(name, secret.into());
        }
        Ok(secrets)
    }
}

fn next_line() -> Result<String, Failure> {
    let mut line = String::new();
    let most = LONGEST_SECRET as u64 + 2;
    // The lock buffers for the whole process, so the next line is the next secret.
    let read = std::io::stdin().lock().take(most).read_line(&mut line);
    read.map_err(|error| Failure::Failed(format!("standard input cannot be read: {error}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// What stands in a file of at most so many bytes.
///
/// # Errors
/// When it cannot be read, is larger or no text.
pub(super) fn read_file(path: &Path, most: usize) -> Result<String, Failure> {
    let failed = |why: String| Failure::Usage(format!("{} cannot be read: {why}", path.display()));
    let mut text = String::new();
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    let read = file.take(most as u64 + 2).read_to_string(&mut text);
    read.map_err(|error| failed(error.to_string()))?;
    match text.len() > most {
        true => Err(failed(format!("it has more than {most} bytes"))),
        false => Ok(text),
    }
}

fn name(text: &str) -> Result<String, String> {
    match text.contains(['=', ':', ' ']) {
        true => Err("write its name only; it is asked for, since others could see it here".into()),
        false => Ok(text.to_owned()),
    }
}

fn file(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("write a name and a file, as token=/run/secrets/token")?;
    Ok((name.to_owned(), path.into()))
}

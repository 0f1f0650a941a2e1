//! Watched networks from the shell, through a server: networks, devices, the access list and the timeline.

pub mod access_list;
pub mod channels;
pub mod devices;
pub mod events;
mod find;
mod input;
mod network_text;
pub mod networks;
pub mod subscriptions;
mod table;

use std::io::{IsTerminal, Write};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::input as standard_input;
use crate::api::not_understood;
use crate::failure::Failure;
use crate::output;

/// An answer of the server as what it is. Printed as JSON is the answer itself, with all that it says.
///
/// # Errors
/// When it is something else than this version knows.
fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, Failure> {
    T::deserialize(value).map_err(|error| not_understood(&error))
}

/// A text of an answer; empty when it is not there.
fn text<'v>(answer: &'v Value, name: &str) -> &'v str {
    answer.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A number of an answer; 0 when it is not there.
fn number(answer: &Value, name: &str) -> u64 {
    answer.get(name).and_then(Value::as_u64).unwrap_or_default()
}

/// Asks whether something that cannot be taken back shall be done, unless that was said already.
///
/// # Errors
/// When the answer is no, or there is nobody to ask.
fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(format!("{question} Nobody is there to be asked; --yes says so at once")));
    }
    let failed = |error: std::io::Error| Failure::Failed(format!("the terminal cannot be read: {error}"));
    let mut terminal = std::io::stderr();
    write!(terminal, "{question} [y/N] ").and_then(|()| terminal.flush()).map_err(failed)?;
    let answer = standard_input::line()?.unwrap_or_default();
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::Failed("nothing was changed".into())),
    }
}

/// Prints what was done: the answer as JSON, or a sentence.
fn done(as_json: bool, answer: &Value, sentence: &str) {
    match as_json {
        true => output::json(answer),
        false => output::line(sentence),
    }
}

/// A number with its noun: `1 device`, `2 devices`.
fn counted(number: u64, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

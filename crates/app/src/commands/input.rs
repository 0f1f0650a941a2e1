//! What commands for many things are asked about: arguments, or the lines of standard input.

use std::io::{self, BufRead, IsTerminal, Read};

use crate::failure::Failure;
use crate::output;

/// Most bytes that are read from standard input.
const LARGEST: u64 = 16 << 20;

/// Most bytes of a line that is read by itself.
const LONGEST: u64 = 64 << 10;

/// The next line of standard input, without its end; nothing when there is none.
///
/// # Errors
/// When standard input cannot be read, or the line is too long.
pub fn line() -> Result<Option<String>, Failure> {
    let mut text = String::new();
    let read = io::stdin().lock().take(LONGEST + 1).read_line(&mut text);
    let read = read.map_err(|error| Failure::Failed(format!("standard input cannot be read: {error}")))?;
    if read as u64 > LONGEST {
        return Err(Failure::Usage(format!("a line of standard input has more than {LONGEST} bytes")));
    }
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok((read > 0).then_some(text))
}

/// True when standard input is to be read.
pub fn is_piped(given: &[String]) -> bool {
    match given {
        [] => !io::stdin().is_terminal(),
        given => *given == ["-"],
    }
}

/// A line without the remark at its end, which a `#` begins, and without blanks around it.
pub fn without_remark(line: &str) -> &str {
    line.split('#').next().unwrap_or_default().trim()
}

/// A reason with the question before it, unless it names that by itself.
pub fn complaint(text: &str, why: &str) -> String {
    match why.starts_with('\'') {
        true => format!("netwark: {why}"),
        false => format!("netwark: '{}' {why}", output::shown(text)),
    }
}

/// The arguments, or with `-` or none the lines of standard input, where `#` begins a remark. `missing` says what to
/// name when there is neither.
///
/// # Errors
/// When nothing was given, or standard input cannot be read or is too large.
pub fn texts(given: &[String], missing: &str) -> Result<Vec<String>, Failure> {
    if !is_piped(given) {
        return match given {
            [] => Err(Failure::Usage(missing.to_owned())),
            given => Ok(given.to_vec()),
        };
    }
    let mut text = String::new();
    let read = io::stdin().lock().take(LARGEST + 1).read_to_string(&mut text);
    read.map_err(|error| Failure::Failed(format!("standard input cannot be read: {error}")))?;
    if text.len() as u64 > LARGEST {
        return Err(Failure::Usage(format!("standard input has more than {LARGEST} bytes")));
    }
    let lines = text.lines().map(without_remark);
    Ok(lines.filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

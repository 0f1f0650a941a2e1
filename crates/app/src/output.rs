//! Standard output and error, for a reader that may have left.

use std::io::{ErrorKind, IsTerminal, Write};

use serde::Serialize;

/// Writes a line to standard output. When its reader has gone, as `head` does, the program ends quietly.
pub fn line(text: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush());
    if let Err(error) = written {
        let code = if error.kind() == ErrorKind::BrokenPipe { 0 } else { 1 };
        std::process::exit(code);
    }
}

/// Writes lines to standard output.
pub fn lines<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) {
    texts.into_iter().for_each(line);
}

/// Writes a value to standard output as indented JSON.
pub fn json<T: Serialize>(value: &T) {
    written(serde_json::to_string_pretty(value));
}

/// Writes a value to standard output as JSON on one line.
pub fn json_line<T: Serialize>(value: &T) {
    written(serde_json::to_string(value));
}

/// Whoever reads JSON is not to take nothing for an answer.
fn written(text: serde_json::Result<String>) {
    match text {
        Ok(text) => line(text),
        Err(error) => {
            complain(&format!("netwark: the answer cannot be written as JSON: {error}"));
            std::process::exit(1);
        }
    }
}

/// A text from outside as messages show it: short, and without what a terminal would obey.
pub fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

/// Writes a line to standard error. There is nobody left to tell when that fails.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// True when a person looks at standard output.
pub fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

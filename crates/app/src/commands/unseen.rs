//! What is asked for at a terminal and nobody shall see.

use std::io::Write;

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, read};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use crate::failure::Failure;
use crate::output;

/// Asks at the terminal; what is typed does not appear.
///
/// # Errors
/// When the terminal cannot be read, or the question is broken off.
pub fn ask(prompt: &str) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::Failed(format!("the terminal cannot be read: {error}"));
    let mut terminal = std::io::stderr();
    terminal.write_all(prompt.as_bytes()).and_then(|()| terminal.flush()).map_err(failed)?;
    enable_raw_mode().map_err(failed)?;
    let typed = type_line();
    let restored = disable_raw_mode();
    output::complain("");
    restored.map_err(failed)?;
    typed.map_err(failed)?.ok_or(Failure::Interrupted)
}

/// What is typed until Enter; nothing when it is interrupted.
fn type_line() -> std::io::Result<Option<String>> {
    let mut text = String::new();
    loop {
        let Event::Key(key) = read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        match key.code {
            KeyCode::Enter => return Ok(Some(text)),
            KeyCode::Esc => return Ok(None),
            KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => return Ok(None),
            KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => text.clear(),
            KeyCode::Backspace => drop(text.pop()),
            KeyCode::Char(c) => text.push(c),
            _ => {}
        }
    }
}

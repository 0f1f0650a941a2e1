//! The terminal that the live table is drawn on, in a thread of its own: it waits for keys and for snapshots.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, poll, read};
use netwark_model::tools::mtr::MtrOutcome;
use ratatui::DefaultTerminal;
use serde_json::Value;

use super::mtr_table::{State, draw};
use super::view::{Enough, View};
use crate::failure::Failure;

/// How long a key may wait for its effect.
const TICK: Duration = Duration::from_millis(50);

/// A full screen with the table of a trace.
pub struct Screen {
    snapshots: Option<Sender<MtrOutcome>>,
    thread: Option<JoinHandle<()>>,
    enough: Arc<Enough>,
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// When it cannot be drawn on.
    pub fn open(target: &str, options: &Value) -> Result<Self, Failure> {
        let terminal = ratatui::try_init().map_err(|error| {
            Failure::Failed(format!("the terminal cannot be drawn on: {error}; use --report"))
        })?;
        let state = State {
            target: target.into(),
            cycles: options.get("cycles").and_then(Value::as_u64).unwrap_or_default(),
            ..State::default()
        };
        let (snapshots, inbox) = channel();
        let enough = Arc::new(Enough::default());
        let thread_enough = enough.clone();
        let thread = std::thread::Builder::new()
            .name("netwark-screen".into())
            .spawn(move || run(terminal, state, &inbox, &thread_enough));
        match thread {
            Ok(thread) => Ok(Self { snapshots: Some(snapshots), thread: Some(thread), enough }),
            Err(error) => {
                ratatui::restore();
                Err(Failure::Failed(format!("cannot start a thread: {error}")))
            }
        }
    }
}

impl View for Screen {
    fn update(&mut self, payload: &Value) {
        let Ok(outcome) = serde_json::from_value(payload.clone()) else { return };
        if let Some(snapshots) = &self.snapshots {
            // A screen that is gone has said so by `enough`.
            let _ = snapshots.send(outcome);
        }
    }

    fn close(&mut self) {
        self.snapshots = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    fn enough(&self) -> Option<Arc<Enough>> {
        Some(self.enough.clone())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.close();
    }
}

/// Draws until nobody sends snapshots any more.
fn run(mut terminal: DefaultTerminal, mut state: State, inbox: &Receiver<MtrOutcome>, enough: &Enough) {
    let mut changed = true;
    loop {
        let mut newest = None;
        loop {
            match inbox.try_recv() {
                Ok(outcome) => newest = Some(outcome),
                Err(std::sync::mpsc::TryRecvError::Empty) => break,
                Err(std::sync::mpsc::TryRecvError::Disconnected) => {
                    ratatui::restore();
                    return;
                }
            }
        }
        if let Some(outcome) = newest.filter(|_| !state.paused) {
            state.outcome = Some(outcome);
            changed = true;
        }
        if changed && terminal.draw(|frame| draw(frame, &state)).is_err() {
            enough.say(false);
        }
        changed = match poll(TICK) {
            Ok(true) => read().is_ok_and(|event| obey(&event, &mut state, enough)),
            Ok(false) => false,
            // Without a keyboard there is still Ctrl-C from outside.
            Err(_) => {
                std::thread::sleep(TICK);
                false
            }
        };
    }
}

/// Does what a key says; true when the screen has to be drawn again.
pub fn obey(event: &Event, state: &mut State, enough: &Enough) -> bool {
    let Event::Key(key) = event else { return matches!(event, Event::Resize(..)) };
    if key.kind == KeyEventKind::Release {
        return false;
    }
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => enough.say(true),
        KeyCode::Char('q') | KeyCode::Esc => enough.say(false),
        KeyCode::Char('p' | ' ') => state.paused = !state.paused,
        KeyCode::Char('n') => state.numeric = !state.numeric,
        _ => return false,
    }
    true
}

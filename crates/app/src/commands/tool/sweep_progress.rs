//! How far a sweep is, on one line of the terminal.

use std::io::{self, IsTerminal, Write};

use netwark_model::tools::sweep::SweepOutcome;
use serde_json::Value;

use super::view::View;

/// Back to the beginning of the line, which is cleared.
const AGAIN: &str = "\r\x1b[K";

/// Writes over the same line again and again.
pub struct SweepProgress {
    out: Box<dyn Write + Send>,
    written: bool,
}

impl SweepProgress {
    /// On standard error, so that the report alone goes into a file; none when nobody sees it.
    pub fn open() -> Option<Self> {
        io::stderr().is_terminal().then(|| Self { out: Box::new(io::stderr()), written: false })
    }

    fn write(&mut self, text: &str) {
        // A terminal that is gone has nobody to tell.
        let _ = write!(self.out, "{AGAIN}{text}").and_then(|()| self.out.flush());
    }
}

impl View for SweepProgress {
    fn update(&mut self, payload: &Value) {
        let Ok(outcome) = serde_json::from_value::<SweepOutcome>(payload.clone()) else { return };
        self.written = true;
        self.write(&format!("{} of {} asked, {} found", outcome.probed, outcome.total, outcome.found));
    }

    fn close(&mut self) {
        if self.written {
            self.write("");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn one_line_is_written_over_and_cleared() {
        let sink = Sink::default();
        let mut view = SweepProgress { out: Box::new(sink.clone()), written: false };
        view.close();
        let outcome = SweepOutcome { probed: 12, total: 254, found: 3, ..SweepOutcome::default() };
        view.update(&serde_json::to_value(outcome).unwrap());
        view.close();
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text, format!("{AGAIN}12 of 254 asked, 3 found{AGAIN}"));
    }
}

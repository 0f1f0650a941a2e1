//! Server-sent events, as far as our own API uses them (WHATWG HTML, section 9.2).

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its kind, `message` when none was given.
    pub kind: String,
    /// Its data, lines joined by a newline.
    pub data: String,
    /// Its id, when it has one.
    pub id: Option<String>,
}

/// Longest line and longest event that are taken, in bytes: a result has at most a few megabytes.
const LONGEST: usize = 64 << 20;

/// Takes the bytes of a stream apart.
#[derive(Debug, Default)]
pub struct Parser {
    pending: Vec<u8>,
    event: Event,
    has_data: bool,
}

impl Parser {
    /// Takes more bytes and gives the events they complete. An event of absurd length ends the stream.
    ///
    /// # Errors
    /// When a line or an event is longer than any of ours.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, String> {
        self.pending.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            if let Some(event) = self.line(line.trim_end_matches(['\r', '\n'])) {
                events.push(event);
            }
        }
        match self.pending.len() + self.event.data.len() > LONGEST {
            true => Err("the server sent an event of more than 64 MiB".into()),
            false => Ok(events),
        }
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            let complete = std::mem::take(&mut self.has_data);
            let kind = if event.kind.is_empty() { "message".into() } else { event.kind };
            return complete.then_some(Event { kind, ..event });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.event.kind = value.into(),
            "id" => self.event.id = Some(value.into()),
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.has_data = true;
                self.event.data.push_str(value);
            }
            // Comments keep the connection alive; `retry` is our own business.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_however_the_bytes_are_cut() {
        let stream = ": hello\n\nevent: result\nid: 7\ndata: {\"a\":\ndata:  1}\n\ndata: x\r\n\r\nid: 8\n\n";
        for size in 1..stream.len() {
            let mut parser = Parser::default();
            let events: Vec<_> =
                stream.as_bytes().chunks(size).flat_map(|chunk| parser.push(chunk).unwrap()).collect();
            assert_eq!(events.len(), 2, "chunks of {size}");
            assert_eq!(
                events[0],
                Event { kind: "result".into(), data: "{\"a\":\n 1}".into(), id: Some("7".into()) }
            );
            assert_eq!(events[1], Event { kind: "message".into(), data: "x".into(), id: None });
        }
    }
}

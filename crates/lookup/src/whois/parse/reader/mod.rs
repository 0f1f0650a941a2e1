//! The reader of answers: line by line, with a memory of the section a line stands in.

mod meaning;
mod values;
mod whole;

use super::keys::{self, Field, Section};
use super::lines::{self, Line};
use super::people::{self, Somebody, said};
use super::{MOST_LINES, MOST_VALUES};
use crate::whois::shape::{Dnssec, Record};

/// Reads an answer as far as it is understood.
pub(super) fn read(text: &str) -> Record {
    let mut reader = Reader::default();
    for line in text.lines().take(MOST_LINES) {
        match lines::read(line) {
            Line::End => break,
            Line::Blank => reader.blank(),
            Line::Comment(comment) => reader.comment(comment),
            Line::Pair { indent, key, value } => reader.pair(indent, &key, value),
            Line::Text { indent, text } => reader.text(indent, text),
        }
    }
    reader.finish()
}

/// A section that lines belong to.
#[derive(Clone, Copy, Debug)]
struct Open {
    section: Section,
    /// How far its head is indented.
    indent: usize,
    /// Lines so far.
    lines: usize,
    /// Its lines are indented further than its head.
    deeper: bool,
}

/// A network among several that an answer lists.
#[derive(Clone, Debug)]
struct Network {
    size: u128,
    record: Record,
    organisation: Option<String>,
    described: Option<String>,
}

#[derive(Debug)]
struct Reader {
    record: Record,
    open: Option<Open>,
    /// A field whose further values follow on lines of their own.
    awaiting: Option<(Field, usize)>,
    after_blank: bool,
    somebody: Somebody,
    people: Vec<Somebody>,
    networks: Vec<Network>,
    /// Handle of the holder.
    holder: Option<String>,
    /// Handle of whom abuse is told.
    abuse: Option<String>,
    /// What a remark or a description says where nothing better is said.
    described: Option<String>,
    abuse_in_remarks: Option<String>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            record: Record::default(),
            open: None,
            awaiting: None,
            after_blank: true,
            somebody: Somebody::default(),
            people: Vec::new(),
            networks: Vec::new(),
            holder: None,
            abuse: None,
            described: None,
            abuse_in_remarks: None,
        }
    }
}

impl Reader {
    fn blank(&mut self) {
        self.after_blank = true;
        self.awaiting = None;
    }

    /// RIPE tells the abuse contact in a comment, and Ukraine whom it describes next.
    fn comment(&mut self, comment: &str) {
        let head = comment.strip_suffix(':').map(str::to_ascii_lowercase);
        if let Some(section) = head.and_then(|head| keys::section(&head)) {
            self.enter(section, 0);
            self.after_blank = false;
        }
        if let Some((_, rest)) = comment.split_once("Abuse contact for ") {
            let mail = rest.rsplit_once(" is '").map(|(_, mail)| mail.trim_end_matches(['\'', '.']));
            set(&mut self.record.abuse_email, mail.filter(|mail| mail.contains('@')).and_then(said));
        }
    }

    /// Leaves the section when a line no longer belongs to it.
    fn settle(&mut self, indent: usize) {
        if let Some(open) = &mut self.open {
            let outside = indent <= open.indent && open.lines > 0 && (self.after_blank || open.deeper);
            if outside {
                self.leave();
            } else {
                open.deeper |= open.lines == 0 && indent > open.indent;
                open.lines += 1;
            }
        }
        if self.awaiting.is_some_and(|(_, from)| indent <= from) {
            self.awaiting = None;
        }
    }

    fn enter(&mut self, section: Section, indent: usize) {
        self.leave();
        self.open = Some(Open { section, indent, lines: 0, deeper: false });
    }

    fn leave(&mut self) {
        self.open = None;
        let somebody = std::mem::take(&mut self.somebody);
        if somebody.handle.is_some() && self.people.len() < MOST_VALUES {
            self.people.push(somebody);
        }
    }

    fn section(&self) -> Option<Section> {
        self.open.map(|open| open.section)
    }

    fn pair(&mut self, indent: usize, key: &str, value: &str) {
        let begins = self.after_blank;
        // A key without a value among others is no head: what follows at once speaks for itself.
        let head = self.open.is_some_and(|open| open.lines == 0 && open.indent == indent) && !begins;
        if head && keys::anywhere(key).is_some() {
            self.leave();
        }
        self.settle(indent);
        self.after_blank = false;
        if value.is_empty() {
            match keys::section(key).or_else(|| keys::object(key).filter(|_| begins)) {
                Some(section) => self.enter(section, indent),
                None => {
                    let field = keys::anywhere(key).or_else(|| keys::of_itself(key));
                    self.awaiting = field.filter(|field| takes_lines(*field)).map(|field| (field, indent));
                }
            }
            return;
        }
        self.object(begins, indent, key, value);
        self.remark(key, value);
        let section = self.section();
        if section.is_some_and(people::describes_somebody) {
            self.somebody.take(key, value);
        }
        let Some(field) = self.field(section, key) else { return };
        if let Some(section) = section.filter(|section| people::describes_somebody(*section)) {
            self.of_somebody(section, field, key, value);
        } else {
            self.take(field, value);
            self.awaiting = takes_lines(field).then_some((field, indent));
            // What is indented below a registrar or a holder describes it.
            let section =
                keys::section(key).filter(|s| matches!(s, Section::Registrar | Section::Registrant));
            if let (Some(section), false) = (section, self.in_object()) {
                self.enter(section, indent);
                if let Some(open) = &mut self.open {
                    open.lines = 1;
                    open.deeper = true;
                }
            }
        }
    }

    /// True inside an answer that consists of a database's objects.
    fn in_object(&self) -> bool {
        self.holder.is_some() || self.record.rir.is_some()
    }

    fn text(&mut self, indent: usize, text: &str) {
        let head = text.rsplit_once(" / ").map_or(text, |(_, english)| english);
        let head = head.trim_end_matches(':').to_ascii_lowercase();
        let continues = self.awaiting.is_some_and(|(_, from)| indent > from);
        if let Some(section) = keys::section(&head).filter(|_| !continues) {
            self.after_blank = false;
            self.enter(section, indent);
            return;
        }
        self.settle(indent);
        self.after_blank = false;
        if let Some((field, _)) = self.awaiting {
            self.take(field, text);
            if !matches!(field, Field::NameServer | Field::Key) {
                self.awaiting = None;
            }
            return;
        }
        let Some(open) = self.open else { return self.sentence(text) };
        match open.section {
            Section::NameServers => self.take(Field::NameServer, text),
            Section::Keys => self.record.dnssec = Some(Dnssec::Signed),
            Section::Registrar if open.lines == 1 => self.take(Field::Registrar, text),
            Section::Registrant if open.lines == 1 => {
                // Tabs and wide gaps separate the columns behind the name.
                let name = text.split(['\t']).next().unwrap_or(text);
                self.take(Field::Organisation, name.split("  ").next().unwrap_or(name));
            }
            Section::Status if open.lines == 1 => self.take(Field::Status, text),
            Section::Abuse if is_mail(text) => set(&mut self.record.abuse_email, said(text)),
            Section::Abuse if text.starts_with('+') => set(&mut self.record.abuse_phone, said(text)),
            _ => self.sentence(text),
        }
    }

    /// `Record expires on 2019-11-09 (YYYY-MM-DD)`.
    fn sentence(&mut self, text: &str) {
        let lower = text.to_ascii_lowercase();
        for (begin, field) in [("record expires on ", Field::Expires), ("record created on ", Field::Created)]
        {
            if lower.starts_with(begin) {
                self.take(field, &text[begin.len()..]);
            }
        }
    }
}

fn set(place: &mut Option<String>, value: Option<String>) {
    if place.is_none() {
        *place = value;
    }
}

fn takes_lines(field: Field) -> bool {
    matches!(field, Field::NameServer | Field::Domain | Field::Registrar | Field::Key)
}

fn is_mail(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
        && !text.contains(' ')
}

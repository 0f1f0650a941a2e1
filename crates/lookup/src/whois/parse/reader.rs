//! The reader of answers: line by line, with a memory of the section a line stands in.

use super::keys::{self, Field, Section};
use super::lines::{self, Line};
use super::network::{self, Range};
use super::people::{self, Somebody, said};
use super::time::{self, When};
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

    /// Begins an object of a database where its first key says so.
    fn object(&mut self, begins: bool, indent: usize, key: &str, value: &str) {
        if indent > 0 {
            return;
        }
        let known =
            self.record.domain.is_some() || !self.networks.is_empty() || self.record.as_number.is_some();
        let section = match key {
            "inetnum" | "inet6num" | "netrange" | "aut-num" | "domain" => return self.leave(),
            // A registrar that is described after the domain.
            "registrar" if begins && known => Some(Section::Registrar),
            // Within an object these name a person or a set; by themselves they begin one.
            "contact" | "nsset" | "keyset" if !begins && !known => None,
            "contact"
                if !begins && self.section() == Some(Section::Contact) && self.somebody.name.is_none() =>
            {
                // `contact: CON-1` on and on, or the name of the person whose handle stood before.
                if self.somebody.handle.is_some() { None } else { Some(Section::Contact) }
            }
            "nsset" | "keyset" if !begins && self.section().is_none() && !self.saw_set(key) => None,
            "contact" | "nsset" | "keyset" => keys::object(key),
            // ARIN describes the organisation after the network.
            "orgname" if begins => Some(Section::Registrant),
            key => keys::object(key).filter(|_| begins),
        };
        if let Some(section) = section {
            self.enter(section, indent);
            if let Some(open) = &mut self.open {
                open.lines = 1;
            }
            if section == Section::NameServers {
                self.awaiting = None;
            }
        } else if matches!(key, "nsset" | "keyset") {
            self.people.push(Somebody { handle: Some(format!("{key} {value}")), ..Somebody::default() });
        }
    }

    /// True once the domain has named its set, so that the next is the set itself.
    fn saw_set(&self, key: &str) -> bool {
        let begins =
            |somebody: &Somebody| somebody.handle.as_ref().is_some_and(|handle| handle.starts_with(key));
        self.people.iter().any(begins)
    }

    /// What is said beside the facts.
    fn remark(&mut self, key: &str, value: &str) {
        match key {
            "descr" if self.section().is_none() => match self.networks.last_mut() {
                Some(network) => set(&mut network.described, said(value)),
                None => set(&mut self.described, said(value)),
            },
            "remarks" | "comment" | "org-abuse" if value.to_ascii_lowercase().contains("abuse") => {
                let mail = value.split([' ', ',', ';', '<', '>', '(', ')', ':']).find(|word| is_mail(word));
                set(&mut self.abuse_in_remarks, mail.map(|mail| mail.trim_end_matches('.').to_owned()));
            }
            // IANA tells who runs a top level domain.
            "organisation" if self.record.domain.as_ref().is_some_and(|domain| !domain.contains('.')) => {
                set(&mut self.described, said(value));
            }
            "abuse-c" | "orgabusehandle" => set(&mut self.abuse, Some(value.to_owned())),
            "org" | "holder-c" | "holder" | "registrant" if self.section().is_none() => {
                let handle = Some(value.to_owned());
                match self.networks.last_mut() {
                    Some(network) if key == "org" => set(&mut network.organisation, handle),
                    _ => set(&mut self.holder, handle),
                }
            }
            _ => {}
        }
    }

    fn field(&self, section: Option<Section>, key: &str) -> Option<Field> {
        match section {
            None => keys::anywhere(key).or_else(|| keys::of_itself(key)),
            Some(Section::Other) => (key == "origin").then_some(Field::Origin),
            Some(section) if people::describes_somebody(section) => {
                let dated = |field: &Field| {
                    matches!(field, Field::Created | Field::Changed | Field::Expires | Field::Status)
                };
                let named = keys::anywhere(key).filter(|field| !dated(field) || is_domains_date(key));
                named.or_else(|| keys::of_somebody(key))
            }
            Some(Section::NameServers) => {
                if key == "dnssec" {
                    return Some(Field::Dnssec);
                }
                let server = matches!(key, "dns" | "hostname" | "host name" | "name" | "nserver");
                server.then_some(Field::NameServer).or_else(|| keys::anywhere(key)).filter(|field| {
                    !matches!(field, Field::Registrar) && (is_domains_date(key) || !is_date(*field))
                })
            }
            Some(Section::Keys) => {
                (key.contains("ds") || key == "dnskey" || key == "flags").then_some(Field::Key)
            }
            Some(Section::Abuse) => match key {
                "email" | "e-mail" => Some(Field::AbuseEmail),
                "phone" => Some(Field::AbusePhone),
                _ => keys::anywhere(key),
            },
            Some(_) => keys::anywhere(key).or_else(|| keys::of_itself(key)),
        }
    }

    fn of_somebody(&mut self, section: Section, field: Field, key: &str, value: &str) {
        match (section, field) {
            (_, Field::AbuseEmail) if key == "abuse-mailbox" => {
                set(&mut self.record.abuse_email, said(value));
            }
            // What names its subject counts wherever it stands.
            (_, field) if keys::of_somebody(key).is_none() => self.take(field, value),
            (Section::Registrar, Field::Organisation) => self.record.registrar = said(value),
            (Section::Registrar, Field::Registrant) => set(&mut self.record.registrar, said(value)),
            (Section::Registrar, Field::RegistrarUrl) => self.take(field, value),
            (Section::Registrar, Field::Dnssec) => self.take(field, value),
            (Section::Registrant, Field::Organisation | Field::Registrant | Field::Country) => {
                self.take(field, value);
            }
            _ => {}
        }
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

    /// The record that what is read of a network belongs to.
    fn target(&mut self) -> &mut Record {
        match self.networks.last_mut() {
            Some(network) => &mut network.record,
            None => &mut self.record,
        }
    }

    fn take(&mut self, field: Field, value: &str) {
        match field {
            Field::Domain => set(&mut self.record.domain, domain(value)),
            Field::Registrar => set(&mut self.record.registrar, said(registrar(value))),
            Field::RegistrarId => set(&mut self.record.registrar_id, said(value)),
            Field::RegistrarUrl => set(&mut self.record.registrar_url, said(value)),
            Field::Organisation => set(&mut self.target().organisation, organisation(value)),
            Field::Registrant => set(&mut self.record.registrant, said(value)),
            Field::Country => set(&mut self.target().country, people::country(value)),
            Field::Created => match time::read(value) {
                Some(When::At(at)) => set(&mut self.target().created, Some(at)),
                Some(When::Before(date)) => set(&mut self.target().created_before, Some(date)),
                None => {}
            },
            Field::Changed => self.changed(value),
            Field::Expires => set(&mut self.record.expires, super::time(value)),
            Field::Status => self.status(value),
            Field::NameServer => self.name_servers(value),
            Field::Dnssec => self.dnssec(value),
            Field::Key => self.record.dnssec = Some(Dnssec::Signed),
            Field::AbuseEmail => {
                set(&mut self.record.abuse_email, Some(value).filter(|v| is_mail(v)).and_then(said));
            }
            Field::AbusePhone => set(&mut self.record.abuse_phone, said(value)),
            Field::NetworkName => set(&mut self.target().network_name, said(value)),
            Field::Range => self.range(value),
            Field::Prefixes => self.prefixes(value),
            Field::AsNumber | Field::Origin => set(&mut self.target().as_number, network::as_number(value)),
            Field::AsName => set(&mut self.record.as_name, said(value)),
            Field::Rir => self.rir(value),
        }
    }

    /// The latest change counts: APNIC lists every one.
    fn changed(&mut self, value: &str) {
        if let Some(at) = super::time(value) {
            let changed = &mut self.target().changed;
            if changed.as_ref().is_none_or(|known| *known < at) {
                *changed = Some(at);
            }
        }
    }

    fn status(&mut self, value: &str) {
        let several = value.contains(',') && !value.contains(", ") && !value.contains(' ');
        let parts: Vec<&str> = if several { value.split(',').collect() } else { vec![value] };
        for part in parts {
            let part = part.split([' ', '\t']).next().filter(|_| part.contains("://")).unwrap_or(part);
            let Some(status) = said(part) else { continue };
            let list = &mut self.target().status;
            if list.len() < MOST_VALUES && !list.contains(&status) {
                list.push(status);
            }
        }
    }

    fn name_servers(&mut self, value: &str) {
        for part in value.split(',') {
            // Portugal writes records as a zone has them.
            let mut words = part.trim_start_matches("- ").split_whitespace();
            let word = match (words.next(), words.next(), words.next()) {
                (_, Some("NS"), Some(server)) => server,
                (_, Some("A" | "AAAA"), _) => continue,
                (word, ..) => word.unwrap_or_default(),
            };
            let name = word.trim_end_matches('.').to_ascii_lowercase();
            let plain = name.contains('.')
                && name.parse::<std::net::IpAddr>().is_err()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
            let list = &mut self.record.name_servers;
            if plain && name.len() <= 253 && list.len() < MOST_VALUES && !list.contains(&name) {
                list.push(name);
            }
        }
    }

    fn dnssec(&mut self, value: &str) {
        let lower = value.to_ascii_lowercase();
        let unsigned = ["unsigned", "inactive", "no", "none", "not signed", "disabled", "insecure", "false"];
        let signed = ["signed", "active", "yes", "secure", "true", "enabled"];
        let begins = |words: &[&str]| words.iter().any(|word| lower.starts_with(word));
        let found = if begins(&unsigned) {
            Dnssec::Unsigned
        } else if begins(&signed) {
            Dnssec::Signed
        } else {
            return;
        };
        self.record.dnssec = self.record.dnssec.or(Some(found));
    }

    fn range(&mut self, value: &str) {
        let Some(range) = Range::read(value) else { return };
        if self.networks.len() >= MOST_VALUES {
            return;
        }
        let record = Record {
            range: Some(range.spelled()),
            prefixes: range.prefixes().into_iter().take(MOST_VALUES).collect(),
            ..Record::default()
        };
        self.networks.push(Network { size: range.size(), record, organisation: None, described: None });
    }

    fn prefixes(&mut self, value: &str) {
        let read = |text: &str| Range::read(text.trim()).map(Range::prefixes);
        let prefixes: Vec<String> = value.split(',').filter_map(read).flatten().take(MOST_VALUES).collect();
        if !prefixes.is_empty() {
            self.target().prefixes = prefixes;
        }
    }

    fn rir(&mut self, value: &str) {
        let word = value.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let name = match word.as_str() {
            "RIPE" | "RIPE-GRS" => "RIPE NCC",
            "APNIC" | "JPNIC" | "KRNIC" | "TWNIC" | "CNNIC" | "VNNIC" | "IDNIC" | "IRINN" => "APNIC",
            "AFRINIC" => "AFRINIC",
            "LACNIC" => "LACNIC",
            "ARIN" => "ARIN",
            _ => return,
        };
        set(&mut self.record.rir, Some(name.into()));
    }

    fn finish(mut self) -> Record {
        self.leave();
        let mut record = self.record;
        let is_network = !self.networks.is_empty();
        let mut organisation = None;
        let mut described = self.described;
        if let Some(narrowest) = self.networks.into_iter().min_by_key(|network| network.size) {
            organisation = narrowest.organisation;
            described = narrowest.described;
            let mut network = narrowest.record;
            network.fill_from(record);
            record = network;
        }
        let find =
            |handle: &str| self.people.iter().find(|somebody| somebody.handle.as_deref() == Some(handle));
        let holder = organisation.as_deref().or(self.holder.as_deref());
        match holder.map(|handle| (handle, find(handle))) {
            Some((_, Some(somebody))) => describe(&mut record, somebody, is_network),
            // A handle of nobody who is described is no organisation.
            Some((handle, None)) if is_handle(handle) && record.organisation.as_deref() == Some(handle) => {
                record.organisation = None;
                set(&mut record.registrant, Some(handle.to_owned()));
            }
            _ => {}
        }
        let of_handle = self.abuse.as_deref().and_then(find).and_then(|somebody| somebody.email.clone());
        set(&mut record.abuse_email, of_handle.or(self.abuse_in_remarks));
        // A description is the holder of a network only where nobody else is.
        if record.organisation.is_none() {
            record.organisation = described;
        }
        record
    }
}

/// An organisation without the handle that ARIN adds: `Google Inc. (GOGL)`.
fn organisation(value: &str) -> Option<String> {
    let handle = |text: &str| text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
    let named = value.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
    said(named.filter(|(_, rest)| handle(rest)).map_or(value, |(name, _)| name))
}

fn describe(record: &mut Record, somebody: &Somebody, is_network: bool) {
    let (organisation, name) = match &somebody.organisation {
        Some(organisation) => (Some(organisation.clone()), somebody.name.clone()),
        None if somebody.is_person => (None, somebody.name.clone()),
        None => (somebody.name.clone(), None),
    };
    record.organisation = organisation;
    if !is_network {
        set(&mut record.registrant, name);
    }
    set(&mut record.country, somebody.country.as_deref().and_then(people::country));
}

fn set(place: &mut Option<String>, value: Option<String>) {
    if place.is_none() {
        *place = value;
    }
}

fn takes_lines(field: Field) -> bool {
    matches!(field, Field::NameServer | Field::Domain | Field::Registrar | Field::Key)
}

fn is_date(field: Field) -> bool {
    matches!(field, Field::Created | Field::Changed | Field::Expires)
}

/// Keys of dates that name the domain itself, even when they stand below its holder.
fn is_domains_date(key: &str) -> bool {
    key.starts_with("domain") || key.starts_with("registry") || key.starts_with("expir")
}

fn is_mail(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
        && !text.contains(' ')
}

/// `FAJN-0002`, `mmr8008-171440`: one word with a digit.
fn is_handle(text: &str) -> bool {
    !text.contains(' ') && text.bytes().any(|byte| byte.is_ascii_digit())
}

fn domain(value: &str) -> Option<String> {
    let word = value.split_whitespace().next()?.trim_end_matches('.');
    said(word).map(|name| name.to_lowercase())
}

/// A registrar without what some registries add: `[Tag = X]`, `( https://... )`.
fn registrar(value: &str) -> &str {
    let end = value.find(" [Tag").or_else(|| value.find(" ( http")).or_else(|| value.find(" (http"));
    value[..end.unwrap_or(value.len())].trim()
}

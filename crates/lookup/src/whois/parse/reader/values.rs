//! What the value of a field says.

use super::super::keys::Field;
use super::super::network::{self, Range};
use super::super::people::{self, said};
use super::super::time::{self, When};
use super::super::{MOST_VALUES, time as read_time};
use super::{Network, Reader, is_mail, set};
use crate::whois::shape::{Dnssec, Record};

impl Reader {
    /// The record that what is read of a network belongs to.
    fn target(&mut self) -> &mut Record {
        match self.networks.last_mut() {
            Some(network) => &mut network.record,
            None => &mut self.record,
        }
    }

    pub(super) fn take(&mut self, field: Field, value: &str) {
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
            Field::Expires => set(&mut self.record.expires, read_time(value)),
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
        if let Some(at) = read_time(value) {
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
}

/// An organisation without the handle that ARIN adds: `Google Inc. (GOGL)`.
fn organisation(value: &str) -> Option<String> {
    let handle = |text: &str| text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
    let named = value.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
    said(named.filter(|(_, rest)| handle(rest)).map_or(value, |(name, _)| name))
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

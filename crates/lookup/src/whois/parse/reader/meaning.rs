//! What a key means, by the section it stands in and by what was said before.

use super::super::keys::{self, Field, Section};
use super::super::people::{self, Somebody, said};
use super::{Reader, is_mail, set};

impl Reader {
    /// Begins an object of a database where its first key says so.
    pub(super) fn object(&mut self, begins: bool, indent: usize, key: &str, value: &str) {
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
    pub(super) fn remark(&mut self, key: &str, value: &str) {
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

    pub(super) fn field(&self, section: Option<Section>, key: &str) -> Option<Field> {
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

    pub(super) fn of_somebody(&mut self, section: Section, field: Field, key: &str, value: &str) {
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
}

fn is_date(field: Field) -> bool {
    matches!(field, Field::Created | Field::Changed | Field::Expires)
}

/// Keys of dates that name the domain itself, even when they stand below its holder.
fn is_domains_date(key: &str) -> bool {
    key.starts_with("domain") || key.starts_with("registry") || key.starts_with("expir")
}

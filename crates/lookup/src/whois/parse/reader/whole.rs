//! The record of a whole answer: of several networks the narrowest, of several people the holder.

use super::super::people::{self, Somebody};
use super::{Reader, set};
use crate::whois::shape::Record;

impl Reader {
    pub(super) fn finish(mut self) -> Record {
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

/// `FAJN-0002`, `mmr8008-171440`: one word with a digit.
fn is_handle(text: &str) -> bool {
    !text.contains(' ') && text.bytes().any(|byte| byte.is_ascii_digit())
}

//! The cards of people and organisations (jCard, RFC 7095).

use serde_json::Value;

use crate::whois::parse::said;

/// Most properties that are read of a card.
const MOST_PROPERTIES: usize = 100;

/// What a card says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Card {
    pub(super) name: Option<String>,
    pub(super) organisation: Option<String>,
    pub(super) is_person: bool,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) country: Option<String>,
    pub(super) url: Option<String>,
}

impl Card {
    /// Reads the card of an entity; an empty one when it has none.
    pub(super) fn read(entity: &Value) -> Self {
        let mut card = Self::default();
        let properties = entity.pointer("/vcardArray/1").and_then(Value::as_array).into_iter().flatten();
        for property in properties.take(MOST_PROPERTIES) {
            let Some([name, parameters, _, value, ..]) = property.as_array().map(Vec::as_slice) else {
                continue;
            };
            card.take(name.as_str().unwrap_or_default(), parameters, value);
        }
        card
    }

    fn take(&mut self, name: &str, parameters: &Value, value: &Value) {
        let text = || first_text(value).and_then(said);
        match name {
            "fn" => set(&mut self.name, text()),
            "org" => set(&mut self.organisation, text()),
            "kind" => self.is_person = value.as_str() == Some("individual"),
            "email" => set(&mut self.email, text().filter(|mail| mail.contains('@'))),
            "tel" if !is_fax(parameters) => {
                set(&mut self.phone, text().map(|phone| phone.trim_start_matches("tel:").to_owned()));
            }
            "url" => set(&mut self.url, text()),
            "adr" => {
                let code = parameters.get("cc").and_then(Value::as_str).map(str::to_ascii_uppercase);
                // The seventh part of an address is the country (RFC 6350, 6.3.1).
                let named = value.get(6).and_then(Value::as_str).and_then(said);
                set(&mut self.country, code.or(named));
            }
            _ => {}
        }
    }

    /// The organisation, or else the name.
    pub(super) fn named(&self) -> Option<String> {
        self.name.clone().or_else(|| self.organisation.clone())
    }
}

fn first_text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get(0).and_then(Value::as_str))
}

fn is_fax(parameters: &Value) -> bool {
    let kind = parameters.get("type");
    let list = kind.and_then(Value::as_array).into_iter().flatten();
    kind.into_iter().chain(list).any(|kind| kind.as_str() == Some("fax"))
}

fn set(place: &mut Option<String>, value: Option<String>) {
    if place.is_none() {
        *place = value;
    }
}

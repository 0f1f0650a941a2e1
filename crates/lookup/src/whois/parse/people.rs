//! People and organisations that an answer describes apart and refers to by a handle.

use super::keys::Section;

/// Somebody who is described.
#[derive(Clone, Debug, Default)]
pub(super) struct Somebody {
    pub(super) handle: Option<String>,
    pub(super) name: Option<String>,
    pub(super) organisation: Option<String>,
    pub(super) country: Option<String>,
    pub(super) email: Option<String>,
    pub(super) is_person: bool,
}

impl Somebody {
    /// Takes what a key says of somebody.
    pub(super) fn take(&mut self, key: &str, value: &str) {
        let set = |place: &mut Option<String>| {
            if place.is_none() {
                *place = said(value);
            }
        };
        match key {
            "nic-hdl" | "nic-hdl-br" | "organisation" if self.handle.is_none() && !value.contains(' ') => {
                self.handle = Some(value.to_owned());
            }
            "contact" if self.handle.is_none() && !value.contains(' ') => {
                self.handle = Some(value.to_owned());
            }
            "org-name" | "organization" | "organisation" | "org" | "organization-loc" => {
                set(&mut self.organisation);
            }
            "person" | "role" | "name" | "personname" | "contact" | "person-loc" => set(&mut self.name),
            "type" => self.is_person = value.eq_ignore_ascii_case("person"),
            "country" | "country code" | "country-loc" => set(&mut self.country),
            "e-mail" | "email" => set(&mut self.email),
            _ => {}
        }
    }
}

/// A value that says something, instead of that nothing is said.
pub(in crate::whois) fn said(value: &str) -> Option<String> {
    const NOTHING: [&str; 25] = [
        "redacted",
        "not disclosed",
        "hidden",
        "n/a",
        "none",
        "not shown",
        "statutory masking",
        "data protected",
        "not applicable",
        "withheld",
        "gdpr",
        "see ",
        "visit ",
        "not available",
        "-",
        "please query",
        "refer to",
        "null",
        "unknown",
        "this information",
        "undisclosed",
        "non-disclosed",
        "not validated",
        "data redacted",
        "disclosed",
    ];
    let value = value.trim().trim_end_matches('!').trim();
    let lower = value.to_lowercase();
    let nothing = value.is_empty()
        || NOTHING.iter().any(|nothing| match *nothing {
            "-" | "none" | "null" | "n/a" => lower == *nothing,
            nothing => lower.starts_with(nothing),
        });
    (!nothing).then(|| bounded(value))
}

/// At most so much of a value as is kept.
pub(super) fn bounded(value: &str) -> String {
    let mut end = value.len().min(super::LONGEST_VALUE);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    value[..end].to_owned()
}

/// The country in `United States (US)`, or the text as it is.
pub(super) fn country(value: &str) -> Option<String> {
    let value = said(value)?;
    let code = value.rsplit_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(code, _)| code);
    let code = code.filter(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let code = code.map(str::to_ascii_uppercase);
    Some(code.unwrap_or_else(|| if value.len() == 2 { value.to_ascii_uppercase() } else { value }))
}

/// True for sections that describe somebody.
pub(super) fn describes_somebody(section: Section) -> bool {
    matches!(section, Section::Registrant | Section::Registrar | Section::Contact)
}

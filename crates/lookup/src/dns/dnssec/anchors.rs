//! Anchors of trust: what is believed before anything was checked.

use std::path::Path;

use super::crypto::{Digest, Key, digest_from_text, key_from_text};
use crate::dns::wire::kind::Kind;
use crate::dns::wire::name::DomainName;

/// Digests of the keys of the root (<https://data.iana.org/root-anchors/root-anchors.xml>, November 2026): the key of
/// 2017 and that of 2024.
const ROOT: [&str; 2] = [
    ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
    ". DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
];

/// Most lines that a file of anchors may have.
const MOST_LINES: usize = 10_000;

/// What is believed of a zone.
#[derive(Clone, Debug)]
pub(super) enum Anchor {
    Key(DomainName, Key),
    Digest(DomainName, Digest),
}

impl Anchor {
    pub(super) fn zone(&self) -> &DomainName {
        match self {
            Self::Key(zone, _) | Self::Digest(zone, _) => zone,
        }
    }

    pub(super) fn fits(&self, key: &Key) -> bool {
        match self {
            Self::Key(_, own) => own == key,
            Self::Digest(zone, digest) => digest.fits(zone, key),
        }
    }
}

/// Anchors of trust.
#[derive(Clone, Debug)]
pub struct Anchors {
    anchors: Vec<Anchor>,
}

impl Default for Anchors {
    fn default() -> Self {
        Self::of_iana()
    }
}

impl Anchors {
    /// The keys of the root of the Internet.
    pub fn of_iana() -> Self {
        Self { anchors: ROOT.iter().filter_map(|line| read_line(line).ok().flatten()).collect() }
    }

    /// Reads DS and DNSKEY records as zone files have them, one a line.
    ///
    /// # Errors
    /// Names the line that is not understood.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let mut anchors = Vec::new();
        for (number, line) in text.lines().take(MOST_LINES).enumerate() {
            match read_line(line) {
                Ok(anchor) => anchors.extend(anchor),
                Err(why) => return Err(format!("line {}: {why}", number + 1)),
            }
        }
        if anchors.is_empty() {
            return Err("there is no DS or DNSKEY record in it".into());
        }
        Ok(Self { anchors })
    }

    /// Reads a file of such records.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn from_file(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
        text.and_then(|text| Self::from_text(&text)).map_err(|why| format!("{}: {why}", path.display()))
    }

    /// The anchors of the deepest zone that the name is within.
    pub(super) fn above(&self, name: &DomainName) -> Vec<&Anchor> {
        let holding = self.anchors.iter().filter(|anchor| name.is_within(anchor.zone()));
        let depth = holding.clone().map(|anchor| anchor.zone().depth()).max();
        holding.filter(|anchor| Some(anchor.zone().depth()) == depth).collect()
    }
}

fn read_line(line: &str) -> Result<Option<Anchor>, String> {
    let line = line.split(';').next().unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some((name, rest)) = words.split_first() else { return Ok(None) };
    let name = DomainName::parse(name).map_err(|why| format!("the name {why}"))?;
    let kind = |word: &&str| matches!(Kind::parse(word), Some(Kind::DS | Kind::DNSKEY));
    let at = rest.iter().position(kind).filter(|at| *at <= 2).ok_or("it is no DS or DNSKEY record")?;
    let (kind, data) =
        (rest.get(at).and_then(|word| Kind::parse(word)), rest.get(at + 1..).unwrap_or_default());
    let anchor = match kind {
        Some(Kind::DS) => digest_from_text(data).map(|digest| Anchor::Digest(name, digest)),
        _ => key_from_text(data).map(|key| Anchor::Key(name, key)),
    };
    anchor.map(Some).ok_or_else(|| "its data is not understood".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_records() {
        let text = "; a comment\n\nexample. 3600 IN DS 55648 13 2 b4c8c1fe 2e747712 ; why\n\
                    sub.example. DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=\n";
        let anchors = Anchors::from_text(text).unwrap();
        let zones = |name: &str| {
            let name = DomainName::parse(name).unwrap();
            anchors.above(&name).iter().map(|anchor| anchor.zone().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(zones("www.sub.example"), ["sub.example."]);
        assert_eq!(zones("www.example"), ["example."]);
        assert!(zones("org").is_empty());
        for (wrong, why) in [
            ("", "no DS or DNSKEY"),
            ("example. A 192.0.2.1", "line 1: it is no DS"),
            ("\nexample. DS 1 2", "line 2: its data"),
            ("a..b DS 1 8 2 ab", "line 1: the name"),
        ] {
            assert!(Anchors::from_text(wrong).unwrap_err().contains(why), "{wrong}");
        }
    }

    #[test]
    fn the_root_has_two_keys() {
        assert_eq!(Anchors::of_iana().above(&DomainName::root()).len(), 2);
    }
}

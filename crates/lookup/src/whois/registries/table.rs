//! Rows of who knows what, and how those of one origin win over those of another.

use std::collections::{BTreeMap, HashMap};

use ipnet::IpNet;

use super::{IANA, Registry};
use crate::whois::bootstrap::Bootstrap;
use crate::whois::question::Question;

const BUILT_IN: &str = include_str!("../../../data/registries.txt");

/// Most rows of a file of one's own.
const MOST_ROWS: usize = 20_000;

/// Who knows which domains, networks and AS numbers.
#[derive(Clone, Debug)]
pub(super) struct Table {
    domains: HashMap<String, Registry>,
    networks: Vec<(IpNet, Registry)>,
    numbers: Vec<(u32, u32, Registry)>,
    iana: String,
    /// Rows of one's own, which win over what is added after them too.
    own: Option<Box<Self>>,
}

#[derive(Clone, Copy)]
enum Protocol {
    Rdap,
    Whois,
}

impl Table {
    /// A table without rows, whose last resort is this server.
    pub fn empty(iana: &str) -> Self {
        Self {
            domains: HashMap::new(),
            networks: Vec::new(),
            numbers: Vec::new(),
            iana: iana.into(),
            own: None,
        }
    }

    /// The table that is compiled in.
    pub fn built_in() -> Self {
        let mut table = Self::empty(IANA);
        // A test reads every row, so none is wrong.
        let (rows, _) = Self::rows(BUILT_IN);
        table.win(rows);
        table
    }

    /// The server that is asked when no row fits.
    pub fn iana(&self) -> &str {
        &self.iana
    }

    /// Adds rows of one's own, up to the line that is not understood.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let (rows, read) = Self::rows(text);
        let mut own = self.own.take().map_or_else(|| Self::empty(""), |own| *own);
        own.win(rows.clone());
        self.own = Some(Box::new(own));
        self.win(rows);
        read
    }

    /// The rows of a text, up to the line that is not understood.
    fn rows(text: &str) -> (Self, Result<(), String>) {
        let mut rows = Self::empty("");
        let mut read = Ok(());
        for (at, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            if let Err(why) = rows.row(&words) {
                read = Err(format!("line {}: {why}", at + 1));
                break;
            }
            if at > MOST_ROWS {
                read = Err(format!("there are more than {MOST_ROWS} lines"));
                break;
            }
        }
        (rows, read)
    }

    fn row(&mut self, words: &[&str]) -> Result<(), String> {
        let [protocol, target, names @ ..] = words else {
            return if words.is_empty() {
                Ok(())
            } else {
                Err("there must be a server behind the protocol".into())
            };
        };
        let protocol = match *protocol {
            "iana" if names.is_empty() => {
                self.iana = (*target).to_owned();
                return Ok(());
            }
            "rdap" if base(target).is_none() => {
                return Err(format!("'{target}' is no URL with http or https"));
            }
            "rdap" => Protocol::Rdap,
            "whois" => Protocol::Whois,
            other => return Err(format!("'{other}' is neither rdap nor whois")),
        };
        for name in names {
            self.name(protocol, target, name)?;
        }
        Ok(())
    }

    fn name(&mut self, protocol: Protocol, target: &str, name: &str) -> Result<(), String> {
        if name.contains('/') {
            let prefix: IpNet = name.parse().map_err(|_| format!("'{name}' is no prefix"))?;
            self.network(prefix.trunc(), protocol, target);
            return Ok(());
        }
        let Some(first) = name.strip_prefix("AS") else {
            let row = self.domains.entry(name.to_ascii_lowercase()).or_default();
            set(row, protocol, &target.replace("{tld}", name));
            return Ok(());
        };
        let (first, last) = first.split_once("-AS").unwrap_or((first, first));
        match (first.parse(), last.parse()) {
            (Ok(first), Ok(last)) if first <= last => self.number(first, last, protocol, target),
            _ => return Err(format!("'{name}' is no AS number or range such as AS64500-AS64510")),
        }
        Ok(())
    }

    fn network(&mut self, prefix: IpNet, protocol: Protocol, target: &str) {
        match self.networks.iter_mut().find(|(known, _)| *known == prefix) {
            Some((_, row)) => set(row, protocol, target),
            None => {
                let mut row = Registry::default();
                set(&mut row, protocol, target);
                self.networks.push((prefix, row));
            }
        }
    }

    fn number(&mut self, first: u32, last: u32, protocol: Protocol, target: &str) {
        match self.numbers.iter_mut().find(|(from, to, _)| (*from, *to) == (first, last)) {
            Some((.., row)) => set(row, protocol, target),
            None => {
                let mut row = Registry::default();
                set(&mut row, protocol, target);
                self.numbers.push((first, last, row));
            }
        }
    }

    /// Lets the rows of another table win.
    fn win(&mut self, other: Self) {
        for (name, row) in other.domains {
            let row = row.or(self.domains.get(&name));
            self.domains.insert(name, row);
        }
        // The first that fits is taken, so the newer stand in front.
        let networks = other.networks.into_iter().map(|(prefix, row)| {
            let known = self.networks.iter().find(|(known, _)| *known == prefix);
            let row = row.or(known.map(|(_, row)| row));
            (prefix, row)
        });
        let networks: Vec<_> = networks.collect();
        self.networks.splice(0..0, networks);
        let numbers = other.numbers.into_iter().map(|(first, last, row)| {
            let known = self.numbers.iter().find(|(from, to, _)| *from <= first && last <= *to);
            let row = row.or(known.map(|(.., row)| row));
            (first, last, row)
        });
        let numbers: Vec<_> = numbers.collect();
        self.numbers.splice(0..0, numbers);
        if !other.iana.is_empty() {
            self.iana = other.iana;
        }
    }

    /// Adds a file of IANA, over which only rows of one's own win.
    pub fn add_bootstrap(&mut self, json: &str) -> Result<usize, String> {
        let file = Bootstrap::read(json)?;
        let mut rows = Self::empty("");
        for (name, base) in &file.services {
            rows.name(Protocol::Rdap, base, name)?;
        }
        for (prefix, row) in &mut rows.networks {
            // Where WHOIS knows a network, it knows its parts, which may have an RDAP service of their own.
            row.whois = self.of_network(*prefix).and_then(|row| row.whois.clone());
        }
        self.win(rows);
        if let Some(own) = self.own.clone() {
            self.win(*own);
        }
        Ok(file.services.len())
    }

    /// Everything of which an RDAP service is known, spelled as in rows, with the base of the service.
    pub fn over_rdap(&self) -> BTreeMap<String, &str> {
        let domains = self.domains.iter().map(|(name, row)| (name.clone(), row));
        // The first that fits counts, so it is to be the last that is put in.
        let networks = self.networks.iter().rev().map(|(prefix, row)| (prefix.to_string(), row));
        let numbers = self.numbers.iter().rev().map(|(first, last, row)| (range(*first, *last), row));
        let all = domains.chain(networks).chain(numbers);
        all.filter_map(|(name, row)| Some((name, row.rdap.as_deref()?))).collect()
    }

    /// Who knows what is asked about; empty when nobody is known to.
    pub fn of(&self, question: &Question) -> Registry {
        let found = match question {
            Question::Domain(name) => self.of_domain(name),
            Question::Address(address) => self.of_network(IpNet::from(*address)),
            Question::Prefix(prefix) => self.of_network(*prefix),
            Question::AsNumber(number) => {
                let row = self.numbers.iter().find(|(first, last, _)| (first..=last).contains(&number));
                row.map(|(.., row)| row)
            }
        };
        found.cloned().unwrap_or_default()
    }

    /// The longest suffix that has a row: a second level may have a registry of its own.
    fn of_domain(&self, name: &str) -> Option<&Registry> {
        let (_, mut rest) = name.split_once('.')?;
        loop {
            if let Some(row) = self.domains.get(rest) {
                return Some(row);
            }
            rest = rest.split_once('.')?.1;
        }
    }

    /// True when a row speaks of the very thing rather than of all that is around it: of a network within this block,
    /// of a name or of a number.
    pub fn has_row_within(&self, question: &Question, block: Option<IpNet>) -> bool {
        let network = |asked: IpNet| {
            let mut rows = self.networks.iter().map(|(prefix, _)| prefix);
            rows.any(|prefix| prefix.contains(&asked) && block.is_some_and(|block| block.contains(prefix)))
        };
        match question {
            Question::Address(address) => network(IpNet::from(*address)),
            Question::Prefix(prefix) => network(*prefix),
            _ => self.of(question) != Registry::default(),
        }
    }

    fn of_network(&self, asked: IpNet) -> Option<&Registry> {
        let holding = self.networks.iter().filter(|(prefix, _)| prefix.contains(&asked));
        let mut best: Option<&(IpNet, Registry)> = None;
        for row in holding {
            if best.is_none_or(|best| row.0.prefix_len() > best.0.prefix_len()) {
                best = Some(row);
            }
        }
        best.map(|(_, row)| row)
    }

    /// The RDAP service of whoever has this server of WHOIS.
    pub fn rdap_of(&self, whois: &str) -> Option<&str> {
        let rows = self.networks.iter().map(|(_, row)| row);
        let row = rows.into_iter().find(|row| row.whois.as_deref() == Some(whois))?;
        row.rdap.as_deref()
    }
}

/// AS numbers as rows spell them.
fn range(first: u32, last: u32) -> String {
    if first == last { format!("AS{first}") } else { format!("AS{first}-AS{last}") }
}

/// The base of a service with its slash at the end.
pub fn base(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    (!rest.is_empty()).then(|| format!("{}/", url.trim_end_matches('/')))
}

fn set(row: &mut Registry, protocol: Protocol, target: &str) {
    match protocol {
        Protocol::Rdap => row.rdap = base(target),
        Protocol::Whois => row.whois = Some(target.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_understood() {
        let (table, read) = Table::rows(BUILT_IN);
        assert_eq!(read, Ok(()));
        assert!(table.domains.len() > 1200, "{}", table.domains.len());
        for registry in table.domains.values() {
            assert!(registry.rdap.as_ref().is_none_or(|rdap| !rdap.contains('{')), "{registry:?}");
        }
    }
}

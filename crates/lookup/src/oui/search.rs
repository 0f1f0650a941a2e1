//! Finding assignments by their digits and organisations by their names.

use std::collections::HashMap;

use super::{Entry, Prefix, Registry, Table};

/// Which assignments are wanted; what is absent fits all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The digits they begin with.
    pub assignment: Option<Prefix>,
    /// What the name of the organisation begins with, letter case aside.
    pub orgname: Option<String>,
    /// Words that are in the name; the best fits come first.
    pub q: Option<String>,
    /// The registry.
    pub registry: Option<Registry>,
}

impl Filter {
    /// True when everything fits.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Names as they are compared, made when somebody searches for the first time.
#[derive(Debug)]
pub(super) struct Folded {
    /// The name of each organisation.
    names: Vec<Box<str>>,
    /// Where the assignments of each organisation begin in `assignments`; one more at the end.
    first: Vec<u32>,
    /// Positions in the table, sorted by organisation and then by position.
    assignments: Vec<u32>,
}

impl Folded {
    fn new(table: &Table) -> Self {
        let count = table.organisations();
        let names = (0..count).map(|at| fold(table.name(at as u32)).into()).collect();
        let mut first = vec![0_u32; count + 1];
        let organisation = |entry: &Entry<'_>| entry.organisation as usize;
        for entry in table.iter() {
            if let Some(number) = first.get_mut(organisation(&entry) + 1) {
                *number += 1;
            }
        }
        let mut sum = 0;
        for number in &mut first {
            sum += *number;
            *number = sum;
        }
        let mut assignments: Vec<(usize, u32)> =
            (0..).zip(table.iter()).map(|(at, entry)| (organisation(&entry), at)).collect();
        assignments.sort_unstable();
        Self { names, first, assignments: assignments.into_iter().map(|(_, at)| at).collect() }
    }

    fn of(&self, organisation: u32) -> &[u32] {
        let place = |at: usize| self.first.get(at).map_or(0, |at| *at as usize);
        let at = organisation as usize;
        self.assignments.get(place(at)..place(at + 1)).unwrap_or_default()
    }
}

/// An organisation that was found by its name, however many addresses it has told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    rank: u8,
    assignments: u64,
    organisations: Vec<u32>,
}

impl Found {
    /// Its name, in one of the ways it is written.
    pub fn name<'a>(&self, table: &'a Table) -> &'a str {
        self.organisations.first().map_or("", |organisation| table.name(*organisation))
    }

    /// How many assignments it has.
    pub fn assignments(&self) -> u64 {
        self.assignments
    }

    /// Its assignments in the order of their digits.
    pub fn entries<'a>(&self, table: &'a Table) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let folded = table.folded();
        let mut positions: Vec<u32> =
            self.organisations.iter().flat_map(|organisation| folded.of(*organisation)).copied().collect();
        positions.sort_unstable();
        positions.into_iter().filter_map(|at| table.at(at as usize))
    }
}

impl Table {
    pub(super) fn folded(&self) -> &Folded {
        self.folded.get_or_init(|| Folded::new(self))
    }

    /// Organisations whose names have all words of the query, signs and letter case aside. The best fit is first: the
    /// very name, names that begin so, names whose words begin so, names that have it somewhere; among equals those
    /// with most assignments.
    pub fn search(&self, query: &str) -> Vec<Found> {
        let query = fold(query);
        let words: Vec<&str> = query.split(' ').filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return Vec::new();
        }
        let folded = self.folded();
        let mut groups: HashMap<&str, Found> = HashMap::new();
        for (organisation, name) in (0..).zip(&folded.names) {
            let Some(rank) = rank(name, &query, &words) else { continue };
            let group =
                groups.entry(name).or_insert(Found { rank, assignments: 0, organisations: Vec::new() });
            group.assignments += folded.of(organisation).len() as u64;
            group.organisations.push(organisation);
        }
        let mut found: Vec<(&str, Found)> = groups.into_iter().collect();
        for (_, group) in &mut found {
            // Of several spellings the one with most assignments is shown.
            group.organisations.sort_by_key(|organisation| usize::MAX - folded.of(*organisation).len());
        }
        found.sort_unstable_by(|(a_name, a), (b_name, b)| {
            (a.rank, u64::MAX - a.assignments, a_name).cmp(&(b.rank, u64::MAX - b.assignments, b_name))
        });
        found.into_iter().map(|(_, found)| found).collect()
    }

    /// The assignments that fit: in the order of their digits, or when words are searched for the best fits first.
    pub fn list(&self, filter: &Filter) -> Vec<Entry<'_>> {
        let orgname = filter.orgname.as_ref().map(|orgname| orgname.to_lowercase());
        let begins = |entry: &Entry<'_>| {
            orgname.as_ref().is_none_or(|orgname| entry.name.to_lowercase().starts_with(orgname))
        };
        let registry = |entry: &Entry<'_>| filter.registry.is_none_or(|registry| registry == entry.registry);
        let digits = |entry: &Entry<'_>| {
            filter.assignment.is_none_or(|prefix| {
                let digits = prefix.digits();
                entry.registry.digits() >= digits
                    && (entry.first.bits() ^ prefix.start()) >> (48 - 4 * digits) == 0
            })
        };
        match (&filter.q, filter.assignment) {
            (Some(q), _) => {
                let found = self.search(q);
                let entries = found.iter().flat_map(|found| found.entries(self));
                entries.filter(|entry| begins(entry) && registry(entry) && digits(entry)).collect()
            }
            (None, Some(prefix)) => {
                let entries = self.beginning(prefix.start(), prefix.digits());
                entries.filter(|entry| begins(entry) && registry(entry)).collect()
            }
            (None, None) => self.iter().filter(|entry| registry(entry) && begins(entry)).collect(),
        }
    }
}

/// How well a name fits; lower is better.
fn rank(name: &str, query: &str, words: &[&str]) -> Option<u8> {
    if !words.iter().all(|word| name.contains(word)) {
        return None;
    }
    let begins = |word: &&str| name.split(' ').any(|of_name| of_name.starts_with(word));
    Some(match name.strip_prefix(query) {
        Some("") => 0,
        // A whole word, as in `sony` of `Sony Corporation`, before a mere beginning, as of `Sonyx`.
        Some(rest) if rest.starts_with(' ') => 1,
        Some(_) => 2,
        None if words.iter().all(begins) => 3,
        None => 4,
    })
}

/// A name as it is compared: lower case, and one blank for whatever is neither letter nor digit.
fn fold(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

//! Which workers a selector finds.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::near::did_you_mean;
use super::parser::keys;
use super::{Expression, Selector, SelectorError, Term, TermKind};
use crate::queues::{self, PREFIX};
use crate::workers::WorkerState;

/// What is known of a worker when it is to be found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The site it stands at; empty when nobody said.
    pub site: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Country as two capital letters; empty when nobody said.
    pub country: String,
    /// Number of its autonomous system.
    pub asn: Option<u32>,
    /// Queues it may listen on, by full name.
    pub queues: Vec<String>,
    /// Whether it takes work.
    pub state: WorkerState,
}

/// Everything a selector is read against.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// Every queue by full name; true for those that give every member a copy.
    pub queues: Vec<(String, bool)>,
    /// Every worker, by name.
    pub workers: Vec<Facts>,
    /// The workers of each operation the selector asks for; one that does not exist is absent.
    pub operations: HashMap<Uuid, BTreeSet<Uuid>>,
}

/// Who runs and who does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice<'a> {
    /// Who takes work now.
    pub run: Vec<&'a Facts>,
    /// Who fits, but takes none.
    pub skipped: Vec<&'a Facts>,
}

impl<'a> Choice<'a> {
    /// At most so many of them, chosen at random; those that take work come first. The same seed
    /// chooses the same.
    #[must_use]
    pub fn limited(self, limit: usize, seed: u64) -> Self {
        let mut random = Random(seed);
        let run = draw(self.run, limit, &mut random);
        let skipped = draw(self.skipped, limit - run.len(), &mut random);
        Self { run, skipped }
    }
}

/// A fair part of a list, in its order.
fn draw<'a>(all: Vec<&'a Facts>, most: usize, random: &mut Random) -> Vec<&'a Facts> {
    if all.len() <= most {
        return all;
    }
    let mut places: Vec<usize> = (0..all.len()).collect();
    for at in 0..most {
        let other = at + random.below(places.len() - at);
        places.swap(at, other);
    }
    let mut chosen = places[..most].to_vec();
    chosen.sort_unstable();
    chosen.into_iter().map(|at| all[at]).collect()
}

/// SplitMix64: fair enough to share work out, and the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let scaled = (u128::from(mixed) * bound as u128) >> 64;
        scaled as usize
    }
}

impl Selector {
    /// The queues, when it is a plain list of queues and nothing else: work for a direct one is then taken by
    /// any one of its members. A limit makes it a choice of workers.
    pub fn plain_queues(&self, queues: &[(String, bool)]) -> Option<Vec<(String, bool)>> {
        let simple = match &self.expression {
            Expression::Term(_) => true,
            Expression::Or(parts) => parts.iter().all(|part| matches!(part, Expression::Term(_))),
            _ => false,
        };
        if !simple || self.limit.is_some() {
            return None;
        }
        let mut found: Vec<(String, bool)> = Vec::new();
        for term in self.terms() {
            let (TermKind::Word(name) | TermKind::Queue(name)) = &term.kind else { return None };
            let queue = queue(name, queues)?;
            if !found.contains(queue) {
                found.push(queue.clone());
            }
        }
        Some(found)
    }

    /// Who fits, in the order of the fleet. The limit is not looked at.
    ///
    /// # Errors
    /// Names the first word that stands for nothing: a queue, a worker, a tag, a site and so on that does not exist.
    pub fn choose<'a>(&self, fleet: &'a Fleet) -> Result<Choice<'a>, SelectorError> {
        let fits = self.fitting(&self.expression, fleet)?;
        // Who was revoked is found by name only: it belongs to no site and no group any more.
        let counts = |worker: &Facts| worker.state != WorkerState::Revoked || self.names(worker, fleet);
        let fitting = fleet.workers.iter().zip(fits).filter(|(worker, fits)| *fits && counts(worker));
        let fitting = fitting.map(|(worker, _)| worker);
        let (run, skipped) = fitting.partition(|worker| worker.state == WorkerState::Online);
        Ok(Choice { run, skipped })
    }

    /// True when a term speaks of this very worker.
    fn names(&self, worker: &Facts, fleet: &Fleet) -> bool {
        self.terms().into_iter().any(|term| match &term.kind {
            TermKind::Word(name) | TermKind::Worker(name) => same(&worker.name, name),
            TermKind::Operation(id) => fleet.operations.get(id).is_some_and(|ids| ids.contains(&worker.id)),
            _ => false,
        })
    }

    /// For each worker whether it fits.
    fn fitting(&self, expression: &Expression, fleet: &Fleet) -> Result<Vec<bool>, SelectorError> {
        let parts = match expression {
            Expression::Term(term) => return self.fitting_term(term, fleet),
            Expression::Not(inner) => {
                let fits = self.fitting(inner, fleet)?;
                return Ok(fits.into_iter().map(|fits| !fits).collect());
            }
            Expression::And(parts) | Expression::Or(parts) => parts,
        };
        let all = matches!(expression, Expression::And(_));
        let mut together = vec![all; fleet.workers.len()];
        for part in parts {
            for (one, fits) in together.iter_mut().zip(self.fitting(part, fleet)?) {
                *one = if all { *one && fits } else { *one || fits };
            }
        }
        Ok(together)
    }

    fn fitting_term(&self, term: &Term, fleet: &Fleet) -> Result<Vec<bool>, SelectorError> {
        let which = |fits: &dyn Fn(&Facts) -> bool| fleet.workers.iter().map(fits).collect::<Vec<_>>();
        let somebody = |fits: Vec<bool>, nobody: &dyn Fn() -> String| match fits.contains(&true) {
            true => Ok(fits),
            false => Err(self.error(term, nobody())),
        };
        let names = || fleet.workers.iter().map(|worker| worker.name.as_str());
        match &term.kind {
            TermKind::All => Ok(which(&|_| true)),
            TermKind::Word(word) => match queue(word, &fleet.queues) {
                Some((queue, _)) => Ok(which(&|worker| worker.queues.contains(queue))),
                None => somebody(which(&|worker| same(&worker.name, word)), &|| unknown_word(word, fleet)),
            },
            TermKind::Queue(name) => match queue(name, &fleet.queues) {
                Some((queue, _)) => Ok(which(&|worker| worker.queues.contains(queue))),
                None => Err(self.error(term, unknown_queue(name, fleet))),
            },
            TermKind::Worker(name) => somebody(which(&|worker| same(&worker.name, name)), &|| {
                format!("finds nobody: no worker is named '{name}'{}", did_you_mean(name, names()))
            }),
            TermKind::Tag(tag) => {
                somebody(which(&|worker| worker.tags.iter().any(|own| same(own, tag))), &|| {
                    let tags = fleet.workers.iter().flat_map(|worker| &worker.tags).map(String::as_str);
                    format!("finds nobody: no worker has the tag '{tag}'{}", did_you_mean(tag, tags))
                })
            }
            TermKind::Site(site) => somebody(which(&|worker| same(&worker.site, site)), &|| {
                let sites = fleet.workers.iter().map(|worker| worker.site.as_str());
                format!("finds nobody: no worker stands at the site '{site}'{}", did_you_mean(site, sites))
            }),
            TermKind::Country(code) => somebody(which(&|worker| same(&worker.country, code)), &|| {
                format!("finds nobody: no worker stands in the country '{code}'")
            }),
            TermKind::As(number) => somebody(which(&|worker| worker.asn == Some(*number)), &|| {
                format!("finds nobody: no worker stands in AS{number}")
            }),
            TermKind::Last => Err(self.error(term, "finds nobody: you have not run an operation yet")),
            TermKind::Operation(id) => match fleet.operations.get(id) {
                Some(ids) => Ok(which(&|worker| ids.contains(&worker.id))),
                None => Err(self.error(term, "finds nobody: there is no operation with this id")),
            },
        }
    }
}

/// A queue by its name, with or without prefix.
fn queue<'a>(name: &str, queues: &'a [(String, bool)]) -> Option<&'a (String, bool)> {
    let full = queues::full_name(name).ok()?;
    queues.iter().find(|(own, _)| own.eq_ignore_ascii_case(&full))
}

/// True when two texts differ in letter case at most.
fn same(own: &str, asked: &str) -> bool {
    own.eq_ignore_ascii_case(asked)
        || (!asked.is_ascii() && !own.is_ascii() && own.to_lowercase() == asked.to_lowercase())
}

fn unknown_word(word: &str, fleet: &Fleet) -> String {
    let has = |key: &str, found: bool| found.then(|| format!("{key}:{}", super::lexer::value(word)));
    let other = has("tag", fleet.workers.iter().any(|w| w.tags.iter().any(|tag| same(tag, word))))
        .or_else(|| has("site", fleet.workers.iter().any(|w| same(&w.site, word))));
    let hint = match other {
        Some(term) => format!("; did you mean '{term}'?"),
        None if word.contains(':') => format!("; the keys are {}", keys()),
        None => {
            let workers = fleet.workers.iter().map(|worker| worker.name.as_str());
            did_you_mean(word, queue_names(fleet).chain(workers))
        }
    };
    format!("is no queue and no worker{hint}")
}

fn unknown_queue(name: &str, fleet: &Fleet) -> String {
    /// A longer list would bury the message.
    const LISTED: usize = 20;
    let hint = did_you_mean(name, queue_names(fleet));
    if !hint.is_empty() || fleet.queues.len() > LISTED {
        return format!("is no queue{hint}");
    }
    let names: Vec<&str> = fleet.queues.iter().map(|(queue, _)| queue.as_str()).collect();
    format!("is no queue; the queues are {}", names.join(", "))
}

/// Every queue as people may spell it.
fn queue_names(fleet: &Fleet) -> impl Iterator<Item = &str> {
    let full = fleet.queues.iter().map(|(queue, _)| queue.as_str());
    let short = fleet.queues.iter().filter_map(|(queue, _)| queue.strip_prefix(PREFIX));
    short.chain(full)
}

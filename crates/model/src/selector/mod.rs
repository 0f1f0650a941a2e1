//! Selectors: who is to run an operation, in one syntax everywhere.
//!
//! ```text
//! selector   = expression [ "limit" number ]
//! expression = all-of *( ( "or" / "," ) all-of )
//! all-of     = one *( "and" one )
//! one        = "not" one / "(" expression ")" / term
//! term       = word / key ":" value / "AS" number / "all" / "@last" / "@" operation
//! key        = "queue" / "worker" / "name" / "tag" / "site" / "country" / "as"
//! ```
//!
//! A bare word is a queue, or else a worker. What holds blanks, commas or parentheses stands in quotes; quotes also
//! take every other meaning from a word. Letter case never matters. What it all means is in `docs/selectors.md`, and
//! the page has a twin of this grammar: `tests/selectors.json` holds both to the same cases.

mod choose;
mod lexer;
mod near;
mod parser;

#[cfg(test)]
mod tests;

use std::fmt;

use uuid::Uuid;

pub use self::choose::{Choice, Facts, Fleet};
pub(crate) use self::lexer::KEYWORDS;

/// Longest selector in bytes.
pub const LONGEST: usize = 2_000;
/// Deepest nesting of parentheses and `not`.
pub const DEEPEST: usize = 32;
/// Most terms of one selector.
pub const MOST_TERMS: usize = 200;
/// Highest `limit`.
pub const HIGHEST_LIMIT: u32 = 10_000;

/// A selector that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// Who fits.
    pub expression: Expression,
    /// How many of them at most, from 1 to 10,000; chosen at random, those that are online first.
    pub limit: Option<u32>,
    /// What it was read from.
    text: String,
}

/// An expression over the properties of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// One property.
    Term(Term),
    /// Whoever does not fit.
    Not(Box<Self>),
    /// Whoever fits all of these, of which there are at least two.
    And(Vec<Self>),
    /// Whoever fits one of these, of which there are at least two.
    Or(Vec<Self>),
}

/// One property and where it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The property.
    pub kind: TermKind,
    /// Its first byte.
    pub start: usize,
    /// The byte behind its last.
    pub end: usize,
}

/// One property of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TermKind {
    /// A queue, or else a worker.
    Word(String),
    /// Member of this queue; the prefix `netwark.` may be missing.
    Queue(String),
    /// Named so.
    Worker(String),
    /// Has this tag.
    Tag(String),
    /// Stands at this site.
    Site(String),
    /// Stands in this country, two capital letters.
    Country(String),
    /// Stands in this autonomous system.
    As(u32),
    /// Every worker.
    All,
    /// The workers of the latest operation of whoever asks.
    Last,
    /// The workers of this operation.
    Operation(Uuid),
}

/// What is wrong with a selector, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorError {
    /// The first byte of the faulty word.
    pub start: usize,
    /// The byte behind its last.
    pub end: usize,
    /// The faulty word; empty when it is about the whole text.
    pub word: String,
    /// At which character the word begins, from 1.
    pub character: usize,
    /// What is wrong with it, as a sentence that begins with the word.
    pub message: String,
}

impl SelectorError {
    /// About the part of the text from one byte to another, which stand between characters.
    pub fn at(text: &str, start: usize, end: usize, message: impl Into<String>) -> Self {
        let word = text.get(start..end).unwrap_or_default();
        let before = text.get(..start).unwrap_or_default();
        Self {
            start,
            end,
            word: word.chars().take(80).collect(),
            character: before.chars().count() + 1,
            message: message.into(),
        }
    }
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.word.is_empty() {
            write!(f, "'{}' at character {} ", self.word, self.character)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for SelectorError {}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// Names the first faulty word, where it stands, and what was expected.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        parser::parse(text)
    }

    /// An error about one of its terms.
    pub fn error(&self, term: &Term, message: impl Into<String>) -> SelectorError {
        SelectorError::at(&self.text, term.start, term.end, message)
    }

    /// Every term, from left to right.
    pub fn terms(&self) -> Vec<&Term> {
        let mut terms = Vec::new();
        self.expression.gather(&mut terms);
        terms
    }

    /// Where `@last` stands, if it does.
    pub fn last(&self) -> Option<&Term> {
        self.terms().into_iter().find(|term| term.kind == TermKind::Last)
    }

    /// Puts the id of an operation in the place of `@last`, so that it means the same for ever.
    pub fn pin(&mut self, operation: Uuid) {
        self.expression.pin(operation);
    }

    /// The operations whose workers it asks for, besides `@last`.
    pub fn operations(&self) -> Vec<Uuid> {
        let id = |term: &Term| match term.kind {
            TermKind::Operation(id) => Some(id),
            _ => None,
        };
        self.terms().into_iter().filter_map(id).collect()
    }
}

impl Expression {
    fn gather<'a>(&'a self, terms: &mut Vec<&'a Term>) {
        match self {
            Self::Term(term) => terms.push(term),
            Self::Not(inner) => inner.gather(terms),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.gather(terms)),
        }
    }

    fn pin(&mut self, operation: Uuid) {
        match self {
            Self::Term(Term { kind: kind @ TermKind::Last, .. }) => *kind = TermKind::Operation(operation),
            Self::Term(_) => {}
            Self::Not(inner) => inner.pin(operation),
            Self::And(parts) | Self::Or(parts) => parts.iter_mut().for_each(|part| part.pin(operation)),
        }
    }

    /// `least` is how tightly it has to hold together: 0 for `or`, 1 for `and`, 2 for the rest.
    fn show(&self, f: &mut fmt::Formatter<'_>, least: u8) -> fmt::Result {
        let (parts, word, own) = match self {
            Self::Term(term) => return write!(f, "{}", term.kind),
            Self::Not(inner) => {
                f.write_str("not ")?;
                return inner.show(f, 2);
            }
            Self::And(parts) => (parts, " and ", 1),
            Self::Or(parts) => (parts, " or ", 0),
        };
        let enclosed = own < least;
        f.write_str(if enclosed { "(" } else { "" })?;
        for (at, part) in parts.iter().enumerate() {
            f.write_str(if at > 0 { word } else { "" })?;
            part.show(f, own + 1)?;
        }
        f.write_str(if enclosed { ")" } else { "" })
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show(f, 0)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.expression)?;
        match self.limit {
            Some(limit) => write!(f, " limit {limit}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for TermKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) if lexer::is_plain_word(word) => f.write_str(word),
            Self::Word(word) => f.write_str(&lexer::quoted(word)),
            Self::Queue(value) => write!(f, "queue:{}", lexer::value(value)),
            Self::Worker(value) => write!(f, "worker:{}", lexer::value(value)),
            Self::Tag(value) => write!(f, "tag:{}", lexer::value(value)),
            Self::Site(value) => write!(f, "site:{}", lexer::value(value)),
            Self::Country(code) => write!(f, "country:{code}"),
            Self::As(number) => write!(f, "as:{number}"),
            Self::All => f.write_str("all"),
            Self::Last => f.write_str("@last"),
            Self::Operation(id) => write!(f, "@{id}"),
        }
    }
}

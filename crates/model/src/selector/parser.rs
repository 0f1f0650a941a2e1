//! From words to an expression.

use uuid::Uuid;

use super::lexer::{KEYS, Token, TokenKind, is_number, tokens};
use super::{
    DEEPEST, Expression, HIGHEST_LIMIT, LONGEST, MOST_TERMS, Selector, SelectorError, Term, TermKind,
};
use crate::queues;

/// Reads a selector.
pub(super) fn parse(text: &str) -> Result<Selector, SelectorError> {
    if text.len() > LONGEST {
        let message = format!("must have at most {LONGEST} bytes, got {}", text.len());
        return Err(SelectorError::at(text, 0, 0, message));
    }
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(SelectorError::at(text, 0, 0, "must not be empty; all stands for every worker"));
    }
    let mut parser = Parser { text, tokens, at: 0, depth: 0, terms: 0 };
    let expression = parser.any_of()?;
    let limit = parser.limit()?;
    if let Some(token) = parser.tokens.get(parser.at) {
        return Err(parser.wrong(token, parser.misplaced(token)));
    }
    Ok(Selector { expression, limit, text: text.to_owned() })
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    terms: usize,
}

impl Parser<'_> {
    fn wrong(&self, token: &Token, message: impl Into<String>) -> SelectorError {
        SelectorError::at(self.text, token.start, token.end, message)
    }

    /// True when the next word is this keyword; it is passed over then.
    fn takes(&mut self, keyword: &str) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|token| is_keyword(token, keyword));
        self.at += usize::from(found);
        found
    }

    fn any_of(&mut self) -> Result<Expression, SelectorError> {
        let mut parts = Vec::new();
        loop {
            match self.all_of()? {
                // Parentheses that change nothing are not kept.
                Expression::Or(inner) => parts.extend(inner),
                part => parts.push(part),
            }
            let comma = self.tokens.get(self.at).is_some_and(|token| token.kind == TokenKind::Comma);
            self.at += usize::from(comma);
            if !comma && !self.takes("or") {
                return Ok(one_or(parts, Expression::Or));
            }
        }
    }

    fn all_of(&mut self) -> Result<Expression, SelectorError> {
        let mut parts = Vec::new();
        loop {
            match self.one()? {
                Expression::And(inner) => parts.extend(inner),
                part => parts.push(part),
            }
            if !self.takes("and") {
                return Ok(one_or(parts, Expression::And));
            }
        }
    }

    fn one(&mut self) -> Result<Expression, SelectorError> {
        let Some(token) = self.tokens.get(self.at).cloned() else {
            let last = &self.tokens[self.at - 1];
            return Err(self.wrong(last, "needs a term behind it"));
        };
        self.at += 1;
        let nests = token.kind == TokenKind::Open || is_keyword(&token, "not");
        if !nests {
            return self.term(&token).map(Expression::Term);
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong(&token, format!("is nested too deep; at most {DEEPEST} levels are read")));
        }
        let expression = match token.kind {
            TokenKind::Open => self.enclosed(&token)?,
            _ => Expression::Not(Box::new(self.one()?)),
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn enclosed(&mut self, open: &Token) -> Result<Expression, SelectorError> {
        if self.at == self.tokens.len() {
            return Err(self.wrong(open, "needs a ')' behind it"));
        }
        let inner = self.any_of()?;
        match self.tokens.get(self.at) {
            None => Err(self.wrong(open, "needs a ')' behind it")),
            Some(token) if token.kind == TokenKind::Close => {
                self.at += 1;
                Ok(inner)
            }
            Some(token) if is_keyword(token, "limit") => {
                Err(self.wrong(token, "stands at the end only, behind every parenthesis"))
            }
            Some(token) => Err(self.wrong(token, self.misplaced(token))),
        }
    }

    /// What to say of a word behind a complete expression.
    fn misplaced(&self, token: &Token) -> &'static str {
        let after_limit = self.at >= 2 && is_keyword(&self.tokens[self.at - 2], "limit");
        match token.kind {
            _ if after_limit => "is one word too many: a limit ends the selector",
            TokenKind::Close => "has no '(' before it",
            _ => "needs 'and' or 'or' before it",
        }
    }

    fn limit(&mut self) -> Result<Option<u32>, SelectorError> {
        if !self.takes("limit") {
            return Ok(None);
        }
        let Some(token) = self.tokens.get(self.at) else {
            let word = &self.tokens[self.at - 1];
            return Err(self.wrong(word, format!("needs a number from 1 to {HIGHEST_LIMIT} behind it")));
        };
        let number = match &token.kind {
            TokenKind::Plain(text) if is_number(text) => text.parse().ok(),
            _ => None,
        };
        let Some(limit) = number.filter(|limit| (1..=HIGHEST_LIMIT).contains(limit)) else {
            return Err(self.wrong(token, format!("is no number from 1 to {HIGHEST_LIMIT}")));
        };
        self.at += 1;
        Ok(Some(limit))
    }

    fn term(&mut self, token: &Token) -> Result<Term, SelectorError> {
        self.terms += 1;
        if self.terms > MOST_TERMS {
            return Err(self.wrong(token, format!("is one term too many; at most {MOST_TERMS} are read")));
        }
        let kind = match &token.kind {
            TokenKind::Open | TokenKind::Close | TokenKind::Comma => Err("needs a term before it".into()),
            TokenKind::Plain(word) => plain(word),
            TokenKind::Quoted(None, word) if word.is_empty() => Err("is an empty name".into()),
            TokenKind::Quoted(None, word) => Ok(TermKind::Word(word.clone())),
            TokenKind::Quoted(Some(key), value) => keyed(key, value)
                .unwrap_or_else(|| Err(format!("has no key before its colon; the keys are {}", keys()))),
        };
        let kind = kind.map_err(|message| self.wrong(token, message))?;
        Ok(Term { kind, start: token.start, end: token.end })
    }
}

fn is_keyword(token: &Token, keyword: &str) -> bool {
    matches!(&token.kind, TokenKind::Plain(word) if word.eq_ignore_ascii_case(keyword))
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}

/// The keys for a message.
pub(super) fn keys() -> String {
    KEYS.map(|key| format!("{key}:")).join(", ")
}

fn plain(word: &str) -> Result<TermKind, String> {
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "all" => return Ok(TermKind::All),
        "and" | "or" | "limit" => return Err("needs a term before it".into()),
        "@last" => return Ok(TermKind::Last),
        _ => {}
    }
    if let Some(id) = lower.strip_prefix('@') {
        let id = Some(id).filter(|id| id.len() == 36).and_then(|id| Uuid::try_parse(id).ok());
        return id
            .map(TermKind::Operation)
            .ok_or_else(|| "is neither @last nor @ with the id of an operation".into());
    }
    if lower.strip_prefix("as").is_some_and(is_number) {
        return system(word);
    }
    match word.split_once(':').and_then(|(key, value)| keyed(key, value)) {
        Some(term) => term,
        None => Ok(TermKind::Word(word.to_owned())),
    }
}

/// The term of a key and its value; `None` when it is no key.
fn keyed(key: &str, value: &str) -> Option<Result<TermKind, String>> {
    let key = key.to_ascii_lowercase();
    if !KEYS.contains(&key.as_str()) {
        return None;
    }
    if value.is_empty() {
        return Some(Err("needs a value right behind its colon".into()));
    }
    let text = value.to_owned();
    Some(match key.as_str() {
        "queue" => match queues::full_name(value) {
            Ok(_) => Ok(TermKind::Queue(text)),
            Err(why) => Err(format!("cannot be a queue: {why}")),
        },
        "tag" => Ok(TermKind::Tag(text)),
        "site" => Ok(TermKind::Site(text)),
        "country" if value.len() == 2 && value.bytes().all(|b| b.is_ascii_alphabetic()) => {
            Ok(TermKind::Country(text.to_ascii_uppercase()))
        }
        "country" => Err("must be a code of two letters, such as country:FR".into()),
        "as" => system(value),
        _ => Ok(TermKind::Worker(text)),
    })
}

/// An autonomous system by its number, with or without the letters before it.
fn system(text: &str) -> Result<TermKind, String> {
    let digits = text.get(..2).filter(|start| start.eq_ignore_ascii_case("as")).map_or(text, |_| &text[2..]);
    let number = Some(digits).filter(|digits| is_number(digits)).and_then(|digits| digits.parse().ok());
    number
        .filter(|number| *number > 0)
        .map(TermKind::As)
        .ok_or_else(|| "must be a number from 1 to 4294967295, such as as:64500".into())
}

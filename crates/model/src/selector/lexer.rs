//! The words of a selector.

use super::SelectorError;

/// A piece of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// Its first byte.
    pub(super) start: usize,
    /// The byte behind its last.
    pub(super) end: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Open,
    Close,
    Comma,
    /// A word as it was typed: a keyword, a term, a number.
    Plain(String),
    /// What stood in quotes, and the key before it.
    Quoted(Option<String>, String),
}

/// Words that mean something by themselves.
pub(crate) const KEYWORDS: [&str; 5] = ["and", "or", "not", "limit", "all"];
/// What may stand before a colon.
pub(super) const KEYS: [&str; 7] = ["queue", "worker", "name", "tag", "site", "country", "as"];

/// Named one by one, because programming languages differ in what they call a blank.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{a0}')
}

fn ends_word(c: char) -> bool {
    is_blank(c) || matches!(c, '(' | ')' | ',')
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'')
}

/// Cuts the text into words.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, SelectorError> {
    if let Some((at, odd)) = text.char_indices().find(|(_, c)| c.is_control() && !is_blank(*c)) {
        let message = "is a control character; take it out";
        let mut error = SelectorError::at(text, at, at + odd.len_utf8(), message);
        error.word = odd.escape_default().to_string();
        return Err(error);
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let end = at + c.len_utf8();
        let kind = match c {
            c if is_blank(c) => None,
            '(' => Some(TokenKind::Open),
            ')' => Some(TokenKind::Close),
            ',' => Some(TokenKind::Comma),
            _ => {
                let token = word(text, at)?;
                at = token.end;
                tokens.push(token);
                continue;
            }
        };
        if let Some(kind) = kind {
            tokens.push(Token { kind, start: at, end });
        }
        at = end;
    }
    Ok(tokens)
}

/// The word that begins at this byte.
fn word(text: &str, start: usize) -> Result<Token, SelectorError> {
    let rest = &text[start..];
    let colon = rest.find(':');
    for (at, c) in rest.char_indices() {
        let behind_key = at > 0 && colon == Some(at - 1);
        if is_quote(c) && (at == 0 || behind_key) {
            let key = behind_key.then(|| rest[..at - 1].to_owned());
            let (value, end) = inside_quotes(text, start, start + at, c)?;
            return Ok(Token { kind: TokenKind::Quoted(key, value), start, end });
        }
        if ends_word(c) {
            return Ok(Token { kind: TokenKind::Plain(rest[..at].to_owned()), start, end: start + at });
        }
    }
    Ok(Token { kind: TokenKind::Plain(rest.to_owned()), start, end: text.len() })
}

/// What stands between the quote at this byte and the next of its kind, and the byte behind that.
fn inside_quotes(
    text: &str,
    start: usize,
    open: usize,
    quote: char,
) -> Result<(String, usize), SelectorError> {
    let mut value = String::new();
    let mut chars = text[open + 1..].char_indices();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            let end = open + 1 + at + 1;
            let tail = &text[end..];
            let more = tail.find(ends_word).unwrap_or(tail.len());
            return match more {
                0 => Ok((value, end)),
                more => Err(SelectorError::at(text, start, end + more, "goes on behind its closing quote")),
            };
        }
        match c {
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    Err(SelectorError::at(text, start, text.len(), "needs a closing quote"))
}

/// True when a value needs no quotes behind its key.
fn is_plain_value(value: &str) -> bool {
    !value.is_empty() && !value.chars().any(|c| ends_word(c) || is_quote(c) || c == '\\')
}

/// True when a bare word needs no quotes: it cannot be taken for anything else.
pub(super) fn is_plain_word(word: &str) -> bool {
    let lower = word.to_lowercase();
    let has_key = lower.split_once(':').is_some_and(|(key, _)| KEYS.contains(&key));
    let is_as = lower.strip_prefix("as").is_some_and(is_number);
    is_plain_value(word)
        && !word.starts_with(['@', '-'])
        && !KEYWORDS.contains(&lower.as_str())
        && !has_key
        && !is_as
}

/// True for one digit or more and nothing else.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// A value as it stands behind a key, in quotes where it needs them.
pub(super) fn value(value: &str) -> String {
    if is_plain_value(value) { value.to_owned() } else { quoted(value) }
}

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

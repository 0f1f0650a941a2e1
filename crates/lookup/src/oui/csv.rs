//! IEEE's files: `Registry,Assignment,Organization Name,Organization Address` (RFC 4180), UTF-8.

use std::mem;

use super::Registry;

/// Most characters of a name or an address; the longest ones there are have some 250.
const LONGEST: usize = 1000;
/// Most rows of a file; ten times what there is.
const MOST: usize = 1_000_000;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// Where it is registered.
    pub registry: Registry,
    /// The assigned bits as a number.
    pub prefix: u64,
    /// The organisation.
    pub name: String,
    /// Its address, empty when it is not told.
    pub address: String,
}

/// Why a file is not one of IEEE's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// It is something else, such as the page of a proxy.
    #[error("it does not begin with Registry,Assignment,Organization Name,Organization Address")]
    NoHeader,
    /// It breaks off within a row.
    #[error("line {0}: it ends in the middle of a row")]
    Truncated(usize),
    /// A row says something impossible.
    #[error("line {line}: {what}")]
    Row {
        /// The line it begins on.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

/// Reads a file. All rows must make sense, since a file that was damaged on its way must not count.
///
/// # Errors
/// Names the line that is wrong.
pub fn read(text: &str) -> Result<Vec<Assigned>, CsvError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows = Rows { rest: text.chars(), line: 1 };
    let header: Vec<String> = rows.next_row()?.map(|(_, fields)| fields).unwrap_or_default();
    let expected = ["registry", "assignment", "organization name", "organization address"];
    if !header.iter().map(|field| field.trim().to_ascii_lowercase()).eq(expected) {
        return Err(CsvError::NoHeader);
    }
    let mut all = Vec::new();
    while let Some((line, fields)) = rows.next_row()? {
        if fields.len() == 1 && fields[0].trim().is_empty() {
            continue;
        }
        if all.len() == MOST {
            return Err(CsvError::Row { line, what: format!("there are more than {MOST} rows") });
        }
        all.push(assigned(&fields).map_err(|what| CsvError::Row { line, what })?);
    }
    Ok(all)
}

fn assigned(fields: &[String]) -> Result<Assigned, String> {
    let [registry, assignment, name, address] = fields else {
        return Err(format!("a row has 4 fields, this one has {}", fields.len()));
    };
    let word = registry.trim();
    let registry = Registry::from_word(word).ok_or_else(|| format!("'{}' is no registry", short(word)))?;
    let digits = assignment.trim();
    let prefix = Some(digits)
        .filter(|digits| digits.len() == registry.digits() && digits.bytes().all(|b| b.is_ascii_hexdigit()))
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or_else(|| format!("'{}' is no assignment of {}", short(digits), registry.as_str()))?;
    let (name, address) = (squeeze(name), squeeze(address));
    if name.is_empty() {
        return Err(format!("{digits} has no organization"));
    }
    if name.chars().count().max(address.chars().count()) > LONGEST {
        return Err(format!("what {digits} says is longer than {LONGEST} characters"));
    }
    Ok(Assigned { registry, prefix, name, address })
}

/// One blank between words, and no control characters.
fn squeeze(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

struct Rows<'a> {
    rest: std::str::Chars<'a>,
    line: usize,
}

impl Rows<'_> {
    /// The next row with the line it begins on.
    fn next_row(&mut self) -> Result<Option<(usize, Vec<String>)>, CsvError> {
        let began = self.line;
        let (mut fields, mut field) = (Vec::new(), String::new());
        let (mut quoted, mut any) = (false, false);
        while let Some(c) = self.rest.next() {
            any = true;
            if c == '\n' {
                self.line += 1;
            }
            match c {
                '"' if quoted && self.rest.as_str().starts_with('"') => {
                    self.rest.next();
                    field.push('"');
                }
                '"' => quoted = !quoted,
                ',' if !quoted => fields.push(mem::take(&mut field)),
                '\n' if !quoted => {
                    fields.push(field);
                    return Ok(Some((began, fields)));
                }
                c => field.push(c),
            }
        }
        if quoted {
            return Err(CsvError::Truncated(began));
        }
        fields.push(field);
        Ok(any.then_some((began, fields)))
    }
}

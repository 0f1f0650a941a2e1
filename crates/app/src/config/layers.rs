//! Where values come from: flags over environment over file over defaults, every mistake collected.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::setting::Setting;

/// What every variable of the environment that sets a key begins with.
const PREFIX: &str = "NETWARK_";

/// A key as the documentation shows it.
#[derive(Debug)]
pub struct Key {
    /// Its dotted name.
    pub name: &'static str,
    /// What it takes, for documentation and errors.
    pub takes: &'static str,
    /// Its default, for documentation.
    pub default: &'static str,
    /// What it does.
    pub about: &'static str,
}

impl Key {
    /// The variable of the environment that sets it.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.replace('.', "__").to_uppercase())
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of the file.
    File(PathBuf, usize),
    /// The file as a whole.
    WholeFile(PathBuf),
    /// A variable of the environment.
    Environment(String),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{} line {line}", path.display()),
            Self::WholeFile(path) => write!(f, "{}", path.display()),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key, or the file when it is about the whole of it.
    pub key: String,
    /// Where it stands.
    pub origin: Origin,
    /// What is wrong, and what is allowed.
    pub text: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.key, self.origin, self.text)
    }
}

/// Everything that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the configuration has a mistake:")?,
            n => write!(f, "the configuration has {n} mistakes:")?,
        }
        self.0.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

/// One key with the value that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The key.
    pub key: &'static str,
    /// The value as the file would have it; empty for what is not set.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

#[derive(Debug)]
enum Given {
    Text(String),
    Value(Value),
}

/// The values that were given, the strongest of each key.
#[derive(Debug, Default)]
pub struct Layers {
    given: BTreeMap<String, (Given, Origin)>,
    taken: BTreeSet<&'static str>,
    effective: Vec<Effective>,
    mistakes: Vec<Mistake>,
}

impl Layers {
    /// Adds a file, the weakest layer.
    pub fn add_file(&mut self, path: &Path, text: &str) {
        let (table, errors) = DeTable::parse_recoverable(text);
        let line = |offset: usize| text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
        if errors.is_empty() {
            self.add_table("", table.get_ref(), &|offset| Origin::File(path.into(), line(offset)));
            return;
        }
        for error in errors {
            let origin = Origin::File(path.into(), line(error.span().map_or(0, |span| span.start)));
            self.mistake("TOML", origin, error.message().trim().to_owned());
        }
    }

    fn add_table(&mut self, prefix: &str, table: &DeTable<'_>, origin: &dyn Fn(usize) -> Origin) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) if !inner.is_empty() => {
                    self.add_table(&format!("{key}."), inner, origin);
                }
                other => {
                    let given = Given::Value(to_json(other));
                    self.given.insert(key, (given, origin(name.span().start)));
                }
            }
        }
    }

    /// Adds the environment, over the file. Only what has a double underscore behind the prefix, or sets one
    /// of the keys without a section, is ours: service managers and orchestrators add variables of their own.
    pub fn add_environment(&mut self, variables: impl Iterator<Item = (String, String)>, plain: &[&str]) {
        for (variable, text) in variables {
            let Some(rest) = variable.strip_prefix(PREFIX) else { continue };
            let key = rest.to_lowercase().replace("__", ".");
            if key.contains('.') || plain.contains(&key.as_str()) {
                self.given.insert(key, (Given::Text(text), Origin::Environment(variable)));
            }
        }
    }

    /// Adds a flag, over everything else.
    pub fn add_flag(&mut self, flag: &'static str, key: &Key, text: Option<String>) {
        if let Some(text) = text {
            self.given.insert(key.name.into(), (Given::Text(text), Origin::Flag(flag)));
        }
    }

    /// The value of a key. A value that is wrong is a mistake, and the default stands in for it.
    pub fn value<T: Setting>(&mut self, key: &'static Key, default: T) -> T {
        self.checked(key, default, |_| Ok(()))
    }

    /// The value of a key, with a check beyond its type.
    pub fn checked<T: Setting>(
        &mut self,
        key: &'static Key,
        default: T,
        check: impl FnOnce(&T) -> Result<(), String>,
    ) -> T {
        self.taken.insert(key.name);
        let (value, origin) = match self.given.get(key.name) {
            None => (default, Origin::Default),
            Some((given, origin)) => {
                let read = match given {
                    Given::Text(text) => T::from_text(text),
                    Given::Value(value) => T::from_value(value),
                };
                let origin = origin.clone();
                match read.and_then(|value| check(&value).map(|()| value)) {
                    Ok(value) => (value, origin),
                    Err(wrong) => {
                        self.mistake(key.name, origin.clone(), format!("{wrong}; it takes {}", key.takes));
                        (default, origin)
                    }
                }
            }
        };
        self.effective.push(Effective { key: key.name, value: value.show(), origin });
        value
    }

    /// What is given for a key that only a file can give.
    pub fn raw(&mut self, key: &'static Key) -> Option<(Value, Origin)> {
        self.taken.insert(key.name);
        let found = match self.given.get(key.name)? {
            (Given::Value(value), origin) => (value.clone(), origin.clone()),
            (Given::Text(_), origin) => {
                let origin = origin.clone();
                self.mistake(key.name, origin, "can only be set in the file".into());
                return None;
            }
        };
        self.effective.push(Effective { key: key.name, value: found.0.to_string(), origin: found.1.clone() });
        Some(found)
    }

    /// Replaces what is shown of the key that was read last: a secret, or a default that depends on others.
    pub fn show_as(&mut self, text: String) {
        if let Some(last) = self.effective.last_mut() {
            last.value = text;
        }
    }

    /// Notes a mistake.
    pub fn mistake(&mut self, key: &str, origin: Origin, text: String) {
        self.mistakes.push(Mistake { key: key.into(), origin, text });
    }

    /// The values that count, or every mistake: those found so far, and each given key that nobody took.
    ///
    /// # Errors
    /// All mistakes at once, those of a file in the order of its lines.
    pub fn finish(mut self, known: &[&'static Key]) -> Result<Vec<Effective>, Mistakes> {
        let unknown: Vec<_> = self
            .given
            .iter()
            .filter(|(key, (given, _))| {
                !self.taken.contains(key.as_str()) && !is_empty_section(key, given, known)
            })
            .map(|(key, (_, origin))| Mistake {
                key: key.clone(),
                origin: origin.clone(),
                text: format!("no such key; {}", neighbours(key, known)),
            })
            .collect();
        self.mistakes.extend(unknown);
        self.mistakes.sort_by_key(|mistake| match &mistake.origin {
            Origin::File(path, line) => (path.clone(), *line),
            _ => (PathBuf::new(), 0),
        });
        if self.mistakes.is_empty() { Ok(self.effective) } else { Err(Mistakes(self.mistakes)) }
    }
}

/// True for a section that exists and has nothing in it.
fn is_empty_section(key: &str, given: &Given, known: &[&Key]) -> bool {
    let empty = matches!(given, Given::Value(Value::Object(table)) if table.is_empty());
    empty && known.iter().any(|k| k.name.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
}

/// The keys of the same section, or all sections.
fn neighbours(key: &str, known: &[&Key]) -> String {
    let section = key.split_once('.').map_or(key, |(section, _)| section);
    let beside: Vec<_> = known
        .iter()
        .filter_map(|k| k.name.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')))
        .collect();
    if !beside.is_empty() {
        return format!("[{section}] has {}", beside.join(", "));
    }
    let mut sections: Vec<_> = known.iter().map(|k| k.name.split('.').next().unwrap_or(k.name)).collect();
    sections.dedup();
    format!("there are {}", sections.join(", "))
}

fn to_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(integer) => {
            let digits = integer.as_str().trim_start_matches('+');
            i64::from_str_radix(digits, integer.radix()).map_or_else(|_| Value::from(digits), Value::from)
        }
        DeValue::Float(float) => float.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(items) => items.iter().map(|item| to_json(item.get_ref())).collect(),
        DeValue::Table(table) => Value::Object(
            table
                .iter()
                .map(|(name, v)| (name.get_ref().to_string(), to_json(v.get_ref())))
                .collect::<Map<_, _>>(),
        ),
    }
}

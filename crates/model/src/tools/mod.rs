//! Tools: what can be measured, with typed options.
//!
//! A tool stands in one file: options (serde for the API, clap for the shell, a schema for the
//! form), bounds, and the shape of what it measured. [`ToolDefinition`] is the same thing without
//! its types, so that the API, the page, the shell and the documentation serve every tool in the
//! [`Registry`] alike.

pub mod args;
pub mod dns;
pub mod http;
mod legacy;
pub mod mtr;
pub mod ping;
pub mod place;
mod schema;
pub mod sweep;
pub mod tcp;
pub mod tls;
pub mod verdict;
pub mod whois;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub use self::legacy::{LegacyFlag, Meaning};
use crate::error::FieldError;
use crate::target::TargetKind;

/// How a tool is called and described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToolText {
    /// Its name in the API and on the command line.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// One sentence: what it does.
    pub summary: &'static str,
    /// One sentence: what a target is.
    pub target: &'static str,
}

/// A tool with its types.
pub trait Tool: 'static {
    /// Its options. Every option has a default; bounds stand in the schema.
    type Options: Serialize + DeserializeOwned + clap::Args + ToSchema + Default;

    /// How it is called and described.
    const TEXT: ToolText;

    /// What its target is.
    const TARGET: TargetKind = TargetKind::Host;

    /// True for a question that is asked of many targets at once on the command line, also from standard input.
    const MANY: bool = false;

    /// What the schema cannot say: options that do not go together.
    fn check(options: &Self::Options) -> Vec<FieldError>;

    /// The time a measurement takes when nothing answers, in milliseconds.
    fn longest_ms(options: &Self::Options) -> u64;

    /// What is wrong with a target, one of its kind, together with the options.
    fn check_target(target: &str, options: &Self::Options) -> Option<FieldError> {
        let _ = (target, options);
        None
    }

    /// The flags of the program that the older API passed its option string to.
    fn legacy_flags() -> &'static [LegacyFlag] {
        &[]
    }
}

/// Options that have been checked: complete, in range, consistent.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedOptions {
    /// All options with their values, defaults included.
    pub typed: Value,
    /// The time a measurement takes when nothing answers, in milliseconds.
    pub longest_ms: u64,
}

/// A flag of a tool's command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// The option it sets. A choice with a flag for each of its values has names of their own here.
    pub option: String,
    /// Its letter.
    pub short: Option<char>,
    /// Its long name.
    pub long: Option<String>,
    /// The word for its value; absent when it takes none.
    pub value: Option<String>,
    /// What it does.
    pub help: String,
}

/// A tool without its types.
#[derive(Clone)]
pub struct ToolDefinition {
    /// How it is called and described.
    pub text: ToolText,
    /// What its target is.
    pub target: TargetKind,
    /// On the command line it takes many targets, also from standard input.
    pub many: bool,
    /// The flags of the older API's option strings.
    pub legacy_flags: &'static [LegacyFlag],
    /// Made when it is asked for: to describe all tools takes longer than to ping a neighbour.
    schema: Arc<LazyLock<Value>>,
    command: fn() -> clap::Command,
    from_json: fn(Value) -> Result<CheckedOptions, Vec<FieldError>>,
    from_matches: fn(&clap::ArgMatches) -> Result<Value, String>,
    check_target: fn(&str, &Value) -> Option<FieldError>,
}

impl std::fmt::Debug for ToolDefinition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ToolDefinition").field("name", &self.text.name).finish_non_exhaustive()
    }
}

impl ToolDefinition {
    /// The definition of a tool.
    pub fn of<T: Tool>() -> Self {
        Self {
            text: T::TEXT,
            target: T::TARGET,
            many: T::MANY,
            legacy_flags: T::legacy_flags(),
            schema: Arc::new(LazyLock::new(schema::of::<T::Options>)),
            command: || {
                use clap::Args;
                T::Options::augment_args(clap::Command::new(T::TEXT.name).about(T::TEXT.summary))
            },
            from_json: from_json::<T>,
            from_matches: |matches| {
                use clap::FromArgMatches;
                let options = T::Options::from_arg_matches(matches).map_err(|e| args::clap_message(&e))?;
                serde_json::to_value(options).map_err(|e| e.to_string())
            },
            check_target: |target, options| {
                // Options that are not understood have an error of their own.
                T::check_target(target, &serde_json::from_value(options.clone()).ok()?)
            },
        }
    }

    /// JSON Schema of its options.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// The command line of this tool's options, without a target.
    pub fn command(&self) -> clap::Command {
        (self.command)()
    }

    /// The flags of this tool's command line, in its order.
    pub fn arguments(&self) -> Vec<Argument> {
        let argument = |arg: &clap::Arg| Argument {
            option: arg.get_id().to_string(),
            short: arg.get_short(),
            long: arg.get_long().map(str::to_owned),
            value: if arg.get_action().takes_values() {
                Some(
                    arg.get_value_names()
                        .and_then(|names| names.first())
                        .map_or_else(|| "VALUE".into(), ToString::to_string),
                )
            } else {
                None
            },
            help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
        };
        self.command().get_arguments().map(argument).collect()
    }

    /// Checks a target, and whether it goes with options that have been checked, where there are any. Returns it as
    /// it is kept.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn check_target(&self, text: &str, options: Option<&CheckedOptions>) -> Result<String, FieldError> {
        let target = self.target.check(text)?;
        match options.and_then(|options| (self.check_target)(&target, &options.typed)) {
            Some(error) => Err(error),
            None => Ok(target),
        }
    }

    /// Checks options given as a JSON object.
    ///
    /// # Errors
    /// One error per field that is unknown, of the wrong type, out of range or inconsistent.
    pub fn check(&self, options: Map<String, Value>) -> Result<CheckedOptions, Vec<FieldError>> {
        let errors = schema::check(self.schema(), &options);
        if !errors.is_empty() {
            return Err(errors);
        }
        (self.from_json)(Value::Object(options))
    }

    /// Checks options given as command line arguments that clap has parsed by [`Self::command`].
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_matches(&self, matches: &clap::ArgMatches) -> Result<CheckedOptions, Vec<FieldError>> {
        let value = (self.from_matches)(matches).map_err(|text| vec![FieldError::body("options", text)])?;
        let Value::Object(options) = value else {
            return Err(vec![FieldError::body("options", "must be an object")]);
        };
        self.check(options)
    }

    /// Checks options given as the older API's string, such as `-c 5`.
    ///
    /// # Errors
    /// One error per flag that is unknown, refused or has a bad value.
    pub fn check_string(&self, text: &str) -> Result<CheckedOptions, Vec<FieldError>> {
        let command = self.command();
        let arguments = legacy::translate(self.text.name, self.legacy_flags, &command, text)?;
        let matches = command
            .no_binary_name(true)
            .disable_help_flag(true)
            .try_get_matches_from(arguments)
            .map_err(|e| vec![FieldError::body("options", args::clap_message(&e))])?;
        self.check_matches(&matches)
    }

    /// Checks options in either form; absent ones are the defaults.
    ///
    /// # Errors
    /// As [`Self::check`] and [`Self::check_string`].
    pub fn check_any(&self, options: Option<&Value>) -> Result<CheckedOptions, Vec<FieldError>> {
        match options {
            None | Some(Value::Null) => self.check(Map::new()),
            Some(Value::Object(map)) => self.check(map.clone()),
            Some(Value::String(text)) => self.check_string(text),
            Some(_) => Err(vec![FieldError::body(
                "options",
                "must be an object, or a string of flags such as \"-c 5\"",
            )]),
        }
    }
}

fn from_json<T: Tool>(value: Value) -> Result<CheckedOptions, Vec<FieldError>> {
    let options: T::Options =
        serde_json::from_value(value).map_err(|e| vec![FieldError::body("options", e.to_string())])?;
    let errors = T::check(&options);
    if !errors.is_empty() {
        return Err(errors);
    }
    let typed =
        serde_json::to_value(&options).map_err(|e| vec![FieldError::body("options", e.to_string())])?;
    Ok(CheckedOptions { typed, longest_ms: T::longest_ms(&options) })
}

/// The tools a process knows, by name.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    tools: BTreeMap<&'static str, ToolDefinition>,
}

impl Registry {
    /// Every tool of this version.
    pub fn standard() -> Self {
        Self::default()
            .with::<ping::Ping>()
            .with::<mtr::Mtr>()
            .with::<tcp::Tcp>()
            .with::<http::Http>()
            .with::<tls::Tls>()
            .with::<dns::Dns>()
            .with::<whois::Whois>()
            .with::<sweep::Sweep>()
    }

    /// The same registry with one more tool.
    #[must_use]
    pub fn with<T: Tool>(mut self) -> Self {
        self.tools.insert(T::TEXT.name, ToolDefinition::of::<T>());
        self
    }

    /// The tool of this name.
    pub fn get(&self, name: &str) -> Option<&ToolDefinition> {
        self.tools.get(name)
    }

    /// All tools, by name.
    pub fn iter(&self) -> impl Iterator<Item = &ToolDefinition> {
        self.tools.values()
    }

    /// The names of all tools, for error messages.
    pub fn names(&self) -> String {
        self.tools.keys().copied().collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests;

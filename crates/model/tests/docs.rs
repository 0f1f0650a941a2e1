//! `docs/tools.md` is written from the registry of tools, so that it cannot say what the code does
//! not do. `NETWARK_BLESS=1` writes it anew.

use std::fmt::Write as _;

use netwark_model::error::FieldError;
use netwark_model::tools::{Argument, LegacyFlag, Meaning, Registry, Tool, ToolDefinition, ToolText};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/tools.md");

const HEAD: &str = "\
# Tools

<!-- Written from the code by `make api`; a test fails when it differs. -->

Every tool takes its options in three forms that mean the same:

- as an object: `{\"type\": \"ping\", \"target\": \"192.0.2.1\", \"options\": {\"count\": 3}}`. Durations are
  milliseconds. An option that is unknown or out of range is refused with its name.
- as flags of the shell: `netwark ping -c 3 192.0.2.1`. Where a flag takes seconds, a fraction is allowed.
- as the string of flags that the older API took: `\"options\": \"-c 3\"`. It is parsed, never handed to a
  program. It takes the long flags of the shell, and the flags in the tool's last table with the effect named there.

`GET /api/v1/tools` gives the same as JSON. A measurement that could take more than 20 minutes when nothing
answers is refused. What a target is stands with each tool; what is none of its kind is refused with the reason.

In the shell every tool also knows `--json`, `--report` (nothing while it is measured), `--numeric` (no names),
and `--from SELECTOR`, which measures from other workers through a server instead of from this machine; see
[selectors](selectors.md).
";

fn document(registry: &Registry) -> String {
    let mut out = HEAD.to_owned();
    for tool in registry.iter() {
        section(&mut out, tool);
    }
    out
}

fn section(out: &mut String, tool: &ToolDefinition) {
    let text = tool.text;
    let _ =
        writeln!(out, "\n## {}: `{}`\n\n{}\n\nTarget: {}", text.title, text.name, text.summary, text.target);
    let properties = tool.schema()["properties"].as_object().cloned().unwrap_or_default();
    table(
        out,
        "Options",
        &["Option", "Values", "Default", "Meaning"],
        ordered(tool, &properties).into_iter().map(|(name, property)| {
            vec![format!("`{name}`"), values(property), default(property), string(property, "description")]
        }),
    );
    table(
        out,
        "Flags in the shell",
        &["Flag", "Meaning"],
        tool.arguments().iter().map(|argument| vec![spelled(argument), argument.help.clone()]),
    );
    if !tool.legacy_flags.is_empty() {
        table(
            out,
            "Flags in an older option string",
            &["Flag", "Effect", "Why"],
            tool.legacy_flags.iter().map(older),
        );
    }
}

/// The options in the order of the command line; those whose flag has another name come last.
fn ordered<'a>(tool: &ToolDefinition, properties: &'a Map<String, Value>) -> Vec<(&'a String, &'a Value)> {
    let command = tool.command();
    let place = |name: &str| command.get_arguments().position(|argument| argument.get_id() == name);
    let mut all: Vec<_> = properties.iter().collect();
    all.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
    all
}

fn table(out: &mut String, title: &str, columns: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let _ = writeln!(out, "\n### {title}\n\n| {} |", columns.join(" | "));
    let _ = writeln!(out, "|{}", " --- |".repeat(columns.len()));
    for row in rows {
        let cells: Vec<_> = row.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
}

/// What an option takes.
fn values(property: &Value) -> String {
    if let Some(choices) = property["enum"].as_array() {
        let words: Vec<_> =
            choices.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
        return words.join(", ");
    }
    let kind = match &property["type"] {
        Value::Array(kinds) => kinds.iter().find_map(Value::as_str).unwrap_or_default(),
        kind => kind.as_str().unwrap_or_default(),
    };
    match (kind, &property["minimum"], &property["maximum"], &property["maxLength"]) {
        ("integer" | "number", Value::Number(least), Value::Number(most), _) => format!("{least} to {most}"),
        ("integer", ..) => "a whole number".into(),
        ("number", ..) => "a number".into(),
        ("boolean", ..) => "`true`, `false`".into(),
        ("string", _, _, Value::Number(most)) => format!("text of at most {most} characters"),
        ("string", ..) => "text".into(),
        ("array", ..) => "a list of texts".into(),
        (other, ..) => other.into(),
    }
}

fn default(property: &Value) -> String {
    match &property["default"] {
        Value::Null => "none".into(),
        Value::String(word) => format!("`{word}`"),
        value => format!("{value}"),
    }
}

fn string(property: &Value, key: &str) -> String {
    property[key].as_str().unwrap_or_default().to_owned()
}

fn spelled(argument: &Argument) -> String {
    let short = argument.short.map(|letter| format!("-{letter}"));
    let long = argument.long.as_ref().map(|name| format!("--{name}"));
    let names = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    match &argument.value {
        Some(value) => format!("`{names} {value}`"),
        None => format!("`{names}`"),
    }
}

fn older(flag: &LegacyFlag) -> Vec<String> {
    let value = if flag.value { " VALUE" } else { "" };
    let long = if flag.long.is_empty() { String::new() } else { format!(", --{}", flag.long) };
    let (effect, why) = match flag.meaning {
        Meaning::Parsed => ("parsed", ""),
        Meaning::Bind => ("parsed", "an address sets `source`, a name sets `interface`"),
        Meaning::Accepted(why) => ("accepted, no effect", why),
        Meaning::Refused(why) => ("refused", why),
    };
    vec![format!("`-{}{long}{value}`", flag.short), effect.into(), why.into()]
}

#[test]
fn the_page_is_what_the_code_says() {
    let current = document(&Registry::standard());
    if std::env::var_os("NETWARK_BLESS").is_some() {
        std::fs::write(PATH, &current).unwrap();
    }
    let kept = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(kept == current, "docs/tools.md is not what the code says; write it anew with 'make api'");
}

/// A tool that nothing but this test knows.
struct Knock;

/// Its options.
#[derive(Clone, Debug, Default, Serialize, Deserialize, clap::Args, ToSchema)]
#[serde(default)]
struct KnockOptions {
    /// How hard | how often.
    #[arg(short = 'k', long, default_value_t = 0, value_name = "N")]
    #[schema(minimum = 0, maximum = 7, default = 0)]
    knocks: u8,
}

impl Tool for Knock {
    type Options = KnockOptions;
    const TEXT: ToolText = ToolText { name: "knock", title: "Knock", summary: "Knocks.", target: "A door." };

    fn check(_: &KnockOptions) -> Vec<FieldError> {
        Vec::new()
    }

    fn longest_ms(_: &KnockOptions) -> u64 {
        0
    }
}

#[test]
fn a_new_tool_has_its_page_without_a_line_here() {
    let page = document(&Registry::default().with::<Knock>());
    for line in [
        "## Knock: `knock`",
        "Knocks.\n\nTarget: A door.",
        "| `knocks` | 0 to 7 | 0 | How hard \\| how often. |",
        "| `-k, --knocks N` | How hard \\| how often |",
    ] {
        assert!(page.contains(line), "missing: {line}\n{page}");
    }
    assert!(!page.contains("older option string\n"), "a new tool has no older flags");
}

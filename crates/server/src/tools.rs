//! `/tools`: what can be run, with everything a form, a shell or a reader needs.

use axum::Json;
use axum::extract::State;
use netwark_model::target::TargetKind;
use netwark_model::tools::{LegacyFlag, Meaning, ToolDefinition};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::App;

/// A tool.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ToolView {
    /// Its name in the API and on the command line.
    #[schema(example = "ping")]
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it does.
    pub summary: String,
    /// What a target is.
    pub target: String,
    /// What kind of target it takes.
    pub target_kind: TargetKind,
    /// JSON Schema of its options.
    #[schema(value_type = Object)]
    pub schema: Value,
    /// Flags of its command line.
    pub arguments: Vec<ArgumentView>,
    /// Flags of the older option strings and what becomes of them.
    pub flags: Vec<FlagView>,
}

/// A flag of a tool's command line.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ArgumentView {
    /// The option it sets. A choice with a flag for each of its values has names of their own here.
    #[schema(example = "count")]
    pub option: String,
    /// One letter, with its dash.
    #[schema(example = "-c")]
    pub short: Option<String>,
    /// The long name, with its dashes.
    #[schema(example = "--count")]
    pub long: Option<String>,
    /// The word for its value; absent when it takes none.
    #[schema(example = "N")]
    pub value: Option<String>,
    /// What it does.
    pub help: String,
}

/// A flag of an older option string.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FlagView {
    /// One letter, with its dash.
    #[schema(example = "-c")]
    pub flag: String,
    /// The long name, with its dashes, if there is one.
    pub long: Option<String>,
    /// True when a value follows.
    pub value: bool,
    /// `parsed`, `accepted` or `refused`.
    #[schema(example = "parsed")]
    pub effect: String,
    /// Why it is accepted without effect, or refused.
    pub reason: Option<String>,
}

/// List tools by name.
#[utoipa::path(
    get, path = "/tools", operation_id = "list_tools", tag = "Operations",
    responses((status = 200, description = "All tools", body = Vec<ToolView>)),
)]
pub async fn list_tools(State(app): State<App>) -> Json<Vec<ToolView>> {
    Json(app.tools.iter().map(view).collect())
}

fn view(tool: &ToolDefinition) -> ToolView {
    ToolView {
        name: tool.text.name.into(),
        title: tool.text.title.into(),
        summary: tool.text.summary.into(),
        target: tool.text.target.into(),
        target_kind: tool.target,
        schema: tool.schema().clone(),
        arguments: tool.arguments().into_iter().map(argument).collect(),
        flags: tool.legacy_flags.iter().map(flag).collect(),
    }
}

fn argument(argument: netwark_model::tools::Argument) -> ArgumentView {
    ArgumentView {
        option: argument.option,
        short: argument.short.map(|letter| format!("-{letter}")),
        long: argument.long.map(|name| format!("--{name}")),
        value: argument.value,
        help: argument.help,
    }
}

fn flag(flag: &LegacyFlag) -> FlagView {
    let (effect, reason) = match flag.meaning {
        Meaning::Parsed | Meaning::Bind => ("parsed", None),
        Meaning::Accepted(reason) => ("accepted", Some(reason.to_owned())),
        Meaning::Refused(reason) => ("refused", Some(reason.to_owned())),
    };
    FlagView {
        flag: format!("-{}", flag.short),
        long: Some(flag.long).filter(|long| !long.is_empty()).map(|long| format!("--{long}")),
        value: flag.value,
        effect: effect.into(),
        reason,
    }
}

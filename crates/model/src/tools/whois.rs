//! `whois`: who holds a domain, an address or an AS number.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Tool, ToolText};
use crate::error::FieldError;
use crate::target::TargetKind;

/// The longest that registries are asked, with waiting for a turn at each, in milliseconds.
const LONGEST_MS: u64 = 60_000;

/// The `whois` tool.
#[derive(Debug)]
pub struct Whois;

/// Options of `whois`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, clap::Args, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WhoisOptions {
    /// Ask again, although an answer is kept.
    #[arg(long)]
    #[schema(default = false)]
    pub fresh: bool,
}

impl Tool for Whois {
    type Options = WhoisOptions;
    const TEXT: ToolText = ToolText {
        name: "whois",
        title: "WHOIS",
        summary: "Ask the registries who holds a domain, an address or an AS number.",
        target: "A domain, an address, a prefix or an AS number, such as example.com, 192.0.2.1 or AS64500.",
    };

    const TARGET: TargetKind = TargetKind::Resource;

    fn check(_: &WhoisOptions) -> Vec<FieldError> {
        Vec::new()
    }

    fn longest_ms(_: &WhoisOptions) -> u64 {
        LONGEST_MS
    }
}

//! What is wrong with an input, field by field.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a field stands in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Location {
    /// In the body.
    Body,
    /// In the path.
    Path,
    /// In the query string.
    #[serde(rename = "querystring")]
    Query,
    /// In a header.
    Header,
}

/// One thing that is wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, thiserror::Error)]
#[error("{name}: {description}")]
pub struct FieldError {
    /// Where the field stands.
    pub location: Location,
    /// Name of the field, dotted for nested ones: `options.count`.
    #[schema(example = "options.count")]
    pub name: String,
    /// What is wrong and what would be right.
    #[schema(example = "must be at most 10000, got 20000")]
    pub description: String,
}

impl FieldError {
    /// An error in a field of the body.
    pub fn body(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self { location: Location::Body, name: name.into(), description: description.into() }
    }

    /// An error in a query parameter.
    pub fn query(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self { location: Location::Query, name: name.into(), description: description.into() }
    }

    /// An error in a part of the path.
    pub fn path(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self { location: Location::Path, name: name.into(), description: description.into() }
    }

    /// An error in a header.
    pub fn header(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self { location: Location::Header, name: name.into(), description: description.into() }
    }
}

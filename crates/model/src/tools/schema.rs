//! JSON Schema of a tool's options, and the check of a flat object against it.
//!
//! The bounds of an option stand once, in its schema attribute; this check is what enforces them
//! for the API, the shell and the older option strings alike.

use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::error::FieldError;

/// The schema of `T` with everything it refers to put in place, so that it stands by itself.
pub(super) fn of<T: ToSchema + PartialSchema>() -> Value {
    let mut referred: Vec<(String, RefOr<Schema>)> = Vec::new();
    T::schemas(&mut referred);
    let root = serde_json::to_value(T::schema()).unwrap_or(Value::Null);
    let parts: Map<String, Value> = referred
        .into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or(Value::Null)))
        .collect();
    inline(root, &parts)
}

fn inline(value: Value, parts: &Map<String, Value>) -> Value {
    match value {
        Value::Object(mut map) => {
            let referred = map.remove("$ref").and_then(|r| {
                r.as_str().and_then(|path| path.rsplit('/').next()).and_then(|n| parts.get(n)).cloned()
            });
            let mut out = Map::new();
            if let Some(Value::Object(part)) = referred {
                out.extend(part);
            }
            out.extend(map);
            Value::Object(out.into_iter().map(|(key, v)| (key, inline(v, parts))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|v| inline(v, parts)).collect()),
        other => other,
    }
}

/// Checks an object of options against a schema made by [`of`]: unknown fields, types, ranges,
/// lengths and choices.
pub(super) fn check(schema: &Value, options: &Map<String, Value>) -> Vec<FieldError> {
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let mut errors = Vec::new();
    for (name, value) in options {
        let field = format!("options.{name}");
        match properties.get(name) {
            None => {
                let known = properties.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                errors.push(FieldError::body(field, format!("is unknown; the options are {known}")));
            }
            Some(property) => {
                if let Some(text) = wrong(property, value) {
                    errors.push(FieldError::body(field, text));
                }
            }
        }
    }
    errors
}

/// What is wrong with one value, if anything.
fn wrong(property: &Value, value: &Value) -> Option<String> {
    let property = &alternative(property, value);
    if let Some(choices) = property.get("enum").and_then(Value::as_array) {
        let known = choices.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
        return (!choices.contains(value)).then(|| format!("must be one of {known}, got {}", short(value)));
    }
    let types = types_of(property);
    if types.is_empty() {
        return None;
    }
    if !types.iter().any(|t| is_of_type(t, value)) {
        return Some(format!("must be {}, got {}", article(&types), short(value)));
    }
    if let Some(number) = value.as_f64() {
        if let Some(least) = property.get("minimum").and_then(Value::as_f64).filter(|least| number < *least) {
            return Some(format!("must be at least {least}, got {}", short(value)));
        }
        if let Some(most) = property.get("maximum").and_then(Value::as_f64).filter(|most| number > *most) {
            return Some(format!("must be at most {most}, got {}", short(value)));
        }
    }
    if let Some(text) = value.as_str() {
        let length = text.chars().count() as u64;
        if let Some(most) = property.get("maxLength").and_then(Value::as_u64).filter(|most| length > *most) {
            return Some(format!("must have at most {most} characters, got {length}"));
        }
        if text.chars().any(char::is_control) {
            return Some("must not hold control characters".into());
        }
    }
    None
}

/// The branch of `oneOf` or `anyOf` that fits the value, or the property itself.
fn alternative(property: &Value, value: &Value) -> Value {
    let branches =
        ["oneOf", "anyOf", "allOf"].iter().find_map(|k| property.get(*k)).and_then(Value::as_array);
    let Some(branches) = branches else { return property.clone() };
    let fits = |branch: &&Value| {
        let types = types_of(branch);
        types.is_empty() || types.iter().any(|t| is_of_type(t, value))
    };
    branches.iter().find(fits).or(branches.last()).unwrap_or(property).clone()
}

fn types_of(property: &Value) -> Vec<&str> {
    match property.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_of_type(name: &str, value: &Value) -> bool {
    match name {
        "integer" => value.as_i64().is_some() || value.as_u64().is_some(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn article(types: &[&str]) -> String {
    let words = types.iter().filter(|t| **t != "null").map(|t| match *t {
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a string",
        "boolean" => "true or false",
        "array" => "a list",
        _ => "an object",
    });
    words.collect::<Vec<_>>().join(" or ")
}

/// A value as an error shows it: never longer than a line.
fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 40 {
        return text;
    }
    text.chars().take(40).chain("...".chars()).collect()
}

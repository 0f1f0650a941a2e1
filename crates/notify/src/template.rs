//! Templates, those of the house and those of administrators.
//!
//! What a template puts in is escaped for its format: HTML, JSON, or text in which nothing has to be. A name that does
//! not exist is an error, so that a mistake is found when a channel is saved.

use std::io;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, escape_formatter,
};
use serde::Serialize;

/// Most steps that a template may take.
const MOST_STEPS: u64 = 200_000;
/// Most bytes that a template may make.
const LONGEST: usize = 512 * 1024;

/// What a template makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text.
    Text,
    /// HTML.
    Html,
    /// JSON.
    Json,
}

/// Fills a template.
///
/// # Errors
/// Says what is wrong with it, and in which line.
pub(crate) fn render(source: &str, format: Format, view: &impl Serialize) -> Result<String, String> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(move |_| match format {
        Format::Text => AutoEscape::None,
        Format::Html => AutoEscape::Html,
        Format::Json => AutoEscape::Json,
    });
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(MOST_STEPS));
    let mut syntax = SyntaxConfig::builder();
    let syntax = syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    environment.set_syntax(syntax.map_err(|error| told(&error))?);
    environment.set_formatter(without_none);
    let template = environment.template_from_str(source).map_err(|error| told(&error))?;
    let mut made = Made(Vec::new());
    template.render_captured_to(Serde(view), &mut made).map_err(|error| told(&error))?;
    String::from_utf8(made.0).map_err(|error| error.to_string())
}

/// What a template has made. It is bounded while it grows: few steps can make much.
struct Made(Vec<u8>);

impl io::Write for Made {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// In text, what is not there is nothing rather than a word for it.
fn without_none(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_none() && *state.auto_escape() != AutoEscape::Json {
        return Ok(());
    }
    escape_formatter(out, state, value)
}

fn told(error: &Error) -> String {
    let what = match (error.kind(), error.detail()) {
        (ErrorKind::WriteFailure, _) => format!("it makes more than {LONGEST} bytes"),
        (ErrorKind::OutOfFuel, _) => format!("it takes more than {MOST_STEPS} steps"),
        (kind, None) => kind.to_string(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
    };
    match error.line() {
        Some(line) => format!("line {line}: {what}"),
        None => what,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_put_in_is_escaped() {
        let view = json!({"name": "<b>\"x\"</b>", "none": null});
        let of = |format| render("{{ name }}|{{ none }}", format, &view).unwrap();
        assert_eq!(of(Format::Text), "<b>\"x\"</b>|");
        assert!(!of(Format::Html).contains('<'));
        assert_eq!(of(Format::Json), r#""<b>\"x\"</b>"|null"#);
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (source, expected) in [
            ("a\n{{ nothing }}", "line 2"),
            ("a\nb\n{% for %}", "line 3"),
            ("{% include 'x' %}", "line 1"),
            ("{% for a in range(20000) %}{% for b in range(20000) %}{% endfor %}{% endfor %}", "steps"),
            ("{% for a in range(20000) %}{{ 'x' * 100 }}{% endfor %}", "more than 524288 bytes"),
        ] {
            let error = render(source, Format::Text, &json!({})).unwrap_err();
            assert!(error.contains(expected), "{source}: {error}");
        }
    }
}

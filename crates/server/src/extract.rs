//! What a request carries, taken out with errors that name the field.

use std::collections::HashSet;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use netwark_model::error::FieldError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use crate::error::Problem;

/// A JSON body.
#[derive(Clone, Copy, Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(JsonRejection::MissingJsonContentType(_)) => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "The body is not JSON",
                "send the body as JSON with the header Content-Type: application/json",
            )),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "The body is too large",
                format!("a body has at most {} bytes", crate::router::LARGEST_BODY),
            )),
            Err(JsonRejection::JsonDataError(error)) => Err(Problem::field(field_error(&error.body_text()))),
            Err(rejection) => {
                let (field, reason) = located(&rejection.body_text());
                Err(Problem::field(FieldError::body(field, format!("is no JSON: {reason}"))))
            }
        }
    }
}

/// What the JSON reader says of a value, in the words of the API.
fn field_error(text: &str) -> FieldError {
    let (path, reason) = located(text);
    let quoted = reason.split('`').nth(1).unwrap_or_default();
    let join = |name: &str| if path == "body" { name.to_owned() } else { format!("{path}.{name}") };
    if reason.starts_with("missing field") {
        return FieldError::body(quoted, "is missing");
    }
    if reason.starts_with("unknown field") {
        let name = if path.ends_with(quoted) { path.clone() } else { join(quoted) };
        let known: Vec<&str> = reason.split('`').skip(3).step_by(2).collect();
        return FieldError::body(name, format!("is unknown; the fields are {}", known.join(", ")));
    }
    if reason.starts_with("UUID parsing failed") {
        return FieldError::body(path, "must be a UUID");
    }
    let Some((got, expected)) = reason.split_once(", expected ") else {
        return FieldError::body(path, reason);
    };
    let expected = match expected {
        "a sequence" => "a list",
        other if other.starts_with("struct ") => "an object",
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        "f32" | "f64" => "a number",
        other => other,
    };
    let got = got.split_once(": ").map_or(got, |(_, got)| got);
    FieldError::body(path, format!("must be {expected}, got {got}"))
}

/// The field an error of the JSON reader speaks of, as far as it says, and the reason without the
/// framework's preamble and the place in the text.
fn located(text: &str) -> (String, String) {
    let known = [
        "Failed to deserialize the JSON body into the target type: ",
        "Failed to parse the request body as JSON: ",
    ];
    let reason = known.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
    let reason = reason.rsplit_once(" at line ").map_or(reason, |(reason, _)| reason);
    let is_path =
        |path: &str| !path.is_empty() && path.chars().all(|c| c.is_alphanumeric() || "._[]".contains(c));
    let (path, reason) = match reason.split_once(": ") {
        Some((path, rest)) if is_path(path) => (path, rest),
        _ => ("body", reason),
    };
    (path.to_owned(), reason.chars().take(300).collect())
}

/// The id in a path.
#[derive(Clone, Copy, Debug)]
pub struct Id(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let text = path.map(|Path(text)| text).unwrap_or_default();
        id(&text).map(Self).map_err(|wrong| Problem::field(FieldError::path("id", wrong)))
    }
}

/// An id, or what it should be.
pub fn id(text: &str) -> Result<Uuid, String> {
    let shown: String = text.chars().take(60).collect();
    Uuid::try_parse(text).map_err(|_| format!("must be a UUID, got '{shown}'"))
}

/// Reads a field that is there, which may be null.
///
/// # Errors
/// Those of the field.
pub fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// The value of a word, or what the words are.
pub fn known<T>(value: Option<T>, word: &str, words: &str) -> Result<T, String> {
    let shown: String = word.chars().take(60).collect();
    value.ok_or_else(|| format!("must be one of {words}, got '{shown}'"))
}

/// The parameters of a query string. Empty values count as absent.
#[derive(Clone, Debug, Default)]
pub struct Params {
    pairs: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        use axum::extract::Query;
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|error| Problem::field(FieldError::query("query", error.body_text())))?;
        Ok(Self::new(pairs.0))
    }
}

impl Params {
    /// Parameters from pairs.
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        let pairs = pairs.into_iter().filter(|(_, value)| !value.trim().is_empty());
        // PostgreSQL has no NUL in a text, and nobody who looks for something means one.
        let (refused, pairs): (Vec<_>, Vec<_>) = pairs.partition(|(_, value)| value.contains('\0'));
        let refuse = |(name, _): (String, _)| FieldError::query(&name, "must not have a NUL character");
        Self { pairs, errors: refused.into_iter().map(refuse).collect() }
    }

    /// Takes a parameter; the last one wins when it is given more than once.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.take_all(name).pop()
    }

    /// Takes every value of a parameter.
    pub fn take_all(&mut self, name: &str) -> Vec<String> {
        let (taken, kept) =
            std::mem::take(&mut self.pairs).into_iter().partition::<Vec<_>, _>(|(key, _)| key == name);
        self.pairs = kept;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    /// Takes and reads a parameter. What cannot be read is remembered as an error.
    pub fn read<T>(&mut self, name: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.take(name)?;
        match read(text.trim()) {
            Ok(value) => Some(value),
            Err(description) => {
                self.errors.push(FieldError::query(name, description));
                None
            }
        }
    }

    /// True when a parameter is given.
    pub fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(key, _)| key == name)
    }

    /// Takes an id.
    pub fn id(&mut self, name: &str) -> Option<Uuid> {
        self.read(name, id)
    }

    /// Takes `true` or `false`.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.read(name, |text| {
            let shown: String = text.chars().take(60).collect();
            text.parse().map_err(|_| format!("must be true or false, got '{shown}'"))
        })
    }

    /// Takes a time.
    pub fn time(&mut self, name: &str) -> Option<jiff::Timestamp> {
        self.read(name, |text| {
            text.parse().map_err(|_| "must be a time such as 2026-11-21T10:00:00Z".to_owned())
        })
    }

    /// Takes `page` and `per_page`.
    pub fn page(&mut self) -> Page {
        let number =
            |text: &str| text.parse::<i64>().map_err(|_| format!("must be a whole number, got '{text}'"));
        let page = self.read("page", |text| match number(text)? {
            page @ 0..=1_000_000_000 => Ok(page.unsigned_abs().max(1)),
            page => Err(format!("must be 1 or more, got {page}")),
        });
        Page { page: page.unwrap_or(1), per_page: self.per_page() }
    }

    /// Takes `per_page` of a list that has no pages by number.
    pub fn per_page(&mut self) -> u64 {
        let per_page = self.read("per_page", |text| {
            match text.parse::<i64>().map_err(|_| format!("must be a whole number, got '{text}'"))? {
                per_page @ 1..=1000 => Ok(per_page.unsigned_abs()),
                per_page => Err(format!("must be from 1 to 1000, got {per_page}")),
            }
        });
        per_page.unwrap_or(50)
    }

    /// What was read of a parameter; what could not be read is remembered as an error.
    pub fn check<T>(&mut self, name: &str, read: Result<T, String>) -> Option<T> {
        read.map_err(|wrong| self.errors.push(FieldError::query(name, wrong))).ok()
    }

    /// Ends reading: whatever was wrong, or was not asked for, is the error.
    ///
    /// # Errors
    /// Names every parameter that is wrong or unknown.
    pub fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in self.pairs {
            self.errors.push(FieldError::query(name, "is no parameter of this request"));
        }
        // A parameter that was refused is also missing where it is read.
        let mut named = HashSet::new();
        self.errors.retain(|error| named.insert(error.name.clone()));
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::fields(self.errors)) }
    }
}

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub page: u64,
    /// From 1 to 1000.
    pub per_page: u64,
}

impl Page {
    /// How many entries come before it.
    pub fn offset(self) -> u64 {
        (self.page - 1) * self.per_page
    }

    /// The headers of a list: its total and the pages around this one (RFC 8288).
    pub fn headers(self, path: &str, query: &str, total: u64) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-total-count", HeaderValue::from(total));
        let last = total.div_ceil(self.per_page).max(1);
        let link = |page: u64, relation: &str| link(path, query, ("page", &page.to_string()), relation);
        let mut links = vec![link(1, "first"), link(last, "last")];
        if self.page > 1 {
            links.push(link(self.page - 1, "prev"));
        }
        if self.page < last {
            links.push(link(self.page + 1, "next"));
        }
        if let Ok(value) = HeaderValue::from_str(&links.join(", ")) {
            headers.insert(header::LINK, value);
        }
        headers
    }
}

/// A page of a list whose entries come before one that is named, out of `limit` and one more of them, with a link to the
/// next (RFC 8288): the same request with `before` set to what `name` says of the last entry of this page.
pub fn page_before<T>(
    mut found: Vec<T>,
    limit: u64,
    uri: &Uri,
    name: impl FnOnce(&T) -> String,
) -> (HeaderMap, Json<Vec<T>>) {
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > page;
    found.truncate(page);
    let mut headers = HeaderMap::new();
    if let (true, Some(last)) = (more, found.last()) {
        let next = link(uri.path(), uri.query().unwrap_or_default(), ("before", &name(last)), "next");
        headers.extend(HeaderValue::from_str(&next).ok().map(|next| (header::LINK, next)));
    }
    (headers, Json(found))
}

/// A link to the same request with another value of one parameter.
fn link(path: &str, query: &str, (name, value): (&str, &str), relation: &str) -> String {
    let is_it = |pair: &str| pair.split_once('=').is_some_and(|(key, _)| key == name);
    let rest = query.split('&').filter(|pair| !pair.is_empty() && !is_it(pair)).map(str::to_owned);
    let query: Vec<String> = rest.chain([format!("{name}={value}")]).collect();
    format!("<{path}?{}>; rel=\"{relation}\"", query.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &[(&str, &str)]) -> Params {
        Params::new(query.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect())
    }

    #[test]
    fn pages_are_bounded_and_zero_is_one() {
        let page = |query: &[(&str, &str)]| {
            let mut params = params(query);
            let page = params.page();
            params.finish().map(|()| (page.page, page.per_page)).map_err(|p| p.detail().to_owned())
        };
        assert_eq!(page(&[]), Ok((1, 50)));
        assert_eq!(page(&[("page", "0"), ("per_page", "")]), Ok((1, 50)));
        assert_eq!(page(&[("page", "-1")]), Err("page: must be 1 or more, got -1".into()));
        assert_eq!(
            page(&[("per_page", "100000")]),
            Err("per_page: must be from 1 to 1000, got 100000".into())
        );
        assert_eq!(page(&[("page", "x")]), Err("page: must be a whole number, got 'x'".into()));
        assert_eq!(page(&[("staus", "done")]), Err("staus: is no parameter of this request".into()));
    }

    #[test]
    fn links_lead_around() {
        let headers = Page { page: 2, per_page: 10 }.headers("/x", "page=2&type=ping", 25);
        assert_eq!(headers["x-total-count"], "25");
        let link = headers["link"].to_str().unwrap();
        assert_eq!(
            link,
            "</x?type=ping&page=1>; rel=\"first\", </x?type=ping&page=3>; rel=\"last\", \
             </x?type=ping&page=1>; rel=\"prev\", </x?type=ping&page=3>; rel=\"next\""
        );
    }

    #[test]
    fn the_next_page_keeps_the_filters() {
        let uri = "/x?before=9&type=ping&beforehand=1".parse().unwrap();
        let page = |limit| page_before(vec![3, 2, 1], limit, &uri, ToString::to_string);
        let (headers, Json(found)) = page(2);
        assert_eq!(found, [3, 2]);
        assert_eq!(headers["link"], "</x?type=ping&beforehand=1&before=2>; rel=\"next\"");
        let (headers, Json(found)) = page(3);
        assert_eq!((headers.len(), found.len()), (0, 3));
    }

    #[test]
    fn json_errors_name_the_field() {
        let told = |reason: &str| {
            let prefix = "Failed to deserialize the JSON body into the target type: ";
            field_error(&format!("{prefix}{reason} at line 1 column 9")).to_string()
        };
        assert_eq!(told("missing field `target`"), "target: is missing");
        assert_eq!(
            told("x: unknown field `x`, expected one of `y`, `z`"),
            "x: is unknown; the fields are y, z"
        );
        assert_eq!(
            told("queues[0]: invalid type: integer `1`, expected a string"),
            "queues[0]: must be a string, got integer `1`"
        );
        assert_eq!(
            told("vlan: invalid type: string \"x\", expected i64"),
            "vlan: must be a whole number, got string \"x\""
        );
        assert_eq!(
            told("interfaces[0]: UUID parsing failed: invalid character: found `x` at 0"),
            "interfaces[0]: must be a UUID"
        );
        assert_eq!(
            told("invalid type: sequence, expected struct New"),
            "body: must be an object, got sequence"
        );
    }
}

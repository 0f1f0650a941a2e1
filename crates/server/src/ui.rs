//! The web UI: files compiled into the binary, compressed beforehand.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rust_embed::{Embed, EmbeddedFile};
use sha2::{Digest, Sha256};

/// The static build of `web/`. Absent in a build without the web step; the API works all the same.
#[derive(Embed)]
#[folder = "../../web/build"]
#[allow_missing = true]
struct Assets;

/// The page that starts the UI, whatever the address.
const INDEX: &str = "index.html";

const MISSING: &str = "<!doctype html><title>Netwark</title><p>This build has no web UI. \
    Build it with <code>make web</code> and build the binary again. The API is at \
    <a href=\"/api/docs\">/api/docs</a>.</p>\n";

/// Answers with a file, or with the page that starts the UI.
pub fn serve(path: &str, headers: &HeaderMap) -> Response {
    let name = path.trim_start_matches('/');
    let asset =
        !name.is_empty() && Assets::get(name).is_some() && !name.ends_with(".br") && !name.ends_with(".gz");
    if !asset && name.starts_with("_app/") {
        return (StatusCode::NOT_FOUND, "there is no such file; reload the page\n").into_response();
    }
    let name = if asset { name } else { INDEX };
    let Some(plain) = Assets::get(name) else {
        return (StatusCode::OK, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], MISSING)
            .into_response();
    };
    let (file, encoding) = encoded(name, headers).unwrap_or((plain, None));
    respond(name, file, encoding, headers)
}

/// The smallest form of a file that the client takes.
fn encoded(name: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let accepted = headers.get(header::ACCEPT_ENCODING)?.to_str().ok()?;
    let takes =
        |coding: &str| accepted.split(',').any(|one| one.split(';').next().map(str::trim) == Some(coding));
    for (coding, ending) in [("br", "br"), ("gzip", "gz")] {
        if takes(coding)
            && let Some(file) = Assets::get(&format!("{name}.{ending}"))
        {
            return Some((file, Some(coding)));
        }
    }
    None
}

fn respond(name: &str, file: EmbeddedFile, encoding: Option<&'static str>, headers: &HeaderMap) -> Response {
    let mut tag = String::from("\"");
    for byte in file.metadata.sha256_hash().iter().take(16) {
        // Writing to a string cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    let immutable = name.starts_with("_app/immutable/");
    let cache = if immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response =
        if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Response::new(Body::from(file.data))
        };
    let out = response.headers_mut();
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let kind = if name == INDEX { "text/html; charset=utf-8" } else { content_type(name) };
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    response
}

/// The types of file a web build holds.
fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The content security policy of pages: nothing from elsewhere, no inline script but those of the
/// page that starts the UI, by their hashes.
pub fn policy() -> HeaderValue {
    static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
        let index = Assets::get(INDEX).map(|file| String::from_utf8_lossy(&file.data).into_owned());
        let hashes = inline_scripts(index.as_deref().unwrap_or_default());
        let policy = format!(
            "default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
             font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; \
             base-uri 'none'; form-action 'self'"
        );
        HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'self'"))
    });
    POLICY.clone()
}

/// The policy of the API's documentation, whose page brings styles of its own.
pub fn docs_policy() -> HeaderValue {
    HeaderValue::from_static(
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    )
}

/// ` 'sha256-...'` for every inline script of a page.
fn inline_scripts(page: &str) -> String {
    let mut hashes = String::new();
    for part in page.split("<script>").skip(1) {
        let script = part.split("</script>").next().unwrap_or_default();
        let hash = BASE64_STANDARD.encode(Sha256::digest(script));
        // Writing to a string cannot fail.
        let _ = write!(hashes, " 'sha256-{hash}'");
    }
    hashes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_scripts_are_allowed_by_hash() {
        let hashes = inline_scripts("<script src=\"/a.js\"></script><script>x</script><script>y</script>");
        assert_eq!(hashes.matches("'sha256-").count(), 2);
        assert!(hashes.contains("LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE="), "{hashes}");
    }
}

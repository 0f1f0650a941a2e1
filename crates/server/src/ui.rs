//! The web UI: files compiled into the binary, compressed beforehand.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::{Body, Bytes};
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

/// The page that starts the UI for each path the server is reached under, with its policy.
#[derive(Clone, Debug)]
pub struct Pages(Arc<[Page]>);

#[derive(Debug)]
struct Page {
    /// The path: empty, or such as `/netwark`.
    prefix: Arc<str>,
    /// The page for it; none for the root, where the file is right as it is.
    moved: Option<Bytes>,
    policy: HeaderValue,
}

impl Pages {
    /// The pages for these paths.
    pub fn new(prefixes: Vec<Arc<str>>) -> Self {
        let index = Assets::get(INDEX).map(|file| String::from_utf8_lossy(&file.data).into_owned());
        let index = index.unwrap_or_default();
        let page = |prefix: Arc<str>| {
            let text = moved(&index, &prefix);
            let policy = policy(&text);
            Page { moved: (!prefix.is_empty()).then(|| text.into()), prefix, policy }
        };
        Self(prefixes.into_iter().map(page).collect())
    }

    fn page(&self, prefix: &str) -> Option<&Page> {
        self.0.iter().find(|page| *page.prefix == *prefix).or(self.0.first())
    }

    /// The content security policy of pages below a path.
    pub fn policy(&self, prefix: &str) -> HeaderValue {
        let page = self.page(prefix);
        page.map_or(HeaderValue::from_static("default-src 'none'"), |page| page.policy.clone())
    }

    /// Answers with a file, or with the page that starts the UI.
    pub fn serve(&self, prefix: &str, path: &str, headers: &HeaderMap) -> Response {
        let name = path.trim_start_matches('/');
        let asset = !name.is_empty()
            && name != INDEX
            && Assets::get(name).is_some()
            && !name.ends_with(".br")
            && !name.ends_with(".gz");
        if !asset && name.starts_with("_app/") {
            return (StatusCode::NOT_FOUND, "there is no such file; reload the page\n").into_response();
        }
        let name = if asset { name } else { INDEX };
        let Some(plain) = Assets::get(name) else {
            return (StatusCode::OK, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], MISSING)
                .into_response();
        };
        if !asset && let Some(moved) = self.page(prefix).and_then(|page| page.moved.clone()) {
            let tag = tag(&Sha256::digest(&moved));
            return respond(name, Body::from(moved), &tag, None, headers);
        }
        let (file, encoding) = encoded(name, headers).unwrap_or((plain, None));
        let tag = tag(&file.metadata.sha256_hash());
        respond(name, Body::from(file.data), &tag, encoding, headers)
    }
}

/// The page that starts the UI, for another path than the root: its files and its own base are below it.
fn moved(index: &str, prefix: &str) -> String {
    if prefix.is_empty() {
        return index.to_owned();
    }
    let moved = index
        .replace("=\"/", &format!("=\"{prefix}/"))
        .replace("import(\"/", &format!("import(\"{prefix}/"))
        .replace("base: \"\"", &format!("base: \"{prefix}\""));
    // The page says by hash which of its scripts may run, and that one has changed.
    scripts(index)
        .zip(scripts(&moved))
        .fold(moved.clone(), |page, (before, after)| page.replace(&hash(before), &hash(after)))
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

/// A validator made of the first half of a hash.
fn tag(hash: &[u8]) -> String {
    let mut tag = String::from("\"");
    for byte in hash.iter().take(16) {
        // Writing to a string cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

fn respond(
    name: &str,
    body: Body,
    tag: &str,
    encoding: Option<&'static str>,
    headers: &HeaderMap,
) -> Response {
    let immutable = name.starts_with("_app/immutable/");
    let cache = if immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response =
        if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Response::new(body)
        };
    let out = response.headers_mut();
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let kind = if name == INDEX { "text/html; charset=utf-8" } else { content_type(name) };
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if let Ok(tag) = HeaderValue::from_str(tag) {
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
fn policy(page: &str) -> HeaderValue {
    let hashes: String = scripts(page).map(|script| format!(" '{}'", hash(script))).collect();
    let policy = format!(
        "default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; \
         base-uri 'none'; form-action 'self'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'self'"))
}

/// The policy of the API's documentation, whose page brings styles of its own.
pub fn docs_policy() -> HeaderValue {
    HeaderValue::from_static(
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    )
}

/// The inline scripts of a page.
fn scripts(page: &str) -> impl Iterator<Item = &str> {
    page.split("<script>").skip(1).map(|part| part.split("</script>").next().unwrap_or_default())
}

/// A script as a policy names it: `sha256-...`.
fn hash(script: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(script)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_scripts_are_allowed_by_hash() {
        let page = "<script src=\"/a.js\"></script><script>x</script><script>y</script>";
        let policy = policy(page);
        let policy = policy.to_str().unwrap();
        assert_eq!(policy.matches("'sha256-").count(), 2);
        assert!(policy.contains("LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE="), "{policy}");
    }

    #[test]
    fn a_moved_page_leads_below_its_path_and_names_its_own_scripts() {
        let script = "kit = { base: \"\" }; import(\"/_app/start.js\")";
        let page =
            format!("<meta content=\"'{}'\"><link href=\"/a.css\"><script>{script}</script>", hash(script));
        let moved = moved(&page, "/netwark");
        let own = "kit = { base: \"/netwark\" }; import(\"/netwark/_app/start.js\")";
        let wanted =
            format!("<meta content=\"'{}'\"><link href=\"/netwark/a.css\"><script>{own}</script>", hash(own));
        assert_eq!(moved, wanted);
        assert_eq!(super::moved(&page, ""), page);
    }

    #[test]
    fn the_real_page_is_moved_as_a_whole() {
        let Some(index) = Assets::get(INDEX) else { return };
        let index = String::from_utf8_lossy(&index.data);
        let moved = moved(&index, "/netwark");
        assert!(moved.contains("base: \"/netwark\""), "the page names its base in another way: {moved}");
        let left = moved.matches("\"/").count() - moved.matches("\"/netwark").count();
        assert_eq!(left, 0, "{moved}");
        let allowed = scripts(&moved).all(|script| moved.contains(&hash(script)));
        assert!(allowed && scripts(&moved).count() > 0, "{moved}");
    }
}

//! What is sent, and where to.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;

use crate::outcome::Failure;

/// What is sent.
#[derive(Debug)]
pub(crate) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// A request to post this JSON.
    pub(crate) fn post(url: Url, body: &Value) -> Self {
        Self::post_text(url, body.to_string())
    }

    /// A request to post a text that is JSON already.
    pub(crate) fn post_text(url: Url, body: String) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self { method: Method::POST, url, headers, body: body.into_bytes() }
    }

    /// The same with another method.
    pub(crate) fn with_method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// The same with a header.
    pub(crate) fn with(self, name: &str, value: &str) -> Result<Self, Failure> {
        self.insert(name, value, false)
    }

    /// The same with a header that is not for logs.
    pub(crate) fn with_secret(self, name: &str, value: &str) -> Result<Self, Failure> {
        self.insert(name, value, true)
    }

    fn insert(mut self, name: &str, value: &str, sensitive: bool) -> Result<Self, Failure> {
        let wrong = || Failure::never(format!("the header {name} cannot be sent"));
        let header = HeaderName::try_from(name).map_err(|_| wrong())?;
        let mut value = HeaderValue::try_from(value).map_err(|_| wrong())?;
        value.set_sensitive(sensitive);
        self.headers.insert(header, value);
        Ok(self)
    }

    /// What is posted.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }
}

/// The URL of a secret or of a configuration, which was checked when it was saved.
pub(crate) fn url(text: &str) -> Result<Url, Failure> {
    Url::parse(text).map_err(|_| Failure::never("the URL of this channel is none"))
}

/// A path below a URL.
pub(crate) fn below(base: &str, segments: &[&str]) -> Result<Url, Failure> {
    let mut url = url(base)?;
    url.path_segments_mut()
        .map_err(|()| Failure::never("the URL of this channel can have no path"))?
        .pop_if_empty()
        .extend(segments);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_a_url() {
        let path = |base: &str| below(base, &["a b", "c"]).unwrap().to_string();
        assert_eq!(path("https://x.example"), "https://x.example/a%20b/c");
        assert_eq!(path("https://x.example/sub/"), "https://x.example/sub/a%20b/c");
        assert_eq!(path("https://x.example/sub"), "https://x.example/sub/a%20b/c");
    }
}

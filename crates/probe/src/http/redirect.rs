//! Where an answer leads.

use netwark_model::tools::http::{HttpHop, HttpOptions, Method};
use url::Url;

use super::exchange::Step;

/// Longest URL that is gone to, in bytes.
const LONGEST: usize = 2048;

/// What comes after an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is the last.
    Ends,
    /// Another URL, by this method.
    Goes(Url, Method),
    /// It leads on, but not where anybody can go; why, as a clause.
    Broken(String),
}

/// Decides what comes after an answer. `before` are the hops before it.
pub(super) fn next(step: &Step, hop: &HttpHop, before: &[HttpHop], options: &HttpOptions) -> Next {
    let Some(status @ (301 | 302 | 303 | 307 | 308)) = hop.status else { return Next::Ends };
    if hop.failure.is_some() || options.redirects == 0 {
        return Next::Ends;
    }
    let Some(location) = hop.headers.iter().find(|header| header.name == "location") else {
        return Next::Broken(format!("the answer {status} does not say where it leads"));
    };
    let mut url = match step.url.join(&location.value) {
        Ok(url) if url.as_str().len() <= LONGEST => url,
        Ok(_) => return Next::Broken(format!("it leads to a URL of more than {LONGEST} bytes")),
        Err(_) => return Next::Broken("it leads to something that is no URL".into()),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Next::Broken(format!("it leads to {}:, which is neither http nor https", url.scheme()));
    }
    // Who redirects must not choose what is signed in with. Neither call fails on a URL with a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    let method = match (status, step.method) {
        (303, Method::Options) => Method::Get,
        (_, method) => method,
    };
    let been = |hop: &HttpHop| hop.url == url.as_str() && hop.method == method;
    if been(hop) || before.iter().any(been) {
        return Next::Broken(format!("it leads in a circle, back to {url}; cookies are not kept"));
    }
    if before.len() >= usize::from(options.redirects) {
        return Next::Broken(format!("it leads on to {url} after {} redirects", options.redirects));
    }
    Next::Goes(url, method)
}

#[cfg(test)]
mod tests {
    use netwark_model::tools::http::HttpHeader;

    use super::*;

    fn after(status: u16, location: Option<&str>, options: &HttpOptions) -> Next {
        let url = "https://example.org/a/b";
        let step = Step {
            url: url.parse().unwrap(),
            method: options.method,
            address: None,
            name_ms: None,
            same_host: true,
        };
        let headers = location.map(|value| HttpHeader { name: "location".into(), value: value.into() });
        let hop = HttpHop {
            url: url.into(),
            method: options.method,
            status: Some(status),
            headers: headers.into_iter().collect(),
            ..HttpHop::default()
        };
        next(&step, &hop, &[], options)
    }

    #[test]
    fn redirects_lead_on() {
        let options = HttpOptions::default();
        let goes = |url: &str| Next::Goes(url.parse().unwrap(), Method::Get);
        assert_eq!(after(301, Some("c?x#y"), &options), goes("https://example.org/a/c?x"));
        assert_eq!(after(302, Some("//other.example/"), &options), goes("https://other.example/"));
        assert_eq!(after(308, Some("http://u:p@other.example/"), &options), goes("http://other.example/"));
        assert_eq!(after(200, Some("c"), &options), Next::Ends);
        assert_eq!(after(304, None, &options), Next::Ends);
        let off = HttpOptions { redirects: 0, ..HttpOptions::default() };
        assert_eq!(after(301, Some("c"), &off), Next::Ends);
        let asks = HttpOptions { method: Method::Options, ..HttpOptions::default() };
        assert_eq!(
            after(303, Some("/"), &asks),
            Next::Goes("https://example.org/".parse().unwrap(), Method::Get)
        );
    }

    #[test]
    fn what_leads_nowhere_says_why() {
        let options = HttpOptions::default();
        for (location, why) in [
            (None, "does not say where"),
            (Some("ftp://example.org/"), "neither http nor https"),
            (Some("javascript:alert(1)"), "neither http nor https"),
            (Some("https://"), "no URL"),
            (Some("/a/b"), "in a circle"),
        ] {
            let Next::Broken(text) = after(302, location, &options) else { panic!("{location:?}") };
            assert!(text.contains(why), "{location:?}: {text}");
        }
        assert!(matches!(after(302, Some(&"x".repeat(3000)), &options), Next::Broken(_)));
    }
}

//! URLs as targets.

use url::{Host, ParseError, Url};

use super::check as check_host;
use crate::error::FieldError;

/// Longest URL in bytes.
const LONGEST: usize = 2048;

/// Checks an http or https URL; one without a scheme is taken for http, as browsers and curl once did. Returns it in
/// its canonical form, without a fragment, which no server is ever sent.
///
/// # Errors
/// Says what is wrong with it, for the field `target`.
pub fn check(text: &str) -> Result<String, FieldError> {
    let wrong = |description: String| Err(FieldError::body("target", description));
    let text = text.trim();
    if text.is_empty() {
        return wrong("must not be empty; give a URL such as https://example.org/".into());
    }
    if text.len() > LONGEST {
        return wrong(format!("must have at most {LONGEST} bytes, got {}", text.len()));
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return wrong("must not hold blanks or control characters".into());
    }
    let begins =
        |scheme: &str| text.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
    // It would be read as a host of that name.
    if !text.contains("://") && (begins("http:") || begins("https:")) {
        return wrong("needs two slashes behind its scheme, as in https://example.org/".into());
    }
    // An IPv6 address needs its brackets in a URL; without a scheme, people write it bare.
    let whole = match text {
        text if text.contains("://") => text.to_owned(),
        text if text.parse::<std::net::Ipv6Addr>().is_ok() => format!("http://[{text}]"),
        text => format!("http://{text}"),
    };
    let mut url = match Url::parse(&whole) {
        Ok(url) => url,
        Err(error) => return wrong(why(error).into()),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return wrong(format!("must begin with http:// or https://, not {}://", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("must not hold a user name or password: a target is stored and shown".into());
    }
    if url.port() == Some(0) {
        return wrong(why(ParseError::InvalidPort).into());
    }
    if let Some(Host::Domain(name)) = url.host() {
        check_host(name)?;
    }
    url.set_fragment(None);
    if url.as_str().len() > LONGEST {
        return wrong(format!("must have at most {LONGEST} bytes once its characters are escaped"));
    }
    Ok(url.into())
}

fn why(error: ParseError) -> &'static str {
    match error {
        ParseError::EmptyHost => "has no host",
        ParseError::InvalidPort => "has something other than a port from 1 to 65535 behind its colon",
        ParseError::InvalidIpv4Address => "has a host that looks like an IPv4 address but is none",
        ParseError::InvalidIpv6Address => "has a host that looks like an IPv6 address but is none",
        ParseError::IdnaError | ParseError::InvalidDomainCharacter => "has a host that is no name",
        _ => "is no URL; give one such as https://example.org/",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_kept_in_their_canonical_form() {
        for (given, kept) in [
            ("https://Example.org", "https://example.org/"),
            ("example.org", "http://example.org/"),
            ("example.org:8080/x?y=1#z", "http://example.org:8080/x?y=1"),
            ("2001:db8::1", "http://[2001:db8::1]/"),
            ("http://[2001:DB8::1]:80/a b".replace(' ', "%20").as_str(), "http://[2001:db8::1]/a%20b"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            // What browsers take for an address is one, so that a worker's list sees it.
            ("http://0x7f000001/", "http://127.0.0.1/"),
        ] {
            assert_eq!(check(given).as_deref(), Ok(kept), "{given}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_with_a_reason() {
        for (given, why) in [
            ("", "must not be empty"),
            ("ftp://example.org/", "not ftp"),
            ("file:///etc/passwd", "not file"),
            ("https://", "has no host"),
            ("http:/example.org", "two slashes"),
            ("HTTPS:example.org", "two slashes"),
            ("https://user:secret@example.org/", "password"),
            ("https://example.org:99999/", "65535"),
            ("https://example.org:0/", "65535"),
            ("https://a b/", "blanks"),
            ("https://1.2.3.400/", "IPv4"),
            ("https://[::g]/", "IPv6"),
            ("https://-x.example/", "begins or ends"),
        ] {
            let error = check(given).unwrap_err();
            assert_eq!(error.name, "target");
            assert!(error.description.contains(why), "{given}: {error}");
        }
        assert!(check(&format!("https://example.org/{}", "a".repeat(2048))).is_err());
        assert!(check(&format!("https://example.org/{}", "ü".repeat(900))).is_err());
    }
}

//! `http`: one request, each redirect it leads to, and the time of every step.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::args::{self, Family};
use super::tls::{Failure, TlsSession};
use super::verdict::Verdict;
use super::{Tool, ToolText};
use crate::error::FieldError;
use crate::target::TargetKind;

/// Most headers of a request.
const MOST_HEADERS: usize = 20;
/// Longest header of a request in bytes.
const LONGEST_HEADER: usize = 1024;
/// Headers that say how a message travels, which the request itself decides.
const OWN_HEADERS: [&str; 8] =
    ["connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

/// The `http` tool.
#[derive(Debug)]
pub struct Http;

/// The methods that ask and change nothing.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, clap::ValueEnum,
)]
#[serde(rename_all = "UPPERCASE")]
#[value(rename_all = "UPPER")]
pub enum Method {
    /// Head and body.
    #[default]
    Get,
    /// The head alone.
    Head,
    /// What may be done with it.
    Options,
}

impl Method {
    /// As it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
        }
    }
}

/// Which version of HTTP is spoken.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, clap::ValueEnum,
)]
pub enum HttpVersion {
    /// What the server prefers of HTTP/2 and HTTP/1.1, agreed in the handshake (ALPN); HTTP/1.1 without TLS.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// HTTP/1.1.
    #[serde(rename = "1.1")]
    #[value(name = "1.1")]
    One,
    /// HTTP/2; without TLS, the server must expect it.
    #[serde(rename = "2")]
    #[value(name = "2")]
    Two,
}

/// Options of `http`. Durations are milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, clap::Args, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpOptions {
    /// The method. Those that could change something are not offered.
    #[arg(
        short = 'X',
        long = "request",
        value_enum,
        default_value_t,
        value_name = "METHOD",
        ignore_case = true
    )]
    #[schema(default = "GET")]
    pub method: Method,
    /// Headers of the request, each as `Name: value`. They are stored and shown with the operation, so they should
    /// hold no secrets.
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    #[schema(default = json!([]))]
    pub headers: Vec<String>,
    /// Most redirects that are followed.
    #[arg(long = "max-redirects", default_value_t = 10, value_name = "N")]
    #[schema(minimum = 0, maximum = 20, default = 10)]
    pub redirects: u8,
    /// Which version of HTTP is spoken.
    #[arg(long, value_enum, default_value_t, value_name = "VERSION")]
    #[schema(default = "auto")]
    pub http_version: HttpVersion,
    /// Go on although the certificate is not trusted; the reasons are told all the same.
    #[arg(short = 'k', long)]
    #[schema(default = false)]
    pub insecure: bool,
    /// Most bytes of a body that are read.
    #[arg(long, default_value_t = 1_000_000, value_name = "BYTES")]
    #[schema(minimum = 0, maximum = 10_000_000, default = 1_000_000)]
    pub max_body_bytes: u32,
    /// What the status must be: codes, classes and ranges, such as `200`, `2xx` or `200-299,404`. Default: below 400.
    #[arg(long, value_name = "STATUS")]
    #[schema(max_length = 100)]
    pub expect_status: Option<String>,
    /// Text that the body must hold, within the bytes that are read.
    #[arg(long, value_name = "TEXT")]
    #[schema(max_length = 500)]
    pub expect_text: Option<String>,
    /// The address that is connected to in place of those of the host in the URL; redirects to other hosts are resolved.
    #[arg(long, value_name = "ADDRESS")]
    #[schema(value_type = Option<String>)]
    pub connect_to: Option<IpAddr>,
    /// How long all of it may take, redirects included; `-W` takes seconds.
    #[arg(short = 'W', long = "timeout", default_value = "15", value_name = "SECONDS", value_parser = args::seconds)]
    #[schema(minimum = 100, maximum = 120_000, default = 15_000)]
    pub timeout_ms: u32,
    /// Source address; it must belong to the worker.
    #[arg(long, value_name = "ADDRESS")]
    #[schema(value_type = Option<String>)]
    pub source: Option<IpAddr>,
    /// Which addresses of the host are asked.
    #[command(flatten)]
    #[schema(default = "auto")]
    pub family: Family,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            method: Method::Get,
            headers: Vec::new(),
            redirects: 10,
            http_version: HttpVersion::Auto,
            insecure: false,
            max_body_bytes: 1_000_000,
            expect_status: None,
            expect_text: None,
            connect_to: None,
            timeout_ms: 15_000,
            source: None,
            family: Family::Auto,
        }
    }
}

impl Tool for Http {
    type Options = HttpOptions;
    const TEXT: ToolText = ToolText {
        name: "http",
        title: "HTTP",
        summary: "Ask for a URL and tell status, headers, redirects and the time of every step.",
        target: "A URL, such as https://example.org/; without a scheme, http is meant.",
    };
    const TARGET: TargetKind = TargetKind::Url;

    fn check(options: &HttpOptions) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if options.headers.len() > MOST_HEADERS {
            errors.push(FieldError::body("options.headers", format!("must be at most {MOST_HEADERS}")));
        }
        for (index, header) in options.headers.iter().enumerate() {
            if let Err(why) = header_of(header) {
                errors.push(FieldError::body(format!("options.headers[{index}]"), why));
            }
        }
        if let Some(Err(why)) = options.expect_status.as_deref().map(Expected::parse) {
            errors.push(FieldError::body("options.expect_status", why));
        }
        if options.expect_text.is_some() && options.method != Method::Get {
            errors.push(FieldError::body("options.expect_text", "needs the method GET: others have no body"));
        }
        errors
    }

    fn longest_ms(options: &HttpOptions) -> u64 {
        u64::from(options.timeout_ms)
    }
}

/// A header of a request in its two parts.
///
/// # Errors
/// What is wrong with it, as a clause.
pub fn header_of(text: &str) -> Result<(&str, &str), String> {
    let (name, value) = text.split_once(':').ok_or("must be a name and a value with a colon between them")?;
    let (name, value) = (name.trim(), value.trim());
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(token) {
        return Err("has a name that no header can have".into());
    }
    if text.len() > LONGEST_HEADER {
        return Err(format!("must have at most {LONGEST_HEADER} bytes"));
    }
    if value.chars().any(char::is_control) {
        return Err("must not hold control characters".into());
    }
    if OWN_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
        return Err(format!("must not be {name}, which belongs to the connection"));
    }
    Ok((name, value))
}

/// Which statuses are expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected(Vec<(u16, u16)>);

impl Expected {
    /// Reads codes, classes and ranges with commas: `200`, `2xx`, `200-299,404`.
    ///
    /// # Errors
    /// What is wrong with it, as a clause.
    pub fn parse(text: &str) -> Result<Self, String> {
        let code = |text: &str| text.parse::<u16>().ok().filter(|code| (100..=599).contains(code));
        let part = |part: &str| {
            let part = part.trim();
            let class = part.strip_suffix("xx").or_else(|| part.strip_suffix("XX"));
            let range = match (class, part.split_once('-')) {
                (Some(digit), _) => code(&format!("{digit}00")).map(|first| (first, first + 99)),
                (None, Some((first, last))) => code(first.trim()).zip(code(last.trim())),
                (None, None) => code(part).map(|one| (one, one)),
            };
            range
                .filter(|(first, last)| first <= last)
                .ok_or_else(|| format!("'{part}' is no status; give codes such as 200, 2xx or 200-299"))
        };
        text.split(',').map(part).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a status is among them.
    pub fn holds(&self, status: u16) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&status))
    }
}

/// What `http` measured. A host with several addresses (`family: all`) has one report for each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HttpOutcome {
    /// One report per address.
    pub reports: Vec<HttpReport>,
    /// The report as lines of text.
    pub raw: Vec<String>,
}

/// The requests that began at one address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HttpReport {
    /// The address that was connected to first.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// Why this address was chosen, when the host is a name.
    pub chosen: Option<String>,
    /// The request and those that it was redirected to, in their order.
    pub hops: Vec<HttpHop>,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// Time of all of it, in milliseconds.
    pub total_ms: f64,
    /// What it means.
    pub verdict: Verdict,
}

/// One request and its answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HttpHop {
    /// The URL.
    pub url: String,
    /// The method.
    pub method: Method,
    /// The address that was connected to.
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// The version, such as `HTTP/2`.
    pub version: Option<String>,
    /// The status.
    pub status: Option<u16>,
    /// What the status is called, such as `Not Found`.
    pub reason: Option<String>,
    /// The time of each step.
    pub timings: HttpTimings,
    /// The headers of the answer in their order, at most 100.
    pub headers: Vec<HttpHeader>,
    /// The body, when there is one.
    pub body: Option<HttpBody>,
    /// What was agreed and shown in the handshake.
    pub tls: Option<TlsSession>,
    /// What ended it before its time.
    pub failure: Option<Failure>,
}

/// The time of each step in milliseconds; absent when it did not take place. Each begins where the one before ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HttpTimings {
    /// Looking up the name.
    pub name: Option<f64>,
    /// Connecting by TCP.
    pub connect: Option<f64>,
    /// The handshake of TLS.
    pub tls: Option<f64>,
    /// From the request to the head of the answer.
    pub first_byte: Option<f64>,
    /// Reading the body.
    pub body: Option<f64>,
    /// All of it.
    pub total: f64,
}

/// One header of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HttpHeader {
    /// Its name, in small letters.
    pub name: String,
    /// Its value, at most 2,000 characters of it.
    pub value: String,
}

/// The body of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HttpBody {
    /// Bytes that were read.
    pub bytes: u64,
    /// True when there was more than may be read.
    pub cut: bool,
    /// SHA-256 of what was read, in hexadecimal.
    pub sha256: String,
    /// The beginning of a text, at most 1,000 characters.
    pub excerpt: Option<String>,
    /// Whether the text that was expected is in it.
    pub holds_text: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_codes_classes_and_ranges() {
        let expected = Expected::parse("2xx, 404,500-503").unwrap();
        for (status, holds) in
            [(200, true), (299, true), (300, false), (404, true), (503, true), (504, false)]
        {
            assert_eq!(expected.holds(status), holds, "{status}");
        }
        for wrong in ["", "abc", "99", "600", "9xx", "xx", "300-200", "2xx-3xx", "200,"] {
            assert!(Expected::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn headers_are_refused_with_a_reason() {
        assert_eq!(header_of("Accept: text/html"), Ok(("Accept", "text/html")));
        assert_eq!(header_of("X-Empty:"), Ok(("X-Empty", "")));
        for (header, why) in [
            ("Accept", "a colon"),
            (": x", "no header can have"),
            ("a b: x", "no header can have"),
            ("X: a\r\nY: b", "control characters"),
            ("Content-Length: 5", "belongs to the connection"),
            ("Transfer-Encoding: chunked", "belongs to the connection"),
        ] {
            assert!(header_of(header).unwrap_err().contains(why), "{header}");
        }
        assert!(header_of(&format!("X: {}", "a".repeat(2000))).is_err());
    }

    #[test]
    fn what_does_not_go_together_names_its_field() {
        let options = HttpOptions {
            method: Method::Head,
            expect_text: Some("x".into()),
            expect_status: Some("fine".into()),
            headers: vec!["ok: 1".into(), "bad".into()],
            ..HttpOptions::default()
        };
        let names: Vec<_> = Http::check(&options).into_iter().map(|error| error.name).collect();
        assert_eq!(names, ["options.headers[1]", "options.expect_status", "options.expect_text"]);
    }
}

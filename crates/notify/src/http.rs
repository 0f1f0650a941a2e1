//! Asking HTTP servers to take a notice, and understanding what they say.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use tokio::net::lookup_host;
use tokio::time::timeout;
use url::{Host, Url};

use crate::address::{is_closed, refusal};
use crate::outcome::{Accepted, Failure, causes};
use crate::sender::Options;
use crate::text::clip_bytes;
use crate::tls::Tls;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long an answer may take once its first line is there. The notice is taken or refused by then.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Most bytes of an answer that are read.
const LONGEST_ANSWER: usize = 64 * 1024;

/// A client for all channels that speak HTTP.
#[derive(Debug)]
pub(crate) struct Http {
    tls: Tls,
    user_agent: String,
    timeout: Duration,
    client: OnceLock<Result<Client, Failure>>,
}

/// What is sent.
#[derive(Debug)]
pub(crate) struct Request {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// What came back with a status of success.
#[derive(Debug)]
pub(crate) struct Answer {
    host: String,
    status: StatusCode,
    text: String,
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

impl Http {
    pub(crate) fn new(options: &Options, tls: Tls) -> Self {
        let (user_agent, timeout) = (options.user_agent.clone(), options.timeout);
        Self { tls, user_agent, timeout, client: OnceLock::new() }
    }

    /// Sends a request. A status of success is an answer, all others are failures.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, Failure> {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        if let Some(address) = literal(&request.url)
            && is_closed(address)
        {
            return Err(Failure::never(refusal(address)));
        }
        let client = self.client.get_or_init(|| self.client()).clone()?;
        let Request { method, url, headers, body } = request;
        let sending = client.request(method, url).headers(headers).body(body).send();
        let response = match timeout(self.timeout, sending).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(not_sent(&host, error)),
            Err(_) => {
                let seconds = self.timeout.as_secs_f32();
                return Err(Failure::later(format!("{host} did not answer within {seconds} s")));
            }
        };
        let status = response.status();
        let (after, location) = (wait(response.headers()), response.headers().get(LOCATION).cloned());
        let text = read(response, self.timeout).await;
        if status.is_success() {
            return Ok(Answer { host, status, text });
        }
        Err(judge(&host, status, after, location.as_ref(), &text))
    }

    fn client(&self) -> Result<Client, Failure> {
        Client::builder()
            .tls_backend_preconfigured(self.tls.config()?.as_ref().clone())
            .user_agent(self.user_agent.clone())
            .redirect(Policy::none())
            .dns_resolver(Open)
            .connect_timeout(CONNECT_WITHIN)
            // Notices are rare, and a connection that the other side has closed meanwhile would be an error.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| Failure::later(format!("HTTP cannot be used: {}", causes(&error))))
    }
}

impl Answer {
    /// The notice was taken, with what was said about it.
    pub(crate) fn accepted(&self) -> Accepted {
        Accepted::new(&said(self.status, &self.text))
    }

    /// The notice was taken if the answer is JSON that `proof` recognises. A page that some other server has at that
    /// place is none.
    pub(crate) fn accepted_if(
        &self,
        what: &str,
        proof: impl FnOnce(&Value) -> bool,
    ) -> Result<Accepted, Failure> {
        match serde_json::from_str::<Value>(&self.text) {
            Ok(json) if proof(&json) => Ok(self.accepted()),
            _ => Err(Failure::never(format!(
                "{} does not answer as {what} does; is the address right? It said {}",
                self.host,
                said(self.status, &self.text)
            ))),
        }
    }

    /// The answer as JSON, nothing when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

/// Resolves names as the system does, without the addresses that nothing is sent to.
struct Open;

/// All addresses of a name are closed.
#[derive(Debug, thiserror::Error)]
#[error("{}", refusal(*.0))]
struct Refused(IpAddr);

impl Resolve for Open {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = lookup_host((name.as_str(), 0)).await?.collect();
            let open: Vec<SocketAddr> =
                found.iter().copied().filter(|place| !is_closed(place.ip())).collect();
            match (open.is_empty(), found.first()) {
                (true, Some(place)) => Err(Refused(place.ip()).into()),
                _ => Ok(Box::new(open.into_iter()) as Addrs),
            }
        })
    }
}

fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

fn not_sent(host: &str, error: reqwest::Error) -> Failure {
    let (builder, error) = (error.is_builder(), error.without_url());
    let mut next: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(cause) = next {
        if cause.is::<Refused>() {
            return Failure::never(cause.to_string());
        }
        next = cause.source();
    }
    let text = format!("{host} cannot be reached: {}", causes(&error));
    if builder { Failure::never(text) } else { Failure::later(text) }
}

/// The beginning of an answer, as much as comes in time.
async fn read(mut response: Response, within: Duration) -> String {
    let mut bytes = Vec::new();
    let _ = timeout(within.min(ANSWER_WITHIN), async {
        while let Ok(Some(chunk)) = response.chunk().await {
            bytes.extend_from_slice(&chunk);
            if bytes.len() >= LONGEST_ANSWER {
                break;
            }
        }
    })
    .await;
    bytes.truncate(LONGEST_ANSWER);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn said(status: StatusCode, text: &str) -> String {
    // Pages say nothing in their first lines.
    let text = text.trim();
    match text.is_empty() || text.starts_with("<!") || text.starts_with("<html") {
        true => status.to_string(),
        false => format!("{status}: {}", clip_bytes(text, 2000)),
    }
}

fn judge(
    host: &str,
    status: StatusCode,
    after: Option<Duration>,
    location: Option<&HeaderValue>,
    text: &str,
) -> Failure {
    if status.is_redirection() {
        // Where it leads is told without its path, which may hold a secret.
        let to = location
            .and_then(|location| location.to_str().ok())
            .and_then(|location| Url::parse(location).ok())
            .map(|url| format!(" to {}", url.origin().ascii_serialization()))
            .unwrap_or_default();
        let redirect = format!("{host} redirects{to} ({status}); redirects are not followed");
        return Failure::never(format!("{redirect}, give the address that takes notices"));
    }
    let text_of = format!("{host} answers {}", said(status, text));
    match status.as_u16() {
        429 => Failure::later_after(after.or_else(|| told_wait(text)), text_of),
        408 | 425 => Failure::later_after(after, text_of),
        500.. => Failure::later_after(after, text_of),
        _ => Failure::never(text_of),
    }
}

/// `Retry-After`: seconds, or a date.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()?;
    Duration::try_from(date.duration_since(Timestamp::now())).ok()
}

/// How long Telegram, Discord and Matrix ask to be left alone, in the places where each says it.
fn told_wait(text: &str) -> Option<Duration> {
    let json: Value = serde_json::from_str(text).ok()?;
    let seconds = json.pointer("/parameters/retry_after").or_else(|| json.get("retry_after"));
    let seconds = seconds.and_then(Value::as_f64);
    let milliseconds = json.get("retry_after_ms").and_then(Value::as_f64).map(|wait| wait / 1000.0);
    Duration::try_from_secs_f64(seconds.or(milliseconds)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureKind::{Later, Never};

    #[test]
    fn what_is_worth_another_try() {
        let kind =
            |status: u16| judge("a.example", StatusCode::from_u16(status).unwrap(), None, None, "").kind;
        for status in [408, 425, 429, 500, 502, 503, 504] {
            assert_eq!(kind(status), Later { after: None }, "{status}");
        }
        for status in [301, 302, 304, 400, 401, 403, 404, 410, 413, 422] {
            assert_eq!(kind(status), Never, "{status}");
        }
    }

    #[test]
    fn waits_are_read_wherever_they_stand() {
        let headers =
            |text: &'static str| HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
        assert_eq!(wait(&headers("120")), Some(Duration::from_secs(120)));
        assert_eq!(wait(&headers("Wed, 21 Oct 2015 07:28:00 GMT")), None);
        assert!(wait(&headers("Wed, 21 Oct 2065 07:28:00 GMT")).is_some());
        for wrong in ["soon", "-1", "NaN", "1e99"] {
            assert_eq!(wait(&headers(wrong)), None, "{wrong}");
        }
        let told = |text: &str| told_wait(text).map(|wait| wait.as_millis());
        assert_eq!(told(r#"{"ok":false,"parameters":{"retry_after":7}}"#), Some(7000));
        assert_eq!(told(r#"{"retry_after":0.25,"global":false}"#), Some(250));
        assert_eq!(told(r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":1500}"#), Some(1500));
        assert_eq!(told(r#"{"retry_after":-5}"#), None);
        assert_eq!(told("<html>"), None);
    }

    #[test]
    fn a_redirect_is_told_without_its_path() {
        let location = HeaderValue::from_static("https://elsewhere.example/secret?token=1");
        let failure = judge("a.example", StatusCode::FOUND, None, Some(&location), "");
        assert!(failure.text.contains("to https://elsewhere.example (302"), "{failure}");
        assert!(!failure.text.contains("secret"), "{failure}");
    }

    #[test]
    fn paths_below_a_url() {
        let path = |base: &str| below(base, &["a b", "c"]).unwrap().to_string();
        assert_eq!(path("https://x.example"), "https://x.example/a%20b/c");
        assert_eq!(path("https://x.example/sub/"), "https://x.example/sub/a%20b/c");
        assert_eq!(path("https://x.example/sub"), "https://x.example/sub/a%20b/c");
    }
}

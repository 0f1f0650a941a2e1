//! Asking HTTP servers to take a notice, and understanding what they say.

mod request;
mod verdict;

use std::error::Error;
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tokio::time::timeout;
use url::{Host, Url};

pub(crate) use self::request::{Request, below, url};
use self::verdict::{judge, said, wait};
use crate::address::{CONNECT_WITHIN, is_closed, refusal, resolve};
use crate::outcome::{Accepted, Failure, causes};
use crate::sender::Options;
use crate::tls::Tls;

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

/// What came back with a status of success.
#[derive(Debug)]
pub(crate) struct Answer {
    host: String,
    status: StatusCode,
    text: String,
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

impl Resolve for Open {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let open = resolve(name.as_str(), 0).await?;
            Ok(Box::new(open.into_iter()) as Addrs)
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
        // It has no address that may be connected to, which says enough.
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return failure.clone();
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

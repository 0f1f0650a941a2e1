//! Becoming a worker of a server: by a code that is exchanged for a token, or with a token at hand.

use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::identity::Identity;
use crate::failure::Failure;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that workers enrol at.
pub struct Server<'a> {
    url: &'a str,
    client: Client,
}

#[derive(Deserialize)]
struct Paired {
    token: String,
    name: String,
}

#[derive(Deserialize)]
struct Problem {
    detail: String,
}

impl<'a> Server<'a> {
    /// At this URL.
    ///
    /// # Errors
    /// When the certificates cannot be read.
    pub fn new(url: &'a str, ca_file: Option<&Path>) -> Result<Self, Failure> {
        let mut client = Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("netwark/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = ca_file {
            let failed = |error: &dyn std::fmt::Display| {
                Failure::Failed(format!("the certificates in {} cannot be used: {error}", path.display()))
            };
            let text = std::fs::read(path).map_err(|error| failed(&error))?;
            for certificate in Certificate::from_pem_bundle(&text).map_err(|error| failed(&error))? {
                client = client.add_root_certificate(certificate);
            }
        }
        Ok(Self { url: url.trim_end_matches('/'), client: client.build().map_err(Failure::failed)? })
    }

    /// Exchanges a pairing code for a token, and registers the key that reports are signed with.
    ///
    /// # Errors
    /// When the server does not answer; [`Failure::Unwelcome`] when the code is of no use.
    pub async fn pair(&self, code: &str, public_key: &str) -> Result<(Identity, String), Failure> {
        let request = self.client.post(format!("{}/api/v1/workers/pair", self.url));
        let body = json!({ "code": code, "public_key": public_key });
        let answer = self.ask(request.json(&body)).await?;
        let Paired { token, name } = answer.json().await.map_err(|error| self.strange(&error))?;
        Ok((Identity { server: self.url.to_owned(), token }, name))
    }

    /// Registers the key that a worker signs its reports with.
    ///
    /// # Errors
    /// When the server does not answer; [`Failure::Unwelcome`] when it does not know the token.
    pub async fn register(&self, token: &str, public_key: &str) -> Result<(), Failure> {
        let request = self.client.put(format!("{}/api/v1/worker/key", self.url));
        self.ask(request.bearer_auth(token).json(&json!({ "public_key": public_key }))).await.map(drop)
    }

    async fn ask(&self, request: RequestBuilder) -> Result<reqwest::Response, Failure> {
        let answer = request.send().await.map_err(|error| self.strange(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let detail = answer.json::<Problem>().await.map(|problem| problem.detail);
        let refuses = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        Err(match detail {
            // It is the server that says so, and would say the same the next time.
            Ok(detail) if refuses => Failure::Unwelcome(detail),
            Ok(detail) => Failure::Failed(format!("{} answers {status}: {detail}", self.url)),
            Err(_) => Failure::Failed(format!(
                "{} answers {status}: is this the URL of a Netwark server?",
                self.url
            )),
        })
    }

    fn strange(&self, error: &reqwest::Error) -> Failure {
        let mut why = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            why = inner.to_string();
            source = inner.source();
        }
        Failure::Failed(format!("{} cannot be asked: {why}; is the URL right?", self.url))
    }
}

//! The API of a server, as commands ask it.

pub mod sse;

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::Failure;
use crate::output;

/// The server that is asked when no other is named.
pub const SERVER: &str = "http://127.0.0.1:6543";

/// Entries of one page of a list.
const PAGE: usize = 1_000;
/// Most pages that are read; lists that may have more are narrowed by their filters.
const MOST_PAGES: usize = 1_000;

/// Which server a command asks, and how the answer is printed.
#[derive(Debug, clap::Args)]
pub struct At {
    /// The server to ask; `NETWARK_TOKEN` holds the token to use
    #[arg(long, env = "NETWARK_URL", default_value = SERVER, value_name = "URL")]
    server: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl At {
    /// The API of that server.
    ///
    /// # Errors
    /// When its URL is none.
    pub fn api(&self) -> Result<Api, Failure> {
        Api::new(self.server.trim_end_matches('/'))
    }
}

/// Reads what the server answered.
///
/// # Errors
/// When it is something else than this version knows.
pub fn understood<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| not_understood(&error))
}

/// Why an answer of the server is of no use.
pub fn not_understood(error: &serde_json::Error) -> Failure {
    Failure::Failed(format!("the server's answer is not understood ({error}); are both of the same version?"))
}

/// A server and the right to ask it.
pub struct Api {
    /// Its URL, without the base of the API.
    pub base: String,
    token: Option<String>,
    client: reqwest::Client,
}

impl Api {
    /// The API of the server at this URL, with the token of the environment.
    ///
    /// # Errors
    /// When it is no URL of a server.
    pub fn new(base: &str) -> Result<Self, Failure> {
        let is_web = reqwest::Url::parse(base).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !is_web {
            return Err(Failure::Usage(format!(
                "'{base}' is no http or https URL; see --server and NETWARK_URL"
            )));
        }
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            // The stream of events carries a sign of life at least every half minute.
            .read_timeout(Duration::from_secs(60))
            .user_agent(concat!("netwark/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Failure::failed)?;
        let token = std::env::var("NETWARK_TOKEN").ok().filter(|token| !token.is_empty());
        Ok(Self { base: base.into(), token, client })
    }

    /// A request for a path below the base of the API.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}/api/v1/{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a body as JSON and reads the answer.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses, or answers something else than is expected.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        self.answer(self.request(Method::POST, path).json(body)).await
    }

    /// Reads what is at a path.
    ///
    /// # Errors
    /// Those of [`Self::post`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.answer(self.request(Method::GET, path)).await
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// Those of [`Self::post`].
    pub async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Failure> {
        understood(&self.text(request).await?)
    }

    /// Sends a request and reads the answer as it is.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn text(&self, request: RequestBuilder) -> Result<String, Failure> {
        let response = self.send(request).await?;
        response.text().await.map_err(|error| self.unreachable(&error))
    }

    /// All entries of a list that has pages by number, and that fit these parameters.
    ///
    /// # Errors
    /// Those of [`Self::post`].
    pub async fn list(&self, path: &str, query: &[(&str, String)]) -> Result<Vec<Value>, Failure> {
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let request = self.request(Method::GET, path).query(query);
            let request = request.query(&[("per_page", PAGE), ("page", page)]);
            let mut entries: Vec<Value> = self.answer(request).await?;
            let is_last = entries.len() < PAGE;
            all.append(&mut entries);
            if is_last {
                return Ok(all);
            }
        }
        output::complain(&format!(
            "netwark: there are more than {} of {path}; the rest is left out",
            all.len()
        ));
        Ok(all)
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses; what it says is wrong is told field by field.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let problem: Value = response.json().await.unwrap_or_default();
        Err(self.refused(status, &problem))
    }

    /// Why the server could not be asked, or stopped answering.
    pub fn unreachable(&self, error: &reqwest::Error) -> Failure {
        // The outermost text repeats the URL; the innermost says what happened.
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        Failure::Failed(format!("cannot talk to {}: {cause}; is the server running? see --server", self.base))
    }

    /// What a problem+json says, field by field.
    fn refused(&self, status: StatusCode, problem: &Value) -> Failure {
        let text = |value: &Value, name: &str| {
            value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let fields: Vec<_> = problem
            .get("errors")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|error| format!("{} {}", text(error, "name"), text(error, "description")))
            .collect();
        let mut said = match (fields.is_empty(), text(problem, "detail"), text(problem, "title")) {
            (false, ..) => fields.join("; "),
            (true, detail, title) if detail.is_empty() => title,
            (true, detail, _) => detail,
        };
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            said.push_str(match self.token {
                None => "; set NETWARK_TOKEN, a token is made by 'netwark token add NAME --role operator' on the server",
                Some(_) => "; does the token in NETWARK_TOKEN have the role it needs?",
            });
        }
        let said = format!("{} refuses ({}): {said}", self.base, status.as_u16());
        match status {
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Failure::Usage(said),
            _ => Failure::Failed(said),
        }
    }
}

//! `/dns`: a question to name servers, asked by the server itself.

use axum::Json;
use axum::extract::{Path, State};
use netwark_lookup::dns::ask::AskError;
use netwark_model::error::FieldError;
use netwark_model::tools::dns::{DnsOptions, DnsOutcome, Transport};
use netwark_model::tools::{Tool, dns::Dns};

use crate::app::App;
use crate::error::{Problem, ProblemBody};
use crate::extract::Params;

/// Ask name servers about a name, or about an address in the reverse tree.
///
/// Asked are the resolvers of the system or of `lookups.resolvers`, or a chosen server with a public address. A server
/// that does not answer is an answer of its own (`status` is absent, `attempts` say why). What only an internal server
/// knows is asked through a worker, with the tool `dns`.
#[utoipa::path(
    get, path = "/dns/{name}", operation_id = "look_up_dns", tag = "Look-ups",
    params(
        ("name" = String, Path, description = "A name or an address", example = "example.org"),
        ("type" = Option<String>, Query, description = "Type of records; without it A, and PTR for an address. ANY is refused", example = "MX"),
        ("server" = Option<String>, Query, description = "Server to ask: address or name, `tls://NAME` or `https://NAME/dns-query`", example = "9.9.9.9"),
        ("transport" = Option<Transport>, Query, description = "How the question travels"),
        ("dnssec" = Option<bool>, Query, description = "Check the signatures from the root down"),
        ("trace" = Option<bool>, Query, description = "Follow the delegations from the root"),
        ("recursion" = Option<bool>, Query, description = "Let the server ask others; true without it"),
        ("nsid" = Option<bool>, Query, description = "Ask the server to name itself"),
        ("edns_size" = Option<u16>, Query, description = "Largest answer by UDP in bytes, 0 or 512 to 4096; 1232 without it"),
    ),
    responses(
        (status = 200, description = "What became of the question", body = DnsOutcome),
        (status = 400, description = "Name, type or server make no sense, or the server has no public address", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The right to let the server ask others is missing", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Too many questions are under way", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "There is no name server to ask", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub async fn look_up_dns(
    State(app): State<App>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<DnsOutcome>, Problem> {
    ask(&app, &name, params, FieldError::path("name", "")).await
}

/// Ask name servers, with the name in the query.
#[utoipa::path(
    get, path = "/dns", operation_id = "query_dns", tag = "Look-ups",
    params(
        ("q" = String, Query, description = "A name or an address", example = "example.org"),
        ("type" = Option<String>, Query, description = "Type of records"),
        ("server" = Option<String>, Query, description = "Server to ask"),
        ("transport" = Option<Transport>, Query, description = "How the question travels"),
        ("dnssec" = Option<bool>, Query, description = "Check the signatures from the root down"),
        ("trace" = Option<bool>, Query, description = "Follow the delegations from the root"),
        ("recursion" = Option<bool>, Query, description = "Let the server ask others; true without it"),
        ("nsid" = Option<bool>, Query, description = "Ask the server to name itself"),
        ("edns_size" = Option<u16>, Query, description = "Largest answer by UDP in bytes"),
    ),
    responses(
        (status = 200, description = "What became of the question", body = DnsOutcome),
        (status = 400, description = "Name, type or server make no sense, or the server has no public address", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The right to let the server ask others is missing", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Too many questions are under way", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "There is no name server to ask", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub async fn query_dns(State(app): State<App>, mut params: Params) -> Result<Json<DnsOutcome>, Problem> {
    let name = params.take("q").unwrap_or_default();
    ask(&app, &name, params, FieldError::query("q", "")).await
}

async fn ask(
    app: &App,
    name: &str,
    mut params: Params,
    place: FieldError,
) -> Result<Json<DnsOutcome>, Problem> {
    let options = options(&mut params);
    params.finish()?;
    let named = |error: FieldError| match error.name.strip_prefix("options.") {
        Some("nameserver") => FieldError::query("server", error.description),
        Some(option) => FieldError::query(option, error.description),
        None => FieldError { description: error.description, ..place.clone() },
    };
    let errors = Dns::check(&options);
    if !errors.is_empty() {
        return Err(Problem::fields(errors.into_iter().map(named).collect()));
    }
    let Ok(_room) = app.lookups.questions.try_acquire() else {
        return Err(Problem::too_many("too many questions are under way; ask again in a moment", 1));
    };
    app.lookups.dns.ask(name, &options).await.map(Json).map_err(|error| match error {
        AskError::Wrong(error) => Problem::field(named(error)),
        AskError::NotAllowed(why) => Problem::field(FieldError::query("server", why)),
        AskError::Nobody(why) => Problem::unavailable(why, 60),
    })
}

fn options(params: &mut Params) -> DnsOptions {
    let yes = |text: &str| match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        other => Err(format!("must be true or false, got '{other}'")),
    };
    let defaults = DnsOptions::default();
    DnsOptions {
        kind: params.take("type").map(|kind| kind.trim().to_owned()),
        nameserver: params.read("server", |text| match text.len() {
            0..=300 => Ok(text.to_owned()),
            long => Err(format!("must have at most 300 characters, got {long}")),
        }),
        transport: params
            .read("transport", |text| {
                serde_json::from_value(text.into())
                    .map_err(|_| format!("must be one of auto, udp, tcp, tls, https, got '{text}'"))
            })
            .unwrap_or_default(),
        dnssec: params.read("dnssec", yes).unwrap_or_default(),
        trace: params.read("trace", yes).unwrap_or_default(),
        no_recursion: !params.read("recursion", yes).unwrap_or(true),
        nsid: params.read("nsid", yes).unwrap_or_default(),
        edns_size: params
            .read("edns_size", |text| match text.parse() {
                Ok(size @ (0 | 512..=4096)) => Ok(size),
                _ => Err(format!("must be 0, or from 512 to 4096, got '{text}'")),
            })
            .unwrap_or(defaults.edns_size),
        ..defaults
    }
}

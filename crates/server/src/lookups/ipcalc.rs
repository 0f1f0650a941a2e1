//! `/ip-calc`: what an address or a network is, and what can be made of it.

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use netwark_lookup::ipcalc::{
    self, Answer, Family, Form, ListAnswer, ListError, MOST_AT_ONCE, MOST_ENTRIES, Question, Split, SplitBy,
    SplitError,
};
use netwark_model::error::{FieldError, Location};
use netwark_model::mac::Mac;
use serde::Deserialize;
use utoipa::{IntoResponses, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answers::{Responses, denied, invalid};
use crate::app::App;
use crate::error::Problem;
use crate::extract::{Body, Params};

/// Subnets that are listed when nobody says how many.
const USUAL_LIMIT: usize = 256;

/// What may go wrong.
struct Refused;

impl IntoResponses for Refused {
    fn responses() -> Responses {
        let mut responses = denied("lookups:read");
        let wrong = invalid("q: must have a prefix length from 0 to 32, got '33'");
        responses.extend(wrong.into_iter().filter(|(status, _)| status == "400"));
        responses
    }
}

/// The same for a body.
struct RefusedBody;

impl IntoResponses for RefusedBody {
    fn responses() -> Responses {
        let mut responses = denied("lookups:read");
        responses.extend(invalid("networks[2]: must have a prefix length from 0 to 32, got '33'"));
        responses
    }
}

/// Networks that are taken together.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkList {
    /// Addresses, prefixes and ranges in any notation that `GET /ip-calc` takes.
    #[schema(min_items = 1, max_items = 5000, example = json!(["192.0.2.0/25", "192.0.2.128-192.0.2.255"]))]
    networks: Vec<String>,
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(calculate))
        .routes(routes!(split_network))
        .routes(routes!(summarise_networks, summarise_many_networks))
        .routes(routes!(calculate_network))
}

/// Calculate an address, a prefix or a range.
///
/// All of these are understood: `192.0.2.77`, `192.0.2.77/24`, `10/8`, `192.0.2.77/255.255.255.0`,
/// `192.0.2.77 0.0.0.255` (a wildcard mask), `192.0.2.1-192.0.2.6`, `192.0.2.1-6`, `3221226061`, `0xc000024d`, and the
/// same of IPv6.
#[utoipa::path(
    get, path = "/ip-calc", operation_id = "calculate", tag = "Look-ups",
    params(
        ("q" = String, Query, description = "What is asked about; at most 120 characters", example = "192.0.2.77/24"),
        ("mac" = Option<String>, Query, description = "Tell the address that this MAC address makes in the network by EUI-64; IPv6 with at most 64 bits of prefix", example = "00:00:5e:00:53:01"),
    ),
    responses((status = 200, description = "What it is", body = Answer), Refused),
)]
async fn calculate(mut params: Params) -> Result<Json<Answer>, Problem> {
    let question = question(&mut params);
    let mac = params.read("mac", |text| {
        let shown: String = text.chars().take(60).collect();
        text.parse::<Mac>()
            .map_err(|_| format!("must be a MAC address such as 00:00:5e:00:53:01, got '{shown}'"))
    });
    if let (Some(_), Some(question)) = (mac, &question) {
        let network = question.network;
        let wide = network.addr().is_ipv6() && network.prefix_len() <= 64;
        let told = format!("needs an IPv6 network of at most 64 bits beside it, got {network}");
        params.check("mac", if wide { Ok(()) } else { Err(told) });
    }
    params.finish()?;
    let question = question.ok_or_else(missing)?;
    Ok(Json(ipcalc::answer(&question, mac)))
}

/// Calculate a network.
///
/// Host bits may be set.
#[utoipa::path(
    get, path = "/ip-calc/{resource}/{cidr}", operation_id = "calculate_network", tag = "Look-ups",
    params(
        ("resource" = String, Path, description = "An address of the network", example = "192.0.2.77"),
        ("cidr" = String, Path, description = "Its prefix length, netmask or wildcard mask", example = "24"),
    ),
    responses((status = 200, description = "What it is", body = Answer), Refused),
)]
async fn calculate_network(
    path: Result<Path<(String, String)>, PathRejection>,
    params: Params,
) -> Result<Json<Answer>, Problem> {
    params.finish()?;
    let unreadable = |_| FieldError::path("resource", "must be an address in UTF-8");
    let Path((resource, cidr)) = path.map_err(unreadable)?;
    let wrong =
        |name: &'static str| move |error: ipcalc::InputError| FieldError::path(name, error.to_string());
    let resource = resource.trim();
    if resource.is_empty() {
        return Err(wrong("resource")(ipcalc::InputError::Empty).into());
    }
    let address = ipcalc::host(resource).map_err(wrong("resource"))?;
    let (length, form) = ipcalc::mask(cidr.trim(), Family::of(address)).map_err(wrong("cidr"))?;
    Ok(Json(ipcalc::answer(&Question::new(form, address, length), None)))
}

/// Cut a network into smaller ones.
///
/// One of `prefix`, `parts` and `hosts` says how.
#[utoipa::path(
    get, path = "/ip-calc/split", operation_id = "split_network", tag = "Look-ups",
    params(
        ("q" = String, Query, description = "The network", example = "192.0.2.0/24"),
        ("prefix" = Option<String>, Query, description = "Into networks of this prefix length", example = "26"),
        ("parts" = Option<String>, Query, description = "Into at least so many networks of one size"),
        ("hosts" = Option<String>, Query, description = "Into one network for each of these numbers of hosts, with commas; at most 256. Two get a /30 or /126, which links of every kind take; a /31 or /127, for links between two routers (RFC 3021, RFC 6164), is had by its prefix length. They are laid out from the largest to the smallest"),
        ("offset" = Option<String>, Query, description = "How many networks of one size to leave out before the first one that is listed; default 0"),
        ("limit" = Option<u64>, Query, description = "How many networks of one size are listed: 1 to 1000, default 256"),
    ),
    responses((status = 200, description = "Its parts", body = Split), Refused),
)]
async fn split_network(mut params: Params) -> Result<Json<Split>, Problem> {
    let question = question(&mut params);
    let network = question.map(|question| question.network);
    if let Some(Question { form: Form::Range, .. }) = question {
        params.check::<()>("q", Err("must be one network, not a range".into()));
    }
    let by = split_by(&mut params, network);
    let number = |text: &str| {
        text.parse::<u128>().map_err(|_| format!("must be a whole number from 0 on, got '{}'", short(text)))
    };
    let offset = params.read("offset", number).unwrap_or(0);
    let limit = params.read("limit", |text| match text.parse::<usize>() {
        Ok(limit @ 1..=MOST_AT_ONCE) => Ok(limit),
        _ => Err(format!("must be from 1 to {MOST_AT_ONCE}, got '{}'", short(text))),
    });
    params.finish()?;
    let network = network.ok_or_else(missing)?;
    let by = by.ok_or_else(|| FieldError::query("prefix", "is missing; say prefix, parts or hosts"))?;
    let split = ipcalc::split(network, &by, offset, limit.unwrap_or(USUAL_LIMIT));
    let split = split.map_err(|error| {
        let name = match error {
            SplitError::Length { .. } => "prefix",
            SplitError::Parts { .. } => "parts",
            SplitError::Hosts | SplitError::Full { .. } => "hosts",
        };
        FieldError::query(name, error.to_string())
    })?;
    Ok(Json(split))
}

/// How a network is to be cut. More than one way is a mistake of each but the first.
fn split_by(params: &mut Params, network: Option<ipnet::IpNet>) -> Option<SplitBy> {
    let family = network.map_or(Family::V6, |network| Family::of(network.addr()));
    let length = params.read("prefix", |text| {
        let (length, _) =
            ipcalc::mask(text.trim_start_matches('/'), family).map_err(|error| error.to_string())?;
        Ok(SplitBy::Length(length))
    });
    let parts = params.read("parts", |text| match text.parse() {
        Ok(parts) => Ok(SplitBy::Parts(parts)),
        Err(_) => Err(format!("must be a whole number from 1 on, got '{}'", short(text))),
    });
    let hosts = params.read("hosts", |text| {
        let numbers: Result<Vec<u128>, _> = text.split(',').map(|number| number.trim().parse()).collect();
        numbers.map(SplitBy::Hosts).map_err(|_| SplitError::Hosts.to_string())
    });
    let mut given = [("prefix", length), ("parts", parts), ("hosts", hosts)]
        .into_iter()
        .filter_map(|(name, by)| Some((name, by?)));
    let (first, by) = given.next()?;
    for (name, _) in given {
        params.check::<()>(name, Err(format!("must be left out when {first} is given")));
    }
    Some(by)
}

/// Summarise networks, and tell which hold or overlap others.
#[utoipa::path(
    get, path = "/ip-calc/list", operation_id = "summarise_networks", tag = "Look-ups",
    params(("q" = String, Query, description = "Addresses, prefixes and ranges, separated by commas, semicolons or lines; may be given more than once", example = "192.0.2.0/25,192.0.2.128/25")),
    responses((status = 200, description = "What they are together", body = ListAnswer), Refused),
)]
async fn summarise_networks(mut params: Params) -> Result<Json<ListAnswer>, Problem> {
    let texts = params.take_all("q");
    params.finish()?;
    let entries: Vec<&str> = texts.iter().flat_map(|text| ipcalc::words(text)).collect();
    if entries.is_empty() {
        return Err(missing().into());
    }
    summary(&entries, Location::Query)
}

/// Summarise many networks, and tell which hold or overlap others.
///
/// The same as the other method, for lists that are too long for an address.
#[utoipa::path(
    post, path = "/ip-calc/list", operation_id = "summarise_many_networks", tag = "Look-ups",
    request_body(content = NetworkList, example = json!({"networks": ["192.0.2.0/25", "192.0.2.128/25"]})),
    responses((status = 200, description = "What they are together", body = ListAnswer), RefusedBody),
)]
async fn summarise_many_networks(Body(list): Body<NetworkList>) -> Result<Json<ListAnswer>, Problem> {
    let entries: Vec<&str> = list.networks.iter().map(String::as_str).collect();
    if entries.is_empty() {
        return Err(FieldError::body("networks", "must have at least one entry").into());
    }
    summary(&entries, Location::Body)
}

fn summary(entries: &[&str], location: Location) -> Result<Json<ListAnswer>, Problem> {
    let named = |at: Option<usize>, description: String| match (location, at) {
        (Location::Body, Some(at)) => FieldError::body(format!("networks[{at}]"), description),
        (Location::Body, None) => FieldError::body("networks", description),
        (_, Some(at)) => FieldError::query("q", format!("(entry {}) {description}", at + 1)),
        (_, None) => FieldError::query("q", description),
    };
    if entries.len() > MOST_ENTRIES {
        let told = format!("must have at most {MOST_ENTRIES} entries, got {}", entries.len());
        return Err(named(None, told).into());
    }
    let read = ipcalc::list(entries.iter().copied()).map_err(|ListError(wrong)| {
        Problem::fields(wrong.into_iter().map(|(at, error)| named(Some(at), error.to_string())).collect())
    })?;
    Ok(Json(ListAnswer::new(&read)))
}

/// Takes and reads `q`.
fn question(params: &mut Params) -> Option<Question> {
    params.read("q", |text| ipcalc::read(text).map_err(|error| error.to_string()))
}

fn missing() -> FieldError {
    FieldError::query("q", "is missing; say an address, a prefix or a range, such as 192.0.2.0/24")
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

//! `/geoip`: where an address is and whose it is.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use netwark_lookup::geoip::{self, GeoAnswer, GeoFile};
use netwark_model::error::FieldError;
use serde::Deserialize;
use utoipa::{IntoResponses, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answers::{Responses, denied, invalid};
use crate::app::App;
use crate::error::Problem;
use crate::extract::{Body, Params};

/// Most addresses that are looked up at once.
const MOST: usize = 1_000;

/// What may go wrong.
struct Refused;

impl IntoResponses for Refused {
    fn responses() -> Responses {
        let mut responses = denied("lookups:read");
        let wrong = invalid("ip: must be an IPv4 or IPv6 address such as 192.0.2.1, got 'x'");
        responses.extend(wrong.into_iter().filter(|(status, _)| status == "400"));
        responses
    }
}

/// The same for a body.
struct RefusedBody;

impl IntoResponses for RefusedBody {
    fn responses() -> Responses {
        let mut responses = denied("lookups:read");
        responses.extend(invalid("addresses[2]: must be an IPv4 or IPv6 address such as 192.0.2.1, got 'x'"));
        responses
    }
}

/// Addresses that are looked up together.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddressList {
    /// The addresses.
    #[schema(min_items = 1, max_items = 1000, example = json!(["192.0.2.1", "2001:db8::1"]))]
    addresses: Vec<String>,
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(locate))
        .routes(routes!(list_geo_files))
        .routes(routes!(locate_many))
        .routes(routes!(locate_address))
}

/// Tell where an address is.
///
/// Only files of this server are asked, nobody else. Without a file the answer says so; it is no error.
#[utoipa::path(
    get, path = "/geoip", operation_id = "locate", tag = "Look-ups",
    params(("q" = String, Query, description = "The address", example = "192.0.2.1")),
    responses((status = 200, description = "What is known of it", body = GeoAnswer), Refused),
)]
async fn locate(State(app): State<App>, mut params: Params) -> Result<Json<GeoAnswer>, Problem> {
    let ip = params.read("q", geoip::read);
    params.finish()?;
    let ip = ip.ok_or_else(|| FieldError::query("q", "is missing; say an address such as 192.0.2.1"))?;
    Ok(Json(app.lookups.geoip.lookup(ip)))
}

/// Tell where an address is, the address in the path.
#[utoipa::path(
    get, path = "/geoip/{ip}", operation_id = "locate_address", tag = "Look-ups",
    params(("ip" = String, Path, description = "The address", example = "192.0.2.1")),
    responses((status = 200, description = "What is known of it", body = GeoAnswer), Refused),
)]
async fn locate_address(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    params: Params,
) -> Result<Json<GeoAnswer>, Problem> {
    params.finish()?;
    let wrong = |description: String| FieldError::path("ip", description);
    let Path(text) = path.map_err(|_| wrong("must be an address in UTF-8".into()))?;
    let ip = geoip::read(&text).map_err(wrong)?;
    Ok(Json(app.lookups.geoip.lookup(ip)))
}

/// Tell where many addresses are.
///
/// The answers stand in the order of the addresses.
#[utoipa::path(
    post, path = "/geoip/list", operation_id = "locate_many", tag = "Look-ups",
    request_body = AddressList,
    responses((status = 200, description = "What is known of each", body = Vec<GeoAnswer>), RefusedBody),
)]
async fn locate_many(
    State(app): State<App>,
    Body(list): Body<AddressList>,
) -> Result<Json<Vec<GeoAnswer>>, Problem> {
    let length = list.addresses.len();
    if !(1..=MOST).contains(&length) {
        let told = format!("must have from 1 to {MOST} entries, got {length}");
        return Err(FieldError::body("addresses", told).into());
    }
    let mut errors = Vec::new();
    let mut addresses = Vec::with_capacity(length);
    for (at, text) in list.addresses.iter().enumerate() {
        match geoip::read(text) {
            Ok(ip) => addresses.push(ip),
            Err(told) => errors.push(FieldError::body(format!("addresses[{at}]"), told)),
        }
    }
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    // What is not in memory comes from the disk, and nobody else should wait for that.
    let geoip = app.lookups.geoip.clone();
    let answers =
        tokio::task::spawn_blocking(move || addresses.into_iter().map(|ip| geoip.lookup(ip)).collect());
    answers.await.map(Json).map_err(|error| Problem::internal(&error))
}

/// List the files of places and autonomous systems, with their age and with what is wrong with them.
#[utoipa::path(
    get, path = "/geoip/files", operation_id = "list_geo_files", tag = "Look-ups",
    responses((status = 200, description = "Every file that is configured or was put in place", body = Vec<GeoFile>), Refused),
)]
async fn list_geo_files(State(app): State<App>, params: Params) -> Result<Json<Vec<GeoFile>>, Problem> {
    params.finish()?;
    Ok(Json(app.lookups.geoip.files()))
}

//! The address plan of a network: who has which of its addresses.

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use ipnet::IpNet;
use jiff::Timestamp;
use netwark_model::error::FieldError;
use netwark_model::watch::device::Access;
use netwark_model::watch::presence::Presence;
use netwark_store::watch::plan::Used;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::{Invalid, MayRead, NoNetwork};
use super::networks::unknown;
use crate::app::App;
use crate::error::Problem;
use crate::extract::{Id, Params};

/// An address somebody has, or had.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlannedAddress {
    /// The address.
    #[schema(value_type = String, example = "192.0.2.7")]
    address: IpAddr,
    /// True when somebody has it now; false when somebody had it.
    current: bool,
    /// The device.
    device_id: Uuid,
    /// What that is shown as.
    #[schema(example = "printer-2")]
    label: String,
    /// What the access list says of it.
    access: Access,
    /// Whether it is there.
    presence: Presence,
    /// When it was last seen with this address.
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
}

impl From<Used> for PlannedAddress {
    fn from(used: Used) -> Self {
        Self {
            address: used.address,
            current: used.current,
            device_id: used.device_id,
            label: used.label,
            access: used.access,
            presence: used.presence,
            last_seen_at: used.last_seen_at,
        }
    }
}

/// List addresses of a network that somebody has, or had: in their order, each with the device that has it or
/// had it last.
#[utoipa::path(
    get, path = "/networks/{id}/addresses", operation_id = "list_network_addresses", tag = "Watch",
    params(
        ("id" = Uuid, Path, description = "Id of the network"),
        ("prefix" = Option<String>, Query, description = "Only of this prefix; all of the network when left out", example = "192.0.2.0/24"),
    ),
    responses((status = 200, body = Vec<PlannedAddress>), Invalid, MayRead, NoNetwork),
)]
pub(crate) async fn list_addresses(
    State(app): State<App>,
    Id(id): Id,
    mut params: Params,
) -> Result<Json<Vec<PlannedAddress>>, Problem> {
    let prefix = params.read("prefix", |text| {
        let shown: String = text.chars().take(60).collect();
        text.parse::<IpNet>().map_err(|_| format!("must be a prefix such as 192.0.2.0/24, got '{shown}'"))
    });
    params.finish()?;
    let now = Timestamp::now();
    app.store.network(id, now).await?.ok_or_else(unknown)?;
    let used = app.store.used_addresses(id, prefix.map(|prefix| prefix.trunc()), now).await?;
    if used.len() > netwark_store::watch::plan::MOST {
        return Err(Problem::field(FieldError::query(
            "prefix",
            format!(
                "has more than {} addresses in use; ask for a part of it",
                netwark_store::watch::plan::MOST
            ),
        )));
    }
    Ok(Json(used.into_iter().map(PlannedAddress::from).collect()))
}

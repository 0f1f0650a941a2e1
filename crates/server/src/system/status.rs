//! `/status`: what the overview shows of the server.

use std::net::{IpAddr, Ipv4Addr};

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use netwark_store::operations::OperationFilter;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::Problem;

/// What the overview shows of the server.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ServerStatus {
    /// The running version.
    #[schema(example = "0.1.0")]
    pub version: String,
    /// When this process started.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// The database and its version.
    #[schema(example = "SQLite 3.51.3")]
    pub database: String,
    /// What carries work to workers.
    #[schema(example = "in-process")]
    pub broker: String,
    /// Time zone of days and weeks.
    #[schema(example = "Europe/Paris")]
    pub timezone: String,
    /// Operations that have not ended.
    pub operations_open: u64,
    /// Operations of the last 24 hours, exact to 10,000.
    pub operations_today: u64,
    /// Operations ever made and kept, exact to 10,000.
    pub operations_kept: u64,
    /// Targets that are likely to answer, to begin with.
    pub suggestions: Vec<Suggestion>,
}

/// A target that is likely to answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Suggestion {
    /// What it is.
    #[schema(example = "Gateway")]
    pub label: String,
    /// Its address.
    #[schema(example = "192.0.2.1")]
    pub target: String,
    /// Why it is suggested.
    pub why: String,
}

/// Show the state of the server.
#[utoipa::path(
    get, path = "/status", operation_id = "get_status", tag = "Server",
    responses((status = 200, description = "The server's state", body = ServerStatus)),
)]
pub async fn get_status(State(app): State<App>) -> Result<Json<ServerStatus>, Problem> {
    let day = OperationFilter {
        created_after: Timestamp::now().checked_sub(jiff::SignedDuration::from_hours(24)).ok(),
        limit: 1,
        ..OperationFilter::default()
    };
    let all = OperationFilter { limit: 1, ..OperationFilter::default() };
    let suggestions = tokio::task::spawn_blocking(suggestions).await.unwrap_or_default();
    Ok(Json(ServerStatus {
        version: env!("CARGO_PKG_VERSION").into(),
        started_at: app.started_at,
        database: app.store.version().await?,
        broker: app.settings.broker.clone(),
        timezone: app.settings.timezone.clone(),
        operations_open: app.store.open_operations().await?,
        operations_today: app.store.operations(&day).await?.1,
        operations_kept: app.store.operations(&all).await?.1,
        suggestions,
    }))
}

/// The gateway, the resolver and this machine, as far as its files name them.
fn suggestions() -> Vec<Suggestion> {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let mut found = Vec::new();
    let mut suggest = |label: &str, target: IpAddr, why: &str| {
        let target = target.to_string();
        if found.iter().all(|known: &Suggestion| known.target != target) {
            found.push(Suggestion { label: label.into(), target, why: why.into() });
        }
    };
    if let Some(gateway) = gateway(&read("/proc/net/route")) {
        suggest("Gateway", gateway.into(), "where packets leave this network");
    }
    for resolver in resolvers(&read("/etc/resolv.conf")).into_iter().take(2) {
        suggest("Resolver", resolver, "who answers names for this machine");
    }
    suggest("This machine", Ipv4Addr::LOCALHOST.into(), "always answers");
    found
}

/// The gateway of the default route in the text of `/proc/net/route`.
fn gateway(routes: &str) -> Option<Ipv4Addr> {
    routes.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (destination, gateway) = (fields.next()?, fields.next()?);
        if destination != "00000000" {
            return None;
        }
        // The kernel prints addresses as host-order words of their network-order bytes.
        let address = Ipv4Addr::from(u32::from_str_radix(gateway, 16).ok()?.to_ne_bytes());
        (!address.is_unspecified()).then_some(address)
    })
}

fn resolvers(text: &str) -> Vec<IpAddr> {
    let servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    servers.filter_map(|address| address.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateway_is_read_from_the_kernels_table() {
        let hex = format!("{:08X}", u32::from_ne_bytes([192, 0, 2, 1]));
        let table = format!(
            "Iface Destination Gateway Flags\neth0 000200C0 00000000 0001\neth0 00000000 {hex} 0003\n"
        );
        assert_eq!(gateway(&table), Some(Ipv4Addr::new(192, 0, 2, 1)));
        assert_eq!(gateway(""), None);
        assert_eq!(gateway("x\neth0 00000000 zz"), None);
    }

    #[test]
    fn resolvers_are_read_from_their_file() {
        let text =
            "# comment\nnameserver 192.0.2.53\noptions x\nnameserver 2001:db8::53\nnameserver nonsense\n";
        assert_eq!(resolvers(text).len(), 2);
    }
}

//! Finding networks, devices and entries by what people call them.

use std::collections::HashMap;
use std::net::IpAddr;

use netwark_model::mac::Mac;
use netwark_model::watch::device::Device;
use netwark_model::watch::network::Network;
use serde_json::Value;
use uuid::Uuid;

use super::typed;
use crate::api::Api;
use crate::failure::Failure;
use crate::output::shown;

/// Devices that are named when a name fits several.
const MOST_TOLD: usize = 5;

/// The network of this name or id.
///
/// # Errors
/// When there is none, and those of the server.
pub async fn network(api: &Api, named: &str) -> Result<Network, Failure> {
    let networks: Vec<Network> = api.get("networks").await?;
    let id = Uuid::try_parse(named).ok();
    let fits =
        |network: &Network| Some(network.id) == id || network.name.to_lowercase() == named.to_lowercase();
    networks.into_iter().find(fits).ok_or_else(|| {
        Failure::Failed(format!("there is no network '{}'; 'netwark networks list' shows all", shown(named)))
    })
}

/// Names of all networks by their ids.
///
/// # Errors
/// Those of the server.
pub async fn network_names(api: &Api) -> Result<HashMap<Uuid, String>, Failure> {
    let networks: Vec<Network> = api.get("networks").await?;
    Ok(networks.into_iter().map(|network| (network.id, network.name)).collect())
}

/// The device of this id, name, hardware address or address.
///
/// # Errors
/// When none fits, or more than one does, and those of the server.
pub async fn device(api: &Api, named: &str) -> Result<Device, Failure> {
    if let Ok(id) = Uuid::try_parse(named) {
        return api.get(&format!("devices/{id}")).await;
    }
    let near: Vec<Value> = api.list("devices", &[("q", named.to_owned())]).await?;
    let near: Vec<Device> = near.iter().map(typed).collect::<Result<_, _>>()?;
    let mut fitting = fitting(&near, named);
    match (fitting.len(), near.len()) {
        (1, _) => fitting.pop().ok_or_else(|| none(named, "")),
        (0, 0) => Err(none(named, "")),
        (0, _) => Err(none(named, &format!("; near it are {}", told(&near)))),
        _ => Err(Failure::Failed(format!(
            "'{}' may be {}; say which by its id or hardware address",
            shown(named),
            told(&fitting)
        ))),
    }
}

fn none(named: &str, near: &str) -> Failure {
    Failure::Failed(format!("there is no device '{}'{near}; 'netwark devices list' shows all", shown(named)))
}

/// Devices that are called exactly this. An address is who has it now, although others may still be shown by it.
fn fitting(near: &[Device], named: &str) -> Vec<Device> {
    let address: Option<IpAddr> = named.parse().ok();
    let has = |device: &&Device| address.is_some_and(|address| device.addresses.contains(&address));
    let holders: Vec<Device> = near.iter().filter(has).cloned().collect();
    match holders.is_empty() {
        true => near.iter().filter(|device| is(device, named)).cloned().collect(),
        false => holders,
    }
}

/// True when a device is called exactly this.
fn is(device: &Device, named: &str) -> bool {
    let mac: Option<Mac> = named.parse().ok();
    let address: Option<IpAddr> = named.parse().ok();
    let lower = named.to_lowercase();
    device.label.to_lowercase() == lower
        || device.name.as_ref().is_some_and(|name| name.to_lowercase() == lower)
        || mac.is_some_and(|mac| device.macs.contains(&mac))
        || address.is_some_and(|address| device.addresses.contains(&address))
}

fn told(devices: &[Device]) -> String {
    let mut names: Vec<String> = devices
        .iter()
        .take(MOST_TOLD)
        .map(|device| format!("{} ({})", shown(&device.label), device.id))
        .collect();
    if devices.len() > MOST_TOLD {
        names.push(format!("{} more", devices.len() - MOST_TOLD));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_who_has_it_now() {
        let device = |number: u128, addresses: &[&str]| -> Device {
            typed(&json!({
                "id": Uuid::from_u128(number), "label": "192.0.2.1", "name": null, "type": "", "type_is_set": false,
                "owner": "", "notes": "", "tags": [], "criticality": "normal", "severities": {}, "vendor": null,
                "access": "unknown", "presence": "up", "random_mac": false, "macs": [], "addresses": addresses,
                "networks": [], "first_seen_at": "2026-11-01T00:00:00Z", "last_seen_at": "2026-11-01T00:00:00Z",
            }))
            .unwrap()
        };
        let near = [device(1, &[]), device(2, &["192.0.2.1"]), device(3, &["192.0.2.10"])];
        let ids = |near: &[Device]| -> Vec<u128> {
            fitting(near, "192.0.2.1").iter().map(|device| device.id.as_u128()).collect()
        };
        assert_eq!(ids(&near), [2]);
        assert_eq!(ids(&near[..1]), [1], "nobody has it now");
    }
}

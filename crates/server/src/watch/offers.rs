//! `/networks/offers`: networks that workers stand in and nobody watches.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use ipnet::IpNet;
use jiff::Timestamp;
use netwark_model::error::FieldError;
use netwark_model::selector::TermKind;
use netwark_model::watch::network::{MOST_PREFIXES, Network};
use netwark_model::watch::offer::NetworkOffer;
use netwark_model::workers::Worker;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::{Invalid, MayRead, MayWrite};
use crate::app::App;
use crate::auth::Principal;
use crate::error::Problem;
use crate::extract::Body;

/// An offer that is not wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DismissOffer {
    /// The worker.
    worker_id: Uuid,
    /// The prefixes that were offered.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 32, example = json!(["192.0.2.0/24"]))]
    prefixes: Vec<IpNet>,
    /// False to have it offered again.
    #[serde(default = "yes")]
    #[schema(default = true)]
    dismissed: bool,
}

fn yes() -> bool {
    true
}

/// List networks that online workers stand in and nobody watches.
///
/// Links that only join two ends are not offered, and neither are the bridges of a machine to its own containers.
/// A private prefix is watched when a worker of the same site watches it.
#[utoipa::path(
    get, path = "/networks/offers", operation_id = "list_network_offers", tag = "Watch",
    responses((status = 200, description = "Offers, by worker and interface", body = Vec<NetworkOffer>), MayRead),
)]
pub(crate) async fn list_offers(State(app): State<App>) -> Result<Json<Vec<NetworkOffer>>, Problem> {
    let workers = app.store.workers().await?;
    let networks = app.store.networks(Timestamp::now()).await?;
    let dismissed = app.store.dismissed_offers().await?;
    Ok(Json(offers(workers, &networks, &dismissed)))
}

/// Do not offer a network any more, or do so again.
#[utoipa::path(
    post, path = "/networks/offers/dismiss", operation_id = "dismiss_network_offer", tag = "Watch",
    request_body(content = DismissOffer, example = json!({
        "worker_id": "01933f6e-1234-7abc-8def-0123456789ab", "prefixes": ["192.0.2.0/24"]
    })),
    responses((status = 204, description = "It is not offered any more"), Invalid, MayWrite),
)]
pub(crate) async fn dismiss_offer(
    State(app): State<App>,
    principal: Principal,
    Body(DismissOffer { worker_id, prefixes, dismissed }): Body<DismissOffer>,
) -> Result<StatusCode, Problem> {
    if prefixes.is_empty() || prefixes.len() > MOST_PREFIXES {
        let wrong = format!("must have from 1 to {MOST_PREFIXES} entries, got {}", prefixes.len());
        return Err(FieldError::body("prefixes", wrong).into());
    }
    if app.store.worker(worker_id).await?.is_none() {
        return Err(FieldError::body("worker_id", "there is no worker of this id").into());
    }
    let prefixes = prefixes.iter().map(IpNet::trunc).collect();
    app.store.dismiss_offer(worker_id, prefixes, dismissed).await?;
    tracing::info!(by = principal.label(), worker = %worker_id, dismissed, "an offered network was dismissed");
    Ok(StatusCode::NO_CONTENT)
}

/// What can be offered.
fn offers(
    mut workers: Vec<Worker>,
    networks: &[Network],
    dismissed: &HashSet<(Uuid, IpNet)>,
) -> Vec<NetworkOffer> {
    let sites: HashMap<Uuid, String> =
        workers.iter().map(|worker| (worker.id, worker.site.clone())).collect();
    // Of two that stand in one network the one that can ask its link is the better.
    workers.retain(|worker| worker.online);
    workers.sort_by_key(|worker| (!worker.capabilities.raw_sockets, worker.name.clone()));
    let mut offers: Vec<NetworkOffer> = Vec::new();
    for worker in &workers {
        for link in &worker.links {
            let mut prefixes: Vec<IpNet> =
                link.addresses.iter().filter(|own| is_watchable(own)).map(IpNet::trunc).collect();
            prefixes.sort_unstable();
            prefixes.dedup();
            prefixes.truncate(MOST_PREFIXES);
            let is_known = |prefix: &IpNet| {
                networks.iter().any(|network| watches(network, *prefix, worker, &sites))
                    || offers.iter().any(|offer| {
                        offer.prefixes.contains(prefix)
                            && (!is_private(prefix.addr())
                                || sites.get(&offer.worker_id) == Some(&worker.site))
                    })
            };
            if prefixes.is_empty() || prefixes.iter().any(is_known) {
                continue;
            }
            let is_dismissed = prefixes.iter().any(|prefix| dismissed.contains(&(worker.id, *prefix)));
            offers.push(NetworkOffer {
                worker_id: worker.id,
                worker: worker.name.clone(),
                name: name(worker, &link.interface, networks, &offers),
                prefixes,
                from: TermKind::Worker(worker.name.clone()).to_string(),
                link: link.clone(),
                dismissed: is_dismissed,
            });
        }
    }
    offers.sort_by(|a, b| (&a.worker, &a.link.interface).cmp(&(&b.worker, &b.link.interface)));
    offers
}

/// True for the prefix of an address with neighbours: not of loopback or the link alone, nor of two ends.
fn is_watchable(own: &IpNet) -> bool {
    match own {
        IpNet::V4(net) => {
            let address = net.addr();
            (8..=29).contains(&net.prefix_len()) && !address.is_link_local() && !address.is_loopback()
        }
        IpNet::V6(net) => {
            let address = net.addr();
            (8..=120).contains(&net.prefix_len())
                && !address.is_unicast_link_local()
                && !address.is_loopback()
        }
    }
}

/// True for addresses that mean something else at another place.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private() || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}

/// True when a network watches a prefix where the worker stands.
fn watches(network: &Network, prefix: IpNet, worker: &Worker, sites: &HashMap<Uuid, String>) -> bool {
    let is_here = || match network.worker_id {
        _ if !is_private(prefix.addr()) => true,
        Some(id) => id == worker.id || sites.get(&id).is_none_or(|site| *site == worker.site),
        // Where it will be watched from is not known yet; it may be here.
        None => true,
    };
    network.prefixes.iter().any(|watched| watched.contains(&prefix)) && is_here()
}

/// A name that is not taken: the site or the worker, with the interface where that is not enough.
fn name(worker: &Worker, interface: &str, networks: &[Network], offers: &[NetworkOffer]) -> String {
    let taken = |name: &str| {
        networks.iter().any(|network| network.name.eq_ignore_ascii_case(name))
            || offers.iter().any(|offer| offer.name.eq_ignore_ascii_case(name))
    };
    let place = if worker.site.is_empty() { &worker.name } else { &worker.site };
    let full = format!("{} {interface}", worker.name);
    let names = [place.clone(), format!("{place} {interface}"), full.clone()];
    let name = names.into_iter().find(|name| !taken(name)).unwrap_or(full);
    name.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_with_neighbours_are_watchable() {
        let watchable = |text: &str| is_watchable(&text.parse().unwrap());
        for text in ["192.0.2.7/24", "10.1.2.3/8", "192.0.2.9/29", "2001:db8::7/64", "fd00::1/64"] {
            assert!(watchable(text), "{text}");
        }
        let others =
            ["192.0.2.1/32", "192.0.2.1/31", "192.0.2.1/30", "169.254.1.2/16", "127.0.0.1/8", "10.0.0.1/7"];
        for text in others.into_iter().chain(["fe80::1/64", "::1/128", "2001:db8::7/128", "2001:db8::1/127"])
        {
            assert!(!watchable(text), "{text}");
        }
    }

    #[test]
    fn private_addresses_mean_another_thing_elsewhere() {
        for (text, private) in [
            ("10.0.0.1", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("fd00::1", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_private(text.parse().unwrap()), private, "{text}");
        }
    }
}

//! A network of hosts that answer ARP, neighbour discovery, pings and questions for names, watched by a real worker: what
//! happens on its wire is what the API tells, once.
//!
//! Needs root for the namespaces, and /dev/net/tun. Where `CI` is set, their absence is a failure.

mod events;
mod severed;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use netwark_model::mac::Mac;
use serde_json::{Value, json};

use crate::chaos::process::{free_port, output, until_or_tell};
use crate::chaos::scene::Scene;
use crate::chaos::site::{Site, may_be_made};
use crate::laboratory::lan::{Lan, LanPlan, v4};

/// The worker's own hardware address on the link.
const WORKER: &str = "00:00:5e:00:53:01";

/// A network that a worker watches.
struct Watched {
    scene: Scene,
    site: Site,
    lan: Lan,
    /// Path of the network.
    network: String,
    id: String,
}

/// One look of the worker over the network.
#[derive(Clone, Copy, Debug)]
struct Sweep {
    began: Timestamp,
    ended: Timestamp,
    complete: bool,
    hosts: u64,
    gone: u64,
}

impl Watched {
    /// Starts a server, a worker on a link with hosts, and watches that; none where that cannot be had.
    /// `rules` are the access list, `more` what the network is besides its interval of ten seconds.
    async fn start(plan: LanPlan, rules: &[(&str, Mac)], more: Value) -> Option<Self> {
        if !may_be_made() {
            return None;
        }
        if !Path::new("/dev/net/tun").exists() {
            assert!(std::env::var_os("CI").is_none(), "/dev/net/tun is missing");
            eprintln!("skipped: /dev/net/tun is missing");
            return None;
        }
        let lan = Lan::build(plan);
        // The first host is the way out.
        let route = format!("-n {} route add default via {}", lan.name(), v4(0));
        output(std::process::Command::new("ip").args(route.split_whitespace()));
        let site = Site::around(lan.name());
        let scene = Scene::start(&site, &format!("{}:{}", site.address(1), free_port()), None, 1).await;
        for (action, mac) in rules {
            scene.post("/access-list", &json!({ "action": action, "mac": mac })).await;
        }
        let mut body = json!({ "name": "Office", "from": "worker:far", "interval_ms": 10_000 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = scene.post("/networks", &body).await;
        let id = made["id"].as_str().unwrap().to_owned();
        Some(Self { scene, site, lan, network: format!("/networks/{id}"), id })
    }

    /// Its sweeps, oldest first.
    async fn sweeps(&self) -> Vec<Sweep> {
        let listed = self.scene.get(&format!("{}/sweeps?per_page=1000", self.network)).await;
        let sweep = |one: &Value| {
            let began: Timestamp = one["started_at"].as_str().unwrap().parse().unwrap();
            let took = jiff::SignedDuration::from_millis(one["took_ms"].as_i64().unwrap());
            let number = |key: &str| one[key].as_u64().unwrap();
            let (hosts, gone) = (number("hosts"), number("gone"));
            Sweep { began, ended: began + took, complete: one["complete"] == true, hosts, gone }
        };
        listed.as_array().unwrap().iter().rev().map(sweep).collect()
    }

    /// Waits until so many whole sweeps that began at a time or later have been told of.
    async fn swept(&self, since: Timestamp, number: usize) {
        let told = || format!("{number} sweeps since {since}; {}", self.scene.logs());
        until_or_tell(told, || async {
            let sweeps = self.sweeps().await;
            sweeps.iter().filter(|sweep| sweep.complete && sweep.began >= since).count() >= number
        })
        .await;
    }

    /// What was told of the network and its devices, in the order in which it happened.
    async fn events(&self) -> Vec<Value> {
        let listed = self.scene.get(&format!("/events?network={}&per_page=1000", self.id)).await;
        let told = |event: &&Value| event["kind"] != "network_started";
        listed.as_array().unwrap().iter().rev().filter(told).cloned().collect()
    }

    /// Its devices by one of their hardware addresses.
    async fn devices(&self) -> BTreeMap<String, Value> {
        let listed = self.scene.get(&format!("/devices?network={}&per_page=1000", self.id)).await;
        let mut devices = BTreeMap::new();
        for device in listed.as_array().unwrap() {
            let macs = device["macs"].as_array().unwrap();
            assert_eq!(macs.len(), 1, "nobody merges devices: {device}");
            let known = devices.insert(macs[0].as_str().unwrap().to_owned(), device.clone());
            assert!(known.is_none(), "{device} is there twice");
        }
        devices
    }

    /// The path of a device.
    async fn path_of(&self, mac: Mac) -> String {
        let devices = self.devices().await;
        format!("/devices/{}", devices[&mac.to_string()]["id"].as_str().unwrap())
    }
}

/// When an event happened.
fn at(event: &Value) -> Timestamp {
    event["at"].as_str().unwrap().parse().unwrap()
}

/// Events as kind and severity, in any order.
fn told(events: &[Value]) -> BTreeSet<(String, String, String)> {
    let word = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let about = |event: &Value| match &event["data"]["address"] {
        Value::String(address) => address.clone(),
        _ => event["data"]["who"]["address"].as_str().unwrap_or_default().to_owned(),
    };
    let told: BTreeSet<_> =
        events.iter().map(|event| (word(event, "kind"), word(event, "severity"), about(event))).collect();
    assert_eq!(told.len(), events.len(), "something was told twice: {events:#?}");
    told
}

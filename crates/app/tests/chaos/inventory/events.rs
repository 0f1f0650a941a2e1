//! What happens on the wire is told once, as what it is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use netwark_model::mac::Mac;
use serde_json::{Value, json};

use super::{WORKER, Watched, at, told};
use crate::laboratory::lan::{IMPOSTOR, LanPlan, link_local, mac, v4, v6};
use crate::laboratory::spoken;

const HOSTS: u32 = 250;
/// Hosts by what becomes of them.
const GATEWAY: u32 = 0;
const DHCP_SERVER: u32 = 1;
const ROUTER: u32 = 2;
const NAMED_BY_DHCP: u32 = 6;
const NAMED_BY_MDNS: u32 = 7;
const ALLOWED: u32 = 8;
const DENIED: u32 = 9;
const LEAVES: u32 = 20;
const SWAPPED: u32 = 30;
const DOUBLED: u32 = 40;
const ROGUE_DHCP: u32 = 50;
const ROGUE_ROUTER: u32 = 60;

const NEW_CARD: Mac = Mac::new([0x00, 0x25, 0x90, 0, 0, 30]);
const NEW_GATEWAY: Mac = Mac::new([0x00, 0x25, 0x90, 0, 0, 1]);
/// Markup, an end of a line and a turn of direction, as nobody calls a device.
const MARKUP: &str = "<script>alert(1)</script>";

/// What a host answers that wants too much room: labels of 255 bytes.
fn long_name() -> Vec<String> {
    [MARKUP.to_owned(), "x".repeat(63), "y".repeat(63), "z".repeat(63), "<i>\u{202e}\r\n</i>".into()].to_vec()
}

fn plan() -> LanPlan {
    let mut said = b"\"><img src=x onerror=alert(1)>\r\n\0".to_vec();
    said.resize(255, b'w');
    LanPlan {
        hosts: HOSTS,
        names: BTreeMap::from([(NAMED_BY_MDNS, long_name())]),
        announced: vec![
            spoken::dhcp_client(mac(NAMED_BY_DHCP), &said),
            spoken::dhcp_server(mac(DHCP_SERVER), v4(DHCP_SERVER)),
            spoken::router(mac(ROUTER), 1_800),
        ],
        ..LanPlan::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_on_the_wire_is_told_once() {
    let rules = [("deny", mac(DENIED)), ("allow", mac(ALLOWED))];
    let network = json!({
        "prefixes": ["10.88.0.0/24", "fd88::/64"], "passive": true,
        "dhcp_servers": [v4(DHCP_SERVER)], "routers": [link_local(ROUTER)],
    });
    let Some(watched) = Watched::start(plan(), &rules, network).await else { return };
    everybody_is_found(&watched).await;
    names_are_text(&watched).await;
    let quiet = watched.events().await.len();
    watched.swept(Timestamp::now(), 1).await;
    assert_eq!(
        watched.events().await.len(),
        quiet,
        "what is as it was is not told: {:#?}",
        watched.events().await
    );
    changes_are_told_once(&watched).await;
    who_comes_back_is_told_once(&watched).await;
}

async fn everybody_is_found(watched: &Watched) {
    watched.swept(Timestamp::UNIX_EPOCH, 1).await;
    let devices = watched.devices().await;
    let expected: BTreeSet<String> =
        (0..HOSTS).map(|host| mac(host).to_string()).chain([WORKER.to_owned()]).collect();
    assert_eq!(devices.keys().cloned().collect::<BTreeSet<_>>(), expected, "{}", watched.scene.logs());
    for host in 0..HOSTS {
        let device = &devices[&mac(host).to_string()];
        let mut addresses: Vec<String> = device["addresses"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap().to_owned())
            .collect();
        addresses.sort_unstable();
        let mut expected = [v4(host).to_string(), v6(host).to_string(), link_local(host).to_string()];
        expected.sort_unstable();
        assert_eq!(
            (addresses.as_slice(), &device["presence"]),
            (expected.as_slice(), &json!("up")),
            "{device}"
        );
    }
    let mut severities: BTreeMap<String, u32> = BTreeMap::new();
    for event in watched.events().await {
        assert_eq!(
            (&event["kind"], &event["network"]),
            (&json!("device_new"), &json!("Office")),
            "{event:#}"
        );
        *severities.entry(event["severity"].as_str().unwrap().to_owned()).or_default() += 1;
        let is_denied = event["text"].as_str().unwrap().contains(&mac(DENIED).to_string());
        assert_eq!(is_denied, event["severity"] == "alert", "{event:#}");
    }
    let expected = [("alert", 1), ("info", 1), ("ok", 1), ("warning", HOSTS - 2)];
    assert_eq!(severities, expected.map(|(word, number)| (word.to_owned(), number)).into());
    let network = watched.scene.get(&watched.network).await;
    assert_eq!((&network["status"], &network["up"]), (&json!("active"), &json!(HOSTS + 1)), "{network:#}");
    assert_eq!(network["link"]["gateway"], v4(GATEWAY).to_string());
}

/// What devices call themselves comes as it is, without what hides in it, and not without end.
async fn names_are_text(watched: &Watched) {
    for (host, source, begins) in [
        (NAMED_BY_MDNS, "mdns", format!("{MARKUP}.xxx")),
        (NAMED_BY_DHCP, "dhcp", "\"><img src=x onerror=alert(1)>www".to_owned()),
    ] {
        let device = watched.scene.get(&watched.path_of(mac(host)).await).await;
        let names = device["interfaces"][0]["names"].as_array().unwrap();
        let name = names.iter().find(|name| name["source"] == source);
        let name =
            name.unwrap_or_else(|| panic!("{device:#}; {}", watched.scene.logs()))["text"].as_str().unwrap();
        assert!(name.starts_with(&begins) && name.len() <= 253, "{name}");
        assert!(!name.chars().any(|c| c.is_control() || c == '\u{202e}'), "{name:?}");
        assert_eq!(device["label"], name);
    }
}

/// All at once: nothing of it is told as two things, and nothing hides another.
async fn changes_are_told_once(watched: &Watched) {
    let before = watched.events().await.len();
    watched.lan.change(|plan| {
        plan.absent.extend([LEAVES, DENIED]);
        plan.swapped.extend([(SWAPPED, NEW_CARD), (GATEWAY, NEW_GATEWAY)]);
        plan.doubled = Some(DOUBLED);
        plan.announced.push(spoken::dhcp_server(mac(ROGUE_DHCP), v4(ROGUE_DHCP)));
        plan.announced.push(spoken::router(mac(ROGUE_ROUTER), 1_800));
    });
    let changed = Timestamp::now();
    watched.swept(changed, 3).await;
    let events = watched.events().await.split_off(before);
    let expected = [
        ("address_conflict", "alert", v4(DOUBLED).to_string()),
        ("device_down", "alert", v4(DENIED).to_string()),
        ("device_down", "warning", v4(LEAVES).to_string()),
        ("gateway_changed", "alert", v4(GATEWAY).to_string()),
        ("mac_changed", "warning", v4(SWAPPED).to_string()),
        ("rogue_dhcp", "alert", v4(ROGUE_DHCP).to_string()),
        ("rogue_router", "alert", link_local(ROGUE_ROUTER).to_string()),
    ];
    let expected = expected.map(|(kind, severity, about)| (kind.to_owned(), severity.to_owned(), about));
    assert_eq!(told(&events), expected.into(), "{events:#?}; {}", watched.scene.logs());

    let one = |kind: &str| events.iter().find(|event| event["kind"] == kind).unwrap();
    let (old, new) = (mac(SWAPPED).to_string(), NEW_CARD.to_string());
    let data = &one("mac_changed")["data"];
    assert_eq!((&data["old_mac"], &data["mac"]), (&json!(old), &json!(new)), "{data}");
    assert!(data["addresses"].as_array().unwrap().contains(&json!(v6(SWAPPED))), "{data}");
    let both: BTreeSet<String> = [mac(DOUBLED), IMPOSTOR].map(|mac| mac.to_string()).into();
    let macs = one("address_conflict")["data"]["macs"].as_array().unwrap();
    assert_eq!(macs.iter().map(|mac| mac.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>(), both);
    let moved = one("gateway_changed");
    assert_eq!(moved["data"]["mac"], NEW_GATEWAY.to_string(), "{moved:#}");
    for event in &events {
        assert_eq!((&event["network_id"], &event["network"]), (&json!(watched.id), &json!("Office")));
        assert!(event["text"].as_str().unwrap().contains("Office"), "{event:#}");
        assert!(at(event) >= changed, "{event:#}");
    }
    // Two sweeps have missed who left: it is down with the second and not with the first.
    let sweeps = watched.sweeps().await;
    for down in events.iter().filter(|event| event["kind"] == "device_down") {
        let place = sweeps.iter().position(|sweep| sweep.ended == at(down)).unwrap();
        let missed: Vec<u64> = sweeps[..=place].iter().map(|sweep| sweep.gone).collect();
        let (last, earlier) = missed.split_last().unwrap();
        assert!(*last >= 2 && earlier.iter().all(|gone| *gone == 0), "{sweeps:#?}");
        let since = sweeps[..=place].iter().filter(|sweep| sweep.ended > changed).count();
        assert!(matches!(since, 2 | 3), "after {since} sweeps: {sweeps:#?}");
        let data = &down["data"];
        assert_eq!((&data["missed_sweeps"], &data["grace_sweeps"]), (&json!(2), &json!(2)), "{down:#}");
    }
    let device = watched.scene.get(&watched.path_of(mac(LEAVES)).await).await;
    assert_eq!(device["presence"], "down");
}

async fn who_comes_back_is_told_once(watched: &Watched) {
    let before: BTreeSet<String> = ids(&watched.events().await);
    watched.lan.change(|plan| {
        plan.absent.clear();
        plan.swapped.remove(&SWAPPED);
        plan.doubled = None;
    });
    let changed = Timestamp::now();
    watched.swept(changed, 3).await;
    let events: Vec<Value> = watched.events().await;
    let events: Vec<Value> =
        events.into_iter().filter(|event| !before.contains(event["id"].as_str().unwrap())).collect();
    let expected = [
        ("device_up", "alert", v4(DENIED).to_string()),
        ("device_up", "warning", v4(LEAVES).to_string()),
        ("flip_flop", "warning", v4(SWAPPED).to_string()),
        // Whoever answered for another's address is gone.
        ("device_down", "warning", v4(DOUBLED).to_string()),
    ];
    let expected = expected.map(|(kind, severity, about)| (kind.to_owned(), severity.to_owned(), about));
    assert_eq!(told(&events), expected.into(), "{events:#?}; {}", watched.scene.logs());
    let sessions = watched.scene.get(&format!("{}/presence", watched.path_of(mac(LEAVES)).await)).await;
    let sessions = sessions.as_array().unwrap();
    assert_eq!(sessions.len(), 2, "{sessions:#?}");
    assert!(sessions[0]["ended_at"].is_null() && sessions[1]["ended_at"].is_string(), "{sessions:#?}");
}

fn ids(events: &[Value]) -> BTreeSet<String> {
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

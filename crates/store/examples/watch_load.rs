//! Measures how long it takes to take in sweeps: the first one meets an empty inventory, the others one of as many
//! devices as they see.
//!
//! `cargo run --profile quick -p netwark-store --example watch_load -- URL [DEVICES]`, on an empty database.

#![expect(clippy::print_stdout, reason = "it is run for what it prints")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails ends")]

use std::net::Ipv4Addr;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use netwark_model::assignments::StreamReport;
use netwark_model::mac::Mac;
use netwark_model::messages::Hello;
use netwark_model::selector::Selector;
use netwark_model::watch::network::Severities;
use netwark_model::watch::report::{MOST_SIGHTINGS, SweepReport, WatchReport};
use netwark_model::watch::sighting::{Name, NameSource, Sighting, Source};
use netwark_store::streams::StreamNews;
use netwark_store::watch::devices::DeviceFilter;
use netwark_store::watch::networks::NetworkSettings;
use netwark_store::workers::Arrival;
use netwark_store::{Store, StoreOptions};
use uuid::Uuid;

/// Sweeps that are told, with how many of a thousand devices are not seen in each, and how many have another address.
const SWEEPS: [(&str, u32, u32); 10] = [
    ("empty inventory", 0, 0),
    ("nothing new", 0, 0),
    ("nothing new", 0, 0),
    ("1 % missed", 10, 0),
    ("all back", 0, 0),
    ("10 % with another address", 0, 100),
    ("10 % with the former address", 0, 0),
    ("10 % missed", 100, 0),
    ("10 % missed again and gone", 100, 0),
    ("all back", 0, 0),
];

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap();
    let devices: u32 = arguments.next().map_or(10_000, |number| number.parse().unwrap());
    let store = Store::open(&StoreOptions::new(url)).await.unwrap();
    store.declare_queues(&[]).await.unwrap();
    let worker = (Uuid::now_v7(), "load".to_owned());
    let hello = Hello { name: worker.1.clone(), queues: vec!["netwark".into()], ..Hello::default() };
    let arrival = Arrival {
        id: worker.0,
        hello,
        unknown_queues: Vec::new(),
        link: "embedded",
        mark: 0,
        again: false,
        enter: true,
    };
    let start = Timestamp::now() - SignedDuration::from_hours(2);
    store.worker_hello(arrival, start).await.unwrap();
    let network = store.add_network(settings(), true, "load", start).await.unwrap();
    store.place_assignments(Timestamp::MAX, start).await.unwrap();
    let stream = store.network_order(network).await.unwrap().unwrap();
    let epoch = store.holding(stream).await.unwrap().unwrap().epoch;

    let mut sequence = 0;
    for (at, (what, gone, moved)) in (1..).zip(SWEEPS) {
        let now = start + SignedDuration::from_mins(7 * at);
        let seen: Vec<Sighting> =
            (0..devices).filter(|n| n % 1000 >= gone).map(|n| sighting(n, n % 1000 < moved, now)).collect();
        let parts: Vec<&[Sighting]> = seen.chunks(MOST_SIGHTINGS).collect();
        let sweep = Uuid::now_v7();
        let number = u16::try_from(parts.len()).unwrap();
        let began = Instant::now();
        for (part, sightings) in (1..).zip(parts) {
            sequence += 1;
            let report = WatchReport::Sweep(Box::new(SweepReport {
                sweep,
                started_at: now - SignedDuration::from_secs(2),
                ended_at: now,
                complete: true,
                part,
                parts: number,
                probed: 65_534,
                rechecked: 0,
                sightings: sightings.to_vec(),
                facts: Vec::new(),
                error: None,
                link: None,
            }));
            let body = serde_json::to_value(report).unwrap();
            let report = StreamReport { stream, epoch, sequence, at_ms: now.as_millisecond(), body };
            store.apply_stream(worker.clone(), StreamNews::Report(report), now).await.unwrap();
        }
        println!("{what}: {} sightings in {} ms", seen.len(), began.elapsed().as_millis());
    }
    let now = start + SignedDuration::from_mins(71);
    for (what, text) in [("a page of devices", None), ("a search", Some("host-77".to_owned()))] {
        let filter = DeviceFilter { text, limit: 100, ..DeviceFilter::default() };
        let began = Instant::now();
        let (rows, total) = store.devices(&filter, now).await.unwrap();
        println!("{what}: {} of {total} in {} ms", rows.len(), began.elapsed().as_millis());
    }
}

fn settings() -> NetworkSettings {
    NetworkSettings {
        name: format!("load {}", Uuid::now_v7()),
        prefixes: vec!["10.0.0.0/16".parse().unwrap()],
        exclude: Vec::new(),
        selector: Selector::parse("worker:load").unwrap(),
        interface: None,
        vlan: None,
        every_ms: 420_000,
        rate_pps: None,
        rate_bps: None,
        share: None,
        passive: false,
        names: true,
        large: false,
        grace_sweeps: 1,
        severities: Severities::default(),
        dhcp_servers: Vec::new(),
        routers: Vec::new(),
        learn_until: None,
    }
}

fn sighting(number: u32, has_moved: bool, at: Timestamp) -> Sighting {
    let [_, b, c, d] = number.to_be_bytes();
    let base = if has_moved { 0x0a00_8001 } else { 0x0a00_0001_u32 };
    let names = vec![Name { source: NameSource::Dns, text: format!("host-{number}.example.org"), at: None }];
    Sighting {
        at: at - SignedDuration::from_secs(1),
        address: Some(Ipv4Addr::from(base + number).into()),
        mac: Some(Mac::new([0, 0, 0x5e, b, c, d])),
        source: Source::Arp,
        rtt_us: Some(400),
        vlan: None,
        router: false,
        names,
    }
}

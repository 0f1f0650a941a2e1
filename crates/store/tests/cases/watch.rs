//! Watched networks: from the order to the device.

use std::collections::BTreeMap;

use jiff::Timestamp;
use netwark_model::assignments::StreamReport;
use netwark_model::events::Severity;
use netwark_model::mac::Mac;
use netwark_model::selector::Selector;
use netwark_model::watch::access::AccessAction;
use netwark_model::watch::device::{Access, Device};
use netwark_model::watch::network::{NetworkStatus, Severities};
use netwark_model::watch::order::SweepOrder;
use netwark_model::watch::presence::Presence;
use netwark_model::watch::report::{HeardReport, LinkFacts, SweepReport, WatchReport};
use netwark_model::watch::sighting::{Name, NameSource, Sighting, Source};
use netwark_store::Store;
use netwark_store::events::{CLOCKS_APART, EventFilter};
use netwark_store::streams::{StreamApplied, StreamNews};
use netwark_store::watch::access::{AccessDraft, AccessFilter, Entered};
use netwark_store::watch::devices::{DeviceEdit, DeviceFilter, DeviceSort};
use netwark_store::watch::networks::NetworkSettings;
use uuid::Uuid;

use super::{at, enter};

/// From one sweep to the next, in seconds.
const EVERY: i64 = 420;

pub(crate) fn settings(name: &str) -> NetworkSettings {
    NetworkSettings {
        name: name.into(),
        prefixes: vec!["192.0.2.0/24".parse().unwrap()],
        exclude: Vec::new(),
        selector: Selector::parse("all").unwrap(),
        interface: None,
        vlan: None,
        every_ms: EVERY.unsigned_abs() * 1000,
        rate_pps: None,
        rate_bps: None,
        share: None,
        passive: false,
        names: true,
        large: false,
        grace_sweeps: 2,
        severities: Severities::default(),
        dhcp_servers: Vec::new(),
        routers: Vec::new(),
        learn_until: None,
    }
}

/// A worker that holds a network.
pub(crate) struct Site<'s> {
    store: &'s Store,
    worker: (Uuid, String),
    pub(super) network: Uuid,
    stream: Uuid,
    epoch: u64,
    sequence: u64,
    /// Seconds after the beginning.
    pub(super) now: i64,
}

pub(super) fn mac(number: u32) -> Mac {
    let [_, b, c, d] = number.to_be_bytes();
    Mac::new([0, 0, 0x5e, b, c, d])
}

fn sighting(mac: Mac, address: &str, seconds: i64) -> Sighting {
    Sighting {
        at: at(seconds),
        address: Some(address.parse().unwrap()),
        mac: Some(mac),
        source: Source::Arp,
        rtt_us: None,
        vlan: None,
        router: false,
        names: Vec::new(),
    }
}

impl<'s> Site<'s> {
    pub(crate) async fn new(store: &'s Store, name: &str) -> Self {
        store.declare_queues(&[]).await.unwrap();
        let worker = enter(store, &format!("worker-of-{name}")).await;
        let mut settings = settings(name);
        settings.selector = Selector::parse(&format!("worker:{}", worker.1)).unwrap();
        let network = store.add_network(settings, true, "user admin", at(0)).await.unwrap();
        store.place_assignments(at(86_400), at(0)).await.unwrap();
        let mut site = Self { store, worker, network, stream: Uuid::nil(), epoch: 0, sequence: 0, now: 10 };
        site.renew().await;
        site
    }

    /// Learns which order it holds in which epoch.
    async fn renew(&mut self) {
        self.stream = self.store.network_order(self.network).await.unwrap().unwrap();
        self.epoch = self.store.holding(self.stream).await.unwrap().unwrap().epoch;
        self.sequence = 0;
    }

    async fn say(&mut self, report: &WatchReport) -> StreamApplied {
        self.sequence += 1;
        let (stream, epoch, sequence) = (self.stream, self.epoch, self.sequence);
        let body = serde_json::to_value(report).unwrap();
        let news = StreamNews::Report(StreamReport { stream, epoch, sequence, at_ms: 0, body });
        self.store.apply_stream(self.worker.clone(), news, at(self.now)).await.unwrap()
    }

    fn part(&self, sweep: Uuid, (part, parts): (u16, u16), sightings: Vec<Sighting>) -> WatchReport {
        WatchReport::Sweep(Box::new(SweepReport {
            sweep,
            started_at: at(self.now - 2),
            ended_at: at(self.now),
            complete: true,
            part,
            parts,
            probed: 254,
            rechecked: 0,
            sightings,
            facts: Vec::new(),
            error: None,
            link: Some(LinkFacts { interface: "eth0".into(), ..LinkFacts::default() }),
        }))
    }

    /// Tells of a whole sweep; how many events it raised.
    pub(super) async fn sweep(&mut self, seen: &[(Mac, &str)]) -> usize {
        let sightings = seen.iter().map(|(mac, address)| sighting(*mac, address, self.now - 1)).collect();
        let report = self.part(Uuid::now_v7(), (1, 1), sightings);
        let applied = self.say(&report).await;
        self.now += EVERY;
        match applied {
            StreamApplied::Applied { events, is_current: true, .. } => events,
            other => panic!("{other:?}"),
        }
    }

    /// A day in an office of 250 devices, of which a fifth is taken home in the evening and back in the morning.
    pub(crate) async fn office_day(&mut self) {
        let devices: Vec<(Mac, String)> = (0..250).map(|n| (mac(n), format!("192.0.2.{n}"))).collect();
        let sweeps = 86_400 / EVERY;
        for number in 0..sweeps {
            let is_night = number >= sweeps / 2;
            let there = devices.iter().enumerate().filter(|(n, _)| !is_night || n % 5 != 0);
            let seen: Vec<(Mac, &str)> = there.map(|(_, (mac, address))| (*mac, address.as_str())).collect();
            self.sweep(&seen).await;
        }
    }

    async fn devices(&self, filter: DeviceFilter) -> Vec<Device> {
        let filter = DeviceFilter { limit: 100, ..filter };
        self.store.devices(&filter, at(self.now)).await.unwrap().0
    }

    async fn kinds(&self) -> Vec<(String, Severity)> {
        let filter = EventFilter { network: Some(self.network), limit: 100, ..EventFilter::default() };
        let events = self.store.events(&filter).await.unwrap();
        let told = events.into_iter().rev().filter(|event| event.device_id.is_some());
        told.map(|event| (event.kind, event.severity)).collect()
    }
}

fn text(text: &str) -> DeviceFilter {
    DeviceFilter { text: Some(text.into()), ..DeviceFilter::default() }
}

pub(crate) async fn a_network_has_an_order_that_follows_it(store: &Store) {
    let site = Site::new(store, "Office").await;
    let again = store.add_network(settings("OFFICE"), true, "user admin", at(1)).await.unwrap_err();
    assert_eq!(again.to_string(), "a network named 'Office' exists already");
    let orders = store.standing_orders(site.worker.0).await.unwrap();
    let order: SweepOrder = serde_json::from_value(orders.held[0].body.clone()).unwrap();
    assert_eq!((order.network_id, order.prefixes.len()), (site.network, 1));
    let network = store.network(site.network, at(1)).await.unwrap().unwrap();
    assert_eq!(
        (network.status, network.worker.as_deref()),
        (NetworkStatus::NeverDeployed, Some(site.worker.1.as_str()))
    );

    let selector = Selector::parse(&format!("worker:{}", site.worker.1)).unwrap();
    let before = NetworkSettings { selector, ..settings("Office") };
    let other = NetworkSettings { name: "Office 2".into(), every_ms: 60_000, ..before.clone() };
    let changed = store.change_network(site.network, before.clone(), other).await.unwrap().unwrap();
    let late = NetworkSettings { vlan: Some(7), ..before.clone() };
    let late = store.change_network(site.network, before, late).await.unwrap_err();
    assert!(late.to_string().starts_with("somebody has changed it meanwhile"), "{late}");
    assert_eq!((changed.name.as_str(), changed.holder), ("Office 2", Some(site.worker.0)));
    let held = store.standing_orders(site.worker.0).await.unwrap().held;
    assert_eq!((held[0].every_ms, held[0].epoch), (60_000, site.epoch + 1));

    let stopped = store.stop_network(site.network, "user admin", at(2)).await.unwrap().unwrap();
    assert_eq!(stopped.holder, Some(site.worker.0));
    assert!(store.standing_orders(site.worker.0).await.unwrap().held.is_empty());
    let network = store.network(site.network, at(3)).await.unwrap().unwrap();
    assert_eq!((network.status, network.running), (NetworkStatus::Stopped, false));
    store.start_network(site.network, "user admin", at(4)).await.unwrap().unwrap();
    assert_ne!(store.network_order(site.network).await.unwrap(), Some(site.stream), "its reports begin anew");
}

pub(crate) async fn a_sweep_becomes_devices_and_events(store: &Store) {
    let mut site = Site::new(store, "Office").await;
    assert_eq!(site.sweep(&[(mac(1), "192.0.2.1"), (mac(2), "192.0.2.2"), (mac(2), "2001:db8::2")]).await, 2);
    let devices = site.devices(DeviceFilter::default()).await;
    assert_eq!(devices.len(), 2);
    let second = devices.iter().find(|device| device.macs == [mac(2)]).unwrap();
    assert_eq!(
        second.addresses,
        ["192.0.2.2".parse::<std::net::IpAddr>().unwrap(), "2001:db8::2".parse().unwrap()]
    );
    assert_eq!((second.presence, second.access), (Presence::Up, Access::Unknown));
    let network = store.network(site.network, at(site.now)).await.unwrap().unwrap();
    assert_eq!(
        (network.status, network.devices, network.up, network.not_allowed),
        (NetworkStatus::Active, 2, 2, 2)
    );
    let sweep = network.last_sweep.unwrap();
    assert_eq!((sweep.hosts, sweep.newcomers, sweep.probed, sweep.took_ms), (2, 2, 254, 2000));

    assert_eq!(site.sweep(&[(mac(1), "192.0.2.1")]).await, 0);
    assert_eq!(site.sweep(&[(mac(1), "192.0.2.1")]).await, 1);
    let down = site.devices(DeviceFilter { presence: Some(Presence::Down), ..DeviceFilter::default() }).await;
    assert_eq!(down.iter().map(|device| device.id).collect::<Vec<_>>(), [second.id]);
    assert_eq!(down[0].last_seen_at, at(10), "the sweep that saw it last");
    let up = site.devices(DeviceFilter { presence: Some(Presence::Up), ..DeviceFilter::default() }).await;
    assert_eq!(up[0].last_seen_at, at(10 + 2 * EVERY));
    let sessions = store.device_presence(second.id, None, 10).await.unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!((sessions[0].began_at, sessions[0].ended_at), (at(9), Some(at(10))));
    let unknown = |kind: &str| (kind.to_owned(), Severity::Warning);
    assert_eq!(site.kinds().await, [unknown("device_new"), unknown("device_new"), unknown("device_down")]);
    let used = store.used_addresses(site.network, None, at(site.now)).await.unwrap();
    let told: Vec<_> = used.iter().map(|used| (used.address.to_string(), used.presence)).collect();
    assert!(
        told.contains(&("192.0.2.1".into(), Presence::Up))
            && told.contains(&("192.0.2.2".into(), Presence::Down))
    );
}

pub(crate) async fn a_large_sweep_comes_in_parts(store: &Store) {
    let mut site = Site::new(store, "Office").await;
    let sweep = Uuid::now_v7();
    let one = site.part(sweep, (1, 3), vec![sighting(mac(1), "192.0.2.1", 9)]);
    let two = site.part(sweep, (2, 3), vec![sighting(mac(2), "192.0.2.2", 9)]);
    let three = site.part(sweep, (3, 3), vec![sighting(mac(3), "192.0.2.3", 9)]);
    for part in [&one, &two] {
        assert!(matches!(site.say(part).await, StreamApplied::Applied { events: 0, .. }));
    }
    assert!(
        site.devices(DeviceFilter::default()).await.is_empty(),
        "nobody is missing because of half a sweep"
    );
    assert!(matches!(site.say(&three).await, StreamApplied::Applied { events: 3, .. }));
    assert_eq!(store.sweeps(site.network, None, 10).await.unwrap().len(), 1);
    // A part that never comes: what came is seen, and nobody is missing.
    site.now += EVERY;
    let late = Uuid::now_v7();
    let last = site.part(late, (3, 3), Vec::new());
    site.say(&last).await;
    let sweeps = store.sweeps(site.network, None, 10).await.unwrap();
    assert_eq!((sweeps[0].complete, sweeps[1].complete), (false, true));
}

pub(crate) async fn what_says_nothing_new_writes_nothing(store: &Store) {
    let mut site = Site::new(store, "Office").await;
    let addresses: Vec<String> = (1..=200).map(|number| format!("192.0.2.{number}")).collect();
    let seen: Vec<(Mac, &str)> =
        addresses.iter().zip(1..).map(|(address, number)| (mac(number), address.as_str())).collect();
    site.sweep(&seen).await;
    let before = store.network_leavings(site.network).await.unwrap().unwrap();
    for _ in 0..5 {
        assert_eq!(site.sweep(&seen).await, 0);
    }
    let after = store.network_leavings(site.network).await.unwrap().unwrap();
    assert_eq!(after.sweeps, before.sweeps + 5);
    assert_eq!((after.sightings, after.sessions, after.events), (200, 200, before.events));
    let devices = site.devices(DeviceFilter::default()).await;
    assert!(devices.iter().all(|device| device.last_seen_at == at(10 + 5 * EVERY)), "and yet it is known");
}

pub(crate) async fn a_stopped_network_lets_nobody_go_down(store: &Store) {
    let mut site = Site::new(store, "Office").await;
    site.sweep(&[(mac(1), "192.0.2.1")]).await;
    store.stop_network(site.network, "user admin", at(site.now)).await.unwrap().unwrap();
    let device = site.devices(DeviceFilter::default()).await.remove(0);
    assert_eq!((device.presence, device.last_seen_at), (Presence::Unknown, at(10)));
    let sessions = store.device_presence(device.id, None, 10).await.unwrap();
    assert_eq!(sessions[0].ended_at, Some(at(10)));
    site.now += 100 * EVERY;
    store.start_network(site.network, "user admin", at(site.now)).await.unwrap().unwrap();
    store.place_assignments(at(1_000_000), at(site.now)).await.unwrap();
    site.renew().await;
    assert_eq!(site.sweep(&[]).await, 0, "the grace time begins anew");
    assert_eq!(site.sweep(&[]).await, 1);
    assert_eq!(site.devices(DeviceFilter::default()).await[0].presence, Presence::Down);
}

pub(crate) async fn who_lost_a_network_changes_nothing_there(store: &Store) {
    let mut site = Site::new(store, "Office").await;
    site.sweep(&[(mac(1), "192.0.2.1")]).await;
    store.renew_epochs(site.worker.0).await.unwrap();
    let report = site.part(Uuid::now_v7(), (1, 1), vec![sighting(mac(2), "192.0.2.2", 20)]);
    assert!(matches!(site.say(&report).await, StreamApplied::Applied { events: 0, is_current: false, .. }));
    assert_eq!(site.devices(DeviceFilter::default()).await.len(), 1);
    assert_eq!(store.sweeps(site.network, None, 10).await.unwrap().len(), 2, "it is kept all the same");
}

pub(crate) async fn what_was_overheard_counts_at_once(store: &Store) {
    let mut site = Site::new(store, "Office").await;
    let names = vec![
        Name { source: NameSource::Dhcp, text: "annas-phone".into(), at: None },
        Name { source: NameSource::Mdns, text: "<b>Anna</b>\u{202e}\0".into(), at: None },
    ];
    let heard = Sighting { source: Source::Dhcp, names, ..sighting(mac(1), "192.0.2.1", 9) };
    let report = WatchReport::Heard(HeardReport { sightings: vec![heard], facts: Vec::new() });
    assert!(matches!(site.say(&report).await, StreamApplied::Applied { events: 1, .. }));
    let device = site.devices(DeviceFilter::default()).await.remove(0);
    assert_eq!(device.label, "<b>Anna</b>", "what cannot be seen is gone; who shows it escapes it");
    assert_eq!(device.kind, "phone");
    let detail = store.device(device.id, at(site.now)).await.unwrap().unwrap();
    assert_eq!(detail.interfaces[0].names.len(), 2);
    // Reports that nobody understands do not stand in the way of others.
    let (stream, epoch) = (site.stream, site.epoch);
    site.sequence += 1;
    let body = serde_json::json!({ "what": "dance" });
    let news = StreamNews::Report(StreamReport { stream, epoch, sequence: site.sequence, at_ms: 0, body });
    store.apply_stream(site.worker.clone(), news, at(site.now)).await.unwrap();
    assert_eq!(site.sweep(&[(mac(1), "192.0.2.1")]).await, 0);
}

pub(crate) async fn one_device_on_two_networks_is_one(store: &Store) {
    let (mut office, mut home) = (Site::new(store, "Office").await, Site::new(store, "Home").await);
    office.sweep(&[(mac(1), "192.0.2.1")]).await;
    home.sweep(&[(mac(1), "192.0.2.50"), (mac(2), "192.0.2.51")]).await;
    let devices = office.devices(DeviceFilter::default()).await;
    assert_eq!(devices.len(), 2);
    let both = devices.iter().find(|device| device.macs == [mac(1)]).unwrap();
    assert_eq!(both.networks.len(), 2);
    let only = DeviceFilter { network: Some(home.network), ..DeviceFilter::default() };
    assert_eq!(home.devices(only).await.len(), 2);
    // Virtual routers have the same address everywhere.
    let virtual_router: Mac = "00:00:5e:00:01:01".parse().unwrap();
    office.sweep(&[(mac(1), "192.0.2.1"), (virtual_router, "192.0.2.254")]).await;
    home.sweep(&[(mac(1), "192.0.2.50"), (mac(2), "192.0.2.51"), (virtual_router, "192.0.2.254")]).await;
    assert_eq!(office.devices(text("00:00:5e:00:01:01")).await.len(), 2);
}

pub(crate) async fn devices_are_found_and_sorted(store: &Store) {
    let mut site = Site::new(store, "Office").await;
    site.sweep(&[(mac(3), "192.0.2.30"), (mac(1), "192.0.2.4"), (mac(2), "192.0.2.100")]).await;
    let found = async |filter: DeviceFilter| -> Vec<String> {
        site.devices(filter).await.into_iter().map(|device| device.label).collect()
    };
    let by = |sort| DeviceFilter { sort, ..DeviceFilter::default() };
    assert_eq!(found(by(DeviceSort::Address)).await, ["192.0.2.4", "192.0.2.30", "192.0.2.100"]);
    assert_eq!(found(DeviceFilter { descending: true, ..by(DeviceSort::Address) }).await[0], "192.0.2.100");
    for sort in DeviceSort::ALL {
        assert_eq!(found(by(sort)).await.len(), 3, "{sort:?}");
    }
    assert_eq!(found(text("192.0.2.30")).await, ["192.0.2.30"]);
    assert_eq!(found(text("192.0.2.0/27")).await, ["192.0.2.30", "192.0.2.4"]);
    assert_eq!(found(text("192.0.2.")).await.len(), 3);
    assert_eq!(found(text("00-00-5E-00-00-01")).await, ["192.0.2.4"]);
    assert_eq!(found(text("00:00:5e")).await.len(), 3);
    assert_eq!(found(text("100%")).await, Vec::<String>::new());
    let id = site.devices(text("192.0.2.4")).await[0].id;
    let edit = DeviceEdit {
        name: Some(Some("Printer_1".into())),
        kind: Some(Some("printer".into())),
        owner: Some("Gebäude Ost, Ä".into()),
        tags: Some(vec!["floor-2".into()]),
        ..DeviceEdit::default()
    };
    let changed = store.change_device(id, edit, "user admin", at(5)).await.unwrap().unwrap();
    assert_eq!((changed.device.label.as_str(), changed.device.type_is_set), ("Printer_1", true));
    for filter in [
        text("printer_"),
        DeviceFilter { kind: Some("printer".into()), ..DeviceFilter::default() },
        DeviceFilter { owner: Some("gebäude OST, Ä".into()), ..DeviceFilter::default() },
        DeviceFilter { tag: Some("Floor-2".into()), ..DeviceFilter::default() },
    ] {
        assert_eq!(found(filter).await, ["Printer_1"]);
    }
    let fields: Vec<String> =
        store.device_history(id, None, 10).await.unwrap().into_iter().map(|change| change.field).collect();
    assert_eq!(fields.len(), 4, "{fields:?}");
    let page = DeviceFilter { limit: 2, offset: 2, ..DeviceFilter::default() };
    let (rows, total) = store.devices(&page, at(site.now)).await.unwrap();
    assert_eq!((rows.len(), total), (1, 3));
}

pub(crate) async fn devices_are_merged_and_split(store: &Store) {
    let mut site = Site::new(store, "Office").await;
    site.sweep(&[(mac(1), "192.0.2.1"), (mac(2), "192.0.2.2")]).await;
    let devices = site.devices(DeviceFilter::default()).await;
    let (one, two) = (devices[0].id, devices[1].id);
    let missing = store.merge_devices(one, vec![Uuid::nil()], "user admin", at(5)).await;
    assert!(missing.unwrap_err().is_conflict());
    let merged = store.merge_devices(one, vec![two], "user admin", at(5)).await.unwrap().unwrap();
    assert_eq!((merged.interfaces.len(), merged.device.macs.len()), (2, 2));
    assert!(store.device(two, at(6)).await.unwrap().is_none());
    let events = EventFilter { device: Some(one), limit: 10, ..EventFilter::default() };
    assert_eq!(store.events(&events).await.unwrap().len(), 2, "the history of both is its");
    // One of two interfaces going is no outage of the device.
    assert_eq!(site.sweep(&[(mac(1), "192.0.2.1")]).await, 0);
    assert_eq!(site.sweep(&[(mac(1), "192.0.2.1")]).await, 0);
    let interface = merged.interfaces.iter().find(|one| one.mac == Some(mac(2))).unwrap().id;
    let all: Vec<Uuid> = merged.interfaces.iter().map(|one| one.id).collect();
    assert!(store.split_device(one, all, "user admin", at(7)).await.unwrap_err().is_conflict());
    let split = store.split_device(one, vec![interface], "user admin", at(7)).await.unwrap().unwrap();
    assert_eq!((split.device.macs.clone(), split.device.id != one), (vec![mac(2)], true));
    assert!(split.device.label.starts_with("192.0.2."), "by what it is known: {}", split.device.label);
    assert!(store.remove_device(split.device.id).await.unwrap());
    assert_eq!(site.devices(DeviceFilter::default()).await.len(), 1);
}

fn draft(action: AccessAction, pattern: &str, networks: &[Uuid]) -> AccessDraft {
    AccessDraft {
        action,
        pattern: pattern.parse().unwrap(),
        note: String::new(),
        networks: networks.to_vec(),
        expires_at: None,
    }
}

pub(crate) async fn the_list_never_contradicts_itself(store: &Store) {
    let (office, home) = (Site::new(store, "Office").await, Site::new(store, "Home").await);
    let add = async |draft: AccessDraft| {
        store.add_access(vec![draft], "user admin", at(1)).await.unwrap().remove(0)
    };
    let (allow, deny) = (AccessAction::Allow, AccessAction::Deny);
    let one = "00:00:5e:00:53:01";
    let Entered::Added(first) = add(draft(allow, one, &[office.network])).await else { panic!("it is new") };
    assert!(
        matches!(add(draft(allow, "0000.5e00.5301", &[office.network])).await, Entered::Known(other) if other.id == first.id)
    );
    assert!(
        matches!(add(draft(deny, one, &[office.network, home.network])).await, Entered::Refused(other) if other.id == first.id)
    );
    assert!(matches!(add(draft(deny, one, &[])).await, Entered::Refused(_)), "everywhere is there, too");
    assert!(
        matches!(add(draft(deny, one, &[home.network])).await, Entered::Added(_)),
        "elsewhere it may be denied"
    );
    assert!(
        matches!(add(draft(deny, "00:00:5e", &[])).await, Entered::Added(_)),
        "a vendor is not this address"
    );
    let nowhere = store.add_access(vec![draft(allow, "00:00:5f:00:00:01", &[Uuid::nil()])], "x", at(1)).await;
    assert!(nowhere.unwrap_err().to_string().starts_with("there is no network"));
    let wider = store.change_access(first.clone(), draft(allow, one, &[]), at(2)).await.unwrap().unwrap();
    assert!(matches!(wider, Entered::Refused(other) if other.action == deny));
    let (entries, total) =
        store.access_list(&AccessFilter { limit: 2, ..AccessFilter::default() }).await.unwrap();
    assert_eq!((entries.len(), total), (2, 3));
    let noted = |note: &str| AccessDraft { note: note.into(), ..draft(allow, one, &[office.network]) };
    let changed = store.change_access(first.clone(), noted("Anna"), at(2)).await.unwrap().unwrap();
    assert!(matches!(changed, Entered::Added(entry) if entry.note == "Anna"));
    let late = store.change_access(first.clone(), noted("Bo"), at(2)).await.unwrap_err();
    assert!(late.to_string().starts_with("somebody has changed it meanwhile"), "{late}");
    let there = AccessFilter { network: Some(office.network), ..AccessFilter::default() };
    assert_eq!(store.access_list(&there).await.unwrap().0.len(), 2);
    let begins = AccessFilter { pattern: Some("00:00:5e:00".parse().unwrap()), ..AccessFilter::default() };
    assert_eq!(store.access_list(&begins).await.unwrap().0.len(), 2);
    assert!(store.remove_access(first.id, at(3)).await.unwrap().is_some());
    assert!(store.remove_access(first.id, at(3)).await.unwrap().is_none());
}

pub(crate) async fn the_list_decides_at_once_and_until_it_expires(store: &Store) {
    let mut site = Site::new(store, "Office").await;
    site.sweep(&[(mac(1), "192.0.2.1"), (mac(2), "192.0.2.2")]).await;
    let accesses = async || -> BTreeMap<Mac, Access> {
        site.devices(DeviceFilter::default())
            .await
            .iter()
            .map(|device| (device.macs[0], device.access))
            .collect()
    };
    let until =
        AccessDraft { expires_at: Some(at(1000)), ..draft(AccessAction::Allow, &mac(1).to_string(), &[]) };
    let deny = draft(AccessAction::Deny, &mac(2).to_string(), &[site.network]);
    store.add_access(vec![until, deny], "user admin", at(500)).await.unwrap();
    assert_eq!(accesses().await, [(mac(1), Access::Known), (mac(2), Access::Denied)].into());
    let denied = DeviceFilter { access: Some(Access::Denied), ..DeviceFilter::default() };
    assert_eq!(site.devices(denied).await.len(), 1);
    store.expire_access(at(900), at(999)).await.unwrap();
    assert_eq!(accesses().await[&mac(1)], Access::Known);
    store.expire_access(at(990), at(1001)).await.unwrap();
    assert_eq!(accesses().await[&mac(1)], Access::Unknown);
}

pub(crate) async fn a_network_goes_with_or_without_its_history(store: &Store) {
    let (mut office, mut home) = (Site::new(store, "Office").await, Site::new(store, "Home").await);
    office.sweep(&[(mac(1), "192.0.2.1"), (mac(2), "192.0.2.2")]).await;
    home.sweep(&[(mac(2), "192.0.2.2"), (mac(3), "192.0.2.3")]).await;
    store
        .add_access(vec![draft(AccessAction::Allow, "00:00:5e:00:53:01", &[office.network])], "x", at(1))
        .await
        .unwrap();
    let leavings = store.network_leavings(office.network).await.unwrap().unwrap();
    assert_eq!(
        (leavings.devices, leavings.sightings, leavings.sweeps, leavings.access_entries),
        (1, 2, 1, 1)
    );
    let (changed, gone) =
        store.remove_network(office.network, false, "user admin", at(2)).await.unwrap().unwrap();
    assert_eq!((changed.holder, gone), (Some(office.worker.0), leavings));
    assert!(store.network(office.network, at(3)).await.unwrap().is_none());
    assert_eq!(home.devices(DeviceFilter::default()).await.len(), 2);
    assert!(store.access_list(&AccessFilter::default()).await.unwrap().0.is_empty());
    let events = EventFilter { network: Some(office.network), limit: 10, ..EventFilter::default() };
    // Whatever ended the server here, what is left is found again.
    assert!(!store.events(&events).await.unwrap().is_empty());
    assert!(store.network_names().await.unwrap().contains_key(&office.network));
    assert_eq!(store.forget_networks().await.unwrap(), 1);
    assert!(store.events(&events).await.unwrap().is_empty());
    assert!(!store.network_names().await.unwrap().contains_key(&office.network));
    assert_eq!(store.forget_networks().await.unwrap(), 0);

    let device = home.devices(text("192.0.2.3")).await[0].id;
    store.remove_network(home.network, true, "user admin", at(4)).await.unwrap().unwrap();
    assert_eq!(store.forget_networks().await.unwrap(), 0, "what is kept stays");
    assert!(store.networks(at(5)).await.unwrap().is_empty());
    assert!(home.devices(DeviceFilter::default()).await.is_empty());
    let kept = store.device(device, at(5)).await.unwrap().unwrap();
    assert_eq!((kept.device.presence, kept.interfaces[0].network.as_str()), (Presence::Unknown, "Home"));
    // Its name is free again.
    store.add_network(settings("Home"), false, "user admin", at(6)).await.unwrap();
}

pub(crate) async fn old_sightings_are_forgotten(store: &Store) {
    let mut site = Site::new(store, "Office").await;
    site.sweep(&[(mac(1), "192.0.2.1"), (mac(2), "192.0.2.2")]).await;
    for _ in 0..3 {
        site.sweep(&[(mac(1), "192.0.2.9")]).await;
    }
    let before = store.network_leavings(site.network).await.unwrap().unwrap();
    assert_eq!((before.sweeps, before.sessions), (4, 2));
    assert!(store.forget_sightings(at(10 + 2 * EVERY)).await.unwrap() > 0);
    let after = store.network_leavings(site.network).await.unwrap().unwrap();
    assert_eq!((after.sweeps, after.sessions), (2, 1), "what has not ended stays");
    assert_eq!(site.devices(DeviceFilter::default()).await.len(), 2);
}

pub(crate) async fn what_is_told_late_stands_where_it_happened(store: &Store) {
    let mut site = Site::new(store, "Office").await;
    site.sweep(&[(mac(1), "192.0.2.1")]).await;
    // While the worker is cut off, something else happens and is told at once.
    let between = at(site.now + 1);
    store.tell(Severity::Info, "elsewhere", "something else".into(), at(site.now + 5 * EVERY)).await.unwrap();
    store.tell(Severity::Info, "between", "something between".into(), between).await.unwrap();
    for names in ["one", "two", "three"] {
        let name = Name { source: NameSource::Dhcp, text: names.into(), at: None };
        let seen = vec![Sighting { names: vec![name], ..sighting(mac(2), "192.0.2.2", site.now - 1) }];
        let report = site.part(Uuid::now_v7(), (1, 1), seen);
        site.say(&report).await;
        site.now += EVERY;
    }
    let latest = store.latest_event().await.unwrap();
    let mut filter = EventFilter { limit: 2, ..EventFilter::default() };
    let (mut kinds, mut times) = (Vec::new(), Vec::new());
    loop {
        let page = store.events(&filter).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
        times.extend(page.iter().map(|event| event.at));
        kinds.extend(page.into_iter().map(|event| (event.kind, Some(event.id) == latest)));
    }
    assert!(times.is_sorted_by(|later, earlier| later >= earlier), "{times:?}");
    let shown: Vec<&str> = kinds.iter().map(|(kind, _)| kind.as_str()).collect();
    let expected = [
        "elsewhere",
        "device_down",
        "between",
        "device_new",
        "device_new",
        "network_started",
        "worker_online",
    ];
    assert_eq!(shown, expected, "each once");
    assert!(kinds[1].1, "the one that came last is not the one that happened last");
    // An event that was forgotten tells by its id where it came.
    let came = uuid::Timestamp::from_unix(uuid::NoContext, between.as_second().unsigned_abs(), 0);
    filter.before = Some(Uuid::new_v7(came));
    let rest = store.events(&filter).await.unwrap();
    assert_eq!(rest.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), ["between", "device_new"]);

    let device =
        &site.devices(DeviceFilter { text: Some("three".into()), ..DeviceFilter::default() }).await[0];
    let first = store.device_history(device.id, None, 1).await.unwrap();
    let rest = store.device_history(device.id, Some(first[0].id), 10).await.unwrap();
    let new: Vec<_> = first.iter().chain(&rest).map(|change| change.new.as_deref().unwrap()).collect();
    assert_eq!(new, ["three", "two"]);
}

pub(crate) async fn events_are_narrowed_counted_and_acknowledged(store: &Store) {
    let mut site = Site::new(store, "Office").await;
    site.sweep(&[(mac(1), "192.0.2.1"), (mac(2), "192.0.2.2")]).await;
    let of = |kind: &str| EventFilter { kinds: vec![kind.into()], limit: 10, ..EventFilter::default() };
    let new = store.events(&of("device_new")).await.unwrap();
    assert_eq!((new.len(), new[0].network.as_deref(), new[0].at), (2, Some("Office"), at(9)));
    let with = EventFilter { text: Some("192.0.2.1 (".into()), limit: 10, ..EventFilter::default() };
    assert_eq!(store.events(&with).await.unwrap().len(), 1);
    assert_eq!(
        store.acknowledge_events(vec![new[0].id], Some("user admin".into()), at(20)).await.unwrap(),
        1
    );
    assert_eq!(store.acknowledge_events(vec![new[0].id], Some("user eve".into()), at(21)).await.unwrap(), 0);
    let open = EventFilter { acknowledged: Some(false), ..of("device_new") };
    assert_eq!(store.events(&open).await.unwrap().len(), 1);
    let seen = store.event(new[0].id).await.unwrap().unwrap();
    assert_eq!((seen.acknowledged_by.as_deref(), seen.acknowledged_at), (Some("user admin"), Some(at(20))));
    let came = async |after| {
        let came = EventFilter { came_after: Some(after), ..of("device_new") };
        store.events(&came).await.unwrap().len()
    };
    // What happened long ago has come just now.
    assert_eq!(came(new[0].id).await, 2);
    let later = Timestamp::now() + CLOCKS_APART + CLOCKS_APART;
    let later = u64::try_from(later.as_millisecond()).unwrap();
    assert_eq!(came(uuid::Builder::from_unix_timestamp_millis(later, &[0; 10]).into_uuid()).await, 0);
    let all = (Timestamp::UNIX_EPOCH, at(1_000_000));
    let counts = store.count_events(all.0, all.1, Some(site.network)).await.unwrap();
    let office = Some(site.network);
    assert_eq!(counts.networks, [(office, Severity::Info, 1), (office, Severity::Warning, 2)]);
    // All happened in the first quarter.
    assert_eq!(counts.quarters, [(at(0), Severity::Info, 1), (at(0), Severity::Warning, 2)]);
    let busiest = store.busiest_devices(all.0, all.1, &[], Some(site.network), 10).await.unwrap();
    assert_eq!((busiest.len(), busiest[0].number), (2, 1));
    assert!(store.busiest_devices(all.0, all.1, &["device_down"], None, 10).await.unwrap().is_empty());
    let elsewhere = Some(Uuid::now_v7());
    assert!(store.busiest_devices(all.0, all.1, &[], elsewhere, 10).await.unwrap().is_empty());
    let [types, _] = store.tally_devices().await.unwrap();
    assert_eq!(types, [(String::new(), 2)].into());
    assert_eq!(store.newcomers(all.0, all.1).await.unwrap().iter().map(|(_, number)| number).sum::<u64>(), 2);
}

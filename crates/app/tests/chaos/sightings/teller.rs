//! A worker that tells what it was told to have seen.

use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use netwark_bus::websocket::{WebSocketBus, WebSocketOptions};
use netwark_bus::{Consumer, LinkState, WorkerBus};
use netwark_model::assignments::{Assignment, StreamReport};
use netwark_model::mac::Mac;
use netwark_model::messages::{Alive, Hello, News, Order, Report, control, mark};
use netwark_model::watch::report::{HeardReport, SweepReport, WatchReport};
use netwark_model::watch::sighting::{Name, NameSource, Sighting, Source};
use uuid::Uuid;

/// Devices that every sweep sees.
pub(crate) const STATIONS: u32 = 249;
/// A worker that is not answered sends again after this.
const PATIENCE: Duration = Duration::from_secs(5);

/// The name of a device in one round.
pub(crate) fn marker(network: u32, round: u64) -> String {
    format!("marker-{network}-of-{round}-")
}

pub(crate) struct Teller {
    id: Uuid,
    name: String,
    number: u32,
    bus: WebSocketBus,
    orders: Box<dyn Consumer>,
    said: u32,
    revision: u64,
    held: Option<Assignment>,
    sequence: u64,
    again: u64,
}

impl Teller {
    /// Links a worker and says hello.
    pub(crate) async fn enter(server: &str, token: &str, name: &str, number: u32) -> Self {
        let id = token.strip_prefix("nww_").and_then(|rest| rest.split('_').next()?.parse().ok()).unwrap();
        let bus = WebSocketBus::connect(&WebSocketOptions::new(server, token, "0.0.0")).unwrap();
        let orders = bus.listen(vec![control(id)], 16);
        let name = name.to_owned();
        let (said, revision, held, sequence, again) = (0, 0, None, 0, 0);
        let mut teller = Self { id, name, number, bus, orders, said, revision, held, sequence, again };
        teller.hello().await;
        teller
    }

    async fn hello(&mut self) {
        let hello = Hello { name: self.name.clone(), revision: self.revision, ..Hello::default() };
        self.say(News::Hello(Box::new(hello))).await;
        self.order_that(|order| matches!(order, Order::Welcome(_)).then_some(())).await;
    }

    async fn order_that<T>(&mut self, mut is: impl FnMut(&Order) -> Option<T>) -> T {
        loop {
            let incoming = self.orders.next().await.unwrap();
            let found = is(&incoming.delivery.order);
            incoming.acknowledge();
            if let Some(found) = found {
                return found;
            }
        }
    }

    /// Waits for its order.
    pub(crate) async fn assigned(&mut self) {
        let held = |order: &Order| match order {
            Order::Assign(change) => change.held.first().cloned().map(|held| (change.revision, held)),
            _ => None,
        };
        let (revision, order) = self.order_that(held).await;
        self.revision = revision;
        self.held = Some(order);
        self.say(News::Assigned { revision }).await;
    }

    /// Says something until it is safe.
    async fn say(&mut self, news: News) {
        self.said += 1;
        let report = Report::new(self.id, mark(1, self.said), news);
        let mut state = self.bus.state();
        loop {
            state.wait_for(|state| *state == LinkState::Up).await.unwrap();
            match tokio::time::timeout(PATIENCE, self.bus.report(report.clone())).await {
                Ok(Ok(())) => return,
                Ok(Err(error)) if !error.is_temporary() => panic!("{error}"),
                Ok(Err(_)) | Err(_) => {
                    self.again += 1;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Tells of a sweep and of somebody who spoke, every second; returns how many reports were sent again.
    pub(crate) async fn tell(mut self, rounds: u64) -> u64 {
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        for round in 1..=rounds {
            tick.tick().await;
            // Also where rounds take several seconds this comes before the server thinks that it is gone.
            if round % 5 == 0 {
                self.say(News::Alive(Alive { revision: self.revision, ..Alive::default() })).await;
            }
            let sweep = self.sweep(round);
            self.stream(&sweep).await;
            let heard = vec![self.sighting(STATIONS + u32::try_from(round).unwrap(), None)];
            self.stream(&WatchReport::Heard(HeardReport { sightings: heard, facts: Vec::new() })).await;
        }
        self.again
    }

    async fn stream(&mut self, report: &WatchReport) {
        self.sequence += 1;
        let order = self.held.as_ref().unwrap();
        let report = StreamReport {
            stream: order.id,
            epoch: order.epoch,
            sequence: self.sequence,
            at_ms: Timestamp::now().as_millisecond(),
            body: serde_json::to_value(report).unwrap(),
        };
        self.say(News::Stream(report)).await;
    }

    fn sweep(&self, round: u64) -> WatchReport {
        let now = Timestamp::now();
        let name = |station| (station == 0).then(|| marker(self.number, round));
        WatchReport::Sweep(Box::new(SweepReport {
            sweep: Uuid::now_v7(),
            started_at: now - SignedDuration::from_millis(100),
            ended_at: now,
            complete: true,
            part: 1,
            parts: 1,
            probed: 254,
            rechecked: 0,
            sightings: (0..STATIONS).map(|station| self.sighting(station, name(station))).collect(),
            facts: Vec::new(),
            error: None,
            link: None,
        }))
    }

    fn sighting(&self, station: u32, name: Option<String>) -> Sighting {
        let [_, b, c, d] = station.to_be_bytes();
        // Those who are heard of have addresses of a wider prefix.
        let address = 0x0a00_0001 + self.number * 256 + station % 254 + (station / 254) * 0x1_0000;
        Sighting {
            at: Timestamp::now(),
            address: Some(Ipv4Addr::from_bits(address).into()),
            mac: Some(Mac::new([0, 0x1b, u8::try_from(self.number).unwrap(), b, c, d])),
            source: Source::Arp,
            rtt_us: Some(300),
            vlan: None,
            router: false,
            names: name.map(|text| Name { source: NameSource::Dhcp, text, at: None }).into_iter().collect(),
        }
    }
}

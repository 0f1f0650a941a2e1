//! Who is there beyond the link, or where no frames can be sent: by ping, by TCP, and by what the kernel knows.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use netwark_model::tools::sweep::{PORT_WITHIN_MS, USUAL_PORTS};
use netwark_model::watch::sighting::Source;

use super::link::frames::AROUND_A_FRAME;
use crate::dial::{self, Fate};
use crate::engine::{Engine, EngineError, Pacer, Traffic};
use crate::sweep_ping::{Fate as PingFate, SweepPing, SweepPingOptions};

/// Addresses that are pinged in one task.
const AT_ONCE: usize = 65_536;
/// Replies from elsewhere are waited for at least so long.
const LEAST_WAIT: Duration = Duration::from_secs(1);
/// Addresses that are tried by TCP at the same time.
const TRIED: usize = 48;
/// More silent addresses than this are not tried by TCP.
pub(super) const MOST_TRIED: usize = 4_096;

/// An address that answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Answered {
    pub(super) source: Source,
    pub(super) rtt: Option<Duration>,
}

/// Who answered.
pub(super) type Answers = BTreeMap<IpAddr, Answered>;

/// What a ping takes on the wire of an Ethernet, in bytes.
pub(super) fn on_wire(v6: bool) -> u64 {
    let headers = 14 + if v6 { 40 } else { 20 } + 8;
    headers + u64::from(SweepPingOptions::default().payload) + AROUND_A_FRAME
}

/// Pings addresses, the silent ones again; `rate` is requests a second. `on_round` hears how many were asked the first
/// time and who has answered.
///
/// # Errors
/// When the engine has failed.
pub(super) async fn ping(
    engine: &Engine,
    targets: &[IpAddr],
    rate: u32,
    tries: u8,
    wait: Duration,
    mut on_round: impl FnMut(usize, &Answers),
) -> Result<Answers, EngineError> {
    let mut answers = Answers::new();
    let mut silent: Vec<IpAddr> = targets.to_vec();
    for round in 0..tries {
        let mut still = Vec::new();
        let mut asked = 0;
        for chunk in silent.chunks(AT_ONCE) {
            let interval = Duration::from_secs_f64(chunk.len() as f64 / f64::from(rate.max(1)));
            let options = SweepPingOptions {
                rounds: 1,
                interval,
                spread: true,
                timeout: wait.max(LEAST_WAIT),
                ..SweepPingOptions::default()
            };
            let outcome = engine.run(SweepPing::new(chunk.to_vec(), options), None).finished().await?;
            for (at, address) in chunk.iter().enumerate() {
                match outcome.fate(at, 0) {
                    Some(PingFate::Reply(rtt)) => {
                        answers.insert(*address, Answered { source: Source::Icmp, rtt: Some(rtt) });
                    }
                    _ => still.push(*address),
                }
            }
            asked += chunk.len();
            on_round(if round == 0 { asked } else { targets.len() }, &answers);
        }
        silent = still;
        if silent.is_empty() {
            break;
        }
    }
    Ok(answers)
}

/// Tries some usual ports of addresses: whoever accepts or refuses is there. `rate` is packets a second, which those of
/// the connections take turns for.
pub(super) async fn connect(targets: Vec<IpAddr>, rate: u32, engine: &Engine) -> Answers {
    let traffic = engine.traffic();
    let pacers = [Pacer::at_rate(rate), engine.pacer()];
    let (traffic, pacers) = (&*traffic, &pacers);
    let tries = targets
        .into_iter()
        .map(|address| async move { Some((address, try_ports(address, pacers, traffic).await?)) });
    stream::iter(tries).buffer_unordered(TRIED).filter_map(|found| async move { found }).collect().await
}

async fn try_ports(address: IpAddr, pacers: &[Pacer], traffic: &Traffic) -> Option<Answered> {
    let within = Duration::from_millis(PORT_WITHIN_MS);
    let segment = if address.is_ipv4() { dial::SEGMENT_V4 } else { dial::SEGMENT_V6 };
    let tried = |port: u16| async move {
        for pacer in pacers {
            pacer.turn(address, 1).await;
        }
        traffic.add_sent(segment);
        dial::connected(SocketAddr::new(address, port), None, within).await
    };
    let mut fates = stream::FuturesUnordered::from_iter(USUAL_PORTS.map(tried));
    while let Some(fate) = fates.next().await {
        let rtt = match fate {
            Fate::Connected { took, .. } | Fate::Refused { took } => Some(took),
            // The host itself says that it does not take the connection.
            Fate::Filtered { took, from: Some(from), .. } if from == address => Some(took),
            _ => None,
        };
        if rtt.is_some() {
            traffic.add_received(segment);
            return Some(Answered { source: Source::Tcp, rtt });
        }
    }
    None
}

//! Whatever happens, in whatever order, a decider neither panics nor contradicts itself.

use std::net::IpAddr;
use std::time::Duration;

use netwark_model::tools::mtr::{Label, MtrOptions, Protocol};
use netwark_model::tools::ping::PingOptions;
use netwark_probe::decide::{Answer, AnswerKind, Decider, Event, Network, Probe, Time, Unreachable};
use netwark_probe::ping::PingDecider;
use netwark_probe::report;
use netwark_probe::trace::TraceDecider;
use proptest::prelude::*;

const TARGET: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9));

/// Keeps what was sent, so that events can be about it.
#[derive(Default)]
struct Recorder {
    keys: Vec<u64>,
}

impl Network for Recorder {
    fn send(&mut self, probe: Probe) {
        assert!(!self.keys.contains(&probe.key), "a key is used once");
        self.keys.push(probe.key);
    }

    fn wake_at(&mut self, _: Time) {}
}

/// An event in the making: what, about which probe, how much later, from whom.
type Draft = (u8, usize, u64, u8, u8);

fn kind(number: u8) -> AnswerKind {
    match number % 12 {
        0 => AnswerKind::EchoReply,
        1 => AnswerKind::SynAck,
        2 => AnswerKind::Reset,
        3 => AnswerKind::Datagram,
        4..=8 => AnswerKind::TimeExceeded,
        9 => AnswerKind::Unreachable(Unreachable::Port),
        10 => AnswerKind::Unreachable(Unreachable::Other(number)),
        _ => AnswerKind::TooBig { mtu: number.into() },
    }
}

fn event(recorder: &Recorder, now: Time, (what, which, later, from, flags): Draft) -> Event {
    let known = which.checked_rem(recorder.keys.len()).and_then(|index| recorder.keys.get(index));
    // Now and then an event about a probe that never was.
    let key = known.copied().filter(|_| flags != 255).unwrap_or(later);
    match what % 8 {
        0 => Event::Wake,
        1 => Event::Sent { key, at: now },
        2 => Event::Expired { key },
        3 if flags % 16 == 0 => Event::Unsent { key, reason: "network unreachable".into() },
        _ => Event::Answer(Answer {
            key,
            from: IpAddr::from([192, 0, 2, from % 12]),
            sent: Time(now.0.saturating_sub(later)),
            rtt: Duration::from_nanos(later),
            kernel: flags & 1 != 0,
            ttl: Some(flags),
            first: flags & 2 != 0,
            late: flags & 4 != 0,
            kind: kind(what / 8),
            labels: vec![Label { label: 16, tc: 0, bottom: true, ttl: from }; usize::from(flags & 8 != 0)],
        }),
    }
}

fn drive<D: Decider>(mut decider: D, drafts: &[Draft], check: impl Fn(&D::Output, bool)) {
    let mut recorder = Recorder::default();
    let mut now = Time(1_000_000_000);
    decider.on_event(now, Event::Start, &mut recorder);
    for (number, draft) in drafts.iter().enumerate() {
        if decider.is_done() {
            break;
        }
        now = now + Duration::from_nanos(draft.2 % 2_000_000_000);
        let event = event(&recorder, now, *draft);
        decider.on_event(now, event, &mut recorder);
        if number % 8 == 0 || decider.is_done() {
            check(&decider.output(), decider.is_done());
        }
    }
}

fn drafts() -> impl Strategy<Value = Vec<Draft>> {
    let later = prop_oneof![0..50_000_000u64, any::<u64>()];
    proptest::collection::vec((any::<u8>(), any::<usize>(), later, any::<u8>(), any::<u8>()), 0..300)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_ping_adds_up(drafts in drafts(), count in 1..40u32, interval_ms in 0..200u32) {
        let options = PingOptions { count, interval_ms, ..PingOptions::default() };
        drive(PingDecider::new(&options, TARGET, None), &drafts, |output, done| {
            let numbers = &output.statistics;
            let decided = numbers.received + numbers.late + numbers.errors;
            assert!(decided <= count && numbers.transmitted <= count);
            assert!((0.0..=100.0).contains(&numbers.loss), "{numbers:?}");
            assert_eq!(numbers.min.is_some(), numbers.received > 0);
            assert!(!done || output.replies.len() == count as usize);
            assert!(!output.verdict.summary.is_empty());
            report::ping_outcome("host", &options, vec![output.clone()]);
        });
    }

    #[test]
    fn a_trace_adds_up(
        drafts in drafts(),
        cycles in 0..20u32,
        flows in 0..4u8,
        (first_ttl, last_ttl) in (any::<u8>(), any::<u8>()),
        protocol in prop_oneof![Just(Protocol::Icmp), Just(Protocol::Udp), Just(Protocol::Tcp)],
        max_silent in any::<u8>(),
    ) {
        let options =
            MtrOptions { cycles, flows, first_ttl, last_ttl, protocol, max_silent, interval_ms: 50, ..MtrOptions::default() };
        drive(TraceDecider::new(&options, TARGET, None), &drafts, |output, done| {
            for hop in &output.hops {
                assert!(hop.received <= hop.sent, "{hop:?}");
                assert!((0.0..=100.0).contains(&hop.loss), "{hop:?}");
                assert_eq!(hop.rtt.is_some(), hop.received > 0, "{hop:?}");
                assert_eq!(hop.received, hop.responders.iter().map(|one| one.received).sum::<u32>());
            }
            assert!(output.hops.windows(2).all(|pair| pair[0].ttl + 1 == pair[1].ttl));
            assert!(done || output.end.is_none());
            assert!(output.cycles <= cycles.max(1));
            assert!(!output.verdict.summary.is_empty());
            report::mtr_outcome("worker", "host", "", &options, output.clone());
        });
    }
}

//! Links of which it is known who is there, who answers and when.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use netwark_model::watch::ranges::Ranges;

use super::*;
use crate::runner::unicast;

/// Milliseconds.
const MS: u64 = 1_000_000;

fn plan(targets: &str) -> LinkPlan {
    let ranges = Ranges::parse(targets).unwrap();
    LinkPlan {
        targets: Targets::new(ranges.spans()),
        everybody: Vec::new(),
        vast: ranges.vast(),
        known: Vec::new(),
        tries: 2,
        wait: Duration::from_millis(100),
        seed: 3,
        echo_id: 7,
        permit: Arc::new(unicast),
    }
}

fn mac(last: u8) -> Mac {
    Mac::new([0, 0, 0x5e, 0, 0x53, last])
}

/// Runs a sweep on a link where one question takes 10 µs; `answers` says what is heard how long after a question.
fn run(
    sweep: &mut LinkSweep,
    mut answers: impl FnMut(Question, u8) -> Vec<(Duration, Heard)>,
) -> (Vec<Question>, Time) {
    let mut now = Time(MS);
    let mut waiting: BTreeMap<(Time, usize), Heard> = BTreeMap::new();
    let mut asked = Vec::new();
    loop {
        while let Some(entry) = waiting.first_entry().filter(|entry| entry.key().0 <= now) {
            let at = entry.key().0;
            sweep.heard(at, entry.remove());
        }
        match sweep.next(now) {
            Next::Ask(question) => {
                let times = asked.iter().filter(|one| **one == question).count();
                for (after, heard) in answers(question, u8::try_from(times).unwrap()) {
                    waiting.insert((now + after, waiting.len() + asked.len()), heard);
                }
                asked.push(question);
                now = now + Duration::from_micros(10);
            }
            Next::Wait(until) => {
                assert!(until > now, "waiting for what has been");
                now = waiting.first_key_value().map_or(until, |((at, _), _)| until.min(*at).max(now));
            }
            Next::Done => return (asked, now),
        }
    }
}

fn claim(address: impl Into<IpAddr>, last: u8) -> Heard {
    Heard::Claim { address: address.into(), mac: mac(last), asked: true, router: false }
}

fn after(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn everybody_is_found_and_the_silent_are_asked_again() {
    let mut sweep = LinkSweep::new(plan("192.0.2.0/24"));
    let there = |address: Ipv4Addr| address.octets()[3].is_multiple_of(2);
    let (asked, _) = run(&mut sweep, |question, _| match question {
        Question::Arp(address) if there(address) => vec![(after(3), claim(address, address.octets()[3]))],
        _ => Vec::new(),
    });
    assert_eq!(sweep.found().len(), 127);
    assert!(sweep.found().values().all(|found| found.rtt == Some(after(3)) && found.source == Source::Arp));
    assert_eq!((asked.len(), sweep.probed()), (254 + 127, 254));
    let first: BTreeSet<_> = asked.iter().take(254).map(|question| format!("{question:?}")).collect();
    assert_eq!(first.len(), 254, "nobody is asked twice in a round");
}

#[test]
fn lost_answers_are_made_good_for_without_a_round_trip() {
    let mut sweep = LinkSweep::new(plan("192.0.2.0/28"));
    run(&mut sweep, |question, times| match question {
        Question::Arp(address) if times > 0 || address.octets()[3] > 3 => {
            vec![(after(1), claim(address, address.octets()[3]))]
        }
        _ => Vec::new(),
    });
    assert_eq!(sweep.found().len(), 14);
    let untimed = sweep.found().values().filter(|found| found.rtt.is_none()).count();
    assert_eq!(untimed, 3, "which question was answered is not known");
}

#[test]
fn who_is_found_late_says_that_others_are_missing_still() {
    let mut sweep = LinkSweep::new(plan("192.0.2.0/24"));
    let (asked, _) = run(&mut sweep, |question, times| match question {
        // Half of them answer at once, and a quarter, an eighth and so on with every further question.
        Question::Arp(address) if times >= 7 - u8::try_from(address.octets()[3].ilog2()).unwrap() => {
            vec![(after(1), claim(address, address.octets()[3]))]
        }
        _ => Vec::new(),
    });
    assert_eq!((sweep.found().len(), sweep.round), (254 - 3, 6), "all but those who want seven and more");
    assert_eq!(asked.len(), 254 + 127 + 63 + 31 + 15 + 7);
    assert_eq!(sweep.slowed(), 4, "slower where a round lost much, and not for what a faster one lost");
}

#[test]
fn a_few_that_come_late_do_not_make_it_slower() {
    let mut sweep = LinkSweep::new(plan("192.0.2.0/24"));
    run(&mut sweep, |question, times| match question {
        Question::Arp(address) if times > 0 || address.octets()[3] != 9 => {
            vec![(after(1), claim(address, address.octets()[3]))]
        }
        _ => Vec::new(),
    });
    assert_eq!((sweep.found().len(), sweep.slowed()), (254, 0));
}

#[test]
fn added_rounds_have_their_time() {
    let mut sweep = LinkSweep::new(LinkPlan { wait: Duration::from_secs(5), ..plan("192.0.2.0/28") });
    run(&mut sweep, |question, times| match question {
        Question::Arp(address) if times + 1 >= address.octets()[3] => vec![(after(1), claim(address, 1))],
        _ => Vec::new(),
    });
    assert_eq!(sweep.round, 2 + 2, "no more time than for the planned ones once again");
}

#[test]
fn it_ends_early_when_all_have_answered() {
    let mut sweep = LinkSweep::new(plan("192.0.2.0/28"));
    let (asked, end) = run(&mut sweep, |question, _| match question {
        Question::Arp(address) => vec![(after(1), claim(address, address.octets()[3]))],
        _ => Vec::new(),
    });
    assert_eq!(asked.len(), 14);
    assert!(end < Time(30 * MS), "{end:?}");
}

#[test]
fn two_who_answer_for_one_address_are_both_kept() {
    let mut sweep = LinkSweep::new(plan("192.0.2.1"));
    run(&mut sweep, |question, _| match question {
        Question::Arp(address) => {
            vec![(after(1), claim(address, 1)), (after(2), claim(address, 2)), (after(2), claim(address, 2))]
        }
        _ => Vec::new(),
    });
    let found = sweep.found().values().next().unwrap();
    assert_eq!((found.mac, found.others.as_slice()), (mac(1), [mac(2)].as_slice()));
}

#[test]
fn a_card_that_is_swapped_meanwhile_is_no_second_owner() {
    let own: Ipv6Addr = "fe80::1".parse().unwrap();
    let swept = |second: &[u8]| {
        let mut sweep = LinkSweep::new(LinkPlan { everybody: vec![own], ..plan("2001:db8::/64") });
        run(&mut sweep, |question, times| {
            let Question::Everybody(_) = question else { return Vec::new() };
            let answers = if times == 0 { &[1][..] } else { second };
            let answer = |last: &u8| {
                let address = "2001:db8::5".parse().unwrap();
                (after(u64::from(*last)), Heard::Echo { address, mac: mac(*last), id: 7 })
            };
            answers.iter().map(answer).collect()
        });
        let found = &sweep.found()[&"2001:db8::5".parse::<IpAddr>().unwrap()];
        (found.mac, found.others.clone())
    };
    assert_eq!(swept(&[2]), (mac(2), vec![]), "it has another card now");
    assert_eq!(swept(&[1, 2]), (mac(1), vec![mac(2)]), "somebody has come who has it, too");
    let address: Ipv6Addr = "2001:db8::5".parse().unwrap();
    let echo = |last| Heard::Echo { address, mac: mac(last), id: 7 };
    let said = |last, asked| Heard::Claim { address: address.into(), mac: mac(last), asked, router: false };
    let heard = |all: &[(u64, Heard)]| {
        let mut sweep = LinkSweep::new(LinkPlan { everybody: vec![own], ..plan("2001:db8::/64") });
        for (at, one) in all {
            while matches!(sweep.next(Time(at * MS)), Next::Ask(_)) {}
            sweep.heard(Time(at * MS), one.clone());
            while matches!(sweep.next(Time(at * MS)), Next::Ask(_)) {}
        }
        let found = &sweep.found()[&IpAddr::from(address)];
        (found.mac, found.others.clone())
    };
    let seen = heard(&[(1, echo(1)), (102, echo(2)), (150, echo(1))]);
    assert_eq!(seen, (mac(2), vec![mac(1)]), "the first one is there still");
    for by_itself in [said(1, false), said(1, true)] {
        let seen = heard(&[(1, echo(1)), (95, by_itself), (102, echo(2))]);
        assert_eq!(seen, (mac(2), vec![]), "the old card spoke just before");
    }
    assert_eq!(heard(&[(1, echo(1)), (3, echo(2))]), (mac(1), vec![mac(2)]), "both answer at once");
}

#[test]
fn what_may_not_be_touched_is_not_asked() {
    let permit =
        |address: IpAddr| if address == IpAddr::from([192, 0, 2, 2]) { Err("no".into()) } else { Ok(()) };
    let mut sweep = LinkSweep::new(LinkPlan { permit: Arc::new(permit), ..plan("192.0.2.1-192.0.2.3") });
    let (asked, _) = run(&mut sweep, |_, _| Vec::new());
    assert!(!asked.contains(&Question::Arp([192, 0, 2, 2].into())));
    assert_eq!((asked.len(), sweep.forbidden()), (4, (1, Some("no"))));
}

#[test]
fn what_was_not_asked_for_does_not_count() {
    let mut sweep = LinkSweep::new(plan("192.0.2.1"));
    run(&mut sweep, |_, _| {
        vec![
            (after(1), claim([192, 0, 2, 9], 9)),
            (after(1), claim("fe80::9".parse::<Ipv6Addr>().unwrap(), 9)),
        ]
    });
    assert!(sweep.found().is_empty());
}

#[test]
fn all_nodes_of_ipv6_are_asked_and_the_silent_guessed() {
    let own: Ipv6Addr = "fe80::1".parse().unwrap();
    let mut sweep = LinkSweep::new(LinkPlan { everybody: vec![own], ..plan("192.0.2.9, 2001:db8::/64") });
    let echo = |address: &str, id| Heard::Echo { address: address.parse().unwrap(), mac: mac(5), id };
    let silent: Ipv6Addr = "fe80::200:5eff:fe00:5309".parse().unwrap();
    let (asked, _) = run(&mut sweep, |question, _| match question {
        Question::Everybody(_) => {
            vec![
                (after(1), echo("fe80::5", 7)),
                (after(1), echo("2001:db8::5", 7)),
                (after(1), echo("fe80::6", 8)),
            ]
        }
        // Speaks IPv4, and IPv6 only when it is asked itself.
        Question::Arp(address) => vec![(after(1), claim(address, 9))],
        Question::Solicit(address) if address == silent => vec![(after(1), claim(address, 9))],
        Question::Solicit(_) => Vec::new(),
    });
    let mut found: Vec<_> = sweep.found().keys().map(ToString::to_string).collect();
    found.sort();
    assert_eq!(found, ["192.0.2.9", "2001:db8::5", "fe80::200:5eff:fe00:5309", "fe80::5"]);
    assert_eq!(asked.iter().filter(|question| matches!(question, Question::Everybody(_))).count(), 2);
}

#[test]
fn a_flood_of_claims_is_bounded() {
    let mut sweep =
        LinkSweep::new(LinkPlan { everybody: vec!["fe80::1".parse().unwrap()], ..plan("2001:db8::/64") });
    sweep.next(Time(MS));
    for at in 0..70_000_u32 {
        let address = Ipv6Addr::from_bits(0xfe80 << 112 | u128::from(at + 2));
        sweep.heard(Time(2 * MS), claim(address, 1));
    }
    assert_eq!(sweep.found().len(), MOST_V6);
    assert!(sweep.extra.len() <= MOST_V6);
}

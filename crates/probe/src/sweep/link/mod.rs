//! Who is there on a link: a state machine that asks by ARP and neighbour discovery.
//!
//! It is fed frames and the time and says what to ask next; it sees neither sockets nor clocks. Addresses are asked in an
//! order that nobody foresees, those without an answer again; IPv6 is asked as a whole by an echo to all nodes, since its
//! networks are too large to be asked one by one.
//!
//! A round that finds hosts says that the one before it lost questions or answers. The last round that was planned is then
//! followed by others, and where much was lost more slowly, since it is the hurry that loses.

pub(crate) mod carry;
pub(crate) mod frames;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::Ipv6Net;
use netwark_model::mac::Mac;
use netwark_model::watch::report::{Fact, MOST_FACTS};
use netwark_model::watch::sighting::Source;

use self::frames::{Heard, Question, modified_eui64};
use super::targets::{Shuffle, Targets};
use crate::decide::Time;
use crate::runner::Permit;

/// Addresses of IPv6 that are kept although nobody asked for each of them.
const MOST_V6: usize = 65_536;
/// Hardware addresses that are kept of one address, besides the first.
const MOST_OTHERS: usize = 7;
/// More addresses than this are asked without their round trips being measured: that is memory for each.
const MOST_TIMED: u64 = 1 << 20;
/// How long somebody else may still answer for an address when all have an answer.
const STRAGGLERS: Duration = Duration::from_millis(20);
/// Rounds that are added at most when some that were planned have lost something.
const MOST_ADDED: u8 = 4;
/// What all added rounds may take besides the time that the planned ones took.
const ADDED_AT_LEAST: Duration = Duration::from_secs(1);
/// A round that lost more than one of so many hosts asked too fast.
const TOO_FAST_OF: u64 = 20;
/// How often the pace is halved at once, and altogether at most.
const SLOWER: u8 = 2;
const SLOWEST: u8 = 6;
/// The round in which nothing was asked yet.
const NEVER: u32 = u32::MAX;

/// What is swept on one link.
pub(crate) struct LinkPlan {
    /// Addresses that are asked one by one.
    pub(crate) targets: Targets,
    /// Our own addresses of IPv6 from which everybody is asked; none when IPv6 is not swept as a whole.
    pub(crate) everybody: Vec<Ipv6Addr>,
    /// Prefixes of IPv6 in which who answers belongs to the sweep; link-local addresses always do when everybody is asked.
    pub(crate) vast: Vec<Ipv6Net>,
    /// Addresses of IPv6 that are asked although nobody has answered for them yet.
    pub(crate) known: Vec<Ipv6Addr>,
    /// How often an address is asked, when nothing was lost on the way.
    pub(crate) tries: u8,
    /// How long answers are waited for after each try.
    pub(crate) wait: Duration,
    /// What makes the order.
    pub(crate) seed: u64,
    /// The id of our echo requests.
    pub(crate) echo_id: u16,
    /// What may be touched.
    pub(crate) permit: Arc<Permit>,
}

/// An address that was found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    /// Who answered first, or has taken it over since.
    pub(crate) mac: Mac,
    /// Who else did.
    pub(crate) others: Vec<Mac>,
    /// Who had it before, and was not heard again since another has it.
    before: Vec<Mac>,
    /// When a question was last answered for it.
    answered: Option<Time>,
    pub(crate) source: Source,
    /// When it was heard first.
    pub(crate) at: Time,
    /// From the question to the answer, where there was one question only.
    pub(crate) rtt: Option<Duration>,
    pub(crate) router: bool,
}

impl Found {
    /// Somebody says again that the address is theirs, maybe in answer to what another has answered, too. Two that do so have
    /// it at once, and so have two of which the first is heard again after the second; a card that was swapped meanwhile
    /// is not.
    fn claimed(&mut self, mac: Mac, answered_too: bool) {
        if self.others.contains(&mac) {
            return;
        }
        if let Some(back) = self.before.iter().position(|before| *before == mac) {
            self.others.push(self.before.swap_remove(back));
        } else if self.mac != mac && self.others.len() + self.before.len() < MOST_OTHERS {
            if answered_too {
                self.others.push(mac);
            } else {
                self.before.push(std::mem::replace(&mut self.mac, mac));
                self.rtt = None;
            }
        }
    }
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Ask(Question),
    /// Nothing before this time, unless something is heard.
    Wait(Time),
    Done,
}

/// Sweeps one link.
pub(crate) struct LinkSweep {
    plan: LinkPlan,
    shuffle: Shuffle,
    round: u8,
    began: Time,
    /// Targets that were found before this round.
    found_before: u64,
    targets_found: u64,
    /// How often the pace is halved in this round, and was in the one before.
    slowed: u8,
    slowed_before: u8,
    /// How long the planned rounds took.
    planned: Option<Duration>,
    /// The next place in the order.
    place: u64,
    next_everybody: usize,
    /// Single addresses of IPv6 beside the targets, and which is next.
    extra: Vec<Ipv6Addr>,
    extra_known: HashSet<Ipv6Addr>,
    next_extra: usize,
    /// Until when answers to this round are waited for.
    resting: Option<Time>,
    done: bool,
    start: Option<Time>,
    last_heard: Time,
    /// Which targets have an answer, a bit each.
    answered: Vec<u64>,
    unanswered: u64,
    /// When each target was asked, in microseconds since the start; [`NEVER`] when not, or more than once.
    asked_at: Vec<u32>,
    everybody_at: Option<Time>,
    found: HashMap<IpAddr, Found>,
    v6_found: usize,
    facts: BTreeSet<Fact>,
    /// Targets that have been asked.
    probed: u64,
    /// Targets that may not be touched, and why the first of them.
    forbidden: u64,
    why_forbidden: Option<String>,
}

impl LinkSweep {
    pub(crate) fn new(plan: LinkPlan) -> Self {
        let count = plan.targets.len();
        let words = usize::try_from(count.div_ceil(64)).unwrap_or(0);
        let timed = usize::try_from(count).unwrap_or(0);
        let extra: Vec<_> = plan
            .known
            .iter()
            .copied()
            .filter(|known| plan.targets.number_of((*known).into()).is_none())
            .collect();
        Self {
            shuffle: Shuffle::new(count, plan.seed),
            round: 0,
            began: Time::default(),
            found_before: 0,
            targets_found: 0,
            slowed: 0,
            slowed_before: 0,
            planned: None,
            place: 0,
            next_everybody: 0,
            extra_known: extra.iter().copied().collect(),
            extra,
            next_extra: 0,
            resting: None,
            done: false,
            start: None,
            last_heard: Time::default(),
            answered: vec![0; words],
            unanswered: count,
            asked_at: if count <= MOST_TIMED { vec![NEVER; timed] } else { Vec::new() },
            everybody_at: None,
            found: HashMap::new(),
            v6_found: 0,
            facts: BTreeSet::new(),
            probed: 0,
            forbidden: 0,
            why_forbidden: None,
            plan,
        }
    }

    /// What to do now. A question that is given out counts as asked.
    pub(crate) fn next(&mut self, now: Time) -> Next {
        if self.start.is_none() {
            (self.start, self.began) = (Some(now), now);
        }
        loop {
            if self.done {
                return Next::Done;
            }
            if let Some(question) = self.single(now) {
                self.resting = self.resting.map(|rest| rest.max(now + self.plan.wait));
                return Next::Ask(question);
            }
            match self.resting {
                None => {
                    if let Some(question) = self.target(now) {
                        return Next::Ask(question);
                    }
                    self.resting = Some(now + self.plan.wait);
                }
                Some(rest) => {
                    let rest = if self.is_answered() { rest.min(self.last_heard + STRAGGLERS) } else { rest };
                    if now < rest {
                        return Next::Wait(rest);
                    }
                    self.end_round(now);
                }
            }
        }
    }

    /// Whether all that is asked for is there. Who else there may be of IPv6 is never known.
    fn is_answered(&self) -> bool {
        self.unanswered == 0 && self.plan.everybody.is_empty()
    }

    fn end_round(&mut self, now: Time) {
        let took = now - self.began;
        let late = self.targets_found - self.found_before;
        let lossy = self.round > 0 && late > 0;
        // What this round found is what the one before it lost, which a slower one may not have done.
        let too_fast = lossy && self.slowed == self.slowed_before && late * TOO_FAST_OF > self.targets_found;
        self.slowed_before = self.slowed;
        if too_fast {
            self.slowed = (self.slowed + SLOWER).min(SLOWEST);
        }
        self.round += 1;
        let asking = took.saturating_sub(self.plan.wait) * (1 << (self.slowed - self.slowed_before));
        let next = asking + self.plan.wait;
        let more = self.round < self.plan.tries.max(1) || lossy && self.may_add(now, next);
        self.done = !more || self.is_answered();
        (self.resting, self.began, self.found_before) = (None, now, self.targets_found);
        (self.place, self.next_everybody, self.next_extra) = (0, 0, 0);
    }

    /// Whether there is time for another round that was not planned.
    fn may_add(&mut self, now: Time, takes: Duration) -> bool {
        let since = self.start.map_or(Duration::ZERO, |start| now - start);
        let planned = *self.planned.get_or_insert(since);
        let limit = planned * 2 + ADDED_AT_LEAST;
        self.round < self.plan.tries.max(1) + MOST_ADDED && since + takes <= limit
    }

    /// How often the pace is to be halved.
    pub(crate) fn slowed(&self) -> u8 {
        self.slowed
    }

    /// What is asked besides the targets.
    fn single(&mut self, now: Time) -> Option<Question> {
        if let Some(from) = self.plan.everybody.get(self.next_everybody) {
            self.next_everybody += 1;
            self.everybody_at = Some(now);
            return Some(Question::Everybody(*from));
        }
        while let Some(extra) = self.extra.get(self.next_extra).copied() {
            self.next_extra += 1;
            if !self.found.contains_key(&extra.into()) && (self.plan.permit)(extra.into()).is_ok() {
                return Some(Question::Solicit(extra));
            }
        }
        None
    }

    /// The next target without an answer.
    fn target(&mut self, now: Time) -> Option<Question> {
        let count = self.plan.targets.len();
        while self.place < count {
            let number = self.shuffle.at(self.place);
            self.place += 1;
            if self.is_set(number) {
                continue;
            }
            let Some(address) = self.plan.targets.nth(number) else { continue };
            if let Err(why) = (self.plan.permit)(address) {
                // It counts as decided, so that nobody waits for it.
                self.set(number);
                self.forbidden += 1;
                self.why_forbidden.get_or_insert(why);
                continue;
            }
            self.note_asked(number, now);
            return Some(match address {
                IpAddr::V4(v4) => Question::Arp(v4),
                IpAddr::V6(v6) => Question::Solicit(v6),
            });
        }
        None
    }

    fn note_asked(&mut self, number: u64, now: Time) {
        self.probed += u64::from(self.round == 0);
        let since = self.start.map_or(Duration::ZERO, |start| now - start);
        let Some(at) = usize::try_from(number).ok().and_then(|at| self.asked_at.get_mut(at)) else { return };
        // An answer to one of two questions does not say which.
        *at = if self.round == 0 { u32::try_from(since.as_micros()).unwrap_or(NEVER) } else { NEVER };
    }

    fn is_set(&self, number: u64) -> bool {
        let word = usize::try_from(number / 64).ok().and_then(|at| self.answered.get(at));
        word.is_some_and(|word| word & 1 << (number % 64) != 0)
    }

    fn set(&mut self, number: u64) -> bool {
        let Some(word) = usize::try_from(number / 64).ok().and_then(|at| self.answered.get_mut(at)) else {
            return false;
        };
        let fresh = *word & 1 << (number % 64) == 0;
        *word |= 1 << (number % 64);
        self.unanswered -= u64::from(fresh);
        fresh
    }

    /// Takes what was heard at a time.
    pub(crate) fn heard(&mut self, at: Time, heard: Heard) {
        match heard {
            Heard::Claim { address, mac, asked, router } => {
                let source = match (address, asked) {
                    (IpAddr::V4(_), true) => Source::Arp,
                    (IpAddr::V4(_), false) => Source::ArpHeard,
                    (IpAddr::V6(_), true) => Source::Ndp,
                    (IpAddr::V6(_), false) => Source::NdpHeard,
                };
                self.take(at, address, mac, source, router);
            }
            Heard::Echo { address, mac, id } if id == self.plan.echo_id => {
                self.take(at, address.into(), mac, Source::Ndp, false);
            }
            Heard::Router { address, mac, fact } => {
                if self.facts.len() < MOST_FACTS {
                    self.facts.insert(fact);
                }
                self.take(at, address.into(), mac, Source::NdpHeard, true);
            }
            Heard::Echo { .. } | Heard::Spoke { .. } | Heard::Dhcp { .. } => {}
        }
    }

    fn take(&mut self, at: Time, address: IpAddr, mac: Mac, source: Source, router: bool) {
        let number = self.plan.targets.number_of(address);
        if number.is_none() && !self.belongs(address) {
            return;
        }
        let is_answer = matches!(source, Source::Arp | Source::Ndp);
        if let Some(found) = self.found.get_mut(&address) {
            found.router |= router;
            // The old one of two cards may have spoken by itself, or to the kernel, before everybody was asked.
            let everybody = self.everybody_at.filter(|_| number.is_none()).unwrap_or_default();
            let before =
                found.answered.filter(|before| *before >= everybody && at - *before <= self.plan.wait);
            found.claimed(mac, is_answer && before.is_some());
            found.answered = if is_answer { Some(at) } else { found.answered };
            return;
        }
        if number.is_none() {
            if self.v6_found >= MOST_V6 {
                return;
            }
            self.v6_found += 1;
        }
        let rtt = self.round_trip(at, number, source);
        if let Some(number) = number {
            self.set(number);
            self.targets_found += 1;
        }
        self.last_heard = at;
        let (others, before, answered) = (Vec::new(), Vec::new(), is_answer.then_some(at));
        self.found.insert(address, Found { mac, others, before, answered, source, at, rtt, router });
        self.guess(mac);
    }

    /// Whether an address that was not asked for belongs to the sweep.
    fn belongs(&self, address: IpAddr) -> bool {
        let IpAddr::V6(v6) = address else { return false };
        let everybody = !self.plan.everybody.is_empty() && v6.is_unicast_link_local();
        everybody || self.extra_known.contains(&v6) || self.plan.vast.iter().any(|vast| vast.contains(&v6))
    }

    fn round_trip(&self, at: Time, number: Option<u64>, source: Source) -> Option<Duration> {
        if !matches!(source, Source::Arp | Source::Ndp) {
            return None;
        }
        match number {
            Some(number) => {
                let asked = *self.asked_at.get(usize::try_from(number).ok()?)?;
                let asked =
                    self.start? + Duration::from_micros(u64::from((asked != NEVER).then_some(asked)?));
                (at >= asked).then(|| at - asked)
            }
            None if self.round == 0 => self.everybody_at.filter(|asked| *asked <= at).map(|asked| at - asked),
            None => None,
        }
    }

    /// A host that keeps silent when everybody is asked may have the addresses that its hardware address makes.
    fn guess(&mut self, mac: Mac) {
        if self.plan.everybody.is_empty() || self.extra.len() >= MOST_V6 {
            return;
        }
        let link_local: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 64);
        for prefix in [link_local].iter().chain(&self.plan.vast) {
            if let Some(guess) = modified_eui64(*prefix, mac)
                && !self.found.contains_key(&guess.into())
                && self.extra_known.insert(guess)
            {
                self.extra.push(guess);
            }
        }
    }

    /// What was found so far.
    pub(crate) fn found(&self) -> &HashMap<IpAddr, Found> {
        &self.found
    }

    pub(crate) fn facts(&self) -> &BTreeSet<Fact> {
        &self.facts
    }

    /// Targets that have been asked.
    pub(crate) fn probed(&self) -> u64 {
        self.probed
    }

    /// How many targets may not be touched, and why the first of them.
    pub(crate) fn forbidden(&self) -> (u64, Option<&str>) {
        (self.forbidden, self.why_forbidden.as_deref())
    }
}

#[cfg(test)]
mod tests;

//! The way of one flow: who stands at which distance, where it ends, how far it is worth asking.

use std::net::IpAddr;

/// Longest cycle of routers that is looked for.
const MAX_LOOP: usize = 10;

/// What an answer says about the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A router on the way.
    Router,
    /// The target.
    Target,
    /// The packet can go no further.
    Refused,
}

/// Why a way ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WayEnd {
    /// At the target.
    Target,
    /// Where a router refused to carry on.
    Refused,
    /// Where routers repeat themselves for the third time.
    Loop,
}

/// How far a flow may be asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// Nearest distance.
    pub(crate) first: u8,
    /// Farthest distance.
    pub(crate) last: u8,
    /// So many silent hops in a row end the way.
    pub(crate) max_silent: u8,
    /// How far beyond the farthest hop that answered it is asked while the end is not known.
    pub(crate) window: u8,
}

/// The way of one flow.
#[derive(Debug)]
pub(crate) struct Flow {
    reach: Reach,
    /// By distance, from `reach.first`.
    places: Vec<Place>,
    horizon: u8,
    end: Option<(u8, WayEnd)>,
    farthest_router: u8,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    seen: Option<(u32, IpAddr, Step)>,
    silent: bool,
}

impl Flow {
    /// A way of which nothing is known.
    pub(crate) fn new(reach: Reach) -> Self {
        let places = usize::from(reach.last.saturating_sub(reach.first)) + 1;
        let horizon = reach.first.saturating_add(reach.window.saturating_sub(1)).min(reach.last);
        Self { reach, places: vec![Place::default(); places], horizon, end: None, farthest_router: 0 }
    }

    /// The farthest distance worth asking.
    pub(crate) fn horizon(&self) -> u8 {
        self.horizon
    }

    /// Where and why the way ends, once that is known.
    pub(crate) fn end(&self) -> Option<(u8, WayEnd)> {
        self.end
    }

    /// True when a router was seen at or beyond this distance.
    pub(crate) fn was_longer(&self, ttl: u8) -> bool {
        self.farthest_router >= ttl
    }

    /// The farthest distance of the report: the end; one silent hop behind the last one that answered when the
    /// end is not known; what has been longer stays visible.
    pub(crate) fn shown(&self) -> u8 {
        let beyond = |ttl: u8| ttl.saturating_add(1).min(self.reach.last);
        match self.end {
            Some((end, WayEnd::Target | WayEnd::Refused)) if self.was_longer(end) => {
                beyond(self.farthest_router)
            }
            Some((end, _)) => end,
            None => self.farthest_answer().map_or(self.reach.first, beyond),
        }
    }

    /// The responder of each hop, nearest first, as far as the way is known.
    pub(crate) fn path(&self) -> Vec<Option<IpAddr>> {
        let last = self.end.map(|(end, _)| end).or(self.farthest_answer());
        let known = last.map_or(0, |last| self.index(last) + 1);
        self.places.iter().take(known).map(|place| place.seen.map(|(_, from, _)| from)).collect()
    }

    /// Takes an answer; one of an earlier cycle than is known already changes nothing.
    pub(crate) fn answer(&mut self, cycle: u32, ttl: u8, from: IpAddr, step: Step) {
        let index = self.index(ttl);
        let Some(place) = self.places.get_mut(index) else { return };
        if place.seen.is_some_and(|(known, _, _)| known > cycle) {
            return;
        }
        place.seen = Some((cycle, from, step));
        if step == Step::Router {
            self.farthest_router = self.farthest_router.max(ttl);
        }
        self.update();
    }

    /// Notes that a probe to this distance had no answer.
    pub(crate) fn silence(&mut self, ttl: u8) {
        let index = self.index(ttl);
        if let Some(place) = self.places.get_mut(index) {
            place.silent = true;
            self.update();
        }
    }

    /// True once it is known how far to ask.
    pub(crate) fn is_discovered(&self) -> bool {
        self.end.is_some()
            || self.falls_silent()
            || (self.horizon == self.reach.last && self.decided() == self.places.len())
    }

    /// The farthest distance that has answered.
    pub(crate) fn farthest_answer(&self) -> Option<u8> {
        self.places.iter().rposition(|place| place.seen.is_some()).map(|index| self.distance(index))
    }

    fn index(&self, ttl: u8) -> usize {
        usize::from(ttl.saturating_sub(self.reach.first))
    }

    fn distance(&self, index: usize) -> u8 {
        self.reach.first.saturating_add(u8::try_from(index).unwrap_or(u8::MAX))
    }

    /// How many places are answered or silent before the first that is neither.
    fn decided(&self) -> usize {
        let open = self.places.iter().position(|place| place.seen.is_none() && !place.silent);
        open.unwrap_or(self.places.len())
    }

    /// True when enough silent hops follow the last one that answered.
    fn falls_silent(&self) -> bool {
        let behind = self.farthest_answer().map_or(0, |ttl| self.index(ttl) + 1);
        let run = self.places.iter().skip(behind).take_while(|place| place.silent).count();
        run >= usize::from(self.reach.max_silent.max(1))
    }

    fn update(&mut self) {
        self.end = self.refusal().or_else(|| self.settled_loop());
        if let Some((end, why)) = self.end {
            self.horizon = end;
            if why == WayEnd::Loop {
                self.farthest_router = self.farthest_router.min(end);
            }
            let beyond = self.index(end) + 1;
            self.places.iter_mut().skip(beyond).for_each(|place| *place = Place::default());
            return;
        }
        let answered = self.farthest_answer().map_or(0, |ttl| self.index(ttl) + 1);
        if self.falls_silent() {
            self.horizon = self.limit(answered + usize::from(self.reach.max_silent.max(1)));
        } else if self.repetition().is_none() {
            // Silence moves the horizon only once all within it is decided.
            let decided = self.decided();
            let known = if decided > self.index(self.horizon) { answered.max(decided) } else { answered };
            self.horizon = self.horizon.max(self.limit(known + usize::from(self.reach.window)));
        }
    }

    /// The distance of the `count`th place, at most the last one.
    fn limit(&self, count: usize) -> u8 {
        self.distance(count.saturating_sub(1)).min(self.reach.last)
    }

    /// The nearest place that was the target or refused.
    fn refusal(&self) -> Option<(u8, WayEnd)> {
        self.places.iter().enumerate().find_map(|(index, place)| match place.seen?.2 {
            Step::Router => None,
            Step::Target => Some((self.distance(index), WayEnd::Target)),
            Step::Refused => Some((self.distance(index), WayEnd::Refused)),
        })
    }

    /// A loop ends the way only when nothing is under way that could still prove it is none:
    /// some networks answer with one address for many hops and carry the packet to its target all the same.
    fn settled_loop(&self) -> Option<(u8, WayEnd)> {
        let end = self.repetition()?;
        (self.decided() > self.index(self.horizon)).then_some((end, WayEnd::Loop))
    }

    /// Where the same router answers for the third time at equal distances (the fourth time when it follows itself).
    fn repetition(&self) -> Option<u8> {
        let router = |index: usize| match self.places.get(index)?.seen? {
            (_, from, Step::Router) => Some(from),
            _ => None,
        };
        let ends = (1..=MAX_LOOP).filter_map(|period| {
            let times = if period == 1 { 4 } else { 3 };
            (0..self.places.len()).find_map(|start| {
                let from = router(start)?;
                let again = (1..times).all(|time| router(start + time * period) == Some(from));
                let others = period == 1 || router(start + 1).is_some_and(|next| next != from);
                (again && others).then_some(start + (times - 1) * period)
            })
        });
        ends.min().map(|index| self.distance(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REACH: Reach = Reach { first: 1, last: 30, max_silent: 3, window: 6 };

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn routers(flow: &mut Flow, hops: &[u8]) {
        for (index, last) in hops.iter().enumerate() {
            flow.answer(0, index as u8 + 1, address(*last), Step::Router);
        }
    }

    #[test]
    fn the_horizon_runs_ahead_of_what_answers_and_stops_at_the_target() {
        let mut flow = Flow::new(REACH);
        assert_eq!(flow.horizon(), 6);
        routers(&mut flow, &[1, 2, 3]);
        assert_eq!(flow.horizon(), 9);
        flow.answer(0, 5, address(9), Step::Target);
        assert_eq!((flow.horizon(), flow.end(), flow.shown()), (5, Some((5, WayEnd::Target)), 5));
        // The nearer answer of the target came later.
        flow.answer(0, 4, address(9), Step::Target);
        assert_eq!((flow.horizon(), flow.shown()), (4, 4));
        assert_eq!(flow.path(), [1, 2, 3, 9].map(|last| Some(address(last))));
    }

    #[test]
    fn silent_hops_end_the_way_only_when_nothing_beyond_answers() {
        let mut flow = Flow::new(REACH);
        routers(&mut flow, &[1]);
        for ttl in 2..=4 {
            flow.silence(ttl);
        }
        assert!(flow.is_discovered());
        assert_eq!((flow.horizon(), flow.shown()), (4, 2));
        flow.answer(0, 7, address(7), Step::Router);
        assert!(!flow.is_discovered());
        assert_eq!(flow.horizon(), 13);
    }

    #[test]
    fn a_window_of_silence_does_not_stop_a_trace_that_may_go_on() {
        let mut flow = Flow::new(Reach { max_silent: 20, ..REACH });
        for ttl in 1..=6 {
            flow.silence(ttl);
        }
        assert_eq!(flow.horizon(), 12);
    }

    #[test]
    fn a_route_that_grows_longer_is_followed() {
        let mut flow = Flow::new(REACH);
        routers(&mut flow, &[1, 2]);
        flow.answer(0, 3, address(9), Step::Target);
        flow.answer(1, 3, address(3), Step::Router);
        assert_eq!((flow.end(), flow.horizon()), (None, 9));
        flow.answer(1, 4, address(9), Step::Target);
        assert_eq!(flow.end(), Some((4, WayEnd::Target)));
        // And back: what has been longer stays visible.
        flow.answer(2, 3, address(9), Step::Target);
        assert_eq!((flow.horizon(), flow.shown()), (3, 4));
        // A straggler of an earlier cycle does not undo what is newer.
        flow.answer(1, 3, address(3), Step::Router);
        assert_eq!(flow.end(), Some((3, WayEnd::Target)));
    }

    #[test]
    fn routers_that_repeat_themselves_are_a_loop() {
        let mut flow = Flow::new(REACH);
        routers(&mut flow, &[1, 2, 3, 2, 3, 2]);
        assert_eq!(flow.end(), None, "hops up to {} are still under way", flow.horizon());
        let horizon = flow.horizon();
        for ttl in 7..=horizon {
            flow.answer(0, ttl, address(if ttl % 2 == 0 { 2 } else { 3 }), Step::Router);
        }
        assert_eq!(flow.horizon(), 6, "no further than {horizon} and back to the third time");
        assert_eq!(flow.end(), Some((6, WayEnd::Loop)));
    }

    #[test]
    fn one_address_for_many_hops_is_no_loop_when_the_target_answers() {
        let mut flow = Flow::new(Reach { window: 24, ..REACH });
        routers(&mut flow, &[1, 5, 5, 5, 5, 5]);
        flow.answer(0, 7, address(9), Step::Target);
        assert_eq!(flow.end(), Some((7, WayEnd::Target)));
    }

    #[test]
    fn extreme_distances_do_not_overflow() {
        let mut flow = Flow::new(Reach { first: 250, last: 255, max_silent: 255, window: 24 });
        assert_eq!(flow.horizon(), 255);
        for ttl in 250..=255 {
            flow.silence(ttl);
        }
        assert!(flow.is_discovered());
        assert_eq!((flow.horizon(), flow.shown()), (255, 250));
        flow.answer(0, 255, address(1), Step::Router);
        assert_eq!(flow.shown(), 255);
    }
}

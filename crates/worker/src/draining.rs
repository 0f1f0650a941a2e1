//! Whether a worker takes no new work, and who wants that.

/// A worker drains when the server wants it or when it wants so by itself, as told by a signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Draining {
    /// It wants so by itself.
    pub(crate) own: bool,
    server: bool,
    /// Revision of the latest order it follows; none before the first welcome of this life.
    pub(crate) revision: Option<u64>,
}

impl Draining {
    /// True while it takes no new work.
    pub(crate) fn is_on(self) -> bool {
        self.own || self.server
    }

    /// Follows an order unless it is older than what it follows already. To take work again also ends what it
    /// wants by itself.
    #[must_use]
    pub(crate) fn ordered(self, draining: bool, revision: u64) -> Self {
        if revision <= self.revision.unwrap_or(0) {
            return self;
        }
        Self { own: self.own && draining, server: draining, revision: Some(revision) }
    }

    /// Takes over what the server wants, as a welcome says it. What it wanted before it was welcome for the first
    /// time stays.
    #[must_use]
    pub(crate) fn welcomed(self, draining: bool, revision: u64) -> Self {
        let own = self.own && (draining || self.revision.is_none_or(|followed| followed >= revision));
        Self { own, server: draining, revision: Some(revision) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_drains_when_either_wants_it() {
        let fresh = Draining::default().welcomed(false, 0);
        let own = Draining { own: true, ..fresh };
        assert!(!fresh.is_on() && own.is_on());
        let both = own.ordered(true, 1);
        assert!(both.own && Draining { own: false, ..both }.is_on());
        assert_eq!(both.ordered(false, 2), Draining { own: false, server: false, revision: Some(2) });
    }

    #[test]
    fn an_order_that_is_late_or_comes_twice_changes_nothing() {
        let resumed = Draining::default().welcomed(false, 0).ordered(true, 1).ordered(false, 2);
        assert_eq!(resumed.ordered(true, 1), resumed);
        let own = Draining { own: true, ..resumed };
        assert_eq!(own.ordered(false, 2), own, "it was wanted after that order");
    }

    #[test]
    fn a_welcome_says_what_was_ordered_meanwhile() {
        let own = Draining { own: true, ..Draining::default().welcomed(false, 1) };
        assert_eq!(own.welcomed(false, 1), own);
        assert!(!own.welcomed(false, 2).is_on(), "it was told to take work while it was away");
        assert!(own.welcomed(true, 2).own);
        let early = Draining { own: true, ..Draining::default() };
        assert!(early.welcomed(false, 9).own, "an order to an earlier life");
    }
}

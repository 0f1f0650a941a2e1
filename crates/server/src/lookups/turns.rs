//! How much of one thing each of those who ask may have under way at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::auth::Principal;

/// Counts what is under way. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    most: usize,
    under_way: Arc<Mutex<HashMap<Who, usize>>>,
}

/// Who asks. All strangers count as one.
type Who = Option<Uuid>;

/// A place among those of one principal, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Turns,
    who: Who,
}

impl Turns {
    /// At most so many for each principal.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, under_way: Arc::default() }
    }

    /// How many each principal may have.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// A place, unless the principal has as many as it may.
    pub(crate) fn take(&self, principal: &Principal) -> Option<Turn> {
        let who = match principal {
            Principal::User { id, .. } | Principal::Token { id, .. } | Principal::Worker { id, .. } => {
                Some(*id)
            }
            Principal::Anonymous { .. } => None,
        };
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let count = under_way.entry(who).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Turn { turns: self.clone(), who })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut under_way = self.turns.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = under_way.entry(self.who) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use netwark_model::auth::Role;

    use super::*;

    #[test]
    fn each_has_places_of_its_own_and_gives_them_back() {
        let token = |id| Principal::Token { id: Uuid::from_u128(id), name: "t".into(), role: Role::Operator };
        let turns = Turns::new(2);
        let taken: Vec<Turn> = (0..2).filter_map(|_| turns.take(&token(1))).collect();
        assert_eq!(taken.len(), 2);
        assert!(turns.take(&token(1)).is_none());
        assert!(
            turns.take(&token(2)).is_some() && turns.take(&Principal::Anonymous { role: None }).is_some()
        );
        drop(taken);
        assert!(turns.under_way.lock().unwrap().is_empty());
        assert!(turns.take(&token(1)).is_some());
    }
}

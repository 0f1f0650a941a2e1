//! Addresses that were there lately: who is missing is asked again before it is told. They are kept on disk, so that a
//! worker that was started again misses nobody for it.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use netwark_model::watch::order::MOST_RECHECKED;
use uuid::Uuid;

use crate::standing;

/// Directory of the files, below that of the worker.
const DIRECTORY: &str = "watching";

/// Who is expected on one network.
#[derive(Debug)]
pub(super) struct Expected {
    /// Where that is kept; nowhere when the worker keeps nothing.
    file: Option<PathBuf>,
    /// Addresses, with how many complete sweeps in a row have missed each.
    there: Mutex<BTreeMap<IpAddr, u32>>,
}

impl Expected {
    /// What is remembered of a network; nobody when there is nothing, or it cannot be read.
    pub(super) fn open(directory: Option<&Path>, order: Uuid) -> Self {
        let file = directory.map(|directory| directory.join(DIRECTORY).join(format!("{order}.json")));
        let kept = file.as_ref().and_then(|file| fs::read(file).ok());
        let there = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { file, there: Mutex::new(there) }
    }

    /// Forgets what is remembered of orders that are held no longer.
    pub(super) fn retain(directory: Option<&Path>, held: &HashSet<Uuid>) {
        let Some(directory) = directory.map(|directory| directory.join(DIRECTORY)) else { return };
        let Ok(entries) = fs::read_dir(&directory) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            let order = path.file_stem().and_then(|name| name.to_str()?.parse::<Uuid>().ok());
            if order.is_some_and(|order| !held.contains(&order))
                && let Err(error) = fs::remove_file(&path)
            {
                tracing::warn!(file = %path.display(), %error, "what was remembered of a network stays");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, u32>> {
        self.there.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is expected.
    pub(super) fn addresses(&self) -> HashSet<IpAddr> {
        self.lock().keys().copied().collect()
    }

    /// A complete sweep has found these. Who is missing is expected until so many sweeps have missed it. Waits for the
    /// disk.
    pub(super) fn swept(&self, found: impl Iterator<Item = IpAddr>, grace: u32) {
        let mut there = self.lock();
        // What is asked again is bounded, however much was seen.
        let mut now: BTreeMap<IpAddr, u32> = found.take(MOST_RECHECKED).map(|address| (address, 0)).collect();
        for (address, missed) in there.iter() {
            if missed + 1 < grace && now.len() < MOST_RECHECKED {
                now.entry(*address).or_insert(missed + 1);
            }
        }
        if *there == now {
            return;
        }
        *there = now;
        let Some(file) = &self.file else { return };
        let written =
            file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| standing::write(file, &*there));
        if let Err(error) = written {
            tracing::warn!(file = %file.display(), %error, "who is on a network is not remembered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn sorted(expected: &Expected) -> Vec<IpAddr> {
        let mut addresses: Vec<_> = expected.addresses().into_iter().collect();
        addresses.sort_unstable();
        addresses
    }

    #[test]
    fn who_is_missing_is_expected_until_it_is_gone() {
        let expected = Expected::open(None, Uuid::nil());
        expected.swept([1, 2].map(address).into_iter(), 2);
        expected.swept([1].map(address).into_iter(), 2);
        assert_eq!(
            sorted(&expected),
            [1, 2].map(address),
            "the sweep that lets it go down asks it again, too"
        );
        expected.swept([1].map(address).into_iter(), 2);
        assert_eq!(sorted(&expected), [1].map(address));
        expected.swept((0..20_000).map(|at| IpAddr::from(std::net::Ipv4Addr::from_bits(at))), 2);
        assert_eq!(expected.addresses().len(), MOST_RECHECKED);
    }

    #[test]
    fn it_outlives_the_worker_but_not_the_order() {
        let directory = tempfile::tempdir().unwrap();
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let open = |order| Expected::open(Some(directory.path()), order);
        open(one).swept([1, 2].map(address).into_iter(), 2);
        open(one).swept([2].map(address).into_iter(), 2);
        open(two).swept([3].map(address).into_iter(), 2);
        assert_eq!(sorted(&open(one)), [1, 2].map(address));
        open(one).swept([2].map(address).into_iter(), 2);
        assert_eq!(sorted(&open(one)), [2].map(address), "how often it was missed is remembered, too");
        Expected::retain(Some(directory.path()), &HashSet::from([one]));
        assert_eq!((open(one).addresses().len(), open(two).addresses().len()), (1, 0));
        fs::write(directory.path().join(DIRECTORY).join(format!("{one}.json")), "[").unwrap();
        assert!(open(one).addresses().is_empty());
    }
}

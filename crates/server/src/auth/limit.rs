//! How often someone may try to sign in.
//!
//! A bucket per client address and one per name, each with room for [`BURST`] tries that come back
//! one every [`REFILL`]. A try is counted before the password is looked at, so that many at once
//! are counted too, and given back when it was right: a whole office signs in behind one address,
//! and who guesses still runs dry.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Tries that a full bucket holds.
pub(crate) const BURST: u32 = 5;
/// Time in which one try comes back.
pub(crate) const REFILL: Duration = Duration::from_secs(10);
/// Buckets kept before those that are full again are forgotten.
const KEPT: usize = 4096;

/// Counts tries to sign in.
#[derive(Debug, Default)]
pub(crate) struct SignInLimit {
    // When each bucket is full again. Names are kept as a hash: what strangers send takes no room.
    full_at: Mutex<HashMap<u64, Instant>>,
    hasher: RandomState,
}

impl SignInLimit {
    /// Counts a try from an address, for a name when there is one.
    ///
    /// # Errors
    /// How long to wait, when a bucket is empty. Then nothing is counted.
    pub(crate) fn take(&self, client: IpAddr, name: Option<&str>, now: Instant) -> Result<(), Duration> {
        let keys = self.keys(client, name);
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() > KEPT {
            full_at.retain(|_, at| *at > now);
        }
        // Room for one try is left while the bucket is full again within the time of the others.
        let latest = now + REFILL * (BURST - 1);
        let wait =
            keys.iter().flatten().filter_map(|key| full_at.get(key)?.checked_duration_since(latest)).max();
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        for key in keys.into_iter().flatten() {
            let at = full_at.entry(key).or_insert(now);
            *at = (*at).max(now) + REFILL;
        }
        Ok(())
    }

    /// Gives a try back that was right.
    pub(crate) fn give_back(&self, client: IpAddr, name: Option<&str>) {
        let keys = self.keys(client, name);
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys.into_iter().flatten() {
            if let Some(at) = full_at.get_mut(&key) {
                *at = at.checked_sub(REFILL).unwrap_or(*at);
            }
        }
    }

    fn keys(&self, client: IpAddr, name: Option<&str>) -> [Option<u64>; 2] {
        let name = name.map(|name| self.hasher.hash_one(("name", name.trim().to_lowercase())));
        [Some(self.hasher.hash_one(("address", neighbourhood(client)))), name]
    }
}

/// Counts tries of everybody together, where what is guessed belongs to nobody.
#[derive(Debug, Default)]
pub(crate) struct CommonLimit {
    full_at: Mutex<Option<Instant>>,
}

impl CommonLimit {
    /// Tries that the full bucket holds.
    const BURST: u32 = 60;
    /// Time in which one try comes back.
    const REFILL: Duration = Duration::from_secs(1);

    /// Counts a try.
    ///
    /// # Errors
    /// How long to wait, when the bucket is empty. Then nothing is counted.
    pub(crate) fn take(&self, now: Instant) -> Result<(), Duration> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let at = full_at.unwrap_or(now).max(now);
        let latest = now + Self::REFILL * (Self::BURST - 1);
        match at.checked_duration_since(latest).filter(|wait| !wait.is_zero()) {
            Some(wait) => Err(wait),
            None => {
                *full_at = Some(at + Self::REFILL);
                Ok(())
            }
        }
    }
}

/// The address itself, or the /64 of IPv6: a host has all of its addresses at hand.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_burst_then_one_every_ten_seconds() {
        let (limit, now, client) = (SignInLimit::default(), Instant::now(), address("192.0.2.1"));
        for _ in 0..BURST {
            assert_eq!(limit.take(client, Some("admin"), now), Ok(()));
        }
        assert_eq!(limit.take(client, Some("admin"), now), Err(REFILL));
        assert_eq!(limit.take(client, Some("admin"), now + REFILL / 2), Err(REFILL / 2));
        assert_eq!(limit.take(client, Some("admin"), now + REFILL), Ok(()));
        assert_eq!(limit.take(client, Some("admin"), now + REFILL), Err(REFILL));
        let later = now + REFILL * 100;
        for _ in 0..BURST {
            assert_eq!(limit.take(client, Some("admin"), later), Ok(()));
        }
        assert!(limit.take(client, Some("admin"), later).is_err());
    }

    #[test]
    fn a_name_is_guarded_from_many_addresses() {
        let (limit, now) = (SignInLimit::default(), Instant::now());
        for last in 0..5 {
            let client = address(&format!("192.0.2.{last}"));
            assert_eq!(limit.take(client, Some(" Admin"), now), Ok(()));
        }
        assert!(limit.take(address("192.0.2.9"), Some("admin"), now).is_err());
        assert_eq!(limit.take(address("192.0.2.9"), Some("other"), now), Ok(()));
    }

    #[test]
    fn an_address_is_guarded_for_many_names() {
        let (limit, now) = (SignInLimit::default(), Instant::now());
        for name in ["a", "b", "c", "d", "e"] {
            assert_eq!(limit.take(address("2001:db8::1"), Some(name), now), Ok(()));
        }
        assert!(limit.take(address("2001:db8::2"), Some("f"), now).is_err());
        assert_eq!(limit.take(address("2001:db8:0:1::1"), Some("f"), now), Ok(()));
    }

    #[test]
    fn what_was_right_is_given_back() {
        let (limit, now, client) = (SignInLimit::default(), Instant::now(), address("192.0.2.1"));
        for _ in 0..100 {
            assert_eq!(limit.take(client, Some("admin"), now), Ok(()));
            limit.give_back(client, Some("admin"));
        }
        for _ in 0..BURST {
            assert_eq!(limit.take(client, Some("guess"), now), Ok(()));
        }
        // Signing in as oneself gives nothing back of what was spent on guesses.
        assert!(limit.take(client, Some("admin"), now).is_err());
    }

    #[test]
    fn everybody_together_has_a_bucket() {
        let (limit, now) = (CommonLimit::default(), Instant::now());
        for _ in 0..CommonLimit::BURST {
            assert_eq!(limit.take(now), Ok(()));
        }
        assert_eq!(limit.take(now), Err(CommonLimit::REFILL));
        assert_eq!(limit.take(now + CommonLimit::REFILL), Ok(()));
        assert!(limit.take(now + CommonLimit::REFILL).is_err());
    }

    #[test]
    fn full_buckets_are_forgotten() {
        let (limit, now) = (SignInLimit::default(), Instant::now());
        for n in 0..=u32::try_from(KEPT).unwrap() {
            let client = IpAddr::V4(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n));
            assert_eq!(limit.take(client, None, now), Ok(()));
        }
        assert_eq!(limit.take(address("192.0.2.1"), None, now + REFILL * 2), Ok(()));
        assert_eq!(limit.full_at.lock().unwrap().len(), 1);
    }
}

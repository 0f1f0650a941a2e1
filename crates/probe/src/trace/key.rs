//! The name of a probe: which cycle, which flow, which distance.

/// Names one probe of a trace; never used twice in a task, whatever the wire's own 16-bit sequence does.
/// Ordered by cycle, then flow, then distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// From 0.
    pub(crate) cycle: u32,
    /// From 0.
    pub(crate) flow: u8,
    /// Time to live the probe leaves with.
    pub(crate) ttl: u8,
}

impl From<Key> for u64 {
    fn from(key: Key) -> Self {
        u64::from(key.cycle) << 16 | u64::from(key.flow) << 8 | u64::from(key.ttl)
    }
}

impl From<u64> for Key {
    fn from(number: u64) -> Self {
        let [_, _, a, b, c, d, flow, ttl] = number.to_be_bytes();
        Self { cycle: u32::from_be_bytes([a, b, c, d]), flow, ttl }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_probes_share_a_key() {
        let key = Key { cycle: 70_000, flow: 15, ttl: 255 };
        assert_eq!(Key::from(u64::from(key)), key);
        // What is alike in its low 16 bits, as two probes of one wire sequence are, stays apart.
        let later = Key { cycle: key.cycle + 65_536, ..key };
        assert_ne!(u64::from(later), u64::from(key));
        assert!(u64::from(later) > u64::from(key));
    }
}

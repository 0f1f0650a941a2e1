//! Records in a file: a mark, the length, a checksum, the bytes.
//!
//! What a crash or a bad disk leaves is recognised by the checksum. Reading goes on at the next
//! mark that begins a whole record, so that damage costs the records it touches and no others.

use netwark_model::messages::LARGEST;

/// Begins every record.
const MARK: [u8; 4] = *b"nwR1";
/// Bytes in front of the payload: mark, length, checksum.
const HEAD: usize = 12;

/// Bytes a payload takes in a file.
pub(super) fn length_of(payload: &[u8]) -> usize {
    HEAD + payload.len()
}

/// A payload as it stands in a file.
pub(super) fn frame(payload: &[u8]) -> Vec<u8> {
    let mut record = Vec::with_capacity(length_of(payload));
    record.extend(MARK);
    record.extend(u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    record.extend(checksum(payload).to_le_bytes());
    record.extend(payload);
    record
}

/// The length is summed too: with a wrong one nothing else fits.
fn checksum(payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// A record and where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) payload: &'a [u8],
    /// The byte behind it.
    pub(super) end: usize,
    /// True when bytes in front of it could not be read.
    pub(super) behind_damage: bool,
}

/// The first whole record at or behind `from`.
pub(super) fn next(bytes: &[u8], from: usize) -> Option<Record<'_>> {
    let mut at = from;
    loop {
        let rest = bytes.get(at..)?;
        if let Some(payload) = whole(rest) {
            return Some(Record { payload, end: at + length_of(payload), behind_damage: at != from });
        }
        let onward = rest.get(1..)?.windows(MARK.len()).position(|window| window == MARK)?;
        at += 1 + onward;
    }
}

/// The payload of the record that begins here, if it is whole.
fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let (mark, numbers) = head.split_at_checked(MARK.len())?;
    let (length, sum) = numbers.split_at_checked(4)?;
    if mark != MARK {
        return None;
    }
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    let payload = rest.get(..length).filter(|_| length <= LARGEST)?;
    (checksum(payload).to_le_bytes() == sum).then_some(payload)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(record) = next(bytes, at) {
            found.push(record.payload.to_vec());
            at = record.end;
        }
        found
    }

    fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
        proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..8)
    }

    proptest! {
        #[test]
        fn a_cut_file_keeps_what_lies_in_front_of_the_cut(payloads in payloads(), cut in any::<prop::sample::Index>()) {
            let file: Vec<u8> = payloads.iter().flat_map(|payload| frame(payload)).collect();
            let cut = cut.index(file.len() + 1);
            let mut whole = 0;
            let kept = payloads.iter().take_while(|payload| {
                whole += length_of(payload);
                whole <= cut
            });
            let kept: Vec<_> = kept.cloned().collect();
            prop_assert_eq!(read(&file[..cut]), kept);
        }

        #[test]
        fn a_flipped_bit_costs_its_own_record(payloads in payloads(), bit in any::<prop::sample::Index>()) {
            let mut file: Vec<u8> = payloads.iter().flat_map(|payload| frame(payload)).collect();
            let bit = bit.index(file.len() * 8);
            file[bit / 8] ^= 1 << (bit % 8);
            let mut end = 0;
            let hit = payloads.iter().position(|payload| {
                end += length_of(payload);
                bit / 8 < end
            });
            let mut left = payloads;
            left.remove(hit.unwrap());
            prop_assert_eq!(read(&file), left);
        }

        #[test]
        fn noise_is_no_record_and_no_panic(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(read(&noise).len() <= noise.len() / HEAD);
        }
    }

    #[test]
    fn damage_is_told() {
        let file = [b"xx".as_slice(), &frame(b"one"), &frame(b"two")].concat();
        let first = next(&file, 0).unwrap();
        assert_eq!((first.payload, first.behind_damage), (b"one".as_slice(), true));
        let second = next(&file, first.end).unwrap();
        assert_eq!((second.payload, second.behind_damage), (b"two".as_slice(), false));
        assert_eq!(next(&file, second.end), None);
    }
}

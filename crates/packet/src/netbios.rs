//! The node status of NetBIOS over UDP (RFC 1002, sections 4.2.17 and 4.2.18).

use crate::{Malformed, head};

const WHAT: &str = "NetBIOS node status";
/// Port of the name service.
pub const PORT: u16 = 137;
/// The record that a node status is.
const NBSTAT: [u8; 2] = [0, 0x21];
/// Names that are read.
const MOST_NAMES: usize = 32;
/// Every node has the name `*`, whose bytes are written as two letters each.
const WILDCARD: &[u8; 34] = b" CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0";

/// What a node says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeStatus {
    /// Its own name, without the blanks at its end.
    pub name: Option<String>,
    /// The workgroup or domain it belongs to.
    pub group: Option<String>,
    /// Its hardware address; none when it says only zeros, as Samba does.
    pub mac: Option<[u8; 6]>,
}

/// The question that every node answers.
#[must_use]
pub fn question(id: u16) -> Vec<u8> {
    let mut out = Vec::with_capacity(50);
    out.extend(id.to_be_bytes());
    out.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    out.extend(WILDCARD);
    out.extend(NBSTAT);
    out.extend([0, 1]);
    out
}

/// Reads an answer: its id, and what the node says.
///
/// # Errors
/// When it is none, or cut.
pub fn parse(bytes: &[u8]) -> Result<(u16, NodeStatus), Malformed> {
    let wrong = |field| Malformed::Field { what: WHAT, field };
    let (header, rest) = head::<12>(bytes, WHAT)?;
    if header[2] & 0x80 == 0 || header[3] & 0x0f != 0 || [header[6], header[7]] != [0, 1] {
        return Err(wrong("header"));
    }
    // The name is that of the question, 32 letters; others are of no use here.
    let (_, rest) = head::<34>(rest, WHAT)?;
    let (record, rest) = head::<11>(rest, WHAT)?;
    if record[..2] != NBSTAT {
        return Err(wrong("type"));
    }
    let count = usize::from(record[10]).min(MOST_NAMES);
    let mut status = NodeStatus::default();
    let (names, after) = rest.split_at_checked(usize::from(record[10]) * 18).unwrap_or((rest, &[]));
    for entry in names.chunks_exact(18).take(count) {
        let (Some(text), Some([suffix, flags, _])) = (entry.get(..15), entry.last_chunk::<3>()) else {
            break;
        };
        let text = String::from_utf8_lossy(text).trim_end_matches([' ', '\0']).to_owned();
        let is_group = flags & 0x80 != 0;
        if *suffix == 0 && !text.is_empty() {
            let place = if is_group { &mut status.group } else { &mut status.name };
            place.get_or_insert(text);
        }
    }
    status.mac = after.first_chunk::<6>().copied().filter(|mac| *mac != [0; 6]);
    let id = u16::from_be_bytes([header[0], header[1]]);
    Ok((id, status))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer() -> Vec<u8> {
        let mut bytes = vec![0, 9, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        bytes.extend(WILDCARD);
        bytes.extend([0, 0x21, 0, 1, 0, 0, 0, 0, 0, 0x41, 3]);
        for (name, suffix, flags) in
            [("NAS            ", 0, 4), ("OFFICE         ", 0, 0x84), ("NAS            ", 0x20, 4)]
        {
            bytes.extend(name.as_bytes());
            bytes.extend([suffix, flags, 0]);
        }
        bytes.extend([0, 0, 0x5e, 0, 0x53, 9, 0, 0]);
        bytes
    }

    #[test]
    fn a_node_says_what_it_is() {
        let status = NodeStatus {
            name: Some("NAS".into()),
            group: Some("OFFICE".into()),
            mac: Some([0, 0, 0x5e, 0, 0x53, 9]),
        };
        assert_eq!(parse(&answer()), Ok((9, status)));
        assert!(parse(&question(9)).is_err(), "a question is no answer");
        assert_eq!(question(9).len(), 50);
    }

    proptest! {
        #[test]
        fn damage_is_survived(at in 0usize..150, value: u8, cut in 0usize..150) {
            let mut bytes = answer();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            bytes.truncate(cut);
            if let Ok((_, status)) = parse(&bytes) {
                prop_assert!(status.name.is_none_or(|name| name.len() <= 45));
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = parse(&bytes);
        }
    }
}

//! The wireless network an interface is in, asked of nl80211 (linux/nl80211.h) by generic netlink.

use std::io;

use netwark_packet::wireless::{self, Announced};

use super::netlink::{attributes, dump, u16_at, u32_at};

/// linux/netlink.h.
const NETLINK_GENERIC: i32 = 16;
/// linux/genetlink.h: the family that knows the others, its question, and what it says of one.
const CONTROL: u16 = 16;
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;
/// linux/nl80211.h.
const GET_SCAN: u8 = 32;
const INTERFACE: u16 = 3;
const BSS: u16 = 47;
const BSS_CAPABILITY: u16 = 5;
const BSS_ELEMENTS: u16 = 6;
const BSS_STATUS: u16 = 9;
/// The interface is associated with it, or has joined it.
const TAKEN: [u32; 2] = [1, 2];
/// Bytes of the header of generic netlink.
const HEADER: usize = 4;

/// The wireless network that an interface is in; none when it is in none, or is no wireless one.
///
/// # Errors
/// What the kernel says.
pub(crate) fn joined(interface: u32) -> io::Result<Option<Announced>> {
    let mut family = None;
    dump(NETLINK_GENERIC, CONTROL, &[GET_FAMILY, 1, 0, 0], |_, body| {
        family = family.or_else(|| nl80211(body));
    })?;
    let Some(family) = family else { return Ok(None) };
    let mut question = vec![GET_SCAN, 0, 0, 0];
    question.extend(8_u16.to_ne_bytes());
    question.extend(INTERFACE.to_ne_bytes());
    question.extend(interface.to_ne_bytes());
    let mut found = None;
    // What was seen when it last looked; this starts no scan.
    dump(NETLINK_GENERIC, family, &question, |_, body| found = found.take().or_else(|| taken(body)))?;
    Ok(found)
}

/// The number of the family, when this is about it.
fn nl80211(body: &[u8]) -> Option<u16> {
    let (mut id, mut is_it) = (None, false);
    attributes(body, HEADER, |kind, data| match kind {
        FAMILY_ID => id = u16_at(data, 0),
        FAMILY_NAME => is_it = data == b"nl80211\0",
        _ => {}
    });
    id.filter(|_| is_it)
}

/// The network of an answer, when the interface is in it.
fn taken(body: &[u8]) -> Option<Announced> {
    let (mut capabilities, mut elements, mut status) = (0, Vec::new(), None);
    attributes(body, HEADER, |kind, data| {
        if kind == BSS {
            attributes(data, 0, |kind, data| match kind {
                BSS_CAPABILITY => capabilities = u16_at(data, 0).unwrap_or_default(),
                BSS_ELEMENTS => elements = data.to_vec(),
                BSS_STATUS => status = u32_at(data, 0),
                _ => {}
            });
        }
    });
    status.filter(|status| TAKEN.contains(status)).map(|_| wireless::parse(capabilities, &elements))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attribute(kind: u16, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + data.len()).unwrap();
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn the_family_is_known_by_its_name() {
        let body = |name: &[u8]| {
            [vec![1, 2, 0, 0], attribute(FAMILY_NAME, name), attribute(FAMILY_ID, &28_u16.to_ne_bytes())]
                .concat()
        };
        assert_eq!(nl80211(&body(b"nl80211\0")), Some(28));
        assert_eq!(nl80211(&body(b"nlctrl\0")), None);
    }

    #[test]
    fn only_the_network_it_is_in_is_told() {
        let body = |status: &[u8]| {
            let elements = attribute(BSS_ELEMENTS, &[0, 4, b'L', b'a', b'b', b'1']);
            let capability = attribute(BSS_CAPABILITY, &0_u16.to_ne_bytes());
            [vec![34, 1, 0, 0], attribute(BSS, &[capability, elements, status.to_vec()].concat())].concat()
        };
        let open = Announced { ssid: Some("Lab1".into()), security: "open" };
        assert_eq!(taken(&body(&attribute(BSS_STATUS, &1_u32.to_ne_bytes()))), Some(open));
        assert_eq!(taken(&body(&attribute(BSS_STATUS, &0_u32.to_ne_bytes()))), None);
        assert_eq!(taken(&body(&[])), None);
    }

    #[test]
    fn the_loopback_is_in_none() {
        // Where the kernel knows nothing of wireless networks there is no such family, and no error.
        assert_eq!(joined(1).unwrap_or_default(), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (nl80211(&bytes), taken(&bytes));
        }
    }
}

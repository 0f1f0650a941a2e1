//! What routers append to ICMP errors: extension objects (RFC 4884) and the MPLS label stack (RFC 4950).

use crate::{Malformed, checksum, head};

const WHAT: &str = "ICMP extension";
const VERSION: u8 = 2;
const MPLS_CLASS: u8 = 1;
const MPLS_INCOMING_STACK: u8 = 1;

/// One MPLS label stack entry (RFC 3032).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Label, 20 bits.
    pub label: u32,
    /// Traffic class, 3 bits.
    pub traffic_class: u8,
    /// Bottom of stack.
    pub bottom: bool,
    /// Time to live.
    pub ttl: u8,
}

/// One object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<'a> {
    /// Class number.
    pub class: u8,
    /// Kind within the class.
    pub kind: u8,
    /// Contents.
    pub payload: &'a [u8],
}

/// An extension structure whose header was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a>(&'a [u8]);

impl<'a> Extension<'a> {
    /// Reads an extension structure that reaches to the end of `bytes`.
    ///
    /// # Errors
    /// When it is cut, of another version, or its checksum is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (header, objects) = head::<4>(bytes, WHAT)?;
        if header[0] >> 4 != VERSION {
            return Err(Malformed::Field { what: WHAT, field: "version" });
        }
        // RFC 4884, section 7: a checksum of zero means that none was computed.
        if (header[2], header[3]) != (0, 0) && checksum::of(bytes) != 0 {
            return Err(Malformed::Field { what: WHAT, field: "checksum" });
        }
        Ok(Self(objects))
    }

    /// Reads an extension that no length field announced: it counts only when its checksum was computed and is right.
    pub(crate) fn parse_unannounced(bytes: &'a [u8]) -> Option<Self> {
        let (header, _) = head::<4>(bytes, WHAT).ok()?;
        if (header[2], header[3]) == (0, 0) { None } else { Self::parse(bytes).ok() }
    }

    /// Its objects, up to the first that is malformed.
    pub fn objects(self) -> impl Iterator<Item = Object<'a>> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (header, _) = head::<4>(rest, WHAT).ok()?;
            let length = usize::from(u16::from_be_bytes([header[0], header[1]]));
            let payload = rest.get(4..length)?;
            rest = rest.get(length..)?;
            Some(Object { class: header[2], kind: header[3], payload })
        })
    }

    /// The MPLS label stack the offending packet arrived with, outermost label first; empty when there is none.
    #[must_use]
    pub fn mpls(self) -> Vec<Label> {
        self.objects()
            .filter(|object| (object.class, object.kind) == (MPLS_CLASS, MPLS_INCOMING_STACK))
            .flat_map(|object| object.payload.as_chunks::<4>().0)
            .map(|entry| Label {
                label: u32::from_be_bytes(*entry) >> 12,
                traffic_class: entry[2] >> 1 & 7,
                bottom: entry[2] & 1 == 1,
                ttl: entry[3],
            })
            .collect()
    }
}

/// The extension structure that carries an MPLS label stack.
#[must_use]
pub fn write_mpls(labels: &[Label]) -> Vec<u8> {
    let length = u16::try_from(4 + 4 * labels.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut bytes = vec![VERSION << 4, 0, 0, 0, length[0], length[1], MPLS_CLASS, MPLS_INCOMING_STACK];
    for entry in labels {
        let word = entry.label << 12
            | u32::from(entry.traffic_class & 7) << 9
            | u32::from(entry.bottom) << 8
            | u32::from(entry.ttl);
        bytes.extend(word.to_be_bytes());
    }
    let checksum = checksum::of(&bytes);
    bytes[2..4].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn label() -> impl Strategy<Value = Label> {
        (0..1u32 << 20, 0..8u8, any::<bool>(), any::<u8>())
            .prop_map(|(label, traffic_class, bottom, ttl)| Label { label, traffic_class, bottom, ttl })
    }

    #[test]
    fn other_objects_are_passed_over() {
        let mut bytes = vec![0x20, 0, 0, 0, 0, 8, 2, 1, 9, 9, 9, 9];
        bytes.extend(&write_mpls(&[Label { label: 16001, traffic_class: 5, bottom: true, ttl: 1 }])[4..]);
        let read = Extension::parse(&bytes).unwrap();
        assert_eq!(read.objects().count(), 2);
        assert_eq!(read.mpls(), [Label { label: 16001, traffic_class: 5, bottom: true, ttl: 1 }]);
    }

    #[test]
    fn an_object_that_leaves_the_packet_ends_the_list() {
        for length in [0u16, 3, 13, 0xffff] {
            let mut bytes = vec![0x20, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1];
            bytes[4..6].copy_from_slice(&length.to_be_bytes());
            assert!(Extension::parse(&bytes).unwrap().mpls().is_empty(), "length {length}");
        }
    }

    #[test]
    fn version_and_checksum_are_checked() {
        let mut bytes = write_mpls(&[]);
        bytes[0] = 0x10;
        assert_eq!(Extension::parse(&bytes), Err(Malformed::Field { what: WHAT, field: "version" }));
        let mut bytes = write_mpls(&[]);
        bytes[3] ^= 1;
        assert_eq!(Extension::parse(&bytes), Err(Malformed::Field { what: WHAT, field: "checksum" }));
    }

    proptest! {
        #[test]
        fn labels_survive_the_wire(labels in proptest::collection::vec(label(), 0..8)) {
            let bytes = write_mpls(&labels);
            prop_assert_eq!(&Extension::parse(&bytes).unwrap().mpls(), &labels);
            prop_assert!(Extension::parse_unannounced(&bytes).is_some());
        }

        #[test]
        fn any_bytes_are_survived(mut bytes in proptest::collection::vec(any::<u8>(), 4..80)) {
            bytes[0] = 0x20;
            bytes[2..4].fill(0);
            let _ = Extension::parse(&bytes).unwrap().mpls();
        }
    }
}

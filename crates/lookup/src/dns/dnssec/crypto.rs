//! Keys, digests and signatures (RFC 4034, RFC 5702, RFC 6605, RFC 8080).

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    UnparsedPublicKey, VerificationAlgorithm,
};

use crate::dns::wire::base;
use crate::dns::wire::kind::Kind;
use crate::dns::wire::message::{IN, Record};
use crate::dns::wire::name::DomainName;
use crate::dns::wire::rdata;
use crate::dns::wire::reader::Reader;

/// An algorithm by the name that IANA gives it.
pub fn algorithm_name(number: u8) -> String {
    let known = match number {
        1 => "RSAMD5",
        3 => "DSA",
        5 => "RSASHA1",
        6 => "DSA-NSEC3-SHA1",
        7 => "RSASHA1-NSEC3-SHA1",
        8 => "RSASHA256",
        10 => "RSASHA512",
        12 => "ECC-GOST",
        13 => "ECDSAP256SHA256",
        14 => "ECDSAP384SHA384",
        15 => "ED25519",
        16 => "ED448",
        _ => return format!("algorithm {number}"),
    };
    known.into()
}

/// True for an algorithm that can be checked here.
pub fn is_known_algorithm(number: u8) -> bool {
    verifier(number).is_some()
}

fn verifier(number: u8) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match number {
        5 | 7 => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        8 => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        10 => &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        13 => &ECDSA_P256_SHA256_FIXED,
        14 => &ECDSA_P384_SHA384_FIXED,
        15 => &ED25519,
        _ => return None,
    })
}

/// A key of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its flags.
    pub flags: u16,
    /// Its algorithm.
    pub algorithm: u8,
    /// Its tag, by which signatures name it.
    pub tag: u16,
    public: Vec<u8>,
    data: Vec<u8>,
}

impl Key {
    /// The key in the data of a DNSKEY record; `None` when it is none of a zone's.
    pub fn read(data: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(data);
        let (flags, protocol, algorithm) = (reader.u16().ok()?, reader.u8().ok()?, reader.u8().ok()?);
        // A zone key, and one that was not revoked (RFC 4034 §2.1, RFC 5011 §2.1).
        let usable = flags & 0x0100 != 0 && flags & 0x0080 == 0 && protocol == 3;
        usable.then(|| Self {
            flags,
            algorithm,
            tag: tag(data),
            public: reader.rest().to_vec(),
            data: data.to_vec(),
        })
    }

    /// It is meant to sign keys.
    pub fn is_entry_point(&self) -> bool {
        self.flags & 1 != 0
    }

    /// True when this key made the signature over the text.
    fn made(&self, signature: &[u8], text: &[u8]) -> bool {
        let Some(algorithm) = verifier(self.algorithm) else { return false };
        let public = match self.algorithm {
            5 | 7 | 8 | 10 => rsa(&self.public),
            // The curve's point without compression.
            13 | 14 => Some([&[4], self.public.as_slice()].concat()),
            _ => Some(self.public.clone()),
        };
        public.is_some_and(|public| UnparsedPublicKey::new(algorithm, public).verify(text, signature).is_ok())
    }
}

/// The tag of a key (RFC 4034 appendix B).
fn tag(data: &[u8]) -> u16 {
    let sum: u32 = data
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)))
        .sum();
    // The carry is folded in once; what is cut off is meant to be.
    (sum + (sum >> 16)) as u16
}

/// An RSA key of the DNS (RFC 3110) as PKCS #1 has it.
fn rsa(public: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader::new(public);
    let length = match reader.u8().ok()? {
        0 => usize::from(reader.u16().ok()?),
        short => short.into(),
    };
    let exponent = reader.bytes(length).ok()?;
    let modulus = reader.rest();
    let body = [der_integer(modulus), der_integer(exponent)].concat();
    Some([&[0x30], der_length(body.len()).as_slice(), &body].concat())
}

fn der_integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = bytes.get(start..).unwrap_or_default();
    // A first bit would make it negative.
    let zero: &[u8] = if bytes.first().is_none_or(|first| first & 0x80 != 0) { &[0] } else { &[] };
    [&[0x02], der_length(zero.len() + bytes.len()).as_slice(), zero, bytes].concat()
}

fn der_length(length: usize) -> Vec<u8> {
    // A key has at most 65535 bytes.
    match length {
        0..128 => vec![length as u8],
        128..256 => vec![0x81, length as u8],
        _ => vec![0x82, (length >> 8) as u8, length as u8],
    }
}

/// What a zone says of a key of a zone below (RFC 4034 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Tag of the key.
    pub tag: u16,
    /// Algorithm of the key.
    pub algorithm: u8,
    /// Algorithm of the digest.
    pub kind: u8,
    digest: Vec<u8>,
}

impl Digest {
    /// The digest in the data of a DS record.
    pub fn read(data: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(data);
        let (tag, algorithm, kind) = (reader.u16().ok()?, reader.u8().ok()?, reader.u8().ok()?);
        Some(Self { tag, algorithm, kind, digest: reader.rest().to_vec() })
    }

    /// Its algorithm's name.
    pub fn kind_name(&self) -> String {
        match self.kind {
            1 => "SHA-1".into(),
            2 => "SHA-256".into(),
            4 => "SHA-384".into(),
            other => format!("digest {other}"),
        }
    }

    /// True when both its algorithms are known here.
    pub fn is_known(&self) -> bool {
        matches!(self.kind, 1 | 2 | 4) && is_known_algorithm(self.algorithm)
    }

    /// True when it is that of the key of this zone.
    pub fn fits(&self, zone: &DomainName, key: &Key) -> bool {
        let algorithm = match self.kind {
            1 => &SHA1_FOR_LEGACY_USE_ONLY,
            2 => &SHA256,
            4 => &SHA384,
            _ => return false,
        };
        self.tag == key.tag
            && self.algorithm == key.algorithm
            && digest::digest(algorithm, &[zone.lower().wire(), &key.data].concat()).as_ref() == self.digest
    }
}

/// A signature over the records of one name and type (RFC 4034 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The type of records it covers.
    pub covers: Kind,
    /// Its algorithm.
    pub algorithm: u8,
    /// How many labels the name had when it was signed; fewer than now when it came of a wildcard.
    pub labels: u8,
    /// The last second it counts, since 1970.
    pub expires: u32,
    /// The first.
    pub begins: u32,
    /// The key that made it.
    pub tag: u16,
    /// The zone that made it.
    pub signer: DomainName,
    ttl: u32,
    signature: Vec<u8>,
}

impl Signature {
    /// The signature in the data of an RRSIG record.
    pub fn read(data: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(data);
        Some(Self {
            covers: Kind(reader.u16().ok()?),
            algorithm: reader.u8().ok()?,
            labels: reader.u8().ok()?,
            ttl: reader.u32().ok()?,
            expires: reader.u32().ok()?,
            begins: reader.u32().ok()?,
            tag: reader.u16().ok()?,
            signer: reader.name().ok()?,
            signature: reader.rest().to_vec(),
        })
    }

    /// What is wrong with its times at `now`, in seconds since 1970 that may wrap (RFC 1982).
    pub fn wrong_time(&self, now: u32) -> Option<String> {
        let before = |a: u32, b: u32| a != b && b.wrapping_sub(a) < 1 << 31;
        let day = |seconds| {
            let text = rdata::time(seconds);
            let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
            format!("{}-{}-{} {}:{} UTC", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12))
        };
        if before(self.expires, now) {
            return Some(format!("it expired on {}", day(self.expires)));
        }
        before(now, self.begins).then(|| format!("it begins to count on {} only", day(self.begins)))
    }

    /// True when the key made it over these records, all of one name and type.
    pub fn holds(&self, key: &Key, owner: &DomainName, records: &[&Record]) -> bool {
        key.made(&self.signature, &self.signed(owner, records))
    }

    /// The text that is signed (RFC 4034 §3.1.8.1).
    fn signed(&self, owner: &DomainName, records: &[&Record]) -> Vec<u8> {
        let mut text = Vec::new();
        text.extend_from_slice(&self.covers.0.to_be_bytes());
        text.extend_from_slice(&[self.algorithm, self.labels]);
        for number in [self.ttl, self.expires, self.begins] {
            text.extend_from_slice(&number.to_be_bytes());
        }
        text.extend_from_slice(&self.tag.to_be_bytes());
        text.extend_from_slice(self.signer.lower().wire());
        let labels = usize::from(self.labels);
        let name = match labels < depth(owner) {
            true => owner.last(labels).child(b"*").unwrap_or_else(|| owner.clone()),
            false => owner.clone(),
        };
        let mut data: Vec<_> =
            records.iter().map(|record| rdata::canonical(record.kind, &record.data)).collect();
        data.sort();
        data.dedup();
        for data in data {
            text.extend_from_slice(name.lower().wire());
            text.extend_from_slice(&self.covers.0.to_be_bytes());
            text.extend_from_slice(&IN.to_be_bytes());
            text.extend_from_slice(&self.ttl.to_be_bytes());
            // It came with a length of two bytes, and writing out its names can add little to it.
            text.extend_from_slice(&(data.len() as u16).to_be_bytes());
            text.extend_from_slice(&data);
        }
        text
    }
}

/// The labels of a name as signatures count them: without that of a wildcard.
pub fn depth(name: &DomainName) -> usize {
    name.depth() - usize::from(name.labels().next() == Some(b"*"))
}

/// The hash that stands for a name in a zone with NSEC3 (RFC 5155 §5).
pub fn hashed(name: &DomainName, salt: &[u8], iterations: u16) -> Vec<u8> {
    let mut hash = digest::digest(&SHA1_FOR_LEGACY_USE_ONLY, &[name.lower().wire(), salt].concat());
    for _ in 0..iterations {
        hash = digest::digest(&SHA1_FOR_LEGACY_USE_ONLY, &[hash.as_ref(), salt].concat());
    }
    hash.as_ref().to_vec()
}

/// Reads a key as zone files have it: flags, protocol, algorithm, Base64.
pub fn key_from_text(words: &[&str]) -> Option<Key> {
    let [flags, protocol, algorithm, public @ ..] = words else { return None };
    let mut data = flags.parse::<u16>().ok()?.to_be_bytes().to_vec();
    data.extend([protocol.parse::<u8>().ok()?, algorithm.parse::<u8>().ok()?]);
    data.extend(base::from_base64(&public.concat()).filter(|public| !public.is_empty())?);
    Key::read(&data)
}

/// Reads a digest as zone files have it: tag, algorithm, kind, hexadecimal.
pub fn digest_from_text(words: &[&str]) -> Option<Digest> {
    let [tag, algorithm, kind, digest @ ..] = words else { return None };
    let digest = base::from_hex(&digest.concat()).filter(|digest| !digest.is_empty())?;
    Some(Digest {
        tag: tag.parse().ok()?,
        algorithm: algorithm.parse().ok()?,
        kind: kind.parse().ok()?,
        digest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6605 §6.1: a key, its DS record and a signature made by it.
    #[test]
    fn the_example_of_the_rfc_holds() {
        let zone = DomainName::parse("example.net").unwrap();
        let key = key_from_text(&[
            "257",
            "3",
            "13",
            "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==",
        ])
        .unwrap();
        assert_eq!(key.tag, 55648);
        let ds = digest_from_text(&[
            "55648",
            "13",
            "2",
            "b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17",
        ])
        .unwrap();
        assert!(ds.fits(&zone, &key));
        let record = Record {
            name: DomainName::parse("www.example.net").unwrap(),
            kind: Kind::A,
            class: IN,
            ttl: 3600,
            data: vec![192, 0, 2, 1],
        };
        let signature = Signature {
            covers: Kind::A,
            algorithm: 13,
            labels: 3,
            ttl: 3600,
            // 2010-09-09 and 2010-08-12, each at 10:04:39 UTC.
            expires: 1_284_026_679,
            begins: 1_281_607_479,
            tag: 55648,
            signer: zone,
            signature: base::from_base64(
                "qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==",
            )
            .unwrap(),
        };
        assert!(signature.holds(&key, &record.name, &[&record]));
        let other = Record { data: vec![192, 0, 2, 2], ..record.clone() };
        assert!(!signature.holds(&key, &record.name, &[&other]));
        assert_eq!(signature.wrong_time(1_284_026_679), None);
        assert_eq!(signature.wrong_time(1_284_026_680).unwrap(), "it expired on 2010-09-09 10:04 UTC");
        assert!(signature.wrong_time(1_281_607_478).unwrap().starts_with("it begins to count on 2010-08-12"));
    }

    proptest::proptest! {
        #[test]
        fn no_key_and_no_signature_makes_it_panic(
            key in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80),
            signature in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80),
            algorithm in 0_u8..20,
        ) {
            let key = Key::read(&[&[1, 0, 3, algorithm], key.as_slice()].concat()).unwrap();
            let _ = Digest::read(&signature).map(|digest| digest.fits(&DomainName::root(), &key));
            if let Some(mut signature) = Signature::read(&signature) {
                signature.algorithm = algorithm;
                let _ = (signature.holds(&key, &DomainName::root(), &[]), signature.wrong_time(0));
            }
        }
    }

    #[test]
    fn hashed_names() {
        // RFC 5155 appendix A.
        let hash = hashed(&DomainName::parse("example").unwrap(), &[0xaa, 0xbb, 0xcc, 0xdd], 12);
        assert_eq!(base::base32(&hash), "0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM");
    }
}

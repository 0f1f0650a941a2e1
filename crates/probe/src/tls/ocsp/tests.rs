//! Staples made here, by authorities made here.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use jiff::Timestamp;
use netwark_model::tools::tls::TrustProblemKind;
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    PublicKeyData, SigningKey, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, ServerName};

use super::*;
use crate::tls::Trust;

const ECDSA_SHA256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const SHA1: &[u8] = &[0x2b, 0x0e, 3, 2, 0x1a];
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut bytes = vec![tag];
    match content.len() {
        length @ 0..=0x7f => bytes.push(length as u8),
        length => bytes.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    bytes.extend(content);
    bytes
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, parts)
}

fn bits(content: &[u8]) -> Vec<u8> {
    element(3, &[&[0], content])
}

/// An authority with a certificate of a server, and somebody who may answer for it.
struct Pki {
    authority: CertifiedIssuer<'static, KeyPair>,
    leaf: Vec<u8>,
}

/// How a staple is made; every field may be wrong.
struct Staple<'a> {
    serial: &'a [u8],
    hash: &'a [u8],
    state: Vec<u8>,
    times: (&'a str, Option<&'a str>),
    signer: &'a KeyPair,
    responder: Vec<u8>,
    certificates: Vec<Vec<u8>>,
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

impl Pki {
    fn new(name: &str) -> Self {
        let mut params = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut params = named("www.test");
        params.serial_number = Some(vec![7, 1].into());
        let leaf = params.signed_by(&KeyPair::generate().unwrap(), &authority).unwrap();
        Self { leaf: leaf.der().to_vec(), authority }
    }

    fn key(&self) -> &KeyPair {
        self.authority.key()
    }

    fn name(&self) -> Vec<u8> {
        X509Certificate::from_der(self.authority.der()).unwrap().1.subject().as_raw().to_vec()
    }

    fn issuers(&self) -> Vec<Issuer<'static>> {
        let (_, parsed) = X509Certificate::from_der(self.authority.der()).unwrap();
        vec![Issuer { name: self.name().into(), key: parsed.public_key().raw.to_vec().into() }]
    }

    /// A certificate for who answers in the authority's place, and its key.
    fn responder(&self, purpose: ExtendedKeyUsagePurpose, until: i32) -> (Vec<u8>, KeyPair) {
        let mut params = named("responder");
        params.extended_key_usages = vec![purpose];
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.authority).unwrap().der().to_vec(), key)
    }

    /// A staple as it should be.
    fn good(&self) -> Staple<'_> {
        Staple {
            serial: &[7, 1],
            hash: SHA1,
            state: element(0x80, &[]),
            times: ("20260301120000Z", Some("20260308120000Z")),
            signer: self.key(),
            responder: element(0xa1, &[&self.name()]),
            certificates: Vec::new(),
        }
    }

    fn make(&self, staple: &Staple<'_>) -> Vec<u8> {
        let hashed = |bytes: &[u8]| match staple.hash == SHA1 {
            true => digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec(),
            false => digest(&SHA256, bytes).as_ref().to_vec(),
        };
        let id = sequence(&[
            &sequence(&[&element(6, &[staple.hash]), &[5, 0]]),
            &element(4, &[&hashed(&self.name())]),
            &element(4, &[&hashed(self.key().der_bytes())]),
            &element(2, &[staple.serial]),
        ]);
        let update = element(0x18, &[staple.times.0.as_bytes()]);
        let next = staple.times.1.map(|next| element(0xa0, &[&element(0x18, &[next.as_bytes()])]));
        let single = sequence(&[&id, &staple.state, &update, &next.unwrap_or_default()]);
        let data = sequence(&[&staple.responder, &update, &sequence(&[&single])]);
        let signature = staple.signer.sign(&data).unwrap();
        let sent: Vec<&[u8]> = staple.certificates.iter().map(Vec::as_slice).collect();
        let sent = match sent.is_empty() {
            true => Vec::new(),
            false => element(0xa0, &[&sequence(&sent)]),
        };
        let basic = sequence(&[&data, &sequence(&[ECDSA_SHA256]), &bits(&signature), &sent]);
        let object = element(6, &[&[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]]);
        let inner = sequence(&[&object, &element(4, &[&basic])]);
        sequence(&[&element(0x0a, &[&[0]]), &element(0xa0, &[&inner])])
    }

    fn read(&self, bytes: &[u8]) -> OcspStaple {
        self.read_by(bytes, &self.issuers())
    }

    fn read_by(&self, bytes: &[u8], issuers: &[Issuer<'_>]) -> OcspStaple {
        let now: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
        let algorithms = default_provider().signature_verification_algorithms.all;
        read(bytes, &self.leaf, issuers, algorithms, now).unwrap()
    }

    fn told(&self, staple: &Staple<'_>) -> (String, Option<String>) {
        let read = self.read(&self.make(staple));
        assert_eq!(read.trusted, read.problem.is_none());
        (read.status, read.problem)
    }
}

#[test]
fn what_the_authority_has_signed_is_believed() {
    let pki = Pki::new("authority");
    let staple = pki.read(&pki.make(&pki.good()));
    assert_eq!((staple.status.as_str(), staple.trusted, staple.problem), ("good", true, None));
    assert_eq!(staple.this_update, "2026-03-01T12:00:00Z".parse().ok());
    assert_eq!(staple.next_update, "2026-03-08T12:00:00Z".parse().ok());

    let at = element(0x18, &[b"20260228000000Z"]);
    let revoked = Staple { state: element(0xa1, &[&at]), hash: SHA_256, ..pki.good() };
    let staple = pki.read(&pki.make(&revoked));
    assert_eq!((staple.status.as_str(), staple.trusted), ("revoked", true));
    assert_eq!(staple.revoked_at, "2026-02-28T00:00:00Z".parse().ok());

    let by_key = element(4, &[digest(&SHA1_FOR_LEGACY_USE_ONLY, pki.key().der_bytes()).as_ref()]);
    let by_key = Staple { responder: element(0xa2, &[&by_key]), state: element(0x82, &[]), ..pki.good() };
    assert_eq!(pki.told(&by_key), ("unknown".into(), None));
    let without_end = Staple { times: ("20260301120000Z", None), ..pki.good() };
    assert_eq!(pki.told(&without_end), ("good".into(), None));
}

#[test]
fn who_was_given_the_task_may_sign() {
    let pki = Pki::new("authority");
    let other = Pki::new("authority");
    let by = |(certificate, key): &(Vec<u8>, KeyPair)| {
        let name = X509Certificate::from_der(certificate).unwrap().1.subject().as_raw().to_vec();
        let staple = Staple {
            signer: key,
            responder: element(0xa1, &[&name]),
            certificates: vec![pki.leaf.clone(), certificate.clone()],
            ..pki.good()
        };
        pki.told(&staple).1.unwrap_or_default()
    };
    assert_eq!(by(&pki.responder(ExtendedKeyUsagePurpose::OcspSigning, 2030)), "");
    for (responder, why) in [
        (pki.responder(ExtendedKeyUsagePurpose::ServerAuth, 2030), "not for signing OCSP"),
        (pki.responder(ExtendedKeyUsagePurpose::OcspSigning, 2020), "has ended"),
        (other.responder(ExtendedKeyUsagePurpose::OcspSigning, 2030), "was not signed by the authority"),
        (
            Pki::new("somebody").responder(ExtendedKeyUsagePurpose::OcspSigning, 2030),
            "whom the authority of the certificate does not know",
        ),
    ] {
        let told = by(&responder);
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn what_is_not_to_be_believed_says_why() {
    let pki = Pki::new("authority");
    let stranger = KeyPair::generate().unwrap();
    for (staple, why) in [
        (Staple { signer: &stranger, ..pki.good() }, "its signature is wrong"),
        (Staple { serial: &[9], ..pki.good() }, "it is about another certificate"),
        (Staple { hash: &[0x2a], ..pki.good() }, "it is about another certificate"),
        (Staple { responder: element(0xa1, &[&sequence(&[])]), ..pki.good() }, "neither the authority"),
        (
            Staple { times: ("20260101000000Z", Some("20260201000000Z")), ..pki.good() },
            "it was to be renewed by 2026-02-01 00:00 UTC",
        ),
        (Staple { times: ("20260401000000Z", None), ..pki.good() }, "which is yet to come"),
        (Staple { times: ("x", None), ..pki.good() }, "does not say when"),
    ] {
        let (status, told) = pki.told(&staple);
        assert_eq!(status, "good", "what is said is told all the same");
        assert!(told.as_ref().is_some_and(|told| told.contains(why)), "{told:?}");
    }
    let good = pki.make(&pki.good());
    assert!(pki.read_by(&good, &[]).problem.unwrap().contains("was not sent"));
    let changed = pki.make(&pki.good());
    let place = changed.windows(15).position(|text| text == b"20260308120000Z").unwrap();
    let mut changed = changed;
    changed[place + 3] = b'7';
    assert_eq!(pki.read(&changed).problem.as_deref(), Some("its signature is wrong"));
}

#[test]
fn what_is_no_answer_says_so() {
    let pki = Pki::new("authority");
    assert_eq!(read(&[], &[], &[], &[], Timestamp::UNIX_EPOCH), None);
    assert_eq!(pki.read(b"nonsense").status, "cannot be read");
    for (code, told) in [(3, "asks to be asked later"), (6, "does not answer for"), (9, "cannot be read")] {
        let staple = pki.read(&sequence(&[&element(0x0a, &[&[code]])]));
        assert!(staple.status.contains(told) && !staple.trusted, "{staple:?}");
    }
}

#[test]
fn a_revocation_counts_only_where_it_is_believed() {
    let pki = Pki::new("authority");
    let mut roots = RootCertStore::empty();
    roots.add(pki.authority.der().clone()).unwrap();
    let trust = Trust::in_roots(roots);
    let chain = [CertificateDer::from(pki.leaf.clone())];
    let now = "2026-03-02T00:00:00Z".parse().unwrap();
    let name = ServerName::try_from("www.test").unwrap();
    let stranger = KeyPair::generate().unwrap();
    for (signer, believed) in [(pki.key(), true), (&stranger, false)] {
        let at = element(0x18, &[b"20260228000000Z"]);
        let revoked = Staple { state: element(0xa1, &[&at]), signer, ..pki.good() };
        // The authority was not sent: it is one of the roots.
        let staple = trust.staple(&pki.make(&revoked), &chain, now).unwrap();
        assert_eq!((staple.status.as_str(), staple.trusted), ("revoked", believed), "{staple:?}");
        let problems = trust.problems(&chain, &name, Some(&staple), now);
        let counts = problems.iter().any(|problem| problem.kind == TrustProblemKind::Revoked);
        assert_eq!(counts, believed, "{problems:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 1..300)) {
        let _ = read(&bytes, &[], &[], &[], Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn a_response_that_is_cut_or_changed_is_never_believed(
        at in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>(), bit in 0u8..8,
    ) {
        let pki = Pki::new("authority");
        let good = pki.make(&pki.good());
        let before = pki.read(&good);
        let mut bytes = good.clone();
        let place = at.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let read = pki.read(&bytes);
        // Not everything is signed: what stands around it may change and say the same.
        prop_assert!(!read.trusted || read == before, "{read:?}");
        prop_assert!(!pki.read(&good[..cut.index(good.len()).max(1)]).trusted);
    }
}

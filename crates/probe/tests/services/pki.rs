//! Authorities and certificates, good and bad.

use netwark_probe::tls::Trust;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate with what is sent along, and its key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// A root, and an authority below it.
pub(crate) struct Pki {
    root: CertifiedIssuer<'static, KeyPair>,
    middle: CertifiedIssuer<'static, KeyPair>,
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

/// What a certificate for these names is made of.
pub(crate) fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, "a server");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// The same, from one year to another.
pub(crate) fn between(names: &[&str], first: i32, last: i32) -> CertificateParams {
    let mut params = params(names);
    params.not_before = date_time_ymd(first, 1, 1);
    params.not_after = date_time_ymd(last, 1, 1);
    params
}

fn key(pair: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(pair.serialize_der()).into()
}

impl Pki {
    pub(crate) fn new() -> Self {
        Self::below("Test Root")
    }

    /// The same with a root of this name.
    pub(crate) fn below(root: &str) -> Self {
        let root = CertifiedIssuer::self_signed(authority(root), KeyPair::generate().unwrap()).unwrap();
        let middle =
            CertifiedIssuer::signed_by(authority("Test Middle"), KeyPair::generate().unwrap(), &root)
                .unwrap();
        Self { root, middle }
    }

    /// Trusts the root of these certificates.
    pub(crate) fn trust(&self) -> Trust {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.der().clone()).unwrap();
        Trust::in_roots(roots)
    }

    /// A certificate with the one between it and the root.
    pub(crate) fn whole(&self, params: &CertificateParams) -> Identity {
        let mut identity = self.lonely(params);
        identity.chain.push(self.middle.der().clone());
        identity
    }

    /// A certificate without the one between it and the root.
    pub(crate) fn lonely(&self, params: &CertificateParams) -> Identity {
        let pair = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&pair, &self.middle).unwrap();
        Identity { chain: vec![certificate.der().clone()], key: key(&pair) }
    }

    /// The chain with its root.
    pub(crate) fn with_root(&self, params: &CertificateParams) -> Identity {
        let mut identity = self.whole(params);
        identity.chain.push(self.root.der().clone());
        identity
    }
}

/// A certificate that vouches for itself.
pub(crate) fn self_signed(params: &CertificateParams) -> Identity {
    let pair = KeyPair::generate().unwrap();
    Identity { chain: vec![params.self_signed(&pair).unwrap().der().clone()], key: key(&pair) }
}

/// The certificate of an authority for these names, as people make it for a server.
pub(crate) fn authority_for(names: &[&str]) -> CertificateParams {
    let mut params = params(names);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

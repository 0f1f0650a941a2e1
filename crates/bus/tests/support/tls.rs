//! A certificate authority for one test, and a broker's certificate by it.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// Certificates in files, and the port where a broker is to use them.
pub struct Certificates {
    directory: tempfile::TempDir,
    port: u16,
}

/// Makes them, for `localhost`.
pub fn certificates() -> Certificates {
    let directory = tempfile::Builder::new().permissions(open()).tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();

    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let authority_certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);

    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let files = [
        ("authority.pem", authority_certificate.pem()),
        ("certificate.pem", certificate.pem()),
        ("key.pem", key.serialize_pem()),
    ];
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    Certificates { directory, port }
}

/// The broker runs as another user.
fn open() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o755)
}

impl Certificates {
    /// What makes a broker use them.
    pub fn configuration(&self) -> String {
        let file = |name: &str| self.directory.path().join(name).display().to_string();
        format!(
            "listeners.ssl.default = 127.0.0.1:{}\nssl_options.cacertfile = {}\nssl_options.certfile = {}\nssl_options.keyfile = {}\n",
            self.port,
            file("authority.pem"),
            file("certificate.pem"),
            file("key.pem"),
        )
    }

    /// The authority's certificate.
    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }

    /// Where the broker listens.
    pub fn url(&self) -> String {
        format!("amqps://guest:guest@localhost:{}", self.port)
    }
}

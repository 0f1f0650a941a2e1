//! A private root with everything below it, served on loopback.
//!
//! Root, `test` and the zones below have servers (NSD) at addresses of their own, so that delegations have to be
//! followed; one more server (BIND) answers for all of them, as a resolver would, over TLS and HTTPS too.

use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use netwark_lookup::dns::Resolver;
use netwark_lookup::dns::ask::{Asker, Trust};
use netwark_lookup::dns::client::Permit;
use netwark_lookup::dns::client::tls::Tls;
use netwark_lookup::dns::dnssec::Anchors;
use netwark_lookup::dns::iterate::Root;
use netwark_model::tools::dns::{DnsOptions, DnsOutcome};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;

/// Answers for every zone.
pub const ALL: Ipv4Addr = Ipv4Addr::LOCALHOST;
const ROOT: Ipv4Addr = Ipv4Addr::new(127, 53, 0, 11);
const TEST: Ipv4Addr = Ipv4Addr::new(127, 53, 0, 12);
const BELOW: Ipv4Addr = Ipv4Addr::new(127, 53, 0, 13);

/// How a zone is signed.
enum Signing {
    No,
    /// With these arguments of `dnssec-signzone`, by a key of this algorithm.
    With(&'static str, &'static [&'static str]),
}

struct Zone {
    name: &'static str,
    signing: Signing,
    records: &'static str,
    /// What becomes of its digests on their way up.
    digests: fn(String) -> Option<String>,
    /// What becomes of it once it is signed.
    tamper: fn(&str) -> String,
}

const ECDSA: &str = "ECDSAP256SHA256";

fn same(text: String) -> Option<String> {
    Some(text)
}

const fn zone(name: &'static str, signing: Signing, records: &'static str) -> Zone {
    Zone { name, signing, records, digests: same, tamper: str::to_owned }
}

/// The zones, those below before those above.
const ZONES: &[Zone] = &[
    zone("signed.test", Signing::With(ECDSA, &[]), include_str!("signed.test.zone")),
    zone(
        "nsec3.test",
        Signing::With("RSASHA256", &["-3", "AB12"]),
        "www A 192.0.2.3\n*.wild A 192.0.2.4\nplain NS ns\n",
    ),
    zone(
        "optout.test",
        Signing::With("ED25519", &["-3", "-", "-A"]),
        "www A 192.0.2.5\nplain NS ns.plain\nns.plain A 127.53.0.13\n",
    ),
    zone("plain.optout.test", Signing::No, "www A 192.0.2.6\n"),
    zone("newer.test", Signing::With("ED448", &[]), "www A 192.0.2.14\n"),
    zone("unsigned.test", Signing::No, "www A 192.0.2.7\n"),
    zone("big-key.test", Signing::With("ECDSAP384SHA384", &[]), "www A 192.0.2.8\n"),
    zone(
        "expired.test",
        Signing::With(ECDSA, &["-P", "-s", "20200101000000", "-e", "20200201000000"]),
        "www A 192.0.2.9\n",
    ),
    Zone {
        digests: |text| {
            Some(
                text.lines()
                    .map(|line| {
                        let (rest, digest) = line.trim_end().rsplit_once(' ').unwrap();
                        format!(
                            "{rest} {}\n",
                            digest.chars().map(|c| if c == '0' { '1' } else { '0' }).collect::<String>()
                        )
                    })
                    .collect(),
            )
        },
        ..zone("wrong-ds.test", Signing::With(ECDSA, &[]), "www A 192.0.2.10\n")
    },
    Zone {
        tamper: |text| text.replace("192.0.2.11", "192.0.2.99"),
        ..zone("changed.test", Signing::With(ECDSA, &[]), "www A 192.0.2.11\n")
    },
    Zone {
        tamper: without_signatures,
        ..zone("stripped.test", Signing::With(ECDSA, &[]), "www A 192.0.2.12\n")
    },
];

/// Takes the signatures over addresses away, and changes the proof at the top of the zone after it was signed.
fn without_signatures(text: &str) -> String {
    let keeps = |line: &&str| !line.contains("RRSIG\tA ");
    let text = text.lines().filter(keeps).fold(String::new(), |all, line| all + line + "\n");
    text.replace("NS SOA RRSIG", "NS SOA MX RRSIG")
}

pub struct Lab {
    processes: Vec<Child>,
    directory: TempDir,
    pub port: u16,
    pub tls_port: u16,
    pub https_port: u16,
    certificate: rcgen::Certificate,
}

impl Drop for Lab {
    fn drop(&mut self) {
        for process in &self.processes {
            // So that each takes its children along.
            let _ = Command::new("kill").arg(process.id().to_string()).status();
        }
        for process in &mut self.processes {
            let _ = process.wait();
        }
    }
}

impl Lab {
    /// Makes and signs the zones, and waits until they are answered for.
    pub async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        fs::create_dir(path.join("keys")).unwrap();
        let mut delegations = String::new();
        for zone in ZONES {
            let digests = make(path, zone.name, zone.records, &zone.signing, zone.tamper);
            let ns = format!("{0} NS ns.{0}\nns.{0} A {BELOW}\n", zone.name.trim_end_matches(".test"));
            if !zone.name.contains("optout.test") || zone.name == "optout.test" {
                delegations += &ns;
            }
            delegations += &(zone.digests)(digests).unwrap_or_default();
        }
        // Delegated to a server that knows nothing of it, to servers that know each other only, and in a circle.
        delegations += "lame NS ns\nround-a NS ns.round-b\nround-b NS ns.round-a\nborrowed NS ns.signed\n";
        // Signed, as it is said above, and nobody answers for it.
        let _ = writeln!(delegations, "silent NS ns\nsilent DS 1 13 2 {}", "ab".repeat(32));
        let test = format!("ns A {TEST}\nns.borrowed A {BELOW}\n{delegations}");
        let digests = make(path, "test", &test, &Signing::With(ECDSA, &[]), str::to_owned);
        let root = format!("@ NS a.root.\na.root. A {ROOT}\ntest. NS ns.test.\nns.test. A {TEST}\n{digests}");
        make(path, ".", &root, &Signing::With(ECDSA, &[]), str::to_owned);
        make(path, "borrowed.test", "www A 192.0.2.13\n", &Signing::No, str::to_owned);

        let made = rcgen::generate_simple_self_signed(["dns.test".to_owned(), ALL.to_string()]).unwrap();
        fs::write(path.join("cert.pem"), made.cert.pem()).unwrap();
        fs::write(path.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let [port, tls_port, https_port] = [(); 3].map(|()| free_port());
        fs::write(path.join("named.conf"), configuration(path, port, tls_port, https_port)).unwrap();
        let mut processes = vec![start(path, "named", &["-g", "-n", "1", "-c", "named.conf"])];
        for (name, address, zones) in
            [("root", ROOT, vec!["."]), ("test", TEST, vec!["test"]), ("below", BELOW, below())]
        {
            let file = format!("nsd.{name}");
            fs::write(path.join(&file), nsd(path, name, address, port, &zones)).unwrap();
            processes.push(start(path, "nsd", &["-d", "-c", &format!("{}/{file}", path.display())]));
        }
        let mut lab = Self { processes, directory, port, tls_port, https_port, certificate: made.cert };
        lab.wait().await;
        lab
    }

    async fn wait(&mut self) {
        for (address, zone) in [(ALL, "signed.test"), (ROOT, "."), (TEST, "test"), (BELOW, "signed.test")] {
            let asker = self.asker_with(&[(address, self.port).into()]);
            let options =
                DnsOptions { kind: Some("SOA".into()), timeout_ms: 200, tries: 1, ..DnsOptions::default() };
            let mut tries = 0;
            while asker.ask(zone, &options).await.unwrap().status.as_deref() != Some("NOERROR") {
                tries += 1;
                let ended = self.processes.iter_mut().any(|process| process.try_wait().unwrap().is_some());
                assert!(tries < 300 && !ended, "{address} does not answer: {}", self.log());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    pub fn place(&self) -> SocketAddr {
        (ALL, self.port).into()
    }

    /// The anchor of trust of the private root.
    pub fn anchor(&self) -> String {
        fs::read_to_string(self.directory.path().join("dsset-.")).unwrap()
    }

    /// Asks the server that knows all, trusts the private root, and begins traces there.
    pub fn asker(&self) -> Asker {
        self.asker_with(&[self.place()])
    }

    pub fn asker_with(&self, servers: &[SocketAddr]) -> Asker {
        self.asker_trusting(servers, Anchors::from_text(&self.anchor()).unwrap())
    }

    pub fn asker_trusting(&self, servers: &[SocketAddr], anchors: Anchors) -> Asker {
        let everybody: Permit = Arc::new(|_| Ok(()));
        let trust = Trust { root: Root::of(&[(ROOT, self.port).into()]), anchors, tls: self.tls() };
        Asker::new(Resolver::with_servers(servers), everybody, Arc::new(trust))
    }

    fn tls(&self) -> Tls {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        Tls::of(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
    }

    pub async fn ask(&self, target: &str, kind: &str, options: DnsOptions) -> DnsOutcome {
        let options = DnsOptions { kind: Some(kind.into()), ..options };
        self.asker().ask(target, &options).await.unwrap()
    }
}

/// Makes a zone's file and signs it. Returns the digests of its keys.
fn make(path: &Path, name: &str, records: &str, signing: &Signing, tamper: fn(&str) -> String) -> String {
    let file = format!("zone.{name}");
    let ns = if name == "." { String::new() } else { format!("@ NS ns\nns A {BELOW}\n") };
    // Its own server stands in its own list already.
    let ns =
        if records.contains("ns A ") { ns.lines().next().unwrap_or_default().to_owned() + "\n" } else { ns };
    let origin = if name == "." { ".".into() } else { format!("{name}.") };
    let text = format!(
        "$ORIGIN {origin}\n$TTL 300\n@ SOA ns hostmaster 2026112601 3600 600 86400 60\n{ns}{records}"
    );
    fs::write(path.join(&file), text).unwrap();
    let signed = path.join(format!("{file}.signed"));
    let digests = match signing {
        Signing::No => {
            fs::copy(path.join(&file), &signed).unwrap();
            String::new()
        }
        Signing::With(algorithm, arguments) => {
            run(path, "dnssec-keygen", &["-q", "-K", "keys", "-a", algorithm, "-f", "KSK", &origin]);
            let mut all = vec!["-q", "-S", "-z", "-O", "full", "-K", "keys", "-o", &origin, "-f"];
            let output = format!("{file}.signed");
            all.extend([output.as_str()]);
            all.extend(*arguments);
            all.push(&file);
            run(path, "dnssec-signzone", &all);
            fs::read_to_string(path.join(format!("dsset-{origin}"))).unwrap()
        }
    };
    let text = fs::read_to_string(&signed).unwrap();
    fs::write(&signed, tamper(&text)).unwrap();
    digests
}

fn run(path: &Path, program: &str, arguments: &[&str]) {
    let output = Command::new(tool(program)).args(arguments).current_dir(path).output();
    let output = output.unwrap_or_else(|error| panic!("{program} ({error}): install bind9 and bind9-utils"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Debian keeps servers where the path of a user does not lead.
fn tool(program: &str) -> String {
    let system = format!("/usr/sbin/{program}");
    if Path::new(&system).exists() { system } else { program.into() }
}

fn configuration(path: &Path, port: u16, tls_port: u16, https_port: u16) -> String {
    let mut text = format!(
        "options {{ directory \"{0}\"; pid-file none; session-keyfile none; recursion no; dnssec-validation no;\n\
         notify no; allow-query {{ any; }}; server-id \"lab-one\"; listen-on-v6 {{ none; }};\n\
         listen-on port {port} {{ {ALL}; }};\n\
         listen-on port {tls_port} tls lab {{ {ALL}; }};\n\
         listen-on port {https_port} tls lab http local {{ {ALL}; }}; }};\n\
         http local {{ endpoints {{ \"/dns-query\"; }}; }};\n\
         tls lab {{ cert-file \"{0}/cert.pem\"; key-file \"{0}/key.pem\"; }};\n\
         controls {{ }};\n",
        path.display()
    );
    for name in below().into_iter().chain(["test", "."]) {
        let _ = writeln!(
            text,
            "zone \"{name}\" {{ type primary; file \"zone.{name}.signed\"; check-names ignore; }};"
        );
    }
    text
}

fn below() -> Vec<&'static str> {
    ZONES.iter().map(|zone| zone.name).chain(["borrowed.test"]).collect()
}

fn nsd(path: &Path, name: &str, address: Ipv4Addr, port: u16, zones: &[&str]) -> String {
    let mut text = format!(
        "server:\n  ip-address: {address}@{port}\n  zonesdir: \"{0}\"\n  username: \"\"\n  chroot: \"\"\n\
         \x20 database: \"\"\n  pidfile: \"\"\n  xfrdir: \"{0}\"\n  xfrdfile: \"{0}/{name}.xfrd\"\n\
         \x20 zonelistfile: \"{0}/{name}.list\"\n  server-count: 1\nremote-control:\n  control-enable: no\n",
        path.display()
    );
    for zone in zones {
        let _ = writeln!(text, "zone:\n  name: \"{zone}\"\n  zonefile: \"zone.{zone}.signed\"");
    }
    text
}

/// Starts a server whose words go to the log.
fn start(path: &Path, program: &str, arguments: &[&str]) -> Child {
    let log = fs::File::options().create(true).append(true).open(path.join("log")).unwrap();
    let started = Command::new(tool(program))
        .args(arguments)
        .current_dir(path)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn();
    started.unwrap_or_else(|error| panic!("{program} ({error}): install bind9 and nsd"))
}

/// A port that neither protocol uses at any of the addresses.
fn free_port() -> u16 {
    for _ in 0..100 {
        let port = UdpSocket::bind((ALL, 0)).unwrap().local_addr().unwrap().port();
        let free = [ALL, ROOT, TEST, BELOW].iter().all(|address| {
            UdpSocket::bind((*address, port)).is_ok() && TcpListener::bind((*address, port)).is_ok()
        });
        if free {
            return port;
        }
    }
    panic!("no port is free");
}

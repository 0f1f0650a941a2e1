//! The server from outside: its first start, its days, its bad days.

mod broken;
mod operate;
mod proxy;

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::{home, netwark, run, text};

/// A server that is killed when it is dropped.
pub(crate) struct Server {
    process: Child,
    url: String,
}

impl Server {
    /// Starts one and waits until it has written its set-up link, which it does last.
    pub(crate) fn start(home: &TempDir) -> Self {
        let listen = free_address();
        Self::start_as(home, &["serve", "--listen", &listen], format!("http://{listen}"))
    }

    /// The same, with these arguments, to be found at this URL.
    fn start_as(home: &TempDir, arguments: &[&str], url: String) -> Self {
        let process =
            netwark(home.path(), arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut server = Self { process, url };
        while !link_file(home.path()).exists() {
            assert!(server.process.try_wait().unwrap().is_none(), "the server ended at once");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Asks it to end and gives the exit code.
    fn stop(mut self) -> Option<i32> {
        self.signal(rustix::process::Signal::TERM);
        self.process.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Says that a test is skipped; where tests have to be complete, it fails instead.
fn skip(missing: &str) {
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    let _ = writeln!(std::io::stderr(), "skipped: {missing}");
}

/// Waits until something holds.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = std::time::Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(30), "{what} did not happen within 30 s");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Writes the configuration of a home.
fn configure(home: &Path, text: &str) {
    let directory = home.join(".config/netwark");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("netwark.toml"), text).unwrap();
}

/// Does something that waits for others.
pub(crate) fn block_on<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(what)
}

/// A certificate for some names that names itself, in files beside each other.
struct Pair {
    directory: TempDir,
    pem: String,
}

impl Pair {
    fn new(names: &[&str]) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let pem = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap().pem();
        let pair = Self { directory: tempfile::tempdir().unwrap(), pem };
        std::fs::write(pair.certificate(), &pair.pem).unwrap();
        std::fs::write(pair.key(), key.serialize_pem()).unwrap();
        pair
    }

    fn certificate(&self) -> PathBuf {
        self.directory.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.directory.path().join("key.pem")
    }

    /// A client that trusts this certificate alone and finds a name at this address.
    fn client(&self, name: &str, address: &str) -> reqwest::Client {
        let root = reqwest::Certificate::from_pem(self.pem.as_bytes()).unwrap();
        let builder = reqwest::Client::builder().tls_certs_only([root]).no_proxy();
        builder.resolve(name, address.parse().unwrap()).build().unwrap()
    }
}

pub(crate) fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn link_file(home: &Path) -> PathBuf {
    home.join(".local/state/netwark/setup-link")
}

#[test]
fn a_server_measures_for_whoever_has_a_token() {
    let home = home();
    let server = Server::start(&home);

    let link = link_file(home.path());
    assert_eq!(std::fs::metadata(&link).unwrap().permissions().mode() & 0o777, 0o600);
    let link = std::fs::read_to_string(link).unwrap();
    assert!(link.starts_with(&format!("{}/setup#code=", server.url)), "{link}");

    let token = text(&run(&home, &["token", "create", "ci", "--role", "operator"]).stdout);
    let measure = |token: &str, arguments: &[&str]| {
        netwark(home.path(), arguments)
            .env("NETWARK_URL", &server.url)
            .env("NETWARK_TOKEN", token.trim())
            .output()
            .unwrap()
    };
    let trace = ["mtr", "-u", "-c", "2", "-i", "0.1", "--from", "broadcast", "127.0.0.1"];
    let done = measure(&token, &trace);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let report = text(&done.stdout);
    assert!(report.contains("(netwark.broadcast): done") && report.contains("1.|-- "), "{report}");

    let json = measure(&token, &["mtr", "-u", "-c", "1", "--json", "--from", "netwark", "127.0.0.1"]);
    let operation: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(operation["results"][0]["payload"]["trace"]["reached"], true);

    let failed = measure(&token, &["ping", "-6", "--from", "netwark", "127.0.0.1"]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(text(&failed.stdout).contains("IPv6 was asked for"), "{}", text(&failed.stdout));

    // Nobody has to be asked about these, and what comes is told in their order.
    let several = measure(&token, &["whois", "--from", "netwark", "AS64512", "AS0", "10.0.0.1"]);
    assert_eq!(several.status.code(), Some(0), "{}", text(&several.stderr));
    let told = text(&several.stdout);
    let heads: Vec<&str> =
        told.lines().filter_map(|line| line.strip_prefix("--- ")?.split(',').next()).collect();
    assert_eq!(heads, ["AS64512", "AS0", "10.0.0.1"], "{told}");
    let lines = text(&measure(&token, &["whois", "--json", "--from", "netwark", "AS0", "AS64512"]).stdout);
    let targets: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["target"].clone()).collect();
    assert_eq!(targets, ["AS0", "AS64512"]);

    let unknown = measure(&token, &["ping", "--from", "nowhere", "127.0.0.1"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("nowhere"), "{}", text(&unknown.stderr));

    let stranger = measure("", &trace);
    assert_eq!(stranger.status.code(), Some(1));
    assert!(text(&stranger.stderr).contains("NETWARK_TOKEN"), "{}", text(&stranger.stderr));

    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_port_or_directory_in_use_is_told() {
    let home = home();
    let server = Server::start(&home);
    let elsewhere = super::home();
    let port = run(&elsewhere, &["serve", "--listen", server.address()]);
    assert_eq!(port.status.code(), Some(1));
    let told = text(&port.stderr);
    assert!(told.contains(server.address()) && told.contains("--listen"), "{told}");

    let directory = run(&home, &["serve", "--listen", &free_address()]);
    assert_eq!(directory.status.code(), Some(1));
    assert!(text(&directory.stderr).contains("another server or worker uses the data directory"));
}

#[test]
fn a_damaged_database_is_left_as_it_is() {
    let home = home();
    let directory = home.path().join(".local/state/netwark");
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("netwark.db");
    let damaged = "damaged ".repeat(2000);
    std::fs::write(&file, &damaged).unwrap();
    let output = run(&home, &["serve", "--listen", &free_address()]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("netwark.db") && told.contains("nothing was changed"), "{told}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), damaged);
}

#[test]
fn a_data_directory_that_cannot_be_made_is_told() {
    let home = home();
    std::fs::write(home.path().join("file"), "").unwrap();
    let below = home.path().join("file/below");
    let output = run(&home, &["serve", "--data-dir", below.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("file/below") && told.contains("--data-dir"), "{told}");
}

//! The server from outside: its first start, its days, its bad days.

mod broken;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::{home, netwark, run, text};

/// A server that is killed when it is dropped.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    /// Starts one and waits until it has written its set-up link, which it does last.
    fn start(home: &TempDir) -> Self {
        let listen = free_address();
        let process = netwark(home.path(), &["serve", "--listen", &listen])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self { process, url: format!("http://{listen}") };
        while !link_file(home.path()).exists() {
            assert!(server.process.try_wait().unwrap().is_none(), "the server ended at once");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Asks it to end and gives the exit code.
    fn stop(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.process.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_address() -> String {
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

    let unknown = measure(&token, &["ping", "--from", "nowhere", "127.0.0.1"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("netwark.nowhere"), "{}", text(&unknown.stderr));

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
    assert!(text(&directory.stderr).contains("another server uses the data directory"));
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

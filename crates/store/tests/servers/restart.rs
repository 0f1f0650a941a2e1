//! A PostgreSQL of its own that is stopped and started.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use futures::future::join_all;
use netwark_store::notices::{Channel, Heard};
use netwark_store::operations::Created;
use netwark_store::{Store, StoreOptions};

use super::racing::{draft, now};
use super::{hear, said, until};

/// A private server; its directory goes with it.
struct Server {
    bin: PathBuf,
    directory: PathBuf,
    port: u16,
    /// The user and group it runs as, when we are root, which it refuses to be.
    user: Option<(u32, u32)>,
}

impl Server {
    fn new() -> Option<Self> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let Some(bin) = versions.map(|v| v.path().join("bin")).find(|bin| bin.join("initdb").exists()) else {
            assert!(
                std::env::var_os("CI").is_none(),
                "CI must test with PostgreSQL, and it is not installed"
            );
            eprintln!("skipped: PostgreSQL is not installed");
            return None;
        };
        let directory = std::env::temp_dir().join(format!("netwark-pg-{}", uuid::Uuid::now_v7().simple()));
        std::fs::create_dir_all(&directory).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let user = postgres_user();
        if let Some((uid, gid)) = user {
            chown(&directory, Some(uid), Some(gid)).unwrap();
        }
        let server = Self { bin, directory, port, user };
        let data = server.directory.join("data");
        server.run("initdb", &["-D", text(&data), "-U", "netwark", "--auth", "trust", "--no-sync"]);
        Some(server)
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(self.bin.join(program));
        command.args(arguments).current_dir(&self.directory).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        assert!(command.status().unwrap().success(), "{program} {arguments:?}");
    }

    fn start(&self) {
        let sockets = text(&self.directory);
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={sockets} -c fsync=off",
            self.port
        );
        self.run("pg_ctl", &["-D", "data", "-l", "log", "-w", "-o", &options, "start"]);
    }

    fn stop(&self, how: &str) {
        self.run("pg_ctl", &["-D", "data", "-w", "-m", how, "stop"]);
    }

    fn url(&self) -> String {
        format!("postgres://netwark@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.directory.join("data/postmaster.pid").exists() {
            self.stop("immediate");
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The user and group `postgres`, when we are root.
fn postgres_user() -> Option<(u32, u32)> {
    let own = std::fs::read_to_string("/proc/self/status").unwrap();
    let root = own.lines().any(|line| line.starts_with("Uid:\t0\t"));
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let entry = users.lines().find(|line| line.starts_with("postgres:")).filter(|_| root)?;
    let mut fields = entry.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[tokio::test]
async fn a_database_that_stops_is_temporary_and_its_return_enough() {
    let Some(server) = Server::new() else { return };
    let options = StoreOptions { wait: Duration::from_secs(60), ..StoreOptions::new(server.url()) };
    let opening = tokio::spawn(async move { Store::open(&options).await });
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(!opening.is_finished(), "a database that is not there yet is waited for");
    server.start();
    let store = opening.await.unwrap().unwrap();
    let mut listener = store.listen();
    assert_eq!(hear(&mut listener).await, Heard::Lost);
    let leadership = store.leadership();
    until("it leads", async || leadership.is_leader()).await;

    for how in ["fast", "immediate"] {
        store.replace_setting("how", how).await.unwrap();
        server.stop(how);
        // However many wait, they are told as soon as the first of them is.
        let made = (0..300).map(|_| store.create_operation(draft("netwark", false), now()));
        let (written, read, pinged, made) = tokio::join!(
            store.replace_setting("how", "never"),
            store.setting("how"),
            store.ping(),
            join_all(made)
        );
        let told = [written.unwrap_err(), read.unwrap_err(), pinged.unwrap_err()].into_iter();
        for error in told.chain(made.into_iter().map(Result::unwrap_err)) {
            assert!(error.is_temporary(), "{error}");
        }
        until("it does not lead", async || !leadership.is_leader()).await;
        server.start();
        assert_eq!(store.setting("how").await.unwrap().as_deref(), Some(how));
        store.replace_setting("how", "again").await.unwrap();
        let created = store.create_operation(draft("netwark", false), now()).await.unwrap();
        assert!(matches!(created, Created::New { .. }), "{created:?}");
        until("it leads again", async || leadership.is_leader()).await;
        assert_eq!(hear(&mut listener).await, Heard::Lost);
        store.notify(Channel::Changes, how).await.unwrap();
        assert_eq!(hear(&mut listener).await, said(how));
    }
    store.close().await;
}

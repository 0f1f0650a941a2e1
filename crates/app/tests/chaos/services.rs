//! A private PostgreSQL and a private RabbitMQ that can be killed and started again.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::chaos::process::{Process, free_port, output, script, until};

fn postgres_bin() -> Option<PathBuf> {
    let mut versions: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("postgres").exists())
        .collect();
    versions.sort();
    versions.pop()
}

/// True when both are here; fails instead where `CI` is set.
pub(crate) fn are_installed() -> bool {
    let here = postgres_bin().is_some() && Path::new("/usr/sbin/rabbitmq-server").exists();
    assert!(here || std::env::var_os("CI").is_none(), "install postgresql and rabbitmq-server");
    if !here {
        eprintln!("skipped: postgresql or rabbitmq-server is not installed");
    }
    here
}

/// A private PostgreSQL.
pub(crate) struct Postgres {
    bin: PathBuf,
    directory: PathBuf,
    port: u16,
    process: Option<Process>,
}

impl Postgres {
    pub(crate) async fn start(directory: PathBuf) -> Self {
        std::fs::create_dir_all(&directory).unwrap();
        let bin = postgres_bin().unwrap();
        let mut service = Self { bin, directory, port: free_port(), process: None };
        if is_root() {
            output(Command::new("chown").arg("postgres").arg(&service.directory));
        }
        let data = service.directory.join("data");
        let initdb = service.bin.join("initdb");
        let mut command = service.as_postgres(&initdb);
        output(command.arg("-D").arg(data).args(["-U", "netwark", "--auth", "trust", "--no-sync"]));
        service.start_again().await;
        let mut create = Command::new(service.bin.join("createdb"));
        output(create.args(["-h", "127.0.0.1", "-p", &service.port.to_string(), "-U", "netwark", "netwark"]));
        service
    }

    /// PostgreSQL refuses to run as root.
    fn as_postgres(&self, program: &Path) -> Command {
        let mut command = Command::new(if is_root() { Path::new("setpriv") } else { program });
        if is_root() {
            command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]).arg(program);
        }
        command.current_dir(&self.directory);
        command
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How it is reached by a port of loopback.
    pub(crate) fn url(port: u16) -> String {
        format!("postgres://netwark@127.0.0.1:{port}/netwark")
    }

    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    pub(crate) async fn start_again(&mut self) {
        let ready = self.bin.join("pg_isready");
        let port = self.port.to_string();
        loop {
            let postgres = self.bin.join("postgres");
            let mut command = self.as_postgres(&postgres);
            command.arg("-D").arg(self.directory.join("data")).args(["-p", &port]);
            for setting in ["listen_addresses=127.0.0.1", "max_connections=100"] {
                command.args(["-c", setting]);
            }
            command.args(["-c", &format!("unix_socket_directories={}", self.directory.display())]);
            let log = self.directory.join("log");
            let mut process = Process::spawn(&mut command, &log);
            let mut answers = false;
            until("PostgreSQL answers", || {
                let mut probe = Command::new(&ready);
                probe.args(["-q", "-h", "127.0.0.1", "-p", &port]);
                answers = probe.status().is_ok_and(|status| status.success());
                let ended = !process.runs();
                async move { answers || ended }
            })
            .await;
            if process.runs() {
                self.process = Some(process);
                return;
            }
            // Children of the one that was killed still hold its memory; they end by themselves.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    }
}

/// A private RabbitMQ.
pub(crate) struct Rabbit {
    directory: PathBuf,
    url: String,
}

impl Rabbit {
    pub(crate) fn start(directory: PathBuf) -> Self {
        let url = output(Command::new(script("rabbitmq")).arg("start").arg(&directory));
        Self { directory, url }
    }

    pub(crate) fn port(&self) -> u16 {
        self.url.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// How it is reached by a port of loopback.
    pub(crate) fn url(&self, port: u16) -> String {
        format!("{}:{port}", self.url.rsplit_once(':').unwrap().0)
    }

    pub(crate) fn kill(&self) {
        output(Command::new(script("rabbitmq")).arg("kill").arg(&self.directory));
    }

    pub(crate) async fn start_again(&self) {
        let directory = self.directory.clone();
        let start = move || output(Command::new(script("rabbitmq")).arg("start").arg(directory));
        tokio::task::spawn_blocking(start).await.unwrap();
    }
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        let _ = Command::new(script("rabbitmq")).arg("stop").arg(&self.directory).status();
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

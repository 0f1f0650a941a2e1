//! PostgreSQL and RabbitMQ: private ones that can be killed and started again, and those the tests were given.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::chaos::process::{Process, free_port, output, script, until};

/// Where a service is, as a URL in three parts.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    before: String,
    pub(crate) port: u16,
    after: String,
}

impl Place {
    /// None when it is not at a port of this machine's loopback.
    fn of(url: &str) -> Option<Self> {
        let (before, rest) = url.split_once("127.0.0.1:")?;
        let (port, after) = rest.split_once('/').map_or((rest, String::new()), |(p, a)| (p, format!("/{a}")));
        Some(Self { before: format!("{before}127.0.0.1:"), port: port.parse().ok()?, after })
    }

    /// How it is reached by a port of loopback.
    pub(crate) fn url(&self, port: u16) -> String {
        format!("{}{port}{}", self.before, self.after)
    }
}

/// An empty database and a virtual host on the services that the tests were given; none when their scripts
/// did not start them.
pub(crate) fn given() -> Option<(Place, Place)> {
    let server = Place::of(&std::env::var("NETWARK_TEST_POSTGRES_URL").ok()?)?;
    std::env::var_os("NETWARK_TEST_AMQP_DIR")?;
    let broker = Place::of(&crate::broker::given()?)?;
    let name = format!("netwark_{}", uuid::Uuid::now_v7().simple());
    let mut create = Command::new(postgres_bin()?.join("createdb"));
    let database = Place { after: format!("/{name}"), ..server };
    let maintenance = database.url(database.port).replace(&name, "postgres");
    output(create.arg("--maintenance-db").arg(maintenance).arg(name));
    Some((database, broker))
}

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

    /// Where it is.
    pub(crate) fn place(&self) -> Place {
        let (before, after) = ("postgres://netwark@127.0.0.1:".into(), "/netwark".into());
        Place { before, port: self.port, after }
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
            // A process that is killed loses nothing that the kernel has, so there is nothing to sync.
            for setting in ["listen_addresses=127.0.0.1", "max_connections=100", "fsync=off"] {
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
    pub(crate) async fn start(directory: PathBuf) -> Self {
        let place = directory.clone();
        let start = move || output(Command::new(script("rabbitmq")).arg("start").arg(place));
        let url = tokio::task::spawn_blocking(start).await.unwrap();
        Self { directory, url }
    }

    /// Where it is.
    pub(crate) fn place(&self) -> Place {
        Place::of(&self.url).unwrap()
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

//! Servers on one database and one broker, and workers of both kinds.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::chaos::detour::Detour;
use crate::chaos::process::{Process, free_port, netwark, output, until};
use crate::chaos::services::{self, Place, Postgres, Rabbit};

/// A part that can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Server(usize),
    Worker(usize),
    Broker,
    Database,
}

/// Every part, in the order in which they are killed in turn.
pub(crate) const PARTS: [Part; 7] = [
    Part::Worker(0),
    Part::Server(0),
    Part::Broker,
    Part::Worker(2),
    Part::Server(1),
    Part::Database,
    Part::Worker(1),
];

/// What a cluster is made of.
pub(crate) struct Shape {
    pub(crate) servers: usize,
    /// The server each worker is linked to by WebSocket; without one it takes its work from the broker.
    pub(crate) workers: &'static [Option<usize>],
    /// Seconds between signs of life on connections to the broker.
    pub(crate) heartbeat: u16,
    /// The broker and the database are killed, so they are private.
    pub(crate) mortal: bool,
    /// The broker and the database are reached by detours, and statements end after two seconds.
    pub(crate) detours: bool,
}

impl Shape {
    /// Two servers and three workers of both kinds.
    pub(crate) const FULL: Self =
        Self { servers: 2, workers: &[Some(0), Some(1), None], heartbeat: 5, mortal: true, detours: false };
}

/// The ways to the broker and the database.
pub(crate) struct Detours {
    pub(crate) broker: Detour,
    pub(crate) database: Detour,
}

/// How a worker reaches the servers.
enum Link {
    /// By WebSocket to this server.
    Server(usize, String),
    Broker,
}

struct Member {
    data: PathBuf,
    link: Link,
    process: Option<Process>,
}

/// Everything that runs.
pub(crate) struct Cluster {
    private: Option<(Postgres, Rabbit)>,
    /// The database and the broker.
    places: (Place, Place),
    detours: Option<Detours>,
    heartbeat: u16,
    servers: Vec<(PathBuf, u16, Option<Process>)>,
    workers: Vec<Member>,
    token: String,
    directory: TempDir,
}

impl Cluster {
    pub(crate) async fn start(shape: Shape) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let directory = tempfile::tempdir().unwrap();
        let below = |name: &str| directory.path().join(name);
        // Services drop their privileges and have to pass through.
        output(Command::new("chmod").arg("755").arg(directory.path()));
        let given = if shape.mortal { None } else { services::given() };
        let (places, private) = match given {
            Some(places) => (places, None),
            None => {
                let starting = (Rabbit::start(below("rabbit")), Postgres::start(below("postgres")));
                let (rabbit, postgres) = tokio::join!(starting.0, starting.1);
                ((postgres.place(), rabbit.place()), Some((postgres, rabbit)))
            }
        };
        let detours = match shape.detours {
            true => Some(Detours {
                broker: Detour::start("127.0.0.1:0", places.1.port).await,
                database: Detour::start("127.0.0.1:0", places.0.port).await,
            }),
            false => None,
        };
        let server = |number| (below(&format!("server-{number}")), free_port(), None);
        let servers = (0..shape.servers).map(server).collect();
        let (heartbeat, workers, token) = (shape.heartbeat, Vec::new(), String::new());
        let mut cluster = Self { private, places, detours, heartbeat, servers, workers, token, directory };
        for server in 0..cluster.servers.len() {
            cluster.start_again(Part::Server(server)).await;
        }
        let mut token = cluster.server_command(0);
        cluster.token = output(token.args(["token", "create", "chaos", "--role", "admin"]));
        for (number, server) in shape.workers.iter().enumerate() {
            cluster.enrol(number, *server);
            cluster.start_again(Part::Worker(number)).await;
        }
        cluster.wait_for_workers().await;
        cluster
    }

    /// Makes a worker; without a server it is linked by the broker.
    fn enrol(&mut self, number: usize, server: Option<usize>) {
        let name = name(number);
        let token = output(self.server_command(0).args(["workers", "create", &name]));
        let data = self.directory.path().join(&name);
        std::fs::create_dir_all(&data).unwrap();
        let link = match server {
            Some(server) => Link::Server(server, token),
            None => {
                let base = self.base(0);
                output(netwark(&data).args(["worker", "enrol", "--server", &base, "--token", &token]));
                Link::Broker
            }
        };
        self.workers.push(Member { data, link, process: None });
    }

    /// The binary with the settings of a server.
    fn server_command(&self, number: usize) -> Command {
        let mut command = netwark(&self.servers[number].0);
        if self.detours.is_some() {
            command.env("NETWARK_DATABASE__STATEMENT_TIMEOUT", "2000");
        }
        command
            .env("NETWARK_DATABASE__URL", self.database_url())
            .env("NETWARK_BROKER__URL", self.broker_url())
            .env("NETWARK_BROKER__HEARTBEAT", self.heartbeat.to_string())
            .env("NETWARK_SERVER__SECRET_KEY_FILE", self.directory.path().join("secret.key"));
        command
    }

    /// Copies its database into a file.
    pub(crate) fn copy(&self) -> std::process::Output {
        let to = format!("sqlite://{}/copy.db", self.directory.path().display());
        netwark(self.directory.path())
            .args(["copy", "--from", &self.database_url(), "--to", &to])
            .output()
            .unwrap()
    }

    fn database_url(&self) -> String {
        let port = self.detours.as_ref().map(|detours| detours.database.address().port());
        self.places.0.url(port.unwrap_or(self.places.0.port))
    }

    fn broker_url(&self) -> String {
        let port = self.detours.as_ref().map(|detours| detours.broker.address().port());
        self.places.1.url(port.unwrap_or(self.places.1.port))
    }

    /// The ways to the broker and the database, where they are detours.
    pub(crate) fn detours(&self) -> &Detours {
        self.detours.as_ref().unwrap()
    }

    /// Where a server answers.
    pub(crate) fn base(&self, number: usize) -> String {
        format!("http://127.0.0.1:{}", self.servers[number].1)
    }

    /// Where all servers answer.
    pub(crate) fn bases(&self) -> Vec<String> {
        (0..self.servers.len()).map(|number| self.base(number)).collect()
    }

    /// A client that may do everything.
    pub(crate) fn client(&self) -> reqwest::Client {
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        let builder = reqwest::Client::builder().default_headers(headers);
        builder.timeout(Duration::from_secs(10)).no_proxy().build().unwrap()
    }

    pub(crate) fn kill(&mut self, part: Part) {
        match part {
            Part::Server(number) => self.servers[number].2 = None,
            Part::Worker(number) => self.workers[number].process = None,
            Part::Broker => self.private().1.kill(),
            Part::Database => self.private().0.kill(),
        }
    }

    /// The database and the broker, when they are this cluster's own.
    fn private(&mut self) -> &mut (Postgres, Rabbit) {
        self.private.as_mut().unwrap()
    }

    /// Starts what was killed. Servers and workers find what they need by themselves, so nothing is waited for
    /// but what cannot be asked otherwise.
    pub(crate) async fn start_again(&mut self, part: Part) {
        match part {
            Part::Server(number) => {
                let (data, port, _) = &self.servers[number];
                std::fs::create_dir_all(data).unwrap();
                let log = data.join("log");
                let listen = format!("127.0.0.1:{port}");
                let mut command = self.server_command(number);
                self.servers[number].2 =
                    Some(Process::spawn(command.args(["serve", "--listen", &listen]), &log));
                let alive = format!("{}/healthz", self.base(number));
                until("a server answers", || async { reqwest::get(&alive).await.is_ok() }).await;
            }
            Part::Worker(number) => {
                let member = &self.workers[number];
                let mut command = netwark(&member.data);
                command.arg("worker");
                match &member.link {
                    Link::Server(server, token) => {
                        command.args(["--server", &self.base(*server), "--token", token]);
                    }
                    Link::Broker => {
                        command.args(["--broker", &self.broker_url()]);
                        command.env("NETWARK_BROKER__HEARTBEAT", self.heartbeat.to_string());
                    }
                }
                let process = Process::spawn(&mut command, &member.data.join("log"));
                self.workers[number].process = Some(process);
            }
            Part::Broker => self.private().1.start_again().await,
            Part::Database => self.private().0.start_again().await,
        }
    }

    /// Waits until every worker is online.
    pub(crate) async fn wait_for_workers(&self) {
        let client = self.client();
        let url = format!("{}/api/v1/workers", self.base(0));
        let all = self.workers.len();
        until("every worker is online", || async {
            let Ok(answer) = client.get(&url).send().await else { return false };
            let workers: Value = answer.json().await.unwrap_or_default();
            let online = |worker: &&Value| worker["online"] == true;
            workers.as_array().is_some_and(|workers| workers.iter().filter(online).count() == all)
        })
        .await;
    }

    /// The names of all workers.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        (0..self.workers.len()).map(name).collect()
    }

    /// What the parts logged, for a test that fails.
    pub(crate) fn logs(&self) -> String {
        let data = self.servers.iter().map(|server| &server.0);
        let data = data.chain(self.workers.iter().map(|worker| &worker.data));
        data.map(|data| format!("== {}\n{}", data.display(), tail(&data.join("log")))).collect()
    }

    /// Ends everything.
    pub(crate) async fn stop(mut self) {
        self.workers.clear();
        self.servers.clear();
        if let Some((mut postgres, rabbit)) = self.private.take() {
            postgres.kill();
            drop(rabbit);
            // PostgreSQL's children need a moment to follow.
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// The name of a worker.
pub(crate) fn name(number: usize) -> String {
    format!("worker-{number}")
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n") + "\n"
}

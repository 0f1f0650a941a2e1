//! What SIGHUP does: reads the configuration again and takes from it what can change while the program runs.

use netwark_server::App;
use netwark_server::listen::Tls;
use netwark_server::listen::certificate::Certificate;
use netwark_worker::RunningWorker;

use crate::config::layers::Effective;
use crate::config::{Config, Flags};
use crate::{logging, measuring};

/// Keys of the server that count at once; every other one counts at the next start.
const OF_THE_SERVER: [&str; 5] =
    ["log.filter", "log.file", "server.tls_certificate", "server.tls_key", "worker.policy_file"];
/// Keys of a worker that count at once.
const OF_A_WORKER: [&str; 3] = ["log.filter", "log.file", "worker.policy_file"];

/// What was read when the program was started.
#[derive(Debug)]
pub struct Started {
    /// The flags it was started with.
    pub flags: Flags,
    /// What counts at the moment.
    pub effective: Vec<Effective>,
    /// Where lines go.
    pub log: logging::Handle,
}

impl Started {
    /// Reads the configuration again and changes the log. What is wrong is logged, and what ran before it goes on;
    /// then there is nothing to take over.
    fn read_again(&self, at_once: &[&str]) -> Option<Config> {
        let config = match Config::load(&self.flags) {
            Ok(config) => config,
            Err(mistakes) => {
                for mistake in mistakes.0 {
                    tracing::error!(%mistake, "a mistake in the configuration; the running settings are kept");
                }
                return None;
            }
        };
        if let Err(error) = self.log.change(&config.log) {
            tracing::error!(%error, "the log goes on as before");
        }
        let changed = at_the_next_start(&self.effective, &config.effective, at_once);
        if !changed.is_empty() {
            tracing::warn!(keys = changed.join(", "), "these changes count at the next start");
        }
        Some(config)
    }

    /// Reads everything again that a worker takes over while it runs.
    pub fn reload_worker(&self, worker: &RunningWorker) {
        if let Some(config) = self.read_again(&OF_A_WORKER) {
            worker.change_policy(measuring::policy(&config));
            tracing::info!("the configuration was read again");
        }
    }
}

/// What can change while the server runs.
#[derive(Debug)]
pub struct Reload {
    /// What was read when it was started.
    pub started: Started,
    /// The certificate, when there is one.
    pub tls: Option<Tls>,
    /// The server.
    pub app: App,
}

impl Reload {
    /// Reads everything again, for the worker in this process too.
    pub async fn run(&mut self, worker: Option<&RunningWorker>) {
        let Some(config) = self.started.read_again(&OF_THE_SERVER) else { return };
        self.certificate(&config);
        if let Err(error) = self.app.store.declare_queues(&config.queues).await {
            tracing::error!(%error, "the queues of the configuration are not declared");
        }
        if let Some(worker) = worker {
            worker.change_policy(measuring::policy(&config));
        }
        tracing::info!("the configuration was read again");
    }

    fn certificate(&self, config: &Config) {
        let (Some(tls), Some(files)) = (&self.tls, &config.server.tls) else { return };
        match Certificate::load(&files.certificate, &files.key) {
            Ok(certificate) => {
                tls.replace(&certificate);
                tracing::info!(not_after = %certificate.not_after(), "the certificate was read again");
            }
            Err(error) => tracing::error!(%error, "the certificate stays the one that it was"),
        }
    }
}

/// Keys that differ and do not count at once.
fn at_the_next_start(before: &[Effective], after: &[Effective], at_once: &[&str]) -> Vec<&'static str> {
    let value = |all: &[Effective], key: &str| all.iter().find(|e| e.key == key).map(|e| e.value.clone());
    let keys = before.iter().chain(after).map(|effective| effective.key);
    let mut changed: Vec<_> = keys
        .filter(|key| !at_once.contains(key) && *key != crate::config::queues::QUEUES.name)
        .filter(|key| value(before, key) != value(after, key))
        .collect();
    changed.sort_unstable();
    changed.dedup();
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::layers::Origin;

    #[test]
    fn what_needs_a_start_is_named() {
        let all = |values: [(&'static str, &str); 3]| {
            values.map(|(key, value)| Effective { key, value: value.into(), origin: Origin::Default })
        };
        let before = all([("log.filter", "a"), ("server.listen", "b"), ("history.days", "1")]);
        let after = all([("log.filter", "x"), ("server.listen", "y"), ("history.days", "1")]);
        assert_eq!(at_the_next_start(&before, &after, &OF_A_WORKER), ["server.listen"]);
        assert!(at_the_next_start(&before, &before, &[]).is_empty());
    }
}

//! Workers in the database of this machine.

use jiff::Timestamp;
use netwark_model::workers::Worker;
use netwark_server::auth::AuthError;
use netwark_server::workers::commands::{Commands, pair_command};
use netwark_server::workers::enrol;
use netwark_store::Store;
use netwark_store::notices::Channel;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{New, unknown};
use crate::config::{Config, Flags};
use crate::failure::Failure;

/// Who does it, in the timeline.
const BY: &str = "the shell of the server";

/// A database, and how its server is reached.
pub struct Local {
    store: Store,
    config: Config,
    server: String,
}

impl Local {
    /// Opens the database of the configuration.
    ///
    /// # Errors
    /// Those of the configuration and of the database.
    pub async fn open(flags: &Flags) -> Result<Self, Failure> {
        let config = Config::load(flags)?;
        let store = crate::commands::open_store(&config).await?;
        let server = config.server.base_url(&config.server.listen);
        Ok(Self { store, config, server })
    }

    pub async fn close(self) {
        self.store.close().await;
    }

    pub async fn list(&self) -> Result<Value, Failure> {
        Ok(json!(self.store.workers().await.map_err(Failure::failed)?))
    }

    pub async fn add(&self, new: New) -> Result<Value, Failure> {
        self.declare_queues().await?;
        let (worker, token) = enrol::enrol(&self.store, new.worker(), BY).await.map_err(not_made)?;
        Ok(self.enrolled(&worker, token.reveal()))
    }

    pub async fn pair(&self, new: New) -> Result<Value, Failure> {
        self.declare_queues().await?;
        let pairing = enrol::start_pairing(&self.store, new.worker(), BY, Timestamp::now()).await;
        let enrol::Pairing { worker, code, expires_at } = pairing.map_err(not_made)?;
        let command = pair_command(&self.server, &code);
        Ok(json!({ "worker": worker, "code": code, "expires_at": expires_at, "command": command }))
    }

    pub async fn rotate(&self, named: &str) -> Result<Value, Failure> {
        let id = self.find(named).await?;
        let rotated = enrol::rotate(&self.store, id, BY).await.map_err(Failure::failed)?;
        let (worker, token) = rotated.ok_or_else(|| unknown(named))?;
        self.tell_servers(id).await;
        Ok(self.enrolled(&worker, token.reveal()))
    }

    pub async fn revoke(&self, named: &str) -> Result<Value, Failure> {
        let id = self.find(named).await?;
        let revoked = self.store.revoke_worker(id, BY, Timestamp::now()).await.map_err(Failure::failed)?;
        let (worker, _) = revoked.ok_or_else(|| unknown(named))?;
        Ok(self.changed(&worker).await)
    }

    pub async fn drain(&self, named: &str, draining: bool) -> Result<Value, Failure> {
        let id = self.find(named).await?;
        let drained = self.store.drain_worker(id, draining, BY, Timestamp::now()).await;
        let worker = drained.map_err(Failure::failed)?.ok_or_else(|| unknown(named))?;
        Ok(self.changed(&worker).await)
    }

    pub async fn remove(&self, named: &str) -> Result<Value, Failure> {
        let id = self.find(named).await?;
        let removed = self.store.remove_worker(id, BY, Timestamp::now()).await.map_err(Failure::failed)?;
        let (worker, _) = removed.ok_or_else(|| unknown(named))?;
        Ok(self.changed(&worker).await)
    }

    fn enrolled(&self, worker: &Worker, token: &str) -> Value {
        json!({ "worker": worker, "token": token, "commands": Commands::new(&self.server, token) })
    }

    async fn changed(&self, worker: &Worker) -> Value {
        self.tell_servers(worker.id).await;
        json!(worker)
    }

    /// The worker of this name or id.
    async fn find(&self, named: &str) -> Result<Uuid, Failure> {
        let mut found = self.store.worker_named(named).await.map_err(Failure::failed)?;
        if let (None, Ok(id)) = (&found, Uuid::try_parse(named)) {
            found = self.store.worker(id).await.map_err(Failure::failed)?;
        }
        found.map(|worker| worker.id).ok_or_else(|| unknown(named))
    }

    /// A database on which no server has run yet does not know the queues of the configuration.
    async fn declare_queues(&self) -> Result<(), Failure> {
        if self.store.queue_kinds().await.map_err(Failure::failed)?.is_empty() {
            self.store.declare_queues(&self.config.queues).await.map_err(Failure::failed)?;
        }
        Ok(())
    }

    /// Servers on PostgreSQL learn of it at once; on SQLite the running one looks every second.
    async fn tell_servers(&self, id: Uuid) {
        if let Err(error) = self.store.notify(Channel::Workers, &id.to_string()).await {
            tracing::warn!(%error, "servers could not be told; they find out within seconds");
        }
    }
}

/// Why a worker was not made. What is wrong is named as it was typed: by its flag.
fn not_made(error: AuthError) -> Failure {
    crate::commands::auth_failure(match error {
        AuthError::Invalid(mut errors) => {
            for error in &mut errors {
                error.name = flag_of(&error.name);
            }
            AuthError::Invalid(errors)
        }
        other => other,
    })
}

/// The flag behind a field of the API: `--queue` for `queues[0]`.
fn flag_of(field: &str) -> String {
    match field.split(['[', '.']).next().unwrap_or(field) {
        "name" => "name".into(),
        "tags" => "--tag".into(),
        "queues" => "--queue".into(),
        other => format!("--{other}"),
    }
}

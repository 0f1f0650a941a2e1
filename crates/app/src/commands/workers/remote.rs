//! Workers of a server that is asked.

use netwark_model::workers::Worker;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{New, unknown};
use crate::api::Api;
use crate::failure::Failure;

/// A server that knows workers.
pub struct Remote {
    api: Api,
}

impl Remote {
    pub fn new(api: Api) -> Self {
        Self { api }
    }

    pub async fn list(&self) -> Result<Value, Failure> {
        self.api.get("workers").await
    }

    pub async fn add(&self, new: New) -> Result<Value, Failure> {
        self.api.post("workers", &json!(new.worker())).await
    }

    pub async fn pair(&self, new: New) -> Result<Value, Failure> {
        self.api.post("workers/pairings", &json!(new.worker())).await
    }

    pub async fn rotate(&self, named: &str) -> Result<Value, Failure> {
        let id = self.find(named).await?.id;
        self.api.answer(self.api.request(Method::POST, &format!("workers/{id}/token"))).await
    }

    pub async fn revoke(&self, named: &str) -> Result<Value, Failure> {
        let id = self.find(named).await?.id;
        self.api.answer(self.api.request(Method::POST, &format!("workers/{id}/revoke"))).await
    }

    pub async fn drain(&self, named: &str, draining: bool) -> Result<Value, Failure> {
        let id = self.find(named).await?.id;
        self.api.post(&format!("workers/{id}/drain"), &json!({ "draining": draining })).await
    }

    pub async fn remove(&self, named: &str) -> Result<Value, Failure> {
        let worker = self.find(named).await?;
        self.api.send(self.api.request(Method::DELETE, &format!("workers/{}", worker.id))).await?;
        Ok(json!(worker))
    }

    /// The worker of this name or id.
    async fn find(&self, named: &str) -> Result<Worker, Failure> {
        let workers: Vec<Worker> = self.api.get("workers").await?;
        let id = Uuid::try_parse(named).ok();
        let mut found = workers.iter().find(|worker| worker.name.eq_ignore_ascii_case(named));
        found = found.or_else(|| workers.iter().find(|worker| Some(worker.id) == id));
        found.cloned().ok_or_else(|| unknown(named))
    }
}

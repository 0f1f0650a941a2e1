//! Workers of a server that is asked.

use netwark_model::workers::Worker;
use reqwest::Method;
use serde_json::{Map, Value, json};
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

    pub async fn add(&self, new: &New) -> Result<Value, Failure> {
        self.api.post("workers", &body(new)).await
    }

    pub async fn pair(&self, new: &New) -> Result<Value, Failure> {
        self.api.post("workers/pairings", &body(new)).await
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
        let mut found = workers.iter().find(|worker| worker.name == named);
        found = found.or_else(|| workers.iter().find(|worker| Some(worker.id) == id));
        found.cloned().ok_or_else(|| unknown(named))
    }
}

/// What was typed of a new worker.
fn body(new: &New) -> Value {
    let given = [
        ("name", json!(new.name)),
        ("site", json!(new.site)),
        ("location", json!(new.location)),
        ("coordinates", json!(new.coordinates)),
        ("country", json!(new.country)),
        ("asn", json!(new.asn)),
        ("tags", json!(new.tags)),
        ("queues", json!(new.queues)),
    ];
    let is_given = |value: &Value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
    let given = given.into_iter().filter(|(_, value)| is_given(value));
    Value::Object(given.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

//! URLs of webhooks that lie open: a set-up of an older form has them among what may be shown.

use std::collections::BTreeMap;

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveModelTrait, IntoActiveModel, Set};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::entity::channel;
use super::manage::locked;
use crate::convert::{from_text, to_text};
use crate::{Store, StoreError};

/// What the URL is called, among the set-up and among the secrets.
const URL: &str = "url";

impl Store {
    /// Channels whose URL lies open, with that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_channel_urls(&self) -> Result<Vec<(Uuid, String)>, StoreError> {
        let rows =
            channel::Entity::find().filter(channel::Column::Kind.eq("webhook")).all(self.read()).await?;
        let mut open = Vec::new();
        for row in rows {
            let config: Map<String, Value> = from_text("channel", &row.config)?;
            if let Some(url) = config.get(URL).and_then(Value::as_str) {
                open.push((row.id, url.to_owned()));
            }
        }
        Ok(open)
    }

    /// Keeps the URL of a channel sealed from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seal_channel_url(&self, id: Uuid, sealed: String) -> Result<(), StoreError> {
        self.write(move |transaction| {
            Box::pin(async move {
                let Some(row) = locked(transaction, id).await? else { return Ok(()) };
                let mut config: Map<String, Value> = from_text("channel", &row.config)?;
                // Another server may have done it.
                if config.remove(URL).is_none() {
                    return Ok(());
                }
                let mut secrets: BTreeMap<String, String> = from_text("set of secrets", &row.secrets)?;
                secrets.insert(URL.to_owned(), sealed);
                let mut change = row.into_active_model();
                change.config = Set(to_text("channel", &config)?);
                change.secrets = Set(to_text("set of secrets", &secrets)?);
                change.update(transaction).await?;
                Ok(())
            })
        })
        .await
    }
}

//! Networks of workers that are not to be offered.

use std::collections::HashSet;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::convert::{from_text, to_text};
use crate::{Store, StoreError};

/// Under which name they are kept.
const SETTING: &str = "dismissed_offers";
/// Most that are kept; the oldest is offered again when there are more.
const MOST: usize = 2_000;

/// One that is not to be offered.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Dismissed {
    worker: Uuid,
    prefix: IpNet,
}

impl Store {
    /// What is not to be offered, by worker and prefix.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dismissed_offers(&self) -> Result<HashSet<(Uuid, IpNet)>, StoreError> {
        let kept = read(self.setting(SETTING).await?.as_deref())?;
        Ok(kept.into_iter().map(|one| (one.worker, one.prefix)).collect())
    }

    /// Does not offer these prefixes of a worker any more, or does so again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dismiss_offer(
        &self,
        worker: Uuid,
        prefixes: Vec<IpNet>,
        dismissed: bool,
    ) -> Result<(), StoreError> {
        self.edit_setting(SETTING, move |kept| {
            let mut kept = read(kept)?;
            kept.retain(|one| one.worker != worker || !prefixes.contains(&one.prefix));
            if dismissed {
                kept.extend(prefixes.iter().map(|prefix| Dismissed { worker, prefix: *prefix }));
            }
            let oldest = kept.len().saturating_sub(MOST);
            to_text("list of offers", &kept.split_off(oldest))
        })
        .await
    }
}

fn read(kept: Option<&str>) -> Result<Vec<Dismissed>, StoreError> {
    kept.map_or_else(|| Ok(Vec::new()), |text| from_text("list of offers", text))
}

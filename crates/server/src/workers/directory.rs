//! What has to be known of a worker with every report it sends, remembered for a few seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::future::Cache;
use netwark_store::workers::WorkerCard;
use netwark_store::{Store, StoreError};
use uuid::Uuid;

/// How long a worker is believed to be what it was. Another server that revokes it tells at once;
/// this bounds what a lost notice can do.
const BELIEVED: Duration = Duration::from_secs(5);
/// How long a queue is believed to have somebody who takes work from it: every operation asks for it.
const MOMENT: Duration = Duration::from_secs(1);
/// Most workers that are remembered.
const MOST: u64 = 20_000;

/// Cards of workers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Directory {
    cards: Cache<Uuid, Arc<WorkerCard>>,
    /// Goes up with everything that is forgotten, so that what was read before is not remembered after.
    forgotten: Arc<AtomicU64>,
    /// Queues from which somebody takes work.
    taken_from: Cache<String, ()>,
}

impl Default for Directory {
    fn default() -> Self {
        Self {
            cards: Cache::builder().max_capacity(MOST).time_to_live(BELIEVED).build(),
            forgotten: Arc::default(),
            taken_from: Cache::builder().max_capacity(MOST).time_to_live(MOMENT).build(),
        }
    }
}

impl Directory {
    /// The card of a worker; `None` when nobody enrolled it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn card(&self, store: &Store, id: Uuid) -> Result<Option<Arc<WorkerCard>>, StoreError> {
        if let Some(card) = self.cards.get(&id).await {
            return Ok(Some(card));
        }
        let before = self.forgotten.load(Ordering::SeqCst);
        let Some(card) = store.worker_card(id).await? else { return Ok(None) };
        let card = Arc::new(card);
        self.cards.insert(id, Arc::clone(&card)).await;
        // Whoever forgets counts first and then takes out, so one of the two takes out what is old.
        if self.forgotten.load(Ordering::SeqCst) != before {
            self.cards.invalidate(&id).await;
        }
        Ok(Some(card))
    }

    /// True when a member of this queue takes work, or did a moment ago.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_taken_from(&self, store: &Store, queue: &str) -> Result<bool, StoreError> {
        if self.taken_from.contains_key(queue) {
            return Ok(true);
        }
        let is_taken = store.is_taken_from(queue).await?;
        if is_taken {
            self.taken_from.insert(queue.to_owned(), ()).await;
        }
        Ok(is_taken)
    }

    /// Forgets what is known of a worker, because it changed.
    pub async fn forget(&self, id: Uuid) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.cards.invalidate(&id).await;
        self.taken_from.invalidate_all();
    }

    /// Forgets everything, because changes may have been missed.
    pub fn forget_all(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.cards.invalidate_all();
        self.taken_from.invalidate_all();
    }
}

//! How often a server is asked: registries shut out who asks too often.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Servers that are remembered; what was long ago is forgotten when there are more.
const MOST_SERVERS: usize = 4096;

/// How often.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// The time between two questions in the long run.
    pub(super) gap: Duration,
    /// So many may come at once.
    pub(super) burst: u32,
    /// The longest that a question waits for its turn.
    pub(super) patience: Duration,
    /// How long a server is left alone that has had enough.
    pub(super) rest: Duration,
}

/// A cap for each server.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Rate,
    /// When the next question would be due if all had waited for their turn.
    due: Mutex<HashMap<String, Instant>>,
}

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, due: Mutex::default() }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// How long there is none.
    pub(super) async fn turn(&self, server: &str) -> Result<(), Duration> {
        let until = {
            let now = Instant::now();
            let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
            if due.len() > MOST_SERVERS {
                due.retain(|_, due| *due > now);
            }
            let allowance = self.rate.gap * self.rate.burst.saturating_sub(1);
            let turn = due.get(server).map_or(now, |due| (*due).max(now));
            let until = turn.checked_sub(allowance).unwrap_or(now).max(now);
            if until - now > self.rate.patience {
                return Err(until - now);
            }
            due.insert(server.to_owned(), turn + self.rate.gap);
            until
        };
        tokio::time::sleep_until(until).await;
        Ok(())
    }

    /// Leaves a server alone that has had enough of us.
    pub(super) fn leave_alone(&self, server: &str) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let allowance = self.rate.gap * self.rate.burst;
        due.insert(server.to_owned(), Instant::now() + self.rate.rest + allowance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_server_has_its_pace() {
        let second = Duration::from_secs(1);
        let pace = Pace::new(Rate { gap: second, burst: 3, patience: 2 * second, rest: 60 * second });
        let began = Instant::now();
        for _ in 0..3 {
            pace.turn("a").await.unwrap();
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
        pace.turn("a").await.unwrap();
        assert_eq!(began.elapsed(), second);
        pace.turn("b").await.unwrap();
        assert_eq!(began.elapsed(), second);
        pace.leave_alone("b");
        assert!(pace.turn("b").await.unwrap_err() > 50 * second);
        tokio::time::advance(70 * second).await;
        pace.turn("b").await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_is_told_to_come_back() {
        let second = Duration::from_secs(1);
        let pace = Pace::new(Rate { gap: second, burst: 1, patience: second / 2, rest: second });
        pace.turn("a").await.unwrap();
        assert_eq!(pace.turn("a").await, Err(second));
    }
}

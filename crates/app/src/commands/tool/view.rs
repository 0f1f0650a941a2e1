//! What is shown while a tool measures.

use std::sync::Arc;

use netwark_model::tools::ping::PingOptions;
use serde_json::Value;
use tokio::sync::Notify;

use super::Job;
use super::ping_lines::PingLines;
use super::screen::Screen;
use super::sweep_progress::SweepProgress;
use super::tcp_lines::TcpLines;
use crate::failure::Failure;

/// Shows the snapshots of one measurement.
pub trait View: Send {
    /// Shows a snapshot; the shape is that of the final payload.
    fn update(&mut self, payload: &Value);

    /// Takes down what stands in the way of the final report. The last snapshot has been shown.
    fn close(&mut self) {}

    /// True when the replies were printed one by one, so that the final report leaves them out.
    fn told_replies(&self) -> bool {
        false
    }

    /// How the person who watches says that it is enough.
    fn enough(&self) -> Option<Arc<Enough>> {
        None
    }
}

/// Somebody has seen enough.
#[derive(Debug, Default)]
pub struct Enough {
    notify: Notify,
    interrupted: std::sync::atomic::AtomicBool,
}

impl Enough {
    /// Says so. `interrupted` is true for Ctrl-C.
    pub fn say(&self, interrupted: bool) {
        self.interrupted.store(interrupted, std::sync::atomic::Ordering::Relaxed);
        self.notify.notify_one();
    }

    /// Waits until somebody says so; true for Ctrl-C.
    pub async fn said(&self) -> bool {
        self.notify.notified().await;
        self.interrupted.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// Shows nothing: for JSON and reports.
struct Nothing;

impl View for Nothing {
    fn update(&mut self, _: &Value) {}
}

/// The view that a job asks for.
///
/// # Errors
/// When the terminal cannot be drawn on.
pub fn of(job: &Job) -> Result<Box<dyn View>, Failure> {
    if job.wants_table() {
        return Ok(Box::new(Screen::open(&job.shared.target, &job.options)?));
    }
    let silent = job.shared.json || job.shared.report;
    if let ("ping", false, Ok(options)) =
        (job.tool, silent, serde_json::from_value::<PingOptions>(job.options.clone()))
    {
        return Ok(Box::new(PingLines::new(&job.shared.target, options, crate::output::line)));
    }
    if let ("tcp", false) = (job.tool, silent) {
        return Ok(Box::new(TcpLines::new(&job.shared.target, crate::output::line)));
    }
    if let ("sweep", false, Some(view)) = (job.tool, silent, SweepProgress::open()) {
        return Ok(Box::new(view));
    }
    Ok(Box::new(Nothing))
}

/// Waits for Ctrl-C or for a view whose person has seen enough; true for Ctrl-C.
pub async fn ended_by_hand(enough: Option<Arc<Enough>>) -> bool {
    let seen_enough = async {
        match enough {
            Some(enough) => enough.said().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        interrupted = seen_enough => interrupted,
        // Without a handler the signal ends the process by itself.
        Ok(()) = tokio::signal::ctrl_c() => true,
    }
}

//! Why an engine, or a task on it, failed.

use std::io;

/// Why an engine, or a task on it, failed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The engine could not be started.
    #[error(
        "the measuring engine cannot start: the system gives no {what}; see its limits with `ulimit -n -u`"
    )]
    Start {
        /// What could not be made.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The engine has stopped, so the task cannot be finished.
    #[error("the measuring engine has stopped; restart the program")]
    Stopped,
    /// The task's decider panicked. Other tasks are not concerned.
    #[error("the measurement failed by a fault in the program; its log has the details")]
    Panicked,
}

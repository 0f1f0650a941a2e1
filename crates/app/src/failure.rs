//! How a command ends when it does not end well.

use std::process::ExitCode;

use crate::config::layers::Mistakes;
use crate::output;

/// Why a command did not do what was asked, and with it the exit code.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It was asked for in a way that cannot be done: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// It could not be done: exit code 1.
    #[error("{0}")]
    Failed(String),
    /// The server does not want this worker: exit code 4, so that nobody starts it again for that.
    #[error("the server does not want this worker: {0}")]
    Unwelcome(String),
    /// The user interrupted it: exit code 130.
    #[error("interrupted")]
    Interrupted,
}

/// What a command gives back.
pub type Outcome = Result<ExitCode, Failure>;

impl Failure {
    /// It could not be done, because of this error.
    pub fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    /// Says it on standard error and gives the exit code.
    pub fn tell(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::Failed(_) | Self::Unwelcome(_) => {
                output::complain(&format!("netwark: {self}"));
            }
            Self::Interrupted => {}
        }
        ExitCode::from(match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Unwelcome(_) => 4,
            Self::Interrupted => 130,
        })
    }
}

impl From<Mistakes> for Failure {
    fn from(mistakes: Mistakes) -> Self {
        Self::Usage(mistakes.to_string())
    }
}

//! Processes that are killed when they go out of scope.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Long enough for debug builds on a busy machine; nothing is timed by it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(360);

/// A process.
pub(crate) struct Process(Child);

impl Process {
    /// Starts a command whose output goes to a file.
    pub(crate) fn spawn(command: &mut Command, log: &Path) -> Self {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let errors = log.try_clone().unwrap();
        Self(command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn().unwrap())
    }

    /// Ends it without warning.
    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// True while it runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.0.try_wait().is_ok_and(|status| status.is_none())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The binary, with nothing of this machine's environment.
pub(crate) fn netwark(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netwark"));
    command.env_clear().env("HOME", data).env("NETWARK_DATA_DIR", data);
    command
}

/// Runs a command to its end and returns what it printed.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Waits until something holds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, holds: impl FnMut() -> F) {
    until_or_tell(|| what.to_owned(), holds).await;
}

/// Waits until something holds, and tells what was awaited when it does not.
pub(crate) async fn until_or_tell<F: Future<Output = bool>>(
    what: impl Fn() -> String,
    mut holds: impl FnMut() -> F,
) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}: {}", what());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A port of loopback that nobody listens on.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A script of the project.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(name)
}

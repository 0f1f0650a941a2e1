//! A real mail server: Debian's python3-aiosmtpd.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../notify/tests/channels/smtp_server.py");

/// A running mail server. It ends with the test.
pub(crate) struct MailServer {
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl MailServer {
    /// Starts one on this port of loopback.
    pub(crate) async fn start(port: u16) -> Self {
        let options = json!({"mode": "plain", "port": port}).to_string();
        let mut command = Command::new("/usr/bin/python3");
        command.arg(SCRIPT).arg(options).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap();
        let listens = first.and_then(|line| line.parse::<u16>().ok());
        assert_eq!(
            listens,
            Some(port),
            "the mail server of the tests needs python3-aiosmtpd; scripts/setup test installs it"
        );
        Self { lines, _child: child }
    }

    /// The next mail it has taken.
    pub(crate) async fn mail(&mut self) -> Value {
        serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
    }
}

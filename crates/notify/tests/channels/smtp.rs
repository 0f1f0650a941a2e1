//! A real mail server: Debian's python3-aiosmtpd.

use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::pki::Pki;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/channels/smtp_server.py");

/// A running mail server. It ends with the test.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
    _directory: TempDir,
}

impl MailServer {
    /// Starts one with these options; see the head of the script.
    pub(crate) async fn start(mut options: Value, pki: Option<&Pki>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        if let Some(pki) = pki {
            let (certificate, key) = pki.pem(&["localhost"]);
            for (name, text) in [("certificate", certificate), ("key", key)] {
                let path = directory.path().join(name);
                std::fs::write(&path, text).unwrap();
                options[name] = json!(path);
            }
        }
        let mut command = Command::new("/usr/bin/python3");
        command.arg(SCRIPT).arg(options.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap();
        let port = first.and_then(|line| line.parse().ok());
        let port = port
            .expect("the mail server of the tests needs python3-aiosmtpd; scripts/setup test installs it");
        Self { port, lines, _child: child, _directory: directory }
    }

    /// The next mail it has taken.
    pub(crate) async fn mail(&mut self) -> Value {
        serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
    }
}

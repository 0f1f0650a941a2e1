//! Brokers for tests: the one that is given, or private ones that can be killed.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use uuid::Uuid;

/// A virtual host of its own on the broker that the tests were given; none when there is no broker.
///
/// # Panics
/// When there is none in CI.
pub fn given() -> Option<String> {
    let Ok(url) = std::env::var("NETWARK_TEST_AMQP_URL") else {
        assert!(std::env::var_os("CI").is_none(), "NETWARK_TEST_AMQP_URL has to be set");
        eprintln!("skipped: NETWARK_TEST_AMQP_URL is not set (scripts/with-rabbitmq sets it)");
        return None;
    };
    // A broker that was not started by our script is used as it is.
    let Some(directory) = std::env::var_os("NETWARK_TEST_AMQP_DIR") else { return Some(url) };
    let name = Uuid::now_v7().simple().to_string();
    add_virtual_host(&PathBuf::from(directory), &name);
    Some(format!("{url}/{name}"))
}

fn add_virtual_host(directory: &std::path::Path, name: &str) {
    let all = "<<\".*\">>";
    let expression = format!(
        "rabbit_vhost:add(<<\"{name}\">>, <<\"test\">>), \
         rabbit_auth_backend_internal:set_permissions(<<\"guest\">>, <<\"{name}\">>, {all}, {all}, {all}, <<\"test\">>)."
    );
    run(Command::new(script()).arg("eval").arg(directory).arg(expression));
}

/// A private broker.
pub struct Broker {
    directory: tempfile::TempDir,
    /// Where it listens.
    pub url: String,
}

impl Broker {
    /// Starts one with these lines in its configuration; none where RabbitMQ is not installed.
    ///
    /// # Panics
    /// When it is not installed in CI.
    pub fn start(more: &str) -> Option<Self> {
        if std::env::var_os("NETWARK_TEST_AMQP_URL").is_none() {
            assert!(std::env::var_os("CI").is_none(), "NETWARK_TEST_AMQP_URL has to be set");
            eprintln!("skipped: NETWARK_TEST_AMQP_URL is not set (scripts/with-rabbitmq sets it)");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("more.conf"), more).unwrap();
        let mut broker = Self { directory, url: String::new() };
        broker.start_again();
        Some(broker)
    }

    /// Its directory.
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Starts it again, with what it had written to its disk.
    pub fn start_again(&mut self) {
        self.url = self.script("start", &[]).trim().to_owned();
    }

    /// Has it write to its disk which queues there are. It confirms messages once they are there, and that a queue is
    /// made some seconds before: killed in between, it forgets the queue with what is in it.
    pub fn sync(&self) {
        self.eval("mnesia:sync_log().");
    }

    /// Ends it by SIGKILL.
    pub fn kill(&self) {
        self.script("kill", &[]);
    }

    /// Has it do what an expression in Erlang says, which answers `ok`.
    pub fn eval(&self, expression: &str) {
        self.script("eval", &[expression]);
    }

    /// Adds a user who may declare, write and read what these expressions fit.
    pub fn add_user(&self, name: &str, password: &str, [declare, write, read]: [&str; 3]) {
        let text = |text: &str| format!("<<\"{}\">>", text.replace('\\', r"\\"));
        let of = |texts: &[&str]| texts.iter().map(|item| text(item)).collect::<Vec<_>>().join(", ");
        let (user, rights) = (of(&[name, password, "test"]), of(&[name, "/", declare, write, read, "test"]));
        self.eval(&format!("rabbit_auth_backend_internal:add_user({user})."));
        self.eval(&format!("rabbit_auth_backend_internal:set_permissions({rights})."));
    }

    /// The URL for another user.
    pub fn url_of(&self, user: &str, password: &str) -> String {
        self.url.replacen("guest:guest", &format!("{user}:{password}"), 1)
    }

    fn script(&self, verb: &str, arguments: &[&str]) -> String {
        run(Command::new(script()).arg(verb).arg(self.directory.path()).args(arguments))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.script("stop", &[]);
    }
}

fn script() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scripts/rabbitmq")
}

fn run(command: &mut Command) -> String {
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).unwrap()
}

//! The broker: can a server work with it, and may a worker do there what it must and no more?

use std::path::Path;

use netwark_bus::amqp::{self, AmqpOptions, OLDEST_BROKER};
use uuid::Uuid;

use super::Check;
use crate::commands::worker::identity::{self, Identity};
use crate::config::broker::Broker;

const WORKER: &str = "worker's broker";
const RULES: &str = "docs/broker.md has the permissions of a worker, and the commands that set them";

/// Does once what a server does all day.
pub(super) async fn broker(broker: &Broker) -> Vec<Check> {
    let name = "broker";
    let Some(options) = &broker.amqp else {
        return vec![Check::ok(name, "none: messages stay in the server's process, or come over WebSocket")];
    };
    let place = options.place();
    let found = match amqp::examine_server(options).await {
        Ok(found) => found,
        Err(reason) => {
            let remedy = of_tls(&reason).map_or_else(
                || {
                    format!(
                        "see the message; RabbitMQ {OLDEST_BROKER} or later is needed, and a user that may do \
                         all with ^nw\\."
                    )
                },
                Into::into,
            );
            return vec![Check::fail(name, format!("{place}: {reason}"), remedy)];
        }
    };
    let found = format!("{place}: {} {}, declares, publishes and consumes", found.product, found.version);
    let mut checks = vec![Check::ok(name, found)];
    checks.extend(in_the_open(name, options));
    checks
}

/// The worker that is enrolled in this data directory, if one is.
pub(super) fn enrolled(data_dir: &Path) -> Option<Uuid> {
    let identity = Identity::load(data_dir).ok()??;
    identity::worker_of(&identity.token).ok()
}

/// Tries what the credentials of a worker allow; its own queues too, where it is known which worker.
pub(super) async fn worker(broker: &Broker, url: &str, own: Option<Uuid>) -> Vec<Check> {
    let ca_file = broker.amqp.as_ref().and_then(|options| options.ca_file.clone());
    let options = AmqpOptions { ca_file, ..AmqpOptions::new(url) };
    if let Err(error) = options.check() {
        return vec![Check::fail(WORKER, error.to_string(), "correct --worker-broker")];
    }
    let place = options.place();
    match amqp::examine_worker(&options, own).await {
        Err(reason) => {
            let remedy = of_tls(&reason).unwrap_or("see the message");
            vec![Check::fail(WORKER, format!("{place}: {reason}"), remedy)]
        }
        Ok(wrong) if wrong.is_empty() => {
            let found = match own {
                Some(own) => format!(
                    "{place}: may read the queues of {own} and report, and nothing that it should not"
                ),
                None => format!("{place}: may report, and nothing that it should not"),
            };
            let mut checks = vec![Check::ok(WORKER, found)];
            if own.is_none() {
                checks.push(Check::warn(
                    WORKER,
                    "whether it may read its own queues was not tried: no worker is enrolled in the data directory",
                    "name it with --worker ID",
                ));
            }
            checks.extend(in_the_open(WORKER, &options));
            checks
        }
        Ok(wrong) => {
            wrong.into_iter().map(|wrong| Check::fail(WORKER, format!("{place}: {wrong}"), RULES)).collect()
        }
    }
}

/// What helps against an error of TLS, which says what it met and not what to do.
fn of_tls(reason: &str) -> Option<&'static str> {
    if reason.contains("UnknownIssuer") {
        return Some("name the certificate of its authority in broker.ca_file");
    }
    if reason.contains("not valid for name") {
        return Some("use a name that is in the broker's certificate in broker.url");
    }
    reason
        .contains("corrupt message")
        .then_some("that port does not speak TLS; amqps:// usually has port 5671, amqp:// 5672")
}

/// A password that crosses a network where others can read it.
fn in_the_open(name: &'static str, options: &AmqpOptions) -> Option<Check> {
    let place = options.place();
    let host = place.strip_prefix("amqp://")?;
    let local = ["127.", "[::1]", "localhost"].iter().any(|begins| host.starts_with(begins));
    (!local).then(|| {
        Check::warn(name, "the password and all messages cross the network unencrypted", "use amqps://")
    })
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[tokio::test]
    async fn a_broker_that_is_not_there_fails_and_shows_no_password() {
        let amqp = Some(AmqpOptions::new("amqp://u:hush@127.0.0.1:1/x"));
        let checks = broker(&Broker { amqp }).await;
        let [check] = checks.as_slice() else { panic!("{checks:?}") };
        assert_eq!(check.level, Level::Fail);
        assert!(check.found.contains("amqp://127.0.0.1:1/x") && !check.found.contains("hush"), "{check:?}");
        let checks = worker(&Broker { amqp: None }, "http://u:hush@h", None).await;
        assert!(
            matches!(checks.as_slice(), [check] if check.level == Level::Fail && !check.found.contains("hush"))
        );
    }

    #[test]
    fn plain_text_is_warned_of_beyond_this_machine() {
        for (url, warned) in
            [("amqp://127.0.0.1", false), ("amqps://mq", false), ("amqp://[::1]", false), ("amqp://mq", true)]
        {
            assert_eq!(in_the_open("broker", &AmqpOptions::new(url)).is_some(), warned, "{url}");
        }
    }

    #[test]
    fn what_tls_meets_is_answered_with_what_to_do() {
        for (reason, word) in [
            ("invalid peer certificate: UnknownIssuer", "broker.ca_file"),
            ("invalid peer certificate: certificate not valid for name \"mq\"", "a name that is in"),
            ("received corrupt message of type InvalidContentType", "5671"),
        ] {
            assert!(of_tls(reason).is_some_and(|remedy| remedy.contains(word)), "{reason}");
        }
        assert_eq!(of_tls("Connection refused"), None);
    }

    #[tokio::test]
    async fn a_real_broker_is_named_with_its_version() {
        // The tests of the bus fail when there is none in CI.
        let Ok(url) = std::env::var("NETWARK_TEST_AMQP_URL") else { return };
        let checks = broker(&Broker { amqp: Some(AmqpOptions::new(&url)) }).await;
        assert!(
            matches!(checks.as_slice(), [check] if check.level == Level::Ok && check.found.contains("RabbitMQ ")),
            "{checks:?}"
        );
        // The credentials of the tests allow everything.
        let checks = worker(&Broker { amqp: None }, &url, None).await;
        assert!(checks.len() == 5 && checks.iter().all(|check| check.level == Level::Fail), "{checks:?}");
    }
}

//! Precedence, mistakes and what is shown.

use std::path::PathBuf;

use super::layers::{Mistakes, Origin};
use super::{Config, Flags, keys};

/// A configuration of this file and these variables.
fn load(file: &str, variables: &[(&str, &str)], flags: &Flags) -> Result<Config, Mistakes> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("netwark.toml");
    std::fs::write(&path, file).unwrap();
    let variables = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Config::from_parts(flags, variables, Some(path))
}

fn mistakes(file: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let Mistakes(all) = load(file, variables, &Flags::default()).unwrap_err();
    all.iter().map(|m| format!("{}: {}", m.key, m.text)).collect()
}

#[test]
fn flag_beats_environment_beats_file_beats_default() {
    let file = "[server]\nlisten = '127.0.0.1:1'\n[history]\ndays = 5\n[log]\nformat = 'json'";
    let environment = [("NETWARK_SERVER__LISTEN", "127.0.0.1:2"), ("NETWARK_HISTORY__DAYS", "6")];
    let flags = Flags { listen: Some("127.0.0.1:3".into()), ..Flags::default() };
    let config = load(file, &environment, &flags).unwrap();
    assert_eq!(config.server.listen, [super::server::Listen::Tcp("127.0.0.1:3".parse().unwrap())]);
    assert_eq!(config.history.days, 6);
    assert_eq!(config.log.format, super::log::Format::Json);
    assert_eq!(config.auth.session_days, 7);
    let origin = |key: &str| config.effective.iter().find(|e| e.key == key).unwrap().origin.clone();
    assert_eq!(origin("server.listen"), Origin::Flag("--listen"));
    assert_eq!(origin("history.days"), Origin::Environment("NETWARK_HISTORY__DAYS".into()));
    assert!(matches!(origin("log.format"), Origin::File(_, 6)), "{}", origin("log.format"));
    assert_eq!(origin("auth.session_days"), Origin::Default);
}

#[test]
fn every_mistake_is_told_at_once() {
    let file = "
[server]
listen = 'here'
lisen = '127.0.0.1:1'
public_urls = ['ftp://x', 'https://ok.example']
timezone = 'Mars/Phobos'
[database]
url = 'mysql://u:hush@h/d'
[broker]
url = 'nats://u:hush@h'
heartbeat = 0
[auth]
anonymous_role = 'root'
session_days = 0
session_max_days = 400
[colour]
sky = 'blue'
";
    let told = mistakes(file, &[("NETWARK_LOG__FORMAT", "xml"), ("NETWARK_LOG__COLOUR", "1")]);
    for part in [
        "server.listen: 'here' is no address with a port; it takes addresses with ports, such as 127.0.0.1:6543",
        "server.lisen: no such key; [server] has listen, tls_certificate, tls_key, public_urls, trusted_proxies, timezone, secret_key_file",
        "server.public_urls: 'ftp://x' is not understood",
        "server.timezone: 'Mars/Phobos' is no known time zone",
        "database.url: 'mysql' is no database it knows; it takes sqlite://PATH or postgres://",
        "broker.url: 'nats://u:***@h' is no broker it knows; it takes amqp://USER:PASSWORD@HOST/VHOST, or amqps://",
        "broker.heartbeat: 0 is out of range; it takes a number from 1 to 300",
        "auth.anonymous_role: 'root' is no role",
        "auth.session_days: 0 is out of range; it takes a number from 1 to 365",
        "auth.session_max_days: 400 is out of range",
        "colour.sky: no such key; there are data_dir, server, database, broker, worker, queues, auth, log, lookups, updates, history",
        "log.format: 'xml' is no format; it takes text or json",
        "log.colour: no such key; [log] has filter, format, file",
    ] {
        assert!(told.iter().any(|text| text.contains(part)), "missing: {part}\ntold: {told:#?}");
    }
    assert_eq!(told.len(), 13, "{told:#?}");
    assert!(!told.iter().any(|text| text.contains("hush")), "{told:#?}");
}

#[test]
fn with_a_broker_the_server_runs_no_worker_unless_told_to() {
    let broker = "[broker]\nurl = 'amqps://u:hush@mq.example.org/tools'\nheartbeat = 10\n";
    let config = load(broker, &[], &Flags::default()).unwrap();
    assert!(!config.worker.embedded);
    let amqp = config.broker.amqp.unwrap();
    assert_eq!((amqp.place().as_str(), amqp.heartbeat), ("amqps://mq.example.org:5671/tools", 10));
    let shown = config.effective.iter().find(|e| e.key == "broker.url").unwrap();
    assert_eq!(shown.value, "\"amqps://u:***@mq.example.org/tools\"");
    let both = format!("{broker}[worker]\nembedded = true");
    assert!(load(&both, &[], &Flags::default()).unwrap().worker.embedded);
    assert!(load("", &[], &Flags::default()).unwrap().worker.embedded);
    let told = mistakes("[broker]\nurl = 'amqp://u:hu/sh@'", &[]);
    assert!(told.len() == 1 && !told.concat().contains("hu/sh"), "{told:?}");
}

#[test]
fn mistakes_of_syntax_name_their_lines() {
    let Mistakes(all) = load("[server]\nlisten = \n[log\n", &[], &Flags::default()).unwrap_err();
    let lines: Vec<_> = all.iter().map(|m| m.origin.to_string()).collect();
    assert!(
        lines.iter().any(|l| l.ends_with("line 2")) && lines.iter().any(|l| l.ends_with("line 3")),
        "{lines:?}"
    );
}

#[test]
fn wrong_types_are_mistakes() {
    let told = mistakes("[history]\ndays = 'many'\n[worker]\ntags = 'a'\nembedded = 'yes'\nname = 5", &[]);
    assert_eq!(told.len(), 4, "{told:#?}");
}

#[test]
fn an_empty_section_is_fine_when_it_exists() {
    assert!(load("[server]\n[log]\n", &[], &Flags::default()).is_ok());
    assert_eq!(mistakes("[sever]\n", &[]).len(), 1);
}

#[test]
fn a_file_that_is_not_there_is_a_mistake() {
    let missing = PathBuf::from("/nonexistent/netwark.toml");
    let error = Config::from_parts(&Flags::default(), vec![], Some(missing)).unwrap_err().to_string();
    assert!(error.contains("/nonexistent/netwark.toml") && error.contains("cannot be read"), "{error}");
}

#[test]
fn variables_of_others_are_left_alone() {
    let others =
        [("NETWARK_PORT", "tcp://10.0.0.1"), ("NETWARK_SERVICE_HOST", "10.0.0.1"), ("NETWARK_TOKEN", "x")];
    assert!(load("", &others, &Flags::default()).is_ok());
    let config = load("", &[("NETWARK_DATA_DIR", "/srv/netwark")], &Flags::default()).unwrap();
    assert_eq!(config.database.url, "sqlite:///srv/netwark/netwark.db");
}

#[test]
fn queues_are_declared_once_and_by_full_name() {
    let file = "
[[queues]]
name = 'paris'
label = 'Paris'
broadcast = true
[[queues]]
name = 'netwark.lyon'
[worker]
queues = ['paris', 'netwark.lyon', 'netwark']
";
    let config = load(file, &[], &Flags::default()).unwrap();
    let names: Vec<_> = config.queues.iter().map(|q| q.name.as_str()).collect();
    assert_eq!(names, ["netwark.paris", "netwark.lyon"]);
    assert_eq!(config.worker.queues, ["netwark.paris", "netwark.lyon", "netwark"]);

    let told = mistakes(
        "[[queues]]\nname = 'a'\n[[queues]]\nname = 'netwark.a'\n[[queues]]\nname = 'broadcast'\n[[queues]]\nname = 'a b'\n[[queues]]\nname = 'c'\ncolor = 1\n[worker]\nqueues = ['no where']",
        &[],
    );
    for part in [
        "number 2: 'netwark.a' exists",
        "number 3: 'netwark.broadcast' exists",
        "number 4",
        "number 5",
        "worker.queues",
    ] {
        assert!(told.iter().any(|text| text.contains(part)), "missing: {part}\ntold: {told:#?}");
    }
}

#[test]
fn passwords_are_never_shown() {
    let file = "[database]\nurl = 'postgres://netwark:hush@db.example/netwark'";
    let config = load(file, &[], &Flags::default()).unwrap();
    assert_eq!(config.database.url, "postgres://netwark:hush@db.example/netwark");
    let shown = config.effective.iter().find(|e| e.key == "database.url").unwrap();
    assert_eq!(shown.value, "\"postgres://netwark:***@db.example/netwark\"");
    let broken = load("[database]\nurl = 'postgres://netwark:hu/sh@:::/netwark'", &[], &Flags::default());
    assert!(!broken.unwrap_err().to_string().contains("sh@"));
}

#[test]
fn every_key_is_documented_once() {
    let names: Vec<_> = keys().iter().map(|key| key.name).collect();
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len());
    let config = load("[[queues]]\nname = 'a'", &[], &Flags::default()).unwrap();
    let read: Vec<_> = config.effective.iter().map(|e| e.key).collect();
    for name in names {
        assert!(read.contains(&name), "{name} is documented but never read");
    }
}

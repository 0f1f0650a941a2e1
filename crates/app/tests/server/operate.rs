//! Operating it: what changes while it runs, where it listens, what it says of itself.

use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use reqwest::StatusCode;
use rustix::process::Signal;
use serde_json::Value;

use super::{Pair, Server, block_on, configure, free_address, home, run, skip, text, wait_until};

/// Reads a path of a server with a token.
fn get(url: &str, token: &str) -> (StatusCode, String) {
    block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(url).bearer_auth(token.trim()).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    })
}

#[test]
fn a_hangup_reads_filter_log_and_queues_again() {
    let home = home();
    let log = home.path().join("netwark.log");
    let read = || std::fs::read_to_string(&log).unwrap_or_default();
    let settings = |filter: &str, queues: &str| {
        let log = log.display();
        configure(
            home.path(),
            &format!("{queues}\n[log]\nfilter = '{filter}'\nfile = '{log}'\nformat = 'json'\n"),
        );
    };
    settings("info", "");
    let server = Server::start(&home);
    assert_eq!(std::fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o640);
    let token = text(&run(&home, &["token", "create", "ops", "--role", "operator"]).stdout);
    let queues = format!("{}/api/v1/management/backend/queues", server.url);
    assert_eq!(get(&queues, &token).0, StatusCode::OK);
    assert!(!read().contains("\"request\""), "requests are not logged at this level");

    let moved = home.path().join("netwark.log.1");
    std::fs::rename(&log, &moved).unwrap();
    settings("info,netwark_server=debug,sqlx=debug", "[[queues]]\nname = 'paris'\n");
    server.signal(Signal::HUP);
    wait_until("reading the configuration again", || read().contains("was read again"));
    let (_, shown) = get(&queues, &token);
    assert!(shown.contains("netwark.paris"), "{shown}");
    wait_until("a line of the request", || read().contains("/management/backend/queues"));
    let lines: Vec<Value> = read().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let request = lines.iter().find(|line| line["fields"]["message"] == "request").unwrap();
    assert!(request["span"]["id"].as_str().is_some_and(|id| id.len() == 36), "{request}");
    assert!(lines.iter().any(|line| line["target"] == "sqlx::query"), "statements are shown when asked for");

    configure(home.path(), "[log]\nfilter = 'a=b=c'\ncolour = 1\n");
    server.signal(Signal::HUP);
    wait_until("telling both mistakes", || read().contains("log.filter") && read().contains("log.colour"));
    assert_eq!(get(&queues, &token).0, StatusCode::OK);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn metrics_are_what_prometheus_expects() {
    let home = home();
    let server = Server::start(&home);
    let token = text(&run(&home, &["token", "create", "ops", "--role", "operator"]).stdout);
    let (status, _) = get(&format!("{}/api/v1/operations", server.url), &token);
    assert_eq!(status, StatusCode::OK);
    // This machine itself needs no token; a wrong one would still be refused.
    let metrics = |accept: &str| {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.get(format!("{}/metrics", server.url)).header("Accept", accept);
        block_on(async { request.send().await.unwrap().text().await.unwrap() })
    };
    let open = metrics("application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
    assert!(open.ends_with("# EOF\n") && open.contains("# TYPE netwark_http_requests counter"), "{open}");
    let older = metrics("*/*");
    for line in [
        "# TYPE netwark_http_requests_total counter",
        "netwark_http_requests_total{method=\"GET\",route=\"/api/v1/operations\",status=\"200\"} 1",
        "netwark_http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/operations\"} 1",
        "netwark_workers{state=\"revoked\"} 0",
        "netwark_outbox_messages 0",
        "netwark_database_connections{state=\"idle\"}",
        "process_resident_memory_bytes ",
    ] {
        assert!(older.contains(line), "missing: {line}\n{older}");
    }
    let Ok(mut promtool) = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        return skip("promtool is missing");
    };
    promtool.stdin.take().unwrap().write_all(older.as_bytes()).unwrap();
    let checked = promtool.wait_with_output().unwrap();
    assert!(checked.status.success(), "{}{}", text(&checked.stdout), text(&checked.stderr));
    assert_eq!(text(&checked.stderr) + &text(&checked.stdout), "", "promtool has nothing to say");
}

#[test]
fn https_and_a_socket_at_once_and_another_certificate() {
    let home = home();
    let (first, second) = (Pair::new(&["localhost"]), Pair::new(&["localhost"]));
    let socket = home.path().join("http.sock");
    let address = free_address();
    let (certificate, key) = (home.path().join("certificate.pem"), home.path().join("key.pem"));
    let install = |pair: &Pair| {
        std::fs::copy(pair.certificate(), &certificate).unwrap();
        std::fs::copy(pair.key(), &key).unwrap();
    };
    install(&first);
    let log = home.path().join("log");
    configure(
        home.path(),
        &format!(
            "[server]\nlisten = ['{address}', 'unix:{}']\ntls_certificate = '{}'\ntls_key = '{}'\n[log]\nfile = '{}'\n",
            socket.display(),
            certificate.display(),
            key.display(),
            log.display(),
        ),
    );
    let server = Server::start_as(&home, &["serve"], format!("https://{address}"));
    let port = address.rsplit_once(':').unwrap().1;
    let url = format!("https://localhost:{port}/api/v1/session");
    let ask = |pair: &Pair| {
        let client = pair.client("localhost", &address);
        block_on(async { client.get(&url).send().await?.json::<Value>().await })
    };
    let session = ask(&first).unwrap();
    assert_eq!(session["insecure"], false, "{session}");

    let mut stream = UnixStream::connect(&socket).unwrap();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("\"database\":{\"ready\":true"),
        "{answer}"
    );

    install(&second);
    server.signal(Signal::HUP);
    wait_until("another certificate", || ask(&second).is_ok());
    std::fs::write(&certificate, "nonsense").unwrap();
    server.signal(Signal::HUP);
    wait_until("telling that the certificate is broken", || {
        std::fs::read_to_string(&log).unwrap().contains("holds no certificate")
    });
    assert!(ask(&second).is_ok(), "the certificate stays the one it was");
    assert!(std::fs::symlink_metadata(&socket).unwrap().file_type().is_socket());
    assert_eq!(server.stop(), Some(0));
    assert!(!socket.exists(), "the socket is removed at the end");
}

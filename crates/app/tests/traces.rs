//! Spans that are sent to a collector of OpenTelemetry.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// The path and the body of the first request that comes.
fn collect(listener: &TcpListener) -> (String, Vec<u8>) {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(&stream);
    let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
    reader.read_line(&mut first).unwrap();
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (&stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    (first, body)
}

#[test]
fn requests_are_spans() {
    let home = tempfile::tempdir().unwrap();
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new(env!("CARGO_BIN_EXE_netwark"))
        .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
        .env_clear()
        .env("HOME", home.path())
        .env("NETWARK_DATA_DIR", home.path())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", collector.local_addr().unwrap()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let asked = || {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
        let request =
            format!("GET /api/v1/session HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    };
    let mut tries = 0;
    while asked().is_none() {
        tries += 1;
        assert!(tries < 600, "the server does not answer");
        std::thread::sleep(Duration::from_millis(100));
    }
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    let (first, body) = collect(&collector);
    assert!(server.wait().unwrap().success());
    assert_eq!(first.trim_end(), "POST /v1/traces HTTP/1.1");
    let text = String::from_utf8_lossy(&body);
    assert!(text.contains("service.name") && text.contains("request"), "{text}");
}

//! `--from` through a connection that breaks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use super::super::{home, netwark, text};

const OPERATION: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const FIRST: &str = "01890a5d-ac96-774b-bcce-b302099a8001";
const SECOND: &str = "01890a5d-ac96-774b-bcce-b302099a8002";
const TIME: &str = "2026-01-02T03:04:05Z";

fn result(id: &str, worker: &str, status: &str, version: u32, payload: &Value) -> Value {
    json!({
        "id": id, "status": status, "worker": worker, "queue": "netwark.broadcast", "payload": payload,
        "created_at": TIME, "updated_at": TIME, "started_at": null, "finished_at": null, "late": false,
        "version": version,
    })
}

fn operation(results: &[Value]) -> Value {
    json!({
        "id": OPERATION, "type": "ping", "status": "pending", "target": "192.0.2.1", "options": null,
        "queues": ["netwark.broadcast"], "created_at": TIME, "updated_at": TIME, "finished_at": null,
        "typed_options": {}, "take_within_ms": 1000, "run_within_ms": 1000, "same_workers_as": null,
        "created_by": "token ci", "version": 1,
        "counts": {"pending": 2, "progress": 0, "done": 0, "error": 0, "timeout": 0, "cancelled": 0},
        "skipped": [{"worker": "lyon-1", "queue": "netwark.broadcast"}],
        "results": results,
    })
}

fn pinged() -> Value {
    let statistics = json!({
        "transmitted": 1, "received": 1, "unsent": 0, "duplicates": 0, "late": 0, "reordered": 0, "errors": 0,
        "loss": 0.0, "min": 1.0, "average": 1.0, "max": 1.0, "stddev": 0.0, "jitter": null, "median": 1.0,
        "p95": 1.0, "p99": 1.0,
    });
    let verdict = json!({"severity": "ok", "summary": "all is well", "findings": []});
    let report = json!({
        "address": "192.0.2.1", "chosen": null, "statistics": statistics, "replies": [], "verdict": verdict,
    });
    json!({
        "transmitted": 1, "received": 1, "duplicates": 0, "loss": 0.0, "min": 1.0, "max": 1.0, "average": 1.0,
        "raw": ["PING 192.0.2.1", "", "--- 192.0.2.1 ping statistics ---"], "reports": [report],
    })
}

/// A request: its first line, and its headers in small letters.
fn request(stream: &TcpStream) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let (mut first, mut headers) = (String::new(), String::new());
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        headers.push_str(&line.to_lowercase());
    }
    let length = headers.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.map_or(0, |length| length.trim().parse().unwrap());
    reader.read_exact(&mut vec![0; length]).unwrap();
    (first, headers)
}

fn answer(mut stream: &TcpStream, status: &str, kind: &str, body: &str) {
    write!(stream, "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n{body}").unwrap();
}

fn event(kind: &str, id: u32, data: &Value) -> String {
    format!("event: {kind}\nid: {id}\ndata: {data}\n\n")
}

/// Serves one operation with two results, and cuts the stream of events between them. Gives the
/// `Last-Event-ID` of the second connection.
fn serve(listener: &TcpListener) -> String {
    let waiting = [
        result(FIRST, "paris-1", "pending", 1, &Value::Null),
        result(SECOND, "nice-1", "pending", 1, &Value::Null),
    ];
    let mut streams = 0;
    loop {
        let (stream, _) = listener.accept().unwrap();
        let (first, headers) = request(&stream);
        if first.starts_with("POST /api/v1/operations ") {
            let created = json!({"message": "Operation created", "operation_id": OPERATION});
            answer(&stream, "201 Created", "application/json", &created.to_string());
        } else if !first.contains("/events") {
            answer(&stream, "200 OK", "application/json", &operation(&waiting).to_string());
        } else if streams == 0 {
            streams += 1;
            let done = event("result", 7, &result(FIRST, "paris-1", "done", 7, &pinged()));
            answer(
                &stream,
                "200 OK",
                "text/event-stream",
                &format!(": hello\n\n{done}event: result\ndata: {{\"cut"),
            );
        } else {
            let failed = result(SECOND, "nice-1", "error", 8, &json!({"cause": "no such name"}));
            let events = event("result", 8, &failed) + &event("end", 8, &json!({}));
            answer(&stream, "200 OK", "text/event-stream", &events);
            return headers;
        }
    }
}

#[test]
fn results_arrive_across_a_broken_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || serve(&listener));
    let output = netwark(home().path(), &["ping", "--from", "broadcast", "--server", &url, "192.0.2.1"])
        .env("NETWARK_TOKEN", "nwk_x")
        .output()
        .unwrap();
    let headers = server.join().unwrap();
    assert!(
        headers.contains("last-event-id: 7") && headers.contains("authorization: bearer nwk_x"),
        "{headers}"
    );
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "one worker is enough: {told}{}", text(&output.stderr));
    assert_eq!(told.matches("--- paris-1 (netwark.broadcast): done").count(), 1, "{told}");
    assert!(told.contains("OK: all is well"), "{told}");
    assert!(told.contains("--- nice-1 (netwark.broadcast): error\nno such name"), "{told}");
    assert!(
        text(&output.stderr).contains("lyon-1 (netwark.broadcast) is offline"),
        "{}",
        text(&output.stderr)
    );
}

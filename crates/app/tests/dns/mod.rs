//! `netwark dns` on this machine, against a small name server on loopback.

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Output, Stdio};

use serde_json::Value;

use super::{home, netwark, text};

/// Knows an address for `a.example` and `b.example`, and that all others are not there.
fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let place = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let asked = &buffer[..length];
            let end = 12 + asked[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
            let address = match asked[13] {
                b'a' => Some(1),
                b'b' => Some(2),
                _ => None,
            };
            let (flags, count) = if address.is_some() { (b"\x81\x80", 1) } else { (b"\x81\x83", 0) };
            let mut answer = [&asked[..2], flags, &[0, 1, 0, count, 0, 0, 0, 0], &asked[12..end]].concat();
            if let Some(last) = address {
                answer.extend_from_slice(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02");
                answer.push(last);
            }
            socket.send_to(&answer, from).unwrap();
        }
    });
    place
}

fn dns(arguments: &[&str], input: &str) -> Output {
    let home = home();
    let mut child = netwark(home.path(), &["dns"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who is told its targets reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn questions_are_asked_as_dig_is() {
    let at = format!("@{}", name_server());
    for (arguments, input, code, expected) in [
        (vec![at.as_str(), "a.example", "+short"], "", 0, "192.0.2.1\n"),
        (vec![&at, "a.example", "b.example", "--short"], "", 0, "192.0.2.1\n192.0.2.2\n"),
        (vec![&at, "--short"], "b.example\n# a comment\n\na.example\n", 0, "192.0.2.2\n192.0.2.1\n"),
        (vec![&at, "--short", "-"], "a.example\n", 0, "192.0.2.1\n"),
        (vec![&at, "--short", "a.example", "missing.example"], "", 1, "192.0.2.1\n"),
        (vec![&at, "--short"], "a b\na.example # the first\nb.example\n", 2, "192.0.2.1\n192.0.2.2\n"),
        (vec![&at, "--short", "!", "a.example"], "", 2, "192.0.2.1\n"),
    ] {
        let output = dns(&arguments, input);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout), expected, "{arguments:?}");
    }
    let whole = text(&dns(&[&at, "a.example"], "").stdout);
    for part in [
        ";; ->>HEADER<<- opcode: QUERY, status: NOERROR",
        "a.example.\t\t60\tIN\tA\t192.0.2.1",
        "OK: 1 A record",
    ] {
        assert!(whole.contains(part), "{whole}");
    }
    let output = dns(&[&at, "--json", "missing.example"], "");
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &outcome["status"]), (Some(1), &Value::from("NXDOMAIN")));
}

#[test]
fn what_makes_no_sense_is_a_mistake_of_usage() {
    for (arguments, why) in [
        (vec!["example.org", "ANY"], "RFC 8482"),
        (vec!["example.org", "-t", "WHAT"], "type: must be a type"),
        (vec!["a..b"], "empty part"),
        (vec!["example.org", "b..c"], "the target 'b..c'"),
        (vec!["example.org", "-T", "@192.0.2.1"], "cannot be used"),
        (vec!["-"], "no target on standard input"),
        (vec!["example.org", "--nameserver", "ftp://x"], "nameserver: "),
        (vec!["example.org", "--nameserver", "ftp://x"], "tls://NAME"),
        (vec!["example.org", "@tls://192.0.2.1", "--transport", "udp"], "says udp"),
    ] {
        let output = dns(&arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stdout));
        assert!(text(&output.stderr).contains(why), "{arguments:?}: {}", text(&output.stderr));
    }
}

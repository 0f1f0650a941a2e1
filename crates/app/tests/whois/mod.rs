//! `netwark whois`, with registries on loopback.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::{home, netwark, run, text};

/// A registry over port 43 that knows one domain and one network.
fn registry() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            let mut stream = BufReader::new(stream);
            let _ = stream.read_line(&mut line);
            let answer = match line.trim() {
                "example.tld" => {
                    "Domain Name: EXAMPLE.TLD\r\nRegistrar: Example Registrar\r\nName Server: ns1.example.tld\r\n"
                }
                "193.0.0.1" => {
                    "inetnum: 193.0.0.0 - 193.0.7.255\nnetname: EXAMPLE-NET\ncountry: NL\nsource: RIPE\n"
                }
                _ => "% no entries found\n",
            };
            let _ = stream.get_mut().write_all(answer.as_bytes());
        }
    });
    place
}

struct Registries {
    home: TempDir,
}

impl Registries {
    fn new() -> Self {
        let home = home();
        let rows = format!("whois {} tld 193.0.0.0/8\n", registry());
        std::fs::write(home.path().join("registries"), rows).unwrap();
        Self { home }
    }

    fn ask(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = netwark(self.home.path(), &["whois", "--registries"])
            .arg(self.home.path().join("registries"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who reads no input may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }
}

#[test]
fn answers_are_told_in_words_as_json_and_raw() {
    let registries = Registries::new();
    let words = registries.ask(&["www.example.tld"], "");
    let told = text(&words.stdout);
    assert_eq!(words.status.code(), Some(0), "{told}");
    assert!(told.starts_with("example.tld is registered through Example Registrar.\n"), "{told}");
    assert!(told.contains("  Name server     ns1.example.tld\n"), "{told}");
    assert!(told.contains("(WHOIS)"), "{told}");

    let json = registries.ask(&["--json", "193.0.0.1"], "");
    let answer: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(answer["record"]["network_name"], "EXAMPLE-NET");
    assert_eq!(answer["record"]["prefixes"][0], "193.0.0.0/21");

    let raw = text(&registries.ask(&["--raw", "example.tld"], "").stdout);
    assert!(raw.contains("Domain Name: EXAMPLE.TLD\nRegistrar: Example Registrar\n"), "{raw}");
}

#[test]
fn many_are_asked_in_their_order() {
    let registries = Registries::new();
    let lines = "example.tld\n# a remark\n\nnowhere.tld\n10.0.0.1 # ours\nnot a name\n";
    let output = registries.ask(&["--json", "-"], lines);
    let told: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let outcomes: Vec<_> = told.iter().map(|answer| answer["outcome"].as_str().unwrap().to_owned()).collect();
    assert_eq!(outcomes, ["found", "no_match", "special"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stderr), "netwark: 'not a name' must not hold blanks\n");
}

#[test]
fn exit_codes() {
    let registries = Registries::new();
    for (arguments, code) in [
        (["example.tld"].as_slice(), 0),
        (&["224.0.0.1", "AS64512", "printer.local"], 0),
        (&["nowhere.tld"], 1),
        (&["example.tld", "1.2.3"], 2),
        (&["--registries", "/nowhere", "example.tld"], 2),
    ] {
        assert_eq!(registries.ask(arguments, "").status.code(), Some(code), "{arguments:?}");
    }
}

/// A registry over RDAP that knows one domain.
fn rdap() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            let _ = stream.read_line(&mut line);
            let mut rest = String::new();
            while stream.read_line(&mut rest).is_ok_and(|read| read > 2) {
                rest.clear();
            }
            let body = r#"{"objectClassName":"domain","ldhName":"a.newtld","status":["active"],"nameservers":[{"ldhName":"ns1.a.newtld"}]}"#;
            let status = if line.contains("/domain/a.newtld ") { "200 OK" } else { "404 Not Found" };
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/rdap+json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.get_mut().write_all(answer.as_bytes());
        }
    });
    place
}

#[test]
fn an_update_says_who_is_asked_over_rdap() {
    let home = home();
    let registry = rdap();
    let file = |services: &str| {
        format!(r#"{{"version":"1.0","publication":"2026-11-02T00:00:00Z","services":[{services}]}}"#)
    };
    let mirror = home.path().join("mirror");
    std::fs::create_dir(&mirror).unwrap();
    let services = format!(r#"[["newtld"],["http://{registry}/rdap/"]]"#);
    std::fs::write(mirror.join("dns.json"), file(&services)).unwrap();
    let from = mirror.to_str().unwrap();
    let told = run(&home, &["update"]);
    assert!(text(&told.stdout).contains("rdap: RDAP services of registries:"), "{}", text(&told.stdout));
    let done = run(&home, &["update", "rdap", "--from", from]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(
        text(&done.stdout).contains(&format!("+ newtld http://{registry}/rdap/")),
        "{}",
        text(&done.stdout)
    );

    // Loopback may be asked because a row of one's own names it.
    let rows = home.path().join("registries");
    std::fs::write(&rows, format!("rdap http://{registry}/unused/ otherwise\n")).unwrap();
    let asked = run(&home, &["whois", "--registries", rows.to_str().unwrap(), "--json", "a.newtld"]);
    let answer: Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!(
        (&answer["outcome"], &answer["steps"][0]["protocol"]),
        (&"found".into(), &"rdap".into()),
        "{answer}"
    );
    assert_eq!(answer["record"]["name_servers"][0], "ns1.a.newtld");

    std::fs::write(mirror.join("dns.json"), "{").unwrap();
    let failed = run(&home, &["update", "rdap", "--from", from]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(text(&failed.stderr).contains("it is no bootstrap file of RDAP"), "{}", text(&failed.stderr));
    let asked = run(&home, &["whois", "--registries", rows.to_str().unwrap(), "a.newtld"]);
    assert_eq!(asked.status.code(), Some(0), "the last good data stays: {}", text(&asked.stdout));
}

//! `netwark lookup`, with a name server and a registry on loopback.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::{home, netwark, text};

/// Knows an address for every name, and no other records.
fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let place = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let asked = &buffer[..length];
            let end = 12 + asked[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
            let is_address = asked[end - 4..end - 2] == [0, 1];
            let count = u8::from(is_address);
            let mut answer =
                [&asked[..2], &[0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0], &asked[12..end]].concat();
            if is_address {
                answer.extend_from_slice(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01");
            }
            socket.send_to(&answer, from).unwrap();
        }
    });
    place
}

/// A registry over port 43 that knows one domain.
fn registry() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            let mut stream = BufReader::new(stream);
            let _ = stream.read_line(&mut line);
            let answer = match line.trim() {
                "www.tld" => "Domain Name: WWW.TLD\r\nRegistrar: Example Registrar\r\n",
                _ => "% no entries found\n",
            };
            let _ = stream.get_mut().write_all(answer.as_bytes());
        }
    });
    place
}

fn lookup(arguments: &[&str], input: &str) -> Output {
    let home = home();
    let rows = home.path().join("registries");
    std::fs::write(&rows, format!("whois {} tld\n", registry())).unwrap();
    let sample = |name| Path::new(env!("CARGO_MANIFEST_DIR")).join("../lookup/tests/data/geoip").join(name);
    let mut child = netwark(home.path(), &["lookup"])
        .args(arguments)
        .env("NETWARK_LOOKUPS__RESOLVERS", name_server().to_string())
        .env("NETWARK_LOOKUPS__REGISTRIES_FILE", rows)
        .env("NETWARK_LOOKUPS__GEOIP__CITY", sample("city.mmdb"))
        .env("NETWARK_LOOKUPS__GEOIP__ASN", sample("asn.mmdb"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading, when it is not asked to.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn a_name_is_told_with_all_its_parts() {
    let output = lookup(&["https://www.tld/x"], "");
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}{}", text(&output.stderr));
    for line in [
        "www.tld, name\n",
        "  addresses  192.0.2.1, Documentation (TEST-NET-1), AS64501 Lyon Transit, Lyon, Rhône, France\n",
        "  DNS        A          60  www.tld.  192.0.2.1\n",
        "             none of AAAA, CNAME, MX, NS, TXT, SOA, CAA\n",
        "  WHOIS      www.tld is registered through Example Registrar.\n",
    ] {
        assert!(told.contains(line), "{line}{told}");
    }
    assert!(text(&output.stderr).contains("IP Geolocation by DB-IP (https://db-ip.com)"));
    let json = lookup(&["--json", "--parts", "dns,whois", "www.tld"], "");
    let known: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(known["expected"], serde_json::json!(["dns", "whois"]));
    assert_eq!(known["parts"]["whois"]["data"]["record"]["registrar"], "Example Registrar");
}

#[test]
fn many_are_told_offline() {
    let output =
        lookup(&["--offline", "-"], "192.0.2.1\n# a remark\nAS64501\n00:00:0c:12:34:56\n10.0.0.0/8\n");
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    for line in [
        "  place, AS  AS64501 Lyon Transit, Lyon, Rhône, France\n",
        "AS64501, autonomous system\n  system     AS64501 Lyon Transit\n",
        "Cisco Systems, Inc",
        "  network    10.0.0.0/8, hosts 10.0.0.1 - 10.255.255.254 (16777214)\n",
    ] {
        assert!(told.contains(line), "{line}{told}");
    }
    let lines = text(&lookup(&["--offline", "--json"], "192.0.2.1\nAS64501\n").stdout);
    let known: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        known.iter().map(|one| one["kind"].as_str()).collect::<Vec<_>>(),
        [Some("address"), Some("as")]
    );
}

#[test]
fn what_is_nothing_ends_with_two() {
    for (arguments, input, lines) in [
        (&["--json", "192.0.2.999", "192.0.2.1"][..], "", 1),
        (&["--json"], "192.0.2.999\nAS64500\n192.0.2.0/33\nAS1\n", 2),
    ] {
        let output = lookup(&[&["--offline"], arguments].concat(), input);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(text(&output.stdout).lines().count(), lines, "{arguments:?}");
        let complaints = text(&output.stderr);
        assert_eq!(complaints.matches("'192.0.2.999'").count(), 1, "{complaints}");
    }
    let wrong = lookup(&["--parts", "shoes", "192.0.2.1"], "");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("got 'shoes'"), "{}", text(&wrong.stderr));
}

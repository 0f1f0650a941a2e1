//! `netwark ipcalc`.

use std::io::Write as _;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::{home, netwark, run, text};

fn ipcalc(arguments: &[&str]) -> Output {
    run(&home(), &[&["ipcalc"], arguments].concat())
}

fn with_input(arguments: &[&str], input: &str) -> Output {
    let home = home();
    let mut command = netwark(home.path(), &[&["ipcalc"], arguments].concat());
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn an_address_is_told_in_lines() {
    let output = ipcalc(&["192.0.2.77/26"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    for line in [
        "192.0.2.77/26\n",
        "  address     192.0.2.77        11000000.00000000.00000010.01 001101\n",
        "  netmask     255.255.255.192   11111111.11111111.11111111.11 000000\n",
        "  wildcard    0.0.0.63          0xffffffc0\n",
        "  hosts       192.0.2.65 - 192.0.2.126  (62)\n",
        "  kind        Documentation (TEST-NET-1) (192.0.2.0/24, RFC 5737), class C\n",
        "  delegated   64/26.2.0.192.in-addr.arpa (RFC 2317)\n",
    ] {
        assert!(told.contains(line), "{line}{told}");
    }
    let v6 = text(&ipcalc(&["2001:db8::1/65"]).stdout);
    let bits = "  bits        0010000000000001:0000110110111000:0000000000000000:0000000000000000:\n              0 000000000000000:";
    assert!(v6.contains(bits), "{v6}");
    let teredo = text(&ipcalc(&["2001:0:4136:e378:8000:63bf:3fff:fdd2"]).stdout);
    assert!(teredo.contains("192.0.2.45 by Teredo, port 40000, server 65.54.227.120, cone NAT"), "{teredo}");
}

#[test]
fn json_is_one_answer_or_a_line_for_each() {
    let one: Value = serde_json::from_slice(&ipcalc(&["--json", "10/8"]).stdout).unwrap();
    assert_eq!(one["prefix"], "10.0.0.0/8");
    let several = text(&ipcalc(&["--json", "10/8", "2001:db8::/32"]).stdout);
    let networks: Vec<Value> = several.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((networks.len(), &networks[1]["network"]), (2, &Value::from("2001:db8::")));
    let masked = text(&ipcalc(&["--json", "192.0.2.77", "255.255.255.0"]).stdout);
    assert_eq!(serde_json::from_str::<Value>(&masked).unwrap()["prefix"], "192.0.2.0/24");
}

#[test]
fn standard_input_is_read_in_bulk() {
    let lines = "10.0.0.1 255.255.255.0\n# a remark\n\n10.0.1.0/24, 10.0.2.1-10.0.2.4\n";
    for arguments in [&["--json"][..], &["--json", "-"]] {
        let output = with_input(arguments, lines);
        assert_eq!(text(&output.stdout).lines().count(), 3, "{}", text(&output.stderr));
    }
    let summary = with_input(&["--summarise"], lines);
    assert_eq!(text(&summary.stdout), "10.0.0.0/23\n10.0.2.1/32\n10.0.2.2/31\n10.0.2.4/32\n");
    let wrong = with_input(&["--json"], "10.0.0.1\nnonsense\n10.0.0.2\n");
    assert_eq!((wrong.status.code(), text(&wrong.stdout).lines().count()), (Some(2), 2));
    assert!(text(&wrong.stderr).contains("'nonsense' must be an address"), "{}", text(&wrong.stderr));
}

#[test]
fn networks_are_cut_and_compared() {
    let split = text(&ipcalc(&["192.0.2.0/24", "--split", "/25"]).stdout);
    assert_eq!(
        split,
        "192.0.2.0/24: 2 networks of /25\n  192.0.2.0/25    192.0.2.1 - 192.0.2.126  (126)\n  192.0.2.128/25  \
         192.0.2.129 - 192.0.2.254  (126)\n"
    );
    assert_eq!(text(&ipcalc(&["10.0.0.0/20", "--split", "4096"]).stdout).lines().count(), 1 + 4096);
    let hosts = text(&ipcalc(&["192.0.2.0/24", "--hosts", "100,20"]).stdout);
    assert!(hosts.contains("for 100") && hosts.contains("free: 192.0.2.160/27  192.0.2.192/26"), "{hosts}");
    let compared = text(&ipcalc(&["--compare", "10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/24"]).stdout);
    assert_eq!(compared, "10.0.0.0/8 contains 10.1.0.0/16\n");
    let eui64 = text(&ipcalc(&["2001:db8::/64", "--mac", "00:00:5e:00:53:01"]).stdout);
    assert!(
        eui64.contains("2001:db8::200:5eff:fe00:5301 from MAC 00:00:5e:00:53:01, given by its maker"),
        "{eui64}"
    );
}

#[test]
fn nonsense_ends_with_two() {
    for arguments in [
        &["10.0.0.0/33"][..],
        &["10.0.0.0/24", "--split", "/23"],
        &["10.0.0.0/24", "--split", "x"],
        &["10.0.0.0/24", "--split", "2", "--hosts", "3"],
        &["10.0.0.0/24", "--hosts", "500"],
        &["10.0.0.0/24", "--mac", "00:00:5e:00:53:01"],
        &["--summarise", "x"],
    ] {
        let output = ipcalc(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
}

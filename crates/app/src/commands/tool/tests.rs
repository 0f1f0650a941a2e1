//! What is printed and drawn, without a network.

use std::ffi::OsString;
use std::net::IpAddr;
use std::sync::Mutex;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use netwark_model::error::FieldError;
use netwark_model::tools::mtr::{
    Hop, HopAnswer, HopRtt, Label, MtrHeader, MtrOutcome, MtrReport, Protocol, Responder, TraceReport,
};
use netwark_model::tools::ping::{PingFate, PingOptions, PingReply, PingReport, PingStatistics};
use netwark_model::tools::tcp::TcpStatistics;
use netwark_model::tools::verdict::{Severity, Verdict};
use netwark_model::tools::{Registry, Tool, ToolDefinition, ToolText};
use netwark_probe::report::ping_outcome;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::mtr_table::{State, draw};
use super::ping_lines::PingLines;
use super::tcp_lines::TcpLines;
use super::view::{Enough, View};
use super::{finish, flags, screen};

fn tool(name: &str) -> ToolDefinition {
    Registry::standard().get(name).unwrap().clone()
}

fn parse(name: &str, line: &str) -> Result<(flags::Shared, Value), String> {
    let tool = tool(name);
    let words = std::iter::once(name).chain(line.split(' '));
    let matches = flags::command(&tool).try_get_matches_from(words).map_err(|e| e.to_string())?;
    let checked = tool.check_matches(&matches);
    let shared = flags::read(&tool, &matches, checked.as_ref().ok()).map_err(|e| e.to_string())?;
    Ok((shared, checked.map_err(|e| format!("{e:?}"))?.typed))
}

#[test]
fn flags_are_those_people_know() {
    let (shared, options) = parse("ping", "-c 3 -i 0.2 -n -q -6 --from paris,lyon example.org").unwrap();
    assert_eq!(shared.from.as_deref(), Some("paris or lyon"));
    assert!(shared.numeric && !shared.json);
    assert_eq!(
        (&options["count"], &options["interval_ms"], &options["family"]),
        (&json!(3), &json!(200), &json!("6"))
    );

    let (shared, options) = parse("mtr", "-bzj -c 4 -T -P 443 -w [2001:db8::1]").unwrap();
    assert!(shared.json);
    assert_eq!(shared.target, "2001:db8::1");
    assert_eq!((&options["protocol"], &options["port"]), (&json!("tcp"), &json!(443)));
}

#[test]
fn a_sweep_takes_all_its_targets_as_one_and_none_as_the_local_networks() {
    let (shared, options) = parse("sweep", "-t 3 -r 100 -x 10.0.0.7 10.0.0.9/24 10.0.1.* -n").unwrap();
    assert_eq!(shared.target, "10.0.0.0/24, 10.0.1.0/24");
    assert!(shared.more.is_empty() && shared.numeric);
    assert_eq!((&options["tries"], &options["rate"]), (&json!(3), &json!(100)));
    let (shared, _) = parse("sweep", "--json").unwrap();
    assert_eq!(shared.target, "local");
}

#[test]
fn refused_flags_and_targets_say_why() {
    for (name, line, why) in [
        ("ping", "-f example.org", "-f of ping is refused: flood ping"),
        ("ping", "-R example.org", "-R of ping is refused: the record route"),
        ("mtr", "-F /etc/passwd example.org", "-F of mtr is refused: files"),
        ("ping", "192.0.2.300", "looks like an address"),
        ("ping", "--from site: example.org", "'site:' at character 1 needs a value"),
        ("ping", "-c many example.org", "many"),
        ("ping", "-c 20000 example.org", "at most 10000"),
        ("tcp", "example.org", "the target 'example.org' needs a port"),
        ("tcp", "example.org:443 -p 80", "port is 80, but the target names port 443"),
        ("tcp", "2001:db8::1:x", "in brackets"),
        ("sweep", "10.0.0.0/33", "is no prefix"),
        ("sweep", "10.0.0.0/12", "large must be set to sweep more than 65536 addresses"),
        ("sweep", "--vlan 7 10.0.0.0/24", "--interface"),
    ] {
        let error = parse(name, line).unwrap_err();
        assert!(error.contains(why), "{name} {line}: {error}");
    }
}

#[test]
fn an_interface_that_is_an_address_is_a_source() {
    let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
    let right = |line: &str| flags::habits(&Registry::standard(), words(line).into_iter());
    assert_eq!(right("netwark ping -I 192.0.2.1 host"), words("netwark ping --source 192.0.2.1 host"));
    assert_eq!(right("netwark ping -I eth0 host"), words("netwark ping -I eth0 host"));
    assert_eq!(right("netwark ping host -I"), words("netwark ping host -I"));
    assert_eq!(right("netwark config -I ::1"), words("netwark config -I ::1"));
    assert_eq!(right("netwark"), words("netwark"));
}

/// A tool that this program has never heard of.
struct Knock;

/// Options of a made-up tool.
#[derive(Default, Serialize, Deserialize, clap::Args, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct KnockOptions {
    /// How often.
    #[arg(short = 'k', long, default_value_t = 3)]
    #[schema(minimum = 1, maximum = 9)]
    knocks: u32,
}

impl Tool for Knock {
    type Options = KnockOptions;
    const TEXT: ToolText = ToolText { name: "knock", title: "Knock", summary: "Knocks.", target: "A door." };

    fn check(_: &KnockOptions) -> Vec<FieldError> {
        Vec::new()
    }

    fn longest_ms(_: &KnockOptions) -> u64 {
        1
    }
}

#[test]
fn a_new_tool_has_its_command_at_once() {
    let tools = Registry::standard().with::<Knock>();
    let command = crate::cli::command(&tools);
    let matches = command.try_get_matches_from(["netwark", "knock", "-k", "5", "--json", "door"]).unwrap();
    let (name, matches) = matches.subcommand().unwrap();
    let tool = tools.get(name).unwrap();
    assert_eq!(tool.check_matches(matches).unwrap().typed, json!({ "knocks": 5 }));
    assert_eq!(flags::read(tool, matches, None).unwrap().target, "door");
    let help = flags::command(tool).render_help().to_string();
    assert!(help.contains("Knocks") && help.contains("A door.") && help.contains("How often"), "{help}");
}

#[test]
fn a_port_is_named_by_the_target_or_by_its_flag() {
    for (line, target, port) in [
        ("example.org:443", "example.org:443", json!(null)),
        ("example.org -p 22 -c 2", "example.org", json!(22)),
        ("[2001:DB8::1]:443", "[2001:db8::1]:443", json!(null)),
    ] {
        let (shared, options) = parse("tcp", line).unwrap();
        assert_eq!((shared.target.as_str(), &options["port"]), (target, &port), "{line}");
    }
}

#[test]
fn a_url_is_asked_for_with_the_flags_of_curl() {
    let line = "example.org/x -X head -H X-One:1 -H X-Two:2 -k --http-version 2 -W 3";
    let (shared, options) = parse("http", line).unwrap();
    assert_eq!(shared.target, "http://example.org/x");
    assert_eq!(options["headers"], json!(["X-One:1", "X-Two:2"]));
    let given = ["method", "insecure", "http_version", "timeout_ms"].map(|name| options[name].clone());
    assert_eq!(given, [json!("HEAD"), json!(true), json!("2"), json!(3000)]);
    let (_, options) = parse("tls", "mail.example.org --starttls smtp -n www.example.org").unwrap();
    assert_eq!((&options["starttls"], &options["server_name"]), (&json!("smtp"), &json!("www.example.org")));
}

#[test]
fn what_was_asked_once_is_told_with_its_verdict() {
    let asked = |severity: &str| {
        let verdict = json!({"severity": severity, "summary": "It is so.", "findings": []});
        json!({"raw": ["GET http://a.test/"], "reports": [{
            "address": "192.0.2.1", "chosen": null, "hops": [], "status": 200, "total_ms": 1.0, "verdict": verdict,
        }]})
    };
    let finished = finish::report("http", &asked("warning"), false);
    assert_eq!(finished.lines, ["GET http://a.test/", "", "WARNING: It is so."]);
    assert!(finished.fine && !finish::report("http", &asked("alert"), false).fine);
}

#[test]
fn connections_are_printed_once_and_as_they_come() {
    let report = |attempts: Value| {
        json!({"raw": [], "reports": [{
            "address": "192.0.2.1", "port": 443, "chosen": null, "attempts": attempts,
            "statistics": TcpStatistics::default(), "verdict": Verdict::default(),
        }]})
    };
    let lines = Mutex::new(Vec::new());
    let mut view = TcpLines::new("example.org:443", |line| lines.lock().unwrap().push(line));
    let first = json!({"seq": 1, "at_ms": 0.0, "fate": "connected", "rtt": 12.34});
    let second = json!({"seq": 2, "at_ms": 1000.0, "fate": "refused", "rtt": 0.5});
    view.update(&report(json!([first])));
    view.update(&report(json!([first, second])));
    assert!(view.told_replies());
    drop(view);
    assert_eq!(
        lines.into_inner().unwrap(),
        [
            "TCP example.org:443 (192.0.2.1) port 443",
            "connected to 192.0.2.1: seq=1 port=443 time=12.3 ms",
            "refused by 192.0.2.1: seq=2 port=443 time=0.500 ms",
        ]
    );
}

fn reply(seq: u32, fate: PingFate) -> PingReply {
    PingReply { seq, at_ms: f64::from(seq - 1) * 1000.0, fate }
}

fn answered(rtt: f64) -> PingFate {
    PingFate::Reply { rtt, ttl: Some(64), from: None, duplicates: 0, kernel: true }
}

fn pinged(replies: Vec<PingReply>, received: u32) -> Value {
    let report = PingReport {
        address: IpAddr::from([192, 0, 2, 1]),
        chosen: None,
        asn: None,
        as_name: None,
        place: None,
        statistics: PingStatistics { transmitted: 3, received, ..PingStatistics::default() },
        replies,
        verdict: Verdict { severity: Severity::Ok, summary: "all is well".into(), findings: vec![] },
    };
    serde_json::to_value(ping_outcome("example.org", &PingOptions::default(), vec![report])).unwrap()
}

#[test]
fn every_reply_is_printed_once_and_as_it_comes() {
    let lines = Mutex::new(Vec::new());
    let mut view =
        PingLines::new("example.org", PingOptions::default(), |line| lines.lock().unwrap().push(line));
    view.update(&pinged(vec![reply(1, PingFate::Waiting), reply(2, answered(0.5))], 1));
    view.update(&pinged(
        vec![reply(1, PingFate::Lost), reply(2, answered(0.5)), reply(3, answered(12.0))],
        2,
    ));
    view.update(&json!({ "not": "an outcome" }));
    drop(view);
    assert_eq!(
        lines.into_inner().unwrap(),
        [
            "PING example.org (192.0.2.1) 56(84) bytes of data.",
            "64 bytes from 192.0.2.1: icmp_seq=2 ttl=64 time=0.500 ms",
            "no answer from 192.0.2.1 to icmp_seq=1",
            "64 bytes from 192.0.2.1: icmp_seq=3 ttl=64 time=12.0 ms",
        ]
    );
}

#[test]
fn the_report_leaves_out_what_was_told() {
    let payload = pinged(vec![reply(1, answered(0.5))], 1);
    let whole = finish::report("ping", &payload, false);
    let rest = finish::report("ping", &payload, true);
    assert!(whole.fine && rest.fine);
    assert!(whole.lines[0].starts_with("PING "));
    assert_eq!(rest.lines[..2], ["".to_owned(), "--- example.org ping statistics ---".to_owned()]);
    assert_eq!(rest.lines.last().unwrap(), "OK: all is well");
    assert!(!finish::report("ping", &pinged(vec![reply(1, PingFate::Lost)], 0), false).fine);
    assert_eq!(finish::report("other", &json!({"a": 1}), false).lines, ["{", "  \"a\": 1", "}"]);
}

fn hop(ttl: u8, loss: f64, hosts: &[(&str, Option<&str>)]) -> Hop {
    let rtt = HopRtt { last: 1.25, best: 1.0, average: 1.5, worst: 123.4, stddev: 0.1, jitter: 0.2 };
    let responders = hosts.iter().map(|(address, name)| Responder {
        address: address.parse().unwrap(),
        name: name.map(Into::into),
        asn: None,
        as_name: None,
        place: None,
        received: 7,
        rtt,
        answer: HopAnswer::TimeExceeded,
        labels: if ttl == 2 { vec![Label { label: 24_001, tc: 0, bottom: true, ttl: 1 }] } else { vec![] },
        flows: vec![0],
    });
    let responders: Vec<_> = responders.collect();
    Hop { ttl, sent: 10, received: 7, loss, rtt: (!responders.is_empty()).then_some(rtt), responders }
}

fn trace() -> MtrOutcome {
    let trace = TraceReport {
        address: "192.0.2.9".parse().unwrap(),
        chosen: Some("the only IPv4 address".into()),
        protocol: Protocol::Icmp,
        cycles: 3,
        reached: true,
        end: None,
        hops: vec![
            hop(1, 0.0, &[("192.0.2.1", Some("gateway.example"))]),
            hop(2, 30.0, &[("192.0.2.2", None), ("192.0.2.3", None)]),
            hop(3, 100.0, &[]),
            hop(4, 0.0, &[("192.0.2.9", None)]),
        ],
        paths: vec![],
        verdict: Verdict {
            severity: Severity::Info,
            summary: "Hop 2 limits its replies, harmless.".into(),
            findings: vec![],
        },
    };
    let mtr = MtrHeader {
        src: "here".into(),
        dst: "example.org".into(),
        tos: 0,
        tests: 10,
        psize: "64".into(),
        bitpattern: "0x00".into(),
    };
    MtrOutcome { report: MtrReport { mtr, hubs: vec![] }, raw: vec!["text".into()], trace }
}

fn drawn(state: &State, width: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, 14)).unwrap();
    terminal.draw(|frame| draw(frame, state)).unwrap();
    let buffer = terminal.backend().buffer();
    let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..14).map(row).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_table_shows_every_hop() {
    let state =
        State { target: "example.org".into(), cycles: 10, outcome: Some(trace()), ..State::default() };
    let expected = "\
netwark mtr example.org (192.0.2.9)  the only IPv4 address
cycle 3 of 10, target answers
    Host                              Loss%     Snt    Last     Avg    Best    Wrst   StDev  Jitter
 1. gateway.example (192.0.2.1)        0.0%      10    1.25    1.50    1.00   123.4    0.10    0.20
 2. 192.0.2.2                         30.0%      10    1.25    1.50    1.00   123.4    0.10    0.20
      [MPLS 24001 TC 0 TTL 1]
      192.0.2.3                                   7    1.25    1.50    1.00   123.4    0.10    0.20
      [MPLS 24001 TC 0 TTL 1]
 3. ???                              100.0%      10
 4. 192.0.2.9                          0.0%      10    1.25    1.50    1.00   123.4    0.10    0.20

INFO: Hop 2 limits its replies, harmless.

q quit  p pause the display  n addresses only";
    assert_eq!(drawn(&state, 99), expected);
}

#[test]
fn the_table_has_autonomous_systems_once_a_file_tells_them() {
    let mut outcome = trace();
    outcome.trace.hops[0].responders[0].asn = Some(64500);
    outcome.trace.hops[1].responders[1].asn = Some(4_200_000_000);
    let state = State { target: "example.org".into(), outcome: Some(outcome), ..State::default() };
    let screen = drawn(&state, 99);
    for line in [
        "    AS           Host                 Loss%     Snt    Last     Avg    Best    Wrst   StDev",
        " 1. AS64500      gateway.example (1    0.0%      10    1.25    1.50    1.00   123.4    0.10",
        "                   [MPLS 24001 TC 0",
        "    AS4200000000   192.0.2.3                      7    1.25",
        " 3.              ???                 100.0%      10",
    ] {
        assert!(screen.contains(line), "{line}\n{screen}");
    }
    for width in 1..40 {
        drawn(&state, width);
    }
}

#[test]
fn a_pinged_address_is_placed_where_a_file_knows_it() {
    let mut payload = pinged(vec![reply(1, answered(0.5))], 1);
    assert!(!finish::report("ping", &payload, true).lines.iter().any(|line| line.contains("AS64500")));
    payload["reports"][0]["asn"] = 64500.into();
    payload["reports"][0]["as_name"] = "Example Networks".into();
    payload["reports"][0]["place"] = json!({ "words": "Lyon, France", "country": "FR", "coordinates": null });
    let told = finish::report("ping", &payload, true).lines;
    assert!(told.contains(&"192.0.2.1: AS64500 Example Networks, Lyon, France".to_owned()), "{told:?}");
}

#[test]
fn a_narrow_table_loses_columns_from_the_right() {
    let state =
        State { target: "example.org".into(), outcome: Some(trace()), numeric: true, ..State::default() };
    let screen = drawn(&state, 50);
    assert!(screen.contains("Loss%") && screen.contains("Last") && !screen.contains("Wrst"), "{screen}");
    assert!(screen.contains(" 1. 192.0.2.1 "), "{screen}");
    // No size of screen may be too small to draw on.
    for width in 1..30 {
        drawn(&state, width);
    }
}

#[test]
fn keys_do_what_they_say() {
    let enough = Enough::default();
    let mut state = State::default();
    let press = |code| Event::Key(KeyEvent::new(code, KeyModifiers::NONE));
    assert!(screen::obey(&press(KeyCode::Char('p')), &mut state, &enough) && state.paused);
    assert!(drawn(&state, 80).contains("p go on"));
    assert!(screen::obey(&press(KeyCode::Char('n')), &mut state, &enough) && state.numeric);
    assert!(!screen::obey(&press(KeyCode::Char('x')), &mut state, &enough));
}

#[tokio::test]
async fn quitting_is_told_from_interrupting() {
    let mut state = State::default();
    for (code, modifiers, interrupted) in
        [(KeyCode::Char('q'), KeyModifiers::NONE, false), (KeyCode::Char('c'), KeyModifiers::CONTROL, true)]
    {
        let enough = Enough::default();
        screen::obey(&Event::Key(KeyEvent::new(code, modifiers)), &mut state, &enough);
        assert_eq!(enough.said().await, interrupted);
    }
}

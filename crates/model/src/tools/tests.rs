use serde_json::json;

use super::args::Family;
use super::legacy::{LegacyFlag, Meaning};
use super::mtr::{MtrOptions, Protocol};
use super::ping::PingOptions;
use super::*;

fn ping(options: &Value) -> Result<PingOptions, Vec<String>> {
    typed("ping", options)
}

fn typed<T: DeserializeOwned>(tool: &str, options: &Value) -> Result<T, Vec<String>> {
    let registry = Registry::standard();
    let checked = registry.get(tool).unwrap().check_any(Some(options));
    checked
        .map(|checked| serde_json::from_value(checked.typed).unwrap())
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

#[test]
fn absent_options_are_the_defaults() {
    assert_eq!(ping(&json!(null)).unwrap(), PingOptions::default());
    assert_eq!(ping(&json!({})).unwrap(), PingOptions::default());
    assert_eq!(ping(&json!("")).unwrap(), PingOptions::default());
    assert_eq!(typed::<MtrOptions>("mtr", &json!("")).unwrap(), MtrOptions::default());
}

#[test]
fn options_out_of_range_are_named() {
    assert_eq!(ping(&json!({"count": 0})).unwrap_err(), ["options.count: must be at least 1, got 0"]);
    assert_eq!(
        ping(&json!({"count": 10_001})).unwrap_err(),
        ["options.count: must be at most 10000, got 10001"]
    );
    assert_eq!(ping(&json!({"count": 1.5})).unwrap_err(), ["options.count: must be a whole number, got 1.5"]);
    assert_eq!(ping(&json!({"ttl": "x"})).unwrap_err(), ["options.ttl: must be a whole number, got \"x\""]);
    assert_eq!(
        ping(&json!({"family": "5"})).unwrap_err(),
        ["options.family: must be one of auto, 4, 6, all, got \"5\""]
    );
    assert!(
        ping(&json!({"cuont": 1})).unwrap_err()[0].starts_with("options.cuont: is unknown; the options are")
    );
    assert!(ping(&json!({"source": "nowhere"})).unwrap_err()[0].contains("IP address"));
    assert!(ping(&json!([1])).unwrap_err()[0].contains("must be an object, or a string of flags"));
    assert_eq!(ping(&json!({"source": null, "interface": null})).unwrap(), PingOptions::default());
}

#[test]
fn measurements_are_bounded_in_time() {
    let errors = ping(&json!({"count": 10_000, "interval_ms": 1000})).unwrap_err();
    assert!(
        errors[0].starts_with("options.count: the measurement would take 10001 s, at most 1200 s"),
        "{errors:?}"
    );
}

#[test]
fn inconsistent_trace_options_are_named() {
    let wrong = |options: Value| typed::<MtrOptions>("mtr", &options).unwrap_err();
    assert_eq!(
        wrong(json!({"first_ttl": 9, "last_ttl": 3})),
        ["options.first_ttl: must not be above last_ttl, which is 3"]
    );
    assert!(wrong(json!({"port": 80}))[0].starts_with("options.port: has no meaning"));
    assert!(wrong(json!({"family": "all"}))[0].starts_with("options.family: a trace follows one address"));
}

/// What each flag of iputils' ping does, one row each: letter, value, and the change to the options
/// (`None`: refused).
#[test]
fn every_flag_of_ping() {
    let same: fn(&mut PingOptions) = |_| {};
    let rows: &[Row<PingOptions>] = &[
        ("-4", Some(|o| o.family = Family::V4)),
        ("-6", Some(|o| o.family = Family::V6)),
        ("-a", Some(same)),
        ("-A", None),
        ("-b", None),
        ("-B", Some(same)),
        ("-c 5", Some(|o| o.count = 5)),
        ("-C", None),
        ("-d", None),
        ("-D", Some(same)),
        ("-e 7", None),
        ("-f", None),
        ("-h", None),
        ("-H", Some(same)),
        ("-i 0.2", Some(|o| o.interval_ms = 200)),
        ("-I eth0", Some(|o| o.interface = Some("eth0".into()))),
        ("-l 3", None),
        ("-L", None),
        ("-m 1", None),
        ("-M do", Some(|o| o.dont_fragment = true)),
        ("-n", Some(same)),
        ("-N name", None),
        ("-O", Some(same)),
        ("-p ff", None),
        ("-q", Some(same)),
        ("-Q 0xb8", Some(|o| o.dscp = 46)),
        ("-r", None),
        ("-R", None),
        ("-s 1400", Some(|o| o.size = 1400)),
        ("-S 4096", None),
        ("-t 12", Some(|o| o.ttl = 12)),
        ("-T tsonly", None),
        ("-U", Some(same)),
        ("-v", Some(same)),
        ("-V", None),
        ("-w 3", None),
        ("-W 5", Some(|o| o.timeout_ms = 5000)),
    ];
    check_rows("ping", super::legacy::PING, rows, ping);
}

/// The same for mtr.
#[test]
fn every_flag_of_mtr() {
    let same: fn(&mut MtrOptions) = |_| {};
    let rows: &[Row<MtrOptions>] = &[
        ("-4", Some(|o| o.family = Family::V4)),
        ("-6", Some(|o| o.family = Family::V6)),
        ("-a 192.0.2.1", Some(|o| o.source = Some("192.0.2.1".parse().unwrap()))),
        ("-b", Some(same)),
        ("-B 3", None),
        ("-c 3", Some(|o| o.cycles = 3)),
        ("-C", Some(same)),
        ("-d 1", Some(same)),
        ("-e", Some(same)),
        ("-f 2", Some(|o| o.first_ttl = 2)),
        ("-F /etc/passwd", None),
        ("-g", Some(same)),
        ("-G 5", Some(same)),
        ("-h", None),
        ("-i 0.5", Some(|o| o.interval_ms = 500)),
        ("-I eth0", Some(|o| o.interface = Some("eth0".into()))),
        ("-j", Some(same)),
        ("-l", Some(same)),
        ("-L 99", None),
        ("-m 9", Some(|o| o.last_ttl = 9)),
        ("-M 1", None),
        ("-n", Some(same)),
        ("-o LSD", Some(same)),
        ("-p", Some(same)),
        ("-P 443 -T", Some(|o| (o.port, o.protocol) = (Some(443), Protocol::Tcp))),
        ("-Q 32", Some(|o| o.dscp = 8)),
        ("-r", Some(same)),
        ("-s 100", Some(|o| o.size = 100)),
        ("-S", None),
        ("-t", Some(same)),
        ("-T", Some(|o| o.protocol = Protocol::Tcp)),
        ("-u", Some(|o| o.protocol = Protocol::Udp)),
        ("-U 8", Some(|o| o.max_silent = 8)),
        ("-v", None),
        ("-w", Some(same)),
        ("-x", Some(same)),
        ("-y 2", Some(same)),
        ("-z", Some(same)),
        ("-Z 4", Some(|o| o.timeout_ms = 4000)),
    ];
    check_rows("mtr", super::legacy::MTR, rows, |options| typed::<MtrOptions>("mtr", options));
}

/// A flag with its value, and the change it makes.
type Row<O> = (&'static str, Option<fn(&mut O)>);

fn check_rows<O: Default + PartialEq + std::fmt::Debug>(
    tool: &str,
    table: &[LegacyFlag],
    rows: &[Row<O>],
    parse: fn(&Value) -> Result<O, Vec<String>>,
) {
    assert_eq!(table.len(), rows.len(), "one row per flag");
    for (flag, (text, change)) in table.iter().zip(rows) {
        assert_eq!(text.chars().nth(1), Some(flag.short), "rows in the order of the table");
        assert_eq!(change.is_none(), matches!(flag.meaning, Meaning::Refused(_)), "{text}");
        match change {
            Some(change) => {
                let mut expected = O::default();
                change(&mut expected);
                assert_eq!(parse(&json!(text)).as_ref(), Ok(&expected), "{text}");
                if !flag.long.is_empty() {
                    let long = text.replacen(&text[..2], &format!("--{}", flag.long), 1);
                    assert_eq!(parse(&json!(long)), Ok(expected), "{long}");
                }
            }
            None => {
                let errors = parse(&json!(text)).unwrap_err();
                let start = format!("options: -{} of {tool} is refused: ", flag.short);
                assert!(errors[0].starts_with(&start), "{text}: {errors:?}");
            }
        }
    }
}

#[test]
fn clusters_and_attached_values() {
    assert_eq!(
        ping(&json!("-nqc5 -i0.2")).unwrap(),
        PingOptions { count: 5, interval_ms: 200, ..Default::default() }
    );
    let mtr: MtrOptions = typed("mtr", &json!("-bzrj -c10")).unwrap();
    assert_eq!(mtr, MtrOptions::default());
    let bound = ping(&json!("-I 192.0.2.9")).unwrap();
    assert_eq!(bound.source, Some("192.0.2.9".parse().unwrap()));
}

#[test]
fn long_flags_of_the_shell_are_taken_too() {
    assert_eq!(
        ping(&json!("--count 5 --interval=0.2 -n")).unwrap(),
        PingOptions { count: 5, interval_ms: 200, ..Default::default() }
    );
    let mtr: MtrOptions = typed("mtr", &json!("--flows 4 --dont-fragment -c 3")).unwrap();
    assert_eq!(mtr, MtrOptions { flows: 4, dont_fragment: true, cycles: 3, ..Default::default() });
    assert_eq!(ping(&json!("--count")).unwrap_err(), ["options: --count needs a value"]);
    assert_eq!(
        typed::<MtrOptions>("mtr", &json!("--dont-fragment=1")).unwrap_err(),
        ["options: --dont-fragment takes no value"]
    );
}

#[test]
fn bad_option_strings_are_one_clear_error() {
    assert_eq!(ping(&json!("-c")).unwrap_err(), ["options: -c needs a value"]);
    assert_eq!(ping(&json!("-Z")).unwrap_err(), ["options: -Z is no flag of ping"]);
    assert_eq!(ping(&json!("--flood")).unwrap_err(), ["options: --flood is no flag of ping"]);
    assert_eq!(
        ping(&json!("192.0.2.1")).unwrap_err(),
        ["options: '192.0.2.1' is no flag; the target has a field of its own"]
    );
    assert!(ping(&json!("-c many")).unwrap_err()[0].contains("invalid value 'many'"));
    assert!(ping(&json!("-c -5")).unwrap_err()[0].contains("-5"));
    assert!(ping(&json!("x".repeat(2000))).unwrap_err()[0].contains("at most 1024 bytes"));
    assert_eq!(ping(&json!("-c 20000")).unwrap_err(), ["options.count: must be at most 10000, got 20000"]);
}

#[test]
fn schema_stands_by_itself() {
    for tool in Registry::standard().iter() {
        let text = tool.schema().to_string();
        assert!(!text.contains("$ref"), "{text}");
        for (name, property) in tool.schema()["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{name} of {} has no description", tool.text.name);
        }
    }
}

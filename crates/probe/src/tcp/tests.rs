use std::net::IpAddr;

use netwark_model::tools::verdict::{FindingKind, Severity};

use super::*;

fn report(fates: Vec<TcpFate>) -> TcpReport {
    let attempts: Vec<_> = (1..).zip(fates).map(|(seq, fate)| TcpAttempt { seq, at_ms: 0.0, fate }).collect();
    let mut report = TcpReport {
        address: IpAddr::from([192, 0, 2, 1]),
        port: 443,
        chosen: None,
        statistics: statistics(&attempts),
        attempts,
        verdict: Verdict::default(),
    };
    report.verdict = verdict::tcp(&report);
    report
}

fn filtered(from: Option<[u8; 4]>) -> TcpFate {
    let message = "administratively prohibited".into();
    TcpFate::Filtered { rtt: 1.0, from: from.map(IpAddr::from), message }
}

#[test]
fn verdicts_say_what_keeps_connections_from_a_port() {
    let connected = |rtt| TcpFate::Connected { rtt };
    let refused = || TcpFate::Refused { rtt: 1.0 };
    for (fates, severity, summary) in [
        (vec![], Severity::Ok, "Waiting for the first connection."),
        (vec![connected(12.34)], Severity::Ok, "192.0.2.1 port 443 takes connections, in 12.3 ms."),
        (
            vec![connected(10.0), connected(10.2), connected(10.4)],
            Severity::Ok,
            "192.0.2.1 port 443 takes connections, 3 of 3, median 10.2 ms.",
        ),
        (
            vec![connected(10.0), TcpFate::Unanswered],
            Severity::Alert,
            "192.0.2.1 port 443 took 1 of 2 connections, median 10.0 ms; \
             192.0.2.1 port 443 left 1 connection unanswered.",
        ),
        (
            vec![refused(), refused()],
            Severity::Alert,
            "192.0.2.1 port 443 refuses: the host answers, but nothing listens on the port.",
        ),
        (
            vec![TcpFate::Unanswered],
            Severity::Alert,
            "192.0.2.1 port 443 does not answer: the host is down, or something on the way drops what is sent.",
        ),
        (
            vec![filtered(Some([198, 51, 100, 1]))],
            Severity::Alert,
            "192.0.2.1 port 443 is filtered: 198.51.100.1 says administratively prohibited.",
        ),
        (
            vec![filtered(Some([192, 0, 2, 1]))],
            Severity::Alert,
            "192.0.2.1 port 443 is filtered: the host itself says administratively prohibited.",
        ),
        (
            vec![refused(), TcpFate::Unanswered, TcpFate::Unanswered],
            Severity::Alert,
            "192.0.2.1 port 443 left 2 connections unanswered; 192.0.2.1 port 443 refused 1 connection.",
        ),
        (
            vec![TcpFate::Unsent { message: "network is unreachable".into() }],
            Severity::Alert,
            "1 connection could not be tried: network is unreachable.",
        ),
        (
            vec![connected(1.0), connected(20.0), connected(1.0)],
            Severity::Info,
            "192.0.2.1 port 443 takes connections, 3 of 3, median 1.00 ms; \
             the time varies widely, by 8.96 ms around the mean.",
        ),
    ] {
        let verdict = report(fates).verdict;
        assert_eq!((verdict.severity, verdict.summary.as_str()), (severity, summary));
    }
    let kinds = report(vec![refused(), TcpFate::Unanswered]).verdict.findings;
    assert_eq!(
        kinds.iter().map(|one| one.kind).collect::<Vec<_>>(),
        [FindingKind::Refused, FindingKind::NoAnswer]
    );
}

#[test]
fn the_text_tells_every_connection() {
    let fates = vec![
        TcpFate::Connected { rtt: 12.34 },
        TcpFate::Refused { rtt: 0.5 },
        filtered(Some([198, 51, 100, 1])),
        TcpFate::Unanswered,
        TcpFate::Unsent { message: "network is unreachable".into() },
    ];
    let expected = [
        "TCP example.org:443 (192.0.2.1) port 443",
        "connected to 192.0.2.1: seq=1 port=443 time=12.3 ms",
        "refused by 192.0.2.1: seq=2 port=443 time=0.500 ms",
        "from 198.51.100.1: seq=3 administratively prohibited",
        "no answer from 192.0.2.1: seq=4 port=443",
        "not sent: seq=5 network is unreachable",
        "",
        "--- example.org:443 connect statistics ---",
        "4 tried, 1 connected, 1 refused, 1 filtered, 1 without answer, 1 not sent",
        "time min/avg/max/mdev = 12.340/12.340/12.340/0.000 ms",
    ];
    assert_eq!(text::lines("example.org:443", &[report(fates)]), expected);
}

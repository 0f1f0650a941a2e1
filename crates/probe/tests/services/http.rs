use netwark_model::tools::http::{HttpHop, HttpOptions, HttpReport, HttpVersion, Method};
use netwark_model::tools::tls::Phase;
use netwark_model::tools::verdict::{FindingKind, Severity};
use netwark_probe::http;
use netwark_probe::tls::Trust;
use rustls::version::{TLS12, TLS13};
use tokio::io::AsyncWriteExt;

use crate::dialer;
use crate::pki::{self, Pki, params};
use crate::serve::{Served, acceptor, head, serve, serve_http, serve_https};

const BOTH: &[&rustls::SupportedProtocolVersion] = &[&TLS13, &TLS12];

fn patient() -> HttpOptions {
    HttpOptions { timeout_ms: 60_000, ..HttpOptions::default() }
}

async fn ask_in(trust: &Trust, url: &str, options: &HttpOptions) -> HttpReport {
    let outcome = http::run(&dialer(), trust, url, options, |_| ()).await.unwrap();
    assert!(!outcome.raw.is_empty());
    outcome.reports.into_iter().next().unwrap()
}

async fn ask(url: &str, options: &HttpOptions) -> HttpReport {
    ask_in(&Trust::in_roots(rustls::RootCertStore::empty()), url, options).await
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn url(served: &Served, path: &str) -> String {
    format!("http://www.test:{}{path}", served.port)
}

fn failure(report: &HttpReport) -> (Phase, &str) {
    let failure = report.hops.last().unwrap().failure.as_ref().unwrap();
    (failure.phase, failure.message.as_str())
}

/// The head of the request as a body.
async fn mirror() -> Served {
    serve_http(|head| answer("200 OK", "content-type: text/plain\r\nx-one: 1\r\n", head)).await
}

#[tokio::test]
async fn an_answer_is_told_with_its_times() {
    let server = mirror().await;
    let options = HttpOptions { headers: vec!["X-Asked: yes".into(), "User-Agent: me".into()], ..patient() };
    let report = ask(&url(&server, "/a?b=c"), &options).await;
    assert_eq!((report.status, report.hops.len()), (Some(200), 1));
    let hop = &report.hops[0];
    assert_eq!((hop.version.as_deref(), hop.reason.as_deref()), (Some("HTTP/1.1"), Some("OK")));
    let asked = hop.body.as_ref().unwrap().excerpt.as_deref().unwrap();
    assert!(asked.starts_with("GET /a?b=c HTTP/1.1\n"), "{asked}");
    for line in ["host: www.test:", "x-asked: yes", "user-agent: me", "accept-encoding: identity"] {
        assert!(asked.to_lowercase().contains(line), "{asked}");
    }
    let names: Vec<_> = hop.headers.iter().map(|header| header.name.as_str()).collect();
    assert_eq!(names, ["content-type", "x-one", "content-length", "connection"]);
    let times = hop.timings;
    assert!(times.name.is_some() && times.connect.is_some() && times.first_byte.is_some(), "{times:?}");
    assert!(times.tls.is_none() && times.body.is_some() && times.total > 0.0, "{times:?}");
    assert_eq!(report.verdict.severity, Severity::Ok);
    assert!(report.verdict.summary.contains("answers 200 OK, in "), "{}", report.verdict.summary);
}

#[tokio::test]
async fn statuses_and_expectations_make_the_verdict() {
    let server = serve_http(|head| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        answer(path.trim_start_matches('/'), "", "all is well here")
    })
    .await;
    let expect = |status: Option<&str>, text: Option<&str>| HttpOptions {
        expect_status: status.map(Into::into),
        expect_text: text.map(Into::into),
        ..patient()
    };
    for (path, options, severity, told) in [
        ("/404", expect(None, None), Severity::Warning, "answers 404 Not Found"),
        ("/503", expect(None, None), Severity::Alert, "answers 503 Service Unavailable"),
        ("/404", expect(Some("404"), None), Severity::Ok, "answers 404"),
        (
            "/200",
            expect(Some("3xx,204"), None),
            Severity::Alert,
            "the status is 200 where 3xx,204 was expected",
        ),
        ("/200", expect(None, Some("is well")), Severity::Ok, "answers 200"),
        ("/200", expect(None, Some("is bad")), Severity::Alert, "the body does not hold 'is bad'"),
    ] {
        let verdict = ask(&url(&server, path), &options).await.verdict;
        assert_eq!(verdict.severity, severity, "{path}: {}", verdict.summary);
        assert!(verdict.summary.contains(told), "{path}: {}", verdict.summary);
    }
}

#[tokio::test]
async fn a_body_is_cut_where_it_must_be() {
    let server = serve_http(|_| answer("200 OK", "", &"x".repeat(50_000))).await;
    for (most, bytes, cut) in
        [(100, 100, true), (50_000, 50_000, false), (0, 0, true), (60_000, 50_000, false)]
    {
        let options = HttpOptions { max_body_bytes: most, ..patient() };
        let report = ask(&url(&server, "/"), &options).await;
        let body = report.hops[0].body.as_ref().unwrap();
        assert_eq!((body.bytes, body.cut), (bytes, cut), "{most}");
        assert_eq!(report.verdict.severity, Severity::Ok, "{most}");
    }
    let options = HttpOptions { method: Method::Head, ..patient() };
    assert_eq!(ask(&url(&server, "/"), &options).await.hops[0].body, None);
}

#[tokio::test]
async fn redirects_are_followed_hop_by_hop() {
    let last = mirror().await;
    let location = format!("location: http://other.test:{}/end\r\n", last.port);
    let first = serve_http(move |head| match head.split(' ').nth(1) {
        Some("/") => answer("301 Moved Permanently", "location: /next\r\n", ""),
        _ => answer("302 Found", &location, ""),
    })
    .await;
    let options = HttpOptions { headers: vec!["Cookie: a=b".into(), "X-Kept: 1".into()], ..patient() };
    let report = ask(&url(&first, "/"), &options).await;
    let statuses: Vec<_> = report.hops.iter().map(|hop| hop.status).collect();
    assert_eq!(statuses, [Some(301), Some(302), Some(200)]);
    assert!(report.verdict.summary.contains("after 2 redirects"), "{}", report.verdict.summary);
    let asked = report.hops[2].body.as_ref().unwrap().excerpt.clone().unwrap();
    assert!(
        asked.contains("x-kept") && !asked.contains("cookie"),
        "what signs in stays at its host: {asked}"
    );
    assert!(report.hops[2].timings.name.is_some() && report.hops[1].timings.name.is_none());
    let none = HttpOptions { redirects: 0, ..patient() };
    assert_eq!(ask(&url(&first, "/"), &none).await.status, Some(301));
    let one = HttpOptions { redirects: 1, ..patient() };
    let report = ask(&url(&first, "/"), &one).await;
    assert!(failure(&report).1.contains("after 1 redirects"), "{:?}", failure(&report));
}

#[tokio::test]
async fn a_redirect_to_where_the_list_does_not_lead_is_not_followed() {
    let server = serve_http(|_| answer("302 Found", "location: http://127.0.0.1:1/secret\r\n", "")).await;
    let report = ask(&url(&server, "/"), &patient()).await;
    assert_eq!(report.hops.len(), 2);
    let (phase, message) = failure(&report);
    assert_eq!(phase, Phase::Connect);
    assert!(message.contains("port 1 is closed to it"), "{message}");
    assert_eq!(report.hops[1].status, None);
    assert_eq!(report.verdict.severity, Severity::Alert);
    let error = http::run(&dialer(), &Trust::system(), "http://www.test:1/", &patient(), |_| ()).await;
    assert!(error.unwrap_err().to_string().contains("port 1 is closed"));
}

#[tokio::test]
async fn circles_are_noticed() {
    let server = serve_http(|head| match head.split(' ').nth(1) {
        Some("/a") => answer("302 Found", "location: /b\r\n", ""),
        _ => answer("302 Found", "location: /a\r\n", ""),
    })
    .await;
    let report = ask(&url(&server, "/a"), &patient()).await;
    assert_eq!(report.hops.len(), 2);
    assert_eq!(failure(&report).0, Phase::Redirect);
    assert!(failure(&report).1.contains("in a circle"), "{:?}", failure(&report));
}

#[tokio::test]
async fn a_certificate_is_judged_before_anything_is_asked() {
    let pki = Pki::new();
    let good = pki.whole(&params(&["www.test"]));
    let server =
        serve_https(acceptor(&good, BOTH, &["http/1.1"], Vec::new()), |head| answer("200 OK", "", head))
            .await;
    let https = format!("https://www.test:{}/", server.port);
    let report = ask_in(&pki.trust(), &https, &patient()).await;
    assert_eq!(report.status, Some(200), "{:?}", report.hops);
    let hop: &HttpHop = &report.hops[0];
    assert!(hop.tls.as_ref().unwrap().trusted && hop.timings.tls.is_some());

    let bad = pki::self_signed(&params(&["other.test"]));
    let server =
        serve_https(acceptor(&bad, BOTH, &["http/1.1"], Vec::new()), |head| answer("200 OK", "", head)).await;
    let https = format!("https://www.test:{}/", server.port);
    let report = ask_in(&pki.trust(), &https, &patient()).await;
    let (phase, message) = failure(&report);
    assert_eq!((phase, report.status), (Phase::Tls, None));
    assert!(message.contains("signed by itself") && message.contains("not for www.test"), "{message}");
    assert_eq!(report.hops[0].tls.as_ref().unwrap().chain.len(), 1);
    assert_eq!(report.verdict.findings[0].kind, FindingKind::Untrusted);
    let insecure = HttpOptions { insecure: true, ..patient() };
    let report = ask_in(&pki.trust(), &https, &insecure).await;
    assert_eq!((report.status, report.verdict.severity), (Some(200), Severity::Alert));
    assert!(report.verdict.summary.contains("signed by itself"), "{}", report.verdict.summary);
}

/// HTTP/2, which answers with the method and path it was asked.
async fn serve_http2(acceptor: Option<tokio_rustls::TlsAcceptor>) -> Served {
    use hyper::server::conn::http2;
    use hyper::service::service_fn;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| async move {
                let said = format!("{} {}", request.method(), request.uri());
                Ok::<_, std::convert::Infallible>(hyper::Response::new(said))
            });
            let builder = http2::Builder::new(TokioExecutor::new());
            let _ = match acceptor {
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(stream) => builder.serve_connection(TokioIo::new(stream), service).await,
                    Err(_) => return,
                },
                None => builder.serve_connection(TokioIo::new(stream), service).await,
            };
        }
    })
    .await
}

#[tokio::test]
async fn http2_is_agreed_in_the_handshake_or_known_before() {
    let pki = Pki::new();
    let identity = pki.whole(&params(&["www.test"]));
    let server = serve_http2(Some(acceptor(&identity, BOTH, &["h2"], Vec::new()))).await;
    let https = format!("https://www.test:{}/x", server.port);
    let report = ask_in(&pki.trust(), &https, &patient()).await;
    assert_eq!(report.hops[0].version.as_deref(), Some("HTTP/2"), "{:?}", report.hops[0].failure);
    let said = report.hops[0].body.as_ref().unwrap().excerpt.clone().unwrap();
    assert_eq!(said, format!("GET {https}"));

    let plain = serve_http2(None).await;
    let two = HttpOptions { http_version: HttpVersion::Two, ..patient() };
    let report = ask(&url(&plain, "/"), &two).await;
    assert_eq!(report.hops[0].version.as_deref(), Some("HTTP/2"), "{:?}", report.hops[0].failure);

    let old =
        serve_https(acceptor(&identity, BOTH, &["http/1.1"], Vec::new()), |head| answer("200 OK", "", head))
            .await;
    let report = ask_in(&pki.trust(), &format!("https://www.test:{}/", old.port), &two).await;
    assert_eq!(failure(&report).0, Phase::Tls);
}

#[tokio::test]
async fn what_is_no_http_says_so() {
    for (says, phase, why) in [
        ("SSH-2.0-x\r\n\r\n", Phase::Request, "does not speak HTTP"),
        ("", Phase::Request, "closed the connection"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort", Phase::Body, "closed the connection"),
    ] {
        let server = serve(move |mut stream| async move {
            head(&mut stream).await;
            let _ = stream.write_all(says.as_bytes()).await;
        })
        .await;
        let report = ask(&url(&server, "/"), &patient()).await;
        let (found, message) = failure(&report);
        assert_eq!(found, phase, "{message}");
        assert!(message.contains(why), "{message}");
        assert_eq!(report.verdict.severity, Severity::Alert);
    }
    let server = serve_http(|_| format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(2_000_000))).await;
    let report = ask(&url(&server, "/"), &patient()).await;
    assert!(failure(&report).1.contains("more than 65536 bytes"), "{:?}", failure(&report));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let server = serve(|mut stream| async move {
        head(&mut stream).await;
        head(&mut stream).await;
    })
    .await;
    let options = HttpOptions { timeout_ms: 200, ..HttpOptions::default() };
    let report = ask(&url(&server, "/"), &options).await;
    assert_eq!(failure(&report), (Phase::Request, "no answer within the 200 ms that all of it may take"));
    assert!(report.hops[0].timings.connect.is_some(), "what was measured is kept");
}

#[tokio::test]
async fn another_address_may_be_chosen_by_hand() {
    let server = mirror().await;
    let options = HttpOptions { connect_to: Some("127.0.0.1".parse().unwrap()), ..patient() };
    let report = ask(&format!("http://nowhere.example:{}/", server.port), &options).await;
    assert_eq!((report.status, report.chosen.as_deref()), (Some(200), Some("chosen by hand")));
    let asked = report.hops[0].body.as_ref().unwrap().excerpt.clone().unwrap();
    assert!(asked.to_lowercase().contains("host: nowhere.example:"), "{asked}");
}

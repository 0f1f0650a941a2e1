//! One request and its answer.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use netwark_model::tools::args::Family;
use netwark_model::tools::http::{
    HttpBody, HttpHeader, HttpHop, HttpOptions, HttpVersion, Method, header_of,
};
use netwark_model::tools::tls::{Failure, Phase};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::{self, Instant};
use url::Url;

use super::{host_of, port_of};
use crate::dial::{Dialer, Turn};
use crate::stats::ms;
use crate::tls::{self, Trust, Wanted, hex};
use crate::words;

/// What we call ourselves unless the request says otherwise.
const AGENT: &str = concat!("netwark/", env!("CARGO_PKG_VERSION"));
/// Most bytes of the head of an answer.
const LONGEST_HEAD: u32 = 64 * 1024;
/// Most headers that are told, and most characters of each.
const MOST_HEADERS: usize = 100;
const LONGEST_HEADER: usize = 2000;
/// Most characters of a body that are told.
const EXCERPT: usize = 1000;
/// Headers that speak for whoever asks; another host is not to hear them.
const SECRETS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// One request to be made.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) url: Url,
    pub(super) method: Method,
    /// Where to connect to, when that is known.
    pub(super) address: Option<IpAddr>,
    /// What finding the address took, in milliseconds.
    pub(super) name_ms: Option<f64>,
    /// It is the host that was asked for first.
    pub(super) same_host: bool,
}

/// Makes one request. Whatever happens, the answer is as much of a hop as it came to. The deadline moves on by what
/// the pace of this machine held it up.
pub(super) async fn exchange(
    dialer: &Dialer,
    trust: &Trust,
    options: &HttpOptions,
    step: &Step,
    deadline: &mut Instant,
) -> HttpHop {
    let begin = Instant::now();
    let mut under_way = UnderWay {
        dialer,
        trust,
        options,
        step,
        deadline: *deadline,
        phase: Phase::Name,
        hop: HttpHop { url: step.url.to_string(), method: step.method, ..HttpHop::default() },
    };
    under_way.hop.timings.name = step.name_ms;
    let mut waited = Duration::ZERO;
    let ended = match time::timeout_at(*deadline, under_way.address()).await {
        Ok(Ok(address)) => {
            let turn = dialer.turn(SocketAddr::new(address, port_of(&step.url))).await;
            waited = turn.waited;
            *deadline += waited;
            under_way.deadline = *deadline;
            time::timeout_at(*deadline, under_way.go(address, turn)).await
        }
        Ok(Err(message)) => Ok(Err(message)),
        Err(late) => Err(late),
    };
    let message = match ended {
        Ok(Ok(())) => None,
        Ok(Err(message)) => Some(message),
        Err(_) => Some(under_way.too_late()),
    };
    let UnderWay { phase, mut hop, .. } = under_way;
    hop.failure = message.map(|message| Failure { phase, message });
    hop.timings.total = ms(begin.elapsed().saturating_sub(waited)) + step.name_ms.unwrap_or_default();
    hop
}

/// A request under way, and how far it has come.
struct UnderWay<'a> {
    dialer: &'a Dialer,
    trust: &'a Trust,
    options: &'a HttpOptions,
    step: &'a Step,
    deadline: Instant,
    phase: Phase,
    hop: HttpHop,
}

impl UnderWay<'_> {
    fn too_late(&self) -> String {
        let whole = words::milliseconds(f64::from(self.options.timeout_ms));
        match self.phase {
            Phase::Connect => format!("no answer; all of it may take {whole}"),
            Phase::Body => format!("the body had not ended when the {whole} for all of it were over"),
            _ => format!("no answer within the {whole} that all of it may take"),
        }
    }

    async fn go(&mut self, address: IpAddr, turn: Turn) -> Result<(), String> {
        self.phase = Phase::Connect;
        self.hop.address = Some(address);
        let begin = Instant::now();
        let left = self.deadline.saturating_duration_since(begin).max(Duration::from_millis(1));
        let fate =
            self.dialer.dial(turn, self.options.source, left).await.map_err(|error| error.to_string())?;
        let (stream, took) = tls::connected(fate).map_err(|why| why.unwrap_or_else(|| self.too_late()))?;
        self.hop.timings.connect = Some(ms(took));
        let stream = self.dialer.counted(stream);
        if self.step.url.scheme() != "https" {
            let http2 = self.options.http_version == HttpVersion::Two;
            return self.request(stream, http2).await;
        }
        self.phase = Phase::Tls;
        let begin = Instant::now();
        let wanted = self.wanted()?;
        let shaken = tls::shake(stream, &wanted, self.trust).await;
        self.hop.tls = shaken.session;
        let stream = shaken.stream?;
        self.hop.timings.tls = Some(ms(begin.elapsed()));
        let session = self.hop.tls.as_ref();
        if let Some(session) = session.filter(|session| !session.trusted && !self.options.insecure) {
            let reasons: Vec<_> = session.problems.iter().map(|problem| problem.text.clone()).collect();
            return Err(format!("the certificate is not trusted: {}", reasons.join("; ")));
        }
        let agreed = session.and_then(|session| session.alpn.as_deref()) == Some("h2");
        if self.options.http_version == HttpVersion::Two && !agreed {
            return Err("the server does not offer HTTP/2".into());
        }
        self.request(stream, agreed).await
    }

    async fn address(&mut self) -> Result<IpAddr, String> {
        if let Some(address) = self.step.address {
            return Ok(address);
        }
        // The addresses of the host that was asked for are compared; elsewhere one is enough.
        let family = match self.options.family {
            Family::All => Family::Auto,
            family => family,
        };
        let begin = Instant::now();
        let found = self.dialer.addresses(host_of(&self.step.url), family, self.options.source).await;
        let found = found.map_err(|error| error.to_string())?;
        self.hop.timings.name = Some(ms(begin.elapsed()));
        found.first().map(|choice| choice.address).ok_or_else(|| "the host has no address".into())
    }

    fn wanted(&self) -> Result<Wanted, String> {
        let alpn: &[&[u8]] = match self.options.http_version {
            HttpVersion::Auto => &[b"h2", b"http/1.1"],
            HttpVersion::One => &[b"http/1.1"],
            HttpVersion::Two => &[b"h2"],
        };
        Ok(Wanted {
            name: tls::server_name(host_of(&self.step.url)).map_err(|error| error.to_string())?,
            versions: tls::BOTH,
            alpn: alpn.iter().map(|protocol| protocol.to_vec()).collect(),
        })
    }

    async fn request<S>(&mut self, stream: S, http2: bool) -> Result<(), String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.phase = Phase::Request;
        let request = request(self.step, self.options, http2)?;
        let begin = Instant::now();
        // Carries the connection; it ends with this request.
        let mut carrier = JoinSet::new();
        let answer = if http2 {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder.max_header_list_size(LONGEST_HEAD);
            let (mut sender, connection) =
                builder.handshake(TokioIo::new(stream)).await.map_err(|error| of_hyper(&error))?;
            carrier.spawn(async move { drop(connection.await) });
            sender.send_request(request).await
        } else {
            let mut builder = http1::Builder::new();
            builder.max_buf_size(LONGEST_HEAD as usize);
            let (mut sender, connection) =
                builder.handshake(TokioIo::new(stream)).await.map_err(|error| of_hyper(&error))?;
            carrier.spawn(async move { drop(connection.await) });
            sender.send_request(request).await
        };
        let answer = answer.map_err(|error| of_hyper(&error))?;
        self.hop.timings.first_byte = Some(ms(begin.elapsed()));
        self.head(&answer);
        self.phase = Phase::Body;
        self.body(answer).await
    }

    fn head(&mut self, answer: &Response<Incoming>) {
        self.hop.version = Some(match answer.version() {
            Version::HTTP_09 => "HTTP/0.9".into(),
            Version::HTTP_10 => "HTTP/1.0".into(),
            Version::HTTP_11 => "HTTP/1.1".into(),
            Version::HTTP_2 => "HTTP/2".into(),
            other => format!("{other:?}"),
        });
        self.hop.status = Some(answer.status().as_u16());
        self.hop.reason = answer.status().canonical_reason().map(str::to_owned);
        self.hop.headers = headers(answer.headers());
    }

    async fn body(&mut self, answer: Response<Incoming>) -> Result<(), String> {
        let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).map(str::to_owned);
        let most = self.options.max_body_bytes as usize;
        let begin = Instant::now();
        let mut incoming = answer.into_body();
        let (mut bytes, mut cut) = (Vec::new(), false);
        let ended = loop {
            let frame = match incoming.frame().await {
                None => break Ok(()),
                Some(Err(error)) => break Err(of_hyper(&error)),
                Some(Ok(frame)) => frame,
            };
            let Ok(data) = frame.into_data() else { continue };
            let room = most.saturating_sub(bytes.len());
            bytes.extend_from_slice(data.get(..room.min(data.len())).unwrap_or_default());
            if data.len() > room {
                cut = true;
                break Ok(());
            }
        };
        self.hop.timings.body = Some(ms(begin.elapsed()));
        if self.step.method == Method::Get || !bytes.is_empty() {
            self.hop.body = Some(told(&bytes, cut, kind.as_deref(), self.options.expect_text.as_deref()));
        }
        ended
    }
}

fn told(bytes: &[u8], cut: bool, kind: Option<&str>, expected: Option<&str>) -> HttpBody {
    let is_text = kind.is_none_or(|kind| {
        let kind = kind.to_ascii_lowercase();
        ["text/", "json", "xml", "javascript", "x-www-form-urlencoded"].iter().any(|word| kind.contains(word))
    });
    // The last character may be cut in two.
    let begin = bytes.get(..EXCERPT * 4).unwrap_or(bytes);
    let excerpt = is_text.then(|| {
        let tame = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
        String::from_utf8_lossy(begin).chars().filter(tame).take(EXCERPT).collect::<String>()
    });
    let holds = |text: &str| bytes.windows(text.len().max(1)).any(|window| window == text.as_bytes());
    HttpBody {
        bytes: bytes.len() as u64,
        cut,
        sha256: hex(&Sha256::digest(bytes)),
        excerpt: excerpt.filter(|text| !text.is_empty()),
        holds_text: expected.map(|text| text.is_empty() || holds(text)),
    }
}

fn headers(map: &HeaderMap) -> Vec<HttpHeader> {
    map.iter()
        .take(MOST_HEADERS)
        .map(|(name, value)| HttpHeader {
            name: name.as_str().to_owned(),
            value: String::from_utf8_lossy(value.as_bytes())
                .chars()
                .filter(|c| !c.is_control())
                .take(LONGEST_HEADER)
                .collect(),
        })
        .collect()
}

fn request(step: &Step, options: &HttpOptions, http2: bool) -> Result<Request<Empty<Bytes>>, String> {
    let url = &step.url;
    let mut wanted = HeaderMap::new();
    wanted.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    wanted.insert(ACCEPT, HeaderValue::from_static("*/*"));
    // Sizes and texts are those of what was sent.
    wanted.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let mut given: Vec<(HeaderName, HeaderValue)> = Vec::new();
    for header in &options.headers {
        let (name, value) = header_of(header)?;
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        let foreign = SECRETS.contains(&name.as_str()) || name == HOST;
        if step.same_host || !foreign {
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|error| error.to_string())?;
            given.push((name, value));
        }
    }
    for (name, _) in &given {
        wanted.remove(name);
    }
    for (name, value) in given {
        wanted.append(name, value);
    }
    let own = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    let host = match wanted.remove(HOST) {
        Some(host) => host.to_str().map_err(|_| "the header Host is no name")?.to_owned(),
        None => own,
    };
    let path = &url[url::Position::BeforePath..];
    let uri = if http2 { format!("{}://{host}{path}", url.scheme()) } else { path.to_owned() };
    let mut request = Request::builder()
        .method(step.method.as_str())
        .uri(uri)
        .body(Empty::new())
        .map_err(|error| format!("the request cannot be made: {error}"))?;
    if !http2 {
        let host = HeaderValue::from_str(&host).map_err(|_| "the header Host is no name")?;
        request.headers_mut().insert(HOST, host);
    }
    request.headers_mut().extend(wanted);
    Ok(request)
}

/// Why a request failed, as a clause: the innermost cause says most.
fn of_hyper(error: &hyper::Error) -> String {
    if error.is_parse_too_large() {
        return format!("the head of the answer has more than {LONGEST_HEAD} bytes");
    }
    if error.is_parse() {
        return "what answers does not speak HTTP".into();
    }
    let closed = "the server closed the connection before the answer was complete";
    if error.is_incomplete_message() {
        return closed.into();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
        let io = cause.downcast_ref::<std::io::Error>();
        if io.is_some_and(|error| error.kind() == std::io::ErrorKind::UnexpectedEof) {
            return closed.into();
        }
    }
    match cause.downcast_ref::<std::io::Error>() {
        Some(error) => words::of_system(error),
        None => cause.to_string(),
    }
}

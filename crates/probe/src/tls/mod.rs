//! TLS: a handshake that is looked at from all sides.

mod certificate;
mod der;
mod handshake;
mod ocsp;
mod old;
mod starttls;
mod text;
mod trust;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use netwark_model::tools::tcp::port_of;
use netwark_model::tools::tls::{Failure, Phase, StartTls, TlsOptions, TlsOutcome, TlsReport, VersionOffer};
use netwark_model::tools::verdict::Verdict;
use rustls::SupportedProtocolVersion;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{self, Instant};

pub(crate) use self::certificate::hex;
pub(crate) use self::handshake::{Wanted, shake};
pub(crate) use self::text::session_lines;
pub use self::trust::Trust;
use crate::dial::{Counted, Dialer, Fate};
use crate::engine::EngineError;
use crate::runner::ProbeError;
use crate::stats::ms;
use crate::verdict;
use crate::words;

/// What is offered to a server when no protocol is chosen by hand.
pub(crate) const BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
const ONLY_1_3: &[&SupportedProtocolVersion] = &[&TLS13];
const ONLY_1_2: &[&SupportedProtocolVersion] = &[&TLS12];

/// Makes handshakes with a target; `on_snapshot` is given the outcome so far, now and then.
///
/// # Errors
/// [`ProbeError`] when nothing can be measured. A server whose certificate is not trusted was measured.
pub async fn run(
    dialer: &Dialer,
    trust: &Trust,
    target: &str,
    options: &TlsOptions,
    mut on_snapshot: impl FnMut(TlsOutcome) + Send,
) -> Result<TlsOutcome, ProbeError> {
    let (host, port) = port_of(target, options.port, Some(options.starttls.port()))
        .map_err(|error| ProbeError::Target(error.description))?;
    let name = options.server_name.clone().unwrap_or_else(|| host.clone());
    let server_name = server_name(&name)?;
    let choices = dialer.addresses(&host, options.family, options.source).await?;
    let mut reports: Vec<Option<TlsReport>> = vec![None; choices.len()];
    let mut asking = JoinSet::new();
    for (index, choice) in choices.into_iter().enumerate() {
        dialer.check(SocketAddr::new(choice.address, port))?;
        let report = TlsReport {
            address: choice.address,
            port,
            chosen: choice.reason,
            server_name: name.clone(),
            connect_ms: None,
            handshake_ms: None,
            failure: None,
            session: None,
            versions: Vec::new(),
            verdict: Verdict::default(),
        };
        let asked = Asked {
            dialer: dialer.clone(),
            trust: trust.clone(),
            name: server_name.clone(),
            options: options.clone(),
        };
        asking.spawn(async move { (index, asked.whole(report).await) });
    }
    while let Some(done) = asking.join_next().await {
        let (index, report) = done.map_err(|_| EngineError::Stopped)?;
        if let Some(place) = reports.get_mut(index) {
            *place = Some(report?);
        }
        on_snapshot(outcome(target, reports.iter().flatten().cloned().collect()));
    }
    Ok(outcome(target, reports.into_iter().flatten().collect()))
}

fn outcome(target: &str, reports: Vec<TlsReport>) -> TlsOutcome {
    TlsOutcome { raw: text::lines(target, &reports), reports }
}

/// A host as the name that its certificate must be for. International names go in their form of the wire.
pub(crate) fn server_name(host: &str) -> Result<ServerName<'static>, ProbeError> {
    let wrong = || ProbeError::Target(format!("'{host}' is no name that a certificate can be for"));
    let ascii = match host.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => url::Host::parse(host).map_err(|_| wrong())?.to_string(),
    };
    ServerName::try_from(ascii).map_err(|_| wrong())
}

/// The stream of a connection; why there is none, as a clause, and nothing when nobody answered.
pub(crate) fn connected(fate: Fate) -> Result<(TcpStream, Duration), Option<String>> {
    match fate {
        Fate::Connected { stream, took } => Ok((stream, took)),
        Fate::Refused { .. } => {
            Err(Some("refused: the host answers, but nothing listens on the port".into()))
        }
        Fate::Filtered { from: Some(from), message, .. } => {
            Err(Some(format!("filtered: {from} says {message}")))
        }
        Fate::Filtered { from: None, message, .. } => Err(Some(format!("filtered: {message}"))),
        Fate::Unanswered => Err(None),
        Fate::Unsent { message } => Err(Some(format!("it could not be tried: {message}"))),
    }
}

/// One address that is asked.
struct Asked {
    dialer: Dialer,
    trust: Trust,
    name: ServerName<'static>,
    options: TlsOptions,
}

impl Asked {
    fn within(&self) -> Duration {
        Duration::from_millis(self.options.timeout_ms.into())
    }

    async fn whole(&self, mut report: TlsReport) -> Result<TlsReport, ProbeError> {
        self.handshake(&mut report).await?;
        let spoke = report.session.is_some();
        // Whoever does not speak TLS at all need not be asked four times more.
        let worth = spoke || report.failure.as_ref().is_some_and(|failure| failure.phase == Phase::Tls);
        if worth && !self.options.skip_versions {
            report.versions = self.versions(&report).await?;
        }
        report.verdict = verdict::tls(&report, self.options.warn_days);
        Ok(report)
    }

    /// A connection on which the handshake may begin, and the time by which it must be done.
    async fn connect(
        &self,
        place: SocketAddr,
    ) -> Result<Result<(Counted, Duration, Instant), Failure>, ProbeError> {
        let turn = self.dialer.turn(place).await;
        let deadline = Instant::now() + self.within();
        let fate = self.dialer.dial(turn, self.options.source, self.within()).await?;
        let (stream, took) = match connected(fate) {
            Ok(connected) => connected,
            Err(why) => {
                let message = why.unwrap_or_else(|| self.no_answer());
                return Ok(Err(Failure { phase: Phase::Connect, message }));
            }
        };
        let mut stream = self.dialer.counted(stream);
        let asked = time::timeout_at(deadline, starttls::ask(&mut stream, self.options.starttls)).await;
        Ok(match asked.unwrap_or_else(|_| Err(self.no_answer())) {
            Ok(()) => Ok((stream, took, deadline)),
            Err(message) => Err(Failure { phase: Phase::Starttls, message }),
        })
    }

    fn no_answer(&self) -> String {
        format!("no answer within {}", words::milliseconds(ms(self.within())))
    }

    fn wanted(&self, versions: &'static [&'static SupportedProtocolVersion]) -> Wanted {
        let alpn: &[&[u8]] =
            if self.options.starttls == StartTls::None { &[b"h2", b"http/1.1"] } else { &[] };
        Wanted {
            name: self.name.clone(),
            versions,
            alpn: alpn.iter().map(|protocol| protocol.to_vec()).collect(),
        }
    }

    async fn handshake(&self, report: &mut TlsReport) -> Result<(), ProbeError> {
        let (stream, took, deadline) =
            match self.connect(SocketAddr::new(report.address, report.port)).await? {
                Ok(connected) => connected,
                Err(failure) => {
                    report.failure = Some(failure);
                    return Ok(());
                }
            };
        report.connect_ms = Some(ms(took));
        let begin = Instant::now();
        let failure = |message| Some(Failure { phase: Phase::Tls, message });
        let Ok(shaken) = time::timeout_at(deadline, shake(stream, &self.wanted(BOTH), &self.trust)).await
        else {
            report.failure = failure(self.no_answer());
            return Ok(());
        };
        report.session = shaken.session;
        match shaken.stream {
            Ok(_) => report.handshake_ms = Some(ms(begin.elapsed())),
            Err(message) => report.failure = failure(message),
        }
        Ok(())
    }

    /// Which versions are offered, newest first; each is asked for by itself.
    async fn versions(&self, report: &TlsReport) -> Result<Vec<VersionOffer>, ProbeError> {
        let place = SocketAddr::new(report.address, report.port);
        let mut offers = Vec::new();
        for (protocol, version) in [
            ("TLS 1.3", Version::New(ONLY_1_3)),
            ("TLS 1.2", Version::New(ONLY_1_2)),
            ("TLS 1.1", Version::Old(old::TLS_1_1)),
            ("TLS 1.0", Version::Old(old::TLS_1_0)),
        ] {
            let agreed = report.session.as_ref().and_then(|session| session.protocol.as_deref());
            let (offered, reason) = match agreed == Some(protocol) {
                true => (Some(true), None),
                false => self.offers(place, version).await?,
            };
            offers.push(VersionOffer { protocol: protocol.into(), offered, reason });
        }
        Ok(offers)
    }

    async fn offers(
        &self,
        place: SocketAddr,
        version: Version,
    ) -> Result<(Option<bool>, Option<String>), ProbeError> {
        let (stream, _, deadline) = match self.connect(place).await? {
            Ok(connected) => connected,
            Err(failure) => return Ok((None, Some(failure.message))),
        };
        let asked = async {
            match version {
                Version::New(versions) => {
                    match shake(stream, &self.wanted(versions), &self.trust).await.stream {
                        Ok(_) => (Some(true), None),
                        Err(message) => (Some(false), Some(message)),
                    }
                }
                Version::Old(version) => {
                    let name = match &self.name {
                        ServerName::DnsName(name) => Some(name.as_ref()),
                        _ => None,
                    };
                    match old::ask(stream, version, name).await {
                        Ok(old::Answer::Offered) => (Some(true), None),
                        Ok(old::Answer::Refused(reason)) => (Some(false), Some(reason)),
                        Err(error) => (None, Some(words::of_system(&error))),
                    }
                }
            }
        };
        Ok(time::timeout_at(deadline, asked).await.unwrap_or_else(|_| (None, Some(self.no_answer()))))
    }
}

/// A version, and who speaks it for us.
#[derive(Clone, Copy, Debug)]
enum Version {
    New(&'static [&'static SupportedProtocolVersion]),
    Old(u16),
}

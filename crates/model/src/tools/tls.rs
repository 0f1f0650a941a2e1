//! `tls`: one handshake, and everything that the server shows in it.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::args::{self, Family};
use super::tcp::port_of;
use super::verdict::Verdict;
use super::{Tool, ToolText};
use crate::error::FieldError;
use crate::target::{self, TargetKind};

/// The port when nobody names one and the protocol has none of its own.
const HTTPS: u16 = 443;

/// The `tls` tool.
#[derive(Debug)]
pub struct Tls;

/// What is spoken before the handshake.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum StartTls {
    /// Nothing: the connection begins with the handshake.
    #[default]
    None,
    /// SMTP (RFC 3207), port 25 unless another is named.
    Smtp,
    /// IMAP (RFC 9051), port 143.
    Imap,
    /// POP3 (RFC 2595), port 110.
    Pop3,
    /// FTP (RFC 4217), port 21.
    Ftp,
    /// PostgreSQL, port 5432.
    Postgres,
}

impl StartTls {
    /// The port of the protocol.
    pub fn port(self) -> u16 {
        match self {
            Self::None => HTTPS,
            Self::Smtp => 25,
            Self::Imap => 143,
            Self::Pop3 => 110,
            Self::Ftp => 21,
            Self::Postgres => 5432,
        }
    }
}

/// Options of `tls`. Durations are milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, clap::Args, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TlsOptions {
    /// The port, when the target does not name it. Default: 443, or the usual one of the protocol in `starttls`.
    #[arg(short = 'p', long, value_name = "PORT")]
    #[schema(minimum = 1, maximum = 65_535)]
    pub port: Option<u16>,
    /// The name that is asked for (SNI) and that the certificate must be for. Default: the host of the target.
    #[arg(short = 'n', long, value_name = "NAME")]
    #[schema(max_length = 253)]
    pub server_name: Option<String>,
    /// What is spoken before the handshake.
    #[arg(long, value_enum, default_value_t, value_name = "PROTOCOL")]
    #[schema(default = "none")]
    pub starttls: StartTls,
    /// Do not try which versions of TLS are offered, each of which takes a connection of its own.
    #[arg(long)]
    #[schema(default = false)]
    pub skip_versions: bool,
    /// A certificate that ends within so many days is worth a warning.
    #[arg(long, default_value_t = 21, value_name = "DAYS")]
    #[schema(minimum = 0, maximum = 3650, default = 21)]
    pub warn_days: u16,
    /// How long each connection may take until its handshake is done; `-W` takes seconds.
    #[arg(short = 'W', long = "timeout", default_value = "10", value_name = "SECONDS", value_parser = args::seconds)]
    #[schema(minimum = 100, maximum = 60_000, default = 10_000)]
    pub timeout_ms: u32,
    /// Source address; it must belong to the worker.
    #[arg(long, value_name = "ADDRESS")]
    #[schema(value_type = Option<String>)]
    pub source: Option<IpAddr>,
    /// Which addresses of a name are asked.
    #[command(flatten)]
    #[schema(default = "auto")]
    pub family: Family,
}

/// Days before its end from which a certificate is worth a warning when nothing else is said.
pub const WARN_DAYS: u16 = 21;

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            port: None,
            server_name: None,
            starttls: StartTls::None,
            skip_versions: false,
            warn_days: WARN_DAYS,
            timeout_ms: 10_000,
            source: None,
            family: Family::Auto,
        }
    }
}

impl Tool for Tls {
    type Options = TlsOptions;
    const TEXT: ToolText = ToolText {
        name: "tls",
        title: "TLS",
        summary: "Make a TLS handshake and tell the certificates, why they are not trusted, and what is offered.",
        target: "An address or a name, with a port unless it is 443, such as example.org or mail.example.org:993.",
    };
    const TARGET: TargetKind = TargetKind::HostPort;

    fn check(options: &TlsOptions) -> Vec<FieldError> {
        let name = options.server_name.as_deref().map(target::check);
        let wrong = |error: FieldError| FieldError::body("options.server_name", error.description);
        name.and_then(Result::err).map(wrong).into_iter().collect()
    }

    fn longest_ms(options: &TlsOptions) -> u64 {
        // The handshake itself, then one for each of four versions; addresses are asked side by side.
        u64::from(options.timeout_ms) * if options.skip_versions { 1 } else { 5 }
    }

    fn check_target(target: &str, options: &TlsOptions) -> Option<FieldError> {
        port_of(target, options.port, Some(options.starttls.port())).err()
    }
}

/// What `tls` found. A name with several addresses (`family: all`) has one report for each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsOutcome {
    /// One report per address.
    pub reports: Vec<TlsReport>,
    /// The report as lines of text.
    pub raw: Vec<String>,
}

/// What one address showed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsReport {
    /// The address that was connected to.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// Why this address was chosen, when the target is a name.
    pub chosen: Option<String>,
    /// The name that the certificate must be for.
    pub server_name: String,
    /// From the first packet to the connection, in milliseconds.
    pub connect_ms: Option<f64>,
    /// From the connection, or the end of what was spoken before, to the end of the handshake, in milliseconds.
    pub handshake_ms: Option<f64>,
    /// What ended it before its time.
    pub failure: Option<Failure>,
    /// What was agreed and shown, as far as it came.
    pub session: Option<TlsSession>,
    /// Which versions the server offers; empty when that was not tried.
    pub versions: Vec<VersionOffer>,
    /// What it means.
    pub verdict: Verdict,
}

/// Why a connection or an exchange came to an end before its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// Where it was.
    pub phase: Phase,
    /// What happened, as a clause for people.
    pub message: String,
}

/// The steps of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Looking up the name.
    Name,
    /// Connecting by TCP.
    Connect,
    /// What is spoken before the handshake.
    Starttls,
    /// The handshake of TLS, with the certificate.
    Tls,
    /// Sending the request and waiting for the head of the answer.
    Request,
    /// Reading the body.
    Body,
    /// Going where the answer leads.
    Redirect,
}

/// What was agreed in a handshake and shown by the server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsSession {
    /// The version, such as `TLS 1.3`; absent when the handshake did not end.
    pub protocol: Option<String>,
    /// The cipher suite, such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher: Option<String>,
    /// The group of the key exchange, such as `X25519MLKEM768`.
    pub key_exchange: Option<String>,
    /// The protocol agreed by ALPN, such as `h2`.
    pub alpn: Option<String>,
    /// Whether this worker trusts the certificate for the name.
    pub trusted: bool,
    /// Why not: every reason.
    pub problems: Vec<TrustProblem>,
    /// The certificates in the order in which they were sent, at most ten.
    pub chain: Vec<Certificate>,
    /// The state of the certificate as its authority signed it and the server sent it along (OCSP stapling, RFC 6066).
    pub ocsp: Option<OcspStaple>,
}

/// One reason not to trust a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrustProblem {
    /// What kind of reason.
    pub kind: TrustProblemKind,
    /// A clause for people.
    pub text: String,
}

/// The kinds of reason not to trust a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrustProblemKind {
    /// It has ended.
    Expired,
    /// It has not begun.
    NotYetValid,
    /// It is for other names.
    WrongName,
    /// It vouches for itself.
    SelfSigned,
    /// The chain ends in a root that this worker does not know.
    UnknownRoot,
    /// A certificate on the way to a root was not sent.
    MissingIntermediate,
    /// A signature is wrong.
    BadSignature,
    /// It is not for servers.
    WrongPurpose,
    /// Its authority has revoked it.
    Revoked,
    /// Anything else.
    Other,
}

/// A certificate, in words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Certificate {
    /// Whose it is.
    #[schema(example = "CN=example.org")]
    pub subject: String,
    /// Who signed it.
    #[schema(example = "C=US, O=Let's Encrypt, CN=R11")]
    pub issuer: String,
    /// The names and addresses it is for, at most 100.
    pub names: Vec<String>,
    /// How many names there are beyond those.
    pub more_names: u32,
    /// Serial number in hexadecimal, with colons.
    pub serial: String,
    /// From when it is valid.
    #[schema(value_type = String, format = DateTime)]
    pub not_before: Timestamp,
    /// Until when it is valid.
    #[schema(value_type = String, format = DateTime)]
    pub not_after: Timestamp,
    /// Whole days until it ends, by the worker's clock; negative once it has.
    pub days_left: i64,
    /// Kind and size of its key.
    #[schema(example = "RSA 2048")]
    pub key: String,
    /// How it is signed.
    #[schema(example = "sha256WithRSAEncryption")]
    pub signature: String,
    /// Whether it may sign others.
    pub authority: bool,
    /// SHA-256 of the certificate in hexadecimal.
    pub fingerprint: String,
    /// SHA-256 of its public key in hexadecimal, which stays when a certificate is renewed with the same key.
    pub key_fingerprint: String,
}

/// What a stapled OCSP response says of the certificate (RFC 6960), and whether that is to be believed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OcspStaple {
    /// `good`, `revoked` or `unknown`; what is wrong when it says nothing.
    #[schema(example = "good")]
    pub status: String,
    /// Whether the authority of the certificate, or somebody to whom it gave that task, has signed it, and it is true
    /// now. Results of workers that did not check it have `false` without a `problem`.
    #[serde(default)]
    pub trusted: bool,
    /// Why it is not to be trusted.
    #[serde(default)]
    #[schema(example = "its signature is wrong")]
    pub problem: Option<String>,
    /// When it was true.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub this_update: Option<Timestamp>,
    /// When there will be a newer one.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_update: Option<Timestamp>,
    /// When the certificate was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
}

/// Whether a server offers a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionOffer {
    /// The version, such as `TLS 1.2`.
    pub protocol: String,
    /// Whether it does; absent when that could not be found out.
    pub offered: Option<bool>,
    /// What the server said instead, or why it could not be found out.
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_that_of_the_protocol() {
        let mail = TlsOptions { starttls: StartTls::Smtp, ..TlsOptions::default() };
        assert_eq!(Tls::check_target("mail.example.org", &mail), None);
        assert_eq!(port_of("mail.example.org", mail.port, Some(mail.starttls.port())).unwrap().1, 25);
        let both = TlsOptions { port: Some(993), ..TlsOptions::default() };
        assert_eq!(Tls::check_target("mail.example.org:995", &both).unwrap().name, "options.port");
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        let options = TlsOptions { server_name: Some("a b".into()), ..TlsOptions::default() };
        assert_eq!(Tls::check(&options)[0].name, "options.server_name");
    }
}

//! Talking to a mail server.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, Certificate, TlsParameters};
use lettre::transport::smtp::commands;
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Severity;
use netwark_model::channels::Secrets;
use netwark_model::channels::config::{Mail, MailSecurity};
use tokio::time::timeout;

use super::message::Letter;
use super::recipients::{Word, judge, missing};
use super::stream::Bounded;
use crate::address;
use crate::kinds::secret;
use crate::outcome::{Accepted, Failure, causes};
use crate::sender::Options;
use crate::tls::Tls;

/// How long a server may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

pub(super) async fn send(
    config: &Mail,
    secrets: &Secrets,
    letter: &Letter,
    opened: Timestamp,
    options: &Options,
    tls: &Tls,
) -> Result<Accepted, Failure> {
    let silent = || Failure::later(format!("{} took too long", config.server));
    let prepared = timeout(options.timeout, async {
        let mut connection = sign_in(config, secrets, options, tls).await?;
        let words = announce(&mut connection, letter).await?;
        judge(&words, opened, Timestamp::now())?;
        let ready = connection.command(commands::Data).await;
        ready.map_err(|error| of("the mail server does not take the mail", &error))?;
        Ok((connection, words))
    });
    let (mut connection, words) = prepared.await.map_err(|_| silent())??;
    // From here on the server may have taken it even when it does not say so in time, hence a time of its own: some
    // look into a mail for long before they answer.
    let answer = timeout(options.timeout, connection.message(&letter.bytes)).await.map_err(|_| silent())?;
    let answer = answer.map_err(|error| of("the mail server does not take the mail", &error))?;
    if answer.code().severity != Severity::PositiveCompletion {
        let code = answer.code();
        return Err(Failure::later(format!(
            "the mail server says {code} where it should say whether it takes the mail"
        )));
    }
    let _ = timeout(GOODBYE, connection.quit()).await;
    let lines: Vec<&str> = answer.message().collect();
    let mut told = format!("{} {}", answer.code(), lines.join(" "));
    let missing = missing(&words);
    if !missing.is_empty() {
        told = format!("{told}; not sent to {missing}");
    }
    Ok(Accepted::new(&told))
}

/// Says who it is from and who it is for.
async fn announce(
    connection: &mut AsyncSmtpConnection,
    letter: &Letter,
) -> Result<Vec<(String, Word)>, Failure> {
    let from = commands::Mail::new(Some(letter.from.clone()), Vec::new());
    let ready = connection.command(from).await;
    ready.map_err(|error| of("the mail server does not take mail from this sender", &error))?;
    let mut words = Vec::with_capacity(letter.to.len());
    for to in &letter.to {
        let word = match connection.command(commands::Rcpt::new(to.clone(), Vec::new())).await {
            Ok(answer) if answer.code().severity == Severity::PositiveCompletion => Word::Taken,
            Ok(answer) => Word::Deferred(format!("{} is no answer to that", answer.code())),
            Err(error) if error.is_permanent() => Word::Refused(causes(&error)),
            Err(error) if error.is_transient() => Word::Deferred(causes(&error)),
            Err(error) => return Err(of("the connection to the mail server broke", &error)),
        };
        words.push((to.to_string(), word));
    }
    Ok(words)
}

/// Connects, makes the connection private, and signs in, as the channel says.
async fn sign_in(
    config: &Mail,
    secrets: &Secrets,
    options: &Options,
    tls: &Tls,
) -> Result<AsyncSmtpConnection, Failure> {
    let (mut connection, hello) = connect(config, &options.hostname, tls).await?;
    if config.security == MailSecurity::Starttls {
        if !connection.can_starttls() {
            let server = &config.server;
            return Err(Failure::never(format!("{server} does not offer STARTTLS; nothing was sent to it")));
        }
        let upgraded = connection.starttls(parameters(&config.server, tls)?, &hello).await;
        upgraded.map_err(|error| Failure::later(format!("TLS cannot be started: {}", causes(&error))))?;
    }
    if let Some(username) = &config.username {
        let password = secret(secrets, "password")?;
        let credentials = Credentials::new(username.clone(), password.to_owned());
        let signed_in = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
        signed_in.map_err(|error| of("the mail server does not let this user in", &error))?;
    }
    Ok(connection)
}

async fn connect(
    config: &Mail,
    hostname: &str,
    tls: &Tls,
) -> Result<(AsyncSmtpConnection, ClientId), Failure> {
    let server = &config.server;
    let stream = address::connect(server, config.port()).await?;
    let broke = |error: std::io::Error| Failure::later(format!("the connection to {server} broke: {error}"));
    let peer = stream.peer_addr().map_err(broke)?;
    let hello = hello(hostname, stream.local_addr().map_err(broke)?.ip());
    let stream: Box<dyn AsyncTokioStream> = match config.security {
        MailSecurity::Tls => Box::new(Bounded::new(tls.connect(server, stream).await?, peer)),
        MailSecurity::Starttls | MailSecurity::None => Box::new(Bounded::new(stream, peer)),
    };
    let connection = AsyncSmtpConnection::connect_with_transport(stream, &hello).await;
    // A server that turns somebody away at the door may let them in another day.
    let why = |error| Failure::later(format!("{server} does not begin: {}", causes(&error)));
    Ok((connection.map_err(why)?, hello))
}

/// How the client introduces itself: by its whole name, or else by its address (RFC 5321 section 4.1.3), since many
/// servers turn half a name away.
fn hello(hostname: &str, address: IpAddr) -> ClientId {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if hostname.contains('.') && hostname.chars().all(fits) {
        return ClientId::Domain(hostname.to_owned());
    }
    match address.to_canonical() {
        IpAddr::V4(address) => ClientId::Ipv4(address),
        IpAddr::V6(address) => ClientId::Ipv6(address),
    }
}

fn parameters(server: &str, tls: &Tls) -> Result<TlsParameters, Failure> {
    let why = |error: Error| Failure::later(format!("TLS cannot be used: {}", causes(&error)));
    let mut builder = TlsParameters::builder(server.to_owned());
    for authority in tls.authorities() {
        builder = builder.add_root_certificate(Certificate::from_der(authority.to_vec()).map_err(why)?);
    }
    builder.build().map_err(why)
}

/// What the server refused for good is not tried again.
fn of(what: &str, error: &Error) -> Failure {
    let text = format!("{what}: {}", causes(error));
    if error.is_permanent() || error.is_client() { Failure::never(text) } else { Failure::later(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn introductions() {
        let of = |hostname: &str, address: &str| hello(hostname, address.parse().unwrap()).to_string();
        assert_eq!(of("netwark.example.org", "192.0.2.1"), "netwark.example.org");
        assert_eq!(of("vm", "192.0.2.1"), "[192.0.2.1]");
        assert_eq!(of("a b.example", "::ffff:192.0.2.1"), "[192.0.2.1]");
        assert_eq!(of("vm", "2001:db8::1"), "[IPv6:2001:db8::1]");
    }
}

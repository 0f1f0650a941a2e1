//! Whether a server still offers TLS 1.0 and 1.1 (both deprecated by RFC 8996). No library speaks them any more, so that
//! the first message is made by hand and the first answer read; the handshake goes no further.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// TLS 1.0 and 1.1 on the wire.
pub(super) const TLS_1_0: u16 = 0x0301;
pub(super) const TLS_1_1: u16 = 0x0302;

/// Suites that servers of that time know: ECDHE, DHE and RSA with AES and 3DES.
const SUITES: &[u16] =
    &[0xc00a, 0xc014, 0xc009, 0xc013, 0x0039, 0x0033, 0x0038, 0x0032, 0x0035, 0x002f, 0xc012, 0xc008, 0x000a];
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;

/// What a server answers to a client that speaks one version only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It speaks that version.
    Offered,
    /// It does not, for this reason.
    Refused(String),
}

/// Asks for one version. `name` is the name to ask for, none for an address.
///
/// # Errors
/// Those of the stream.
pub(super) async fn ask<S>(mut stream: S, version: u16, name: Option<&str>) -> std::io::Result<Answer>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(&hello(version, name)).await?;
    let mut head = [0; 5];
    if let Err(error) = stream.read_exact(&mut head).await {
        return match error.kind() {
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset => {
                Ok(Answer::Refused("the server closed the connection".into()))
            }
            _ => Err(error),
        };
    }
    // Type, version of the server and some more; no message of a handshake that matters here is shorter.
    let mut body = [0; 6];
    let length = usize::from(u16::from_be_bytes([head[3], head[4]])).min(body.len());
    stream.read_exact(&mut body[..length]).await?;
    Ok(answer(head[0], &body[..length], version))
}

/// What the beginning of the first record means.
fn answer(kind: u8, body: &[u8], version: u16) -> Answer {
    match (kind, body) {
        (HANDSHAKE, [SERVER_HELLO, _, _, _, major, minor]) => match u16::from_be_bytes([*major, *minor]) {
            chosen if chosen == version => Answer::Offered,
            chosen => Answer::Refused(format!("the server answers with version {chosen:#06x}")),
        },
        (ALERT, [_, description, ..]) => Answer::Refused(match description {
            40 => "alert HandshakeFailure".into(),
            70 => "alert ProtocolVersion".into(),
            71 => "alert InsufficientSecurity".into(),
            other => format!("alert {other}"),
        }),
        _ => Answer::Refused("what answers does not speak TLS".into()),
    }
}

/// A ClientHello in its record (RFC 4346, section 7.4.1.2).
fn hello(version: u16, name: Option<&str>) -> Vec<u8> {
    let mut body = Vec::from(version.to_be_bytes());
    body.extend(rand::random::<[u8; 32]>());
    body.push(0);
    let suites: Vec<u8> = SUITES.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    push(&mut body, &suites);
    body.extend([1, 0]);
    let mut extensions = Vec::new();
    // A name is at most 253 bytes, so that no length overflows.
    if let Some(name) = name {
        let mut entry = vec![0];
        push(&mut entry, name.as_bytes());
        extension(&mut extensions, 0x0000, &listed(&entry));
    }
    // x25519, P-256, P-384; uncompressed points; secure renegotiation.
    extension(&mut extensions, 0x000a, &listed(&[0, 0x1d, 0, 0x17, 0, 0x18]));
    extension(&mut extensions, 0x000b, &[1, 0]);
    extension(&mut extensions, 0xff01, &[0]);
    push(&mut body, &extensions);

    let mut message = vec![1, 0];
    push(&mut message, &body);
    let mut record = vec![HANDSHAKE, 3, 1];
    push(&mut record, &message);
    record
}

/// Appends bytes behind their length in two bytes.
fn push(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(bytes);
}

fn listed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    push(&mut out, bytes);
    out
}

fn extension(out: &mut Vec<u8>, kind: u16, content: &[u8]) {
    out.extend(kind.to_be_bytes());
    push(out, content);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_answer_is_understood() {
        let hello = |minor| [SERVER_HELLO, 0, 0, 70, 3, minor];
        assert_eq!(answer(HANDSHAKE, &hello(1), TLS_1_0), Answer::Offered);
        assert_eq!(answer(HANDSHAKE, &hello(2), TLS_1_1), Answer::Offered);
        assert!(matches!(answer(HANDSHAKE, &hello(1), TLS_1_1), Answer::Refused(_)));
        assert_eq!(answer(ALERT, &[2, 70], TLS_1_0), Answer::Refused("alert ProtocolVersion".into()));
        assert!(matches!(answer(b'H', b"TTP/1.1"[..6].as_ref(), TLS_1_0), Answer::Refused(_)));
    }

    #[test]
    fn the_lengths_of_a_hello_are_right() {
        for name in [None, Some("example.org"), Some("a".repeat(253).as_str())] {
            let bytes = hello(TLS_1_0, name);
            let record = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
            assert_eq!(record + 5, bytes.len());
            assert_eq!(usize::from(u16::from_be_bytes([bytes[7], bytes[8]])) + 9, bytes.len());
            assert_eq!((bytes[0], bytes[5], bytes[9], bytes[10]), (HANDSHAKE, 1, 3, 1));
        }
    }

    #[tokio::test]
    async fn a_modern_server_refuses_with_an_alert() {
        // The server is rustls, which knows neither version.
        let key = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![key.cert.der().clone()],
                rustls::pki_types::PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()).into(),
            )
            .unwrap();
        for version in [TLS_1_0, TLS_1_1] {
            let (near, far) = tokio::io::duplex(4096);
            let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config.clone()));
            let server = tokio::spawn(async move { acceptor.accept(far).await.is_err() });
            let answer = ask(near, version, Some("localhost")).await.unwrap();
            let Answer::Refused(reason) = answer else { panic!("{answer:?}") };
            assert!(reason.starts_with("alert "), "{reason}");
            assert!(server.await.unwrap());
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_survived(kind in any::<u8>(), body in proptest::collection::vec(any::<u8>(), 0..6)) {
            let _ = answer(kind, &body, TLS_1_0);
        }
    }
}

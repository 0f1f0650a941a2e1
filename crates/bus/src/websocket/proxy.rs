//! Reaching a server through the HTTP proxy that the environment names, by CONNECT (RFC 9110, section 9.3.6).

use std::net::IpAddr;

use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use hyper::{Method, Request, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// An HTTP proxy.
#[derive(Clone)]
pub(super) struct Proxy {
    /// Its name or address.
    pub(super) host: String,
    /// Its port.
    pub(super) port: u16,
    authorization: Option<HeaderValue>,
}

/// The proxy on the way to a server, as `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` have it. This
/// machine itself is never reached through a proxy.
///
/// # Errors
/// When the proxy is of a kind that cannot be used.
pub(super) fn on_the_way(host: &str, encrypted: bool) -> Result<Option<Proxy>, String> {
    choose(&Matcher::from_env(), host, encrypted)
}

fn choose(proxies: &Matcher, host: &str, encrypted: bool) -> Result<Option<Proxy>, String> {
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return Ok(None);
    }
    let scheme = if encrypted { "https" } else { "http" };
    let bracketed =
        if address.is_some_and(|address| address.is_ipv6()) { format!("[{host}]") } else { host.into() };
    let server: Uri = format!("{scheme}://{bracketed}/").parse().map_err(|error| format!("{error}"))?;
    let Some(proxy) = proxies.intercept(&server) else { return Ok(None) };
    let uri = proxy.uri();
    match (uri.scheme_str(), uri.host()) {
        (Some("http"), Some(name)) => Ok(Some(Proxy {
            host: name.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(80),
            authorization: proxy.basic_auth().cloned(),
        })),
        (kind, _) => Err(format!(
            "a proxy is reached by http, not by '{}'; correct HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or name {host} in NO_PROXY",
            kind.unwrap_or_default()
        )),
    }
}

/// Makes a connection to a proxy one to the server behind it.
///
/// # Errors
/// What the proxy said, for people.
pub(super) async fn tunnel(
    stream: TcpStream,
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> Result<TcpStream, String> {
    let place = format!("the proxy {}:{}", proxy.host, proxy.port);
    let broken = |error: hyper::Error| format!("{place} does not answer as one: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    tokio::spawn(connection.with_upgrades());
    let authority = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let mut request = Request::new(String::new());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = authority.parse().map_err(|error| format!("{authority}: {error}"))?;
    if let Ok(value) = HeaderValue::try_from(&authority) {
        request.headers_mut().insert(HOST, value);
    }
    if let Some(authorization) = &proxy.authorization {
        request.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
    }
    let answer = sender.send_request(request).await.map_err(broken)?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("{place} does not lead to {authority}: it answers {status}"));
    }
    let upgraded = hyper::upgrade::on(answer).await.map_err(broken)?;
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        // Nobody speaks before the client does, in TLS as in HTTP.
        Ok(parts) if parts.read_buf.is_empty() => Ok(parts.io.into_inner()),
        _ => Err(format!("{place} sends what was not asked for")),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn the_environment_names_the_proxy() {
        let proxies = Matcher::builder()
            .https("http://user:secret@proxy.example:3128")
            .http("[2001:db8::9]:8080")
            .no("intern.example,192.0.2.0/24")
            .build();
        let chosen = |host, encrypted| {
            choose(&proxies, host, encrypted)
                .unwrap()
                .map(|proxy| (proxy.host, proxy.port, proxy.authorization.is_some()))
        };
        assert_eq!(chosen("netwark.example", true), Some(("proxy.example".into(), 3128, true)));
        assert_eq!(chosen("2001:db8::1", true), Some(("proxy.example".into(), 3128, true)));
        assert_eq!(chosen("netwark.example", false), Some(("2001:db8::9".into(), 8080, false)));
        for host in ["a.intern.example", "192.0.2.7", "localhost", "127.0.0.1", "::1"] {
            assert_eq!(chosen(host, true), None, "{host}");
        }
        let socks = Matcher::builder().all("socks5://proxy.example:1080").build();
        let refused = choose(&socks, "netwark.example", true).map(|_| ()).unwrap_err();
        assert!(refused.contains("'socks5'") && refused.contains("NO_PROXY"), "{refused}");
    }

    async fn through(answer: &'static str) -> (Result<TcpStream, String>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 1024];
            let length = stream.read(&mut asked).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        let authorization = Some(HeaderValue::from_static("Basic dTpw"));
        let proxy = Proxy { host: "127.0.0.1".into(), port: address.port(), authorization };
        let stream = TcpStream::connect(address).await.unwrap();
        (tunnel(stream, &proxy, "netwark.example", 443).await, asked.await.unwrap())
    }

    #[tokio::test]
    async fn a_proxy_is_asked_for_the_server_by_name() {
        let (stream, asked) = through("HTTP/1.1 200 Connection established\r\n\r\n").await;
        stream.unwrap();
        assert!(asked.starts_with("CONNECT netwark.example:443 HTTP/1.1\r\n"), "{asked}");
        assert!(asked.to_ascii_lowercase().contains("proxy-authorization: basic dtpw\r\n"), "{asked}");
    }

    #[tokio::test]
    async fn what_a_proxy_refuses_is_told() {
        let (refused, _) = through("HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n").await;
        let refused = refused.map(|_| ()).unwrap_err();
        assert!(refused.contains("netwark.example:443") && refused.contains("407"), "{refused}");
        let (refused, _) = through("SSH-2.0-OpenSSH\r\n").await;
        assert!(refused.map(|_| ()).unwrap_err().contains("does not answer as one"));
    }
}

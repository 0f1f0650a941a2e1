//! What is spoken in the clear before a handshake, as each protocol has it.

use netwark_model::tools::tls::StartTls;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Most bytes that are read of what a server says before the handshake.
const MOST: usize = 16 * 1024;
/// Longest part of a line that a message repeats.
const SHOWN: usize = 120;

/// Asks for the handshake; when this returns well, the next byte belongs to it.
///
/// # Errors
/// Why the server does not begin one, as a clause.
pub(super) async fn ask<S>(stream: &mut S, protocol: StartTls) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut talk = Talk { stream, read: 0 };
    match protocol {
        StartTls::None => Ok(()),
        StartTls::Smtp => {
            talk.code("220").await?;
            talk.say("EHLO netwark.invalid\r\n").await?;
            talk.code("250").await?;
            talk.say("STARTTLS\r\n").await?;
            talk.code("220").await
        }
        StartTls::Ftp => {
            talk.code("220").await?;
            talk.say("AUTH TLS\r\n").await?;
            talk.code("234").await
        }
        StartTls::Imap => {
            talk.begins(&["* OK", "* PREAUTH"]).await?;
            talk.say("a STARTTLS\r\n").await?;
            talk.tagged().await
        }
        StartTls::Pop3 => {
            talk.begins(&["+OK"]).await?;
            talk.say("STLS\r\n").await?;
            talk.begins(&["+OK"]).await
        }
        StartTls::Postgres => {
            // SSLRequest: its length and its code.
            talk.send(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]).await?;
            match talk.byte().await? {
                b'S' => Ok(()),
                b'N' => Err("the server does not offer TLS".into()),
                _ => Err("what answers is no PostgreSQL server".into()),
            }
        }
    }
}

struct Talk<'a, S> {
    stream: &'a mut S,
    read: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<'_, S> {
    async fn say(&mut self, line: &str) -> Result<(), String> {
        self.send(line.as_bytes()).await
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream.write_all(bytes).await.map_err(|error| crate::words::of_system(&error))
    }

    async fn byte(&mut self) -> Result<u8, String> {
        self.read += 1;
        if self.read > MOST {
            return Err(format!("the server says more than {MOST} bytes before the handshake"));
        }
        let closed = |_| "the server closed the connection before the handshake".to_owned();
        self.stream.read_u8().await.map_err(closed)
    }

    /// A line without its end. It is read byte by byte: what follows it may belong to the handshake.
    async fn line(&mut self) -> Result<String, String> {
        let mut line = Vec::new();
        loop {
            match self.byte().await? {
                b'\n' => break,
                b'\r' => {}
                byte => line.push(byte),
            }
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    /// An answer of SMTP or FTP, all of its lines (RFC 5321, section 4.2).
    async fn code(&mut self, wanted: &str) -> Result<(), String> {
        let first = self.line().await?;
        let Some(rest) = first.strip_prefix(wanted) else { return Err(said(&first)) };
        if rest.starts_with('-') {
            // FTP may write anything before the last line (RFC 959, section 4.2).
            let last = format!("{wanted} ");
            while !self.line().await?.starts_with(&last) {}
        }
        Ok(())
    }

    async fn begins(&mut self, wanted: &[&str]) -> Result<(), String> {
        let line = self.line().await?;
        if wanted.iter().any(|begin| line.starts_with(begin)) { Ok(()) } else { Err(said(&line)) }
    }

    /// The answer to our one command, past what the server says of its own accord.
    async fn tagged(&mut self) -> Result<(), String> {
        loop {
            let line = self.line().await?;
            match line.strip_prefix("a ") {
                Some(answer) if answer.starts_with("OK") => return Ok(()),
                Some(_) => return Err(said(&line)),
                None if line.starts_with('*') => {}
                None => return Err(said(&line)),
            }
        }
    }
}

fn said(line: &str) -> String {
    let line: String = line.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    format!("the server says '{line}' instead of beginning TLS")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What comes of asking a server that says this, and what it heard.
    async fn asked(protocol: StartTls, says: &[u8]) -> (Result<(), String>, String) {
        let mut stream = tokio::io::join(says, Vec::new());
        let result = ask(&mut stream, protocol).await;
        (result, String::from_utf8_lossy(stream.writer()).into_owned())
    }

    #[tokio::test]
    async fn each_protocol_is_asked_in_its_own_way() {
        for (protocol, says, heard) in [
            (
                StartTls::Smtp,
                "220 mx ESMTP\r\n250-mx\r\n250-SIZE 1000\r\n250 STARTTLS\r\n220 go ahead\r\n",
                "EHLO netwark.invalid\r\nSTARTTLS\r\n",
            ),
            (StartTls::Ftp, "220-hello\r\n there\r\n220 ready\r\n234 go\r\n", "AUTH TLS\r\n"),
            (StartTls::Imap, "* OK ready\r\n* CAPABILITY IMAP4rev2\r\na OK begin\r\n", "a STARTTLS\r\n"),
            (StartTls::Pop3, "+OK hello\r\n+OK begin\r\n", "STLS\r\n"),
            (StartTls::None, "", ""),
        ] {
            assert_eq!(asked(protocol, says.as_bytes()).await, (Ok(()), heard.into()), "{protocol:?}");
        }
        assert_eq!(asked(StartTls::Postgres, b"S").await.0, Ok(()));
    }

    #[tokio::test]
    async fn what_a_server_says_instead_is_repeated() {
        let refused = asked(StartTls::Smtp, b"220 mx\r\n250 mx\r\n502 not here\r\n").await.0.unwrap_err();
        assert_eq!(refused, "the server says '502 not here' instead of beginning TLS");
        let refused = asked(StartTls::Imap, b"* OK x\r\na BAD no\r\n").await.0.unwrap_err();
        assert_eq!(refused, "the server says 'a BAD no' instead of beginning TLS");
        assert_eq!(asked(StartTls::Postgres, b"N").await.0.unwrap_err(), "the server does not offer TLS");
        let endless = asked(StartTls::Smtp, "220-x\r\n".repeat(4000).as_bytes()).await.0.unwrap_err();
        assert!(endless.contains("more than"), "{endless}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_answer_is_survived(says in proptest::collection::vec(any::<u8>(), 0..200), which in 0usize..5) {
            let protocols =
                [StartTls::Smtp, StartTls::Imap, StartTls::Pop3, StartTls::Ftp, StartTls::Postgres];
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _ = runtime.block_on(asked(protocols[which], &says));
        }
    }
}

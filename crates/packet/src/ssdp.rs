//! The discovery of UPnP: requests and answers of HTTP in datagrams (UPnP Device Architecture 2.0, section 1).

use std::net::Ipv4Addr;

/// Its port.
pub const PORT: u16 = 1900;
/// Its group.
pub const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
/// Bytes that are looked at.
const MOST: usize = 2_048;
/// Lines that are looked at.
const MOST_LINES: usize = 64;

/// What a device says of itself. Each text has at most 512 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The product, such as `Linux/5.4 UPnP/1.0 Example/2.1`.
    pub server: Option<String>,
    /// Its unique name.
    pub usn: Option<String>,
    /// Where its description is.
    pub location: Option<String>,
    /// It says that it leaves.
    pub leaves: bool,
}

/// The request that every root device answers within a second.
#[must_use]
pub fn search() -> Vec<u8> {
    format!(
        "M-SEARCH * HTTP/1.1\r\nHOST: {GROUP}:{PORT}\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n"
    )
    .into_bytes()
}

/// Reads an answer or an announcement. None for anything else, such as somebody's search.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Said> {
    let text = String::from_utf8_lossy(bytes.get(..MOST).unwrap_or(bytes));
    let mut lines = text.lines().take(MOST_LINES);
    let first = lines.next()?;
    if !(first.starts_with("HTTP/1.") && first.contains(" 200") || first.starts_with("NOTIFY ")) {
        return None;
    }
    let mut said = Said::default();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value: String = value.trim().chars().take(170).collect();
        match name.trim().to_ascii_lowercase().as_str() {
            "server" => said.server = Some(value),
            "usn" => said.usn = Some(value),
            "location" => said.location = Some(value),
            "nts" => said.leaves = value == "ssdp:byebye",
            _ => {}
        }
    }
    Some(said)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_and_announcements_are_read_and_searches_are_not() {
        let answer =
            b"HTTP/1.1 200 OK\r\nSERVER: Linux UPnP/1.0 Speaker/57\r\nusn: uuid:1::upnp:rootdevice\r\n\r\n";
        let said = parse(answer).unwrap();
        assert_eq!(said.server.as_deref(), Some("Linux UPnP/1.0 Speaker/57"));
        assert_eq!(said.usn.as_deref(), Some("uuid:1::upnp:rootdevice"));
        assert!(parse(b"NOTIFY * HTTP/1.1\r\nNTS: ssdp:byebye\r\n").unwrap().leaves);
        assert_eq!(parse(&search()), None);
        assert_eq!(parse(b"HTTP/1.1 404 Not Found\r\n"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&[b"NOTIFY * HTTP/1.1\r\n".as_slice(), &bytes].concat());
        }
    }
}

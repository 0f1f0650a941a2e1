//! Character sets: RFC 3912 names none, so every server has its own.

use encoding_rs::{Encoding, ISO_2022_JP, ISO_8859_2, WINDOWS_1251, WINDOWS_1252, WINDOWS_1254};

/// The text of an answer. UTF-8 where it is that, since most servers have changed to it; otherwise what the server is
/// known to write, and at last Latin-1, in which every byte is a letter.
pub(super) fn decode(server: &str, bytes: &[u8]) -> String {
    // Every answer in it is ASCII too, so that it must be looked for first.
    if bytes.contains(&0x1b) && server.ends_with(".jp") {
        return with(ISO_2022_JP, bytes);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // A bound that cuts a letter in two does not make it another character set.
        Err(error) if error.error_len().is_none() => {
            String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned()
        }
        Err(_) => with(of(server), bytes),
    }
}

fn with(encoding: &'static Encoding, bytes: &[u8]) -> String {
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

fn of(server: &str) -> &'static Encoding {
    match server.rsplit('.').next().unwrap_or_default() {
        "jp" => ISO_2022_JP,
        "tr" => WINDOWS_1254,
        "hu" | "pl" | "cz" | "sk" | "hr" | "si" => ISO_8859_2,
        "kg" | "ru" | "su" | "by" | "bg" => WINDOWS_1251,
        _ => WINDOWS_1252,
    }
}

/// Text that is safe to show and to store: no control characters but tabs and line ends.
pub(super) fn plain(text: &str) -> String {
    let keep = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    text.replace("\r\n", "\n").replace('\r', "\n").chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn character_sets() {
        assert_eq!(decode("whois.nic.ch", "Zürich".as_bytes()), "Zürich");
        assert_eq!(decode("whois.ripe.net", b"Z\xfcrich"), "Zürich");
        assert_eq!(decode("whois.nic.tr", b"Yay\xfdnc\xfdl\xfdk"), "Yayıncılık");
        assert_eq!(decode("whois.tcinet.ru", b"\xcc\xee\xf1\xea\xe2\xe0"), "Москва");
        assert_eq!(decode("whois.jprs.jp", b"\x1b$BF|K\\\x1b(B"), "日本");
        assert_eq!(decode("whois.nic.ch", &"Zü".as_bytes()[..2]), "Z");
        assert_eq!(decode("whois.nic.ch", b""), "");
        assert_eq!(plain("a\r\nb\x1b[31mc\x00\td"), "a\nb[31mc\td");
    }
}

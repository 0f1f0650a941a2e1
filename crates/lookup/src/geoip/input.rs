//! What is asked about: one address, and nothing else.

use std::net::IpAddr;

/// Characters of a wrong input that are repeated.
const SHOWN: usize = 60;

/// Reads an address in the usual notation, with or without the brackets that URLs put around IPv6.
///
/// # Errors
/// Says what it is instead, as the end of a sentence about the field: "must be ...".
pub fn read(text: &str) -> Result<IpAddr, String> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse() {
        return Ok(address);
    }
    let shown: String = text.chars().take(SHOWN).collect();
    let is_network = bare.split_once('/').is_some_and(|(address, _)| address.parse::<IpAddr>().is_ok());
    let is_zoned = bare.split_once('%').is_some_and(|(address, _)| address.parse::<IpAddr>().is_ok());
    let has_port = text.parse::<std::net::SocketAddr>().is_ok();
    let like_a_name = text.contains('.') && text.chars().any(char::is_alphabetic);
    let advice = match () {
        () if is_network => "; name one address of the network",
        () if is_zoned => "; leave out the zone",
        () if has_port => "; leave out the port",
        () if like_a_name => "; which addresses a name has is a DNS look-up",
        () => "",
    };
    Err(format!("must be an IPv4 or IPv6 address such as 192.0.2.1, got '{shown}'{advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_nothing_else() {
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            (" 192.0.2.1\n", "192.0.2.1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:DB8:0::1", "2001:db8::1"),
        ] {
            assert_eq!(read(text).map(|ip| ip.to_string()).as_deref(), Ok(expected), "{text}");
        }
        for (text, advice) in [
            ("example.org", "DNS look-up"),
            ("192.0.2.0/24", "one address"),
            ("fe80::1%eth0", "zone"),
            ("192.0.2.1:80", "port"),
            ("[2001:db8::1]:80", "port"),
            ("192.0.2.256", "got '192.0.2.256'"),
            ("192.000.002.001", "got"),
            ("", "got ''"),
            ("[", "got '['"),
        ] {
            let error = read(text).unwrap_err();
            assert!(
                error.starts_with("must be an IPv4 or IPv6 address") && error.contains(advice),
                "{error}"
            );
        }
        assert!(read(&"x".repeat(9_999)).unwrap_err().len() < 200);
    }
}

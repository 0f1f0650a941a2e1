//! What registries know: domains, addresses, prefixes and AS numbers.

use ipnet::IpNet;

use crate::error::FieldError;

/// Checks such a target. Returns it trimmed; a prefix without host bits, an AS number as `AS64500`.
pub(super) fn check(text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    let number = text.strip_prefix("AS").or_else(|| text.strip_prefix("as")).unwrap_or(text);
    if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        let wrong = || FieldError::body("target", "is no AS number; the largest is 4294967295");
        return number.parse::<u32>().map(|number| format!("AS{number}")).map_err(|_| wrong());
    }
    match text.parse::<IpNet>() {
        Ok(prefix) => Ok(prefix.trunc().to_string()),
        Err(_) => super::check(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_registries_know() {
        for (given, kept) in [
            ("example.org.", "example.org"),
            ("as64500", "AS64500"),
            (" 64500 ", "AS64500"),
            ("192.0.2.9/24", "192.0.2.0/24"),
            ("2001:DB8::1", "2001:db8::1"),
        ] {
            assert_eq!(check(given).as_deref(), Ok(kept), "{given}");
        }
        for given in ["", "AS4294967296", "a b", "192.0.2.0/33", "https://example.org"] {
            assert_eq!(check(given).unwrap_err().name, "target", "{given}");
        }
    }
}

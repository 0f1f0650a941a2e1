//! MAC addresses among other things people look up.

use crate::oui::Prefix;

/// Reads an address, an EUI-64 or its first octets, as far as they can be nothing else: with colons
/// (`0:1b:44:11:3a:b7`, as BSD writes them, too), dashes, dots between groups of four, a dash between halves, and whole
/// as digits alone. None when it is none of these.
pub(super) fn read_mac(text: &str) -> Option<Prefix> {
    let groups = |separator: char| text.split(separator).map(str::len).collect::<Vec<_>>();
    let in_pairs =
        |lengths: &[usize]| (3..=8).contains(&lengths.len()) && lengths.iter().all(|length| *length == 2);
    let fits = if text.contains(':') {
        let lengths = groups(':');
        // Eight groups are an IPv6 address, too, but nobody writes one of those with two digits in each.
        in_pairs(&lengths) || (lengths.len() == 6 && lengths.iter().all(|length| matches!(length, 1 | 2)))
    } else if text.contains('-') {
        let lengths = groups('-');
        in_pairs(&lengths) || lengths == [6, 6]
    } else if text.contains('.') {
        let lengths = groups('.');
        matches!(lengths.len(), 3 | 4) && lengths.iter().all(|length| *length == 4)
    } else {
        matches!(text.len(), 12 | 16)
    };
    let only_digits = text.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | '.'));
    if fits && only_digits { Prefix::parse(text) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_notation() {
        for text in [
            "00:1B:44:11:3A:B7",
            "0:1b:44:11:3a:b7",
            "00-1b-44-11-3a-b7",
            "001b.4411.3ab7",
            "001B44113AB7",
            "001b44-113ab7",
        ] {
            assert_eq!(read_mac(text).unwrap().to_string(), "00:1b:44:11:3a:b7", "{text}");
        }
        assert_eq!(read_mac("00-1b-c5").unwrap().to_string(), "00:1b:c5");
        assert!(read_mac("02:00:5e:ff:fe:00:53:01").unwrap().is_eui64());
    }

    #[test]
    fn not_everything_is_one() {
        for text in [
            "",
            "00:1b",
            "1:2:3",
            "2001:db8:0:1:1:1:1:1",
            "::1",
            "001b44",
            "00:1b:44:11:3a:bg",
            "+1:1b:44:11:3a:b7",
            "a-b-c",
            "192.0.2.1",
            "ñ01b44113ab7",
            "00:1b:44:11:3a:b7:",
        ] {
            assert_eq!(read_mac(text), None, "{text}");
        }
    }
}

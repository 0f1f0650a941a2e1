//! What an access point says of its network: the information elements of beacons (IEEE 802.11-2020, section 9.4.2).

/// Elements that are read; a beacon has some dozens.
const MOST_ELEMENTS: usize = 200;
/// Suites of a list that are read.
const MOST_SUITES: usize = 32;
const SSID: u8 = 0;
const RSN: u8 = 48;
const VENDOR: u8 = 221;
/// The element that WPA had before RSN was a standard: Microsoft's number, type 1.
const WPA: [u8; 4] = [0x00, 0x50, 0xf2, 1];
/// The number of the suites of the standard.
const STANDARD: [u8; 3] = [0x00, 0x0f, 0xac];
/// The bit of the capabilities that says that frames are encrypted.
const PRIVACY: u16 = 1 << 4;

/// A wireless network, as its access point announces it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// Its name; none when it is hidden.
    pub ssid: Option<String>,
    /// How it is secured, such as `WPA2` or `WPA3 Enterprise`; `open` when it is not.
    pub security: &'static str,
}

/// Which ways of authentication were seen.
#[derive(Default)]
struct Ways {
    psk: bool,
    sae: bool,
    enterprise: bool,
    /// With 192 bits, which WPA3 brought.
    strong: bool,
    owe: bool,
    rsn: bool,
    wpa: bool,
}

/// Reads the elements of a beacon with the capabilities before them. Elements that are cut say nothing.
pub fn parse(capabilities: u16, mut elements: &[u8]) -> Announced {
    let (mut ssid, mut ways) = (None, Ways::default());
    for _ in 0..MOST_ELEMENTS {
        let [id, length, rest @ ..] = elements else { break };
        let Some((body, rest)) = rest.split_at_checked(usize::from(*length)) else { break };
        match *id {
            SSID => ssid = name(body),
            RSN => {
                ways.rsn = true;
                ways.read(body);
            }
            VENDOR => ways.wpa |= body.starts_with(&WPA),
            _ => {}
        }
        elements = rest;
    }
    Announced { ssid, security: ways.word(capabilities & PRIVACY != 0) }
}

/// A name that is there: hidden ones are empty, or zeros in its length.
fn name(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    (!text.is_empty()).then_some(text)
}

impl Ways {
    /// Reads an element of RSN: version, group cipher, ciphers, and the ways of authentication.
    fn read(&mut self, body: &[u8]) {
        let Some(ciphers) = body.get(6..) else { return };
        let Some((count, rest)) = count(ciphers) else { return };
        let Some((ways, rest)) = rest.get(4 * count..).and_then(self::count) else { return };
        for suite in rest.chunks_exact(4).take(ways.min(MOST_SUITES)) {
            let [a, b, c, kind] = suite else { continue };
            if [*a, *b, *c] != STANDARD {
                continue;
            }
            match kind {
                1 | 3 | 5 => self.enterprise = true,
                2 | 4 | 6 => self.psk = true,
                8 | 9 | 24 | 25 => self.sae = true,
                11..=13 => self.strong = true,
                18 => self.owe = true,
                _ => {}
            }
        }
    }

    fn word(&self, privacy: bool) -> &'static str {
        match self {
            Self { sae: true, psk: true, .. } => "WPA2/WPA3",
            Self { sae: true, .. } => "WPA3",
            Self { strong: true, .. } => "WPA3 Enterprise",
            Self { enterprise: true, wpa: true, .. } => "WPA/WPA2 Enterprise",
            Self { enterprise: true, .. } => "WPA2 Enterprise",
            Self { owe: true, .. } => "OWE",
            Self { rsn: true, wpa: true, .. } => "WPA/WPA2",
            Self { rsn: true, .. } => "WPA2",
            Self { wpa: true, .. } => "WPA",
            _ if privacy => "WEP",
            _ => "open",
        }
    }
}

/// A number of two bytes, and what follows it.
fn count(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<2>()?;
    Some((usize::from(u16::from_le_bytes(*number)), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn element(id: u8, body: &[u8]) -> Vec<u8> {
        [&[id, u8::try_from(body.len()).unwrap()], body].concat()
    }

    /// An element of RSN with CCMP and these ways of authentication.
    fn rsn(ways: &[u8]) -> Vec<u8> {
        let mut body =
            vec![1, 0, 0, 0x0f, 0xac, 4, 1, 0, 0, 0x0f, 0xac, 4, u8::try_from(ways.len()).unwrap(), 0];
        for way in ways {
            body.extend([0, 0x0f, 0xac, *way]);
        }
        body.extend([0, 0]);
        element(RSN, &body)
    }

    #[test]
    fn networks_are_named_as_people_know_them() {
        let wpa = element(VENDOR, &[0, 0x50, 0xf2, 1, 1, 0]);
        for (elements, privacy, security) in [
            (rsn(&[2]), true, "WPA2"),
            (rsn(&[2, 8]), true, "WPA2/WPA3"),
            (rsn(&[8]), true, "WPA3"),
            (rsn(&[1]), true, "WPA2 Enterprise"),
            (rsn(&[12]), true, "WPA3 Enterprise"),
            (rsn(&[18]), true, "OWE"),
            ([rsn(&[2]), wpa.clone()].concat(), true, "WPA/WPA2"),
            (wpa, true, "WPA"),
            (Vec::new(), true, "WEP"),
            (Vec::new(), false, "open"),
        ] {
            let elements = [element(SSID, "Büro".as_bytes()), elements].concat();
            let announced = parse(if privacy { PRIVACY } else { 0 }, &elements);
            assert_eq!(announced, Announced { ssid: Some("Büro".into()), security });
        }
    }

    #[test]
    fn a_hidden_name_is_none() {
        assert_eq!(parse(0, &element(SSID, &[])).ssid, None);
        assert_eq!(parse(0, &element(SSID, &[0, 0, 0])).ssid, None);
        assert_eq!(parse(0, &element(SSID, b"a\x1b[31m")).ssid.as_deref(), Some("a[31m"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(capabilities: u16, bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let announced = parse(capabilities, &bytes);
            prop_assert!(announced.ssid.is_none_or(|ssid| ssid.len() <= 3 * 255));
        }
    }
}

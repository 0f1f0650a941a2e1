//! Whom an answer refers to.

use super::lines::{self, Line};

/// Registries of nations below APNIC and LACNIC, by the word under which their parents mention them.
const NATIONAL: [(&str, &str); 7] = [
    ("JPNIC", "whois.nic.ad.jp"),
    ("KRNIC", "whois.kisa.or.kr"),
    ("TWNIC", "whois.twnic.net"),
    ("CNNIC", "ipwhois.cnnic.cn"),
    ("VNNIC", "whois.vnnic.vn"),
    ("IDNIC", "whois.idnic.net"),
    ("NIC.BR", "whois.registro.br"),
];

/// Names of networks that a regional registry only passes on to another.
const ELSEWHERE: [&str; 6] =
    ["NON-RIPE-NCC-MANAGED", "ERX-NETBLOCK", "IANA-BLK", "IANA-NETBLOCK", "STUB-", "EU-ZZ-"];

/// The server that an answer refers to: a host, with a port when it names one.
pub(in crate::whois) fn of(text: &str) -> Option<String> {
    let mut elsewhere = false;
    let mut mentioned = None;
    for line in text.lines().take(super::MOST_LINES) {
        let Line::Pair { key, value, .. } = lines::read(line) else { continue };
        match key.as_str() {
            "refer"
            | "whois"
            | "referralserver"
            | "registrar whois server"
            | "whois server"
            | "whois-server" => {
                if let Some(server) = server(value) {
                    return Some(server);
                }
            }
            "netname" => elsewhere |= ELSEWHERE.iter().any(|name| value.starts_with(name)),
            "source" if value != "APNIC" => {
                mentioned = mentioned.or_else(|| national(value));
            }
            "remarks" | "descr" | "comment" => {
                let words = value.split(|c: char| c.is_whitespace() || "()<>,;/".contains(c));
                let named =
                    words.map(|word| word.trim_end_matches('.')).find(|word| word.starts_with("whois."));
                if elsewhere {
                    mentioned = mentioned.or_else(|| named.and_then(server));
                } else if let Some(national) =
                    named.and_then(|_| national(value)).or_else(|| named.and_then(of_nation))
                {
                    mentioned = mentioned.or(Some(national));
                }
            }
            _ => {}
        }
    }
    mentioned
}

/// The national registry that a text names.
pub(in crate::whois) fn national(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    NATIONAL.iter().find(|(word, _)| upper.contains(word)).map(|(_, server)| (*server).to_owned())
}

fn of_nation(host: &str) -> Option<String> {
    match host {
        "whois.nic.or.kr" | "whois.krnic.net" | "whois.kisa.or.kr" => national("KRNIC"),
        "whois.nic.ad.jp" => national("JPNIC"),
        "whois.twnic.net" | "whois.twnic.net.tw" => national("TWNIC"),
        _ => None,
    }
}

/// A server in any spelling that a referral may have: `whois://host:43/path`, `https://host/`, `host`.
pub(in crate::whois) fn server(text: &str) -> Option<String> {
    let text = text.split_whitespace().next()?.to_ascii_lowercase();
    // rwhois (RFC 2167) is another protocol at another port.
    if text.starts_with("rwhois://") {
        return None;
    }
    let rest = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next()?.trim_end_matches('.');
    let name = host.split(':').next()?;
    let plain = !name.is_empty()
        && name.len() <= 253
        && name.contains('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let port = host.strip_prefix(name)?.strip_prefix(':').map(str::parse::<u16>);
    match (plain, port) {
        (true, None | Some(Ok(43))) => Some(name.to_owned()),
        (true, Some(Ok(port))) if port > 0 => Some(format!("{name}:{port}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn referrals() {
        for (text, expected) in [
            ("refer:        whois.verisign-grs.com\n\ndomain: COM\n", Some("whois.verisign-grs.com")),
            ("   Registrar WHOIS Server: whois.markmonitor.com\n", Some("whois.markmonitor.com")),
            ("Registrar WHOIS Server:\nRegistrar URL: http://x.example\n", None),
            ("ReferralServer:  whois://whois.ripe.net:43\n", Some("whois.ripe.net")),
            ("ReferralServer:  rwhois://rwhois.example.net:4321\n", None),
            ("ReferralServer:  whois://whois.example.net:4343/x\n", Some("whois.example.net:4343")),
            ("Registrar WHOIS Server: https://www.example.com/whois\n", Some("www.example.com")),
            ("inetnum: 1.2.3.0 - 1.2.3.255\nsource: KRNIC\n", Some("whois.kisa.or.kr")),
            (
                "remarks: JPNIC WHOIS: whois.nic.ad.jp for WHOIS client.\nsource: APNIC\n",
                Some("whois.nic.ad.jp"),
            ),
            (
                "netname: NON-RIPE-NCC-MANAGED-ADDRESS-BLOCK\nremarks: APNIC https://www.apnic.net\nremarks: whois.apnic.net\n",
                Some("whois.apnic.net"),
            ),
            ("inetnum: 193.0.0.0 - 193.0.7.255\nremarks: see whois.ripe.net\nsource: RIPE\n", None),
            ("refer: not a host\n", None),
            ("", None),
        ] {
            assert_eq!(of(text).as_deref(), expected, "{text}");
        }
        for wrong in
            ["", "localhost", "a b", "evil.example:0", "evil.example:99999", "x\u{7f}.example", "[::1]"]
        {
            assert_eq!(server(wrong), None, "{wrong}");
        }
    }
}

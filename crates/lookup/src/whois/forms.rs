//! What a server of WHOIS wants to be asked: most take the bare name, some have a language of their own.

use super::question::Question;

/// The line for a server, without its end.
pub(super) fn of(server: &str, question: &Question) -> String {
    let bare = question.to_string();
    match (server, question) {
        (
            "whois.verisign-grs.com" | "ccwhois.verisign-grs.com" | "tvwhois.verisign-grs.com",
            Question::Domain(name),
        ) => {
            // Without the word, name servers and registrars of the same name answer too.
            format!("domain {name}")
        }
        // The domain in the spelling it is given in, and its state.
        ("whois.denic.de", Question::Domain(name)) => format!("-T dn,ace {name}"),
        ("whois.punktum.dk" | "whois.dk-hostmaster.dk", Question::Domain(name)) => {
            format!("--charset=utf-8 {name}")
        }
        ("whois.jprs.jp" | "whois.nic.ad.jp", Question::AsNumber(number)) => format!("AS {number}/e"),
        // In English.
        ("whois.jprs.jp" | "whois.nic.ad.jp", _) => format!("{bare}/e"),
        ("whois.nic.name", Question::Domain(name)) => format!("domain={name}"),
        ("whois.cat" | "whois.nic.cat" | "whois.museum" | "whois.nic.museum", Question::Domain(name)) => {
            format!("-C UTF-8 {name}")
        }
        // Details of networks, even when several match.
        ("whois.arin.net", Question::Address(address)) => format!("n + {address}"),
        ("whois.arin.net", Question::Prefix(prefix)) => format!("r + = {prefix}"),
        ("whois.arin.net", Question::AsNumber(number)) => format!("a + {number}"),
        // Without it the objects of the people are sent, which count against a limit of their own.
        ("whois.ripe.net", Question::Address(_) | Question::Prefix(_) | Question::AsNumber(_)) => {
            format!("-r {bare}")
        }
        // IANA knows top level domains alone.
        ("whois.iana.org", Question::Domain(name)) => name.rsplit('.').next().unwrap_or(name).to_owned(),
        ("whois.iana.org", Question::Prefix(prefix)) => prefix.network().to_string(),
        ("whois.iana.org", Question::AsNumber(number)) => format!("AS{number}"),
        _ => bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (server, asked, expected) in [
            ("whois.verisign-grs.com", "Example.COM", "domain example.com"),
            ("whois.denic.de", "bücher.de", "-T dn,ace xn--bcher-kva.de"),
            ("whois.jprs.jp", "example.jp", "example.jp/e"),
            ("whois.nic.ad.jp", "AS2497", "AS 2497/e"),
            ("whois.arin.net", "8.8.8.8", "n + 8.8.8.8"),
            ("whois.arin.net", "8.8.8.0/24", "r + = 8.8.8.0/24"),
            ("whois.arin.net", "AS15169", "a + 15169"),
            ("whois.ripe.net", "193.0.0.0/21", "-r 193.0.0.0/21"),
            ("whois.iana.org", "a.example.co", "co"),
            ("whois.iana.org", "8.8.8.0/24", "8.8.8.0"),
            ("whois.nic.fr", "example.fr", "example.fr"),
            ("whois.punktum.dk", "example.dk", "--charset=utf-8 example.dk"),
        ] {
            assert_eq!(of(server, &Question::parse(asked).unwrap()), expected);
        }
    }
}

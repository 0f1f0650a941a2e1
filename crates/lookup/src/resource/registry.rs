//! What the registries say of a resource.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::Resource;
use super::answer::Part;
use crate::whois::{Outcome, Question, Whois, WhoisAnswer};

/// What the registries are asked about: the thing itself, of a range the smallest network that holds it.
pub(super) fn question(resource: &Resource) -> Option<Question> {
    match resource {
        Resource::Mac(_) => None,
        Resource::Range(first, last) => Question::parse(&around(*first, *last)?.to_string()).ok(),
        resource => Question::parse(&resource.to_string()).ok(),
    }
}

/// Asks. What was answered stays with the part also where nothing was found.
pub(super) async fn ask(whois: &Whois, question: &Question) -> Part<WhoisAnswer> {
    let answer = WhoisAnswer::clone(&*whois.look_up(question, false).await);
    let summary = answer.summary.clone();
    let part = match answer.outcome {
        Outcome::Found => return Part::ok(answer),
        Outcome::NoMatch | Outcome::Special | Outcome::NoRegistry => Part::nothing(summary),
        Outcome::RateLimited | Outcome::Unclear | Outcome::Failed => Part::error(summary),
    };
    Part { data: Some(answer), ..part }
}

/// The smallest network that holds both addresses, which are of one family.
fn around(first: IpAddr, last: IpAddr) -> Option<IpNet> {
    let network = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            let same = (first.to_bits() ^ last.to_bits()).leading_zeros() as u8;
            IpNet::from(Ipv4Net::new(first, same).ok()?)
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            let same = (first.to_bits() ^ last.to_bits()).leading_zeros() as u8;
            IpNet::from(Ipv6Net::new(first, same).ok()?)
        }
        _ => return None,
    };
    Some(network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_registries_are_asked() {
        for (text, expected) in [
            ("www.example.org", Some("www.example.org")),
            ("https://Bücher.example/x", Some("xn--bcher-kva.example")),
            ("192.0.2.1", Some("192.0.2.1")),
            ("2001:db8::1/32", Some("2001:db8::/32")),
            ("192.0.2.1 - 192.0.2.9", Some("192.0.2.0/28")),
            ("0.0.0.0 - 255.255.255.255", Some("0.0.0.0/0")),
            ("2001:db8::1 - 2001:db8::2", Some("2001:db8::/126")),
            ("AS1.10", Some("AS65546")),
            ("00:00:5e:00:53:01", None),
        ] {
            let resource: Resource = text.parse().unwrap();
            assert_eq!(question(&resource).map(|one| one.to_string()).as_deref(), expected, "{text}");
        }
    }
}

//! Names and addresses: what the runner asks of a resolver, and which address of a name is measured.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use netwark_model::tools::args::Family;

/// A future that a [`Resolve`] gives.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A resolver of names. It is shared by all work, bounds its own time and remembers what it was told.
pub trait Resolve: Send + Sync {
    /// The addresses of a name, in the order in which they should be tried. Literal addresses never get here.
    /// `family` other than [`Family::Auto`] and [`Family::All`] asks for one family only.
    ///
    /// # Errors
    /// [`ResolveError::Resolver`] when the name has no such address or nobody could be asked.
    fn addresses<'a>(
        &'a self,
        name: &'a str,
        family: Family,
    ) -> Answer<'a, Result<Vec<IpAddr>, ResolveError>>;

    /// The name of an address; `None` when it has none or none was found in time.
    fn name(&self, address: IpAddr) -> Answer<'_, Option<String>>;
}

/// Why there is no address to measure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The resolver found nothing or could not be asked; a sentence for people that names what was asked.
    #[error("{0}")]
    Resolver(String),
    /// The name exists but has no address, or none of the family asked for.
    #[error("{name} has no {wanted}")]
    NoAddress {
        /// The name.
        name: String,
        /// What it lacks, such as `IPv6 address`.
        wanted: &'static str,
    },
    /// A literal address of the family that was not asked for.
    #[error("{address} is an {is} address, but {wanted} was asked for")]
    WrongFamily {
        /// The address.
        address: IpAddr,
        /// Its family.
        is: &'static str,
        /// The family asked for.
        wanted: &'static str,
    },
    /// This worker cannot send to any of the addresses.
    #[error("{name} has only {has} addresses, and this worker has no {has}")]
    NoWay {
        /// The name.
        name: String,
        /// Their family.
        has: &'static str,
    },
    /// This worker can send to nobody.
    #[error("{name} has IPv4 and IPv6 addresses, and this worker has no route to either")]
    NoWayAtAll {
        /// The name.
        name: String,
    },
}

/// An address to measure, and why this one; no reason is given for a literal address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The address.
    pub address: IpAddr,
    /// A sentence such as `first of 2 IPv4 addresses; IPv6 is not available here`.
    pub reason: Option<String>,
}

/// The most addresses of one name that are measured side by side.
pub const MOST_ADDRESSES: usize = 16;

/// Which families this worker can send to: it has a route to the world and a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// IPv4.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
}

impl Reach {
    fn has(self, address: &IpAddr) -> bool {
        if address.is_ipv4() { self.v4 } else { self.v6 }
    }
}

/// Reads a target as a literal address, also in brackets: `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]`.
/// An IPv4 address in an IPv6 one (`::ffff:192.0.2.1`) is taken for what it is.
pub fn literal(target: &str) -> Option<IpAddr> {
    let bare = target.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(target).parse().ok().map(|address: IpAddr| address.to_canonical())
}

/// The choice for a literal address: that address, whatever this worker can reach, if its family is not refused.
///
/// # Errors
/// [`ResolveError::WrongFamily`].
pub fn choose_literal(address: IpAddr, family: Family) -> Result<Choice, ResolveError> {
    let wanted = match family {
        Family::V4 if address.is_ipv6() => "IPv4",
        Family::V6 if address.is_ipv4() => "IPv6",
        _ => return Ok(Choice { address, reason: None }),
    };
    Err(ResolveError::WrongFamily { address, is: family_of(&address), wanted })
}

/// Which addresses of a name are measured, and why.
///
/// `auto` takes the first IPv6 address where this worker has IPv6, else the first IPv4 address. `4` and `6` take the
/// first of their family, whether or not this worker can reach it: the measurement then says so. `all` takes every
/// address of the families this worker has, at most [`MOST_ADDRESSES`].
///
/// # Errors
/// [`ResolveError::NoAddress`], [`ResolveError::NoWay`] and [`ResolveError::NoWayAtAll`].
pub fn choose(
    name: &str,
    addresses: &[IpAddr],
    family: Family,
    reach: Reach,
) -> Result<Vec<Choice>, ResolveError> {
    let (v6, v4): (Vec<_>, Vec<_>) = addresses.iter().copied().partition(IpAddr::is_ipv6);
    let lacks = |wanted| ResolveError::NoAddress { name: name.into(), wanted };
    match family {
        Family::V4 => Ok(vec![first(&v4, "IPv4 was asked for").ok_or_else(|| lacks("IPv4 address"))?]),
        Family::V6 => Ok(vec![first(&v6, "IPv6 was asked for").ok_or_else(|| lacks("IPv6 address"))?]),
        Family::Auto => auto(&v4, &v6, reach).ok_or_else(|| none(name, addresses)),
        Family::All => {
            let usable: Vec<_> = addresses.iter().filter(|address| reach.has(address)).copied().collect();
            if usable.is_empty() {
                return Err(none(name, addresses));
            }
            Ok(every(&usable, addresses.len()))
        }
    }
}

fn auto(v4: &[IpAddr], v6: &[IpAddr], reach: Reach) -> Option<Vec<Choice>> {
    let v6_choice = if reach.v6 {
        first(v6, if v4.is_empty() { "the name has no IPv4 address" } else { "IPv6 is preferred" })
    } else {
        None
    };
    let v4_choice = || {
        let why = if v6.is_empty() { "the name has no IPv6 address" } else { "IPv6 is not available here" };
        if reach.v4 { first(v4, why) } else { None }
    };
    v6_choice.or_else(v4_choice).map(|choice| vec![choice])
}

fn none(name: &str, addresses: &[IpAddr]) -> ResolveError {
    match addresses.first() {
        None => ResolveError::NoAddress { name: name.into(), wanted: "address" },
        Some(one) if addresses.iter().any(|other| other.is_ipv4() != one.is_ipv4()) => {
            ResolveError::NoWayAtAll { name: name.into() }
        }
        Some(one) => ResolveError::NoWay { name: name.into(), has: family_of(one) },
    }
}

fn first(addresses: &[IpAddr], why: &str) -> Option<Choice> {
    let address = *addresses.first()?;
    let family = family_of(&address);
    let which = match addresses.len() {
        1 => format!("the only {family} address"),
        many => format!("first of {many} {family} addresses"),
    };
    Some(Choice { address, reason: Some(format!("{which}; {why}")) })
}

fn every(usable: &[IpAddr], known: usize) -> Vec<Choice> {
    let taken = usable.len().min(MOST_ADDRESSES);
    let mut rest = String::new();
    if usable.len() > taken {
        rest.push_str(&format!("; {} more are left out", usable.len() - taken));
    }
    if known > usable.len() {
        rest.push_str(&format!("; {} left out, their family is not available here", known - usable.len()));
    }
    let choice = |(number, address): (usize, &IpAddr)| Choice {
        address: *address,
        reason: Some(format!("{number} of {taken} addresses{rest}")),
    };
    (1..).zip(usable.iter().take(taken)).map(choice).collect()
}

fn family_of(address: &IpAddr) -> &'static str {
    if address.is_ipv4() { "IPv4" } else { "IPv6" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Reach = Reach { v4: true, v6: true };
    const V4_ONLY: Reach = Reach { v4: true, v6: false };

    fn addresses(list: &[&str]) -> Vec<IpAddr> {
        list.iter().map(|one| one.parse().unwrap()).collect()
    }

    fn chosen(list: &[&str], family: Family, reach: Reach) -> Result<Vec<String>, String> {
        let choices =
            choose("example.org", &addresses(list), family, reach).map_err(|error| error.to_string())?;
        Ok(choices
            .iter()
            .map(|one| format!("{}: {}", one.address, one.reason.as_deref().unwrap_or("")))
            .collect())
    }

    fn one(text: &str) -> Result<Vec<String>, String> {
        Ok(vec![text.to_owned()])
    }

    #[test]
    fn ipv6_is_preferred_only_where_the_worker_has_it() {
        let list = ["192.0.2.1", "192.0.2.2", "2001:db8::1"];
        assert_eq!(
            chosen(&list, Family::Auto, BOTH),
            one("2001:db8::1: the only IPv6 address; IPv6 is preferred")
        );
        assert_eq!(
            chosen(&list, Family::Auto, V4_ONLY),
            one("192.0.2.1: first of 2 IPv4 addresses; IPv6 is not available here")
        );
        assert_eq!(
            chosen(&list[..2], Family::Auto, BOTH),
            one("192.0.2.1: first of 2 IPv4 addresses; the name has no IPv6 address")
        );
    }

    #[test]
    fn a_family_that_is_asked_for_is_taken_or_refused() {
        let list = ["192.0.2.1", "2001:db8::1"];
        assert_eq!(
            chosen(&list, Family::V6, V4_ONLY),
            one("2001:db8::1: the only IPv6 address; IPv6 was asked for")
        );
        assert_eq!(chosen(&list[..1], Family::V6, BOTH), Err("example.org has no IPv6 address".to_owned()));
        let literal: IpAddr = "2001:db8::1".parse().unwrap();
        let refused = choose_literal(literal, Family::V4).unwrap_err().to_string();
        assert_eq!(refused, "2001:db8::1 is an IPv6 address, but IPv4 was asked for");
        assert_eq!(choose_literal(literal, Family::Auto), Ok(Choice { address: literal, reason: None }));
    }

    #[test]
    fn what_this_worker_cannot_reach_is_said() {
        let no_way = Err("example.org has only IPv6 addresses, and this worker has no IPv6".to_owned());
        assert_eq!(chosen(&["2001:db8::1"], Family::Auto, V4_ONLY), no_way);
        assert_eq!(chosen(&["2001:db8::1"], Family::All, V4_ONLY), no_way);
        assert_eq!(chosen(&[], Family::Auto, BOTH), Err("example.org has no address".to_owned()));
        let nobody = Reach { v4: false, v6: false };
        let no_way = "example.org has IPv4 and IPv6 addresses, and this worker has no route to either";
        assert_eq!(chosen(&["192.0.2.1", "2001:db8::1"], Family::Auto, nobody), Err(no_way.to_owned()));
    }

    #[test]
    fn all_takes_every_address_this_worker_can_reach() {
        let list = ["192.0.2.1", "2001:db8::1", "192.0.2.2"];
        let all = chosen(&list, Family::All, V4_ONLY).unwrap();
        let out = "1 left out, their family is not available here";
        assert_eq!(
            all,
            [format!("192.0.2.1: 1 of 2 addresses; {out}"), format!("192.0.2.2: 2 of 2 addresses; {out}")]
        );
        assert_eq!(chosen(&list, Family::All, BOTH).unwrap().len(), 3);
        let many: Vec<_> = (1..=20).map(|last| format!("192.0.2.{last}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let all = chosen(&many, Family::All, BOTH).unwrap();
        assert_eq!(
            (all.len(), all[15].as_str()),
            (16, "192.0.2.16: 16 of 16 addresses; 4 more are left out")
        );
    }

    #[test]
    fn literals_are_read_with_and_without_brackets() {
        assert_eq!(literal("[2001:db8::1]"), literal("2001:db8::1"));
        assert_eq!(literal("192.0.2.1"), Some(IpAddr::from([192, 0, 2, 1])));
        assert_eq!(literal("::ffff:192.0.2.1"), literal("192.0.2.1"));
        assert_eq!(literal("example.org"), None);
        assert_eq!(literal("[192.0.2.1"), None);
    }
}

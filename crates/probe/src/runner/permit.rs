//! What may be measured when nobody says otherwise.

use std::net::IpAddr;

/// Says whether an address may be touched; the error is the rule that forbids it, as a clause for people.
pub type Permit = dyn Fn(IpAddr) -> Result<(), String> + Send + Sync;

/// Allows every unicast address, private ones and loopback included.
///
/// # Errors
/// What kind of address it is, for all others.
pub fn unicast(address: IpAddr) -> Result<(), String> {
    let kind = match address.to_canonical() {
        IpAddr::V4(v4) if v4.is_broadcast() => "the broadcast address",
        IpAddr::V4(v4) if v4.octets()[0] == 0 => "no address of a host",
        IpAddr::V6(v6) if v6.is_unspecified() => "no address of a host",
        other if other.is_multicast() => "a multicast address",
        _ => return Ok(()),
    };
    Err(format!("it is {kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unicast_is_allowed() {
        let allowed = |text: &str| unicast(text.parse().unwrap());
        for good in ["127.0.0.1", "10.0.0.1", "192.0.2.1", "::1", "fe80::1", "fd00::1", "2001:db8::1"] {
            assert_eq!(allowed(good), Ok(()), "{good}");
        }
        for bad in ["0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1", "ff02::1", "::", "::ffff:224.0.0.1"]
        {
            assert!(allowed(bad).is_err(), "{bad}");
        }
    }
}

//! IPv4 addresses that stand inside IPv6 addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Serialize;
use utoipa::ToSchema;

/// By which mechanism an IPv4 address stands in an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EmbeddedBy)]
pub enum Mechanism {
    /// `::ffff:0:0/96` (RFC 4291 §2.5.5.2): how programs write IPv4 among IPv6 addresses.
    #[serde(rename = "IPv4-mapped")]
    Mapped,
    /// `::/96` (RFC 4291 §2.5.5.1), deprecated.
    #[serde(rename = "IPv4-compatible")]
    Compatible,
    /// `::ffff:0:0:0/96` (RFC 2765), obsolete.
    #[serde(rename = "IPv4-translated")]
    Translated,
    /// `64:ff9b::/96` (RFC 6052), or `64:ff9b:1::/48` (RFC 8215) taken as a prefix of 96 bits.
    #[serde(rename = "NAT64")]
    Nat64,
    /// `2002::/16` (RFC 3056).
    #[serde(rename = "6to4")]
    SixToFour,
    /// `2001::/32` (RFC 4380).
    #[serde(rename = "Teredo")]
    Teredo,
    /// An interface identifier of `0:5efe` or `200:5efe` and an IPv4 address (RFC 5214).
    #[serde(rename = "ISATAP")]
    Isatap,
}

/// What stands inside an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EmbeddedIpv4)]
pub struct Inside {
    /// By which mechanism.
    pub mechanism: Mechanism,
    /// The IPv4 address: of the host, for 6to4 of the router, for Teredo of the client's NAT.
    #[schema(value_type = String, format = "ipv4", example = "192.0.2.1")]
    pub address: Ipv4Addr,
    /// The Teredo server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "ipv4")]
    pub server: Option<Ipv4Addr>,
    /// The UDP port of the Teredo client at its NAT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Whether the Teredo client stood behind a cone NAT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cone: Option<bool>,
}

/// What stands inside an address: its prefix may say so, and its interface identifier.
pub fn inside(address: Ipv6Addr) -> Vec<Inside> {
    let bits = address.to_bits();
    let segments = address.segments();
    let plain = |mechanism, v4: u32| Inside {
        mechanism,
        address: Ipv4Addr::from_bits(v4),
        server: None,
        port: None,
        cone: None,
    };
    let low = bits as u32;
    let by_prefix = match segments {
        [0, 0, 0, 0, 0, 0xffff, ..] => Some(plain(Mechanism::Mapped, low)),
        // The unspecified and the loopback address are none of them.
        [0, 0, 0, 0, 0, 0, ..] if low > 0xffff => Some(plain(Mechanism::Compatible, low)),
        [0, 0, 0, 0, 0xffff, 0, ..] => Some(plain(Mechanism::Translated, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] => Some(plain(Mechanism::Nat64, low)),
        [0x2002, ..] => Some(plain(Mechanism::SixToFour, (bits >> 80) as u32)),
        [0x2001, 0, _, _, flags, port, ..] => Some(Inside {
            server: Some(Ipv4Addr::from_bits((bits >> 64) as u32)),
            // Written with all bits turned, so that no NAT on the way would translate them.
            port: Some(!port),
            cone: Some(flags & 0x8000 != 0),
            ..plain(Mechanism::Teredo, !low)
        }),
        _ => None,
    };
    let is_isatap = segments[4] & !0x0200 == 0 && segments[5] == 0x5efe && segments[0] & 0xff00 != 0xff00;
    by_prefix.into_iter().chain(is_isatap.then(|| plain(Mechanism::Isatap, low))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<(Mechanism, String)> {
        let found = inside(text.parse().unwrap());
        found.iter().map(|inside| (inside.mechanism, inside.address.to_string())).collect()
    }

    #[test]
    fn every_mechanism() {
        for (address, mechanism, v4) in [
            ("::ffff:192.0.2.1", Mechanism::Mapped, "192.0.2.1"),
            ("::192.0.2.1", Mechanism::Compatible, "192.0.2.1"),
            ("::ffff:0:192.0.2.1", Mechanism::Translated, "192.0.2.1"),
            ("64:ff9b::192.0.2.33", Mechanism::Nat64, "192.0.2.33"),
            ("64:ff9b:1:abcd::192.0.2.33", Mechanism::Nat64, "192.0.2.33"),
            ("2002:c000:204::1", Mechanism::SixToFour, "192.0.2.4"),
            ("fe80::5efe:c000:201", Mechanism::Isatap, "192.0.2.1"),
            ("2001:db8::200:5efe:192.0.2.1", Mechanism::Isatap, "192.0.2.1"),
        ] {
            assert_eq!(of(address), [(mechanism, v4.to_owned())], "{address}");
        }
        for address in ["::", "::1", "2001:db8::1", "fe80::1", "ff02::5efe:c000:201", "2001:1::1"] {
            assert_eq!(of(address), [], "{address}");
        }
        assert_eq!(of("2002:c000:204::5efe:10.0.0.1").len(), 2);
    }

    #[test]
    fn teredo() {
        let found = inside("2001:0:4136:e378:8000:63bf:3fff:fdd2".parse().unwrap())[0];
        assert_eq!(found.server.unwrap().to_string(), "65.54.227.120");
        assert_eq!((found.port, found.cone), (Some(40_000), Some(true)));
        assert_eq!(found.address.to_string(), "192.0.2.45");
    }
}

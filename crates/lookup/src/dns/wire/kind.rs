//! Types of records, their names and their numbers (IANA, DNS Parameters, November 2026).

use std::fmt;

/// A type of record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub u16);

macro_rules! kinds {
    ($($name:ident $number:literal $text:literal;)*) => {
        impl Kind {
            $(
                #[doc = concat!("`", $text, "`")]
                pub const $name: Self = Self($number);
            )*
        }
        const NAMES: &[(u16, &str)] = &[$(($number, $text)),*];
    };
}

kinds! {
    A 1 "A"; NS 2 "NS"; MD 3 "MD"; MF 4 "MF"; CNAME 5 "CNAME"; SOA 6 "SOA"; MB 7 "MB"; MG 8 "MG"; MR 9 "MR";
    NULL 10 "NULL"; WKS 11 "WKS"; PTR 12 "PTR"; HINFO 13 "HINFO"; MINFO 14 "MINFO"; MX 15 "MX"; TXT 16 "TXT";
    RP 17 "RP"; AFSDB 18 "AFSDB"; X25 19 "X25"; ISDN 20 "ISDN"; RT 21 "RT"; SIG 24 "SIG"; KEY 25 "KEY"; PX 26 "PX";
    GPOS 27 "GPOS"; AAAA 28 "AAAA"; LOC 29 "LOC"; SRV 33 "SRV"; NAPTR 35 "NAPTR"; KX 36 "KX"; CERT 37 "CERT";
    DNAME 39 "DNAME"; OPT 41 "OPT"; APL 42 "APL"; DS 43 "DS"; SSHFP 44 "SSHFP"; IPSECKEY 45 "IPSECKEY";
    RRSIG 46 "RRSIG"; NSEC 47 "NSEC"; DNSKEY 48 "DNSKEY"; DHCID 49 "DHCID"; NSEC3 50 "NSEC3";
    NSEC3PARAM 51 "NSEC3PARAM"; TLSA 52 "TLSA"; SMIMEA 53 "SMIMEA"; HIP 55 "HIP"; CDS 59 "CDS"; CDNSKEY 60 "CDNSKEY";
    OPENPGPKEY 61 "OPENPGPKEY"; CSYNC 62 "CSYNC"; ZONEMD 63 "ZONEMD"; SVCB 64 "SVCB"; HTTPS 65 "HTTPS"; SPF 99 "SPF";
    EUI48 108 "EUI48"; EUI64 109 "EUI64"; TKEY 249 "TKEY"; TSIG 250 "TSIG"; IXFR 251 "IXFR"; AXFR 252 "AXFR";
    MAILB 253 "MAILB"; MAILA 254 "MAILA"; ANY 255 "ANY"; URI 256 "URI"; CAA 257 "CAA";
}

impl Kind {
    /// Reads a type by its name, or as `TYPE65280` (RFC 3597).
    pub fn parse(text: &str) -> Option<Self> {
        let upper = text.to_ascii_uppercase();
        let known = NAMES.iter().find(|(_, name)| *name == upper).map(|(number, _)| *number);
        known.or_else(|| upper.strip_prefix("TYPE")?.parse().ok()).map(Self)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => f.pad(name),
            None => f.pad(&format!("TYPE{}", self.0)),
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        for (number, name) in NAMES {
            assert_eq!(Kind::parse(name), Some(Kind(*number)));
            assert_eq!(Kind(*number).to_string(), *name);
        }
        assert_eq!(Kind::parse("type65280"), Some(Kind(65280)));
        assert_eq!(Kind(65280).to_string(), "TYPE65280");
        assert_eq!(Kind::parse("TYPE65536"), None);
        assert_eq!(Kind::parse("B"), None);
    }
}

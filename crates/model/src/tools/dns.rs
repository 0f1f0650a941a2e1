//! `dns`: one question to name servers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::verdict::Verdict;
use super::{Tool, ToolText};
use crate::error::FieldError;
use crate::target::TargetKind;

/// Types of records by name that can be asked for, the usual ones first.
pub const TYPES: &[&str] = &[
    "A",
    "AAAA",
    "MX",
    "NS",
    "SOA",
    "TXT",
    "CNAME",
    "PTR",
    "SRV",
    "CAA",
    "HTTPS",
    "SVCB",
    "DS",
    "DNSKEY",
    "TLSA",
    "SSHFP",
    "NAPTR",
    "DNAME",
    "NSEC",
    "NSEC3PARAM",
    "RRSIG",
    "CDS",
    "CDNSKEY",
    "CSYNC",
    "ZONEMD",
    "LOC",
    "URI",
    "CERT",
    "OPENPGPKEY",
    "SMIMEA",
    "HINFO",
    "RP",
    "AFSDB",
    "APL",
    "DHCID",
    "EUI48",
    "EUI64",
    "KX",
    "SPF",
];

/// Longest time that following the chain of trust or the delegations may take, in milliseconds.
pub const LONGEST_WALK_MS: u32 = 30_000;

/// The `dns` tool.
#[derive(Debug)]
pub struct Dns;

/// How a question travels.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// UDP, and TCP when the answer does not fit; or what the server's URL says.
    #[default]
    Auto,
    /// UDP alone, cut answers included.
    Udp,
    /// TCP.
    Tcp,
    /// DNS over TLS (RFC 7858).
    Tls,
    /// DNS over HTTPS (RFC 8484).
    Https,
}

/// Options of `dns`. Durations are milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, clap::Args, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DnsOptions {
    /// Type of records, such as MX or TYPE65280; without it A, and PTR for an address.
    #[serde(rename = "type")]
    #[arg(id = "type", short = 't', long = "type", value_name = "TYPE")]
    #[schema(max_length = 16, example = "MX")]
    pub kind: Option<String>,
    /// Server to ask instead of the system's: an address or a name, with a port if it is unusual,
    /// `tls://dns.example`, or `https://dns.example/dns-query`.
    #[arg(short = 's', long, value_name = "SERVER")]
    #[schema(max_length = 300, example = "9.9.9.9")]
    pub nameserver: Option<String>,
    /// How the question travels.
    #[arg(long, value_enum, default_value = "auto", value_name = "HOW")]
    #[schema(default = "auto")]
    pub transport: Transport,
    /// Check the signatures from the root down, and say whether the answer is secure, insecure, bogus or indeterminate.
    #[arg(short = 'D', long)]
    #[schema(default = false)]
    pub dnssec: bool,
    /// Follow the delegations from the root, asking the servers of each zone.
    #[arg(short = 'T', long, conflicts_with_all = ["nameserver", "no_recursion"])]
    #[schema(default = false)]
    pub trace: bool,
    /// Ask for what the server itself knows, without asking others.
    #[arg(short = 'R', long = "no-recursion")]
    #[schema(default = false)]
    pub no_recursion: bool,
    /// Ask a server that checks signatures to answer all the same when they are wrong.
    #[arg(short = 'C', long = "checking-disabled")]
    #[schema(default = false)]
    pub checking_disabled: bool,
    /// Ask the server to name itself (NSID), which tells instances of an anycast address apart.
    #[arg(short = 'N', long)]
    #[schema(default = false)]
    pub nsid: bool,
    /// Largest answer by UDP in bytes; 0 leaves EDNS away.
    #[arg(short = 'b', long = "edns-size", default_value_t = 1232, value_name = "BYTES")]
    #[schema(minimum = 0, maximum = 4096, default = 1232)]
    pub edns_size: u16,
    /// How long an answer is waited for; `-W` takes seconds.
    #[arg(short = 'W', long = "timeout", default_value = "3", value_name = "SECONDS", value_parser = super::args::seconds)]
    #[schema(minimum = 50, maximum = 30_000, default = 3000)]
    pub timeout_ms: u32,
    /// How often a silent server is asked by UDP.
    #[arg(long, default_value_t = 2, value_name = "N")]
    #[schema(minimum = 1, maximum = 5, default = 2)]
    pub tries: u8,
}

impl Default for DnsOptions {
    fn default() -> Self {
        Self {
            kind: None,
            nameserver: None,
            transport: Transport::Auto,
            dnssec: false,
            trace: false,
            no_recursion: false,
            checking_disabled: false,
            nsid: false,
            edns_size: 1232,
            timeout_ms: 3000,
            tries: 2,
        }
    }
}

impl DnsOptions {
    /// The longest the question itself is worked at, in milliseconds: a name for the server, every try at three
    /// servers, and one more by TCP.
    pub fn longest_question_ms(&self) -> u64 {
        5000 + u64::from(self.timeout_ms) * (u64::from(self.tries) + 1) * 3
    }
}

/// What is wrong with a type of records, in words; `None` for one that can be asked for.
pub fn wrong_type(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    match upper.as_str() {
        "ANY" | "TYPE255" => Some(
            "ANY is not asked: servers may answer it with any part of what they have (RFC 8482), so its answer says nothing; ask for the types you need, such as A, AAAA, MX, NS, SOA or TXT".into(),
        ),
        "AXFR" | "IXFR" | "TYPE252" | "TYPE251" => Some(format!("{upper} copies a whole zone and is no question")),
        "OPT" | "TSIG" | "TKEY" | "SIG" | "MAILA" | "MAILB" => Some(format!("{upper} is no type that can be asked for")),
        name if TYPES.contains(&name) => None,
        name => match name.strip_prefix("TYPE").map(str::parse::<u16>) {
            Some(Ok(1..)) => None,
            _ => Some(format!("must be a type of records such as {} or TYPE65280, got {text:?}", TYPES[..6].join(", "))),
        },
    }
}

impl Tool for Dns {
    type Options = DnsOptions;
    const TEXT: ToolText = ToolText {
        name: "dns",
        title: "DNS",
        summary: "Ask name servers for the records of a name.",
        target: "A name, or an address whose name is wanted, such as example.org or 192.0.2.1.",
    };

    const TARGET: TargetKind = TargetKind::Name;
    const MANY: bool = true;

    fn check(options: &DnsOptions) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if let Some(wrong) = options.kind.as_deref().and_then(wrong_type) {
            errors.push(FieldError::body("options.type", wrong));
        }
        if (1..512).contains(&options.edns_size) {
            errors.push(FieldError::body("options.edns_size", "must be 0, or at least 512"));
        }
        if options.trace && options.nameserver.is_some() {
            let why = "has no meaning with trace, which asks the servers of each zone";
            errors.push(FieldError::body("options.nameserver", why));
        }
        if options.trace && options.transport != Transport::Auto {
            errors.push(FieldError::body("options.transport", "has no meaning with trace"));
        }
        errors
    }

    fn longest_ms(options: &DnsOptions) -> u64 {
        let walks = u64::from(options.trace) + u64::from(options.dnssec);
        options.longest_question_ms() + walks * u64::from(LONGEST_WALK_MS)
    }
}

/// What became of a question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DnsOutcome {
    /// What was asked.
    pub question: DnsQuestion,
    /// What became of it by the name IANA gives it, such as `NOERROR` or `NXDOMAIN`; absent when nobody answered.
    #[schema(example = "NOERROR")]
    pub status: Option<String>,
    /// The records of the answer, sorted, so that two outcomes can be compared.
    pub answers: Vec<DnsRecord>,
    /// The answer without lifetimes and signatures, sorted: equal when two servers say the same.
    #[schema(example = json!(["A 192.0.2.1"]))]
    pub essence: Vec<String>,
    /// Serial number of the zone, when its SOA record is in the answer or beside it.
    pub serial: Option<u32>,
    /// The answer as a whole.
    pub reply: Option<DnsReply>,
    /// Everything that was sent and what became of it, in order.
    pub attempts: Vec<DnsAttempt>,
    /// The verdict about signatures, when it was asked for.
    pub dnssec: Option<DnssecReport>,
    /// The delegations from the root, when they were asked for.
    pub trace: Option<Vec<TraceStep>>,
    /// What it means.
    pub verdict: Verdict,
    /// The answer as lines of text, as `dig` has it.
    pub raw: Vec<String>,
}

/// What was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DnsQuestion {
    /// The name, with the dot at its end.
    #[schema(example = "example.org.")]
    pub name: String,
    /// The type of records.
    #[serde(rename = "type")]
    #[schema(example = "A")]
    pub kind: String,
}

/// A record.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct DnsRecord {
    /// Whose it is, with the dot at its end.
    #[schema(example = "example.org.")]
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(example = "A")]
    pub kind: String,
    /// Its data as zone files have it.
    #[schema(example = "192.0.2.1")]
    pub data: String,
    /// How long it may still be kept, in seconds.
    pub ttl: u32,
}

/// An answer as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DnsReply {
    /// Who answered: address and port.
    #[schema(example = "9.9.9.9:53")]
    pub server: String,
    /// How it travelled: `udp`, `tcp`, `tls` or `https`.
    pub transport: String,
    /// From the question to the answer, in milliseconds; what the connection took is not in it.
    pub time_ms: f64,
    /// What the connection took, in milliseconds, when there was one.
    pub connect_ms: Option<f64>,
    /// Its size in bytes.
    pub size: u32,
    /// Its flags, such as `qr`, `aa`, `ra`, `ad`.
    pub flags: Vec<String>,
    /// What the server calls itself, when it was asked and says.
    pub nsid: Option<String>,
    /// What the server says of its failure (RFC 8914), such as `DNSSEC bogus`.
    pub extended_errors: Vec<String>,
    /// Records that say who is responsible.
    pub authority: Vec<DnsRecord>,
    /// Records that may help.
    pub additional: Vec<DnsRecord>,
}

/// One question that was sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DnsAttempt {
    /// Who was asked: address and port.
    pub server: String,
    /// How: `udp`, `tcp`, `tls` or `https`.
    pub transport: String,
    /// How long it took, in milliseconds.
    pub time_ms: f64,
    /// What became of it, such as `NOERROR` or `no answer within 3000 ms`.
    pub result: String,
}

/// What can be said of signatures (RFC 4035 §4.3).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Signed, without a gap from the anchor of trust to the answer.
    Secure,
    /// Trust does not reach it: a zone on the way is provably not signed, or only in a way that is not supported here.
    Insecure,
    /// It could not be found out.
    #[default]
    Indeterminate,
    /// It should be signed, and is not or is signed wrongly.
    Bogus,
}

impl Security {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secure => "secure",
            Self::Insecure => "insecure",
            Self::Indeterminate => "indeterminate",
            Self::Bogus => "bogus",
        }
    }
}

/// The verdict about signatures, and how it came about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DnssecReport {
    /// The verdict.
    pub verdict: Security,
    /// One sentence: why.
    pub reason: String,
    /// The zone or name whose link does not hold, or ends the chain.
    #[schema(example = "example.org.")]
    pub failing: Option<String>,
    /// The links from the anchor of trust to the answer.
    pub links: Vec<DnssecLink>,
}

/// A link of the chain of trust.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DnssecLink {
    /// What kind of link it is.
    pub kind: LinkKind,
    /// The zone, or for an answer the name.
    pub name: String,
    /// What can be said of it.
    pub state: Security,
    /// One sentence.
    pub text: String,
    /// What the zone above vouches for.
    pub ds: Vec<DnssecDigest>,
    /// The keys of the zone.
    pub keys: Vec<DnssecKey>,
}

/// The kinds of link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// Where trust begins.
    Anchor,
    /// From a zone to one below.
    #[default]
    Delegation,
    /// The records of the answer.
    Answer,
    /// The proof that there are none.
    Denial,
}

/// A digest by which a zone vouches for a key of one below.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DnssecDigest {
    /// Tag of the key.
    pub tag: u16,
    /// Algorithm of the key, such as `ECDSAP256SHA256`.
    pub algorithm: String,
    /// Algorithm of the digest, such as `SHA-256`.
    pub digest: String,
    /// True when a key of the zone fits.
    pub fits: bool,
}

/// A key of a zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DnssecKey {
    /// Its tag.
    pub tag: u16,
    /// Its algorithm.
    pub algorithm: String,
    /// It is meant to sign keys (a KSK).
    pub entry_point: bool,
    /// It signed the keys of the zone, and rightly.
    pub signs_keys: bool,
}

/// One question on the way from the root.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TraceStep {
    /// The zone whose server was asked.
    #[schema(example = "org.")]
    pub zone: String,
    /// Name of the server.
    pub server: String,
    /// Its address and port.
    pub address: String,
    /// What was asked.
    pub question: DnsQuestion,
    /// What became of it.
    pub kind: StepKind,
    /// One sentence, such as `refers to the servers of example.org.`.
    pub text: String,
    /// How long it took, in milliseconds.
    pub time_ms: f64,
    /// The records that count: name servers of a referral, or the answer.
    pub records: Vec<DnsRecord>,
}

/// What became of a question on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// The server names those of a zone below.
    Referral,
    /// It answers.
    Answer,
    /// The name is another name for one that is asked next.
    Alias,
    /// There is no such name, or no such record.
    Nothing,
    /// The server does not answer for its zone.
    Lame,
    /// No answer, or one that is not understood.
    #[default]
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_are_not_asked_say_why() {
        for fine in ["A", "aaaa", "TYPE65280", "Caa"] {
            assert_eq!(wrong_type(fine), None, "{fine}");
        }
        for (wrong, why) in [
            ("any", "RFC 8482"),
            ("AXFR", "whole zone"),
            ("OPT", "no type that"),
            ("B", "such as A"),
            ("TYPE0", "such as"),
        ] {
            assert!(wrong_type(wrong).unwrap().contains(why), "{wrong}");
        }
    }
}

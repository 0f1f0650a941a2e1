//! The one shape that every registry's answer is brought into.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WhoisSubject)]
pub enum Subject {
    /// A domain name.
    Domain,
    /// An address, IPv4 or IPv6.
    Address,
    /// A prefix.
    Prefix,
    /// The number of an autonomous system.
    AsNumber,
}

/// What became of a question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WhoisOutcome)]
pub enum Outcome {
    /// A registry knows it; `record` says what.
    Found,
    /// The registry that would know says that there is no such thing.
    NoMatch,
    /// It has a purpose of its own and belongs to nobody, so no registry was asked.
    Special,
    /// No registry is known for it.
    NoRegistry,
    /// Every registry that was asked has had enough of us for now.
    RateLimited,
    /// Something was answered that holds nothing this version understands; see the raw answers.
    Unclear,
    /// No registry could be asked; see why at the steps.
    #[default]
    Failed,
}

/// The way a registry is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WhoisProtocol)]
pub enum Protocol {
    /// Registration data access protocol (RFC 9082, RFC 9083).
    Rdap,
    /// WHOIS on port 43 (RFC 3912).
    Whois,
}

/// What one server answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WhoisStepOutcome)]
pub enum StepOutcome {
    /// It knows what was asked about.
    Found,
    /// It only says whom to ask.
    Referral,
    /// It says that there is no such thing.
    NoMatch,
    /// It has had enough of us for now.
    RateLimited,
    /// It refuses to answer.
    Refused,
    /// It answered something that is not understood.
    Unclear,
    /// It could not be asked, or its answer broke off before anything was said.
    Failed,
}

/// One server that was asked, with all it said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = WhoisStep)]
pub struct Step {
    /// How it was asked.
    pub protocol: Protocol,
    /// Whom: a host, with its port when it is not the usual one.
    #[schema(example = "whois.verisign-grs.com")]
    pub server: String,
    /// What it was sent: the line of WHOIS, or the URL of RDAP.
    #[schema(example = "domain example.com")]
    pub query: String,
    /// What it answered.
    pub outcome: StepOutcome,
    /// Why there is no answer, or what is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
    /// Whom it refers to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refers_to: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// True when more was sent than is kept.
    pub truncated: bool,
    /// The answer as it came, in UTF-8.
    pub raw: String,
}

/// Whether a delegation is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WhoisDnssec)]
pub enum Dnssec {
    /// It is signed.
    Signed,
    /// It is not.
    Unsigned,
}

/// What is known of a domain, a network or an autonomous system. Times are RFC 3339 in UTC, or a date alone when the
/// registry says no more; what a registry does not say is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = WhoisRecord)]
pub struct Record {
    /// The domain, in lower case and ASCII.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "example.com")]
    pub domain: Option<String>,
    /// The registrar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registrar: Option<String>,
    /// The registrar's number at IANA.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "292")]
    pub registrar_id: Option<String>,
    /// The registrar's pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registrar_url: Option<String>,
    /// The organisation that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Who holds it, when a name beside the organisation is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registrant: Option<String>,
    /// The country of the holder or of the network: two letters when the registry gives them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "CH")]
    pub country: Option<String>,
    /// When it was registered or allocated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1997-09-15T04:00:00Z")]
    pub created: Option<String>,
    /// The registry knows only that it was registered before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_before: Option<String>,
    /// When the entry was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<String>,
    /// When it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Its status, in the registry's words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<String>,
    /// Its name servers, in lower case, in the order of the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub name_servers: Vec<String>,
    /// Whether the delegation is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dnssec: Option<Dnssec>,
    /// Where abuse is to be told, by mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abuse_email: Option<String>,
    /// Where abuse is to be told, by telephone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abuse_phone: Option<String>,
    /// The name of the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "EXAMPLE-NET")]
    pub network_name: Option<String>,
    /// First and last address of the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "192.0.2.0 - 192.0.2.255")]
    pub range: Option<String>,
    /// The network as prefixes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<String>,
    /// The autonomous system: its number, or the one that announces the network as far as the registry knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "AS64500")]
    pub as_number: Option<String>,
    /// The name of the autonomous system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_name: Option<String>,
    /// The regional registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "RIPE NCC")]
    pub rir: Option<String>,
}

impl Record {
    /// True when it says more than a name.
    pub fn says_something(&self) -> bool {
        let bare = Self {
            domain: self.domain.clone(),
            status: self.status.clone(),
            rir: self.rir.clone(),
            ..Self::default()
        };
        *self != bare
    }

    /// Fills what is absent here from another record.
    pub fn fill_from(&mut self, other: Self) {
        let texts = [
            (&mut self.domain, other.domain),
            (&mut self.registrar, other.registrar),
            (&mut self.registrar_id, other.registrar_id),
            (&mut self.registrar_url, other.registrar_url),
            (&mut self.organisation, other.organisation),
            (&mut self.registrant, other.registrant),
            (&mut self.country, other.country),
            (&mut self.created, other.created),
            (&mut self.created_before, other.created_before),
            (&mut self.changed, other.changed),
            (&mut self.expires, other.expires),
            (&mut self.abuse_email, other.abuse_email),
            (&mut self.abuse_phone, other.abuse_phone),
            (&mut self.network_name, other.network_name),
            (&mut self.range, other.range),
            (&mut self.as_number, other.as_number),
            (&mut self.as_name, other.as_name),
            (&mut self.rir, other.rir),
        ];
        for (mine, theirs) in texts {
            if mine.is_none() {
                *mine = theirs;
            }
        }
        let lists = [
            (&mut self.status, other.status),
            (&mut self.name_servers, other.name_servers),
            (&mut self.prefixes, other.prefixes),
        ];
        for (mine, theirs) in lists {
            if mine.is_empty() {
                *mine = theirs;
            }
        }
        self.dnssec = self.dnssec.or(other.dnssec);
    }
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WhoisAnswer {
    /// What was asked, as it is spelled in questions: lower case, international names in ASCII.
    #[schema(example = "example.com")]
    pub query: String,
    /// An international name as people read it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unicode: Option<String>,
    /// What it is.
    pub subject: Subject,
    /// What became of it.
    pub outcome: Outcome,
    /// The same in a sentence.
    pub summary: String,
    /// What the registries say, in one shape.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub record: Option<Record>,
    /// Every server that was asked, in order, with what it said.
    pub steps: Vec<Step>,
    /// When they were asked, RFC 3339 in UTC. An answer may be some time old.
    #[schema(example = "2026-11-26T12:00:00Z")]
    pub asked_at: String,
    /// How long all of it took, in milliseconds.
    pub took_ms: u64,
}

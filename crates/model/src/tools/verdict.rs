//! A verdict: what a measurement means, in a sentence that names the hop it speaks of.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How bad a finding is. The same four words as the timeline uses.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// All is well.
    #[default]
    Ok,
    /// Worth knowing, harmless.
    Info,
    /// Worth a look.
    Warning,
    /// Broken.
    Alert,
}

/// The findings over one measurement, worst first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Verdict {
    /// The worst severity among the findings.
    pub severity: Severity,
    /// One sentence for people.
    pub summary: String,
    /// Every finding by itself, worst first.
    pub findings: Vec<Finding>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of finding it is.
    pub kind: FindingKind,
    /// The hop it speaks of, from 1.
    pub hop: Option<u8>,
    /// A clause for people, such as `hop 4 limits its replies, harmless`.
    pub text: String,
}

/// The kinds of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The target answers and nothing is wrong.
    Healthy,
    /// Nothing came back at all.
    NoAnswer,
    /// The target loses packets.
    TargetLoss,
    /// A hop loses packets and every later hop loses them too.
    PathLoss,
    /// A hop loses packets, later hops do not: it limits its replies.
    RateLimit,
    /// Hops that never answer, though later ones do.
    SilentHop,
    /// The trace ends before the target.
    EndsBeforeTarget,
    /// Most of the latency begins at this hop.
    LatencyStep,
    /// The same router answers at several distances.
    Loop,
    /// A router says that the target cannot be reached.
    Unreachable,
    /// The way changed while it was measured.
    RouteChange,
    /// Several equal ways at this hop.
    EqualCost,
    /// The answers come from another address than the one asked.
    OtherAddress,
    /// Replies vary widely.
    Jitter,
    /// More than one reply to a request.
    Duplicates,
    /// Replies overtook each other.
    Reordering,
    /// Replies came after the timeout.
    LateReplies,
    /// Requests could not be sent.
    NotSent,
    /// A packet was too big for a link on the way.
    PacketTooBig,
    /// The host refuses connections to the port.
    Refused,
    /// An ICMP error keeps connections from the port.
    Filtered,
    /// There is no handshake of TLS.
    Handshake,
    /// A certificate is not trusted.
    Untrusted,
    /// A certificate has ended, ends soon or has not begun.
    CertificateDates,
    /// A stapled OCSP answer is not to be trusted.
    Staple,
    /// The versions of TLS on offer are not what they should be.
    OldVersion,
    /// An answer of HTTP that is no success.
    HttpStatus,
    /// A redirect from an encrypted to a plain connection.
    Downgrade,
    /// The answer is not what was expected.
    Unexpected,
    /// A name server says that a name has no such record.
    NoRecord,
    /// A name server says that there is no such name.
    NoSuchName,
    /// A name server cannot or will not answer.
    ServerFailure,
    /// What can be said of DNSSEC signatures.
    Signatures,
    /// A name server does not answer for the zone that is delegated to it.
    LameServer,
    /// What a server says of itself.
    ServerSays,
    /// Several interfaces answer for one address.
    AddressConflict,
    /// Some of it could not be measured.
    Incomplete,
}

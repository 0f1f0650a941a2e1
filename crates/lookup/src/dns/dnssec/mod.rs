//! Whether an answer can be believed (RFC 4035 §5): the chain of trust from an anchor down to it, link by link.
//!
//! Nothing a server says of its own checks counts. Every zone between anchor and answer is asked for: its keys, what
//! the zone above says of them, or the proof that it says nothing.

mod anchors;
mod chain;
pub mod crypto;
mod denial;

use futures::future::join_all;
use netwark_model::tools::dns::{DnsAttempt, DnssecLink, DnssecReport, LinkKind, Security};

pub use self::anchors::Anchors;
use self::chain::{Chain, End};
use self::denial::Proof;
use super::client::endpoint::Endpoint;
use super::client::{Client, Patience};
use super::iterate::Walker;
use super::wire::kind::Kind;
use super::wire::message::{Asking, Message, Question, flag, rcode_name};
use super::wire::name::DomainName;

/// Most names that are other names for the next.
const ALIASES: usize = 16;

/// Who is asked for keys and proofs.
pub enum Source<'a, 'b> {
    /// The server that gave the answer.
    Server {
        /// Asks.
        client: &'a Client,
        /// The server.
        servers: Vec<Endpoint>,
        /// How hard.
        patience: Patience,
    },
    /// The servers that are responsible.
    Walker(&'a mut Walker<'b>),
}

impl Source<'_, '_> {
    /// Asks with signatures; the error says why there is no answer.
    async fn ask(&mut self, question: &Question) -> Result<Message, String> {
        match self {
            Self::Server { client, servers, patience } => {
                ask_server(client, servers, *patience, question).await
            }
            Self::Walker(walker) => {
                let message = walker.check(question).await;
                usable(message.ok_or_else(|| "none of the servers answers".to_owned())?)
            }
        }
    }

    /// Asks several questions at once. Nothing comes back where one question has to wait for the answer to another.
    async fn ask_ahead(&mut self, questions: Vec<Question>) -> Vec<(Question, Result<Message, String>)> {
        let Self::Server { client, servers, patience } = self else { return Vec::new() };
        let (client, servers, patience) = (*client, servers.as_slice(), *patience);
        let asked = questions.into_iter().map(|question| async move {
            let answer = ask_server(client, servers, patience, &question).await;
            (question, answer)
        });
        join_all(asked).await
    }
}

async fn ask_server(
    client: &Client,
    servers: &[Endpoint],
    patience: Patience,
    question: &Question,
) -> Result<Message, String> {
    let asking = Asking { flags: flag::RD | flag::CD, size: Some(1232), dnssec: true, nsid: false };
    let mut attempts: Vec<DnsAttempt> = Vec::new();
    let reply = client.ask(servers, question, asking, patience, &mut attempts).await;
    let last = attempts.pop().map(|attempt| attempt.result);
    let message = reply.map(|reply| reply.message);
    usable(message.ok_or_else(|| last.unwrap_or_else(|| "there is nobody to ask".into()))?)
}

/// An answer that says something of what was asked.
fn usable(message: Message) -> Result<Message, String> {
    match message.rcode {
        0 | 3 => Ok(message),
        rcode => Err(format!("the server answers {}", rcode_name(rcode))),
    }
}

/// Follows the chain of trust to an answer that came for a question.
pub async fn validate(
    anchors: &Anchors,
    source: Source<'_, '_>,
    question: &Question,
    message: &Message,
) -> DnssecReport {
    let mut chain = Chain::new(anchors, source);
    let end = match message.rcode {
        0 | 3 => follow(&mut chain, question, message).await,
        // What keeps the server from answering may be a link that does not hold.
        rcode => match chain.zone_of(&question.name).await {
            Err(end) => end,
            Ok(_) => End::new(
                Security::Indeterminate,
                &question.name,
                format!("the server answers {}, which says nothing of the name", rcode_name(rcode)),
            ),
        },
    };
    DnssecReport {
        verdict: end.security,
        reason: end.reason,
        failing: end.failing.map(|name| name.to_string()),
        links: chain.into_links(),
    }
}

/// Checks the answer record set by record set, along its aliases. What is bogus ends it; otherwise the weakest counts.
async fn follow(chain: &mut Chain<'_, '_, '_>, question: &Question, message: &Message) -> End {
    let mut weakest: Option<End> = None;
    let mut name = question.name.clone();
    for _ in 0..ALIASES {
        let has = |name: &DomainName, kind| message.answers.iter().any(|r| r.name == *name && r.kind == kind);
        let alias = message.answers.iter().find(|r| r.name == name && r.kind == Kind::CNAME);
        let (end, next) = match alias {
            _ if has(&name, question.kind) => (records(chain, &name, question.kind, message).await, None),
            Some(alias) => {
                // An alias that a DNAME above makes is not signed; the DNAME is (RFC 6672 §5.3.1).
                let above = message.answers.iter().find(|r| {
                    r.kind == Kind::DNAME
                        && r.name != name
                        && name.is_within(&r.name)
                        && made_by(&name, r, alias)
                });
                let end = match above {
                    Some(dname) => records(chain, &dname.name, Kind::DNAME, message).await,
                    None => records(chain, &name, Kind::CNAME, message).await,
                };
                (end, alias.target())
            }
            None => (nothing(chain, &name, question.kind, message).await, None),
        };
        let stops = end.security == Security::Bogus || next.is_none();
        weakest = Some(match weakest {
            Some(before) if before.security >= end.security => before,
            _ => end,
        });
        match next {
            Some(next) if !stops => name = next,
            _ => break,
        }
    }
    weakest.unwrap_or_else(|| {
        End::new(Security::Indeterminate, &question.name, "there is nothing to check".into())
    })
}

/// True when a DNAME makes just this alias of a name below it.
fn made_by(
    name: &DomainName,
    dname: &super::wire::message::Record,
    alias: &super::wire::message::Record,
) -> bool {
    let below = name.depth() - dname.name.depth();
    let labels: Vec<&[u8]> = name.labels().take(below).collect();
    let made = dname.target().and_then(|target| {
        let target: Vec<Vec<u8>> = target.labels().map(<[u8]>::to_vec).collect();
        DomainName::from_labels(labels.iter().copied().chain(target.iter().map(Vec::as_slice)))
    });
    made.is_some() && made == alias.target()
}

/// Checks the records of one name and type.
async fn records(chain: &mut Chain<'_, '_, '_>, name: &DomainName, kind: Kind, message: &Message) -> End {
    if kind == Kind::RRSIG {
        let why = "signatures are not signed themselves; ask for what they cover".into();
        return End::new(Security::Indeterminate, name, why);
    }
    let signers = chain::signers(&message.answers, name, kind);
    let signer = signers.iter().find(|signer| name.is_within(signer)).cloned();
    let unsigned = signer.is_none();
    // A DS record belongs to the zone above.
    let above = if kind == Kind::DS { name.parent() } else { None };
    let zone = match chain.zone_of(&signer.or(above).unwrap_or_else(|| name.clone())).await {
        Ok(zone) => zone,
        Err(end) => return end,
    };
    let what = format!("the {kind} records of {name}");
    let checked = match unsigned {
        true => Err(format!("{what} have no signature, though {} is signed", zone.name)),
        false => zone
            .check(name, kind, &message.answers, chain.now)
            .map_err(|why| format!("the signature over {what} does not hold: {why}")),
    };
    let checked = match checked {
        Ok(labels) if labels < crypto::depth(name) => {
            let proven = wildcard(chain, &zone, name, kind, labels, message).await;
            proven.map_err(|why| format!("{what} are not proven: {why}"))
        }
        Ok(_) => Ok(Proof::Holds),
        Err(why) => Err(why),
    };
    chain.conclude(LinkKind::Answer, name, &zone, checked, &format!("{what} are signed by {}", zone.name))
}

/// Checks the proof that a wildcard had to stand in. A server that came to the name by way of another may leave the
/// proof out, so it is asked for the name itself.
async fn wildcard(
    chain: &mut Chain<'_, '_, '_>,
    zone: &chain::Zone,
    name: &DomainName,
    kind: Kind,
    labels: usize,
    message: &Message,
) -> Result<Proof, String> {
    match zone.proofs(&message.authorities, chain.now).needs_wildcard(name, labels) {
        Err(why) if message.questions.iter().any(|question| question.name != *name) => {
            let own = chain.ask(name, kind).await.map_err(|_| why)?;
            zone.proofs(&own.authorities, chain.now).needs_wildcard(name, labels)
        }
        proven => proven,
    }
}

/// Checks the proof that a name is not there, or has no such records.
async fn nothing(chain: &mut Chain<'_, '_, '_>, name: &DomainName, kind: Kind, message: &Message) -> End {
    let proof = message.authorities.iter().filter(|r| matches!(r.kind, Kind::NSEC | Kind::NSEC3 | Kind::SOA));
    let signers: Vec<_> =
        proof.flat_map(|record| chain::signers(&message.authorities, &record.name, record.kind)).collect();
    let signer = signers.iter().find(|signer| name.is_within(signer)).cloned();
    let above = if kind == Kind::DS { name.parent() } else { None };
    let zone = match chain.zone_of(&signer.or(above).unwrap_or_else(|| name.clone())).await {
        Ok(zone) => zone,
        Err(end) => return end,
    };
    let proofs = zone.proofs(&message.authorities, chain.now);
    let missing = message.rcode == 3;
    if proofs.are_too_costly() {
        let why = format!(
            "{} hashes its names more often than is worked out, so its proofs do not count",
            zone.name
        );
        return chain.end(LinkKind::Denial, End::new(Security::Insecure, name, why));
    }
    let checked = match (proofs.is_empty(), missing) {
        (true, _) => Err(format!(
            "{} is signed, but nothing signed proves that there is no {kind} of {name}",
            zone.name
        )),
        (false, true) => proofs.no_name(name),
        (false, false) => proofs.no_records(name, kind),
    };
    let text = match missing {
        true => format!("{} proves that there is no {name}", zone.name),
        false => format!("{} proves that {name} has no {kind}", zone.name),
    };
    chain.conclude(LinkKind::Denial, name, &zone, checked, &text)
}

/// A link without keys of its own.
fn link(kind: LinkKind, end: &End, name: &DomainName) -> DnssecLink {
    DnssecLink {
        kind,
        name: name.to_string(),
        state: end.security,
        text: end.reason.clone(),
        ds: Vec::new(),
        keys: Vec::new(),
    }
}

//! The zones from an anchor of trust down, each with keys that the one above vouches for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use netwark_model::tools::dns::{DnssecDigest, DnssecKey, DnssecLink, LinkKind, Security};

use super::anchors::{Anchor, Anchors};
use super::crypto::{Digest, Key, Signature, algorithm_name, depth, is_known_algorithm};
use super::denial::{Cut, Proof, Proofs};
use super::{Source, link};
use crate::dns::wire::kind::Kind;
use crate::dns::wire::message::{Message, Question, Record, flag};
use crate::dns::wire::name::DomainName;

/// Most signatures over one set of records, and keys for one signature, that are tried: what an answer can cost.
const MOST_TRIED: usize = 8;
/// Most keys of a zone and digests of them that are looked at.
const MOST_KEYS: usize = 32;

/// Most names that are asked for at once before it is their turn.
const AHEAD: usize = 8;

/// What the keys fit where trust begins.
const ANCHOR: &str = "the anchor of trust";

/// How the chain ends, or where it breaks.
#[derive(Clone, Debug)]
pub struct End {
    pub security: Security,
    pub failing: Option<DomainName>,
    pub reason: String,
}

impl End {
    pub fn new(security: Security, failing: &DomainName, reason: String) -> Self {
        Self { security, failing: Some(failing.clone()), reason }
    }
}

/// A zone whose keys are believed.
#[derive(Debug)]
pub struct Zone {
    pub name: DomainName,
    keys: Vec<Key>,
}

/// What is known of a name on the way down.
#[derive(Clone)]
enum Step {
    Zone(Arc<Zone>),
    NoZone,
    Absent,
}

/// Why the keys of a zone are not believed.
struct Broken {
    end: End,
    own: DnssecLink,
    /// The keys all the same.
    keys: Vec<Key>,
}

/// The chain as far as it was followed.
pub struct Chain<'a, 'b, 'c> {
    anchors: &'a Anchors,
    source: Source<'b, 'c>,
    /// Seconds since 1970, as signatures count them.
    pub now: u32,
    known: HashMap<DomainName, Result<Step, End>>,
    /// Answers about digests that were asked for before it is their turn.
    ahead: HashMap<DomainName, Result<Message, String>>,
    links: Vec<DnssecLink>,
}

impl<'a, 'b, 'c> Chain<'a, 'b, 'c> {
    pub fn new(anchors: &'a Anchors, source: Source<'b, 'c>) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Times of signatures wrap.
        let now = now.as_secs() as u32;
        Self { anchors, source, now, known: HashMap::new(), ahead: HashMap::new(), links: Vec::new() }
    }

    pub fn into_links(self) -> Vec<DnssecLink> {
        self.links
    }

    /// The zone that a name belongs to, when the chain reaches it.
    pub async fn zone_of(&mut self, name: &DomainName) -> Result<Arc<Zone>, End> {
        let whole = name;
        let mut zone = self.anchor(name).await?;
        for depth in zone.name.depth() + 1..=name.depth() {
            let name = whole.last(depth);
            if !self.known.contains_key(&name) && !self.ahead.contains_key(&name) {
                self.look_ahead(whole, depth).await;
            }
            let known = self.known.get(&name).cloned();
            let step = match known {
                Some(step) => step,
                None => {
                    let step = self.step(&zone, &name).await;
                    self.known.insert(name, step.clone());
                    step
                }
            };
            match step? {
                Step::Zone(below) => zone = below,
                Step::NoZone => {}
                Step::Absent => break,
            }
        }
        Ok(zone)
    }

    /// Asks for the digests of the next names on the way down, of which each may begin a zone. One after the other they
    /// take as long as a name has labels, and a name of the reverse tree has 34.
    async fn look_ahead(&mut self, whole: &DomainName, depth: usize) {
        let names = (depth..=whole.depth()).take(AHEAD).map(|depth| whole.last(depth));
        let questions = names
            .filter(|name| !self.known.contains_key(name) && !self.ahead.contains_key(name))
            .map(|name| Question { name, kind: Kind::DS })
            .collect();
        let answers = self.source.ask_ahead(questions).await;
        self.ahead.extend(answers.into_iter().map(|(question, answer)| (question.name, answer)));
    }

    /// The zone where trust begins.
    async fn anchor(&mut self, name: &DomainName) -> Result<Arc<Zone>, End> {
        let anchors = self.anchors.above(name);
        let Some(zone) = anchors.first().map(|anchor| anchor.zone().clone()) else {
            let why = format!("no anchor of trust stands above {name}");
            return Err(End::new(Security::Indeterminate, name, why));
        };
        // The root stands beside the names below it without being one of them.
        match self.known.get(&zone).cloned() {
            Some(Ok(Step::Zone(zone))) => return Ok(zone),
            Some(Err(end)) => return Err(end),
            _ => {}
        }
        let fits = |key: &Key| anchors.iter().any(|anchor: &&Anchor| anchor.fits(key));
        let found = self.keys(&zone, &fits, ANCHOR).await;
        let step = match found {
            Ok((found, mut own)) => {
                own.kind = LinkKind::Anchor;
                own.text = format!("trust begins at {zone}, whose keys are known here");
                self.links.push(own);
                Ok(found)
            }
            Err(broken) => {
                self.links.push(DnssecLink { kind: LinkKind::Anchor, ..broken.own });
                Err(broken.end)
            }
        };
        self.known.insert(zone, step.clone().map(Step::Zone));
        step
    }

    /// What begins at a name one label below what is known.
    async fn step(&mut self, zone: &Zone, name: &DomainName) -> Result<Step, End> {
        let asked = match self.ahead.remove(name) {
            Some(answer) => answer,
            None => self.ask(name, Kind::DS).await,
        };
        let message = match asked {
            Ok(message) => message,
            Err(why) => {
                let why = format!("whether {} vouches for {name} cannot be found out: {why}", zone.name);
                return Err(self.end(LinkKind::Delegation, End::new(Security::Indeterminate, name, why)));
            }
        };
        let of_kind = |kind| message.answers.iter().filter(move |r| r.name == *name && r.kind == kind);
        let kind = if of_kind(Kind::DS).next().is_some() { Kind::DS } else { Kind::CNAME };
        if of_kind(kind).next().is_none() {
            return self.no_digest(zone, name, &message);
        }
        if let Err(why) = zone.check(name, kind, &message.answers, self.now) {
            let why = format!(
                "the signature of {} over the {kind} records of {name} does not hold: {why}",
                zone.name
            );
            return Err(self.end(LinkKind::Delegation, End::new(Security::Bogus, name, why)));
        }
        if kind == Kind::CNAME {
            return Ok(Step::NoZone);
        }
        let digests: Vec<Digest> =
            of_kind(Kind::DS).take(MOST_KEYS).filter_map(|r| Digest::read(&r.data)).collect();
        self.delegation(zone, name, digests).await
    }

    /// A zone begins at the name, and these digests of its keys are vouched for.
    async fn delegation(
        &mut self,
        zone: &Zone,
        name: &DomainName,
        digests: Vec<Digest>,
    ) -> Result<Step, End> {
        let mut usable: Vec<Digest> = digests.iter().filter(|digest| digest.is_known()).cloned().collect();
        // A stronger digest beside it takes the place of SHA-1 (RFC 4509 §3).
        if usable.iter().any(|digest| digest.kind != 1) {
            usable.retain(|digest| digest.kind != 1);
        }
        if usable.is_empty() {
            let why = format!(
                "{} vouches for {name} only by {}, which is not supported here; who cannot check a signature must take \
                 the zone as one without (RFC 4035 section 5.2), so nothing is said of whether it holds",
                zone.name,
                unsupported(&digests)
            );
            return Err(self.end(LinkKind::Delegation, End::new(Security::Insecure, name, why)));
        }
        let fits = |key: &Key| usable.iter().any(|digest| digest.fits(name, key));
        let vouches = format!("what {} vouches for", zone.name);
        let found = self.keys(name, &fits, &vouches).await;
        let shown = |keys: &[Key]| {
            let digest = |digest: &Digest| DnssecDigest {
                tag: digest.tag,
                algorithm: algorithm_name(digest.algorithm),
                digest: digest.kind_name(),
                fits: keys.iter().any(|key| digest.fits(name, key)),
            };
            digests.iter().map(digest).collect()
        };
        match found {
            Ok((found, mut own)) => {
                own.ds = shown(&found.keys);
                own.text = format!("{} vouches for the keys of {name}", zone.name);
                self.links.push(own);
                Ok(Step::Zone(found))
            }
            Err(broken) => {
                let Broken { end, mut own, keys } = *broken;
                own.ds = shown(&keys);
                self.links.push(own);
                Err(end)
            }
        }
    }

    /// No digest is there: there is proof of that, or something is wrong.
    fn no_digest(&mut self, zone: &Zone, name: &DomainName, message: &Message) -> Result<Step, End> {
        let proofs = zone.proofs(&message.authorities, self.now);
        let (security, why) = if proofs.is_empty() {
            let why =
                format!("{} is signed, but nothing signed proves that {name} has no DS record", zone.name);
            (Security::Bogus, why)
        } else if proofs.are_too_costly() {
            let why = format!(
                "{} hashes its names more often than is worked out, so its proofs do not count",
                zone.name
            );
            (Security::Insecure, why)
        } else {
            match proofs.cut_at(name) {
                Ok(Cut::None) => return Ok(Step::NoZone),
                Ok(Cut::Absent) => return Ok(Step::Absent),
                Ok(Cut::Unsigned) => {
                    (Security::Insecure, format!("{} proves that {name} is not signed", zone.name))
                }
                Ok(Cut::LeftOut) => {
                    let why = format!(
                        "{} leaves names without signatures out of its proofs, such as {name}",
                        zone.name
                    );
                    (Security::Insecure, why)
                }
                Err(why) => (Security::Bogus, format!("{} is signed, but {why}", zone.name)),
            }
        };
        Err(self.end(LinkKind::Delegation, End::new(security, name, why)))
    }

    /// The keys of a zone, one of which must fit and have signed them all.
    async fn keys(
        &mut self,
        name: &DomainName,
        fits: &(dyn Fn(&Key) -> bool + Sync),
        what: &str,
    ) -> Result<(Arc<Zone>, DnssecLink), Box<Broken>> {
        let failed = |security, why: String, keys: &[Key], shown: Vec<DnssecKey>| {
            let end = End::new(security, name, why);
            let own = DnssecLink { keys: shown, ..link(LinkKind::Delegation, &end, name) };
            Box::new(Broken { end, own, keys: keys.to_vec() })
        };
        let message = match self.ask(name, Kind::DNSKEY).await {
            Ok(message) => message,
            Err(why) => {
                let why = format!("the keys of {name} cannot be had: {why}");
                return Err(failed(Security::Indeterminate, why, &[], Vec::new()));
            }
        };
        let of_name = message.answers.iter().filter(|r| r.name == *name && r.kind == Kind::DNSKEY);
        let keys: Vec<Key> = of_name.take(MOST_KEYS).filter_map(|r| Key::read(&r.data)).collect();
        let shown = |signs: &dyn Fn(&Key) -> bool| -> Vec<DnssecKey> {
            let key = |key: &Key| DnssecKey {
                tag: key.tag,
                algorithm: algorithm_name(key.algorithm),
                entry_point: key.is_entry_point(),
                signs_keys: signs(key),
            };
            keys.iter().map(key).collect()
        };
        let tags = || keys.iter().map(|key| key.tag.to_string()).collect::<Vec<_>>().join(", ");
        let denies = message.has(flag::AA) || message.authorities.iter().any(|r| r.kind == Kind::SOA);
        if keys.is_empty() && !denies {
            let why = format!("the keys of {name} cannot be had: the server only refers to others");
            return Err(failed(Security::Indeterminate, why, &[], Vec::new()));
        }
        if keys.is_empty() {
            let why = format!("{name} should be signed by {what}, and has no keys");
            return Err(failed(Security::Bogus, why, &[], Vec::new()));
        }
        if signers(&message.answers, name, Kind::DNSKEY).is_empty() && what == ANCHOR {
            let why = "the server does not hand on signatures, so that nothing can be checked".into();
            return Err(failed(Security::Indeterminate, why, &keys, shown(&|_| false)));
        }
        let entry: Vec<Key> = keys.iter().filter(|key| fits(key)).cloned().collect();
        if entry.is_empty() {
            let why = format!("no key of {name} fits {what}; it has {}", tags());
            return Err(failed(Security::Bogus, why, &keys, shown(&|_| false)));
        }
        let signs = |key: &Key| {
            let alone = Zone { name: name.clone(), keys: vec![key.clone()] };
            alone.check(name, Kind::DNSKEY, &message.answers, self.now).is_ok()
        };
        let entrance = Zone { name: name.clone(), keys: entry };
        if let Err(why) = entrance.check(name, Kind::DNSKEY, &message.answers, self.now) {
            let why = format!("the signature over the keys of {name} does not hold: {why}");
            return Err(failed(Security::Bogus, why, &keys, shown(&signs)));
        }
        let own = DnssecLink {
            kind: LinkKind::Delegation,
            name: name.to_string(),
            state: Security::Secure,
            keys: shown(&signs),
            ..DnssecLink::default()
        };
        Ok((Arc::new(Zone { name: name.clone(), keys }), own))
    }

    pub async fn ask(&mut self, name: &DomainName, kind: Kind) -> Result<Message, String> {
        self.source.ask(&Question { name: name.clone(), kind }).await
    }

    /// Notes a link that ends the chain.
    pub fn end(&mut self, kind: LinkKind, end: End) -> End {
        let name = end.failing.clone().unwrap_or_else(DomainName::root);
        self.links.push(link(kind, &end, &name));
        end
    }

    /// Notes the last link, which holds or does not.
    pub fn conclude(
        &mut self,
        kind: LinkKind,
        name: &DomainName,
        zone: &Zone,
        checked: Result<Proof, String>,
        text: &str,
    ) -> End {
        let end = match checked {
            Ok(Proof::Holds) => End { security: Security::Secure, failing: None, reason: text.to_owned() },
            Ok(Proof::LeftOut) => {
                let why = format!(
                    "{} leaves names without signatures out of its proofs, such as {name}",
                    zone.name
                );
                End::new(Security::Insecure, name, why)
            }
            Err(why) => End::new(Security::Bogus, name, why),
        };
        self.links.push(link(kind, &end, name));
        end
    }
}

impl Zone {
    /// Checks that one of the zone's keys signed the records of a name and type. Returns how many labels the name had
    /// when it was signed.
    ///
    /// # Errors
    /// Says what is wrong with the signature that came closest.
    pub fn check(
        &self,
        name: &DomainName,
        kind: Kind,
        section: &[Record],
        now: u32,
    ) -> Result<usize, String> {
        let records: Vec<&Record> = section.iter().filter(|r| r.name == *name && r.kind == kind).collect();
        let signatures = of(section, name, kind);
        let own: Vec<&Signature> =
            signatures.iter().filter(|signature| signature.signer == self.name).collect();
        let mut why = match signatures.first() {
            None => "there is none".to_owned(),
            Some(other) => format!("it was made by {}, not by {}", other.signer, self.name),
        };
        for signature in own.into_iter().take(MOST_TRIED) {
            let labels = usize::from(signature.labels);
            if labels > depth(name) {
                why = "it was made for a longer name".into();
                continue;
            }
            if !is_known_algorithm(signature.algorithm) {
                why = format!("{} is not supported here", algorithm_name(signature.algorithm));
                continue;
            }
            if let Some(wrong) = signature.wrong_time(now) {
                why = wrong;
                continue;
            }
            let named = |key: &&Key| key.tag == signature.tag && key.algorithm == signature.algorithm;
            let keys: Vec<&Key> = self.keys.iter().filter(named).take(MOST_TRIED).collect();
            why = match keys.is_empty() {
                true => format!("the key it names, {}, is none of those that count", signature.tag),
                false => format!("it was not made by key {} over these records", signature.tag),
            };
            if keys.into_iter().any(|key| signature.holds(key, name, &records)) {
                return Ok(labels);
            }
        }
        Err(why)
    }

    /// The proofs of a section that this zone has signed.
    pub fn proofs(&self, section: &[Record], now: u32) -> Proofs {
        let mut proofs = Proofs::default();
        for record in section.iter().filter(|r| matches!(r.kind, Kind::NSEC | Kind::NSEC3)).take(MOST_TRIED) {
            if record.name.is_within(&self.name)
                && self
                    .check(&record.name, record.kind, section, now)
                    .is_ok_and(|labels| labels == depth(&record.name))
            {
                proofs.add(&self.name, record);
            }
        }
        proofs
    }
}

/// What keeps digests from being used, by name.
fn unsupported(digests: &[Digest]) -> String {
    let mut names: Vec<String> = Vec::new();
    for digest in digests {
        let name = match is_known_algorithm(digest.algorithm) {
            true => digest.kind_name(),
            false => algorithm_name(digest.algorithm),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(" and ")
}

/// The signatures over the records of a name and type.
fn of(section: &[Record], name: &DomainName, kind: Kind) -> Vec<Signature> {
    let all = section.iter().filter(|r| r.name == *name && r.kind == Kind::RRSIG);
    all.filter_map(|record| Signature::read(&record.data)).filter(|s| s.covers == kind).collect()
}

/// Who signed the records of a name and type.
pub fn signers(section: &[Record], name: &DomainName, kind: Kind) -> Vec<DomainName> {
    of(section, name, kind).into_iter().map(|signature| signature.signer).collect()
}

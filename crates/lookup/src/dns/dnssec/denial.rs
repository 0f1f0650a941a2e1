//! Proofs that there is nothing: NSEC (RFC 4035 §5.4) and NSEC3 (RFC 5155 §8).

use super::crypto::hashed;
use crate::dns::wire::base;
use crate::dns::wire::kind::Kind;
use crate::dns::wire::message::Record;
use crate::dns::wire::name::DomainName;
use crate::dns::wire::rdata;
use crate::dns::wire::reader::Reader;

/// More rounds than this are not worked out; the zone counts as not signed (RFC 9276 §3.2).
const MOST_ROUNDS: u16 = 100;

/// The proofs of one zone in one answer. Their signatures have been checked.
#[derive(Debug, Default)]
pub struct Proofs {
    zone: Option<DomainName>,
    plain: Vec<Nsec>,
    hashed: Vec<Nsec3>,
}

#[derive(Debug)]
struct Nsec {
    owner: DomainName,
    next: DomainName,
    kinds: Vec<Kind>,
}

#[derive(Debug)]
struct Nsec3 {
    owner: Vec<u8>,
    next: Vec<u8>,
    opt_out: bool,
    rounds: u16,
    salt: Vec<u8>,
    kinds: Vec<Kind>,
}

/// What the proofs say of a zone that may begin at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// A zone begins there, and it is not signed.
    Unsigned,
    /// A zone may begin there, which is not signed, since names like it are left out of the proofs.
    LeftOut,
    /// No zone begins there.
    None,
    /// There is no such name, and so nothing below it.
    Absent,
}

/// What the proofs say of a name or of its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// They prove it.
    Holds,
    /// They leave such names out, so that it may be there without being signed.
    LeftOut,
}

impl Proofs {
    /// Takes in a record of the zone, whose signature was checked.
    pub fn add(&mut self, zone: &DomainName, record: &Record) {
        self.zone.get_or_insert_with(|| zone.clone());
        let mut data = Reader::new(&record.data);
        if record.kind == Kind::NSEC {
            if let (Ok(next), Ok(kinds)) = (data.name(), rdata::kinds(data.rest())) {
                self.plain.push(Nsec { owner: record.name.clone(), next, kinds });
            }
        } else if record.kind == Kind::NSEC3
            && record.name.parent().as_ref() == Some(zone)
            && let Some(proof) = nsec3(record)
        {
            self.hashed.push(proof);
        }
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.hashed.is_empty()
    }

    /// True when they take more rounds to work out than is reasonable.
    pub fn are_too_costly(&self) -> bool {
        self.hashed.iter().any(|proof| proof.rounds > MOST_ROUNDS)
    }

    /// Whether an unsigned zone begins at a name; the error says what is wrong.
    pub fn cut_at(&self, name: &DomainName) -> Result<Cut, String> {
        if let Some(kinds) = self.kinds_of(name) {
            return match (kinds.contains(&Kind::DS), kinds.contains(&Kind::NS), kinds.contains(&Kind::SOA)) {
                (true, ..) => Err(format!("the proof says that {name} has DS records, which are not there")),
                (_, true, true) => {
                    Err(format!("the proof comes from {name} itself, not from the zone above"))
                }
                (_, true, false) => Ok(Cut::Unsigned),
                _ => Ok(Cut::None),
            };
        }
        if let Some(proof) = self.covering(name) {
            // A name that has only names below it is there all the same.
            return Ok(if proof.next.is_within(name) { Cut::None } else { Cut::Absent });
        }
        match self.closest(name) {
            Some((_, next)) => Ok(if next.opt_out { Cut::LeftOut } else { Cut::Absent }),
            None => Err(format!("nothing proves that {name} has no DS record")),
        }
    }

    /// Whether a name is not there.
    pub fn no_name(&self, name: &DomainName) -> Result<Proof, String> {
        if let Some(proof) = self.covering(name) {
            let above = deeper(name.common(&proof.owner), name.common(&proof.next));
            let star = wildcard(&above)?;
            return match self.covering(&star).is_some() {
                true => Ok(Proof::Holds),
                false => Err(format!("nothing proves that there is no {star}")),
            };
        }
        let (above, next) =
            self.closest(name).ok_or_else(|| format!("nothing proves that there is no {name}"))?;
        let star = wildcard(&above)?;
        if self.covering_hash(&star).is_none() {
            return Err(format!("nothing proves that there is no {star}"));
        }
        Ok(if next.opt_out { Proof::LeftOut } else { Proof::Holds })
    }

    /// Whether a name has no records of a type.
    pub fn no_records(&self, name: &DomainName, kind: Kind) -> Result<Proof, String> {
        if let Some(kinds) = self.kinds_of(name) {
            return lacks(kinds, name, kind);
        }
        if let Some(proof) = self.covering(name) {
            if proof.next.is_within(name) {
                return Ok(Proof::Holds);
            }
            let above = deeper(name.common(&proof.owner), name.common(&proof.next));
            let star = wildcard(&above)?;
            let kinds =
                self.kinds_of(&star).ok_or_else(|| format!("nothing proves that {name} has no {kind}"))?;
            return lacks(kinds, &star, kind);
        }
        let (above, next) =
            self.closest(name).ok_or_else(|| format!("nothing proves that {name} has no {kind}"))?;
        let star = wildcard(&above)?;
        match self.kinds_of(&star) {
            Some(kinds) => lacks(kinds, &star, kind),
            None if next.opt_out => Ok(Proof::LeftOut),
            None => Err(format!("nothing proves that {name} has no {kind}")),
        }
    }

    /// Whether a wildcard with so many labels had to stand in for a name.
    pub fn needs_wildcard(&self, name: &DomainName, labels: usize) -> Result<Proof, String> {
        let next = name.last(labels + 1);
        if self.are_too_costly() {
            return Ok(Proof::LeftOut);
        }
        if let Some(proof) = self.covering(name) {
            // A name closer than the wildcard would have stopped it from standing in.
            let above = deeper(name.common(&proof.owner), name.common(&proof.next));
            return match above.depth() <= labels {
                true => Ok(Proof::Holds),
                false => Err(format!("it came of a wildcard, though there is a {above}")),
            };
        }
        match self.covering_hash(&next) {
            Some(proof) if proof.opt_out => Ok(Proof::LeftOut),
            Some(_) => Ok(Proof::Holds),
            None => Err(format!("it came of a wildcard, and nothing proves that there is no {next}")),
        }
    }

    /// The types that a name has, by a proof of its own.
    fn kinds_of(&self, name: &DomainName) -> Option<&[Kind]> {
        let plain = self.plain.iter().find(|proof| proof.owner == *name).map(|proof| proof.kinds.as_slice());
        plain.or_else(|| self.matching_hash(name).map(|proof| proof.kinds.as_slice()))
    }

    fn matching_hash(&self, name: &DomainName) -> Option<&Nsec3> {
        self.hashed.iter().find(|proof| proof.owner == hashed(name, &proof.salt, proof.rounds))
    }

    /// The proof whose gap a name lies in.
    fn covering(&self, name: &DomainName) -> Option<&Nsec> {
        self.plain.iter().find(|proof| {
            // What a zone above says of its end at a delegation says nothing of names below it.
            let ends_there = proof.kinds.contains(&Kind::DNAME)
                || (proof.kinds.contains(&Kind::NS) && !proof.kinds.contains(&Kind::SOA));
            let from_above = name.is_within(&proof.owner) && ends_there;
            // The last proof of a zone leads back to its beginning.
            let last = self.zone.as_ref() == Some(&proof.next);
            !from_above && proof.owner < *name && (last || *name < proof.next)
        })
    }

    fn covering_hash(&self, name: &DomainName) -> Option<&Nsec3> {
        self.hashed.iter().find(|proof| {
            let hash = hashed(name, &proof.salt, proof.rounds);
            match proof.owner < proof.next {
                true => proof.owner < hash && hash < proof.next,
                false => proof.owner < hash || hash < proof.next,
            }
        })
    }

    /// The deepest name above that is there, and the proof that the next below it is not.
    fn closest(&self, name: &DomainName) -> Option<(DomainName, &Nsec3)> {
        let zone = self.zone.as_ref()?;
        let depths = zone.depth()..name.depth();
        let above =
            depths.rev().map(|depth| name.last(depth)).find(|above| self.matching_hash(above).is_some())?;
        let next = self.covering_hash(&name.last(above.depth() + 1))?;
        Some((above, next))
    }
}

fn nsec3(record: &Record) -> Option<Nsec3> {
    let owner = base::from_base32(record.name.labels().next()?)?;
    let mut data = Reader::new(&record.data);
    // Only SHA-1 is defined.
    let sha1 = data.u8().ok()? == 1;
    let (flags, rounds) = (data.u8().ok()?, data.u16().ok()?);
    let salt = data.counted().ok()?.to_vec();
    let next = data.counted().ok()?.to_vec();
    let kinds = rdata::kinds(data.rest()).ok()?;
    (sha1 && flags <= 1).then_some(Nsec3 { owner, next, opt_out: flags == 1, rounds, salt, kinds })
}

fn lacks(kinds: &[Kind], name: &DomainName, kind: Kind) -> Result<Proof, String> {
    let ends_there = kinds.contains(&Kind::NS) && !kinds.contains(&Kind::SOA);
    if kinds.contains(&kind) || (kinds.contains(&Kind::CNAME) && kind != Kind::CNAME) {
        return Err(format!("the proof says that {name} has such a record, which is not there"));
    }
    if ends_there && kind != Kind::DS {
        return Err(format!("the proof comes from the zone above {name}"));
    }
    Ok(Proof::Holds)
}

fn wildcard(above: &DomainName) -> Result<DomainName, String> {
    above.child(b"*").ok_or_else(|| "a name is too long".into())
}

fn deeper(a: DomainName, b: DomainName) -> DomainName {
    if a.depth() >= b.depth() { a } else { b }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    /// A record of `zone.` that leads from one name to the next.
    fn nsec(owner: &str, next: &str, kinds: &[u8]) -> Record {
        let data = [name(next).wire(), kinds].concat();
        Record { name: name(owner), kind: Kind::NSEC, class: 1, ttl: 60, data }
    }

    fn proofs(records: &[Record]) -> Proofs {
        let mut proofs = Proofs::default();
        records.iter().for_each(|record| proofs.add(&name("zone"), record));
        proofs
    }

    /// A alone; NS alone; NS and SOA.
    const A: &[u8] = &[0, 1, 0x40];
    const NS: &[u8] = &[0, 1, 0x20];
    const TOP: &[u8] = &[0, 1, 0x22];

    #[test]
    fn gaps_and_delegations() {
        let all = proofs(&[
            nsec("zone", "b.zone", TOP),
            nsec("b.zone", "x.d.zone", NS),
            nsec("x.d.zone", "zone", A),
        ]);
        assert_eq!(all.cut_at(&name("b.zone")), Ok(Cut::Unsigned));
        assert_eq!(all.cut_at(&name("a.zone")), Ok(Cut::Absent));
        assert_eq!(all.cut_at(&name("d.zone")), Ok(Cut::None), "it has only names below it");
        assert_eq!(all.cut_at(&name("z.zone")), Ok(Cut::Absent), "the last leads back to the first");
        assert!(all.cut_at(&name("a.b.zone")).is_err(), "a zone above says nothing of names below its end");
        assert_eq!(all.no_name(&name("a.zone")), Ok(Proof::Holds));
        assert_eq!(all.no_records(&name("x.d.zone"), Kind::MX), Ok(Proof::Holds));
        assert!(all.no_records(&name("x.d.zone"), Kind::A).is_err());
        assert!(all.no_records(&name("b.zone"), Kind::A).is_err(), "it is a matter of the zone below");
        assert_eq!(all.needs_wildcard(&name("y.d.zone"), 2), Ok(Proof::Holds));
        assert!(all.needs_wildcard(&name("y.d.zone"), 1).unwrap_err().contains("there is a d.zone."));
        // The gap is proven, but not that no wildcard fills it.
        assert!(proofs(&[nsec("a.zone", "c.zone", A)]).no_name(&name("b.zone")).is_err());
    }

    proptest! {
        #[test]
        fn no_proof_makes_it_panic(
            kind in prop::sample::select(vec![Kind::NSEC, Kind::NSEC3]),
            label in "[a-v0-9]{1,32}",
            data in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let record = Record { name: name(&label).last(0).child(label.as_bytes()).unwrap(), kind, class: 1, ttl: 0, data };
            let mut all = Proofs::default();
            all.add(&DomainName::root(), &record);
            if !all.are_too_costly() {
                for asked in ["a", "b.a", "."] {
                    let asked = name(asked);
                    let _ = (all.cut_at(&asked), all.no_name(&asked), all.no_records(&asked, Kind::A));
                    let _ = all.needs_wildcard(&asked, 0);
                }
            }
        }
    }
}

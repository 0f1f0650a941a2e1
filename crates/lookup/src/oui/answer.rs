//! What is said of whatever somebody typed.

use netwark_model::mac::Mac;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::known::{self, Meaning, MeaningKind};
use super::{Entry, Prefix, Registry, Table};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = MacKind)]
pub enum Kind {
    /// A whole MAC address.
    Mac,
    /// An EUI-64.
    Eui64,
    /// The beginning of an address.
    Prefix,
    /// The name of an organisation.
    Name,
}

/// How a locally administered address is meant (IEEE 802c, structured local address plan).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = MacSlap)]
pub enum Slap {
    /// Administratively assigned: as whoever runs the network likes, random ones among them.
    Aai,
    /// Extended local: begins with the company identifier (CID) of who made it.
    Eli,
    /// Standard assigned, by a protocol.
    Sai,
    /// Reserved.
    Reserved,
}

/// An answer. The first three fields are absent when nobody is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = MacVendor)]
pub struct Answer {
    /// The assigned digits, in capitals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "00000C")]
    pub assignment: Option<String>,
    /// The organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Cisco Systems, Inc")]
    pub orgname: Option<String>,
    /// Its address in one line; empty when it is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "170 WEST TASMAN DRIVE SAN JOSE CA US 95134-1706")]
    pub orgaddr: Option<String>,
    /// Where it is registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<Registry>,
    /// What was asked, without blanks around it.
    pub query: String,
    /// What that is.
    pub kind: Kind,
    /// The address or its beginning, with colons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "00:00:0c:12:34:56")]
    pub mac: Option<String>,
    /// Whether it was chosen locally and comes from no registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<bool>,
    /// Whether it is that of a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multicast: Option<bool>,
    /// Whether it is probably made up by a device that hides its own, as telephones and laptops do on wireless
    /// networks: it was chosen locally, and nothing else is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub randomised: Option<bool>,
    /// How an address that was chosen locally is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slap: Option<Slap>,
    /// What else is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Meaning>,
    /// Others to whom the same digits were assigned, or other organisations that the name fits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// How many assignments the organisation has, when it was asked for by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignments: Option<u64>,
}

/// What was typed is neither an address nor a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no MAC address such as 00:00:0c:12:34:56, no beginning of one with at least 6 digits such as 00:00:0c, \
     and no name of an organisation"
)]
pub struct NotUnderstood(String);

/// Fewest digits that an assignment has.
const FEWEST: usize = 6;
/// Most bytes of a name.
const LONGEST: usize = 200;
/// Most other organisations that are named.
const ALSO: usize = 10;

impl Table {
    /// Answers what somebody typed: an address in any notation, its beginning, or the name of an organisation. Nobody
    /// known is an answer too.
    ///
    /// # Errors
    /// When it can be none of them.
    pub fn answer(&self, typed: &str) -> Result<Answer, NotUnderstood> {
        let query = typed.trim();
        let wrong = || NotUnderstood(query.chars().take(60).collect());
        if query.is_empty() || query.len() > LONGEST || query.chars().any(char::is_control) {
            return Err(wrong());
        }
        let prefix = Prefix::parse(query);
        let assigned =
            prefix.filter(|prefix| prefix.digits() >= FEWEST).map(|prefix| self.of_prefix(query, prefix));
        // A few names, such as ABB, are hexadecimal digits, too.
        let is_word = is_word(query);
        match assigned {
            Some(found) if found.orgname.is_some() || !is_word => Ok(found),
            None if !is_word && looks_like_an_address(query) => Err(wrong()),
            assigned => {
                let named = self.of_name(query);
                match assigned {
                    _ if named.orgname.is_some() => Ok(named),
                    Some(found) => Ok(found),
                    None if prefix.is_some() => Err(wrong()),
                    None => Ok(named),
                }
            }
        }
    }

    /// True for what could be the name of an organisation, so that all names are searched for it.
    pub fn may_be_name(typed: &str) -> bool {
        let typed = typed.trim();
        Prefix::parse(typed).map_or_else(|| !looks_like_an_address(typed), |_| is_word(typed))
    }

    /// Answers for an address.
    pub fn answer_mac(&self, mac: Mac) -> Answer {
        let mut answer = empty(&mac.to_string(), Kind::Mac);
        self.describe(&mut answer, mac);
        answer
    }

    fn of_prefix(&self, query: &str, prefix: Prefix) -> Answer {
        let kind = match (prefix.mac(), prefix.is_eui64()) {
            (Some(_), false) => Kind::Mac,
            (_, true) => Kind::Eui64,
            (None, _) => Kind::Prefix,
        };
        let mut answer = empty(query, kind);
        answer.mac = Some(prefix.to_string());
        match prefix.mac() {
            Some(mac) => self.describe(&mut answer, mac),
            None => {
                let mac = Mac::from_bits(prefix.start());
                // A part of the block that is not named here may be somebody else's.
                let fits = |entry: &Entry<'_>| entry.registry.digits() <= prefix.digits();
                let whole = self.find(mac).filter(fits);
                let outer = || self.beginning(prefix.start() & !0xff_ffff, FEWEST).next().filter(fits);
                if let Some(entry) = whole.or_else(outer) {
                    put(&mut answer, &entry);
                }
                describe_bits(&mut answer, mac, prefix.digits());
            }
        }
        answer
    }

    fn describe(&self, answer: &mut Answer, mac: Mac) {
        answer.mac.get_or_insert_with(|| mac.to_string());
        // The bit of groups is no part of an assignment: a group belongs to whom the address without it does.
        let plain = Mac::from_bits(mac.bits() & !(1 << 40));
        let mut entries = self.find_all(if mac.is_multicast() { plain } else { mac });
        if let Some(entry) = entries.next() {
            put(answer, &entry);
        }
        answer.also = entries.map(|entry| entry.name.to_owned()).take(ALSO).collect();
        describe_bits(answer, mac, 12);
    }

    fn of_name(&self, query: &str) -> Answer {
        let mut answer = empty(query, Kind::Name);
        let found = self.search(query);
        if let Some(best) = found.first() {
            if let Some(entry) = best.entries(self).next() {
                put(&mut answer, &entry);
            }
            answer.assignments = Some(best.assignments());
        }
        answer.also = found.iter().skip(1).take(ALSO).map(|found| found.name(self).to_owned()).collect();
        answer
    }
}

fn empty(query: &str, kind: Kind) -> Answer {
    Answer {
        assignment: None,
        orgname: None,
        orgaddr: None,
        registry: None,
        query: query.into(),
        kind,
        mac: None,
        local: None,
        multicast: None,
        randomised: None,
        slap: None,
        known: None,
        also: Vec::new(),
        assignments: None,
    }
}

fn put(answer: &mut Answer, entry: &Entry<'_>) {
    answer.assignment = Some(entry.assignment());
    answer.orgname = Some(entry.name.into());
    answer.orgaddr = Some(entry.address.into());
    answer.registry = Some(entry.registry);
}

fn describe_bits(answer: &mut Answer, mac: Mac, digits: usize) {
    answer.known = known::of(mac, digits);
    answer.multicast = Some(mac.is_multicast());
    // A broadcast and the groups of protocols were chosen by nobody here, whatever the bit says.
    let is_group = answer.known.as_ref().is_some_and(|known| known.kind == MeaningKind::Group);
    let local = mac.is_locally_administered() && !is_group;
    answer.local = Some(local);
    answer.randomised = Some(
        local && !mac.is_multicast() && answer.known.is_none() && answer.orgname.is_none() && digits == 12,
    );
    answer.slap = local.then(|| match mac.bits() >> 42 & 0b11 {
        0b00 => Slap::Aai,
        0b10 => Slap::Eli,
        0b11 => Slap::Sai,
        _ => Slap::Reserved,
    });
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// True for what can only be meant as an address, however wrong: hexadecimal digits and signs alone, or something else
/// in the shape of an address. Organisations such as `byd:sign` and `u::Lux` have signs in their names, too.
pub(super) fn looks_like_an_address(text: &str) -> bool {
    let signs = text.chars().filter(|c| matches!(c, ':' | '-' | '.' | '/')).count();
    let digits = text.chars().filter(char::is_ascii_hexdigit).count();
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count() - digits;
    if letters == 0 && (digits == 0 || digits + signs == text.chars().count()) {
        return true;
    }
    let groups = |sign| text.split(sign).map(shape).collect::<Vec<_>>();
    let all_of = |groups: &[Option<usize>], length| groups.iter().all(|group| *group == Some(length));
    let (colons, dashes, dots) = (groups(':'), groups('-'), groups('.'));
    let first_is_hexadecimal = text.split(':').next().is_some_and(is_hexadecimal);
    match (colons.len(), dashes.len(), dots.len()) {
        (1, 1, 1) => text.len() == 12 && letters <= 2 && text.contains(|c: char| c.is_ascii_digit()),
        (1, 1, 3 | 4) => all_of(&dots, 4),
        (1, 3.., 1) => all_of(&dashes, 2) || all_of(&dashes, 4),
        (2, ..) => all_of(&colons, 2),
        (3.., ..) => first_is_hexadecimal || colons.iter().all(|group| matches!(group, Some(1..=4))),
        _ => false,
    }
}

/// How many characters a group has, when all are letters and digits.
fn shape(group: &str) -> Option<usize> {
    group.chars().all(char::is_alphanumeric).then(|| group.chars().count())
}

fn is_hexadecimal(group: &str) -> bool {
    matches!(group.len(), 1..=4) && group.bytes().all(|byte| byte.is_ascii_hexdigit())
}

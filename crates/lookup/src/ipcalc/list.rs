//! Several networks together: the fewest prefixes that hold them, and which of them hold or overlap others.

use ipnet::IpNet;
use serde::Serialize;
use utoipa::ToSchema;

use super::input::{InputError, Question, read};
use super::numbers::{Family, Range};

/// Most entries of a list that is asked for over the network.
pub const MOST_ENTRIES: usize = 5000;

/// Most prefixes in an answer.
pub const MOST_PREFIXES: usize = 10_000;

/// Most pairs of entries in an answer.
pub const MOST_RELATIONS: usize = 1000;

/// Most wrong entries that are told of.
const MOST_ERRORS: usize = 20;

/// Entries that were not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} of the list {}", .0.len(), .0.first().map(|(_, error)| error.to_string()).unwrap_or_default())]
pub struct ListError(
    /// Place of the entry, from 0, and what is wrong with it; the first twenty.
    pub Vec<(usize, InputError)>,
);

/// What several networks are together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = NetworkSummary)]
pub struct ListAnswer {
    /// How many entries were read.
    #[schema(example = 3)]
    pub entries: usize,
    /// The fewest prefixes that hold the addresses of all entries and no others, in order; at most 10,000 of them.
    #[schema(value_type = Vec<String>, example = json!(["192.0.2.0/24", "2001:db8::/32"]))]
    pub prefixes: Vec<IpNet>,
    /// How many such prefixes there are.
    #[schema(example = 2)]
    pub total: usize,
    /// How many IPv4 addresses they hold, in digits.
    #[schema(example = "256")]
    pub ipv4_addresses: String,
    /// How many IPv6 addresses they hold, in digits.
    #[schema(example = "79228162514264337593543950336")]
    pub ipv6_addresses: String,
    /// Pairs of entries that have addresses in common; at most 1,000 of them.
    pub relations: Vec<Related>,
    /// True when there are more such pairs.
    pub more_relations: bool,
}

/// Two entries that have addresses in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RelatedNetworks)]
pub struct Related {
    /// Place of one of them in the list, from 0: the wider one, when one holds the other.
    pub one: usize,
    /// What it is: a prefix, or a range.
    #[schema(example = "192.0.2.0/24")]
    pub one_is: String,
    /// What it is to the other.
    pub relation: Relation,
    /// Place of the other.
    pub other: usize,
    /// What it is.
    #[schema(example = "192.0.2.128/25")]
    pub other_is: String,
}

/// What two entries are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = NetworkRelation)]
pub enum Relation {
    /// Both have the same addresses.
    Same,
    /// One has all addresses of the other, and more.
    Contains,
    /// Both have addresses in common, and each has some of its own.
    Overlaps,
}

/// The entries of a text: separated by lines, commas or semicolons; what follows a `#` is a remark.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(|line| line.split_once('#').map_or(line, |(line, _)| line));
    lines.flat_map(|line| line.split([',', ';'])).map(str::trim).filter(|entry| !entry.is_empty())
}

/// Reads entries. One that has several words, such as a line of prefixes, may be several.
///
/// # Errors
/// Names the entries that are wrong.
pub fn list<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Vec<Question>, ListError> {
    let (mut questions, mut wrong) = (Vec::new(), Vec::new());
    for (at, entry) in entries.into_iter().enumerate() {
        match several(entry) {
            Ok(read) => questions.extend(read),
            Err(error) if wrong.len() < MOST_ERRORS => wrong.push((at, error)),
            Err(_) => {}
        }
    }
    if wrong.is_empty() { Ok(questions) } else { Err(ListError(wrong)) }
}

fn several(entry: &str) -> Result<Vec<Question>, InputError> {
    let wrong = match read(entry) {
        Ok(question) => return Ok(vec![question]),
        Err(wrong) => wrong,
    };
    let words: Vec<&str> = entry.split_whitespace().collect();
    // An address beside a mask that is none must not become two addresses.
    let masked =
        matches!(&wrong, InputError::Mask(mask) if mask.starts_with("255.") || mask.starts_with("0."));
    if words.len() < 2 || masked {
        return Err(wrong);
    }
    words.into_iter().map(read).collect()
}

impl ListAnswer {
    /// What these are together.
    pub fn new(entries: &[Question]) -> Self {
        let merged = merged(entries.iter().map(Question::addresses));
        let mut prefixes = Vec::new();
        let mut total = 0;
        for prefix in merged.iter().flat_map(|range| range.prefixes()) {
            total += 1;
            if prefixes.len() < MOST_PREFIXES {
                prefixes.push(prefix);
            }
        }
        let (relations, more_relations) = relations(entries);
        Self {
            entries: entries.len(),
            prefixes,
            total,
            ipv4_addresses: count(&merged, Family::V4),
            ipv6_addresses: count(&merged, Family::V6),
            relations,
            more_relations,
        }
    }

    /// The fewest prefixes that hold these and nothing else, however many they are.
    pub fn summary(entries: &[Question]) -> impl Iterator<Item = IpNet> {
        merged(entries.iter().map(Question::addresses)).into_iter().flat_map(Range::prefixes)
    }
}

/// The ranges in order, those that touch each other made one.
fn merged(ranges: impl Iterator<Item = Range>) -> Vec<Range> {
    let mut ranges: Vec<Range> = ranges.collect();
    ranges.sort_unstable();
    let mut merged: Vec<Range> = Vec::new();
    for range in ranges {
        let (first, last) = range.numbers();
        let before = merged.last_mut().filter(|before| before.family() == range.family());
        match before {
            Some(before) if first == 0 || before.numbers().1 >= first - 1 => {
                let (begin, end) = before.numbers();
                *before = Range::of_numbers(range.family(), begin, end.max(last));
            }
            _ => merged.push(range),
        }
    }
    merged
}

fn count(merged: &[Range], family: Family) -> String {
    let mut of_family = merged.iter().filter(|range| range.family() == family);
    match (of_family.next(), of_family.next()) {
        (None, _) => "0".into(),
        // Only one that is alone can hold all addresses there are.
        (Some(only), None) => only.count(),
        _ => {
            let counts = merged.iter().filter(|range| range.family() == family).map(|range| range.more() + 1);
            counts.sum::<u128>().to_string()
        }
    }
}

/// Pairs with addresses in common, and whether there are more.
fn relations(entries: &[Question]) -> (Vec<Related>, bool) {
    let mut order: Vec<(Range, usize)> =
        entries.iter().enumerate().map(|(at, entry)| (entry.addresses(), at)).collect();
    // Of those that begin together the widest comes first, so that what holds stands before what is held.
    order.sort_by_key(|(range, at)| {
        let (first, last) = range.numbers();
        (range.family(), first, std::cmp::Reverse(last), *at)
    });
    let mut found = Vec::new();
    let mut open: Vec<(Range, usize)> = Vec::new();
    for (range, at) in order {
        let (first, last) = range.numbers();
        open.retain(|(before, _)| before.family() == range.family() && before.numbers().1 >= first);
        for (before, before_at) in &open {
            if found.len() == MOST_RELATIONS {
                return (found, true);
            }
            let relation = match before.numbers() {
                both if both == (first, last) => Relation::Same,
                (_, end) if end >= last => Relation::Contains,
                _ => Relation::Overlaps,
            };
            found.push(Related {
                one: *before_at,
                one_is: name(&entries[*before_at]),
                relation,
                other: at,
                other_is: name(&entries[at]),
            });
        }
        open.push((range, at));
    }
    (found, false)
}

fn name(question: &Question) -> String {
    match question.range {
        Some(range) => format!("{}-{}", range.first(), range.last()),
        None => question.network.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> ListAnswer {
        ListAnswer::new(&list(words(text)).unwrap())
    }

    fn prefixes(text: &str) -> Vec<String> {
        of(text).prefixes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lists_are_summarised() {
        assert_eq!(prefixes("10.0.0.0/24, 10.0.1.0/24"), ["10.0.0.0/23"]);
        assert_eq!(prefixes("10.0.0.0/24 10.0.1.0/24\n10.0.0.7"), ["10.0.0.0/23"]);
        assert_eq!(
            prefixes("10.0.0.0 255.255.255.0 # office\n\n10.0.2.0-10.0.2.127"),
            ["10.0.0.0/24", "10.0.2.0/25"]
        );
        assert_eq!(prefixes("0.0.0.0/1;128.0.0.0/1;::/1;8000::/1"), ["0.0.0.0/0", "::/0"]);
        assert_eq!(prefixes("255.255.255.255,255.255.255.254,::"), ["255.255.255.254/31", "::/128"]);
        assert_eq!(prefixes(""), [""; 0]);
        let all = of("::/0, 10.0.0.0/24, 10.0.2.0/24, 10.0.2.5");
        assert_eq!(all.ipv4_addresses, "512");
        assert_eq!(all.ipv6_addresses, "340282366920938463463374607431768211456");
    }

    #[test]
    fn what_holds_what() {
        let answer = of("10.1.0.0/16, 10.0.0.0/8, 10.1.0.0/16, 10.255.0.0-11.0.0.5, 11.0.0.6, 10::/16");
        let told: Vec<(usize, Relation, usize)> =
            answer.relations.iter().map(|pair| (pair.one, pair.relation, pair.other)).collect();
        assert_eq!(
            told,
            [
                (1, Relation::Contains, 0),
                (1, Relation::Contains, 2),
                (0, Relation::Same, 2),
                (1, Relation::Overlaps, 3),
            ]
        );
        assert_eq!(answer.relations[3].other_is, "10.255.0.0-11.0.0.5");
        let many = of(&"10.0.0.0/8,".repeat(100));
        assert_eq!((many.relations.len(), many.more_relations), (MOST_RELATIONS, true));
    }

    #[test]
    fn wrong_entries_are_named() {
        let wrong = list(["10.0.0.0/8", "nonsense", "10.0.0.0/24 x"]).unwrap_err();
        let places: Vec<usize> = wrong.0.iter().map(|(at, _)| *at).collect();
        assert_eq!(places, [1, 2]);
        assert!(wrong.0[1].1.to_string().contains("got 'x'"), "{}", wrong.0[1].1);
        assert!(list(["10.0.0.1 255.0.255.0"]).is_err());
        assert_eq!(list(["10.0.0.1 10.0.0.2"]).unwrap().len(), 2);
        assert_eq!(list(["x"; 1000]).unwrap_err().0.len(), MOST_ERRORS);
    }

    proptest! {
        #[test]
        fn a_summary_holds_the_same_addresses(
            entries in prop::collection::vec((any::<u8>(), 24..=32_u8), 0..20), asked in any::<u8>()
        ) {
            let texts: Vec<String> = entries.iter().map(|(last, length)| format!("10.0.0.{last}/{length}")).collect();
            let questions = list(texts.iter().map(String::as_str)).unwrap();
            let address: std::net::IpAddr = format!("10.0.0.{asked}").parse().unwrap();
            let before = questions.iter().any(|question| question.network.contains(&address));
            let after: Vec<IpNet> = ListAnswer::summary(&questions).filter(|net| net.contains(&address)).collect();
            prop_assert_eq!(after.len(), usize::from(before));
        }

        #[test]
        fn no_text_is_too_odd(text in "[0-9a-fxA-FX.:/% ,;#\n-]{0,80}") {
            let _ = list(words(&text)).map(|questions| ListAnswer::new(&questions));
        }
    }
}

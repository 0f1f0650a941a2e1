//! What a device is, by rules over what is known of it. The rules are our own and stand in `rules.txt`.

use std::sync::LazyLock;

use super::sighting::NameSource;

/// What is known of a device.
#[derive(Clone, Debug, Default)]
pub struct Hints<'a> {
    /// To whom its hardware address is assigned; empty when that is not known.
    pub vendor: &'a str,
    /// Its names.
    pub names: Vec<(NameSource, &'a str)>,
    /// It forwards packets.
    pub router: bool,
    /// All its hardware addresses are made up.
    pub random_mac: bool,
}

/// What one rule says.
#[derive(Clone, Debug)]
struct Rule {
    kind: String,
    conditions: Vec<Condition>,
    #[cfg_attr(not(test), expect(dead_code, reason = "the test of the rule"))]
    example: String,
}

#[derive(Clone, Debug)]
enum Condition {
    Name(Vec<String>),
    Vendor(Vec<String>),
    Ssdp(Vec<String>),
    Router,
    Random,
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| read(include_str!("rules.txt")));

/// The type of a device, such as `printer`; none when no rule fits.
pub fn of(hints: &Hints<'_>) -> Option<&'static str> {
    RULES.iter().find(|rule| rule.fits(hints)).map(|rule| rule.kind.as_str())
}

/// Every type a rule can give, in alphabetical order.
pub fn all() -> Vec<&'static str> {
    let mut kinds: Vec<&'static str> = RULES.iter().map(|rule| rule.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

impl Rule {
    fn fits(&self, hints: &Hints<'_>) -> bool {
        self.conditions.iter().all(|condition| match condition {
            Condition::Name(words) => {
                let mut names = hints.names.iter().filter(|(source, _)| *source != NameSource::Ssdp);
                names.any(|(_, name)| has(name, words))
            }
            Condition::Ssdp(words) => {
                let mut names = hints.names.iter().filter(|(source, _)| *source == NameSource::Ssdp);
                names.any(|(_, name)| has(name, words))
            }
            Condition::Vendor(words) => has(hints.vendor, words),
            Condition::Router => hints.router,
            Condition::Random => hints.random_mac,
        })
    }
}

/// True when one of the words begins where a word of the text begins. Short words have to be whole ones, a number
/// behind them aside: `ap` is in `ap-3` and not in `apple`.
fn has(text: &str, words: &[String]) -> bool {
    let text = text.to_lowercase();
    words.iter().any(|word| {
        text.match_indices(word.as_str()).any(|(at, _)| {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let after = text.get(at + word.len()..).and_then(|text| text.chars().next());
            let begins = before.is_none_or(|c| !c.is_alphanumeric());
            let ends = word.len() > 3 || after.is_none_or(|c| !c.is_alphabetic());
            begins && ends
        })
    })
}

/// Reads the rules; a line that is none is left out, and a test finds it.
fn read(text: &str) -> Vec<Rule> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(rule).collect()
}

fn rule(line: &str) -> Option<Rule> {
    let mut parts = line.splitn(3, '|').map(str::trim);
    let (kind, conditions, example) = (parts.next()?, parts.next()?, parts.next()?);
    let conditions = conditions.split(" and ").map(condition).collect::<Option<_>>()?;
    Some(Rule { kind: kind.to_owned(), conditions, example: example.to_owned() })
}

fn condition(text: &str) -> Option<Condition> {
    match text.trim() {
        "is router" => return Some(Condition::Router),
        "is random" => return Some(Condition::Random),
        _ => {}
    }
    let (field, words) = text.split_once('~')?;
    let words = words.split(',').map(|word| word.trim().trim_matches('"').to_lowercase());
    let words = words.filter(|word| !word.is_empty()).collect();
    match field.trim() {
        "name" => Some(Condition::Name(words)),
        "vendor" => Some(Condition::Vendor(words)),
        "ssdp" => Some(Condition::Ssdp(words)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_rule() {
        let lines =
            include_str!("rules.txt").lines().filter(|line| line.contains('|') && !line.starts_with('#'));
        assert_eq!(lines.count(), RULES.len());
        assert!(RULES.iter().all(|rule| !rule.conditions.is_empty()));
    }

    #[test]
    fn every_rule_decides_its_example() {
        for rule in RULES.iter() {
            let (name, vendor) = rule.example.split_once('/').unwrap_or((&rule.example, ""));
            let (name, vendor) = (name.trim(), vendor.trim());
            let is_ssdp = rule.conditions.iter().any(|condition| matches!(condition, Condition::Ssdp(_)));
            let source = if is_ssdp { NameSource::Ssdp } else { NameSource::Mdns };
            let router = name == "router" && matches!(rule.conditions[0], Condition::Router);
            let random_mac = name == "random";
            let names = if name.is_empty() || router || random_mac { vec![] } else { vec![(source, name)] };
            let hints = Hints { vendor, names, router, random_mac };
            assert!(rule.fits(&hints), "{rule:?} does not fit its own example");
            assert_eq!(of(&hints), Some(rule.kind.as_str()), "{rule:?}");
        }
    }

    #[test]
    fn words_are_found_where_words_begin() {
        let named = |name| of(&Hints { names: vec![(NameSource::Dns, name)], ..Hints::default() });
        assert_eq!(named("ap-3.example.org"), Some("access-point"));
        assert_eq!(named("apple.example.org"), None);
        assert_eq!(named("snapshot"), None);
        assert_eq!(named("sw1"), Some("switch"));
        assert_eq!(named("swan"), None);
    }
}

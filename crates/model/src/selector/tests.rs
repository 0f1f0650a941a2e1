//! The grammar on the cases it shares with the page, and who is found.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use serde::Deserialize;
use uuid::Uuid;

use super::*;
use crate::workers::WorkerState;

#[derive(Deserialize)]
struct Cases {
    reads: Vec<Reads>,
    refuses: Vec<Refuses>,
}

#[derive(Deserialize)]
struct Reads {
    text: String,
    canonical: String,
}

#[derive(Deserialize)]
struct Refuses {
    text: String,
    word: String,
    character: usize,
    message: String,
}

fn cases() -> Cases {
    serde_json::from_str(include_str!("../../tests/selectors.json")).unwrap()
}

#[test]
fn what_is_read_has_one_canonical_form() {
    for case in cases().reads {
        let selector = Selector::parse(&case.text).unwrap_or_else(|error| panic!("{:?}: {error}", case.text));
        assert_eq!(selector.to_string(), case.canonical, "{:?}", case.text);
        assert_eq!(Selector::parse(&case.canonical).unwrap().to_string(), case.canonical);
    }
}

#[test]
fn what_is_refused_names_its_faulty_word() {
    for case in cases().refuses {
        let error = Selector::parse(&case.text).expect_err(&case.text);
        let found = (error.word.as_str(), error.character, error.message.as_str());
        assert_eq!(found, (case.word.as_str(), case.character, case.message.as_str()), "{:?}", case.text);
    }
    let error = Selector::parse("paris lyon").unwrap_err().to_string();
    assert_eq!(error, "'lyon' at character 7 needs 'and' or 'or' before it");
}

#[test]
fn everything_is_bounded() {
    let message = |text: &str| Selector::parse(text).unwrap_err().message;
    assert!(message(&"a".repeat(LONGEST + 1)).contains("at most 2000 bytes"));
    let nested = |levels: usize| format!("{}a{}", "(".repeat(levels), ")".repeat(levels));
    assert!(Selector::parse(&nested(DEEPEST)).is_ok());
    assert!(message(&nested(DEEPEST + 1)).contains("nested too deep"));
    assert!(message(&"not ".repeat(DEEPEST + 1)).contains("nested too deep"));
    let list = |terms: usize| vec!["a"; terms].join(",");
    assert!(Selector::parse(&list(MOST_TERMS)).is_ok());
    assert!(message(&list(MOST_TERMS + 1)).contains("one term too many"));
}

/// The same without places, which differ between texts that mean the same.
fn bare(expression: &Expression) -> Expression {
    let all = |parts: &[Expression]| parts.iter().map(bare).collect();
    match expression {
        Expression::Term(term) => Expression::Term(Term { kind: term.kind.clone(), start: 0, end: 0 }),
        Expression::Not(inner) => Expression::Not(Box::new(bare(inner))),
        Expression::And(parts) => Expression::And(all(parts)),
        Expression::Or(parts) => Expression::Or(all(parts)),
    }
}

/// Joins lists inside lists, as reading does.
fn joined(parts: Vec<Expression>, and: bool) -> Expression {
    let flat = parts.into_iter().flat_map(|part| match part {
        Expression::And(inner) if and => inner,
        Expression::Or(inner) if !and => inner,
        other => vec![other],
    });
    let flat = flat.collect();
    if and { Expression::And(flat) } else { Expression::Or(flat) }
}

fn term() -> impl Strategy<Value = Expression> {
    let text = "[^\\p{Cc}]{1,8}|[a-zA-Z0-9:@.\"'\\\\ ,()-]{1,8}|and|or|NOT|limit|all|as7|@last|tag:x";
    let kind = prop_oneof![
        text.prop_map(TermKind::Word),
        "[a-zA-Z0-9_.:-]{1,9}x".prop_map(TermKind::Queue),
        text.prop_map(TermKind::Worker),
        text.prop_map(TermKind::Tag),
        text.prop_map(TermKind::Site),
        "[A-Z]{2}".prop_map(TermKind::Country),
        (1..=u32::MAX).prop_map(TermKind::As),
        Just(TermKind::All),
        Just(TermKind::Last),
        any::<u128>().prop_map(|id| TermKind::Operation(Uuid::from_u128(id))),
    ];
    kind.prop_map(|kind| Expression::Term(Term { kind, start: 0, end: 0 }))
}

fn expression() -> impl Strategy<Value = Expression> {
    term().prop_recursive(6, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|one| Expression::Not(Box::new(one))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| joined(parts, true)),
            prop::collection::vec(inner, 2..4).prop_map(|parts| joined(parts, false)),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in "\\PC*|[a-z:@\"'\\\\ ,()0-9]{0,60}|((and|or|not|limit|all|a|tag:b|,|\\(|\\)|3) ?){0,20}") {
        match Selector::parse(&text) {
            Ok(selector) => {
                let canonical = selector.to_string();
                if canonical.len() <= LONGEST {
                    prop_assert_eq!(Selector::parse(&canonical).unwrap().to_string(), canonical);
                }
            }
            Err(error) => {
                prop_assert!(error.start <= error.end && error.end <= text.len());
                prop_assert!(text.is_char_boundary(error.start) && text.is_char_boundary(error.end));
            }
        }
    }

    #[test]
    fn what_is_shown_reads_as_the_same(expression in expression(), limit in prop::option::of(1..=HIGHEST_LIMIT)) {
        let text = Selector { expression: expression.clone(), limit, text: String::new() }.to_string();
        prop_assume!(text.len() <= LONGEST);
        let read = Selector::parse(&text).unwrap();
        prop_assert_eq!(bare(&read.expression), expression);
        prop_assert_eq!(read.limit, limit);
    }
}

const PAST: Uuid = Uuid::from_u128(0x0193_3f6e_1234_7abc_8def_0123_4567_89ab);

fn fleet() -> Fleet {
    let worker =
        |id: u128, name: &str, site: &str, tags: &[&str], country: &str, asn, queues: &[&str], state| Facts {
            id: Uuid::from_u128(id),
            name: name.into(),
            site: site.into(),
            tags: tags.iter().map(|&tag| tag.into()).collect(),
            country: country.into(),
            asn,
            queues: queues.iter().map(|&queue| queue.into()).collect(),
            state,
        };
    use WorkerState::{Draining, Offline, Online, Revoked};
    let (any, every, paris) = ("netwark", "netwark.broadcast", "netwark.paris");
    Fleet {
        queues: vec![(any.into(), false), (every.into(), true), (paris.into(), false)],
        workers: vec![
            worker(1, "lyon-1", "Lyon", &["prod"], "FR", Some(64500), &[any, every], Online),
            worker(2, "lyon-2", "Lyon", &["prod", "Lab"], "FR", Some(64500), &[any, every], Offline),
            worker(3, "paris-1", "Paris", &["prod"], "FR", Some(64501), &[any, every, paris], Online),
            worker(4, "paris-2", "Paris", &["lab"], "FR", None, &[any, every, paris], Draining),
            worker(5, "rome", "New Rome", &[], "IT", None, &[], Online),
            worker(6, "nice", "Paris", &["prod"], "FR", None, &[], Revoked),
        ],
        operations: HashMap::from([(PAST, BTreeSet::from([Uuid::from_u128(1), Uuid::from_u128(4)]))]),
    }
}

/// Names of those that run, a bar, names of those that are skipped.
fn found(text: &str) -> Result<String, String> {
    let fleet = fleet();
    let selector = Selector::parse(text).map_err(|error| error.to_string())?;
    let choice = selector.choose(&fleet).map_err(|error| error.to_string())?;
    let names = |list: &[&Facts]| list.iter().map(|worker| worker.name.clone()).collect::<Vec<_>>().join(" ");
    Ok(format!("{}|{}", names(&choice.run), names(&choice.skipped)))
}

#[test]
fn who_fits_is_found() {
    for (text, expected) in [
        ("all", "lyon-1 paris-1 rome|lyon-2 paris-2"),
        ("paris", "paris-1|paris-2"),
        ("NETWARK.Paris", "paris-1|paris-2"),
        ("queue:paris", "paris-1|paris-2"),
        ("Rome", "rome|"),
        ("worker:rome", "rome|"),
        ("site:paris", "paris-1|paris-2"),
        ("site:\"new rome\"", "rome|"),
        ("tag:LAB", "|lyon-2 paris-2"),
        ("country:it", "rome|"),
        ("AS64500", "lyon-1|lyon-2"),
        ("site:paris and not tag:lab", "paris-1|"),
        ("site:paris and site:lyon", "|"),
        ("not netwark", "rome|"),
        ("not not rome", "rome|"),
        ("nice or rome", "rome|nice"),
        ("worker:nice and tag:lab", "|"),
        ("site:lyon or rome", "lyon-1 rome|lyon-2"),
        ("tag:prod and (site:lyon or site:paris) and not as:64501", "lyon-1|lyon-2"),
        ("@01933f6e-1234-7abc-8def-0123456789ab", "lyon-1|paris-2"),
        ("@01933f6e-1234-7abc-8def-0123456789ab and site:lyon", "lyon-1|"),
    ] {
        assert_eq!(found(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn words_that_stand_for_nothing_are_named() {
    for (text, expected) in [
        ("pariss", "'pariss' at character 1 is no queue and no worker; did you mean 'paris'?"),
        ("paris or tokyo", "'tokyo' at character 10 is no queue and no worker"),
        ("lab", "'lab' at character 1 is no queue and no worker; did you mean 'tag:lab'?"),
        ("lyon", "'lyon' at character 1 is no queue and no worker; did you mean 'site:lyon'?"),
        (
            "town:paris",
            "'town:paris' at character 1 is no queue and no worker; the keys are queue:, worker:, name:, tag:, site:, country:, as:",
        ),
        ("queue:parsi", "'queue:parsi' at character 1 is no queue; did you mean 'paris'?"),
        (
            "queue:x",
            "'queue:x' at character 1 is no queue; the queues are netwark, netwark.broadcast, netwark.paris",
        ),
        (
            "worker:paris",
            "'worker:paris' at character 1 finds nobody: no worker is named 'paris'; did you mean 'paris-1'?",
        ),
        (
            "site:paris and not tag:labs",
            "'tag:labs' at character 20 finds nobody: no worker has the tag 'labs'; did you mean 'Lab'?",
        ),
        ("site:nice", "'site:nice' at character 1 finds nobody: no worker stands at the site 'nice'"),
        ("country:DE", "'country:DE' at character 1 finds nobody: no worker stands in the country 'DE'"),
        ("as:1", "'as:1' at character 1 finds nobody: no worker stands in AS1"),
        ("@last", "'@last' at character 1 finds nobody: you have not run an operation yet"),
        (
            "@00000000-0000-0000-0000-000000000000",
            "'@00000000-0000-0000-0000-000000000000' at character 1 finds nobody: there is no operation with this id",
        ),
    ] {
        assert_eq!(found(text), Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn a_plain_list_of_queues_stays_one() {
    let fleet = fleet();
    let plain = |text: &str| Selector::parse(text).unwrap().plain_queues(&fleet.queues);
    let queue = |name: &str, broadcast| (name.to_owned(), broadcast);
    assert_eq!(plain("netwark"), Some(vec![queue("netwark", false)]));
    assert_eq!(
        plain("paris, queue:broadcast, netwark.paris"),
        Some(vec![queue("netwark.paris", false), queue("netwark.broadcast", true)])
    );
    for text in ["paris limit 1", "paris, rome", "not paris", "paris and netwark", "all", "paris, nowhere"] {
        assert_eq!(plain(text), None, "{text}");
    }
}

#[test]
fn the_latest_operation_is_pinned_to_its_id() {
    let mut selector = Selector::parse("site:lyon and not @last limit 2").unwrap();
    assert!(selector.last().is_some() && selector.operations().is_empty());
    selector.pin(PAST);
    assert_eq!(selector.to_string(), format!("site:lyon and not @{PAST} limit 2"));
    assert_eq!(selector.operations(), [PAST]);
}

#[test]
fn a_limit_is_fair_and_prefers_who_takes_work() {
    let fleet = fleet();
    let all = || Selector::parse("all").unwrap().choose(&fleet).unwrap();
    let mut times = HashMap::<&str, usize>::new();
    for seed in 0..3_000 {
        let choice = all().limited(2, seed);
        assert_eq!((choice.run.len(), choice.skipped.len()), (2, 0));
        assert_eq!(choice, all().limited(2, seed));
        choice.run.iter().for_each(|worker| *times.entry(&worker.name).or_default() += 1);
    }
    for name in ["lyon-1", "paris-1", "rome"] {
        assert!((1_800..2_200).contains(&times[name]), "{name} was chosen {} times of 3000", times[name]);
    }
    let choice = all().limited(4, 7);
    assert_eq!((choice.run.len(), choice.skipped.len()), (3, 1));
    assert_eq!(all().limited(10, 7), all());
}

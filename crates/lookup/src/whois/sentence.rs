//! Answers in a sentence.

use super::question::Question;
use super::shape::{Outcome, Record, Step, StepOutcome};

/// What became of a question, for people.
pub(super) fn of(question: &Question, outcome: Outcome, record: Option<&Record>, steps: &[Step]) -> String {
    let last = |wanted: StepOutcome| steps.iter().rev().find(|step| step.outcome == wanted);
    match (outcome, record) {
        (Outcome::Found, Some(record)) => found(question, record),
        (Outcome::NoMatch, _) => {
            let server = last(StepOutcome::NoMatch).map_or("the registry", |step| &step.server);
            match question {
                Question::Domain(name) => format!("{name} is not registered, says {server}."),
                other => format!("{server} knows nothing of {other}."),
            }
        }
        (Outcome::NoRegistry, _) => match question {
            Question::Domain(name) => {
                let last = name.rsplit('.').next().unwrap_or(name);
                format!("No registry is known for .{last}: IANA names no server of WHOIS or RDAP for it.")
            }
            other => format!("No registry is known for {other}."),
        },
        (Outcome::RateLimited, _) => {
            let server = last(StepOutcome::RateLimited).map_or("the registry", |step| &step.server);
            format!("{server} has been asked too often for now; try again in a minute.")
        }
        (Outcome::Unclear, _) => "The answer holds nothing that is understood; see it below.".into(),
        _ => {
            let why = steps.last().and_then(|step| step.why.as_ref().map(|why| (&step.server, why)));
            why.map_or_else(
                || "No registry could be asked.".into(),
                |(server, why)| format!("No registry could be asked. {server}: {why}."),
            )
        }
    }
}

fn found(question: &Question, record: &Record) -> String {
    let day = |time: &String| time.get(..10).unwrap_or(time).to_owned();
    let mut text = match question {
        Question::Domain(name) => {
            let mut text = format!("{} is registered", record.domain.as_ref().unwrap_or(name));
            if let Some(registrar) = &record.registrar {
                text.push_str(&format!(" through {registrar}"));
            }
            text
        }
        Question::AsNumber(_) => {
            let name = record.as_name.as_ref().map(|name| format!(" is {name}")).unwrap_or_default();
            format!("{question}{name}")
        }
        _ => {
            let name = record.network_name.as_deref().unwrap_or("a network");
            let range = match record.prefixes.as_slice() {
                [prefix] => Some(prefix.clone()),
                _ => record.range.clone(),
            };
            format!(
                "{question} lies in {name}{}",
                range.map(|range| format!(", {range}")).unwrap_or_default()
            )
        }
    };
    let holder = record.organisation.as_ref().or(record.registrant.as_ref());
    if let Some(holder) = holder {
        text.push_str(&format!(", held by {holder}"));
    }
    if let Some(country) = &record.country {
        text.push_str(&format!(" ({country})"));
    }
    if let Some(created) = &record.created {
        text.push_str(&format!(", since {}", day(created)));
    }
    if let Some(expires) = &record.expires {
        text.push_str(&format!(", until {}", day(expires)));
    }
    text.push('.');
    text
}

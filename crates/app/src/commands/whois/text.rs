//! Answers of registries as lines of text.

use netwark_lookup::whois::{Dnssec, Protocol, Record, Step, WhoisAnswer};

/// An answer for people.
pub fn lines(answer: &WhoisAnswer) -> Vec<String> {
    let mut lines = vec![answer.summary.clone()];
    if let Some(record) = &answer.record {
        lines.extend(facts(record).into_iter().map(|(name, value)| format!("  {name:<15} {value}")));
    }
    let asked: Vec<String> = answer.steps.iter().map(step).collect();
    if !asked.is_empty() {
        lines.push(format!("  {:<15} {}", "Asked", asked.join(", ")));
    }
    for step in &answer.steps {
        if let Some(why) = &step.why {
            lines.push(format!("  {:<15} {}: {why}", "", step.server));
        }
    }
    lines
}

fn step(step: &Step) -> String {
    let protocol = match step.protocol {
        Protocol::Rdap => "RDAP",
        Protocol::Whois => "WHOIS",
    };
    format!("{} ({protocol})", step.server)
}

/// What is known, name by name; several values of one name stand in lines of their own.
fn facts(record: &Record) -> Vec<(&'static str, String)> {
    let number = record.registrar_id.as_ref().map(|id| format!(" (IANA {id})")).unwrap_or_default();
    let one = [
        ("Network", record.network_name.clone()),
        ("Range", record.range.clone()),
        ("AS number", record.as_number.clone()),
        ("AS name", record.as_name.clone()),
        ("Registry", record.rir.clone()),
        ("Registrar", record.registrar.as_ref().map(|registrar| format!("{registrar}{number}"))),
        ("Registrar page", record.registrar_url.clone()),
        ("Organisation", record.organisation.clone()),
        ("Registrant", record.registrant.clone()),
        ("Country", record.country.clone()),
        ("Created", record.created.clone()),
        ("Created before", record.created_before.clone()),
        ("Changed", record.changed.clone()),
        ("Expires", record.expires.clone()),
        (
            "DNSSEC",
            record.dnssec.map(|dnssec| if dnssec == Dnssec::Signed { "signed" } else { "not signed" }.into()),
        ),
        ("Abuse", record.abuse_email.clone()),
        ("Abuse phone", record.abuse_phone.clone()),
    ];
    let mut facts: Vec<(&'static str, String)> =
        one.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    for (name, values) in
        [("Prefix", &record.prefixes), ("Name server", &record.name_servers), ("Status", &record.status)]
    {
        facts.extend(values.iter().map(|value| (name, value.clone())));
    }
    facts
}

/// What was answered, as it came.
pub fn raw(answer: &WhoisAnswer) -> Vec<String> {
    if answer.steps.is_empty() {
        return vec![answer.summary.clone()];
    }
    let mut lines = Vec::new();
    for one in &answer.steps {
        lines.push(format!("# {}: {}", step(one), one.query));
        lines.extend(one.why.iter().map(|why| format!("# {why}")));
        lines.extend(one.raw.lines().map(str::to_owned));
    }
    lines
}

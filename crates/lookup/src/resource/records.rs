//! The usual records of a name, asked for at once.

use futures::future::join_all;
use netwark_model::tools::dns::{DnsOptions, DnsOutcome, DnsRecord};
use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::answer::Part;
use crate::dns::ask::{AskError, Asker};

/// The types that are asked for, in the order in which their records are told.
pub const TYPES: &[&str] = &["A", "AAAA", "CNAME", "MX", "NS", "TXT", "SOA", "CAA"];

/// The usual records of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DnsRecords)]
pub struct Records {
    /// The zone that the name stands in, as far as an answer said so.
    #[schema(example = "example.org.")]
    pub zone: Option<String>,
    /// Who answered: address and port.
    #[schema(example = json!(["9.9.9.9:53"]))]
    pub servers: Vec<String>,
    /// What there is, type by type. Those of an alias and of the name it stands for are among them.
    pub records: Vec<DnsRecord>,
    /// Types of which the name has no records.
    #[schema(example = json!(["CAA"]))]
    pub absent: Vec<String>,
    /// Types that could not be found out.
    pub failed: Vec<FailedType>,
}

/// A type of records that could not be found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DnsFailedType)]
pub struct FailedType {
    /// The type.
    #[serde(rename = "type")]
    #[schema(example = "CAA")]
    pub kind: String,
    /// Why it could not be found out.
    pub why: String,
}

/// Asks for the usual records of a name; each question waits for its turn.
pub(super) async fn ask(asker: &Asker, turns: &Semaphore, name: &str) -> Part<Records> {
    let asked = TYPES.iter().map(|kind| async move {
        let _turn = turns.acquire().await.ok();
        let options = DnsOptions { kind: Some((*kind).to_owned()), ..DnsOptions::default() };
        (*kind, asker.ask(name, &options).await)
    });
    told(join_all(asked).await)
}

fn told(answers: Vec<(&str, Result<DnsOutcome, AskError>)>) -> Part<Records> {
    let mut all = Records::default();
    let mut no_name = None;
    for (kind, answer) in answers {
        match answer {
            Ok(outcome) => match outcome.status.as_deref() {
                // The name that an alias leads to may be missing; the alias itself is there.
                Some("NXDOMAIN") if outcome.answers.is_empty() => no_name = Some(outcome.verdict.summary),
                Some("NOERROR" | "NXDOMAIN") => all.take(kind, outcome),
                _ => all.fail(kind, outcome.verdict.summary),
            },
            Err(error) => all.fail(kind, error.to_string()),
        }
    }
    all.sort();
    match (all.records.is_empty(), no_name, all.failed.first()) {
        (false, ..) => Part::ok(all),
        (true, Some(why), _) => Part::nothing(why),
        (true, None, Some(failed)) if all.absent.is_empty() => Part::error(failed.why.clone()),
        (true, None, Some(_)) => Part::ok(all),
        (true, None, None) => Part::nothing(format!("the name has no records of {}", TYPES.join(", "))),
    }
}

impl Records {
    fn take(&mut self, kind: &str, outcome: DnsOutcome) {
        let asked = &outcome.question.name;
        if let Some(reply) = outcome.reply {
            if !self.servers.contains(&reply.server) {
                self.servers.push(reply.server);
            }
            let mut said = outcome.answers.iter().chain(&reply.authority);
            let zone = said.find(|record| record.kind == "SOA" && is_within(asked, &record.name));
            self.zone = self.zone.take().or(zone.map(|record| record.name.clone()));
        }
        if !outcome.answers.iter().any(|record| record.kind == kind) {
            self.absent.push(kind.to_owned());
        }
        for record in outcome.answers.into_iter().filter(|record| record.kind != "RRSIG") {
            let same = |known: &&mut DnsRecord| {
                (&known.name, &known.kind, &known.data) == (&record.name, &record.kind, &record.data)
            };
            match self.records.iter_mut().find(same) {
                Some(known) => known.ttl = known.ttl.min(record.ttl),
                None => self.records.push(record),
            }
        }
    }

    fn fail(&mut self, kind: &str, why: String) {
        self.failed.push(FailedType { kind: kind.to_owned(), why });
    }

    /// By type as they are asked for, then by preference where records have one.
    fn sort(&mut self) {
        self.records.sort_by_cached_key(|record| {
            let place = TYPES.iter().position(|kind| *kind == record.kind).unwrap_or(TYPES.len());
            let preference =
                (record.kind == "MX").then(|| record.data.split(' ').next()?.parse::<u16>().ok());
            (place, record.name.clone(), preference.flatten(), record.data.clone())
        });
    }
}

/// True for a name in a zone, both with the dot at their end.
fn is_within(name: &str, zone: &str) -> bool {
    zone == "." || name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use netwark_model::tools::dns::{DnsQuestion, DnsReply};
    use netwark_model::tools::verdict::Verdict;

    use super::*;
    use crate::resource::PartStatus;

    fn record(name: &str, kind: &str, data: &str, ttl: u32) -> DnsRecord {
        DnsRecord { name: name.into(), kind: kind.into(), data: data.into(), ttl }
    }

    fn outcome(status: &str, answers: Vec<DnsRecord>) -> Result<DnsOutcome, AskError> {
        let soa = record("example.org.", "SOA", "ns. host. 1 2 3 4 5", 60);
        Ok(DnsOutcome {
            question: DnsQuestion { name: "www.example.org.".into(), kind: String::new() },
            status: Some(status.into()),
            answers,
            reply: Some(DnsReply {
                server: "192.0.2.53:53".into(),
                authority: vec![soa],
                ..DnsReply::default()
            }),
            verdict: Verdict { summary: format!("it says {status}"), ..Verdict::default() },
            ..DnsOutcome::default()
        })
    }

    fn silence() -> Result<DnsOutcome, AskError> {
        Err(AskError::Nobody("nobody to ask".into()))
    }

    #[test]
    fn records_stand_type_by_type_and_once() {
        let alias = |ttl| record("www.example.org.", "CNAME", "web.example.org.", ttl);
        let part = told(vec![
            ("A", outcome("NOERROR", vec![alias(300), record("web.example.org.", "A", "192.0.2.1", 60)])),
            ("CNAME", outcome("NOERROR", vec![alias(299)])),
            (
                "MX",
                outcome(
                    "NOERROR",
                    vec![record("w.", "MX", "10 b.", 1), record("w.", "MX", "5 c.", 1), alias(300)],
                ),
            ),
            ("TXT", outcome("NOERROR", vec![])),
            ("CAA", outcome("SERVFAIL", vec![])),
        ]);
        let data = part.data.unwrap();
        let told: Vec<String> = data.records.iter().map(|one| format!("{} {}", one.kind, one.data)).collect();
        assert_eq!(told, ["A 192.0.2.1", "CNAME web.example.org.", "MX 5 c.", "MX 10 b."]);
        assert_eq!(data.records[1].ttl, 299);
        assert_eq!((data.zone.as_deref(), data.absent), (Some("example.org."), vec!["TXT".to_owned()]));
        assert_eq!(data.failed, [FailedType { kind: "CAA".into(), why: "it says SERVFAIL".into() }]);
        assert_eq!(data.servers, ["192.0.2.53:53"]);
    }

    #[test]
    fn what_is_not_there_is_told_from_what_is_not_known() {
        let status = |answers| {
            let part = told(answers);
            (part.status, part.reason.unwrap_or_default())
        };
        let nobody = status(vec![("A", silence()), ("MX", silence())]);
        assert_eq!(nobody, (PartStatus::Error, "nobody to ask".into()));
        let no_name = status(vec![("A", outcome("NXDOMAIN", vec![])), ("MX", silence())]);
        assert_eq!(no_name, (PartStatus::Nothing, "it says NXDOMAIN".into()));
        let bare = status(vec![("A", outcome("NOERROR", vec![])), ("MX", outcome("NOERROR", vec![]))]);
        assert_eq!(bare.0, PartStatus::Nothing);
        assert_eq!(status(vec![("A", outcome("NOERROR", vec![])), ("MX", silence())]).0, PartStatus::Ok);
        let dangling = vec![record("www.example.org.", "CNAME", "gone.example.", 60)];
        assert_eq!(status(vec![("A", outcome("NXDOMAIN", dangling))]).0, PartStatus::Ok);
    }

    #[test]
    fn names_in_zones() {
        for (name, zone, within) in [
            ("www.example.org.", "example.org.", true),
            ("example.org.", "example.org.", true),
            ("wwwexample.org.", "example.org.", false),
            ("example.org.", ".", true),
        ] {
            assert_eq!(is_within(name, zone), within, "{name} {zone}");
        }
    }
}

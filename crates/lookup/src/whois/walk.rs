//! From server to server, until the one that knows.

use std::time::{Duration, Instant};

use super::parse::{self, Verdict, referral};
use super::question::{Question, candidates};
use super::registries::{Registries, Registry};
use super::shape::{Outcome, Protocol, Record, Step, StepOutcome, WhoisAnswer};
use super::{Inner, forms, port43, rdap, rir_of, sentence, unasked};

/// Asks the registries.
pub(super) async fn ask(inner: &Inner, question: &Question) -> WhoisAnswer {
    let began = Instant::now();
    let registries = inner.registries();
    let mut answer = WhoisAnswer {
        query: question.to_string(),
        unicode: question.unicode(),
        subject: question.subject(),
        outcome: Outcome::Failed,
        summary: String::new(),
        record: None,
        steps: Vec::new(),
        asked_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        took_ms: 0,
    };
    match unasked::why(question) {
        // A registry of one's own may have it all the same.
        Some((why, block)) if !registries.has_row_within(question, block) => {
            answer.outcome = Outcome::Special;
            answer.summary = why;
        }
        _ => {
            let mut walk = Walk {
                inner,
                registries: &registries,
                deadline: began + inner.limits.total,
                steps: Vec::new(),
            };
            let record = walk.names(question).await;
            answer.steps = walk.steps;
            answer.outcome = outcome(record.as_ref(), &answer.steps);
            answer.summary = sentence::of(question, answer.outcome, record.as_ref(), &answer.steps);
            answer.record = record;
        }
    }
    answer.took_ms = millis(began.elapsed());
    answer
}

fn outcome(record: Option<&Record>, steps: &[Step]) -> Outcome {
    let any = |outcome: StepOutcome| steps.iter().any(|step| step.outcome == outcome);
    if record.is_some() {
        Outcome::Found
    } else if any(StepOutcome::NoMatch) {
        Outcome::NoMatch
    } else if any(StepOutcome::RateLimited) {
        Outcome::RateLimited
    } else if any(StepOutcome::Unclear) {
        Outcome::Unclear
    } else if steps.iter().all(|step| step.outcome == StepOutcome::Referral) {
        Outcome::NoRegistry
    } else {
        Outcome::Failed
    }
}

struct Walk<'a> {
    inner: &'a Inner,
    registries: &'a Registries,
    deadline: Instant,
    steps: Vec<Step>,
}

/// What one registry made of it.
enum Told {
    Found(Box<Record>),
    NoMatch,
    Nothing,
}

impl Walk<'_> {
    /// Asks for the name itself or for the parent that is registered.
    async fn names(&mut self, question: &Question) -> Option<Record> {
        let Question::Domain(name) = question else {
            return match self.registry(question).await {
                Told::Found(record) => Some(*record),
                _ => None,
            };
        };
        for candidate in candidates(name) {
            match self.registry(&Question::Domain(candidate.to_owned())).await {
                Told::Found(mut record) => {
                    record.domain.get_or_insert_with(|| candidate.to_owned());
                    return Some(*record);
                }
                Told::NoMatch => {}
                Told::Nothing => return None,
            }
        }
        None
    }

    async fn registry(&mut self, question: &Question) -> Told {
        let Registry { rdap, whois } = self.registries.of(question);
        if let Some(base) = rdap {
            match self.by_rdap(&base, question).await {
                Told::Nothing => {}
                told => return told,
            }
        }
        let first = whois.unwrap_or_else(|| self.registries.iana().to_owned());
        self.by_whois(first, question).await
    }

    /// RDAP, with the registrar's own service, or the national registry, where they know more.
    async fn by_rdap(&mut self, base: &str, question: &Question) -> Told {
        let Some((outcome, mut record, related)) = self.rdap_step(&rdap::url(base, question)).await else {
            return Told::Nothing;
        };
        match outcome {
            StepOutcome::Found => {}
            StepOutcome::NoMatch => return Told::NoMatch,
            _ => return Told::Nothing,
        }
        if let Some(related) =
            related.filter(|_| record.organisation.is_none() || record.abuse_email.is_none())
            && let Some((StepOutcome::Found, of_registrar, _)) = self.rdap_step(&related).await
        {
            record.fill_from(of_registrar);
        }
        if let Some(mut smaller) = self.by_national(&record, question).await {
            smaller.fill_from(record);
            record = smaller;
        }
        Told::Found(Box::new(record))
    }

    /// APNIC passes addresses on to registries of nations, which know whom they gave them to.
    async fn by_national(&mut self, regional: &Record, question: &Question) -> Option<Record> {
        if matches!(question, Question::Domain(_)) || regional.rir.as_deref() != Some("APNIC") {
            return None;
        }
        let server = referral::national(&self.steps.last()?.raw)?;
        let (verdict, mut record, _) =
            self.whois_step(&server, &forms::of(&server, question), question).await?;
        record.rir = Some("APNIC".into());
        (verdict == Verdict::Found).then_some(record)
    }

    async fn rdap_step(&mut self, url: &str) -> Option<(StepOutcome, Record, Option<String>)> {
        let host = reqwest::Url::parse(url).ok().and_then(|url| {
            let host = url.host_str()?.to_owned();
            Some(url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
        });
        let server = host.unwrap_or_default();
        if self.steps.iter().any(|step| step.query == url) {
            return None;
        }
        let began = Instant::now();
        let mut step = Step {
            protocol: Protocol::Rdap,
            server: server.clone(),
            query: url.to_owned(),
            outcome: StepOutcome::Failed,
            why: None,
            refers_to: None,
            took_ms: 0,
            truncated: false,
            raw: String::new(),
        };
        let mut told = None;
        match self.may_ask(&server).await {
            Err((outcome, why)) => (step.outcome, step.why) = (outcome, Some(why)),
            Ok(within) => {
                let inner = &self.inner;
                let made = || inner.outbound.http(inner.limits.step).map_err(|error| error.to_string());
                let asked = match inner.http.get_or_init(made) {
                    Ok(client) => rdap::ask(client, &inner.outbound, url, within, inner.limits.bytes).await,
                    Err(why) => Err(why.clone()),
                };
                match asked {
                    Err(why) => step.why = Some(why),
                    Ok(received) => {
                        step.outcome = received.outcome;
                        step.why = received.why;
                        step.refers_to = received.from;
                        step.truncated = received.truncated;
                        step.raw = received.text;
                        told = Some((received.outcome, received.record, received.related));
                    }
                }
            }
        }
        self.done(step, began);
        told
    }

    /// WHOIS, along its referrals.
    async fn by_whois(&mut self, first: String, question: &Question) -> Told {
        let mut next = Some(first);
        let mut found: Option<Record> = None;
        let mut no_match = false;
        while let Some(server) = next.take() {
            let line = forms::of(&server, question);
            if self.steps.iter().any(|step| step.server == server && step.query == line) {
                break;
            }
            let Some((verdict, mut record, referred)) = self.whois_step(&server, &line, question).await
            else {
                break;
            };
            let refers = self.steps.last().is_some_and(|step| step.outcome == StepOutcome::Referral);
            let is_number = !matches!(question, Question::Domain(_));
            if let Some(base) = referred.as_deref().filter(|_| refers && is_number) {
                // IANA names the server of WHOIS; the registry behind it may have RDAP.
                if let Some(base) = self.registries.rdap_of(base).map(str::to_owned) {
                    match self.by_rdap(&base, question).await {
                        Told::Nothing => {}
                        told => return told,
                    }
                }
            }
            match verdict {
                Verdict::Found if !refers => {
                    record.rir =
                        record.rir.or_else(|| rir_of(&server).map(str::to_owned).filter(|_| is_number));
                    found = Some(match found {
                        None => record,
                        // A registrar adds to the registry; a smaller registry knows better than the one above it.
                        Some(mut known) if !is_number => {
                            known.fill_from(record);
                            known
                        }
                        Some(known) => {
                            record.fill_from(known);
                            record
                        }
                    });
                }
                Verdict::NoMatch => no_match |= found.is_none(),
                _ => {}
            }
            next = referred;
        }
        match found {
            Some(record) => Told::Found(Box::new(record)),
            None if no_match => Told::NoMatch,
            None => Told::Nothing,
        }
    }

    async fn whois_step(
        &mut self,
        server: &str,
        line: &str,
        question: &Question,
    ) -> Option<(Verdict, Record, Option<String>)> {
        // What IANA says of a top level domain is the answer to a question about it.
        let of_iana = server == self.registries.iana();
        let is_top = matches!(question, Question::Domain(name) if of_iana && !name.contains('.'));
        let began = Instant::now();
        let mut step = Step {
            protocol: Protocol::Whois,
            server: server.to_owned(),
            query: line.to_owned(),
            outcome: StepOutcome::Failed,
            why: None,
            refers_to: None,
            took_ms: 0,
            truncated: false,
            raw: String::new(),
        };
        let mut told = None;
        match self.may_ask(server).await {
            Err((outcome, why)) => (step.outcome, step.why) = (outcome, Some(why)),
            Ok(within) => {
                match port43::ask(&self.inner.outbound, server, line, within, self.inner.limits.bytes).await {
                    Err(why) => step.why = Some(why),
                    Ok(received) => {
                        let parsed = parse::parse(&received.text);
                        let referred =
                            referral::of(&received.text).filter(|referred| referred != server && !is_top);
                        let is_domain = matches!(question, Question::Domain(_));
                        let only_refers = of_iana && !is_top && (is_domain || referred.is_some());
                        step.outcome = judge(parsed.verdict, only_refers, referred.is_some());
                        step.why = received.broken;
                        step.refers_to.clone_from(&referred);
                        step.truncated = received.truncated;
                        step.raw = received.text;
                        told = Some((parsed.verdict, parsed.record, referred));
                    }
                }
            }
        }
        if step.outcome == StepOutcome::RateLimited && !step.raw.is_empty() {
            self.inner.pace.leave_alone(server);
        }
        self.done(step, began);
        told
    }

    /// Waits for a turn at a server; how long it may take.
    async fn may_ask(&self, server: &str) -> Result<Duration, (StepOutcome, String)> {
        let limits = &self.inner.limits;
        if self.steps.len() >= limits.steps {
            return Err((StepOutcome::Failed, format!("{} servers have been asked already", limits.steps)));
        }
        let turn = self.inner.pace.turn(server).await;
        turn.map_err(|wait| {
            let seconds = wait.as_secs() + 1;
            (
                StepOutcome::RateLimited,
                format!("it has been asked often enough for now; again in {seconds} s"),
            )
        })?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let total = limits.total.as_secs();
            return Err((StepOutcome::Failed, format!("the {total} s for all servers together are over")));
        }
        Ok(left.min(limits.step))
    }

    fn done(&mut self, mut step: Step, began: Instant) {
        step.took_ms = millis(began.elapsed());
        tracing::debug!(server = step.server, query = step.query, outcome = ?step.outcome, took_ms = step.took_ms, "asked");
        // One more than may be asked says why it was not.
        if self.steps.len() <= self.inner.limits.steps {
            self.steps.push(step);
        }
    }
}

/// What a step is: IANA only refers, except about the top level itself.
fn judge(verdict: Verdict, only_refers: bool, refers: bool) -> StepOutcome {
    match verdict {
        Verdict::Found if only_refers => StepOutcome::Referral,
        Verdict::Found => StepOutcome::Found,
        Verdict::NoMatch => StepOutcome::NoMatch,
        _ if refers => StepOutcome::Referral,
        Verdict::RateLimited => StepOutcome::RateLimited,
        Verdict::Refused => StepOutcome::Refused,
        Verdict::Unclear => StepOutcome::Unclear,
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

//! Registration data as JSON (RFC 9083), asked over HTTPS (RFC 9082).

mod vcard;

use std::time::Duration;

use reqwest::{Client, StatusCode, Url, header};
use serde_json::Value;
use tokio::time::timeout;

use self::vcard::Card;
use super::parse::time;
use super::question::Question;
use super::shape::{Dnssec, Record, StepOutcome};
use crate::fetch::causes;
use crate::outbound::Outbound;

/// Most entities that are looked at, those within others included.
const MOST_ENTITIES: usize = 100;
/// Most values of one field.
const MOST_VALUES: usize = 64;

/// What a service answered.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) outcome: StepOutcome,
    pub(super) why: Option<String>,
    /// The answer as it came.
    pub(super) text: String,
    pub(super) truncated: bool,
    /// The host that answered in the end, when the first one redirected.
    pub(super) from: Option<String>,
    pub(super) record: Record,
    /// The service of the registrar, which may know more.
    pub(super) related: Option<String>,
}

/// The URL of a question at a service.
pub(super) fn url(base: &str, question: &Question) -> String {
    match question {
        Question::Domain(name) => format!("{base}domain/{name}"),
        Question::Address(address) => format!("{base}ip/{address}"),
        Question::Prefix(prefix) => format!("{base}ip/{prefix}"),
        Question::AsNumber(number) => format!("{base}autnum/{number}"),
    }
}

/// Asks a service.
///
/// # Errors
/// When it cannot be reached, or its answer breaks off.
pub(super) async fn ask(
    client: &Client,
    outbound: &Outbound,
    url: &str,
    within: Duration,
    largest: usize,
) -> Result<Received, String> {
    let url = Url::parse(url).map_err(|error| format!("'{url}' is no URL: {error}"))?;
    outbound.check_url(&url)?;
    let late = || format!("it did not answer within {} ms", within.as_millis());
    timeout(within, receive(client, url, largest)).await.map_err(|_| late())?
}

async fn receive(client: &Client, url: Url, largest: usize) -> Result<Received, String> {
    let host = url.host_str().map(str::to_owned);
    let failed = |error: reqwest::Error| causes(&error.without_url());
    let request = client.get(url).header(header::ACCEPT, "application/rdap+json, application/json;q=0.9");
    let mut response = request.send().await.map_err(failed)?;
    let from = response.url().host_str().map(str::to_owned).filter(|from| Some(from) != host.as_ref());
    let status = response.status();
    let mut bytes = Vec::new();
    let mut truncated = false;
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        let room = largest - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            truncated = true;
            break;
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut received = Received {
        outcome: StepOutcome::Failed,
        why: None,
        text,
        truncated,
        from,
        record: Record::default(),
        related: None,
    };
    received.judge(status);
    Ok(received)
}

impl Received {
    fn judge(&mut self, status: StatusCode) {
        let (outcome, why) = match status {
            StatusCode::OK => return self.read(),
            StatusCode::NOT_FOUND => (StepOutcome::NoMatch, None),
            StatusCode::TOO_MANY_REQUESTS => {
                (StepOutcome::RateLimited, Some("it has had too many requests (429)".into()))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                (StepOutcome::Refused, Some(format!("it refuses to answer ({status})")))
            }
            status => (StepOutcome::Failed, Some(format!("it answers {status}"))),
        };
        self.outcome = outcome;
        self.why = why;
    }

    fn read(&mut self) {
        let (outcome, why) = if self.truncated {
            (StepOutcome::Failed, Some("its answer is too large".into()))
        } else {
            match serde_json::from_str::<Value>(&self.text) {
                Ok(object) => {
                    self.record = record(&object);
                    self.related = related(&object);
                    match self.record.says_something() {
                        true => (StepOutcome::Found, None),
                        false => (StepOutcome::Unclear, Some("its answer describes nothing".into())),
                    }
                }
                Err(error) => (StepOutcome::Unclear, Some(format!("its answer is no JSON: {error}"))),
            }
        };
        self.outcome = outcome;
        self.why = why;
    }
}

/// What an object of RDAP says, in the one shape.
pub(super) fn record(object: &Value) -> Record {
    let text = |name: &str| {
        object.get(name).and_then(Value::as_str).map(str::to_owned).filter(|text| !text.is_empty())
    };
    let mut record = Record::default();
    match text("objectClassName").as_deref() {
        Some("domain") => {
            record.domain = text("ldhName").map(|name| name.trim_end_matches('.').to_ascii_lowercase());
            record.name_servers = name_servers(object);
            let signed = object.pointer("/secureDNS/delegationSigned").and_then(Value::as_bool);
            record.dnssec = signed.map(|signed| if signed { Dnssec::Signed } else { Dnssec::Unsigned });
        }
        Some("ip network") => {
            record.network_name = text("name");
            record.country = text("country").map(|country| country.to_ascii_uppercase());
            if let (Some(first), Some(last)) = (text("startAddress"), text("endAddress")) {
                record.range = Some(format!("{first} - {last}"));
            }
            record.prefixes = prefixes(object);
            let origin = object.pointer("/arin_originas0_originautnums/0").and_then(Value::as_u64);
            record.as_number = origin.map(|number| format!("AS{number}"));
            record.rir = rir(object);
        }
        Some("autnum") => {
            record.as_number =
                object.get("startAutnum").and_then(Value::as_u64).map(|number| format!("AS{number}"));
            record.as_name = text("name");
            record.country = text("country").map(|country| country.to_ascii_uppercase());
            record.rir = rir(object);
        }
        _ => return record,
    }
    record.status = strings(object.get("status"));
    if let Some(kind) = text("type").filter(|kind| !record.status.contains(kind)) {
        record.status.push(kind);
    }
    events(object, &mut record);
    let is_domain = record.domain.is_some();
    let mut left = MOST_ENTITIES;
    for entity in entities(object) {
        entity_says(entity, is_domain, &mut record, &mut left, 0);
    }
    record
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).take(MOST_VALUES).map(str::to_owned).collect()
}

fn name_servers(object: &Value) -> Vec<String> {
    let list = object.get("nameservers").and_then(Value::as_array).into_iter().flatten();
    let names = list.filter_map(|server| server.get("ldhName").and_then(Value::as_str));
    names.take(MOST_VALUES).map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect()
}

/// The prefixes of the extension `cidr0` (RFC 9083 has the range alone).
fn prefixes(object: &Value) -> Vec<String> {
    let list = object.get("cidr0_cidrs").and_then(Value::as_array).into_iter().flatten();
    let prefix = |entry: &Value| {
        let first = entry.get("v4prefix").or_else(|| entry.get("v6prefix"))?.as_str()?;
        Some(format!("{first}/{}", entry.get("length")?.as_u64()?))
    };
    list.filter_map(prefix).take(MOST_VALUES).collect()
}

fn events(object: &Value, record: &mut Record) {
    for event in object.get("events").and_then(Value::as_array).into_iter().flatten().take(MOST_VALUES) {
        let text = |name: &str| event.get(name).and_then(Value::as_str);
        let (Some(action), Some(at)) = (text("eventAction"), text("eventDate").and_then(time)) else {
            continue;
        };
        match action {
            "registration" => record.created = Some(at),
            "expiration" => record.expires = Some(at),
            "registrar expiration" if record.expires.is_none() => record.expires = Some(at),
            "last changed" => record.changed = Some(at),
            _ => {}
        }
    }
}

fn entities(object: &Value) -> impl Iterator<Item = &Value> {
    object.get("entities").and_then(Value::as_array).into_iter().flatten()
}

fn entity_says(entity: &Value, is_domain: bool, record: &mut Record, left: &mut usize, depth: usize) {
    if *left == 0 || depth > 2 {
        return;
    }
    *left -= 1;
    let roles = strings(entity.get("roles"));
    let has = |role: &str| roles.iter().any(|known| known == role);
    let card = Card::read(entity);
    if has("registrar") {
        set(&mut record.registrar, card.named());
        set(&mut record.registrar_url, card.url.clone());
        let ids = entity.get("publicIds").and_then(Value::as_array).into_iter().flatten();
        let id = ids.filter_map(|id| id.get("identifier").and_then(Value::as_str)).next();
        set(&mut record.registrar_id, id.map(str::to_owned));
    }
    if has("registrant") {
        match card.is_person && card.organisation.is_none() {
            true => set(&mut record.registrant, card.name.clone()),
            false => {
                set(&mut record.organisation, card.organisation.clone().or_else(|| card.name.clone()));
                if is_domain && card.organisation.is_some() {
                    set(&mut record.registrant, card.name.clone());
                }
            }
        }
        set(&mut record.country, card.country.clone());
    }
    if has("abuse") {
        set(&mut record.abuse_email, card.email.clone());
        set(&mut record.abuse_phone, card.phone);
    }
    for inner in entities(entity) {
        entity_says(inner, is_domain, record, left, depth + 1);
    }
}

fn set(place: &mut Option<String>, value: Option<String>) {
    if place.is_none() {
        *place = value;
    }
}

/// The regional registry, by its server of WHOIS.
fn rir(object: &Value) -> Option<String> {
    super::rir_of(object.get("port43").and_then(Value::as_str)?).map(str::to_owned)
}

/// The link to the same object at the registrar's own service.
fn related(object: &Value) -> Option<String> {
    let links = object.get("links").and_then(Value::as_array).into_iter().flatten();
    let mut related = links.filter(|link| {
        let is = |name: &str, value: &str| link.get(name).and_then(Value::as_str) == Some(value);
        is("rel", "related") && is("type", "application/rdap+json")
    });
    related.find_map(|link| link.get("href").and_then(Value::as_str)).map(str::to_owned)
}

#[cfg(test)]
mod tests;

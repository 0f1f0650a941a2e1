//! Outcomes of measurements, completed with what files know of the addresses in them.
//!
//! Only what is absent is filled in: what was known when it was measured stays as it was, for networks move.

use std::net::IpAddr;

use netwark_model::tools::place::AddressPlace;
use serde_json::{Map, Value, json};

use super::GeoIp;

/// How the AS of a hop is written when it is not known, as mtr has it.
const UNKNOWN: &str = "AS???";
/// Width of the column of AS numbers in mtr's text: the longest there is.
const COLUMN: usize = "AS4294967295".len();

/// Fills in what is absent in the payload of a ping or a trace: `asn`, `as_name` and `place` beside each address, and
/// the AS column in the report and the text of mtr. Any other payload stays as it is. True when something was added.
pub fn complete(payload: &mut Value, geoip: &GeoIp) -> bool {
    let Some(payload) = payload.as_object_mut() else { return false };
    let mut added = false;
    for report in payload.get_mut("reports").and_then(Value::as_array_mut).into_iter().flatten() {
        added |= report.as_object_mut().is_some_and(|report| address(report, geoip));
    }
    let hops = payload.get_mut("trace").and_then(|trace| trace.get_mut("hops")).and_then(Value::as_array_mut);
    let Some(hops) = hops else { return added };
    let mut systems = Vec::with_capacity(hops.len());
    for hop in hops {
        let responders = hop.get_mut("responders").and_then(Value::as_array_mut);
        let responders: Vec<_> = responders.into_iter().flatten().filter_map(Value::as_object_mut).collect();
        let mut first = None;
        for (at, responder) in responders.into_iter().enumerate() {
            added |= address(responder, geoip);
            if at == 0 {
                first = responder.get("asn").and_then(Value::as_u64);
            }
        }
        systems.push(first);
    }
    if systems.iter().any(Option::is_some) {
        mtr_columns(payload, &systems);
    }
    added
}

/// Completes what is said of one address.
fn address(said: &mut Map<String, Value>, geoip: &GeoIp) -> bool {
    let is_absent = |key: &str| said.get(key).is_none_or(Value::is_null);
    let (wants_system, wants_place) = (is_absent("asn"), is_absent("place"));
    if !wants_system && !wants_place {
        return false;
    }
    let Some(ip) = said.get("address").and_then(Value::as_str).and_then(|text| text.parse::<IpAddr>().ok())
    else {
        return false;
    };
    let answer = geoip.lookup(ip);
    let mut added = false;
    if let (true, Some(number)) = (wants_system, answer.asn) {
        said.insert("asn".into(), number.into());
        said.insert("as_name".into(), json!(answer.as_name));
        added = true;
    }
    if let (true, Some(place)) = (wants_place, answer.place) {
        let words = place.words();
        let country = place.country.and_then(|country| country.code);
        said.insert("place".into(), json!(AddressPlace { words, country, coordinates: place.coordinates }));
        added = true;
    }
    added
}

/// Writes the AS of each hop into the report that has the fields of `mtr --json`, and into the text.
fn mtr_columns(payload: &mut Map<String, Value>, systems: &[Option<u64>]) {
    let hubs =
        payload.get_mut("report").and_then(|report| report.get_mut("hubs")).and_then(Value::as_array_mut);
    let mut columns = Vec::new();
    for (hub, system) in hubs.into_iter().flatten().zip(systems) {
        let Some(count) = hub.get("count").and_then(Value::as_u64) else { continue };
        let word = system.map_or_else(|| UNKNOWN.to_owned(), |number| format!("AS{number}"));
        if let Some(column) = hub.get_mut("ASN") {
            *column = Value::from(word.as_str());
        }
        columns.push((format!("{count:>3}."), word));
    }
    let Some(lines) = payload.get_mut("raw").and_then(Value::as_array_mut) else { return };
    let is_plain = |line: &Value| {
        line.as_str().is_some_and(|line| columns.iter().any(|(head, _)| plain(line, head).is_some()))
    };
    let is_first = lines.iter().any(is_plain);
    for line in lines {
        let Value::String(text) = line else { continue };
        if text.starts_with("HOST: ") && is_first {
            widen(text);
        } else if let Some(new) = columns.iter().find_map(|(head, word)| text_line(text, head, word)) {
            *text = new;
        }
    }
}

/// Makes room for the column in the line of titles.
fn widen(titles: &mut String) {
    if let Some(at) = titles.find(" Loss%") {
        // What a line gains when the column takes the place of "|--".
        titles.insert_str(at, &" ".repeat(COLUMN - 2));
    }
}

/// The rest of a hop's line in the text that has no column yet.
fn plain<'a>(line: &'a str, head: &str) -> Option<&'a str> {
    line.strip_prefix(head)?.strip_prefix("|-- ")
}

/// A hop's line with the column of AS numbers, as `mtr --aslookup` has it; nothing when it is no such line.
fn text_line(line: &str, head: &str, word: &str) -> Option<String> {
    let host = match plain(line, head) {
        Some(host) => host,
        None => line.strip_prefix(head).filter(|rest| rest.starts_with(" AS"))?.get(COLUMN + 2..)?,
    };
    Some(format!("{head} {word:<COLUMN$} {host}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geoip::tests::with;

    fn responder(address: &str) -> Value {
        json!({ "address": address, "name": null, "asn": null, "received": 10 })
    }

    fn trace() -> Value {
        json!({
            "report": { "hubs": [
                { "count": 1, "host": "gateway.example", "ASN": "AS???", "Loss%": 0.0 },
                { "count": 2, "host": "???", "ASN": "AS???", "Loss%": 100.0 },
                { "count": 3, "host": "192.0.2.200", "ASN": "AS???", "Loss%": 0.0 },
            ] },
            "raw": [
                "Start: 2026-03-01T12:00:00+0000",
                "HOST: worker                      Loss%   Snt",
                "  1.|-- gateway.example            0.0%    10",
                "  2.|-- ???                       100.0    10",
                "  3.|-- 192.0.2.200                0.0%    10",
                "    |  `|-- 198.51.100.1",
            ],
            "trace": { "hops": [
                { "ttl": 1, "responders": [responder("203.0.113.1")] },
                { "ttl": 2, "responders": [] },
                { "ttl": 3, "responders": [responder("192.0.2.200"), responder("198.51.100.1")] },
            ] },
        })
    }

    #[test]
    fn a_trace_gets_systems_and_places() {
        let mut payload = trace();
        assert!(complete(&mut payload, &with(&["city.mmdb", "asn.mmdb"])));
        let hops = &payload["trace"]["hops"];
        assert_eq!(hops[0]["responders"][0]["asn"], Value::Null);
        assert_eq!(
            hops[0]["responders"][0]["place"],
            json!({ "words": "Norway", "country": "NO", "coordinates": null })
        );
        assert_eq!(hops[2]["responders"][0]["asn"], 64501);
        assert_eq!(hops[2]["responders"][0]["as_name"], "Lyon Transit");
        assert_eq!(hops[2]["responders"][0]["place"]["words"], "Osaka, Japan");
        assert_eq!(hops[2]["responders"][1]["asn"], 4_200_000_000_u32);
        let hubs: Vec<_> = (0..3).map(|at| &payload["report"]["hubs"][at]["ASN"]).collect();
        assert_eq!(hubs, ["AS???", "AS???", "AS64501"]);
        let text = [
            "Start: 2026-03-01T12:00:00+0000",
            "HOST: worker                                Loss%   Snt",
            "  1. AS???        gateway.example            0.0%    10",
            "  2. AS???        ???                       100.0    10",
            "  3. AS64501      192.0.2.200                0.0%    10",
            "    |  `|-- 198.51.100.1",
        ];
        assert_eq!(payload["raw"], json!(text));
    }

    #[test]
    fn what_is_known_stays_and_nothing_is_done_twice() {
        let geoip = with(&["city.mmdb", "asn.mmdb"]);
        let mut payload = trace();
        payload["trace"]["hops"][0]["responders"][0]["asn"] = json!(64999);
        payload["trace"]["hops"][0]["responders"][0]["as_name"] = json!("Earlier");
        complete(&mut payload, &geoip);
        assert_eq!(payload["trace"]["hops"][0]["responders"][0]["as_name"], "Earlier");
        assert_eq!(payload["report"]["hubs"][0]["ASN"], "AS64999");
        let once = payload.clone();
        complete(&mut payload, &geoip);
        assert_eq!(payload, once);
    }

    #[test]
    fn a_ping_gets_them_too_and_other_payloads_stay() {
        let geoip = with(&["city.mmdb", "asn.mmdb"]);
        let mut ping = json!({ "reports": [{ "address": "192.0.2.1" }, { "address": "10.0.0.1" }] });
        assert!(complete(&mut ping, &geoip));
        assert_eq!(ping["reports"][0]["asn"], 64501);
        assert_eq!(ping["reports"][0]["place"]["country"], "FR");
        assert_eq!(ping["reports"][1], json!({ "address": "10.0.0.1" }));
        let odd = [
            json!(null),
            json!([1]),
            json!({ "cause": "no route" }),
            json!({ "reports": 3, "trace": { "hops": [{ "responders": [{ "address": 1 }, 2] }, 7] }, "raw": [1] }),
        ];
        for payload in odd {
            let mut same = payload.clone();
            assert!(!complete(&mut same, &geoip));
            assert_eq!(same, payload);
        }
    }
}

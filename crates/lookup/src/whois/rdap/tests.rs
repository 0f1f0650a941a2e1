use proptest::prelude::*;
use serde_json::json;

use super::*;

fn card(name: &str, more: &Value) -> Value {
    let mut properties = vec![json!(["version", {}, "text", "4.0"]), json!(["fn", {}, "text", name])];
    properties.extend(more.as_array().cloned().unwrap_or_default());
    json!(["vcard", properties])
}

#[test]
fn a_domain_with_its_registrar() {
    // The shape of the answers of Verisign and MarkMonitor, after RFC 9083.
    let object = json!({
        "objectClassName": "domain",
        "ldhName": "EXAMPLE.COM",
        "status": ["client transfer prohibited"],
        "links": [
            {"rel": "self", "type": "application/rdap+json", "href": "https://rdap.verisign.com/com/v1/domain/EXAMPLE.COM"},
            {"rel": "related", "type": "text/html", "href": "https://www.example/"},
            {"rel": "related", "type": "application/rdap+json", "href": "https://rdap.registrar.example/domain/EXAMPLE.COM"}
        ],
        "entities": [{
            "objectClassName": "entity", "roles": ["registrar"],
            "publicIds": [{"type": "IANA Registrar ID", "identifier": "292"}],
            "vcardArray": card("MarkMonitor Inc.", &json!([["url", {}, "uri", "https://www.markmonitor.com"]])),
            "entities": [{
                "objectClassName": "entity", "roles": ["abuse"],
                "vcardArray": card("", &json!([
                    ["tel", {"type": "fax"}, "uri", "tel:+1.1"],
                    ["tel", {"type": "voice"}, "uri", "tel:+1.2086851750"],
                    ["email", {}, "text", "abuse@registrar.example"]
                ]))
            }]
        }, {
            "objectClassName": "entity", "roles": ["registrant"],
            "vcardArray": card("Example Person", &json!([
                ["org", {}, "text", "Example LLC"],
                ["adr", {"cc": "us"}, "text", ["", "", "", "", "", "", ""]]
            ]))
        }],
        "events": [
            {"eventAction": "registration", "eventDate": "1995-08-14T04:00:00Z"},
            {"eventAction": "expiration", "eventDate": "2026-08-13T04:00:00Z"},
            {"eventAction": "last changed", "eventDate": "2025-08-14T07:01:34+02:00"},
            {"eventAction": "last update of RDAP database", "eventDate": "2025-11-14T07:01:34Z"}
        ],
        "secureDNS": {"delegationSigned": true},
        "nameservers": [{"ldhName": "A.IANA-SERVERS.NET."}, {"ldhName": "b.iana-servers.net"}]
    });
    let expected = Record {
        domain: Some("example.com".into()),
        registrar: Some("MarkMonitor Inc.".into()),
        registrar_id: Some("292".into()),
        registrar_url: Some("https://www.markmonitor.com".into()),
        organisation: Some("Example LLC".into()),
        registrant: Some("Example Person".into()),
        country: Some("US".into()),
        created: Some("1995-08-14T04:00:00Z".into()),
        expires: Some("2026-08-13T04:00:00Z".into()),
        changed: Some("2025-08-14T05:01:34Z".into()),
        status: vec!["client transfer prohibited".into()],
        name_servers: vec!["a.iana-servers.net".into(), "b.iana-servers.net".into()],
        dnssec: Some(Dnssec::Signed),
        abuse_email: Some("abuse@registrar.example".into()),
        abuse_phone: Some("+1.2086851750".into()),
        ..Record::default()
    };
    assert_eq!(record(&object), expected);
    assert_eq!(related(&object).as_deref(), Some("https://rdap.registrar.example/domain/EXAMPLE.COM"));
}

#[test]
fn a_network_and_a_number() {
    let network = json!({
        "objectClassName": "ip network", "startAddress": "193.0.0.0", "endAddress": "193.0.7.255", "ipVersion": "v4",
        "name": "RIPE-NCC", "type": "ASSIGNED PA", "country": "nl", "port43": "whois.ripe.net", "status": ["active"],
        "cidr0_cidrs": [{"v4prefix": "193.0.0.0", "length": 21}],
        "entities": [
            {"roles": ["registrant"], "vcardArray": card("Reseau IP Europeens", &json!([["kind", {}, "text", "org"]]))},
            {"roles": ["abuse"], "vcardArray": card("", &json!([["email", {}, "text", "abuse@ripe.net"]]))}
        ],
        "events": [{"eventAction": "registration", "eventDate": "2003-03-17T12:15:57Z"}]
    });
    let found = record(&network);
    assert_eq!(found.range.as_deref(), Some("193.0.0.0 - 193.0.7.255"));
    assert_eq!(found.prefixes, ["193.0.0.0/21"]);
    assert_eq!(found.network_name.as_deref(), Some("RIPE-NCC"));
    assert_eq!(found.organisation.as_deref(), Some("Reseau IP Europeens"));
    assert_eq!(found.country.as_deref(), Some("NL"));
    assert_eq!(found.rir.as_deref(), Some("RIPE NCC"));
    assert_eq!(found.status, ["active", "ASSIGNED PA"]);
    assert_eq!(found.abuse_email.as_deref(), Some("abuse@ripe.net"));
    let number =
        json!({"objectClassName": "autnum", "startAutnum": 3333, "endAutnum": 3333, "name": "RIPE-NCC-AS"});
    let found = record(&number);
    assert_eq!((found.as_number.as_deref(), found.as_name.as_deref()), (Some("AS3333"), Some("RIPE-NCC-AS")));
}

#[test]
fn urls() {
    for (asked, expected) in [
        ("example.com", "https://r/domain/example.com"),
        ("192.0.2.1", "https://r/ip/192.0.2.1"),
        ("2001:db8::/32", "https://r/ip/2001:db8::/32"),
        ("AS64500", "https://r/autnum/64500"),
    ] {
        assert_eq!(url("https://r/", &Question::parse(asked).unwrap()), expected);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "(domain|ip network|autnum|registrar|abuse|[a-z é]{0,8})".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        let names = "(objectClassName|entities|roles|vcardArray|events|links|status|nameservers|publicIds|cidr0_cidrs)";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_panics(object in any_json(), class in "(domain|ip network|autnum)") {
        let mut object = object;
        if let Some(map) = object.as_object_mut() {
            map.insert("objectClassName".into(), class.into());
        }
        let _ = record(&object);
        let _ = related(&object);
    }
}

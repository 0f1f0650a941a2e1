//! The description of the API stands in a file, so that a change of it is seen in review and the
//! TypeScript client is made from it. `NETWARK_BLESS=1` writes it anew.

use std::collections::BTreeSet;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

#[test]
fn the_file_is_what_the_code_says() {
    let mut current = netwark_server::description().to_pretty_json().unwrap();
    current.push('\n');
    if std::env::var_os("NETWARK_BLESS").is_some() {
        std::fs::write(PATH, &current).unwrap();
    }
    let kept = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(
        kept == current,
        "crates/server/openapi.json is not what the code says; write it anew with 'make api'"
    );
}

#[test]
fn every_route_has_its_id_and_its_errors() {
    let description = serde_json::to_value(netwark_server::description()).unwrap();
    let mut ids = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} stands twice");
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            if path.contains("{id}") {
                assert!(
                    operation["responses"]["404"].is_object(),
                    "{method} {path} does not say that it may be missing"
                );
            }
        }
    }
    assert!(ids.len() > 15, "{ids:?}");
}

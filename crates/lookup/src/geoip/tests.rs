use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

/// A file of the sample data.
pub(super) fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/geoip").join(name)
}

/// These files of the sample data.
pub(super) fn with(files: &[&str]) -> GeoIp {
    let (asn, city) = files.iter().map(|name| sample(name)).partition(|path| path.ends_with("asn.mmdb"));
    let geo = GeoIp::new(GeoIpSettings { city, asn, ..GeoIpSettings::default() });
    geo.refresh();
    geo
}

/// A server's own directory with these files in it.
fn directory(files: &[(&str, &str)]) -> (tempfile::TempDir, GeoIp) {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().to_owned();
    for (name, from) in files {
        fs::copy(sample(from), place.join(name)).unwrap();
    }
    let settings =
        GeoIpSettings { directory: Some(place.clone()), hold: Hold::Copy(place), ..GeoIpSettings::default() };
    let geo = GeoIp::new(settings);
    geo.refresh();
    (directory, geo)
}

fn ask(geo: &GeoIp, ip: &str) -> GeoAnswer {
    geo.lookup(ip.parse().unwrap())
}

fn city(geo: &GeoIp, ip: &str) -> Option<String> {
    ask(geo, ip).place.and_then(|place| place.city)
}

#[test]
fn a_nested_record_is_told_whole() {
    let (_directory, geo) = directory(&[("city.mmdb", "city.mmdb"), ("asn.mmdb", "asn.mmdb")]);
    let answer = ask(&geo, "192.0.2.1");
    let place = answer.place.unwrap();
    assert_eq!(place.words(), "Lyon, Rhône, France");
    assert_eq!(place.network, Some("192.0.2.0/25".parse().unwrap()));
    assert_eq!(place.coordinates.map(|at| (at.latitude, at.longitude)), Some((45.7485, 4.8467)));
    assert_eq!((place.accuracy_km, place.time_zone.as_deref()), (Some(20), Some("Europe/Paris")));
    assert_eq!(place.postal_code.as_deref(), Some("69000"));
    assert_eq!(place.continent.and_then(|continent| continent.name).as_deref(), Some("Europe"));
    assert_eq!(place.registered_country, None);
    assert_eq!((answer.asn, answer.as_name.as_deref()), (Some(64501), Some("Lyon Transit")));
    assert_eq!(answer.special.map(|special| special.rfc), Some("RFC 5737"));
    let names: Vec<_> = answer.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["DBIP-City-Lite", "DBIP-ASN-Lite"]);
    assert_eq!(answer.sources[0].attribution.unwrap().url, "https://db-ip.com");
    assert_eq!(answer.sources[0].built.to_string(), "2026-03-01T00:00:00Z");

    let elsewhere = ask(&geo, "192.0.2.200").place.unwrap();
    assert_eq!(elsewhere.registered_country.unwrap().code.as_deref(), Some("FR"));
    assert_eq!(ask(&geo, "198.51.100.1").asn, Some(4_200_000_000));
}

#[test]
fn every_record_size_and_both_families() {
    for file in ["city.mmdb", "city-32.mmdb"] {
        let geo = with(&[file]);
        for (ip, expected) in [
            ("192.0.2.1", Some("Lyon")),
            ("192.0.2.128", Some("Osaka")),
            ("::ffff:192.0.2.128", Some("Osaka")),
            ("64:ff9b::c000:280", Some("Osaka")),
            ("2001:db8::1", Some("Bremen")),
            ("2001:db8:1::1", Some("Osaka")),
            ("192.0.3.1", None),
            ("2001:db9::1", None),
            ("255.255.255.255", None),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None),
        ] {
            assert_eq!(city(&geo, ip).as_deref(), expected, "{file} {ip}");
        }
        assert_eq!(
            ask(&geo, "2001:db8:1::1").place.unwrap().network,
            Some("2001:db8:1::/48".parse().unwrap())
        );
    }
}

#[test]
fn a_flat_record_is_told_too() {
    let geo = with(&["flat-v4.mmdb"]);
    let place = ask(&geo, "192.0.2.1").place.unwrap();
    assert_eq!(place.words(), "Lyon, Rhône, FR");
    assert_eq!(place.coordinates.map(|at| at.latitude), Some(45.7485), "as many digits as were meant");
    assert_eq!((place.postal_code, place.time_zone), (None, None), "an empty text is none");
    let vague = ask(&geo, "198.51.100.1").place.unwrap();
    assert_eq!((vague.coordinates, vague.words().as_str()), (None, "DE"), "0, 0 is nowhere");
    assert_eq!(ask(&geo, "2001:db8::1").place_state, Finding::Unlisted, "a tree of IPv4 alone");

    let geo = with(&["one.mmdb"]);
    let answer = ask(&geo, "192.0.2.1");
    assert_eq!((answer.asn, answer.as_name.as_deref()), (Some(64502), Some("Flat Net")));
    assert_eq!(answer.place.unwrap().words(), "France");
    assert_eq!(answer.sources.len(), 1, "one file that told both is named once");
}

#[test]
fn a_tree_of_ipv6_alone_says_nothing_of_ipv4() {
    let geo = with(&["v6-only.mmdb"]);
    assert_eq!(ask(&geo, "192.0.2.1").place_state, Finding::Unlisted);
    assert_eq!(city(&geo, "2001:db8::1").as_deref(), Some("Lyon"));
}

#[test]
fn what_is_missing_is_told_apart() {
    let geo = GeoIp::new(GeoIpSettings::default());
    geo.refresh();
    let answer = ask(&geo, "192.0.2.1");
    assert_eq!((answer.place_state, answer.as_state), (Finding::NoFile, Finding::NoFile));
    assert!(geo.is_empty() && geo.files().is_empty());

    let geo = with(&["city.mmdb"]);
    let answer = ask(&geo, "9.9.9.9");
    assert_eq!((answer.place_state, answer.as_state), (Finding::Unlisted, Finding::NoFile));
    assert!(answer.sources.is_empty());
}

#[test]
fn the_file_that_knows_more_tells_the_place() {
    let geo = with(&["one.mmdb", "city.mmdb"]);
    let answer = ask(&geo, "192.0.2.1");
    assert_eq!(answer.place.unwrap().city.as_deref(), Some("Lyon"));
    assert_eq!(answer.asn, Some(64502));
    assert_eq!(answer.sources.len(), 2);
}

#[test]
fn what_is_no_such_file_is_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let whole = fs::read(sample("city.mmdb")).unwrap();
    let text = b"<html>not found</html>".to_vec();
    let mut lies = fs::read(sample("asn.mmdb")).unwrap();
    let at = lies.windows(10).rposition(|bytes| bytes == b"node_count").unwrap() + 10;
    // The number of nodes, one byte behind its type.
    lies[at] = 0xc4;
    lies.splice(at + 1..at + 2, [0xff, 0xff, 0xff, 0xff]);
    let cases = [
        ("empty.mmdb", Vec::new(), "it is empty"),
        ("text.mmdb", text, "no file of MaxMind's format"),
        ("cut.mmdb", whole[..whole.len() / 2].to_vec(), "or not a whole one"),
        ("lies.mmdb", lies, "search tree"),
    ];
    for (name, bytes, expected) in cases {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        let geo = GeoIp::new(GeoIpSettings { city: vec![path], ..GeoIpSettings::default() });
        geo.refresh();
        let problem = geo.files()[0].problem.clone().unwrap();
        assert!(problem.contains(expected), "{name}: {problem}");
        assert_eq!(ask(&geo, "192.0.2.1").place_state, Finding::NoFile, "{name}");
    }
    let problem = |settings: GeoIpSettings| {
        let geo = GeoIp::new(settings);
        geo.refresh();
        geo.files()[0].problem.clone().unwrap()
    };
    let city = |path: PathBuf| GeoIpSettings { city: vec![path], ..GeoIpSettings::default() };
    assert!(problem(city(sample("domain.mmdb"))).contains("its type is 'GeoIP2-Domain'"));
    assert_eq!(problem(city(sample("asn.mmdb"))), "it tells no places");
    assert!(problem(city("/nowhere/city.mmdb".into())).contains("No such file"));
    assert_eq!(problem(city(directory.path().into())), "it is no file");
    let asn = GeoIpSettings { asn: vec![sample("city.mmdb")], ..GeoIpSettings::default() };
    assert_eq!(problem(asn), "it tells no autonomous systems");
}

#[test]
fn changes_are_taken_in_and_a_broken_file_keeps_the_last_good_one() {
    let (place, geo) = directory(&[]);
    assert!(geo.is_empty());
    let path = place.path().join("city.mmdb");
    fs::copy(sample("city.mmdb"), &path).unwrap();
    geo.refresh();
    assert_eq!(city(&geo, "192.0.2.1").as_deref(), Some("Lyon"));
    let held = ask(&geo, "192.0.2.1");

    // Written over in place, which would end a process that has mapped this very file.
    fs::write(&path, b"half of a download").unwrap();
    assert_eq!(ask(&geo, "192.0.2.1"), held);
    geo.refresh();
    assert_eq!(ask(&geo, "192.0.2.1"), held);
    let file = &geo.files()[0];
    assert!(file.problem.is_some() && file.source.is_some() && file.places, "{file:?}");

    fs::copy(sample("one.mmdb"), place.path().join("new")).unwrap();
    fs::rename(place.path().join("new"), &path).unwrap();
    geo.refresh();
    assert_eq!(ask(&geo, "192.0.2.1").asn, Some(64502));
    assert_eq!(geo.files()[0].problem, None);

    fs::remove_file(&path).unwrap();
    geo.refresh();
    assert!(geo.is_empty());
}

#[test]
fn no_copy_stays_behind() {
    let (place, geo) = directory(&[("city.mmdb", "city.mmdb"), (".in-use-1-1", "asn.mmdb")]);
    let names: Vec<_> = fs::read_dir(&place)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["city.mmdb"]);
    assert_eq!(city(&geo, "192.0.2.1").as_deref(), Some("Lyon"));
}

#[test]
fn where_no_copy_can_be_made_the_file_is_read_into_memory() {
    let hold = Hold::Copy("/proc/nowhere".into());
    let geo = GeoIp::new(GeoIpSettings { city: vec![sample("city.mmdb")], hold, ..GeoIpSettings::default() });
    geo.refresh();
    assert_eq!(city(&geo, "192.0.2.1").as_deref(), Some("Lyon"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever the bytes of a file are, it is refused or read, and any address has an answer.
    #[test]
    fn no_bytes_panic(changes in prop::collection::vec((any::<u16>(), any::<u8>()), 1..12), cut in any::<u16>(), ip: u32, v6: u128) {
        let mut bytes = fs::read(sample("city.mmdb")).unwrap();
        for (at, byte) in changes {
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        if cut % 4 == 0 {
            bytes.truncate(usize::from(cut) % bytes.len());
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("city.mmdb");
        fs::write(&path, &bytes).unwrap();
        let geo = GeoIp::new(GeoIpSettings { city: vec![path], ..GeoIpSettings::default() });
        geo.refresh();
        for ip in [IpAddr::from([192, 0, 2, 1]), IpAddr::V4(ip.into()), IpAddr::V6(v6.into())] {
            geo.lookup(ip);
        }
    }
}

#[test]
fn autonomous_systems_are_known_by_their_numbers() {
    let (directory, geo) = directory(&[("city.mmdb", "city.mmdb"), ("asn.mmdb", "asn.mmdb")]);
    let (name, source) = geo.system(64501).unwrap();
    assert_eq!((name.as_str(), source.name.as_str()), ("Lyon Transit", "DBIP-ASN-Lite"));
    assert_eq!(geo.system(1), None);
    fs::remove_file(directory.path().join("asn.mmdb")).unwrap();
    geo.refresh();
    assert_eq!(geo.system(64501), None);
}

//! Updates from a server on loopback and from files.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::source::{GeoFiles, Provider, months};
use super::tests::sample;
use super::unpack::tests::{gzip, tar};
use super::{GeoIp, GeoIpSettings, Hold};
use crate::fetch::Location;
use crate::update::{Account, Asked, Outcome, Source, State, directory, update};

/// A server on loopback with files by their names; what was asked for is noted.
struct Mirror {
    place: Location,
    asked: Arc<Mutex<Vec<String>>>,
}

async fn mirror(files: Vec<(String, Vec<u8>)>) -> Mirror {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("http://{}/geo/", listener.local_addr().unwrap()).parse().unwrap();
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let noted = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 2048];
            let length = stream.read(&mut request).await.unwrap_or_default();
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            let name = path.trim_start_matches("/geo/");
            noted.lock().unwrap().push(name.to_owned());
            let found = files.iter().find(|(known, _)| known == name);
            let head = match found {
                Some((_, bytes)) => {
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", bytes.len())
                }
                None => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".into(),
            };
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(found.map_or(&[][..], |(_, bytes)| bytes)).await;
        }
    });
    Mirror { place, asked }
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(sample(name)).unwrap()
}

fn db_ip(mirror: Option<Location>) -> Arc<dyn Source> {
    GeoFiles::source(Provider::DbIp, mirror)
}

/// What a server finds in a data directory.
fn found(data: &TempDir) -> GeoIp {
    let directory = GeoIpSettings::directory(data.path());
    let geo = GeoIp::new(GeoIpSettings {
        directory: Some(directory.clone()),
        hold: Hold::Copy(directory),
        ..GeoIpSettings::default()
    });
    geo.refresh();
    geo
}

fn file(path: &Path) -> Asked {
    Asked { from: Some(Location::File(path.into())), dry_run: false }
}

#[tokio::test]
async fn files_come_from_a_mirror_and_last_months_where_there_is_no_newer_one() {
    let data = tempfile::tempdir().unwrap();
    let [_, before] = months(crate::update::day(jiff::Timestamp::now()));
    let server = mirror(vec![
        (format!("dbip-city-lite-{before}.mmdb.gz"), gzip(&bytes("city.mmdb"))),
        ("asn.mmdb".into(), bytes("asn.mmdb")),
    ])
    .await;
    let source = db_ip(Some(server.place));
    let report = update(&source, data.path(), &Asked::default()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Updated);
    assert_eq!((report.entries, report.changes.added), (26, 2), "{report:?}");
    assert_eq!(report.date, Some("2026-03-01".parse().unwrap()));
    assert!(report.changes.examples[0].contains("DBIP-City-Lite of 2026-03-01, 22 networks"), "{report:?}");
    assert!(server.asked.lock().unwrap().len() > 3);
    let answer = found(&data).lookup("192.0.2.1".parse().unwrap());
    assert_eq!((answer.place.unwrap().city.as_deref(), answer.asn), (Some("Lyon"), Some(64501)));
    let state = State::read(&directory(data.path(), "geoip"));
    assert!(state.is_whole(&directory(data.path(), "geoip")));

    let again = update(&source, data.path(), &Asked::default()).await.unwrap();
    assert_eq!(again.outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn one_file_takes_the_place_of_its_kind_alone() {
    let data = tempfile::tempdir().unwrap();
    let source = db_ip(None);
    let archive = data.path().join("GeoLite2-City_20260301.tar.gz");
    fs::write(
        &archive,
        gzip(&tar(&[("x/LICENSE.txt", b"terms"), ("x/GeoLite2-City.mmdb", &bytes("city-32.mmdb"))])),
    )
    .unwrap();
    update(&source, data.path(), &file(&archive)).await.unwrap();
    update(&source, data.path(), &file(&sample("asn.mmdb"))).await.unwrap();
    let geo = found(&data);
    let names: Vec<_> = geo.files().into_iter().map(|file| file.source.unwrap().name).collect();
    assert_eq!(names, ["DBIP-ASN-Lite", "GeoLite2-City"]);

    // The earlier file of the kind is gone with the newer one, as the licence of GeoLite2 wants.
    let report = update(&source, data.path(), &file(&sample("city.mmdb"))).await.unwrap();
    assert_eq!((report.changes.added, report.changes.changed), (0, 1));
    assert!(report.changes.examples[0].contains("before GeoLite2-City of 2026-03-01"), "{report:?}");
    let left: Vec<_> = fs::read_dir(directory(data.path(), "geoip"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("mmdb"))
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[tokio::test]
async fn what_is_not_sane_changes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let source = db_ip(None);
    update(&source, data.path(), &file(&sample("city.mmdb"))).await.unwrap();
    let whole = bytes("city.mmdb");
    let broken = data.path().join("broken.mmdb");
    let mut damaged = whole.clone();
    // The data section begins behind the tree and sixteen zeros; its first bytes are spoilt.
    let at = damaged.windows(16).position(|zeros| zeros == [0; 16]).unwrap() + 16;
    damaged[at..at + 40].fill(0xff);
    for (content, expected) in [
        (whole[..900].to_vec(), "not a whole one"),
        (b"<html>".to_vec(), "no file of MaxMind's format"),
        (gzip(&whole)[..800].to_vec(), "file:"),
        (bytes("domain.mmdb"), "tells neither"),
        (damaged, "file:"),
    ] {
        fs::write(&broken, content).unwrap();
        let error = update(&source, data.path(), &file(&broken)).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
        let state = State::read(&directory(data.path(), "geoip"));
        assert_eq!(state.failure.unwrap().why, error);
        assert_eq!(
            found(&data).lookup("192.0.2.1".parse().unwrap()).place.unwrap().city.as_deref(),
            Some("Lyon")
        );
    }
}

#[test]
fn what_is_fetched_from_whom() {
    let places = |source: &Arc<dyn Source>| -> Vec<String> {
        source.parts().iter().flat_map(|part| part.locations.iter().map(ToString::to_string)).collect()
    };
    let january = months("2026-01-15".parse().unwrap());
    assert_eq!(january, ["2026-01", "2025-12"]);
    let all = places(&db_ip(None));
    assert_eq!(all.len(), 4);
    assert!(all[0].starts_with("https://download.db-ip.com/free/dbip-city-lite-20"), "{all:?}");
    let geolite =
        GeoFiles::source(Provider::GeoLite2(Account { number: "1234".into(), key: "hush".into() }), None);
    assert_eq!(places(&geolite)[1], "https://download.maxmind.com/geoip/databases/GeoLite2-ASN/download");
    let Location::Web(url) = &geolite.parts()[0].locations[0] else { panic!("no URL") };
    assert_eq!((url.username(), url.password()), ("1234", Some("hush")));
    assert!(!format!("{geolite:?}").contains("hush"));
}

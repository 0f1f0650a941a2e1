//! A made-up source, brought from files and from a server on loopback.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Words in lines; a file with the line `broken` is not sane.
#[derive(Debug)]
struct Words {
    parts: Vec<Part>,
}

impl Source for Words {
    fn name(&self) -> &'static str {
        "words"
    }

    fn title(&self) -> &'static str {
        "Words"
    }

    fn terms(&self) -> &'static str {
        "Nobody's."
    }

    fn parts(&self) -> Vec<Part> {
        self.parts.clone()
    }

    fn parts_from(&self, from: &Location) -> Result<Vec<Part>, String> {
        Ok(vec![part("one", std::slice::from_ref(from))])
    }

    fn prepare(&self, work: Work<'_>) -> Result<Prepared, String> {
        let mut prepared = Prepared::default();
        for fresh in work.fresh {
            let text = fs::read_to_string(&fresh.path).map_err(|error| error.to_string())?;
            if text.lines().any(|line| line == "broken") {
                return Err(format!("{} is broken", fresh.name));
            }
            let before = fs::read_to_string(work.present.join(&fresh.name)).unwrap_or_default();
            prepared.changes.added = u64::from(before != text);
            prepared.entries += text.lines().count() as u64;
            prepared.date = fresh.modified.map(day);
            fs::write(work.staging.join(&fresh.name), text).map_err(|error| error.to_string())?;
            prepared.files.push(fresh.name.clone());
        }
        Ok(prepared)
    }
}

fn part(name: &str, locations: &[Location]) -> Part {
    Part { name: name.into(), locations: locations.to_vec(), largest: 1000, optional: false }
}

fn words(parts: Vec<Part>) -> Arc<dyn Source> {
    Arc::new(Words { parts })
}

/// A server that answers each connection with the next of these, and then no more.
async fn answering(answers: Vec<&'static [u8]>) -> Location {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 2048];
            let length = stream.read(&mut request).await.unwrap();
            let asked = String::from_utf8_lossy(&request[..length]).to_lowercase();
            let unchanged = b"HTTP/1.1 304 Not Modified\r\n\r\n";
            let answer = if asked.contains("if-none-match: \"1\"") { &unchanged[..] } else { answer };
            stream.write_all(answer).await.unwrap();
        }
    });
    format!("http://{place}/words?key=hush").parse().unwrap()
}

fn from(location: Location) -> Asked {
    Asked { from: Some(location), dry_run: false }
}

fn file(dir: &TempDir, name: &str, text: &str) -> Location {
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    Location::File(path)
}

fn read(data: &Path, name: &str) -> String {
    fs::read_to_string(directory(data, "words").join(name)).unwrap()
}

const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\netag: \"1\"\r\nlast-modified: Thu, 01 Oct 2026 04:05:06 GMT\r\n\
                       content-length: 4\r\n\r\na\nb\n";

#[tokio::test]
async fn what_did_not_change_is_not_fetched_again() {
    let data = tempfile::tempdir().unwrap();
    let source = words(vec![part("one", &[answering(vec![WHOLE, WHOLE]).await])]);
    let report = update(&source, data.path(), &Asked::default()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Updated);
    assert_eq!(report.date, Some("2026-10-01".parse().unwrap()));
    assert_eq!(report.entries, 2);
    assert!(!report.from[0].contains("hush"), "{:?}", report.from);
    assert_eq!(read(data.path(), "one"), "a\nb\n");

    let again = update(&source, data.path(), &Asked::default()).await.unwrap();
    assert_eq!((again.outcome, again.entries, again.date), (Outcome::Unchanged, 2, report.date));
    let state = State::read(&directory(data.path(), "words"));
    assert!(state.checked_at > state.fetched_at);
    assert!(state.is_whole(&directory(data.path(), "words")));
    assert!(!read(data.path(), "state.json").contains("hush"));
}

#[tokio::test]
async fn a_failure_keeps_the_last_good_data_and_is_noted() {
    let (data, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let source = words(vec![part("one", &[Location::File("/nowhere/words".into())])]);
    update(&source, data.path(), &from(file(&dir, "good", "a\n"))).await.unwrap();
    for attempt in 1..=2 {
        let error = update(&source, data.path(), &from(file(&dir, "bad", "broken\n"))).await.unwrap_err();
        assert_eq!(error.to_string(), "what was fetched is not used: one is broken");
        let state = State::read(&directory(data.path(), "words"));
        assert_eq!(state.failure.unwrap().attempts, attempt);
        assert_eq!(read(data.path(), "one"), "a\n");
        assert!(!directory(data.path(), "words").join("new").exists(), "nothing half done is left");
    }
    let error = update(&source, data.path(), &Asked::default()).await.unwrap_err();
    assert!(error.to_string().contains("/nowhere/words"), "{error}");
    update(&source, data.path(), &from(file(&dir, "better", "b\n"))).await.unwrap();
    assert_eq!(State::read(&directory(data.path(), "words")).failure, None);
    assert_eq!(read(data.path(), "one"), "b\n");
}

#[tokio::test]
async fn a_dry_run_says_what_there_would_be() {
    let (data, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let source = words(Vec::new());
    let good = file(&dir, "good", "a\n");
    let dry = Asked { from: Some(good.clone()), dry_run: true };
    assert_eq!(update(&source, data.path(), &dry).await.unwrap().outcome, Outcome::Available);
    assert!(!directory(data.path(), "words").join("one").exists());
    assert_eq!(State::read(&directory(data.path(), "words")), State::default());
    update(&source, data.path(), &from(good)).await.unwrap();
    assert_eq!(update(&source, data.path(), &dry).await.unwrap().outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn the_next_place_is_asked_when_one_has_no_such_file() {
    let (data, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let absent = answering(vec![b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"]).await;
    let here = file(&dir, "here", "a\n");
    let nowhere = Location::File("/nowhere/words".into());
    let optional = Part { optional: true, ..part("two", std::slice::from_ref(&nowhere)) };
    let source = words(vec![part("one", &[absent, nowhere, here]), optional.clone()]);
    let report = update(&source, data.path(), &Asked::default()).await.unwrap();
    assert_eq!(report.from.len(), 1, "{:?}", report.from);

    let refused = answering(vec![b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"]).await;
    let source = words(vec![part("one", &[refused, file(&dir, "there", "b\n")])]);
    let error = update(&source, data.path(), &Asked::default()).await.unwrap_err();
    assert!(error.to_string().contains("answers 503"), "{error}");
    assert!(update(&words(vec![optional]), data.path(), &Asked::default()).await.is_err());
}

#[tokio::test]
async fn one_update_at_a_time() {
    let data = tempfile::tempdir().unwrap();
    let place = directory(data.path(), "words");
    fs::create_dir_all(&place).unwrap();
    let held = fs::File::create(place.join("lock")).unwrap();
    held.lock().unwrap();
    let error = update(&words(Vec::new()), data.path(), &from("/x".parse().unwrap())).await.unwrap_err();
    assert_eq!(error.to_string(), "another update of words is under way");
    assert_eq!(State::read(&place), State::default(), "that is no failure of the source");
}

#[tokio::test]
async fn who_keeps_the_data_sees_the_update() {
    let (data, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let place = directory(data.path(), "words");
    let kept = Kept::new(Some(place.clone()), String::from("built in"), |directory, state| {
        match state.files.first().map(|file| fs::read_to_string(directory.join(file))) {
            None => Loaded::Nothing,
            Some(Ok(text)) => Loaded::Data(text),
            Some(Err(error)) => Loaded::Broken(error.to_string()),
        }
    });
    assert_eq!(*kept.get(), "built in");
    assert!(!kept.refresh());
    let source = words(Vec::new());
    update(&source, data.path(), &from(file(&dir, "good", "a\n"))).await.unwrap();
    assert!(kept.refresh());
    assert_eq!(*kept.get(), "a\n");
    assert!(!kept.refresh());

    fs::remove_file(place.join("one")).unwrap();
    State { files: vec!["one".into()], ..State::default() }.write(&place).unwrap();
    assert!(!kept.refresh(), "what cannot be read does not count");
    assert_eq!(*kept.get(), "a\n");
    fs::remove_file(State::path(&place)).unwrap();
    assert!(kept.refresh());
    assert_eq!(*kept.get(), "built in");
}

#[test]
fn a_state_that_is_not_understood_is_none() {
    let dir = tempfile::tempdir().unwrap();
    for text in ["", "{", "[]", "{\"entries\": -1}", "\0"] {
        fs::write(State::path(dir.path()), text).unwrap();
        assert_eq!(State::read(dir.path()), State::default(), "{text:?}");
    }
    let state = State { fetched_at: Some(Timestamp::UNIX_EPOCH), ..State::default() };
    state.write(dir.path()).unwrap();
    assert_eq!(State::read(dir.path()), state);
}

//! Where newer rows of who is asked over RDAP are from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use jiff::civil::Date;

use super::bootstrap::{Bootstrap, Kind};
use super::registries::Registries;
use crate::fetch::Location;
use crate::update::{BuiltIn, Changes, Fresh, Kept, Loaded, Part, Prepared, Source, State, Work, day};

/// The name of the source, in commands and on disk.
pub const SOURCE: &str = "rdap";
/// Where IANA publishes its files.
const HOME: &str = "https://data.iana.org/rdap";
/// Most bytes of a file; a hundred times what the largest has.
const LARGEST: u64 = 8 << 20;
/// The month of what is compiled in.
const BUILT_IN: Date = Date::constant(2025, 4, 1);
/// How many services are compiled in.
static ENTRIES: LazyLock<u64> = LazyLock::new(|| Registries::built_in().over_rdap().len() as u64);
/// Name of a part whose kind shows when it is read.
const ANY: &str = "file";
/// A file that comes with less than this share of what it had was damaged on its way.
const SHARE: (usize, usize) = (9, 10);

/// The table in use: these registries, and what updates bring to the directory of the source.
pub fn kept(directory: Option<PathBuf>, registries: Registries) -> Kept<Registries> {
    let base = registries.clone();
    Kept::new(directory, registries, move |directory, state| load(&base, directory, state))
}

/// Adds what an update brought. A program that is newer than that knows better by itself.
fn load(base: &Registries, directory: &Path, state: &State) -> Loaded<Registries> {
    if state.files.is_empty() || state.date.is_some_and(|date| date < BUILT_IN) {
        return Loaded::Nothing;
    }
    let mut table = base.clone();
    for file in &state.files {
        let path = directory.join(file);
        let read = fs::read_to_string(&path).map_err(|error| error.to_string());
        if let Err(why) = read.and_then(|json| table.add_bootstrap(&json)) {
            return Loaded::Broken(format!("{}: {why}", path.display()));
        }
    }
    Loaded::Data(table)
}

/// The bootstrap files of IANA, or a mirror of them.
#[derive(Clone, Debug, Default)]
pub struct Iana {
    /// A mirror, or a directory, that is asked instead of IANA.
    pub mirror: Option<Location>,
}

impl Iana {
    /// The source, to be handed to whoever updates.
    pub fn source(mirror: Option<Location>) -> Arc<dyn Source> {
        Arc::new(Self { mirror })
    }
}

/// A file of one kind.
#[derive(Clone, Debug)]
struct File {
    json: String,
    read: Bootstrap,
}

impl File {
    fn open(path: &Path) -> Result<Self, String> {
        let json = fs::read_to_string(path).map_err(|error| error.to_string())?;
        Ok(Self { read: Bootstrap::read(&json)?, json })
    }
}

fn file_name(kind: Kind) -> String {
    format!("{}.json", kind.name())
}

impl Source for Iana {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn title(&self) -> &'static str {
        "RDAP services of registries"
    }

    fn terms(&self) -> &'static str {
        "From the bootstrap registries of IANA (RFC 9224), which are in the public domain (CC0)."
    }

    fn parts(&self) -> Vec<Part> {
        let home = self.mirror.clone().or_else(|| HOME.parse().ok());
        home.and_then(|home| self.parts_from(&home).ok()).unwrap_or_default()
    }

    fn parts_from(&self, from: &Location) -> Result<Vec<Part>, String> {
        let part = |name: &str, location, optional| Part {
            name: name.into(),
            locations: Option::into_iter(location).collect(),
            largest: LARGEST,
            optional,
        };
        let is_file = match from {
            Location::Web(url) => url.path().ends_with(".json"),
            Location::File(path) => path.is_file(),
        };
        if is_file {
            return Ok(vec![part(ANY, Some(from.clone()), false)]);
        }
        // A mirror may leave some out; what is known of them stays then.
        let parts =
            Kind::ALL.map(|kind| part(kind.name(), from.below(&file_name(kind)), kind != Kind::Domains));
        Ok(parts.into())
    }

    fn built_in(&self) -> Option<BuiltIn> {
        Some(BuiltIn { date: BUILT_IN, entries: *ENTRIES, origin: "IANA".into() })
    }

    fn prepare(&self, work: Work<'_>) -> Result<Prepared, String> {
        let before = present(work.present);
        let mut after = before.clone();
        for fresh in work.fresh {
            let (kind, file) = read(fresh)?;
            if let Some(known) = before.get(&kind) {
                whole(kind, &file, known)?;
            }
            after.insert(kind, file);
        }
        let published = after.values().filter_map(|file| file.read.published).max().map(day);
        let date = published.ok_or("no file says when it was published")?;
        if date < BUILT_IN {
            return Err(format!("it is of {date}, and what comes with the program is of {BUILT_IN}"));
        }
        let mut files = Vec::new();
        for (kind, file) in &after {
            let path = work.staging.join(file_name(*kind));
            fs::write(&path, &file.json)
                .and_then(|()| fs::File::open(&path)?.sync_all())
                .map_err(|error| format!("{}: {error}", path.display()))?;
            files.push(file_name(*kind));
        }
        let (before, after) = (table(&before)?, table(&after)?);
        let (before, after) = (before.over_rdap(), after.over_rdap());
        let changes = Changes::between(&before, &after, String::clone, ToString::to_string);
        Ok(Prepared { files, date: Some(date), entries: after.len() as u64, changes })
    }
}

/// The files that count, as far as they can be read.
fn present(directory: &Path) -> BTreeMap<Kind, File> {
    let open = |kind| File::open(&directory.join(file_name(kind))).ok().map(|file| (kind, file));
    Kind::ALL.into_iter().filter_map(open).collect()
}

fn read(fresh: &Fresh) -> Result<(Kind, File), String> {
    let file = File::open(&fresh.path).map_err(|error| format!("{}: {error}", fresh.name))?;
    let kind = file.read.kind;
    if fresh.name != ANY && fresh.name != kind.name() {
        return Err(format!("{} has what belongs into {}", fresh.name, file_name(kind)));
    }
    Ok((kind, file))
}

/// Says when a file lacks much of what the one before had.
fn whole(kind: Kind, file: &File, before: &File) -> Result<(), String> {
    let (now, had) = (file.read.services.len(), before.read.services.len());
    if now * SHARE.1 < had * SHARE.0 {
        return Err(format!("{} has {now} names, and there were {had}: some are missing", kind.name()));
    }
    Ok(())
}

/// What is known with these files.
fn table(files: &BTreeMap<Kind, File>) -> Result<Registries, String> {
    let mut table = Registries::built_in();
    for file in files.values() {
        table.add_bootstrap(&file.json)?;
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::{Asked, Outcome, directory, update};
    use crate::whois::Question;

    fn file(services: &str, published: &str) -> String {
        format!(r#"{{"publication":"{published}T00:00:00Z","services":[{services}],"version":"1.0"}}"#)
    }

    fn put(place: &Path, name: &str, services: &str) {
        fs::write(place.join(name), file(services, "2026-11-02")).unwrap();
    }

    fn rdap_of(table: &Registries, text: &str) -> Option<String> {
        table.of(&Question::parse(text).unwrap()).rdap
    }

    async fn bring(data_dir: &Path, from: &Path) -> Result<crate::update::Report, String> {
        let asked = Asked { from: Some(Location::File(from.into())), dry_run: false };
        update(&Iana::source(None), data_dir, &asked).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn what_is_brought_is_used_below_rows_of_ones_own() {
        let (data, mirror) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        put(mirror.path(), "dns.json", r#"[["newtld","owntld"],["https://new.test/"]]"#);
        let mut registries = Registries::built_in();
        registries.add("rdap https://own.test/ owntld").unwrap();
        let kept = kept(Some(directory(data.path(), SOURCE)), registries);
        assert_eq!(rdap_of(&kept.get(), "a.newtld"), None);

        let report = bring(data.path(), mirror.path()).await.unwrap();
        assert_eq!((report.outcome, report.changes.added), (Outcome::Updated, 2));
        assert_eq!(report.date, Some(Date::constant(2026, 11, 2)));
        assert_eq!(report.changes.examples, ["+ newtld https://new.test/", "+ owntld https://new.test/"]);
        assert!(kept.refresh());
        assert_eq!(rdap_of(&kept.get(), "a.newtld").as_deref(), Some("https://new.test/"));
        assert_eq!(rdap_of(&kept.get(), "a.owntld").as_deref(), Some("https://own.test/"));

        // A file of another kind leaves the first in use.
        let numbers = mirror.path().join("numbers.json");
        put(mirror.path(), "numbers.json", r#"[["4200000000-4200000001"],["https://as.test/"]]"#);
        assert_eq!(bring(data.path(), &numbers).await.unwrap().changes.added, 1);
        assert!(kept.refresh());
        assert_eq!(rdap_of(&kept.get(), "AS4200000001").as_deref(), Some("https://as.test/"));
        assert_eq!(rdap_of(&kept.get(), "a.newtld").as_deref(), Some("https://new.test/"));
        assert_eq!(bring(data.path(), &numbers).await.unwrap().outcome, Outcome::Unchanged);
    }

    #[tokio::test]
    async fn what_makes_no_sense_is_refused() {
        let (data, mirror) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let names: Vec<String> = (0..10).map(|number| format!("\"t{number}\"")).collect();
        let services = |names: &[String]| format!(r#"[[{}],["https://new.test/"]]"#, names.join(","));
        put(mirror.path(), "dns.json", &services(&names));
        bring(data.path(), mirror.path()).await.unwrap();
        let old = file(&services(&names), "2024-01-01");
        let undated = old.replace("publication", "published");
        for (name, json, why) in [
            ("dns.json", file(&services(&names[..8]), "2026-11-03"), "dns has 8 names, and there were 10"),
            ("dns.json", file(r#"[["1.0.0.0/8"],["https://x/"]]"#, "2026-11-03"), "belongs into ipv4.json"),
            ("dns.json", "<html>".into(), "no bootstrap file"),
            ("ipv6.json", file(&services(&names), "2026-11-03"), "belongs into dns.json"),
        ] {
            put(mirror.path(), "dns.json", &services(&names));
            fs::write(mirror.path().join(name), json).unwrap();
            let told = bring(data.path(), mirror.path()).await.unwrap_err();
            assert!(told.contains(why), "{told}");
            let _ = fs::remove_file(mirror.path().join("ipv6.json"));
        }
        let elsewhere = tempfile::tempdir().unwrap();
        for (json, why) in [(old, "it is of 2024-01-01"), (undated, "when it was published")] {
            fs::write(mirror.path().join("dns.json"), json).unwrap();
            let told = bring(elsewhere.path(), mirror.path()).await.unwrap_err();
            assert!(told.contains(why), "{told}");
        }
        assert_eq!(present(&directory(data.path(), SOURCE)).len(), 1);
    }

    #[test]
    fn what_comes_with_the_program_is_known() {
        let built_in = Iana::default().built_in().unwrap();
        assert!(built_in.entries > 1000, "{}", built_in.entries);
        assert_eq!(Iana::default().parts().len(), 4);
        assert_eq!(
            Iana::default().parts()[0].locations[0].to_string(),
            "https://data.iana.org/rdap/dns.json"
        );
    }
}

//! Where newer tables are from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use super::table::About;
use super::{Assigned, Registry, Table, csv, format};
use crate::fetch::Location;
use crate::update::{BuiltIn, Changes, Fresh, Loaded, Part, Prepared, Source, State, Work, day};

/// The name of the source, in commands and on disk.
pub const NAME: &str = "oui";
/// The file of the table in the directory of the source.
pub const TABLE: &str = "vendors.table";
/// Where IEEE publishes its registries.
const HOME: &str = "https://standards-oui.ieee.org";
/// Most bytes of a file; ten times what the largest has.
const LARGEST: u64 = 64 << 20;
/// A registry that comes with less than this share of what it had was damaged on its way: assignments are hardly ever
/// taken back.
const SHARE: (usize, usize) = (9, 10);

/// The files, by the registry each has: where IEEE and its mirrors keep it, and its plain name.
const FILES: [(Registry, &str, &str); 5] = [
    (Registry::MaL, "oui/oui.csv", "oui.csv"),
    (Registry::MaM, "oui28/mam.csv", "mam.csv"),
    (Registry::MaS, "oui36/oui36.csv", "oui36.csv"),
    (Registry::Iab, "iab/iab.csv", "iab.csv"),
    (Registry::Cid, "cid/cid.csv", "cid.csv"),
];

/// The table in use: the one of the program, or a newer one that an update brought.
#[derive(Debug)]
pub enum Vendors {
    /// The one that is compiled in.
    BuiltIn,
    /// One that was brought.
    Updated(Box<Table>),
}

impl Deref for Vendors {
    type Target = Table;

    fn deref(&self) -> &Table {
        match self {
            Self::BuiltIn => Table::built_in(),
            Self::Updated(table) => table,
        }
    }
}

/// Loads what an update brought. A program that is newer than that brings a better table itself.
pub fn load(directory: &Path, state: &State) -> Loaded<Vendors> {
    if state.files.is_empty() {
        return Loaded::Nothing;
    }
    let path = directory.join(TABLE);
    let read = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()));
    match read.and_then(|file| format::read(&file).map_err(|error| error.to_string())) {
        Ok(table) if table.about().date < Table::built_in().about().date => Loaded::Nothing,
        Ok(table) => Loaded::Data(Vendors::Updated(Box::new(table))),
        Err(why) => Loaded::Broken(why),
    }
}

/// The registries of IEEE, or a mirror of them.
#[derive(Clone, Debug, Default)]
pub struct Ieee {
    /// A mirror, or a directory, that is asked instead of IEEE.
    pub mirror: Option<Location>,
}

impl Ieee {
    /// The source, to be handed to whoever updates.
    pub fn source(mirror: Option<Location>) -> Arc<dyn Source> {
        Arc::new(Self { mirror })
    }
}

impl Source for Ieee {
    fn name(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> &'static str {
        "MAC vendors"
    }

    fn terms(&self) -> &'static str {
        "From the public listings of the IEEE Registration Authority, in which IEEE asserts no copyright."
    }

    fn parts(&self) -> Vec<Part> {
        let home = self.mirror.clone().or_else(|| HOME.parse().ok());
        home.and_then(|home| self.parts_from(&home).ok()).unwrap_or_default()
    }

    fn parts_from(&self, from: &Location) -> Result<Vec<Part>, String> {
        let part = |name: &str, locations: Vec<Location>, optional| Part {
            name: name.trim_end_matches(".csv").into(),
            locations,
            largest: LARGEST,
            optional,
        };
        let is_file = match from {
            Location::Web(url) => url.path().ends_with(".csv"),
            Location::File(path) => path.extension().is_some_and(|end| end == "csv") && !path.is_dir(),
        };
        if is_file {
            return Ok(vec![part("file", vec![from.clone()], false)]);
        }
        if let Location::File(path) = from
            && path.exists()
            && !path.is_dir()
        {
            return Err(format!("{} is neither a directory nor a .csv file of IEEE", path.display()));
        }
        let parts = FILES.into_iter().map(|(registry, path, plain)| {
            let locations = [path, plain].into_iter().filter_map(|file| from.below(file)).collect();
            // A mirror may leave out the smaller registries; what is known of them stays then.
            part(plain, locations, registry != Registry::MaL)
        });
        Ok(parts.collect())
    }

    fn built_in(&self) -> Option<BuiltIn> {
        let table = Table::built_in();
        let About { date, origin } = table.about().clone();
        Some(BuiltIn { date: date?, entries: table.len() as u64, origin })
    }

    fn prepare(&self, work: Work<'_>) -> Result<Prepared, String> {
        let before = match load(work.present, &State::read(work.present)) {
            Loaded::Data(vendors) => vendors,
            Loaded::Nothing | Loaded::Broken(_) => Vendors::BuiltIn,
        };
        let mut rows = Vec::new();
        for fresh in work.fresh {
            rows.extend(read(fresh)?);
        }
        let brought: BTreeSet<Registry> = rows.iter().map(|row| row.registry).collect();
        for registry in &brought {
            whole(*registry, &rows, &before)?;
        }
        let date = work.fresh.iter().filter_map(|fresh| fresh.modified).max().map(day);
        if let (Some(date), Some(known)) = (date, Table::built_in().about().date)
            && date < known
        {
            return Err(format!("it is of {date}, and the table that comes with the program is of {known}"));
        }
        // Registries that were not brought stay as they are.
        let kept = before.iter().filter(|entry| !brought.contains(&entry.registry));
        rows.extend(kept.map(|entry| Assigned {
            registry: entry.registry,
            prefix: entry.first.bits() >> (48 - entry.registry.bits()),
            name: entry.name.into(),
            address: entry.address.into(),
        }));
        let about =
            About { date: date.or(before.about().date), origin: "IEEE Registration Authority".into() };
        let file = format::write(&about, &rows);
        let after = format::read(&file).map_err(|error| error.to_string())?;
        let path = work.staging.join(TABLE);
        fs::write(&path, &file)
            .and_then(|()| fs::File::open(&path)?.sync_all())
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let changes = compare(&before, &after);
        Ok(Prepared { files: vec![TABLE.into()], date: about.date, entries: after.len() as u64, changes })
    }
}

fn read(fresh: &Fresh) -> Result<Vec<Assigned>, String> {
    let bytes = fs::read(&fresh.path).map_err(|error| format!("{}: {error}", fresh.name))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| format!("{} is not UTF-8", fresh.name))?;
    match csv::read(text) {
        Ok(rows) if rows.is_empty() => Err(format!("{} has no assignments", fresh.name)),
        rows => rows.map_err(|error| format!("{}: {error}", fresh.name)),
    }
}

/// Says when a registry lacks what it must have.
fn whole(registry: Registry, rows: &[Assigned], before: &Table) -> Result<(), String> {
    let now = rows.iter().filter(|row| row.registry == registry).count();
    let had = before.iter().filter(|entry| entry.registry == registry).count();
    if now * SHARE.1 < had * SHARE.0 {
        let name = registry.as_str();
        return Err(format!("it has {now} assignments of {name}, and there were {had}: some are missing"));
    }
    Ok(())
}

/// What differs in who has what; addresses of organisations do not count.
fn compare(before: &Table, after: &Table) -> Changes {
    fn names(table: &Table) -> BTreeMap<(Registry, u64), BTreeSet<&str>> {
        let mut names = BTreeMap::<_, BTreeSet<&str>>::new();
        for entry in table.iter() {
            names.entry((entry.registry, entry.first.bits())).or_default().insert(entry.name);
        }
        names
    }
    let said = |key: &(Registry, u64)| {
        format!("{:0digits$X}", key.1 >> (48 - key.0.bits()), digits = key.0.digits())
    };
    let said_names = |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join(" and ");
    Changes::between(&names(before), &names(after), said, said_names)
}

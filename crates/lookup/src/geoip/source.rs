//! Where newer files are from: DB-IP, MaxMind, a mirror, or a file of one's own.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::file::{File, Hold, LARGEST};
use super::unpack::unpack;
use crate::fetch::Location;
use crate::update::{Account, Accounts, Changes, Part, Prepared, Source, WithAccount, Work, day};

/// The name of the source, in commands and on disk.
pub const NAME: &str = "geoip";
/// Where DB-IP serves its free files.
const DB_IP: &str = "https://download.db-ip.com/free";
/// Where MaxMind serves GeoLite2 to those who have a key.
const MAXMIND: &str = "https://download.maxmind.com/geoip/databases";
/// Most bytes of a file as it is served.
const LARGEST_PACKED: u64 = 1 << 30;
/// A file of the same kind that comes with less than this share of what it had was damaged on its way.
const SHARE: (u64, u64) = (1, 2);
/// Name of a part whose kind shows when it is read.
const ANY: &str = "file";

/// Whose files they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    /// DB-IP Lite: no key, a new file each month.
    DbIp,
    /// GeoLite2 of MaxMind.
    GeoLite2(Account),
}

/// Files of places and of autonomous systems.
#[derive(Clone, Debug)]
pub struct GeoFiles {
    provider: Provider,
    /// A mirror, a directory or a file that is asked instead.
    mirror: Option<Location>,
}

impl GeoFiles {
    /// The source, to be handed to whoever updates.
    pub fn source(provider: Provider, mirror: Option<Location>) -> Arc<dyn Source> {
        Arc::new(Self { provider, mirror })
    }

    /// Where a file of this kind may be within a mirror: by the names of the providers, and by ours.
    fn names(kind: Kind, today: Date) -> Vec<String> {
        let (db_ip, geolite, ours) = match kind {
            Kind::City => ("dbip-city-lite", "GeoLite2-City", "city"),
            Kind::Asn => ("dbip-asn-lite", "GeoLite2-ASN", "asn"),
        };
        let mut names: Vec<String> = months(today).map(|month| format!("{db_ip}-{month}.mmdb.gz")).into();
        for name in [db_ip, geolite, ours] {
            names.extend(["mmdb", "mmdb.gz", "tar.gz"].map(|ending| format!("{name}.{ending}")));
        }
        names
    }
}

/// What a file tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    City,
    Asn,
}

impl Kind {
    const ALL: [Self; 2] = [Self::City, Self::Asn];

    fn name(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Asn => "asn",
        }
    }

    /// The file it is kept in.
    fn file(self) -> String {
        format!("{}.mmdb", self.name())
    }
}

impl Source for GeoFiles {
    fn name(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> &'static str {
        "places and autonomous systems of addresses"
    }

    fn terms(&self) -> &'static str {
        match self.provider {
            Provider::DbIp => {
                "IP Geolocation by DB-IP (https://db-ip.com), CC BY 4.0: it is named wherever results are shown."
            }
            Provider::GeoLite2(_) => {
                "GeoLite2 by MaxMind (https://www.maxmind.com), under its End User License Agreement: it is named \
                 wherever results are shown, and the earlier file is deleted as soon as a newer one is in use."
            }
        }
    }

    fn as_with_account(&self) -> Option<&dyn WithAccount> {
        Some(self)
    }

    fn parts(&self) -> Vec<Part> {
        if let Some(mirror) = &self.mirror {
            return self.parts_from(mirror).unwrap_or_default();
        }
        let today = day(Timestamp::now());
        let locations = |kind: Kind| -> Vec<Location> {
            match &self.provider {
                Provider::DbIp => {
                    let url = |month| format!("{DB_IP}/dbip-{}-lite-{month}.mmdb.gz", kind.name());
                    months(today).iter().filter_map(|month| url(month).parse().ok()).collect()
                }
                Provider::GeoLite2(account) => geolite(kind, account).into_iter().collect(),
            }
        };
        Kind::ALL.map(|kind| part(kind.name(), locations(kind), false)).into()
    }

    fn parts_from(&self, from: &Location) -> Result<Vec<Part>, String> {
        let is_file = match from {
            Location::Web(url) => [".mmdb", ".gz"].iter().any(|ending| url.path().ends_with(ending)),
            Location::File(path) => path.is_file(),
        };
        if is_file {
            return Ok(vec![part(ANY, vec![from.clone()], false)]);
        }
        let today = day(Timestamp::now());
        let locations = |kind| Self::names(kind, today).iter().filter_map(|name| from.below(name)).collect();
        // A mirror may have one of them alone.
        Ok(Kind::ALL.map(|kind| part(kind.name(), locations(kind), true)).into())
    }

    fn prepare(&self, work: Work<'_>) -> Result<Prepared, String> {
        let mut prepared = Prepared::default();
        for fresh in work.fresh {
            let unpacked = work.staging.join(format!("{}.unpacked", fresh.name));
            unpack(&fresh.path, &unpacked, LARGEST).map_err(|error| format!("{}: {error}", fresh.name))?;
            // The space is needed, and nobody reads it any more.
            let _ = fs::remove_file(&fresh.path);
            let file =
                File::open(&unpacked, &Hold::Itself).map_err(|error| format!("{}: {error}", fresh.name))?;
            let kind = kind_of(&fresh.name, &file)?;
            let entries = file.networks().map_err(|error| format!("{}: {error}", fresh.name))?;
            let present = work.present.join(kind.file());
            compare(kind, &file, entries, &present, &mut prepared.changes)?;
            fs::rename(&unpacked, work.staging.join(kind.file())).map_err(|error| error.to_string())?;
            prepared.files.push(kind.file());
            prepared.entries += entries;
            prepared.date = prepared.date.max(Some(day(file.source.built)));
        }
        for kind in Kind::ALL.into_iter().filter(|kind| !prepared.files.contains(&kind.file())) {
            let kept = File::open(&work.present.join(kind.file()), &Hold::Itself);
            prepared.entries += kept.and_then(|file| file.networks()).unwrap_or_default();
        }
        Ok(prepared)
    }
}

impl WithAccount for GeoFiles {
    fn with_account(&self, account: Account) -> Arc<dyn Source> {
        Self::source(Provider::GeoLite2(account), self.mirror.clone())
    }

    fn accounts(&self) -> Accounts<'_> {
        let number = match &self.provider {
            Provider::DbIp => None,
            Provider::GeoLite2(account) => Some(account.number.as_str()),
        };
        Accounts { provider: "MaxMind, for GeoLite2", number }
    }
}

fn part(name: &str, locations: Vec<Location>, optional: bool) -> Part {
    Part { name: name.into(), locations, largest: LARGEST_PACKED, optional }
}

/// This month and the one before, since a new file comes in the first days of a month.
pub(super) fn months(today: Date) -> [String; 2] {
    let first = today.first_of_month();
    let before = first.checked_sub(1.month()).unwrap_or(first);
    [first, before].map(|month| month.strftime("%Y-%m").to_string())
}

/// Where MaxMind serves a file; the account and its key stand before the host, which is sent as a header.
fn geolite(kind: Kind, account: &Account) -> Option<Location> {
    let edition = match kind {
        Kind::City => "GeoLite2-City",
        Kind::Asn => "GeoLite2-ASN",
    };
    let url: Location = format!("{MAXMIND}/{edition}/download?suffix=tar.gz").parse().ok()?;
    let Location::Web(mut url) = url else { return None };
    url.set_username(&account.number).ok()?;
    url.set_password(Some(&account.key)).ok()?;
    Some(Location::Web(url))
}

/// What a part is, by its name or else by what is in it.
fn kind_of(name: &str, file: &File) -> Result<Kind, String> {
    match name {
        "city" if file.places => Ok(Kind::City),
        "city" => Err(format!("{} tells no places", file.source.name)),
        "asn" if file.systems => Ok(Kind::Asn),
        "asn" => Err(format!("{} tells no autonomous systems", file.source.name)),
        _ if file.places => Ok(Kind::City),
        _ => Ok(Kind::Asn),
    }
}

/// Notes what differs from the file that is there, and refuses one that lacks half of it.
fn compare(
    kind: Kind,
    new: &File,
    entries: u64,
    present: &Path,
    changes: &mut Changes,
) -> Result<(), String> {
    let said = |file: &File| format!("{} of {}", file.source.name, day(file.source.built));
    let Ok(old) = File::open(present, &Hold::Itself) else {
        changes.added += 1;
        changes.examples.push(format!("+ {}: {}, {entries} networks", kind.name(), said(new)));
        return Ok(());
    };
    let had = old.networks().unwrap_or_default();
    if old.source.name == new.source.name && entries * SHARE.1 < had * SHARE.0 {
        return Err(format!("{} has {entries} networks, and there were {had}: some are missing", said(new)));
    }
    if old.source != new.source || had != entries {
        changes.changed += 1;
        changes.examples.push(format!("~ {}: {}, before {}", kind.name(), said(new), said(&old)));
    }
    Ok(())
}

//! The data directory and the database.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use netwark_store::{Store, StoreOptions};

use super::Check;
use crate::config::database::Database;

/// Free space below which a warning, and a failure, is given, in bytes.
const LITTLE: u64 = 1 << 30;
const TOO_LITTLE: u64 = 50 << 20;

/// Looks at the directory without making it.
pub(super) fn data_dir(path: &Path) -> Vec<Check> {
    let name = "data directory";
    let shown = path.display();
    let Ok(metadata) = fs::metadata(path) else {
        let parent = path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
        return vec![match writable(parent) {
            true => Check::ok(name, format!("{shown} does not exist yet; the first start makes it")),
            false => Check::fail(
                name,
                format!("{shown} does not exist, and {} is not writable", parent.display()),
                "choose another with --data-dir, or make it and give it to this user",
            ),
        }];
    };
    if !metadata.is_dir() {
        return vec![Check::fail(name, format!("{shown} is no directory"), "choose another with --data-dir")];
    }
    if !writable(path) {
        let remedy = format!("sudo chown {} {shown}", rustix::process::getuid().as_raw());
        return vec![Check::fail(name, format!("{shown} is not writable"), remedy)];
    }
    let mode = metadata.permissions().mode() & 0o777;
    let mut checks = vec![match mode & 0o007 {
        0 => Check::ok(name, format!("{shown} is writable")),
        _ => Check::warn(
            name,
            format!("{shown} can be read by every user of this machine (mode {mode:o})"),
            format!("chmod 700 {shown}"),
        ),
    }];
    checks.extend(space(path));
    checks
}

fn writable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok()
}

fn space(path: &Path) -> Option<Check> {
    let disk = rustix::fs::statvfs(path).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let found = format!("{} MiB are free", free >> 20);
    let remedy = "make room, or lower history.days";
    Some(match free {
        free if free < TOO_LITTLE => Check::fail("disk", found, remedy),
        free if free < LITTLE => Check::warn("disk", found, remedy),
        _ => Check::ok("disk", found),
    })
}

/// Opens the database as a server would, but makes and changes nothing.
pub(super) async fn database(database: &Database) -> Vec<Check> {
    let name = "database";
    if let Some(file) = database.file() {
        let Ok(metadata) = fs::metadata(file) else {
            return vec![Check::ok(
                name,
                format!("{} does not exist yet; the first start makes it", file.display()),
            )];
        };
        if metadata.uid() != rustix::process::getuid().as_raw() && !rustix::process::getuid().is_root() {
            let remedy = "run the doctor as the user of the server";
            return vec![Check::warn(name, format!("{} belongs to another user", file.display()), remedy)];
        }
    }
    let options = database.options();
    match Store::pending_migrations(&options).await {
        Err(error) => {
            return vec![Check::fail(name, error.to_string(), "see the message; nothing was changed")];
        }
        Ok(pending) if !pending.is_empty() => {
            let found = format!("{} migrations are pending", pending.len());
            return vec![Check::warn(name, found, "start the server, or run 'netwark migrate'")];
        }
        Ok(_) => {}
    }
    let store = match Store::open(&StoreOptions { migrate: false, ..options }).await {
        Ok(store) => store,
        Err(error) => {
            return vec![Check::fail(name, error.to_string(), "see the message; nothing was changed")];
        }
    };
    let looked = async {
        let version = store.version().await?;
        store.check_integrity().await?;
        Ok::<_, netwark_store::StoreError>(version)
    };
    let check = match looked.await {
        Ok(version) => Check::ok(name, format!("{version}, {}, sound and up to date", store.place())),
        Err(error) => Check::fail(name, error.to_string(), "restore a backup"),
    };
    store.close().await;
    vec![check]
}

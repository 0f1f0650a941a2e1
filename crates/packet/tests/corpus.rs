//! Feeds the fuzz corpus, and simple mutations of it, to the fuzz targets.

#[path = "../fuzz/drive.rs"]
mod drive;

use std::fs;
use std::path::Path;

/// The seed itself, cut at every length, and with every byte replaced by the values that break parsers.
fn mutations(seed: &[u8], mut feed: impl FnMut(&[u8])) {
    feed(seed);
    for end in 0..seed.len() {
        feed(&seed[..end]);
    }
    for at in 0..seed.len() {
        for value in [0, 1, 0x0f, 0x45, 0x60, 0x7f, 0x80, 0xff, seed[at] ^ 0x10, seed[at].wrapping_add(1)] {
            let mut mutant = seed.to_vec();
            mutant[at] = value;
            feed(&mutant);
        }
    }
}

fn run(target: &str, drive: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files: Vec<_> =
        fs::read_dir(&folder).expect("a corpus").map(|entry| entry.expect("a file").path()).collect();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        let seed = fs::read(&file).expect("a readable seed");
        mutations(&seed, &drive);
    }
}

#[test]
fn ip() {
    run("ip", drive::ip);
}

#[test]
fn icmp() {
    run("icmp", drive::icmp);
}

#[test]
fn transport() {
    run("transport", drive::transport);
}

#[test]
fn link() {
    run("link", drive::link);
}

#[test]
fn names() {
    run("names", drive::names);
}

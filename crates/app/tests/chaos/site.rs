//! A namespace in which a worker stands, with one link to the server, which may be cut.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::chaos::process::{netwark, output};

/// Packets of a hundred that are lost on a lossy link, each way.
const LOST: u32 = 15;

/// Whether namespaces can be made here. Where `CI` is set, they must.
pub(crate) fn may_be_made() -> bool {
    let may = rustix::process::geteuid().is_root();
    if !may {
        assert!(std::env::var_os("CI").is_none(), "network namespaces need root");
        eprintln!("skipped: network namespaces need root");
    }
    may
}

/// A namespace with one link to here.
pub(crate) struct Site {
    name: String,
    here: String,
    number: u32,
    /// The namespace is of this site alone.
    owns: bool,
}

impl Site {
    /// Makes it, or says why not.
    pub(crate) fn new() -> Option<Self> {
        if !may_be_made() {
            return None;
        }
        let site = Self::numbered(None);
        output(Command::new("ip").args(["netns", "add", &site.name]));
        site.linked();
        Some(site)
    }

    /// Makes the link to a namespace that exists already.
    pub(crate) fn around(namespace: &str) -> Self {
        let site = Self::numbered(Some(namespace));
        site.linked();
        site
    }

    fn numbered(namespace: Option<&str>) -> Self {
        static SITES: AtomicU32 = AtomicU32::new(0);
        let number = std::process::id() * 8 + SITES.fetch_add(1, Ordering::Relaxed);
        let name = namespace.map_or_else(|| format!("nw-site-{number}"), str::to_owned);
        Self { name, here: format!("nws{number}"), number, owns: namespace.is_none() }
    }

    fn linked(&self) {
        let (name, here) = (&self.name, &self.here);
        let address = |end| format!("{}/30", self.address(end));
        for line in [
            format!("link add {here} type veth peer name up netns {name}"),
            format!("address add {} dev {here}", address(1)),
            format!("link set {here} up"),
            format!("-n {name} address add {} dev up", address(2)),
            format!("-n {name} link set dev up up"),
            format!("-n {name} link set lo up"),
        ] {
            output(Command::new("ip").args(line.split_whitespace()));
        }
    }

    /// An address of the link: 1 is this end, 2 the other.
    pub(crate) fn address(&self, end: u32) -> String {
        // A /30 of the block for benchmarks (RFC 2544), one of 16,000 by the number of this process.
        let base = (self.number % 16_000) * 4 + end;
        format!("198.19.{}.{}", base >> 8 & 0xff, base & 0xff)
    }

    pub(crate) fn link(&self, state: &str) {
        output(Command::new("ip").args(["link", "set", &self.here, state]));
    }

    /// Loses packets of the link, both ways.
    pub(crate) fn lose(&self) {
        self.nft("add table ip lossy");
        for (hook, by) in [("input", "iifname"), ("output", "oifname")] {
            self.nft(&format!("add chain ip lossy {hook} {{ type filter hook {hook} priority 0; }}"));
            self.nft(&format!(
                "add rule ip lossy {hook} {by} up numgen random mod 100 < {LOST} counter drop"
            ));
        }
    }

    /// How many packets were lost.
    pub(crate) fn lost(&self) -> u64 {
        let rules = self.nft("list table ip lossy");
        let mut words = rules.split_whitespace();
        let mut number = 0;
        while words.by_ref().any(|word| word == "packets") {
            number += words.next().unwrap().parse::<u64>().unwrap();
        }
        number
    }

    fn nft(&self, line: &str) -> String {
        output(Command::new("ip").args(["netns", "exec", &self.name, "nft", line]))
    }

    /// The binary inside.
    pub(crate) fn netwark(&self, data: &Path) -> Command {
        let inner = netwark(data);
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(inner.get_program());
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("HOME", data).env("NETWARK_DATA_DIR", data);
        command
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if self.owns {
            let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
        }
        let _ =
            Command::new("ip").args(["link", "del", &self.here]).stderr(std::process::Stdio::null()).status();
    }
}

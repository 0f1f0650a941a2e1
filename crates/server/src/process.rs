//! What this process uses, as the kernel counts it.

use std::fs;

/// What a process uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Usage {
    /// Processor time, in seconds.
    pub(crate) cpu_seconds: f64,
    /// Memory in RAM, in bytes.
    pub(crate) resident_bytes: u64,
    /// Open file descriptors.
    pub(crate) open_files: u64,
    /// Most of them that may be open.
    pub(crate) most_files: u64,
    /// When it started, in seconds since the epoch.
    pub(crate) started_at: f64,
}

/// What this process uses; none where the kernel does not tell.
pub(crate) fn usage() -> Option<Usage> {
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let times = times(&fs::read_to_string("/proc/self/stat").ok()?)?;
    let boot = boot_time(&fs::read_to_string("/proc/stat").ok()?)?;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    Some(Usage {
        cpu_seconds: (times.user + times.system) as f64 / ticks,
        resident_bytes: times.resident_pages * rustix::param::page_size() as u64,
        open_files: fs::read_dir("/proc/self/fd").ok()?.count() as u64,
        most_files: limit.unwrap_or(u64::MAX),
        started_at: boot as f64 + times.started as f64 / ticks,
    })
}

/// Fields of `/proc/PID/stat`; times in clock ticks, the start since boot.
#[derive(Debug, PartialEq, Eq)]
struct Times {
    user: u64,
    system: u64,
    started: u64,
    resident_pages: u64,
}

fn times(stat: &str) -> Option<Times> {
    // The second field is the name in brackets, which may hold anything; the third comes behind the last one.
    let fields: Vec<&str> = stat[stat.rfind(')')? + 1..].split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse().ok();
    Some(Times { user: field(14)?, system: field(15)?, started: field(22)?, resident_pages: field(24)? })
}

/// `btime` of `/proc/stat`: when the machine started, in seconds since the epoch.
fn boot_time(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_shift_the_fields() {
        let stat = "7 (a) b 9) S 1 2 3 4 5 6 7 8 9 10 140 150 16 17 18 19 20 21 220 23 240 25";
        assert_eq!(times(stat), Some(Times { user: 140, system: 150, started: 220, resident_pages: 240 }));
        assert_eq!(times("7 (a) S 1"), None);
    }

    #[test]
    fn this_process_uses_something() {
        let usage = usage().unwrap();
        assert!(usage.resident_bytes > 1 << 20 && usage.open_files > 2, "{usage:?}");
        assert!(usage.started_at > 1.5e9, "{usage:?}");
    }
}

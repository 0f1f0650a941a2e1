//! Privileges and settings of the kernel.

use std::fs;

use netwark_probe::engine::{Ability, Capabilities, Engine, EngineOptions};

use super::Check;

/// Receive buffer that a burst of 20,000 answers fits into, in bytes.
const WANTED_BUFFER: u64 = 16 << 20;

/// Open files that a busy server and worker may need.
const WANTED_FILES: u64 = 1024;

/// Clock sources whose every reading costs a microsecond or more.
const SLOW_CLOCKS: [&str; 3] = ["hpet", "acpi_pm", "jiffies"];

/// Looks at all of it.
pub(super) fn checks() -> Vec<Check> {
    let mut checks = match Engine::start(EngineOptions::default()) {
        Ok(engine) => privileges(engine.capabilities()),
        Err(error) => {
            vec![Check::fail("engine", error.to_string(), "free memory or raise the limit of threads")]
        }
    };
    checks.push(ipv6());
    checks.push(receive_buffer());
    checks.extend(clock());
    checks.push(open_files());
    checks
}

fn privileges(can: &Capabilities) -> Vec<Check> {
    let ping = match (&can.raw_v4, &can.datagram_v4) {
        (Ability { available: true, .. }, _) => Check::ok("ping", "raw sockets"),
        (_, Ability { available: true, .. }) => {
            Check::ok("ping", "ICMP datagram sockets; raw sockets would be faster and know more errors")
        }
        (raw, _) => Check::fail("ping", can.why_no_icmp(false).unwrap_or_else(|| lacking(raw)), remedy()),
    };
    let trace = match (&can.raw_v4, &can.udp_errqueue) {
        (Ability { available: true, .. }, _) => Check::ok("trace", "ICMP, UDP and TCP"),
        (raw, Ability { available: true, .. }) => {
            Check::warn("trace", format!("UDP only: {}", lacking(raw)), remedy())
        }
        (raw, _) => Check::fail("trace", lacking(raw), remedy()),
    };
    let tcp = match &can.tcp_syn {
        Ability { available: true, .. } => Check::ok("tcp trace", "raw sockets"),
        missing => Check::warn("tcp trace", lacking(missing), remedy()),
    };
    vec![ping, trace, tcp]
}

fn lacking(ability: &Ability) -> String {
    ability.reason.clone().unwrap_or_else(|| "not available".into())
}

/// How this very binary gets raw sockets.
fn remedy() -> String {
    let program =
        std::env::current_exe().map_or_else(|_| "netwark".into(), |path| path.display().to_string());
    format!("sudo setcap cap_net_raw+ep {program}")
}

fn ipv6() -> Check {
    let addresses = fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    // Columns: address, index, prefix length, scope, flags, name. Scope 00 is global.
    let global = addresses.lines().any(|line| line.split_whitespace().nth(3) == Some("00"));
    match (addresses.is_empty(), global) {
        (true, _) => Check::warn(
            "ipv6",
            "the kernel has none",
            "if you need it, remove ipv6.disable=1 from the kernel's command line",
        ),
        (false, false) => Check::ok("ipv6", "only on this machine and its links"),
        (false, true) => Check::ok("ipv6", "available"),
    }
}

fn receive_buffer() -> Check {
    let limit = number("/proc/sys/net/core/rmem_max").unwrap_or_default();
    let found = format!("net.core.rmem_max is {limit}");
    match limit >= WANTED_BUFFER {
        true => Check::ok("receive buffer", found),
        false => Check::warn(
            "receive buffer",
            format!("{found}: without CAP_NET_ADMIN large bursts can lose answers"),
            format!("sudo sysctl -w net.core.rmem_max={WANTED_BUFFER}"),
        ),
    }
}

fn clock() -> Option<Check> {
    let source =
        fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource").ok()?;
    let source = source.trim();
    Some(match SLOW_CLOCKS.contains(&source) {
        true => Check::warn(
            "clock",
            format!("{source} is slow to read, which makes round trips less exact"),
            "look for a better one in /sys/devices/system/clocksource/clocksource0/available_clocksource",
        ),
        false => Check::ok("clock", source),
    })
}

fn open_files() -> Check {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    match limit {
        Some(limit) if limit < WANTED_FILES => Check::warn(
            "open files",
            format!("the limit is {limit}"),
            format!("ulimit -n {WANTED_FILES}, or LimitNOFILE= in the service"),
        ),
        Some(limit) => Check::ok("open files", format!("the limit is {limit}")),
        None => Check::ok("open files", "no limit"),
    }
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

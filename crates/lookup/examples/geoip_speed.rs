//! Measures look-ups in a file of one's own: `geoip_speed FILE.mmdb... [--rounds N]`. Prints JSON for `benches/`.
//!
//! Addresses are spread over the whole of IPv4, and over 2000::/3, by a fixed sequence, so that two runs ask for the
//! same and pages are touched all over the file.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program for measuring")]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Instant;

use netwark_lookup::geoip::{GeoIp, GeoIpSettings, Hold};

const ADDRESSES: u64 = 200_000;

/// A number that looks like chance and is always the same (SplitMix64).
fn spread(number: u64) -> u64 {
    let mut bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn v4(number: u64) -> IpAddr {
    let [a, b, c, d, ..] = spread(number).to_be_bytes();
    Ipv4Addr::new(a, b, c, d).into()
}

fn v6(number: u64) -> IpAddr {
    // Most of what is given out lies in 2000::/11 to 2a00::/8.
    let bits = (u128::from(spread(number)) << 64 | u128::from(spread(!number))) >> 8;
    Ipv6Addr::from(0x2a_u128 << 120 | bits).into()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let at = arguments.iter().position(|argument| argument == "--rounds");
    let rounds: u32 = at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(5);
    let files = &arguments[..at.unwrap_or(arguments.len())];
    let city: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
    let copies = std::env::temp_dir();
    let begun = Instant::now();
    let geoip = GeoIp::new(GeoIpSettings { city, hold: Hold::Copy(copies), ..GeoIpSettings::default() });
    geoip.refresh();
    let opened_ms = begun.elapsed().as_secs_f64() * 1e3;
    assert!(!geoip.is_empty(), "{:?}", geoip.files());
    for (family, address) in [("ipv4", v4 as fn(u64) -> IpAddr), ("ipv6", v6)] {
        let mut best = f64::MAX;
        let mut first = 0.0;
        let mut found = 0_u64;
        for round in 0..=rounds {
            found = 0;
            let begun = Instant::now();
            for number in 0..ADDRESSES {
                found += u64::from(black_box(geoip.lookup(black_box(address(number)))).place.is_some());
            }
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let each = begun.elapsed().as_secs_f64() * 1e9 / ADDRESSES as f64;
            match round {
                0 => first = each,
                _ => best = best.min(each),
            }
        }
        println!(
            "{{\"family\":\"{family}\",\"ns\":{best:.0},\"first_round_ns\":{first:.0},\"found\":{found},\
             \"asked\":{ADDRESSES},\"opened_ms\":{opened_ms:.1},\"rss_anon_kib\":{}}}",
            anonymous().expect("/proc is there")
        );
    }
}

/// Memory of this process that is not backed by a file, in KiB.
fn anonymous() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?.split_whitespace().next()?.parse().ok()
}

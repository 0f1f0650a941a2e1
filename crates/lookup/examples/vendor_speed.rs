//! Measures how long finding a vendor takes, over addresses in a random order. Prints JSON for `benches/`.
//!
//! ```text
//! cargo run --release -p netwark-lookup --example vendor_speed
//! ```

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use netwark_lookup::oui::Table;
use netwark_model::mac::Mac;

const LOOKUPS: usize = 2_000_000;

fn main() -> std::io::Result<()> {
    let began = Instant::now();
    let table = Table::built_in();
    let unpacked = began.elapsed();
    // A linear congruential generator (Knuth's MMIX) is random enough to defeat caches and branch prediction.
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 16
    };
    let first: Vec<u64> = table.iter().map(|entry| entry.first.bits()).collect();
    let assigned: Vec<Mac> = (0..LOOKUPS)
        .map(|_| Mac::from_bits(first[random() as usize % first.len()] | random() & 0xfff))
        .collect();
    let any: Vec<Mac> = (0..LOOKUPS).map(|_| Mac::from_bits(random())).collect();
    let mut out = std::io::stdout().lock();
    for (name, macs) in [("assigned", assigned), ("any", any)] {
        let began = Instant::now();
        let found = macs.iter().filter(|mac| black_box(table.find(**mac)).is_some()).count();
        let each = began.elapsed().as_secs_f64() * 1e9 / macs.len() as f64;
        writeln!(
            out,
            "{{\"kind\":\"{name}\",\"ns\":{each:.0},\"found\":{found},\"asked\":{},\"assignments\":{},\"unpacked_ms\":{:.1}}}",
            macs.len(),
            table.len(),
            unpacked.as_secs_f64() * 1e3
        )?;
    }
    Ok(())
}

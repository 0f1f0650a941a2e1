//! Writes the table of vendors that is compiled in.
//!
//! ```text
//! cargo run -p netwark-lookup --example pack_vendors -- 2026-10-01 "IEEE, standards-oui.ieee.org" \
//!     oui.csv mam.csv oui36.csv iab.csv cid.csv
//! ```
//!
//! The same files make the same table, bit by bit.

use std::error::Error;
use std::io::Write;
use std::path::Path;

use netwark_lookup::oui::{About, compress, read_csv, write_table};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let date = arguments.next().ok_or("the first argument is the day of the data")?.parse()?;
    let origin = arguments.next().ok_or("the second argument says where the data is from")?;
    let mut rows = Vec::new();
    for file in arguments {
        rows.extend(read_csv(&std::fs::read_to_string(&file)?).map_err(|error| format!("{file}: {error}"))?);
    }
    let plain = write_table(&About { date: Some(date), origin }, &rows);
    let packed = compress(&plain, |body| {
        let mut packed = Vec::new();
        let mut writer = brotli::CompressorWriter::new(&mut packed, 1 << 16, 11, 24);
        // Writing into memory does not fail.
        let written = writer.write_all(body);
        drop(writer);
        if written.is_ok() { packed } else { Vec::new() }
    })?;
    let into = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/oui/vendors.bin");
    std::fs::write(&into, &packed)?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{}: {} rows, {} bytes plain, {} packed",
        into.display(),
        rows.len(),
        plain.len(),
        packed.len()
    )?;
    Ok(())
}

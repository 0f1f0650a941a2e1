//! The table as a file: for the binary packed, on disk plain.
//!
//! All numbers are little-endian. The file begins with the eight bytes `NWOUI\0\0\1`, the last of them the version,
//! then come
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | how the body is stored: 0 plain, 1 as a Brotli stream (RFC 7932) |
//! | 4 | length of the body when it is plain |
//! | 4 | CRC-32 of the plain body |
//! | the rest | the body |
//!
//! The body is, one behind the other:
//!
//! 1. a line of JSON, ended by a line feed: the [`About`], with the number of `organisations` and of `assignments` in
//!    each registry;
//! 2. the assigned bits, registry by registry in the order of [`Registry::ALL`], each sorted, as the difference to the
//!    one before (the first of a registry to 0) in LEB128;
//! 3. the number of each assignment's organisation in the order of 2: the low bytes of all, then the middle ones, then
//!    the high ones;
//! 4. the names of the organisations, each ended by a line feed;
//! 5. their addresses alike, empty where none is told.
//!
//! Organisations are sorted by the words of their address from the last to the first, so that those of one town stand
//! together: this makes the packed table a twentieth smaller than any order by name.

use std::collections::BTreeMap;
use std::io::Read;

use serde::{Deserialize, Serialize};

use super::table::{About, Block, Table};
use super::{Assigned, Registry};

const MAGIC: &[u8; 8] = b"NWOUI\0\0\x01";
const PLAIN: u8 = 0;
const BROTLI: u8 = 1;
const HEADER: usize = MAGIC.len() + 1 + 4 + 4;
/// Most bytes of a body; ten times what there is.
const LARGEST: usize = 64 << 20;
/// Bytes of an organisation's number.
const PLANES: usize = 3;

/// Why a file is no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the table of vendors is damaged: {0}")]
pub struct DamagedTable(&'static str);

#[derive(Serialize, Deserialize)]
struct Head {
    #[serde(flatten)]
    about: About,
    organisations: usize,
    assignments: Vec<usize>,
}

/// The table as a file that is not packed. Rows that say the same are stored once.
pub fn write(about: &About, rows: &[Assigned]) -> Vec<u8> {
    let organisations = organisations(rows);
    let mut sorted: Vec<&Assigned> = rows.iter().collect();
    sorted.sort_by_key(|row| (row.registry, row.prefix));
    sorted.dedup();
    let count = |registry| sorted.iter().filter(|row| row.registry == registry).count();
    let head = Head {
        about: about.clone(),
        organisations: organisations.len(),
        assignments: Registry::ALL.map(count).to_vec(),
    };
    let mut body = serde_json::to_vec(&head).unwrap_or_default();
    body.push(b'\n');
    let mut last = (None, 0);
    for row in &sorted {
        let before = if last.0 == Some(row.registry) { last.1 } else { 0 };
        leb128(row.prefix - before, &mut body);
        last = (Some(row.registry), row.prefix);
    }
    let numbers: Vec<[u8; 4]> = sorted
        .iter()
        .map(|row| organisations.get(&key(row)).copied().unwrap_or_default().to_le_bytes())
        .collect();
    for plane in 0..PLANES {
        body.extend(numbers.iter().map(|number| number[plane]));
    }
    let mut named: Vec<_> = organisations.into_iter().collect();
    named.sort_by_key(|(_, number)| *number);
    let names = named.iter().map(|(organisation, _)| organisation.name);
    for line in names.chain(named.iter().map(|(organisation, _)| organisation.address)) {
        body.extend_from_slice(line.as_bytes());
        body.push(b'\n');
    }
    file(PLAIN, &body, &body)
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    name: &'a str,
    address: &'a str,
}

fn key(row: &Assigned) -> Key<'_> {
    Key { name: &row.name, address: &row.address }
}

/// Every organisation with its number.
fn organisations(rows: &[Assigned]) -> BTreeMap<Key<'_>, u32> {
    let mut all: Vec<Key<'_>> = rows.iter().map(key).collect();
    all.sort_unstable();
    all.dedup();
    all.sort_by_cached_key(|organisation| {
        organisation.address.split(' ').rev().map(str::to_lowercase).collect::<Vec<_>>()
    });
    all.into_iter().zip(0..).collect()
}

fn file(method: u8, body: &[u8], stored: &[u8]) -> Vec<u8> {
    let mut file = Vec::with_capacity(HEADER + stored.len());
    file.extend_from_slice(MAGIC);
    file.push(method);
    file.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    file.extend_from_slice(&crc32fast::hash(body).to_le_bytes());
    file.extend_from_slice(stored);
    file
}

/// The same table packed by `pack`, which makes a Brotli stream of bytes.
///
/// # Errors
/// When it is no plain table.
pub fn compress(plain: &[u8], pack: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<Vec<u8>, DamagedTable> {
    let body = body(plain)?;
    Ok(file(BROTLI, &body, &pack(&body)))
}

/// Reads a table.
///
/// # Errors
/// When a bit of it is not as it was written.
pub fn read(file: &[u8]) -> Result<Table, DamagedTable> {
    let body = body(file)?;
    let line = body.iter().position(|byte| *byte == b'\n').ok_or(DamagedTable("it has no head"))?;
    let (head, rest) = body.split_at(line + 1);
    let head: Head = serde_json::from_slice(head).map_err(|_| DamagedTable("its head is not understood"))?;
    if head.assignments.len() != Registry::ALL.len() {
        return Err(DamagedTable("it has other registries"));
    }
    let mut rest = rest;
    let mut blocks = Vec::new();
    for (registry, count) in Registry::ALL.into_iter().zip(head.assignments) {
        let mut prefix = 0_u64;
        for _ in 0..count {
            prefix = prefix.checked_add(number(&mut rest)?).ok_or(DamagedTable("a prefix is too large"))?;
            if prefix >> registry.bits() != 0 {
                return Err(DamagedTable("a prefix is too large"));
            }
            blocks.push(Block { start: prefix << (48 - registry.bits()), registry, organisation: 0 });
        }
    }
    let all = blocks.len();
    let planes = rest.get(..all * PLANES).ok_or(DamagedTable("it ends early"))?;
    for (at, block) in blocks.iter_mut().enumerate() {
        let byte = |plane: usize| planes.get(plane * all + at).copied().unwrap_or_default();
        block.organisation = u32::from_le_bytes([byte(0), byte(1), byte(2), 0]);
        if block.organisation as usize >= head.organisations {
            return Err(DamagedTable("an organisation is missing"));
        }
    }
    let text = std::str::from_utf8(&rest[planes.len()..]).map_err(|_| DamagedTable("a name is no text"))?;
    Table::build(head.about, blocks, text, head.organisations).ok_or(DamagedTable("a name is missing"))
}

/// The body of a file, unpacked and checked.
fn body(file: &[u8]) -> Result<Vec<u8>, DamagedTable> {
    let header = file.get(..HEADER).ok_or(DamagedTable("it ends early"))?;
    let stored = &file[HEADER..];
    if !header.starts_with(MAGIC) {
        return Err(DamagedTable("it is something else, or of another version"));
    }
    let word = |at: usize| {
        let bytes = header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
        u32::from_le_bytes(bytes)
    };
    let length = word(MAGIC.len() + 1) as usize;
    if length > LARGEST {
        return Err(DamagedTable("it is too large"));
    }
    let body = match header[MAGIC.len()] {
        PLAIN => stored.to_vec(),
        BROTLI => {
            let mut body = Vec::with_capacity(length);
            let unpacked = brotli_decompressor::Decompressor::new(stored, 1 << 16);
            // One byte more than there should be, so that too long a stream is noticed and does not go on.
            let read = unpacked.take(length as u64 + 1).read_to_end(&mut body);
            read.map_err(|_| DamagedTable("it cannot be unpacked"))?;
            body
        }
        _ => return Err(DamagedTable("it is packed in an unknown way")),
    };
    if body.len() != length || crc32fast::hash(&body) != word(MAGIC.len() + 5) {
        return Err(DamagedTable("its checksum is wrong"));
    }
    Ok(body)
}

fn leb128(mut number: u64, into: &mut Vec<u8>) {
    while number > 0x7f {
        into.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn number(rest: &mut &[u8]) -> Result<u64, DamagedTable> {
    let mut number = 0_u64;
    for shift in (0..42).step_by(7) {
        let (byte, after) = rest.split_first().ok_or(DamagedTable("it ends early"))?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(DamagedTable("a prefix is too large"))
}

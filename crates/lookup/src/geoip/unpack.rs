//! Getting a file in the format of MaxMind out of what a source serves: itself, gzip of it, or a tar of gzip.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// Size of the blocks of a tar archive.
const BLOCK: usize = 512;
/// Most entries of an archive that are looked at.
const ENTRIES: usize = 1_000;
/// What gzip begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Writes the file that is in `from` to `into`, at most `largest` bytes of it.
pub(super) fn unpack(from: &Path, into: &Path, largest: u64) -> io::Result<()> {
    let mut start = [0; 2];
    let is_gzip = File::open(from)?.read_exact(&mut start).is_ok() && start == GZIP;
    let file = BufReader::with_capacity(1 << 16, File::open(from)?);
    let mut data: Box<dyn Read> = if is_gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut first = Vec::with_capacity(BLOCK);
    data.by_ref().take(BLOCK as u64).read_to_end(&mut first)?;
    let mut out = BufWriter::with_capacity(1 << 16, File::create(into)?);
    let written = match is_tar(&first) {
        true => {
            let size = find(&mut data, first)?;
            if size > largest {
                return Err(too_large(largest));
            }
            let written = io::copy(&mut data.take(size), &mut out)?;
            if written < size {
                return Err(io::Error::other("the archive breaks off"));
            }
            written
        }
        false => {
            out.write_all(&first)?;
            first.len() as u64 + io::copy(&mut data.take(largest), &mut out)?
        }
    };
    if written > largest {
        return Err(too_large(largest));
    }
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

fn too_large(largest: u64) -> io::Error {
    io::Error::other(format!("unpacked it is larger than {largest} bytes"))
}

/// True for the header of an archive (POSIX ustar, also as GNU writes it).
fn is_tar(block: &[u8]) -> bool {
    block.get(257..262) == Some(b"ustar".as_slice())
}

/// Reads on to the content of the first entry that is named `*.mmdb`, and tells its size.
fn find(data: &mut impl Read, first: Vec<u8>) -> io::Result<u64> {
    let mut header = first;
    for _ in 0..ENTRIES {
        if !is_tar(&header) {
            break;
        }
        let size = size(&header)?;
        let name = header.get(..100).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
        let is_plain = matches!(header.get(156), Some(b'0' | 0));
        if is_plain && name.ends_with(b".mmdb") {
            return Ok(size);
        }
        let padded = size.next_multiple_of(BLOCK as u64);
        if io::copy(&mut data.by_ref().take(padded), &mut io::sink())? < padded {
            break;
        }
        header.clear();
        data.by_ref().take(BLOCK as u64).read_to_end(&mut header)?;
    }
    Err(io::Error::other("there is no .mmdb file in the archive"))
}

/// The size of an entry: digits to the base of eight.
fn size(header: &[u8]) -> io::Result<u64> {
    let text = header.get(124..136).and_then(|field| std::str::from_utf8(field).ok()).unwrap_or_default();
    let digits = text.trim_matches(['\0', ' ']);
    u64::from_str_radix(digits, 8)
        .ok()
        .filter(|size| *size < 1 << 40)
        .ok_or_else(|| io::Error::other("the archive has an entry without a size"))
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// An archive as GNU tar writes it.
    pub(crate) fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, content) in entries {
            let mut header = [0; BLOCK];
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
            header[156] = b'0';
            header[257..265].copy_from_slice(b"ustar  \0");
            out.extend_from_slice(&header);
            out.extend_from_slice(content);
            out.resize(out.len().next_multiple_of(BLOCK), 0);
        }
        out.resize(out.len() + 2 * BLOCK, 0);
        out
    }

    fn unpacked(bytes: &[u8], largest: u64) -> Result<Vec<u8>, String> {
        let directory = tempfile::tempdir().unwrap();
        let (from, into) = (directory.path().join("from"), directory.path().join("into"));
        fs::write(&from, bytes).unwrap();
        unpack(&from, &into, largest).map_err(|error| error.to_string())?;
        Ok(fs::read(into).unwrap())
    }

    #[test]
    fn every_wrapping_gives_the_same() {
        let content = vec![7; 1_500];
        let archive = tar(&[("GeoLite2/LICENSE.txt", b"terms"), ("GeoLite2/GeoLite2-City.mmdb", &content)]);
        for bytes in [content.clone(), gzip(&content), archive.clone(), gzip(&archive)] {
            assert_eq!(unpacked(&bytes, 1_500).as_ref(), Ok(&content));
            assert!(unpacked(&bytes, 1_499).unwrap_err().contains("larger than 1499"));
        }
        assert_eq!(unpacked(b"x", 10), Ok(b"x".to_vec()));
    }

    #[test]
    fn what_is_broken_is_told() {
        let content = vec![7; 1_500];
        let archive = tar(&[("a.mmdb", &content)]);
        assert!(unpacked(&archive[..1_000], 9_999).unwrap_err().contains("breaks off"));
        assert!(unpacked(&tar(&[("a.txt", &content)]), 9_999).unwrap_err().contains("no .mmdb"));
        assert!(unpacked(&gzip(&content)[..20], 9_999).is_err());
        let mut sizeless = archive;
        sizeless[124..136].fill(b'x');
        assert!(unpacked(&sizeless, 9_999).unwrap_err().contains("without a size"));
    }
}

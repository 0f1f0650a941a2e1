//! Records in a row of files: written at one end, read and forgotten at the other.
//!
//! A file is deleted when all of it has been forgotten. How far that has come is a small file of
//! its own; when it is lost, records are delivered again, which does no harm.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::record;

/// A place between two records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Position {
    /// Number of the file.
    file: u64,
    /// Bytes into it.
    offset: u64,
}

/// Records that were read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) payloads: Vec<Vec<u8>>,
    /// The place behind the last of them.
    pub(super) end: Position,
    /// Times that bytes could not be read and were passed over.
    pub(super) damaged: u64,
}

/// A row of files in a directory of their own.
#[derive(Debug)]
pub(super) struct Log {
    directory: PathBuf,
    /// Files by number, with their lengths, oldest first.
    files: VecDeque<(u64, u64)>,
    /// The newest, once something was written to it.
    active: Option<Arc<File>>,
    /// Everything in front of it is forgotten.
    head: Position,
    /// Length at which a new file is begun.
    file_bytes: u64,
}

impl Log {
    /// Opens the files in a directory and cuts off what a crash left half written.
    pub(super) fn open(directory: &Path, file_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let mut files = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".records")?.parse::<u64>().ok());
            if let Some(number) = number {
                files.push((number, entry.metadata()?.len()));
            }
        }
        files.sort_unstable();
        let head = fs::read(directory.join("head")).ok();
        let head = head.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let mut log =
            Self { directory: directory.into(), files: files.into(), active: None, head, file_bytes };
        log.cut_tail()?;
        log.forget_files()?;
        Ok(log)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number:020}.records"))
    }

    /// Cuts the newest file behind its last whole record.
    fn cut_tail(&mut self) -> io::Result<()> {
        let Some((number, length)) = self.files.back().copied() else { return Ok(()) };
        let bytes = fs::read(self.path(number))?;
        let mut whole = 0;
        while let Some(record) = record::next(&bytes, whole) {
            whole = record.end;
        }
        if (whole as u64) < length {
            OpenOptions::new().write(true).open(self.path(number))?.set_len(whole as u64)?;
            if let Some(newest) = self.files.back_mut() {
                newest.1 = whole as u64;
            }
        }
        Ok(())
    }

    /// Bytes of records that are not forgotten.
    pub(super) fn bytes(&self) -> u64 {
        let all: u64 = self.files.iter().map(|(_, length)| length).sum();
        let forgotten = match self.files.front() {
            Some((number, length)) if *number == self.head.file => self.head.offset.min(*length),
            _ => 0,
        };
        all - forgotten
    }

    /// Where what is not forgotten begins.
    pub(super) fn head(&self) -> Position {
        self.head
    }

    /// Writes a record behind the others. It may be lost with the machine until [`File::sync_data`]
    /// was called on what this returns.
    pub(super) fn append(&mut self, payload: &[u8]) -> io::Result<Arc<File>> {
        let file = self.active_file()?;
        let framed = record::frame(payload);
        let length = self.files.back().map_or(0, |(_, length)| *length);
        let written = (&*file).write_all(&framed);
        if let Err(error) = written {
            // Half a record would hide the next one from a simpler reader, and take room.
            let _ = file.set_len(length);
            let _ = (&*file).seek(SeekFrom::Start(length));
            return Err(error);
        }
        if let Some(newest) = self.files.back_mut() {
            newest.1 = length + framed.len() as u64;
        }
        Ok(file)
    }

    /// The file that is written to; a new one when the last is long enough.
    fn active_file(&mut self) -> io::Result<Arc<File>> {
        let newest = self.files.back().copied();
        if let (Some(file), Some((_, length))) = (&self.active, newest)
            && length < self.file_bytes
        {
            return Ok(Arc::clone(file));
        }
        if let Some(full) = self.active.take() {
            full.sync_data()?;
        }
        let number = match newest {
            // A file that an earlier life began is left alone, so that its end stays where it was found.
            Some((number, _)) => number + 1,
            None => self.head.file + 1,
        };
        let file = OpenOptions::new().create_new(true).write(true).open(self.path(number))?;
        File::open(&self.directory)?.sync_all()?;
        self.files.push_back((number, 0));
        let file = Arc::new(file);
        self.active = Some(Arc::clone(&file));
        Ok(file)
    }

    /// Reads at most so many records, and not many more bytes than that, from a place on.
    pub(super) fn read(&self, from: Position, most: usize, most_bytes: usize) -> io::Result<Chunk> {
        let mut chunk = Chunk { end: from, ..Chunk::default() };
        for (number, length) in self.files.iter().filter(|(number, _)| *number >= from.file) {
            let offset = if *number == from.file { from.offset.min(*length) } else { 0 };
            if self.read_file((*number, offset), *length, (most, most_bytes), &mut chunk)? {
                break;
            }
        }
        Ok(chunk)
    }

    /// Reads one file from an offset on; true when it was enough.
    fn read_file(
        &self,
        (number, offset): (u64, u64),
        length: u64,
        (most, most_bytes): (usize, usize),
        chunk: &mut Chunk,
    ) -> io::Result<bool> {
        let mut bytes = Vec::new();
        let mut file = File::open(self.path(number))?;
        file.seek(SeekFrom::Start(offset))?;
        file.take(length - offset).read_to_end(&mut bytes)?;
        let mut taken: usize = chunk.payloads.iter().map(Vec::len).sum();
        let mut at = 0;
        while let Some(record) = record::next(&bytes, at) {
            if chunk.payloads.len() >= most || taken >= most_bytes {
                return Ok(true);
            }
            chunk.damaged += u64::from(record.behind_damage);
            chunk.payloads.push(record.payload.to_vec());
            taken += record.payload.len();
            at = record.end;
            chunk.end = Position { file: number, offset: offset + at as u64 };
        }
        chunk.damaged += u64::from(at < bytes.len());
        chunk.end = Position { file: number, offset: length };
        Ok(false)
    }

    /// Forgets everything in front of a place.
    pub(super) fn forget(&mut self, to: Position) -> io::Result<()> {
        if to <= self.head {
            return Ok(());
        }
        self.head = to;
        self.forget_files()?;
        let fresh = self.directory.join("head.new");
        fs::write(&fresh, serde_json::to_vec(&self.head)?)?;
        fs::rename(fresh, self.directory.join("head"))
    }

    /// Deletes the files that lie in front of the head. The one that is written to stays while it is short.
    fn forget_files(&mut self) -> io::Result<()> {
        while let Some((number, length)) = self.files.front().copied() {
            let over = number < self.head.file || (number == self.head.file && self.head.offset >= length);
            let is_active = self.files.len() == 1 && self.active.is_some();
            if !over || (is_active && length < self.file_bytes) {
                break;
            }
            if is_active {
                self.active = None;
            }
            fs::remove_file(self.path(number))?;
            self.files.pop_front();
        }
        Ok(())
    }

    /// Forgets the oldest file, and returns what in it had not been forgotten yet. None when there is no file.
    pub(super) fn drop_oldest(&mut self) -> io::Result<Option<Chunk>> {
        let Some((number, length)) = self.files.front().copied() else { return Ok(None) };
        let offset = if self.head.file == number { self.head.offset.min(length) } else { 0 };
        let mut chunk = Chunk::default();
        // A file that cannot be read is lost, but must not stay in the way.
        if let Err(error) = self.read_file((number, offset), length, (usize::MAX, usize::MAX), &mut chunk) {
            tracing::error!(file = %self.path(number).display(), %error, "a file of the spool cannot be read");
            chunk.damaged += 1;
        }
        if self.files.len() == 1 {
            self.active = None;
        }
        self.forget(Position { file: number + 1, offset: 0 })?;
        Ok(Some(chunk))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(log: &Log) -> Vec<String> {
        let chunk = log.read(log.head(), usize::MAX, usize::MAX).unwrap();
        chunk.payloads.into_iter().map(|payload| String::from_utf8(payload).unwrap()).collect()
    }

    #[test]
    fn records_survive_a_new_life_and_are_forgotten_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = Log::open(directory.path(), 40).unwrap();
        for word in ["one", "two", "three", "four", "five"] {
            log.append(word.as_bytes()).unwrap();
        }
        assert_eq!(log.bytes(), 5 * 12 + 19);
        let chunk = log.read(log.head(), 2, usize::MAX).unwrap();
        assert_eq!(chunk.payloads, [b"one", b"two"]);
        log.forget(chunk.end).unwrap();
        assert_eq!(all(&log), ["three", "four", "five"]);

        let mut log = Log::open(directory.path(), 40).unwrap();
        assert_eq!(all(&log), ["three", "four", "five"]);
        log.append(b"six").unwrap();
        assert_eq!(all(&log), ["three", "four", "five", "six"]);
        let end = log.read(log.head(), usize::MAX, usize::MAX).unwrap().end;
        log.forget(end).unwrap();
        assert_eq!((log.bytes(), all(&log).len()), (0, 0));
        log.append(b"seven").unwrap();
        assert_eq!(all(&Log::open(directory.path(), 40).unwrap()), ["seven"]);
    }

    #[test]
    fn the_oldest_file_goes_first() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = Log::open(directory.path(), 30).unwrap();
        for word in ["one", "two", "three", "four"] {
            log.append(word.as_bytes()).unwrap();
        }
        assert_eq!(log.drop_oldest().unwrap().unwrap().payloads, [b"one", b"two"]);
        let rest = log.drop_oldest().unwrap().unwrap().payloads;
        assert_eq!(rest, [b"three".as_slice(), b"four"]);
        assert_eq!(log.drop_oldest().unwrap(), None);
        log.append(b"five").unwrap();
        assert_eq!(all(&log), ["five"]);
    }

    #[test]
    fn half_a_record_at_the_end_is_cut_and_damage_is_counted() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = Log::open(directory.path(), 1000).unwrap();
        ["one", "two", "three"].iter().for_each(|word| drop(log.append(word.as_bytes()).unwrap()));
        let path = log.path(1);
        drop(log);
        let mut bytes = fs::read(&path).unwrap();
        bytes[13] ^= 1;
        bytes.extend(&record::frame(b"four")[..14]);
        fs::write(&path, &bytes).unwrap();
        let log = Log::open(directory.path(), 1000).unwrap();
        assert_eq!(all(&log), ["two", "three"]);
        assert_eq!(log.read(log.head(), 9, 9999).unwrap().damaged, 1);
        assert_eq!(fs::metadata(&path).unwrap().len(), 3 * 12 + 11, "the half record is gone");
    }

    #[test]
    fn a_lost_head_delivers_again() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = Log::open(directory.path(), 1000).unwrap();
        ["one", "two"].iter().for_each(|word| drop(log.append(word.as_bytes()).unwrap()));
        log.forget(log.read(log.head(), 1, 9999).unwrap().end).unwrap();
        fs::write(directory.path().join("head"), "nonsense").unwrap();
        assert_eq!(all(&Log::open(directory.path(), 1000).unwrap()), ["one", "two"]);
    }
}

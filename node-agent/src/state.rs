//! The memory of one interface on disk: an append-only journal, checksummed line by line.
//!
//! A line is `SUM JSON\n`: the first eight bytes of a SHA-256 over the previous line's sum and the JSON, in
//! hex, and what changed. A tail without a line end is torn: the machine died while writing what
//! nobody was told about, so it is cut. Anything else that does not fit is damage: the file is left
//! alone and the agent reports itself degraded, because half a memory would remove peers. The chain
//! of sums shows a line that was lost, moved or altered.
//!
//! When the journal has grown far past what it describes it is written anew beside itself and
//! renamed over. The same is the way out after a failed write: the file may then hold anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use protocol::PublicKey;
use sha2::{Digest as _, Sha256};

use crate::ledger::Managed;
use crate::private_file::{self, sync_folder};

mod record;

pub use record::{Record, Settings};

/// Below this size a journal is not worth writing anew.
const COMPACT_AT: u64 = 1 << 20;

const WRITE_AT_ONCE: usize = 64 * 1024;

/// Everything an interface must come back with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remembered {
    pub peers: BTreeMap<PublicKey, Managed>,
    pub generation: Option<u64>,
    pub settings: Settings,
    /// Peers that were removed on disk but perhaps not yet from the device.
    pub leaving: BTreeSet<PublicKey>,
    /// The highest timestamp of a request that this file remembers.
    pub latest_request: Option<i64>,
}

#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is damaged at byte {at}")]
    Damaged { path: PathBuf, at: usize },
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Option<File>,
    sum: [u8; 8],
    length: u64,
    compact_length: u64,
    syncs: u64,
}

/// What a journal's text says.
pub struct Replayed {
    pub memory: Remembered,
    /// How many bytes are whole lines; what follows is torn.
    pub whole: usize,
    sum: [u8; 8],
}

/// Reads a journal's text, or says at which byte it is damaged.
pub fn replay(text: &[u8]) -> Result<Replayed, usize> {
    let mut replayed = Replayed {
        memory: Remembered::default(),
        whole: 0,
        sum: [0; 8],
    };
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let Some(line) = line.strip_suffix(b"\n") else {
            break;
        };
        let (record, sum) = parse_line(line, replayed.sum).ok_or(replayed.whole)?;
        record.replay_on(&mut replayed.memory);
        replayed.sum = sum;
        replayed.whole += line.len() + 1;
    }
    Ok(replayed)
}

fn parse_line(line: &[u8], before: [u8; 8]) -> Option<(Record, [u8; 8])> {
    let (announced, rest) = line.split_at_checked(16)?;
    let json = rest.strip_prefix(b" ")?;
    let sum = chain(before, json);
    if hex::encode(sum).as_bytes() != announced {
        return None;
    }
    serde_json::from_slice(json)
        .ok()
        .map(|record| (record, sum))
}

fn chain(before: [u8; 8], json: &[u8]) -> [u8; 8] {
    let hash = Sha256::new().chain_update(before).chain_update(json);
    first_eight(&hash.finalize())
}

fn first_eight(hash: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.copy_from_slice(&hash[..8]);
    sum
}

/// Writes one line and tells its sum and its length.
///
/// The JSON is made twice, once for the sum that stands before it: a line can hold ten thousand
/// peers, and is never in memory as a whole. A short one goes to the file in one piece.
fn write_line(file: &mut File, before: [u8; 8], record: &Record) -> io::Result<([u8; 8], u64)> {
    let mut hashing = BufWriter::new(Hashing {
        hash: Sha256::new().chain_update(before),
        length: 0,
    });
    serde_json::to_writer(&mut hashing, record)?;
    let Hashing { hash, length } = hashing.into_inner()?;
    let sum = first_eight(&hash.finalize());
    let mut line = BufWriter::with_capacity(WRITE_AT_ONCE, file);
    let written = write!(line, "{} ", hex::encode(sum))
        .and_then(|()| Ok(serde_json::to_writer(&mut line, record)?))
        .and_then(|()| line.write_all(b"\n"))
        .and_then(|()| line.flush());
    // What is left after a failure must not reach the file later.
    drop(line.into_parts());
    written.map(|()| (sum, length + 16 + 2))
}

/// Takes in what is written, keeping nothing but its hash and length.
struct Hashing {
    hash: Sha256,
    length: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Journal {
    /// Opens the journal at `path`, which need not exist yet, and cuts a torn tail.
    pub fn open(path: &Path) -> Result<(Self, Remembered), StateError> {
        let read = |source| StateError::Read {
            path: path.to_owned(),
            source,
        };
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(err) if err.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(err) => return Err(read(err)),
        };
        let Replayed { memory, whole, sum } = replay(&text).map_err(|at| StateError::Damaged {
            path: path.to_owned(),
            at,
        })?;
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .map_err(read)?;
        let length = whole as u64;
        if whole < text.len() {
            file.set_len(length)
                .and_then(|()| file.sync_all())
                .map_err(read)?;
        }
        if text.is_empty() {
            sync_folder(path).map_err(read)?;
        }
        let journal = Self {
            path: path.to_owned(),
            file: Some(file),
            sum,
            length,
            compact_length: length,
            syncs: 0,
        };
        Ok((journal, memory))
    }

    /// Begins anew where the old file cannot be read. The old file stays beside the new one.
    pub fn refound(path: &Path, record: &Record) -> io::Result<Self> {
        let kept = path.with_extension("damaged");
        match fs::rename(path, &kept) {
            Ok(()) => {}
            Err(err) if err.kind() == io::ErrorKind::NotFound => {}
            Err(err) => return Err(err),
        }
        let mut journal = Self {
            path: path.to_owned(),
            file: None,
            sum: [0; 8],
            length: 0,
            compact_length: 0,
            syncs: 0,
        };
        journal.rewrite(record)?;
        Ok(journal)
    }

    /// Writes one record and returns once the disk has it.
    ///
    /// After an error the file may hold part of the record, so nothing more is appended: the next
    /// write must be a [`rewrite`](Self::rewrite).
    pub fn append(&mut self, record: &Record) -> io::Result<()> {
        let file = self
            .file
            .as_mut()
            .ok_or_else(|| io::Error::other("an earlier write failed"))?;
        self.syncs += 1;
        let written = write_line(file, self.sum, record)
            .and_then(|written| file.sync_data().map(|()| written));
        match written {
            Ok((sum, length)) => {
                self.sum = sum;
                self.length += length;
                Ok(())
            }
            Err(err) => {
                self.file = None;
                Err(err)
            }
        }
    }

    /// Takes no more records until everything was written anew: the file says what is not so.
    pub fn distrust(&mut self) {
        self.file = None;
    }

    /// Whether an earlier write failed, so that the next one must write everything anew.
    pub fn is_broken(&self) -> bool {
        self.file.is_none()
    }

    /// How often the disk was waited for, which is what a write costs most.
    pub fn syncs(&self) -> u64 {
        self.syncs
    }

    /// Whether the journal has grown far past what it describes.
    pub fn wants_rewrite(&self) -> bool {
        self.length > COMPACT_AT.max(4 * self.compact_length)
    }

    /// Replaces the file by one that holds only `record`, in one step.
    pub fn rewrite(&mut self, record: &Record) -> io::Result<()> {
        let new = private_file::beside(&self.path, |file| write_line(file, [0; 8], record))?;
        self.syncs += 2; // the file and its folder
        new.rename(&self.path)?;
        // What was open until now has no name any more, so it must not be written to again.
        self.file = None;
        sync_folder(&self.path)?;
        let (sum, length) = new.written;
        self.file = Some(new.file);
        self.sum = sum;
        self.length = length;
        self.compact_length = length;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! Journals: any bytes at all, and honest histories to which something was done.
//!
//! The first line of the input says what is done, `WHAT NUMBER NUMBER`; the lines after it are the
//! records of the history. A history that is accepted afterwards must be an honest one, cut short.

use std::collections::BTreeMap;

use node_agent::state::{self, Record, Remembered};
use protocol::PublicKey;
use sha2::{Digest, Sha256};

/// Longer histories only take longer.
const RECORDS: usize = 16;

pub fn check(input: &[u8]) {
    check_bytes(input);
    let mut lines = input.split(|b| *b == b'\n');
    let Some(deed) = lines.next().and_then(Deed::read) else {
        return;
    };
    let records: Vec<Record> = lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .take(RECORDS)
        .collect();
    let lines = journal(&records);
    let honest = lines.concat();
    check_bytes(&honest);
    check_memory(&records, &honest);
    check_deed(&deed, &lines);
}

/// What is remembered is the whole lines; a torn tail says nothing.
fn check_bytes(text: &[u8]) {
    match state::replay(text) {
        Ok(replayed) => {
            let (whole, torn) = text.split_at(replayed.whole);
            assert!(whole.is_empty() || whole.ends_with(b"\n"));
            assert!(!torn.contains(&b'\n'));
            assert_eq!(state::replay(whole).ok().unwrap().memory, replayed.memory);
            check_rewritten(&replayed.memory);
        }
        Err(at) => {
            let before = state::replay(&text[..at]).ok().unwrap();
            assert_eq!(before.whole, at);
            assert!(text[at..].contains(&b'\n'));
        }
    }
}

/// A memory written as one line is the same memory.
fn check_rewritten(memory: &Remembered) {
    let text = journal(&[Record::of(memory)]).concat();
    assert_eq!(state::replay(&text).ok().unwrap().memory, *memory);
    assert!(
        memory
            .leaving
            .iter()
            .all(|key| !memory.peers.contains_key(key))
    );
}

/// The format as it is described, written down a second time.
fn journal(records: &[Record]) -> Vec<Vec<u8>> {
    let mut sum = vec![0; 8];
    let line = |record: &Record| {
        let json = serde_json::to_vec(record).unwrap();
        sum = Sha256::digest([&sum[..], &json].concat())[..8].to_vec();
        [hex::encode(&sum).as_bytes(), b" ", &json, b"\n"].concat()
    };
    records.iter().map(line).collect()
}

/// The last word about each peer, the generation and the timestamp counts.
fn check_memory(records: &[Record], honest: &[u8]) {
    let memory = state::replay(honest).ok().unwrap().memory;
    let anew = records.iter().rposition(|record| record.anew).unwrap_or(0);
    let records = &records[anew..];
    let generation = records.iter().rev().find_map(|record| record.generation);
    assert_eq!(memory.generation, generation);
    let timestamps = records.iter().filter_map(|record| record.request);
    assert_eq!(memory.latest_request, timestamps.max());
    let mut present: BTreeMap<PublicKey, bool> = BTreeMap::new();
    for record in records {
        present.extend(record.remove.iter().map(|key| (*key, false)));
        present.extend(record.put.iter().map(|spec| (spec.public_key, true)));
    }
    present.retain(|_, present| *present);
    assert!(memory.peers.keys().eq(present.keys()));
    for (key, peer) in &memory.peers {
        let mut words = records
            .iter()
            .rev()
            .flat_map(|record| record.put.iter().rev());
        let stored = words.find(|stored| stored.public_key == *key).unwrap();
        assert_eq!(*peer, stored.clone().peer());
    }
}

/// What may be done to a file.
enum Deed {
    Flip { at: usize, bits: u8 },
    Cut { at: usize },
    Insert { at: usize, byte: u8 },
    Delete { at: usize, count: usize },
    Repeat { line: usize, before: usize },
    Move { line: usize, before: usize },
}

impl Deed {
    fn read(line: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(line).ok()?.split(' ');
        let what = words.next()?;
        let first: u16 = words.next()?.parse().ok()?;
        let second: u16 = words.next()?.parse().ok()?;
        let (first, byte, second) = (first.into(), second.to_le_bytes()[0], second.into());
        Some(match what {
            "flip" => Self::Flip {
                at: first,
                bits: byte.max(1),
            },
            "cut" => Self::Cut { at: first },
            "insert" => Self::Insert { at: first, byte },
            "delete" => Self::Delete {
                at: first,
                count: second,
            },
            "repeat" => Self::Repeat {
                line: first,
                before: second,
            },
            "move" => Self::Move {
                line: first,
                before: second,
            },
            _ => return None,
        })
    }

    /// Does it, at a place that exists.
    fn done_to(&self, lines: &[Vec<u8>]) -> Vec<u8> {
        let mut text = lines.concat();
        let mut order: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        if lines.is_empty() {
            return text;
        }
        match *self {
            Self::Flip { at, bits } => {
                let at = at % text.len();
                text[at] ^= bits;
            }
            Self::Cut { at } => text.truncate(at % text.len()),
            Self::Insert { at, byte } => text.insert(at % (text.len() + 1), byte),
            Self::Delete { at, count } => {
                let at = at % text.len();
                let end = text.len().min(at.saturating_add(count));
                drop(text.drain(at..end));
            }
            Self::Repeat { line, before } => {
                order.insert(before % (lines.len() + 1), &lines[line % lines.len()]);
                text = order.concat();
            }
            Self::Move { line, before } => {
                let moved = order.remove(line % lines.len());
                order.insert(before % lines.len(), moved);
                text = order.concat();
            }
        }
        text
    }
}

fn check_deed(deed: &Deed, lines: &[Vec<u8>]) {
    let honest = lines.concat();
    let done = deed.done_to(lines);
    check_bytes(&done);
    let same = honest.iter().zip(&done).take_while(|(a, b)| a == b).count();
    let ends: Vec<usize> = (0..honest.len())
        .filter(|at| honest[*at] == b'\n')
        .map(|at| at + 1)
        .collect();
    let whole = ends
        .iter()
        .copied()
        .take_while(|end| *end <= same)
        .last()
        .unwrap_or(0);
    let noticed = done[whole..].contains(&b'\n');
    match state::replay(&done) {
        Ok(replayed) => {
            assert!(!noticed, "a change after byte {whole} went unnoticed");
            assert_eq!(replayed.whole, whole);
            let before = state::replay(&honest[..whole]).ok().unwrap();
            assert_eq!(replayed.memory, before.memory);
        }
        Err(at) => {
            assert!(noticed, "nothing but a tail was torn at byte {whole}");
            assert_eq!(at, whole);
        }
    }
}

//! Walks a chain row by row, in the order of `seq`, and names the first row that does not fit.
//!
//! It holds one hash, however long the chain. Rows and head must be read from one snapshot: a row
//! appended between the two would look like one too many.

use super::{Content, Hash, Head, StoredRow, chain};

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("audit row {seq} {fault}")]
pub struct Broken {
    pub seq: i64,
    pub fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("is missing")]
    Missing,
    #[error("stands where it does not belong")]
    OutOfPlace,
    #[error("does not follow from the row before it")]
    WrongPrev,
    #[error("does not have the content that its hash covers")]
    WrongHash,
    #[error("is beyond the recorded end of the log")]
    BeyondHead,
    #[error("is not the one recorded as the end of the log")]
    NotHead,
}

#[derive(Debug, Clone)]
pub struct Verifier {
    end: Head,
}

impl Verifier {
    /// Starts where the chain does.
    pub fn new() -> Self {
        Self::after(Head::START)
    }

    /// Goes on behind a row that is trusted, such as one verified before.
    pub fn after(end: Head) -> Self {
        Self { end }
    }

    /// Takes the next row. After a broken one there is no sense in going on.
    pub fn feed(&mut self, row: &StoredRow) -> Result<(), Broken> {
        let expected = self.end.seq + 1;
        if row.seq > expected {
            return Err(broken(expected, Fault::Missing));
        }
        if row.seq < expected {
            return Err(broken(row.seq, Fault::OutOfPlace));
        }
        if row.prev_hash != self.end.hash.as_bytes() {
            return Err(broken(row.seq, Fault::WrongPrev));
        }
        let hash = chain(row.seq, self.end.hash.as_bytes(), &Content::from(row));
        if Hash::from_slice(&row.hash) != Some(hash) {
            return Err(broken(row.seq, Fault::WrongHash));
        }
        self.end = Head { seq: row.seq, hash };
        Ok(())
    }

    /// Compares where the rows ended with where the log is recorded to end.
    pub fn finish(self, head: Head) -> Result<Head, Broken> {
        if self.end.seq < head.seq {
            return Err(broken(self.end.seq + 1, Fault::Missing));
        }
        if self.end.seq > head.seq {
            return Err(broken(head.seq + 1, Fault::BeyondHead));
        }
        match self.end.hash == head.hash {
            true => Ok(self.end),
            false => Err(broken(self.end.seq, Fault::NotHead)),
        }
    }
}

impl Default for Verifier {
    fn default() -> Self {
        Self::new()
    }
}

fn broken(seq: i64, fault: Fault) -> Broken {
    Broken { seq, fault }
}

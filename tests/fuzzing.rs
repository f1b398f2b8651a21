//! What must hold of whatever bytes come in: one check for each place where the outside is read.
//!
//! A check takes any input and panics where a rule is broken. The fuzz targets in `fuzz` feed it
//! with inputs that they make up, `scripts/test fuzz` runs them all. The test below feeds it with
//! those on record in `fuzz/corpus`: made by hand, found by fuzzing, or the trace of a mistake that
//! was mended.
//!
//! A run leaves what it found beside the record, named by hash and ignored by git. An input that is
//! to be kept gets another name: that of the mistake it shows, or `found-` where it merely reaches
//! code that no other input does.

pub mod bodies;
pub mod device_replies;
mod interface;
pub mod journal;
pub mod request;
mod secrecy;
pub mod wgconf;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::path::Path;

    use super::*;

    /// Feeds a check with every input on record for it.
    fn replay(name: &str, check: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/corpus")
            .join(name);
        let mut broken = Vec::new();
        let mut count = 0;
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let input = fs::read(&path).unwrap();
            count += 1;
            if catch_unwind(AssertUnwindSafe(|| check(&input))).is_err() {
                broken.push(path);
            }
        }
        assert!(count > 0, "{} holds no input", folder.display());
        assert!(broken.is_empty(), "rules are broken by {broken:?}");
    }

    #[test]
    fn requests_on_record_break_no_rule() {
        replay("request", request::check);
    }

    #[test]
    fn bodies_on_record_break_no_rule() {
        replay("bodies", bodies::check);
    }

    #[test]
    fn configurations_on_record_break_no_rule() {
        replay("wgconf", wgconf::check);
    }

    #[test]
    fn journals_on_record_break_no_rule() {
        replay("journal", journal::check);
    }

    #[test]
    fn device_replies_on_record_break_no_rule() {
        replay("device_replies", device_replies::check);
    }

    #[test]
    fn every_target_has_its_inputs_replayed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
        let mut targets: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        targets.sort();

        assert_eq!(
            targets,
            ["bodies", "device_replies", "journal", "request", "wgconf"]
        );
    }
}

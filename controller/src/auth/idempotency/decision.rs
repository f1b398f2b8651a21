//! What becomes of a request whose name is taken.

use chrono::{DateTime, Utc};

use super::TAKEN_OVER_AFTER;
use crate::db::idempotency::{Entry, SealedAnswer};

#[derive(Debug, PartialEq)]
pub(super) enum Decision {
    /// The same request: the same answer.
    Again(SealedAnswer),
    OtherRequest,
    /// The same request is not answered yet.
    AtWork {
        retry_after_s: u64,
    },
}

/// `entry` is gone where its request failed in between; then the next try gets through.
pub(super) fn decide(entry: Option<Entry>, hash: &[u8; 32], now: DateTime<Utc>) -> Decision {
    let Some(entry) = entry else {
        return Decision::AtWork { retry_after_s: 1 };
    };
    if entry.request_hash != hash {
        return Decision::OtherRequest;
    }
    match entry.answer {
        Some(answer) => Decision::Again(answer),
        None => {
            let left = entry.created_at + TAKEN_OVER_AFTER - now;
            let retry_after_s = left.num_seconds().clamp(1, 5).unsigned_abs();
            Decision::AtWork { retry_after_s }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;
    use crate::domain::ids::DataKeyId;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn answer() -> SealedAnswer {
        SealedAnswer {
            status: 201,
            headers: json!([]),
            sealed: vec![1],
            data_key_id: DataKeyId(1),
        }
    }

    fn entry(answer: Option<SealedAnswer>, age: TimeDelta) -> Option<Entry> {
        Some(Entry {
            request_hash: vec![7; 32],
            answer,
            created_at: now() - age,
        })
    }

    #[test]
    fn the_same_request_gets_the_same_answer_and_another_none() {
        let kept = entry(Some(answer()), TimeDelta::hours(1));

        assert_eq!(
            decide(kept.clone(), &[7; 32], now()),
            Decision::Again(answer())
        );
        assert_eq!(decide(kept, &[8; 32], now()), Decision::OtherRequest);
        let at_work = entry(None, TimeDelta::zero());
        assert_eq!(decide(at_work, &[8; 32], now()), Decision::OtherRequest);
    }

    #[test]
    fn who_waits_for_the_first_one_is_told_how_long() {
        let wait = |entry| match decide(entry, &[7; 32], now()) {
            Decision::AtWork { retry_after_s } => retry_after_s,
            other => panic!("{other:?}"),
        };

        assert_eq!(wait(entry(None, TimeDelta::zero())), 5);
        assert_eq!(
            wait(entry(None, TAKEN_OVER_AFTER - TimeDelta::seconds(2))),
            2
        );
        assert_eq!(wait(entry(None, TAKEN_OVER_AFTER)), 1);
        assert_eq!(wait(None), 1);
    }
}

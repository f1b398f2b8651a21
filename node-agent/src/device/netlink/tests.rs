//! Answers made by hand: whole, interrupted, failed, cut short, and random.

use proptest::prelude::*;

use super::*;

const SEQUENCE: u32 = 7;

fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    let message = Request::with_flags(kind, flags, payload);
    let mut message = message.finish(SEQUENCE).unwrap();
    message.resize(message.len().next_multiple_of(4), 0);
    message
}

fn payloads(datagram: &[u8]) -> Result<(Progress, Vec<Vec<u8>>), Failure> {
    let mut seen = Vec::new();
    let progress = answers(datagram, SEQUENCE, &mut |payload| {
        seen.push(payload.to_vec());
        Ok(())
    })?;
    Ok((progress, seen))
}

#[test]
fn every_message_of_a_datagram_is_seen() {
    let more = [message(30, 0, b"one!"), message(30, 0, b"two")].concat();
    let last = [message(30, 0, b"three"), message(NLMSG_DONE, 0, &[0; 4])].concat();

    assert_eq!(
        payloads(&more),
        Ok((Progress::Going, vec![b"one!".to_vec(), b"two".to_vec()]))
    );
    assert_eq!(
        payloads(&last),
        Ok((Progress::Ended, vec![b"three".to_vec()]))
    );
}

#[test]
fn an_interrupted_dump_is_a_failure_wherever_it_says_so() {
    let in_a_part = message(30, NLM_F_DUMP_INTR, b"part");
    let at_the_end = [
        message(30, 0, b"part"),
        message(NLMSG_DONE, NLM_F_DUMP_INTR, &[0; 4]),
    ];

    assert_eq!(payloads(&in_a_part), Err(Failure::Interrupted));
    assert_eq!(payloads(&at_the_end.concat()), Err(Failure::Interrupted));
}

#[test]
fn the_status_in_a_last_message_counts() {
    for kind in [NLMSG_ERROR, NLMSG_DONE] {
        let failed = message(kind, 0, &(-19_i32).to_ne_bytes());
        assert_eq!(payloads(&failed), Err(Failure::Errno(Errno::NODEV)));
        for nonsense in [19, i32::MIN, i32::MAX, -100_000] {
            let failed = message(kind, 0, &nonsense.to_ne_bytes());
            assert_eq!(payloads(&failed), Err(Failure::Garbled), "{nonsense}");
        }
        assert_eq!(payloads(&message(kind, 0, &[0; 3])), Err(Failure::Garbled));
    }
}

#[test]
fn what_answers_another_request_is_passed_over() {
    let other = Request::with_flags(NLMSG_DONE, 0, &[0; 4]);
    let other = other.finish(SEQUENCE - 1).unwrap();

    assert_eq!(payloads(&other), Ok((Progress::Going, vec![])));
}

#[test]
fn a_message_cut_short_is_a_failure() {
    let whole = message(30, 0, b"whole message");

    for length in 1..16 + b"whole message".len() {
        assert_eq!(
            payloads(&whole[..length]),
            Err(Failure::Garbled),
            "{length}"
        );
    }
}

#[test]
fn attributes_are_read_as_they_were_written() {
    let request = Request::one(1, &[])
        .attribute(5, b"odd")
        .nested(6, 7, b"inner");

    let seen: Vec<_> = attributes(&request.bytes[HEADER_SIZE..])
        .collect::<Result<_, _>>()
        .unwrap();

    assert_eq!(seen[0], (5, &b"odd"[..]));
    assert_eq!(seen[1].0, 6);
    let inner: Vec<_> = attributes(seen[1].1).collect();
    assert_eq!(inner, [Ok((7, &b"inner"[..]))]);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, kind: u16, flags: u16) {
        let _outcome: Result<_, Failure> = payloads(&bytes);
        let _outcome: Result<_, Failure> = payloads(&message(kind, flags, &bytes));
        let _count: usize = attributes(&bytes).count();
    }
}

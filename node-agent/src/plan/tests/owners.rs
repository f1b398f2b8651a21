//! Prefixes have one owner, and change it only on purpose.

use super::*;

#[test]
fn a_foreign_peer_that_robbed_a_managed_one_is_not_taken_in() {
    let mut ledger = ledger(&[spec(1, &[1])]);
    let robbed = [
        (key(1), spec(1, &[]).config()),
        (key(2), spec(2, &[1]).config()),
    ];
    ledger.observe(reading(&robbed.into()));

    let taken = Err(Refusal::AllowedIpTaken {
        cidr: cidr(1),
        owner: key(1),
    });
    assert_eq!(judge(&ledger, &Write::Add(spec(2, &[1])), NOW), taken);
    let update = PeerUpdate::default();
    assert_eq!(judge(&ledger, &Write::Update(key(2), update), NOW), taken);
}

#[test]
fn a_prefix_moves_only_within_one_batch() {
    let mut ledger = ledger(&[spec(1, &[1]), spec(2, &[2])]);
    let batch = |upsert: Vec<PeerSpec>, remove: Vec<PublicKey>| {
        Write::Batch(Batch {
            base_generation: None,
            generation: 1,
            upsert,
            remove,
        })
    };

    let taken = Err(Refusal::AllowedIpTaken {
        cidr: cidr(1),
        owner: key(1),
    });
    assert_eq!(judge(&ledger, &Write::Add(spec(3, &[1])), NOW), taken);
    assert_eq!(
        judge(&ledger, &batch(vec![spec(3, &[1])], vec![]), NOW),
        taken
    );
    let both = judge(
        &ledger,
        &batch(vec![spec(1, &[1]), spec(3, &[1])], vec![]),
        NOW,
    );
    assert!(matches!(both, Err(Refusal::AllowedIpTaken { .. })));
    assert!(judge(&ledger, &batch(vec![spec(3, &[1])], vec![key(1)]), NOW).is_ok());

    let swap = judge(
        &ledger,
        &batch(vec![spec(1, &[2]), spec(2, &[1])], vec![]),
        NOW,
    )
    .unwrap();
    let touched = enter(&mut ledger, swap);
    let before: Peers = [
        (key(1), spec(1, &[1]).config()),
        (key(2), spec(2, &[2]).config()),
    ]
    .into();
    let after = kernel(before, &ledger.operations(&touched));
    assert_eq!(
        after,
        [
            (key(1), spec(1, &[2]).config()),
            (key(2), spec(2, &[1]).config())
        ]
        .into()
    );
}

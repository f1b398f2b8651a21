use proptest::prelude::*;

use super::*;
use crate::domain::ids::NetworkId;

const NORTH: PoolId = PoolId(1);
const SOUTH: PoolId = PoolId(2);
/// Places on every member.
const ALL: PoolId = PoolId(3);
/// Its only member serves another network.
const AWAY: PoolId = PoolId(4);

/// Nodes 1 and 2 are members of north, 2 and 3 of south, 1 to 3 of all; 4 serves another network.
fn decided(wish: Wish, peer: &Present) -> Result<Verdict, Obstacle> {
    let placements = [NORTH, SOUTH, ALL, AWAY].map(|pool| match pool {
        ALL => (pool, Placement::All),
        _ => (pool, Placement::One),
    });
    let members = [
        (NORTH, 1),
        (NORTH, 2),
        (SOUTH, 2),
        (SOUTH, 3),
        (ALL, 1),
        (ALL, 2),
        (ALL, 3),
        (AWAY, 4),
    ];
    let terrain = Terrain {
        placements: &placements.into(),
        members: &members.map(|(pool, node)| (pool, NodeId(node))).into(),
        serving: &[1, 2, 3].map(NodeId).into(),
    };
    decide(wish, peer, terrain)
}

fn peer(pool: Option<PoolId>, nodes: &[i64]) -> Present {
    let homes = nodes.iter().map(|node| (InterfaceId(*node), NodeId(*node)));
    Present {
        pool,
        homes: homes.collect(),
    }
}

fn to_node(node: i64) -> Wish {
    Wish {
        node: Some(NodeId(node)),
        pool: None,
    }
}

fn to_pool(pool: Option<PoolId>) -> Wish {
    Wish {
        node: None,
        pool: Some(pool),
    }
}

fn goes(
    pool: Option<PoolId>,
    placement: Placement,
    node: Option<i64>,
) -> Result<Verdict, Obstacle> {
    Ok(Verdict::Goes(Bounds {
        pool,
        placement,
        node: node.map(NodeId),
    }))
}

#[test]
fn who_is_there_already_is_left_alone_and_who_is_not_goes() {
    let one = Placement::One;
    let lone = peer(None, &[1]);
    assert_eq!(decided(to_node(1), &lone), Ok(Verdict::Already));
    assert_eq!(decided(to_node(3), &lone), goes(None, one, Some(3)));
    assert_eq!(decided(to_pool(None), &lone), Ok(Verdict::Already));
    assert_eq!(
        decided(to_pool(Some(SOUTH)), &lone),
        goes(Some(SOUTH), one, None)
    );
    let northern = peer(Some(NORTH), &[1]);
    assert_eq!(
        decided(to_pool(Some(NORTH)), &northern),
        Ok(Verdict::Already)
    );
    assert_eq!(
        decided(to_node(2), &northern),
        goes(Some(NORTH), one, Some(2))
    );
}

#[test]
fn only_the_pool_of_who_lives_on_a_member_of_the_new_one_becomes_another() {
    assert_eq!(
        decided(to_pool(Some(NORTH)), &peer(None, &[1])),
        Ok(Verdict::Stays)
    );
    assert_eq!(
        decided(to_pool(Some(SOUTH)), &peer(Some(NORTH), &[2])),
        Ok(Verdict::Stays)
    );
    assert_eq!(
        decided(to_pool(None), &peer(Some(NORTH), &[1])),
        Ok(Verdict::Stays)
    );
    let both = Wish {
        node: Some(NodeId(3)),
        pool: Some(Some(SOUTH)),
    };
    assert_eq!(
        decided(both, &peer(Some(NORTH), &[2])),
        goes(Some(SOUTH), Placement::One, Some(3))
    );
}

#[test]
fn whose_node_left_the_pool_goes_back_into_it_when_that_is_asked_for() {
    let stray = peer(Some(NORTH), &[3]);

    assert_eq!(decided(to_node(3), &stray), Ok(Verdict::Already));
    assert_eq!(
        decided(to_pool(Some(NORTH)), &stray),
        goes(Some(NORTH), Placement::One, None)
    );
}

#[test]
fn a_node_that_cannot_be_is_named_with_what_stands_against_it() {
    let northern = peer(Some(NORTH), &[1]);
    let everywhere = peer(Some(ALL), &[1, 2, 3]);
    let node = NodeId;

    assert_eq!(
        decided(to_node(3), &northern),
        Err(Obstacle::NoMember(NORTH, node(3)))
    );
    assert_eq!(
        decided(to_node(4), &northern),
        Err(Obstacle::NodeElsewhere(node(4)))
    );
    assert_eq!(
        decided(to_pool(Some(AWAY)), &northern),
        Err(Obstacle::PoolElsewhere(AWAY))
    );
    assert_eq!(
        decided(to_node(1), &everywhere),
        Err(Obstacle::Everywhere(ALL))
    );
    let into_all = Wish {
        node: Some(NodeId(1)),
        pool: Some(Some(ALL)),
    };
    assert_eq!(decided(into_all, &northern), Err(Obstacle::Everywhere(ALL)));
}

#[test]
fn who_lives_everywhere_goes_to_one_home_and_who_has_one_goes_everywhere() {
    let everywhere = peer(Some(ALL), &[1, 2, 3]);

    assert_eq!(
        decided(to_pool(Some(ALL)), &everywhere),
        Ok(Verdict::Already)
    );
    assert_eq!(
        decided(to_pool(Some(NORTH)), &everywhere),
        goes(Some(NORTH), Placement::One, None)
    );
    let alone = Wish {
        node: Some(NodeId(2)),
        pool: Some(None),
    };
    assert_eq!(
        decided(alone, &everywhere),
        goes(None, Placement::One, Some(2))
    );
    assert_eq!(
        decided(to_pool(Some(ALL)), &peer(None, &[1])),
        goes(Some(ALL), Placement::All, None)
    );
}

#[test]
fn whoever_is_limited_to_a_pool_moves_within_it_alone() {
    let own = Reach::Pool(Some(NORTH));
    assert!(to_node(1).is_within(own) && to_pool(Some(NORTH)).is_within(own));
    assert!(!to_pool(Some(SOUTH)).is_within(own) && !to_pool(None).is_within(own));
    for pool in [None, Some(NORTH)] {
        assert!(!to_pool(pool).is_within(Reach::Pool(None)));
        assert!(to_pool(pool).is_within(Reach::Network(Some(NetworkId(1)))));
    }
}

proptest! {
    #[test]
    fn who_was_moved_is_there_already(
        node in proptest::option::of(1..5i64),
        pool in proptest::option::of(proptest::option::of(1..5i64)),
        had in proptest::option::of(1..3i64),
        home in 1..4i64,
    ) {
        let wish = Wish { node: node.map(NodeId), pool: pool.map(|pool| pool.map(PoolId)) };
        let before = peer(had.map(PoolId), &[home]);
        let after = match decided(wish, &before) {
            Err(_) => return Ok(()),
            Ok(Verdict::Already) => before,
            Ok(Verdict::Stays) => Present { pool: wish.pool.unwrap_or(before.pool), ..before },
            Ok(Verdict::Goes(Bounds { pool, placement: Placement::All, .. })) => peer(pool, &[1, 2, 3]),
            Ok(Verdict::Goes(bounds)) => {
                let member = |node: &i64| match bounds.pool {
                    Some(SOUTH) => *node > 1,
                    _ => true,
                };
                let chosen = bounds.node.map(|node| node.0).or_else(|| (1..4).find(member));
                peer(bounds.pool, &[chosen.unwrap()])
            }
        };
        prop_assert_eq!(decided(wish, &after), Ok(Verdict::Already));
    }
}

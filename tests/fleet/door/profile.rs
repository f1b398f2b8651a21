//! How people want to see things, and how far their roles reach.

use controller::domain::ids::{NetworkId, PoolId};
use controller::domain::profile::{Language, Profile, Theme, TimeZone};
use controller::domain::reach::Reach;
use controller::domain::role::Role;
use controller::fleet::sessions::{Asked, find};
use controller::fleet::users::{Change, audited, own};
use controller::fleet::{FleetError, Refusal};
use serde_json::json;

use super::{Browser, PHRASE, call, came_in, user};
use crate::stage::Running;

fn refused<T: std::fmt::Debug>(done: Result<T, FleetError>) -> Refusal {
    match done {
        Err(FleetError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn reaching(reach: Reach) -> Change {
    Change {
        reach: Some(reach),
        ..Change::default()
    }
}

#[tokio::test]
async fn a_profile_comes_along_with_the_session() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    let ada = user(fleet, "ada", Role::Admin).await;
    let begun = came_in(Browser::at("192.0.2.7").tries(fleet, "ada", PHRASE).await);
    let profile = |zone| Profile {
        language: Some(Language::Fr),
        theme: Theme::Dark,
        time_zone: TimeZone::parse(zone).unwrap(),
    };

    own::set_profile(fleet, &call("ada"), ada.id, &profile("Europe/Paris"))
        .await
        .unwrap();
    let unknown = own::set_profile(fleet, &call("ada"), ada.id, &profile("Europe/Atlantis")).await;

    assert_eq!(refused(unknown).code, "unknown_time_zone");
    let row = find(fleet, &begun.token, None, Asked::BySomebody)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (row.language, row.theme, row.time_zone.as_str()),
        (Some(Language::Fr), Theme::Dark, "Europe/Paris")
    );
}

#[tokio::test]
async fn a_role_reaches_as_far_as_it_is_told_and_nowhere_when_that_is_gone() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    user(fleet, "root", Role::Admin).await;
    let ada = user(fleet, "ada", Role::Operator).await;
    let begun = came_in(Browser::at("192.0.2.7").tries(fleet, "ada", PHRASE).await);
    stage
        .api
        .post("/pools", json!({"name": "north"}))
        .await
        .ok();
    let change = async |wanted| audited::change(&fleet.pool, &call("root"), ada.id, wanted).await;
    let reach = async || {
        find(fleet, &begun.token, None, Asked::BySomebody)
            .await
            .unwrap()
            .unwrap()
            .reach()
    };

    change(reaching(Reach::Pool(Some(PoolId(1)))))
        .await
        .unwrap();
    assert_eq!(reach().await, Reach::Pool(Some(PoolId(1))));
    let unknown = change(reaching(Reach::Network(Some(NetworkId(7))))).await;
    assert_eq!(refused(unknown).code, "unknown_reach");
    let promoted = Change {
        role: Some(Role::Admin),
        ..reaching(Reach::Pool(Some(PoolId(1))))
    };
    assert_eq!(refused(change(promoted).await).code, "limited_admin");
    assert_eq!(reach().await, Reach::Pool(Some(PoolId(1))));

    stage.api.delete("/pools/1").await;
    assert_eq!(reach().await, Reach::Pool(None), "never everything");
}

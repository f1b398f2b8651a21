//! People on a real database: names are unique, and an admin always remains.

use chrono::{DateTime, Utc};
use controller::clock;
use controller::db::Span;
use controller::db::users::{self, UserRow};
use controller::domain::ids::UserId;
use controller::domain::password::Password;
use controller::domain::reach::Reach;
use controller::domain::role::Role;
use controller::domain::user::{Email, UserName};
use controller::fleet::users::{Change, Hasher, NewUser, UserError, change, create, delete};
use sqlx::PgPool;

use crate::stage::fresh;

fn named(name: &str, role: Role) -> NewUser {
    NewUser {
        name: UserName::parse(name).unwrap(),
        email: None,
        role,
        reach: Reach::All,
        password: None,
    }
}

async fn add(pool: &PgPool, name: &str, role: Role) -> Result<UserRow, UserError> {
    let mut transaction = pool.begin().await.unwrap();
    let user = create(&mut transaction, &named(name, role)).await?;
    transaction.commit().await.unwrap();
    Ok(user)
}

async fn alter(pool: &PgPool, id: UserId, wanted: &Change) -> Result<UserRow, UserError> {
    let mut transaction = pool.begin().await.unwrap();
    let changed = change(&mut transaction, id, wanted, clock::now()).await?;
    transaction.commit().await.unwrap();
    Ok(changed.after)
}

async fn remove(pool: &PgPool, id: UserId) -> Result<UserRow, UserError> {
    let mut transaction = pool.begin().await.unwrap();
    let user = delete(&mut transaction, id, None).await?;
    transaction.commit().await.unwrap();
    Ok(user)
}

async fn all(pool: &PgPool) -> Vec<UserRow> {
    let span = Span {
        after: 0,
        limit: 100,
    };
    users::list(pool, span).await.unwrap()
}

fn demoted() -> Change {
    Change {
        role: Some(Role::Viewer),
        ..Change::default()
    }
}

fn disabled() -> Change {
    Change {
        enabled: Some(false),
        ..Change::default()
    }
}

#[tokio::test]
async fn a_second_user_of_the_same_name_is_refused_in_any_case() {
    let database = fresh().await;
    add(&database.pool, "ada", Role::Admin).await.unwrap();
    let before = all(&database.pool).await;

    let refused = add(&database.pool, "Ada", Role::Viewer).await;

    assert!(matches!(refused, Err(UserError::NameTaken)));
    assert_eq!(all(&database.pool).await, before);
}

#[tokio::test]
async fn the_last_admin_stays_and_nothing_changes() {
    let database = fresh().await;
    let pool = &database.pool;
    let ada = add(pool, "ada", Role::Admin).await.unwrap();
    let ben = add(pool, "ben", Role::Admin).await.unwrap();
    add(pool, "cleo", Role::Operator).await.unwrap();
    alter(pool, ben.id, &disabled()).await.unwrap();
    let before = all(pool).await;

    let refused = [
        alter(pool, ada.id, &demoted()).await,
        alter(pool, ada.id, &disabled()).await,
        remove(pool, ada.id).await,
    ];

    for refused in refused {
        assert!(
            matches!(refused, Err(UserError::LastAdmin(_))),
            "{refused:?}"
        );
    }
    assert_eq!(all(pool).await, before);
    remove(pool, ben.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_who_remove_each_other_at_once_leave_one() {
    let database = fresh().await;
    let pool = &database.pool;

    for round in 0..20 {
        let mut admins = Vec::new();
        for name in ["a", "b", "c"] {
            let name = format!("{name}{round}");
            admins.push(add(pool, &name, Role::Admin).await.unwrap().id);
        }
        let [a, b, c] = admins[..] else { panic!() };
        let (demote, disable) = (demoted(), disabled());
        // Who remained of the round before takes part too.
        let others: Vec<UserId> = all(pool).await.iter().map(|user| user.id).collect();
        for other in others.into_iter().filter(|id| ![a, b, c].contains(id)) {
            remove(pool, other).await.unwrap();
        }

        let done = tokio::join!(
            alter(pool, a, &demote),
            remove(pool, b),
            alter(pool, c, &disable)
        );

        let refused = [done.0, done.1, done.2]
            .iter()
            .filter(|done| matches!(done, Err(UserError::LastAdmin(_))))
            .count();
        let mut transaction = pool.begin().await.unwrap();
        let left = users::lock_admins(&mut transaction).await.unwrap().enabled;
        assert_eq!((refused, left.len()), (1, 1));
    }
}

#[tokio::test]
async fn a_change_made_from_an_older_version_is_refused() {
    let database = fresh().await;
    let pool = &database.pool;
    let ada = add(pool, "ada", Role::Admin).await.unwrap();
    let newer = alter(pool, ada.id, &Change::default()).await.unwrap();

    let late = Change {
        email: Some(Some(Email::parse("ada@example.org").unwrap())),
        base_version: Some(ada.version),
        ..Change::default()
    };
    let refused = alter(pool, ada.id, &late).await;

    assert!(matches!(
        refused,
        Err(UserError::Changed { current: 2, .. })
    ));
    assert_eq!(all(pool).await, [newer]);
}

#[tokio::test]
async fn a_change_leaves_alone_what_it_does_not_name() {
    let database = fresh().await;
    let pool = &database.pool;
    let hasher = Hasher::new().unwrap();
    add(pool, "root", Role::Admin).await.unwrap();
    let name = UserName::parse("ada").unwrap();
    let password = Password::choose("a fine long phrase", &name).unwrap();
    let new = NewUser {
        email: Some(Email::parse("ada@example.org").unwrap()),
        password: Some(hasher.hash(password).await.unwrap()),
        ..named("ada", Role::Operator)
    };
    let mut transaction = pool.begin().await.unwrap();
    let ada = create(&mut transaction, &new).await.unwrap();
    transaction.commit().await.unwrap();

    let after = alter(pool, ada.id, &disabled()).await.unwrap();

    let updated_at: DateTime<Utc> = after.updated_at;
    let expected = UserRow {
        enabled: false,
        version: 2,
        updated_at,
        ..ada
    };
    assert_eq!(after, expected);
    let stored = users::sign_in(pool, "ada").await.unwrap().unwrap();
    assert!(!stored.enabled);
    let attempt = "a fine long phrase".to_owned().into();
    assert!(hasher.verify(stored.password_hash, attempt).await.unwrap());
}

#[tokio::test]
async fn who_is_not_there_is_neither_changed_nor_removed() {
    let database = fresh().await;
    let pool = &database.pool;

    let changed = alter(pool, UserId(7), &demoted()).await;
    let removed = remove(pool, UserId(7)).await;

    assert!(matches!(changed, Err(UserError::Unknown(UserId(7)))));
    assert!(matches!(removed, Err(UserError::Unknown(UserId(7)))));
}

#[tokio::test]
async fn pages_follow_one_another_without_a_gap() {
    let database = fresh().await;
    let pool = &database.pool;
    for name in ["dora", "ada", "cleo", "ben", "emil"] {
        add(pool, name, Role::Viewer).await.unwrap();
    }

    let mut seen: Vec<UserRow> = Vec::new();
    loop {
        let after = seen.last().map_or(0, |user| user.id.0);
        let page = users::list(pool, Span { after, limit: 2 }).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }

    assert_eq!(seen, all(pool).await);
    assert_eq!(seen.len(), 5);
}

//! API keys on a real database: what is kept of them, and what is not.

use chrono::TimeDelta;
use controller::clock;
use controller::db::api_keys::{self, ApiKeyRow};
use controller::domain::ids::ApiKeyId;
use controller::domain::reach::Reach;
use controller::domain::role::Scope;
use controller::fleet::api_keys::{ApiKeyError, Created, NewApiKey, create, revoke};
use controller::keyring::{Keyring, MasterKey, MasterSource};
use sqlx::PgPool;

use crate::stage::fresh;

fn new(scope: Scope, bearer: bool) -> NewApiKey {
    NewApiKey {
        name: "deploy".to_owned(),
        scope,
        reach: Reach::All,
        bearer,
        allowed_from: Vec::new(),
        expires_at: None,
        created_by: "ada".to_owned(),
    }
}

async fn ring(pool: &PgPool) -> Keyring {
    let master = MasterKey::from_random([3; 32]);
    Keyring::open(pool, MasterSource::Given(master))
        .await
        .unwrap()
}

async fn add(pool: &PgPool, ring: &Keyring, new: &NewApiKey) -> Result<Created, ApiKeyError> {
    let mut transaction = pool.begin().await.unwrap();
    let created = create(&mut transaction, ring, new, clock::now()).await?;
    transaction.commit().await.unwrap();
    Ok(created)
}

async fn all(pool: &PgPool) -> Vec<ApiKeyRow> {
    api_keys::list(pool, None, 100).await.unwrap()
}

#[tokio::test]
async fn what_is_shown_once_is_nowhere_in_the_database() {
    let database = fresh().await;
    let pool = &database.pool;
    let ring = ring(pool).await;

    let created = add(pool, &ring, &new(Scope::Read, true)).await.unwrap();

    let row: String = sqlx::query_scalar("SELECT api_keys::text FROM api_keys")
        .fetch_one(pool)
        .await
        .unwrap();
    let token = created.bearer.unwrap().reveal();
    let secret = created.secret.reveal();
    for shown in [secret, &token[4..68]] {
        let plain = hex::encode(shown);
        assert!(!row.contains(shown) && !row.contains(&plain), "{row}");
    }
    assert!(row.contains(&created.key.key_id), "{row}");
    assert_eq!(secret.len(), 64);
}

#[tokio::test]
async fn what_may_not_be_is_refused_and_makes_no_key() {
    let database = fresh().await;
    let pool = &database.pool;
    let ring = ring(pool).await;
    let nameless = NewApiKey {
        name: String::new(),
        ..new(Scope::Read, false)
    };
    let expired = NewApiKey {
        expires_at: Some(clock::now() - TimeDelta::seconds(1)),
        ..new(Scope::Read, false)
    };

    let refused = [
        add(pool, &ring, &new(Scope::Write, true)).await,
        add(pool, &ring, &new(Scope::Admin, true)).await,
        add(pool, &ring, &nameless).await,
        add(pool, &ring, &expired).await,
    ];

    assert!(matches!(
        refused,
        [
            Err(ApiKeyError::BearerWrites),
            Err(ApiKeyError::BearerWrites),
            Err(ApiKeyError::Name),
            Err(ApiKeyError::Expired),
        ]
    ));
    assert_eq!(all(pool).await, []);
}

#[tokio::test]
async fn revoking_again_keeps_the_first_moment() {
    let database = fresh().await;
    let pool = &database.pool;
    let ring = ring(pool).await;
    let id = add(pool, &ring, &new(Scope::Write, false))
        .await
        .unwrap()
        .key
        .id;
    let first = clock::now();

    for moment in [first, first + TimeDelta::hours(1)] {
        let mut transaction = pool.begin().await.unwrap();
        revoke(&mut transaction, id, moment).await.unwrap();
        transaction.commit().await.unwrap();
    }

    let revoked_at = all(pool).await[0].revoked_at.unwrap();
    assert_eq!(revoked_at.timestamp_millis(), first.timestamp_millis());
    let mut transaction = pool.begin().await.unwrap();
    let unknown = revoke(&mut transaction, ApiKeyId(99), first).await;
    assert!(matches!(unknown, Err(ApiKeyError::Unknown(ApiKeyId(99)))));
}

//! The key ring on a real database: first starts at once, changes of keys, changes that are cut off.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use controller::domain::actor::{Actor, ActorKind};
use controller::domain::ids::DataKeyId;
use controller::fleet::{self, master_key};
use controller::keyring::{
    Column, Keyring, KeyringError, MasterKey, MasterSource, Place, Sealed, rotate_master,
};
use sqlx::PgPool;
use tempfile::TempDir;

use crate::stage::{TestDb, fresh};

struct Stage {
    database: TestDb,
    folder: TempDir,
}

impl Stage {
    async fn new() -> Self {
        Self {
            database: fresh().await,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn pool(&self) -> &PgPool {
        &self.database.pool
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("master.key")
    }

    fn next(&self) -> PathBuf {
        self.folder.path().join("master.key.next")
    }

    async fn ring(&self) -> Result<Keyring, KeyringError> {
        Keyring::open(self.pool(), MasterSource::File(self.file())).await
    }

    async fn rotate(&self) -> fleet::Result<usize> {
        let actor = Actor {
            kind: ActorKind::Cli,
            name: "eva".into(),
            ip: None,
            request_id: None,
        };
        master_key::rotate(self.pool(), &actor, &self.file()).await
    }

    async fn sql(&self, statement: &'static str) {
        sqlx::raw_sql(statement).execute(self.pool()).await.unwrap();
    }

    async fn rotations(&self) -> i64 {
        let query = "SELECT count(*) FROM audit_log WHERE action = 'keys.rotate_master'";
        let rows = sqlx::query_scalar(query).fetch_one(self.pool());
        rows.await.unwrap()
    }

    async fn master_ids(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT DISTINCT master_id FROM data_keys ORDER BY 1")
            .fetch_all(self.pool())
            .await
            .unwrap()
    }
}

fn place() -> Place {
    Place::new(Column::NodeSecret, "fra-1/initial")
}

fn opens(ring: &Keyring, sealed: &Sealed) -> bool {
    ring.open_sealed(&place(), &sealed.bytes, sealed.data_key_id)
        .is_ok_and(|plain| plain.as_slice() == b"secret")
}

fn master(n: u8) -> MasterKey {
    MasterKey::from_random(std::array::from_fn(|at| n + at as u8))
}

fn master_in(path: &Path) -> MasterKey {
    MasterKey::parse(&fs::read_to_string(path).unwrap()).unwrap()
}

fn write_private(path: &Path, key: &MasterKey) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, key.reveal().as_bytes()).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn a_secret_sealed_before_a_restart_opens_after_it() {
    let stage = Stage::new().await;
    let sealed = stage.ring().await.unwrap().seal(&place(), b"secret");

    let ring = stage.ring().await.unwrap();

    assert!(opens(&ring, &sealed));
}

#[tokio::test(flavor = "multi_thread")]
async fn controllers_that_start_at_once_share_one_ring() {
    let stage = Arc::new(Stage::new().await);
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let stage = Arc::clone(&stage);
            tokio::spawn(async move { stage.ring().await.unwrap() })
        })
        .collect();

    let mut rings = Vec::new();
    for start in starts {
        rings.push(start.await.unwrap());
    }

    let sealed = rings[0].seal(&place(), b"secret");
    assert!(rings.iter().all(|ring| opens(ring, &sealed)));
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM data_keys")
        .fetch_one(stage.pool())
        .await
        .unwrap();
    assert_eq!(rows, 2);
}

#[tokio::test]
async fn another_master_key_is_refused_and_changes_nothing() {
    let stage = Stage::new().await;
    stage.ring().await.unwrap();
    let before = stage.master_ids().await;
    let other = master(9);

    let refused = Keyring::open(stage.pool(), MasterSource::Given(other.clone())).await;

    let said = refused.unwrap_err().to_string();
    assert!(
        said.contains(&before[0]) && said.contains(&other.id()),
        "{said}"
    );
    assert_eq!(stage.master_ids().await, before);
}

#[tokio::test]
async fn a_lost_master_key_is_not_replaced_by_a_new_one() {
    let stage = Stage::new().await;
    stage.ring().await.unwrap();
    fs::remove_file(stage.file()).unwrap();

    let refused = stage.ring().await;

    assert!(matches!(refused, Err(KeyringError::NoMaster { .. })));
    assert!(!stage.file().exists());
}

#[tokio::test]
async fn a_new_master_key_takes_over_and_the_old_one_is_gone() {
    let stage = Stage::new().await;
    let running = stage.ring().await.unwrap();
    let sealed = running.seal(&place(), b"secret");
    let old = master_in(&stage.file());

    let keys = stage.rotate().await.unwrap();

    let new = master_in(&stage.file());
    assert_eq!(keys, 2);
    assert_ne!(new, old);
    assert!(!stage.next().exists());
    assert_eq!(stage.master_ids().await, [new.id()]);
    assert!(opens(&stage.ring().await.unwrap(), &sealed));
    assert!(opens(&running, &sealed));
    let with_old = Keyring::open(stage.pool(), MasterSource::Given(old)).await;
    assert!(matches!(with_old, Err(KeyringError::OtherMaster { .. })));
}

#[tokio::test]
async fn a_change_that_cannot_be_written_down_is_not_made() {
    let stage = Stage::new().await;
    let sealed = stage.ring().await.unwrap().seal(&place(), b"secret");
    let before = stage.master_ids().await;
    let refuse =
        "ALTER TABLE audit_log ADD CONSTRAINT refuses CHECK (action <> 'keys.rotate_master')";
    stage.sql(refuse).await;

    stage.rotate().await.unwrap_err();

    assert_eq!(stage.master_ids().await, before);
    assert_eq!([master_in(&stage.file()).id()], before[..]);
    assert!(opens(&stage.ring().await.unwrap(), &sealed));
    stage
        .sql("ALTER TABLE audit_log DROP CONSTRAINT refuses")
        .await;
    stage.rotate().await.unwrap();
    assert_ne!(stage.master_ids().await, before);
    assert_eq!(stage.rotations().await, 1);
    assert!(opens(&stage.ring().await.unwrap(), &sealed));
}

#[tokio::test]
async fn a_change_cut_off_before_the_rows_leaves_the_old_key_in_force() {
    let stage = Stage::new().await;
    let sealed = stage.ring().await.unwrap().seal(&place(), b"secret");
    write_private(&stage.next(), &master(5));

    assert!(opens(&stage.ring().await.unwrap(), &sealed));
    stage.rotate().await.unwrap();

    assert!(!stage.next().exists());
    assert_eq!(stage.master_ids().await, [master_in(&stage.file()).id()]);
    assert!(opens(&stage.ring().await.unwrap(), &sealed));
}

#[tokio::test]
async fn a_change_cut_off_after_the_rows_leaves_the_new_key_in_force() {
    let stage = Stage::new().await;
    let sealed = stage.ring().await.unwrap().seal(&place(), b"secret");
    let old = master_in(&stage.file());
    let new = master(5);
    write_private(&stage.next(), &new);
    rotate_master(stage.pool(), &old, &new).await.unwrap();

    assert!(opens(&stage.ring().await.unwrap(), &sealed));
    stage.rotate().await.unwrap();

    assert!(!stage.next().exists());
    assert_eq!(stage.master_ids().await, [master_in(&stage.file()).id()]);
    assert!(opens(&stage.ring().await.unwrap(), &sealed));
}

#[tokio::test]
async fn a_wrong_old_key_changes_no_row() {
    let stage = Stage::new().await;
    let sealed = stage.ring().await.unwrap().seal(&place(), b"secret");
    let [wrong, new] = [4, 5].map(master);

    let refused = rotate_master(stage.pool(), &wrong, &new).await;

    assert!(matches!(refused, Err(KeyringError::OtherMaster { .. })));
    assert!(opens(&stage.ring().await.unwrap(), &sealed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_that_starts_during_changes_always_finds_the_key() {
    let stage = Arc::new(Stage::new().await);
    let sealed = stage.ring().await.unwrap().seal(&place(), b"secret");
    let changing = tokio::spawn({
        let stage = Arc::clone(&stage);
        async move {
            for _ in 0..20 {
                stage.rotate().await.unwrap();
            }
        }
    });

    while !changing.is_finished() {
        assert!(opens(&stage.ring().await.unwrap(), &sealed));
    }

    changing.await.unwrap();
}

#[tokio::test]
async fn a_new_data_key_is_learned_by_controllers_that_run() {
    let stage = Stage::new().await;
    let [here, there] = [stage.ring().await.unwrap(), stage.ring().await.unwrap()];
    let before = here.seal(&place(), b"secret");

    let id = here.rotate_data_key(stage.pool()).await.unwrap();
    stage.rotate().await.unwrap();
    let after = here.seal(&place(), b"secret");

    assert_eq!(after.data_key_id, id);
    assert!(opens(&here, &before) && opens(&here, &after));
    assert!(opens(&there, &before) && !opens(&there, &after));
    there.refresh(stage.pool()).await.unwrap();
    assert!(opens(&there, &before) && opens(&there, &after));
    assert_eq!(there.seal(&place(), b"x").data_key_id, id);
    assert_eq!(here.fingerprint(b"secret"), there.fingerprint(b"secret"));
}

#[tokio::test]
async fn nothing_in_the_database_is_the_key_or_the_secret() {
    let stage = Stage::new().await;
    let ring = stage.ring().await.unwrap();
    let sealed = ring.seal(&place(), b"a secret that is easy to find");
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as("SELECT id, wrapped FROM data_keys")
        .fetch_all(stage.pool())
        .await
        .unwrap();
    let master = master_in(&stage.file()).reveal();
    let master = hex::decode(master.as_str()).unwrap();

    for (_, bytes) in rows.into_iter().chain([(0, sealed.bytes)]) {
        assert!(!bytes.windows(8).any(|part| part == &master[..8]));
        assert!(!bytes.windows(8).any(|part| part == b"a secret"));
    }
    assert!(sealed.data_key_id > DataKeyId(0));
}

//! A controller as the program: to be killed, and started again on the same database.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use controller::domain::role::Scope;
use controller::keyring::{Keyring, MasterSource};
use sqlx::PgPool;

use super::controller::MASTER_KEY;
use super::program::{Program, built};
use super::{Api, folder};
use crate::cli_config::Variables;

/// Of a machine on which nobody installed the certificates of any authority.
pub(crate) const NO_AUTHORITY: Variables<'static> = &[
    ("SSL_CERT_FILE", "/nonexistent"),
    ("SSL_CERT_DIR", "/nonexistent"),
];

pub(crate) struct Served {
    program: Option<Program>,
    folder: tempfile::TempDir,
    variables: Variables<'static>,
}

impl Served {
    pub(crate) async fn start(url: &str, sections: &str) -> Self {
        Self::start_with(url, sections, &[]).await
    }

    /// With these variables in its environment.
    pub(crate) async fn start_with(
        url: &str,
        sections: &str,
        variables: Variables<'static>,
    ) -> Self {
        let folder = folder();
        let key = folder.path().join("master.key");
        fs::write(&key, MASTER_KEY).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let text = format!(
            "listen = \"127.0.0.1:0\"\ndata_dir = {:?}\nmaster_key_file = {key:?}\ndatabase_url = {url:?}\n{sections}",
            folder.path()
        );
        let settings = folder.path().join("config.toml");
        fs::write(&settings, text).unwrap();
        fs::set_permissions(&settings, fs::Permissions::from_mode(0o600)).unwrap();
        let mut served = Self {
            program: None,
            folder,
            variables,
        };
        served.start_again().await;
        served
    }

    pub(crate) async fn start_again(&mut self) {
        assert!(self.program.is_none(), "it runs");
        let settings = self.folder.path().join("config.toml");
        let variables = self.variables.iter().copied();
        let started = tokio::task::spawn_blocking(move || {
            let mut command = Command::new(built("WGFLEET_BIN", "wgfleet"));
            command.env_remove("DATABASE_URL").envs(variables);
            Program::start(command.arg("serve").arg("--config").arg(settings))
        });
        self.program = Some(started.await.unwrap());
    }

    /// Ends it as a failing machine would; what it logged is left.
    pub(crate) fn kill(&mut self) -> String {
        self.program.take().unwrap().kill()
    }

    /// Where it listens; another port after each start.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.program.as_ref().unwrap().address)
    }

    /// Somebody who may everything.
    pub(crate) async fn caller(&self, pool: &PgPool) -> Api {
        let source = MasterSource::File(self.folder.path().join("master.key"));
        let keyring = Keyring::open(pool, source).await.unwrap();
        Api::new(&self.base(), pool, &keyring, Scope::Admin).await
    }
}

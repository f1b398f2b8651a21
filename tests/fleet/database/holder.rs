//! A process that has a private database open and can be killed: this test program again, running
//! the one test below.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use controller::database::{self, Settings};

const DATA_DIR: &str = "WGFLEET_TEST_HOLD";
const OPEN: &str = "holder: open";
const REFUSED: &str = "holder: refused: ";

pub(crate) struct Holder {
    process: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

#[tokio::test]
async fn holds_a_database_where_another_test_asks_for_it() {
    let Some(data_dir) = std::env::var_os(DATA_DIR).map(PathBuf::from) else {
        return;
    };
    match database::open(&Settings::private(data_dir)).await {
        Err(err) => println!("{REFUSED}{err}"),
        Ok(database) => {
            println!("{OPEN}");
            std::io::stdout().flush().unwrap();
            // Until the other test closes the pipe.
            tokio::task::spawn_blocking(|| std::io::stdin().lines().count())
                .await
                .unwrap();
            database.close().await;
        }
    }
}

impl Holder {
    /// As this user or, from root, as another one, who must be able to reach `program`.
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::run(Command::new(std::env::current_exe().unwrap()), data_dir)
    }

    pub(crate) fn run(mut command: Command, data_dir: &Path) -> Self {
        let mut process = command
            .args(["--exact", "--nocapture", "--test-threads=1"])
            .arg("database::holder::holds_a_database_where_another_test_asks_for_it")
            .env(DATA_DIR, data_dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            stdin: process.stdin.take(),
            stdout: BufReader::new(process.stdout.take().unwrap()),
            process,
        }
    }

    /// Returns why not, where it could not be opened.
    pub(crate) fn wait(&mut self) -> Result<(), String> {
        loop {
            let mut line = String::new();
            let read = self.stdout.read_line(&mut line).unwrap();
            assert!(read > 0, "the holder ended without a word");
            let line = line.trim_end();
            if line.ends_with(OPEN) {
                return Ok(());
            }
            if let Some((_, why)) = line.split_once(REFUSED) {
                return Err(why.to_owned());
            }
        }
    }

    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn close(mut self) {
        drop(self.stdin.take());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

//! `peers import`: many peers from a file, in batches of which each is made whole or not at all.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::Value;

use crate::cli::Failure;
use crate::cli::client::{Client, Common, Trial, write_json};
use crate::cli::exit::Exit;
use crate::cli::input;
use crate::cli::table::{self, Column};

/// What the API takes at once.
const MOST: usize = 10_000;

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("ADDRESSES", "/addresses"),
    ("KEY", "/public_key"),
];

/// Make peers from a file, all or none
///
/// The file holds a JSON array of peers as the API takes them: [{"network": "office", "name": "ada-1"}, …]. More than
/// 10000 go in several batches, and it is said which were made. Peers without a public key get a key pair, which is shown
/// this once: their configurations go into a folder, or with --json into the answer.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  wgfleet peers import peers.json --dry-run
  wgfleet peers import peers.json --configs ./configs")]
pub(super) struct Arguments {
    /// - is stdin
    file: PathBuf,
    /// A new folder for the configurations, one file a peer
    #[arg(long, value_name = "FOLDER")]
    configs: Option<PathBuf>,
    #[command(flatten)]
    trial: Trial,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    let peers = read(&arguments.file)?;
    let kept = arguments.common.json || arguments.trial.dry_run() || arguments.configs.is_some();
    if let Some(row) = peers.iter().position(|peer| peer["public_key"].is_null())
        && !kept
    {
        return Err(Failure::KeyLost { row });
    }
    let client = Client::open(&arguments.common)?;
    if let Some(folder) = &arguments.configs {
        make_folder(folder)?;
    }
    let mut made = Vec::new();
    for batch in peers.chunks(MOST) {
        progress(made.len(), batch.len(), peers.len())?;
        let body = Value::Array(batch.to_vec());
        let done = client.change(Method::POST, "/peers/bulk", Some(&body), &arguments.trial);
        let done = done.map_err(|failure| match made.len() {
            0 => failure,
            made => Failure::Midway {
                made,
                source: Box::new(failure),
            },
        })?;
        let Value::Array(done) = done else {
            return Err(Failure::Shape("what was made"));
        };
        if let Some(folder) = &arguments.configs {
            write_configs(folder, &done)?;
        }
        made.extend(done);
    }
    match arguments.common.json {
        true => write_json(out, &Value::Array(made))?,
        false => table::list(out, &made, COLUMNS)?,
    }
    Ok(Exit::Fine)
}

fn read(path: &Path) -> Result<Vec<Value>, Failure> {
    let bytes = input::bytes(path)?;
    serde_json::from_slice(&bytes).map_err(|source| Failure::BodyJson {
        path: path.to_owned(),
        source,
    })
}

/// On stderr, so that what is made can be put into a file.
fn progress(before: usize, now: usize, all: usize) -> io::Result<()> {
    let (first, last) = (before + 1, before + now);
    writeln!(
        io::stderr(),
        "wgfleet: importing peers {first} to {last} of {all}"
    )
}

/// One that is there might hold another fleet's.
fn make_folder(folder: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().mode(0o700).create(folder);
    made.map_err(cannot_write(folder))
}

fn write_configs(folder: &Path, made: &[Value]) -> Result<(), Failure> {
    for peer in made {
        let (Some(config), Some(name)) = (peer["config"].as_str(), peer["name"].as_str()) else {
            continue;
        };
        // A name is a DNS label, and one that is not would be no file of this folder.
        let network = &peer["network"];
        let path = folder.join(format!("{}-{network}.conf", name.replace('/', "_")));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        file.and_then(|mut file| file.write_all(config.as_bytes()))
            .map_err(cannot_write(&path))?;
    }
    Ok(())
}

fn cannot_write(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    move |source| Failure::Write {
        path: path.to_owned(),
        source,
    }
}

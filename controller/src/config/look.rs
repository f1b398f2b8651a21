//! Looks at the files and folders that the settings name, as they are now on this machine.
//!
//! Whoever uses a file later opens it again and reports its own failure. Whether a certificate fits its
//! key, and until when it is good, is the business of `tls`.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use settings::{Mistake, read_private, read_public};

use super::{Loaded, MasterKey, values};

/// What is wrong with the files, each as a mistake of the key that names it.
pub(super) fn mistakes(loaded: &Loaded) -> Vec<Mistake> {
    let config = &loaded.config;
    let mut looks: Vec<(&str, &Path, Judge)> = vec![("data_dir", &config.data_dir, folder_to_be)];
    if let MasterKey::File(path) = &config.master_key {
        looks.push(("master_key_file", path, master_key));
    }
    if let Some(path) = &config.postgres_bin_dir {
        looks.push(("postgres_bin_dir", path, postgres_programs));
    }
    if let Some(tls) = &config.tls {
        looks.push(("tls.cert_file", &tls.cert_file, public));
        looks.push(("tls.key_file", &tls.key_file, private));
    }
    if let Some(path) = &config.agents.ca_file {
        looks.push(("agents.ca_file", path, public));
    }
    if let Some(client) = &config.agents.client {
        looks.push(("agents.client_cert_file", &client.cert_file, public));
        looks.push(("agents.client_key_file", &client.key_file, private));
    }
    let judged = looks.into_iter().filter_map(|(key, path, judge)| {
        let what = judge(path).err()?;
        Some(loaded.finding(key, format!("{} {what}", path.display())))
    });
    judged.collect()
}

/// What is unwise about the file of settings itself.
pub(super) fn warnings(loaded: &Loaded) -> Vec<Mistake> {
    let holds_password = loaded.line_of("database_url").is_some()
        && loaded
            .config
            .database_url
            .as_ref()
            .is_some_and(|url| url.holds_password());
    let is_open = fs::metadata(&loaded.file)
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o004 != 0);
    if !holds_password || !is_open {
        return Vec::new();
    }
    let what = "holds a password in a file that everybody on this machine can read; chmod it to \
                0640, or put it into DATABASE_URL";
    vec![loaded.finding("database_url", what.to_owned())]
}

type Judge = fn(&Path) -> Result<(), String>;

fn public(path: &Path) -> Result<(), String> {
    read_public(path).map(drop)
}

fn private(path: &Path) -> Result<(), String> {
    read_private(path).map(drop)
}

fn master_key(path: &Path) -> Result<(), String> {
    let bytes = read_private(path)?;
    let mode = fs::metadata(path).map_or(0o777, |meta| meta.permissions().mode());
    if mode & 0o077 != 0 {
        return Err("is open to its group; chmod it to 0600".into());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    values::master_key(text).map(drop)
}

fn folder_to_be(path: &Path) -> Result<(), String> {
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Ok(()),
        Ok(_) => Err("is not a folder".into()),
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(()),
        Err(err) => Err(format!("cannot be read: {err}")),
    }
}

fn postgres_programs(path: &Path) -> Result<(), String> {
    for program in ["initdb", "postgres"] {
        let meta = fs::metadata(path.join(program));
        if !meta.is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0) {
            return Err(format!("does not hold the program {program}"));
        }
    }
    Ok(())
}

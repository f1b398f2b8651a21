//! Reads the shared secret, from the environment or from its file.

use std::path::Path;

use protocol::signing::Secret;
use settings::{Mistake, judge_secret, read_private};
use zeroize::Zeroizing;

use super::{SECRET_VARIABLE, Source};

pub(super) fn read(
    source: &Source,
    secret_file: Option<&Path>,
    variable: Option<String>,
) -> Result<Secret, Mistake> {
    let mistake = |key: &str, line, what| Mistake {
        file: source.file.clone(),
        line,
        key: Some(key.to_owned()),
        what,
    };
    if let Some(text) = variable.map(Zeroizing::new) {
        return judge_secret(&text).map_err(|what| {
            let what = format!("the environment variable {what}");
            mistake(SECRET_VARIABLE, None, what)
        });
    }
    let Some(path) = secret_file else {
        let what = format!(
            "is missing, and {SECRET_VARIABLE} is not set; make one with: openssl rand -hex 32"
        );
        return Err(mistake("secret_file", None, what));
    };
    read_file(path).map_err(|what| {
        let what = format!("{} {what}", path.display());
        mistake("secret_file", source.secret_file_line, what)
    })
}

fn read_file(path: &Path) -> Result<Secret, String> {
    let bytes = read_private(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    judge_secret(text)
}

//! What commands read from files and from stdin. A secret is never an argument: those are seen by everybody on the
//! machine.

use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::Failure;

/// A secret fits many times.
const MOST_SECRET_BYTES: u64 = 16 * 1024;

/// Reads a secret from a file; - is stdin. One line end at its end does not belong to it.
pub(super) fn secret(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = match path == Path::new("-") {
        true => io::stdin()
            .take(MOST_SECRET_BYTES)
            .read_to_string(&mut text),
        false => {
            File::open(path).and_then(|file| file.take(MOST_SECRET_BYTES).read_to_string(&mut text))
        }
    };
    read.map_err(cannot_read(path))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Zeroizing::new(
        line.strip_suffix('\r').unwrap_or(line).to_owned(),
    ))
}

/// Asks at the terminal for what is not to be seen on it.
pub(super) fn unseen(question: &str) -> Result<Zeroizing<String>, Failure> {
    let terminal = io::stdin();
    let before = tcgetattr(&terminal).map_err(io::Error::from)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    write!(io::stderr(), "{question}")?;
    tcsetattr(&terminal, OptionalActions::Flush, &silent).map_err(io::Error::from)?;
    let mut line = Zeroizing::new(String::new());
    let read = terminal.lock().take(MOST_SECRET_BYTES).read_line(&mut line);
    tcsetattr(&terminal, OptionalActions::Flush, &before).map_err(io::Error::from)?;
    writeln!(io::stderr())?;
    read.map_err(cannot_read(Path::new("-")))?;
    Ok(Zeroizing::new(
        line.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}

/// Reads a file; - is stdin.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = match path == Path::new("-") {
        true => {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        }
        false => std::fs::read(path),
    };
    read.map_err(cannot_read(path))
}

fn cannot_read(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    move |source| Failure::Body {
        path: path.to_owned(),
        source,
    }
}

//! `admin`: administrators made at the machine, where there is no default password, and people who cannot get in.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use zeroize::Zeroizing;

use super::Failure;
use super::config::SettingsArguments;
use super::exit::Exit;
use super::input;
use super::local::{self, Local};
use crate::domain::password::Password;
use crate::domain::reach::Reach;
use crate::domain::role::Role;
use crate::domain::user::{Email, UserName};
use crate::fleet::Call;
use crate::fleet::users::{Hasher, NewUser, audited, recover};

/// Make administrators and let people back in, at the machine
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet admin create ada --email ada@example.org")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(Create),
    Recover(Recover),
}

/// Make an administrator
///
/// Writes to the database directly, as the user of the controller or root. The password is read from stdin, or from a
/// file; it has at least 12 characters.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  wgfleet admin create ada
  wgfleet admin create ada --password-file /run/secrets/ada --email ada@example.org")]
struct Create {
    /// What the administrator signs in with
    name: String,
    #[arg(long)]
    email: Option<String>,
    /// Holds the password; - is stdin
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// Give somebody a new password who lost everything else
///
/// Password, authenticator, codes, passkeys and sessions are reset together, and it is written down. Writes to the
/// database directly, as the user of the controller or root. The password is read from stdin, or from a file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  wgfleet admin recover ada
  wgfleet admin recover ada --password-file /run/secrets/ada")]
struct Recover {
    /// What they sign in with
    name: String,
    /// Holds the new password; - is stdin
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArguments,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Create(create) => make(create, out),
        Command::Recover(recover) => restore(recover, out),
    }
}

fn make(create: &Create, out: &mut dyn Write) -> Result<Exit, Failure> {
    let name = parse_name(&create.name)?;
    let email = create.email.as_deref().map(Email::parse).transpose();
    let email = email.map_err(|err| Failure::Given("--email".into(), err.to_string()))?;
    let password = choose_password(create.password_file.as_deref(), &name)?;
    let local = Local::load(&create.settings)?;
    let user = local.run(async |ground| {
        let new = NewUser {
            name,
            email,
            role: Role::Admin,
            reach: Reach::All,
            password: Some(Hasher::new()?.hash(password).await?),
        };
        let call = Call::by(local::actor());
        Ok(audited::create(&ground.database.pool, &call, &new).await?)
    })?;
    writeln!(out, "{} is an administrator", user.name)?;
    Ok(Exit::Fine)
}

fn restore(arguments: &Recover, out: &mut dyn Write) -> Result<Exit, Failure> {
    let name = parse_name(&arguments.name)?;
    let password = choose_password(arguments.password_file.as_deref(), &name)?;
    let local = Local::load(&arguments.settings)?;
    let (user, recovered) = local.run(async |ground| {
        let keyring = ground.keyring().await?;
        let hash = Hasher::new()?.hash(password).await?;
        let call = Call::by(local::actor());
        Ok(recover::recover(&ground.database.pool, &keyring, &call, &name, hash).await?)
    })?;
    writeln!(out, "{} has a new password", user.name)?;
    writeln!(
        out,
        "ended: {} sessions, {} passkeys{}",
        recovered.sessions_ended,
        recovered.passkeys_removed,
        if recovered.totp_removed {
            ", the authenticator"
        } else {
            ""
        }
    )?;
    if !recovered.enabled {
        writeln!(out, "{} is disabled still, and cannot sign in", user.name)?;
    }
    Ok(Exit::Fine)
}

fn parse_name(text: &str) -> Result<UserName, Failure> {
    UserName::parse(text).map_err(|err| Failure::Given(text.to_owned(), err.to_string()))
}

fn choose_password(file: Option<&Path>, name: &UserName) -> Result<Password, Failure> {
    let text = read_password(file)?;
    Password::choose(&text, name)
        .map_err(|err| Failure::Given("the password".into(), err.to_string()))
}

/// From a person at a terminal twice, from anything else as it comes.
fn read_password(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    match file {
        None if io::stdin().is_terminal() => {
            let (first, second) = (input::unseen("Password: ")?, input::unseen("Again: ")?);
            match first == second {
                true => Ok(first),
                false => Err(Failure::Given(
                    "the password".into(),
                    "was not the same twice".into(),
                )),
            }
        }
        None => input::secret(Path::new("-")),
        Some(file) => input::secret(file),
    }
}

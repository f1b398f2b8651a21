//! `admin`: the first administrator, made at the machine: there is no default password.

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
use crate::domain::role::Role;
use crate::domain::user::{Email, UserName};
use crate::fleet::Call;
use crate::fleet::users::{Hasher, NewUser, audited};

/// Make administrators, at the machine
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet admin create ada --email ada@example.org")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(Create),
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

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    let Command::Create(create) = &arguments.command;
    let name = UserName::parse(&create.name);
    let name = name.map_err(|err| Failure::Given(create.name.clone(), err.to_string()))?;
    let email = create.email.as_deref().map(Email::parse).transpose();
    let email = email.map_err(|err| Failure::Given("--email".into(), err.to_string()))?;
    let text = read_password(create.password_file.as_deref())?;
    let password = Password::choose(&text, &name);
    let password =
        password.map_err(|err| Failure::Given("the password".into(), err.to_string()))?;
    let local = Local::load(&create.settings)?;
    let user = local.run(async |ground| {
        let new = NewUser {
            name,
            email,
            role: Role::Admin,
            password: Some(Hasher::new()?.hash(password).await?),
        };
        let call = Call::by(local::actor());
        Ok(audited::create(&ground.database.pool, &call, &new).await?)
    })?;
    writeln!(out, "{} is an administrator", user.name)?;
    Ok(Exit::Fine)
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

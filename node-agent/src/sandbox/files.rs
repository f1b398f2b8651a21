//! Closes off the file system through landlock, as far as the kernel knows it.
//!
//! The newest rights asked for are those of Linux 6.10. Later kernels could also forbid signals and
//! sockets of other processes, which would cut off the service manager and a userspace daemon.

use std::fmt;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetStatus, make_bitflags,
};

use super::SandboxError;

const KNOWN: ABI = ABI::V5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Landlock {
    Enforced,
    /// The kernel is older than some of what was asked for.
    Partly,
    Unsupported,
}

impl fmt::Display for Landlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enforced => "enforced",
            Self::Partly => "partly enforced",
            Self::Unsupported => "not supported by this kernel",
        })
    }
}

pub(super) fn close_off(writable: &[&Path], readable: &[&Path]) -> Result<Landlock, SandboxError> {
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(KNOWN))?
        .create()?;
    let rules = [(writable, may_write()), (readable, may_read())];
    for (paths, access) in rules {
        for path in paths {
            ruleset = ruleset.add_rule(rule(path, access)?)?;
        }
    }
    let status = ruleset
        .add_rule(rule(Path::new("/proc"), may_read())?)?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Landlock::Enforced,
        RulesetStatus::PartiallyEnforced => Landlock::Partly,
        RulesetStatus::NotEnforced => Landlock::Unsupported,
    })
}

fn may_read() -> BitFlags<AccessFs> {
    make_bitflags!(AccessFs::{ReadFile | ReadDir})
}

/// No programs, no devices, no links that lead out.
fn may_write() -> BitFlags<AccessFs> {
    may_read()
        | make_bitflags!(AccessFs::{
            WriteFile | RemoveDir | RemoveFile | MakeDir | MakeReg | Refer | Truncate
        })
}

fn rule(path: &Path, access: BitFlags<AccessFs>) -> Result<PathBeneath<PathFd>, SandboxError> {
    let opened = PathFd::new(path).map_err(|source| SandboxError::Path {
        path: path.to_owned(),
        source,
    })?;
    let access = if path.is_dir() {
        access
    } else {
        access & AccessFs::from_file(KNOWN)
    };
    Ok(PathBeneath::new(opened, access))
}

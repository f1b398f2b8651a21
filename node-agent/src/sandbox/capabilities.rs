//! Keeps CAP_NET_ADMIN, if it was there, and nothing else.
//!
//! A set is written only where it holds too much: the packaged unit has reduced them already and
//! denies the call that would. Inheritable capabilities are left alone: they are for programs
//! started later, and none can be.

use caps::errors::CapsError;
use caps::{CapSet, Capability, CapsHashSet};

use super::SandboxError;

pub(super) fn effective() -> Result<Vec<String>, SandboxError> {
    let held = read(CapSet::Effective)?;
    let mut names: Vec<String> = held.iter().map(Capability::to_string).collect();
    names.sort_unstable();
    Ok(names)
}

/// Tells whether the bounding set holds no more than it should as well.
pub(super) fn reduce() -> Result<bool, SandboxError> {
    let bounded = reduce_bounding()?;
    caps::clear(None, CapSet::Ambient).map_err(failed("ambient", "cleared"))?;
    // The effective ones first: they must lie within the permitted ones at every moment.
    for set in [CapSet::Effective, CapSet::Permitted] {
        let held = read(set)?;
        let keep: CapsHashSet = held.iter().copied().filter(is_needed).collect();
        if keep != held {
            caps::set(None, set, &keep).map_err(failed(name(set), "reduced"))?;
        }
    }
    Ok(bounded)
}

/// Needs CAP_SETPCAP, which a service manager keeps back; it has reduced the set itself, or not.
fn reduce_bounding() -> Result<bool, SandboxError> {
    let surplus: Vec<Capability> = read(CapSet::Bounding)?
        .into_iter()
        .filter(|capability| !is_needed(capability))
        .collect();
    if !read(CapSet::Effective)?.contains(&Capability::CAP_SETPCAP) {
        return Ok(surplus.is_empty());
    }
    for capability in surplus {
        caps::drop(None, CapSet::Bounding, capability).map_err(failed("bounding", "reduced"))?;
    }
    Ok(true)
}

fn is_needed(capability: &Capability) -> bool {
    *capability == Capability::CAP_NET_ADMIN
}

fn read(set: CapSet) -> Result<CapsHashSet, SandboxError> {
    caps::read(None, set).map_err(failed(name(set), "read"))
}

fn failed(set: &'static str, deed: &'static str) -> impl Fn(CapsError) -> SandboxError {
    move |source| SandboxError::Capabilities { set, deed, source }
}

fn name(set: CapSet) -> &'static str {
    match set {
        CapSet::Ambient => "ambient",
        CapSet::Bounding => "bounding",
        CapSet::Effective => "effective",
        CapSet::Inheritable => "inheritable",
        CapSet::Permitted => "permitted",
    }
}

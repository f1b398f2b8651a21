//! Keeps CAP_NET_ADMIN, if it was there, and nothing else.
//!
//! Inheritable and ambient capabilities are for programs started later. There are none, so both sets
//! end empty.

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
    caps::clear(None, CapSet::Inheritable).map_err(failed("inheritable", "cleared"))?;
    // The effective ones first: they must lie within the permitted ones at every moment.
    for set in [CapSet::Effective, CapSet::Permitted] {
        let keep: CapsHashSet = read(set)?.into_iter().filter(is_needed).collect();
        caps::set(None, set, &keep).map_err(failed(name(set), "reduced"))?;
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

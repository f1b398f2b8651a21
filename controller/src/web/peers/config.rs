//! The configuration of a peer, to be copied, downloaded or scanned. Looking at this page hands it out.
//!
//! The text holds preshared keys. The private key is in it only where it was made for this very answer; where it was
//! made in the browser, a script of that page puts it in, and it goes nowhere.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use askama::Template;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use protocol::PrivateKey;
use serde::Deserialize;

use crate::api::caller::Writes;
use crate::api::problem::Problem;
use crate::domain::config_text::{Issued, Mode, PRIVATE_KEY_PLACEHOLDER};
use crate::domain::ids::PeerId;
use crate::fleet::FleetError;
use crate::fleet::peers::issue;
use crate::qr;
use crate::web::answer::show as show_page;
use crate::web::frame::{Frame, Place};
use crate::web::visit::Visit;

/// The file's name becomes that of the device, which the kernel wants short.
const LONGEST_DEVICE: usize = 15;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    #[serde(default = "split")]
    mode: Mode,
}

fn split() -> Mode {
    Mode::Split
}

/// A peer and what it is handed.
pub(super) struct Device {
    pub id: PeerId,
    pub name: String,
    /// Where it was made here just now.
    pub key: Option<PrivateKey>,
    pub issued: Option<Issued>,
    /// Why there is no text.
    pub problem: Option<String>,
}

#[derive(Template)]
#[template(path = "peers/config.html")]
pub(super) struct ConfigPage {
    frame: Frame,
    id: PeerId,
    name: String,
    mode: Mode,
    text: Option<Text>,
    problem: Option<String>,
    /// Shown once, and never again.
    key: Option<String>,
}

struct Text {
    plain: String,
    /// The same, as a file.
    href: String,
    file: String,
    /// None: it is too long for a picture.
    picture: Option<String>,
    placeholder: &'static str,
}

pub(super) async fn show(
    visit: Visit<Writes>,
    id: Path<PeerId>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let peer = super::find(&visit, *id).await?;
    let (peer, issued, problem) = match issue::issue(&visit.fleet, *id, wanted.mode).await {
        Ok(out) => (out.peer, Some(out.issued), None),
        Err(FleetError::Refused(refusal)) => (peer, None, Some(visit.language.refusal(refusal))),
        Err(err) => return Err(err.into()),
    };
    let device = Device {
        id: peer.id,
        name: peer.name,
        key: None,
        issued,
        problem,
    };
    show_page(&ConfigPage::of(
        visit.frame(Place::Peers).await?,
        device,
        wanted.mode,
    )?)
}

impl ConfigPage {
    pub(super) fn of(frame: Frame, device: Device, mode: Mode) -> Result<Self, Problem> {
        let text = device
            .issued
            .as_ref()
            .map(|issued| Text::of(issued.text(), &device.name));
        Ok(Self {
            frame,
            id: device.id,
            text,
            name: device.name,
            mode,
            problem: device.problem,
            key: device.key.as_ref().map(PrivateKey::reveal),
        })
    }

    fn modes(&self) -> Vec<(&'static str, String, bool)> {
        let t = self.frame.t;
        let modes = Mode::ALL.into_iter();
        modes
            .map(|mode| (mode.as_str(), t.say(mode_name(mode)), mode == self.mode))
            .collect()
    }
}

impl Text {
    fn of(plain: &str, name: &str) -> Self {
        Self {
            href: format!("data:text/plain;base64,{}", BASE64_STANDARD.encode(plain)),
            file: format!("{}.conf", name.get(..LONGEST_DEVICE).unwrap_or(name)),
            picture: qr::svg(plain).ok(),
            plain: plain.to_owned(),
            placeholder: PRIVATE_KEY_PLACEHOLDER,
        }
    }
}

pub(super) fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Split => "peer-mode-split",
        Mode::Full => "peer-mode-full",
        Mode::NodeOnly => "peer-mode-node-only",
    }
}

//! An interface: what it holds, its settings, its link.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use protocol::wire::answers::{Config, Done};
use protocol::wire::{ConfigUpdate, SyncConf};

use super::answer::Answer;
use super::route::Route;
use super::{Request, ask, no_body, parse, peers};
use crate::plan::Write;
use crate::wgconf;
use crate::writer::{Handle, Job, LinkAction, SettingsChange, WriteJob};

/// From here on an answer is written away from the thread that serves other connections.
const LARGE_DUMP: usize = 500;

pub(super) async fn dump(writer: &Handle, since: Option<String>) -> Result<Answer, Answer> {
    let dump = ask(writer, |reply| Job::Dump { since, reply }).await?;
    if dump.peers.len() < LARGE_DUMP {
        return Ok(Answer::json(200, &dump));
    }
    let written = actix_web::web::block(move || Answer::json(200, &dump)).await;
    written.map_err(|_| Answer::later("stopping", "the agent is stopping"))
}

pub(super) async fn digest(writer: &Handle) -> Result<Answer, Answer> {
    let in_sync = ask(writer, |reply| Job::InSync { reply }).await?;
    Ok(Answer::json(200, &in_sync))
}

pub(super) async fn config(writer: &Handle, request: &Request<'_>) -> Result<Answer, Answer> {
    if request.method == "GET" {
        let interface = writer.name.clone();
        let config = ask(writer, |reply| Job::Config { reply }).await?;
        return Ok(Answer::json(200, &Config { interface, config }));
    }
    let update: ConfigUpdate = parse(&request.body)?;
    let change = Box::new(settings(update)?);
    let timestamp = request.caller.timestamp;
    ask(writer, |reply| Job::Settings {
        change,
        request: timestamp,
        reply,
    })
    .await?;
    let done = Done {
        reloaded: Some(true),
        ..Done::new("Configuration updated successfully")
    };
    Ok(Answer::json(200, &done))
}

fn settings(update: ConfigUpdate) -> Result<SettingsChange, Answer> {
    if let Some(command) = update.command() {
        return Err(commands_refused(command));
    }
    if update.mtu.is_some_and(|mtu| !(576..=65535).contains(&mtu)) {
        return Err(Answer::error(
            422,
            "invalid",
            "mtu is not between 576 and 65535",
        ));
    }
    let addresses = update.address.as_deref().map(addresses).transpose()?;
    for (name, value) in [("dns", &update.dns), ("table", &update.table)] {
        let text = value.as_ref().and_then(Option::as_ref);
        if text.is_some_and(|text| text.len() > 255 || text.contains(char::is_control)) {
            return Err(Answer::error(
                422,
                "invalid",
                &format!("{name} is not one line of at most 255 bytes"),
            ));
        }
    }
    Ok(SettingsChange {
        private_key: update.private_key,
        public_key: update.public_key,
        listen_port: update.listen_port,
        addresses,
        mtu: update.mtu,
        dns: update.dns,
        table: update.table,
    })
}

fn commands_refused(name: &str) -> Answer {
    Answer::error(
        422,
        "commands_refused",
        &format!("{name} would run a command; this agent runs none"),
    )
}

fn addresses(text: &str) -> Result<Vec<IpNet>, Answer> {
    let parse = |part: &str| {
        let refused = |_| {
            let sentence = format!(
                "address {part:?} is not an address with a prefix length, such as 10.8.0.1/24"
            );
            Answer::error(422, "invalid", &sentence)
        };
        part.parse::<IpNet>().map_err(refused)
    };
    let mut addresses: Vec<IpNet> = text
        .split(',')
        .map(|part| parse(part.trim()))
        .collect::<Result<_, _>>()?;
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
}

pub(super) async fn syncconf(writer: &Handle, request: &Request<'_>) -> Result<Answer, Answer> {
    let SyncConf {
        config,
        allow_removals,
    } = parse(&request.body)?;
    let refused = |sentence: &str| Answer::error(422, "invalid", sentence);
    let text = STANDARD
        .decode(config)
        .map_err(|_| refused("config is not base64"))?;
    let text = String::from_utf8(text).map_err(|_| refused("config is not UTF-8"))?;
    if text.trim().is_empty() {
        return Err(refused("config is empty"));
    }
    let parsed = wgconf::parse(&text).map_err(|err| match err.command() {
        Some(command) => commands_refused(command),
        None => refused(&err.to_string()),
    })?;
    let change = Box::new(SettingsChange {
        private_key: parsed.private_key,
        listen_port: parsed.listen_port,
        ..SettingsChange::default()
    });
    let write = Write::Sync {
        peers: parsed.peers,
        allow_removals,
    };
    let request = request.caller.timestamp;
    let outcome = ask(writer, |reply| Job::Sync {
        change,
        write: WriteJob {
            write,
            request,
            reply,
        },
    });
    Ok(peers::in_sync(
        "Configuration synchronised successfully",
        outcome.await?,
    ))
}

pub(super) async fn link(writer: &Handle, request: &Request<'_>) -> Result<Answer, Answer> {
    no_body(&request.body)?;
    let (action, message) = match &request.route {
        Route::Enable { .. } => (LinkAction::Enable, "Interface enabled successfully"),
        Route::Disable { .. } => (LinkAction::Disable, "Interface disabled successfully"),
        _ => (LinkAction::Remove, "Interface removed successfully"),
    };
    let timestamp = request.caller.timestamp;
    let changed = ask(writer, |reply| Job::Link {
        action,
        request: timestamp,
        reply,
    })
    .await?;
    let done = Done {
        was_down: (action == LinkAction::Enable).then_some(changed),
        was_up: (action == LinkAction::Disable).then_some(changed),
        ..Done::new(message)
    };
    Ok(Answer::json(200, &done))
}

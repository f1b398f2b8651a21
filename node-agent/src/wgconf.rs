//! Reads the configuration syntax of wg(8), as `wg showconf` prints it and `wg syncconf` takes it.
//!
//! Pure text to values. What wg-quick adds on top (addresses, DNS, commands) is refused: the agent
//! runs no commands, and a text that is only half understood must not be applied.

use protocol::wire::PeerSpec;
use protocol::{AllowedIps, Cidr, Endpoint, PresharedKey, PrivateKey, PublicKey};

/// Keys of wg-quick(8) that run something.
const COMMANDS: &[&str] = &["PreUp", "PostUp", "PreDown", "PostDown"];

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WgConf {
    pub private_key: Option<PrivateKey>,
    pub listen_port: Option<u16>,
    pub peers: Vec<PeerSpec>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct WgConfError {
    line: usize,
    problem: String,
    command: Option<&'static str>,
}

impl WgConfError {
    /// The command that the text asks for, if that is what is wrong with it.
    pub fn command(&self) -> Option<&'static str> {
        self.command
    }
}

enum Section {
    None,
    Interface,
    Peer(Draft),
}

/// A peer whose section is still being read.
#[derive(Default)]
struct Draft {
    line: usize,
    public_key: Option<PublicKey>,
    allowed_ips: Vec<Cidr>,
    preshared_key: Option<PresharedKey>,
    keepalive: Option<u16>,
    endpoint: Option<Endpoint>,
}

pub fn parse(text: &str) -> Result<WgConf, WgConfError> {
    let mut conf = WgConf::default();
    let mut section = Section::None;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let line = line.split('#').next().unwrap_or(line).trim();
        if line.is_empty() {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            let next = match name.to_ascii_lowercase().as_str() {
                "interface" => Section::Interface,
                "peer" => Section::Peer(Draft {
                    line: number,
                    ..Draft::default()
                }),
                _ => {
                    return Err(at(
                        number,
                        format!("section [{}] is not known", named(name)),
                    ));
                }
            };
            finish(&mut conf, std::mem::replace(&mut section, next))?;
            continue;
        }
        let (key, value) = line
            .split_once('=')
            .ok_or_else(|| at(number, "this is neither a section nor key = value"))?;
        let (key, value) = (key.trim(), value.trim());
        let problem = match &mut section {
            Section::None => Err("a key stands before any section".into()),
            Section::Interface => set_interface(&mut conf, key, value),
            Section::Peer(draft) => set_peer(draft, key, value),
        };
        problem.map_err(|problem| WgConfError {
            line: number,
            problem,
            command: COMMANDS
                .iter()
                .find(|command| command.eq_ignore_ascii_case(key))
                .copied(),
        })?;
    }
    finish(&mut conf, section)?;
    Ok(conf)
}

fn at(line: usize, problem: impl Into<String>) -> WgConfError {
    WgConfError {
        line,
        problem: problem.into(),
        command: None,
    }
}

/// What is too long for a name is not repeated: a secret that slipped onto a line of its own reads like
/// a key without a value.
fn named(text: &str) -> &str {
    if text.len() > 20 { "this" } else { text }
}

fn finish(conf: &mut WgConf, section: Section) -> Result<(), WgConfError> {
    let Section::Peer(draft) = section else {
        return Ok(());
    };
    let key = draft
        .public_key
        .ok_or_else(|| at(draft.line, "this peer has no PublicKey"))?;
    conf.peers.push(PeerSpec {
        public_key: key,
        allowed_ips: draft.allowed_ips.into_iter().collect::<AllowedIps>(),
        preshared_key: draft.preshared_key,
        persistent_keepalive: draft.keepalive,
        endpoint: draft.endpoint,
        expires_at: None,
    });
    Ok(())
}

fn set_interface(conf: &mut WgConf, key: &str, value: &str) -> Result<(), String> {
    match key.to_ascii_lowercase().as_str() {
        "privatekey" => {
            conf.private_key =
                Some(PrivateKey::parse(value).map_err(|err| format!("PrivateKey {err}"))?);
        }
        "listenport" => {
            conf.listen_port = Some(
                value
                    .parse()
                    .map_err(|_| format!("ListenPort {value:?} is not a port"))?,
            );
        }
        "fwmark" if matches!(value, "0" | "0x0" | "off") => {}
        _ => return Err(format!("{} is not known in [Interface] here", named(key))),
    }
    Ok(())
}

fn set_peer(draft: &mut Draft, key: &str, value: &str) -> Result<(), String> {
    match key.to_ascii_lowercase().as_str() {
        "publickey" => {
            draft.public_key =
                Some(PublicKey::parse(value).map_err(|err| format!("PublicKey {value:?} {err}"))?);
        }
        "presharedkey" => {
            draft.preshared_key =
                Some(PresharedKey::parse(value).map_err(|err| format!("PresharedKey {err}"))?);
        }
        "allowedips" => {
            for cidr in value
                .split(',')
                .map(str::trim)
                .filter(|cidr| !cidr.is_empty())
            {
                draft
                    .allowed_ips
                    .push(Cidr::parse(cidr).map_err(|err| format!("allowed IP {cidr:?} {err}"))?);
            }
        }
        "endpoint" => {
            draft.endpoint =
                Some(Endpoint::parse(value).map_err(|err| format!("Endpoint {value:?} {err}"))?);
        }
        "persistentkeepalive" => {
            let seconds = if value == "off" { Ok(0) } else { value.parse() };
            draft.keepalive =
                Some(seconds.map_err(|_| {
                    format!("PersistentKeepalive {value:?} is not off or 0 to 65535")
                })?);
        }
        _ => return Err(format!("{} is not known in [Peer]", named(key))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "S/QlsM66mP3ZL3zVXRBksX4aHla+tqaEhm74lVkThYM=";

    #[test]
    fn what_wg_prints_is_read() {
        let text = format!(
            "[Interface]\nListenPort = 51820\nPrivateKey = WGUQw8lQx/h7nNsJj8shlbgShp2jr3u4jXHBWsPILsU=\n\n\
             [Peer] # a phone\nPublicKey = {KEY}\nPresharedKey = WGUQw8lQx/h7nNsJj8shlbgShp2jr3u4jXHBWsPILsU=\n\
             AllowedIPs = 10.0.0.2/32, fd00::2/128\nAllowedIPs=10.1.0.0/16\nEndpoint = 192.0.2.1:5\nPersistentKeepalive = 25\n\
             [peer]\npublickey=BnhBQRxzK5OiV1G3D+9Xe8tMojQZOpMKsinurgibKlo=\nPersistentKeepalive = off\n"
        );

        let conf = parse(&text).unwrap();

        assert_eq!(conf.listen_port, Some(51820));
        assert!(conf.private_key.is_some());
        assert_eq!(conf.peers.len(), 2);
        assert_eq!(conf.peers[0].allowed_ips.len(), 3);
        assert_eq!(conf.peers[0].config().persistent_keepalive, 25);
        assert_eq!(conf.peers[1].config().persistent_keepalive, 0);
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_line() {
        let cases = [
            ("PublicKey = x", 1),
            ("[Interface]\nAddress = 10.0.0.1/24", 2),
            ("[Peer]\nAllowedIPs = 10.0.0.0/8", 1),
            ("[Peer]\nPublicKey = nonsense", 2),
            ("[Peer]\nnonsense", 2),
            ("[Wall]", 1),
            ("[Interface]\nFwMark = 7", 2),
            ("[Interface]\nListenPort = 70000", 2),
        ];
        for (text, line) in cases {
            assert_eq!(parse(text).unwrap_err().line, line, "{text}");
        }
    }

    #[test]
    fn commands_are_refused_by_name() {
        let err = parse("[Interface]\npostup = reboot").unwrap_err();

        assert_eq!(err.command(), Some("PostUp"));
    }

    #[test]
    fn a_secret_is_not_repeated_wherever_it_stands() {
        let secret = "WGUQw8lQx/h7nNsJj8shlbgShp2jr3u4jXHBWsPILsU";
        let texts = [
            format!("[Interface]\nPrivateKey = {secret}"),
            format!("[Interface]\n{secret}="),
            format!("[Peer]\n{secret}="),
            format!("[Peer]\nPresharedKey = {secret}"),
            format!("[{secret}=]"),
            secret.to_owned(),
        ];
        for text in texts {
            let err = parse(&text).unwrap_err();

            assert!(!err.to_string().contains(secret), "{err}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_configuration_or_an_error_but_never_a_panic(text in "(\\[Peer\\]\n|\\[Interface\\]\n|[ -~]{0,20}=?[ -~]{0,20}\n){0,8}") {
            if let Ok(conf) = parse(&text) {
                prop_assert!(conf.peers.len() <= text.lines().count());
            }
        }
    }
}

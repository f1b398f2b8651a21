//! Networks as people ask for them.

use std::net::IpAddr;

use ipnet::IpNet;

use super::names::HostName;

/// A network to be made. At least one prefix, at most one of each family.
#[derive(Debug, Clone)]
pub struct NewNetwork {
    pub name: HostName,
    pub domain_suffix: HostName,
    pub dns: Vec<IpAddr>,
    pub mtu: Option<u16>,
    pub keepalive_s: u16,
    pub prefixes: Vec<IpNet>,
}

/// What to replace; the rest stays. The outer option of `mtu` says whether it is replaced at all.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub name: Option<HostName>,
    pub domain_suffix: Option<HostName>,
    pub dns: Option<Vec<IpAddr>>,
    pub mtu: Option<Option<u16>>,
    pub keepalive_s: Option<u16>,
    /// The prefix of each family: another one, or none from now on.
    pub prefix_v4: Option<Option<IpNet>>,
    pub prefix_v6: Option<Option<IpNet>>,
}

impl Changes {
    /// The prefixes that a network has then, IPv4 first.
    pub fn prefixes(&self, now: &[IpNet]) -> Vec<IpNet> {
        let of_family = |v4: bool| now.iter().find(|net| net.addr().is_ipv4() == v4).copied();
        let v4 = self.prefix_v4.unwrap_or(of_family(true));
        let v6 = self.prefix_v6.unwrap_or(of_family(false));
        v4.into_iter().chain(v6).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn prefixes_are_kept_replaced_or_given_up_by_family() {
        let now = [net("10.8.0.0/24"), net("fd00:8::/64")];
        let other = net("10.9.0.0/24");

        assert_eq!(Changes::default().prefixes(&now), now);
        let replaced = Changes {
            prefix_v4: Some(Some(other)),
            ..Changes::default()
        };
        assert_eq!(replaced.prefixes(&now), [other, now[1]]);
        assert_eq!(replaced.prefixes(&now[1..]), [other, now[1]]);
        let given_up = Changes {
            prefix_v6: Some(None),
            ..Changes::default()
        };
        assert_eq!(given_up.prefixes(&now), now[..1]);
        assert_eq!(given_up.prefixes(&now[1..]), []);
    }
}

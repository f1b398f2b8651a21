//! What the controller is to a browser: which address it is reached at, which cookies it sets, and which requests come
//! from its own pages.

use std::net::IpAddr;

use protocol::Cidr;
use url::Url;

use super::client::client_address;
use crate::config::{Config, Transport};
use crate::domain::token::Token;

/// One for all threads of a server.
#[derive(Debug, Clone)]
pub struct Site {
    base_url: Option<Url>,
    serves_tls: bool,
    trusted_proxies: Vec<Cidr>,
}

/// Somebody else's page made the browser send this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request comes from another site")]
pub struct CrossSite;

/// What a browser tells of the page that makes it send something.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    pub fetch_site: Option<&'a str>,
    pub origin: Option<&'a str>,
    pub host: Option<&'a str>,
}

/// The cookies, named so that no other host can set them where the browser can hold to that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cookies {
    secure: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    Session,
    /// Of a browser with which nobody has signed in yet.
    Browser,
}

impl Site {
    pub fn new(config: &Config) -> Self {
        Self {
            base_url: config.base_url.clone(),
            serves_tls: config.transport() != Transport::Plain,
            trusted_proxies: config.trusted_proxies.clone(),
        }
    }

    /// Whose cookies are for HTTPS alone: everybody's but those of plain HTTP on this machine.
    ///
    /// `forwarded_proto` is what the last proxy says the visitor spoke.
    pub fn cookies(&self, peer: Option<IpAddr>, forwarded_proto: Option<&str>) -> Cookies {
        let by_proxy = || {
            let trusted = |peer: IpAddr| self.trusts(peer);
            peer.is_some_and(trusted) && forwarded_proto == Some("https")
        };
        let secure = match &self.base_url {
            Some(url) => url.scheme() == "https",
            None => self.serves_tls || by_proxy(),
        };
        Cookies { secure }
    }

    pub fn client(&self, peer: IpAddr, forwarded_for: &[&str]) -> IpAddr {
        client_address(peer, forwarded_for, &self.trusted_proxies)
    }

    /// Whether a page of this controller sent a request that changes something.
    ///
    /// A browser that says where it comes from is believed: no page can make it lie. One that says nothing is old, or no
    /// browser; there the form's own token decides alone.
    pub fn check_origin(&self, from: Origin<'_>) -> Result<(), CrossSite> {
        match from.fetch_site {
            Some("same-origin" | "none") => return Ok(()),
            Some(_) => return Err(CrossSite),
            None => {}
        }
        let Some(origin) = from.origin else {
            return Ok(());
        };
        let Ok(url) = Url::parse(origin) else {
            // "null" too: a page that hides where it is from.
            return Err(CrossSite);
        };
        let own = match (&self.base_url, from.host) {
            (Some(base), _) => base.origin() == url.origin(),
            (None, Some(host)) => {
                let scheme = url.scheme();
                Url::parse(&format!("{scheme}://{host}"))
                    .is_ok_and(|here| here.origin() == url.origin())
            }
            (None, None) => false,
        };
        if own { Ok(()) } else { Err(CrossSite) }
    }

    fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusted_proxies
            .iter()
            .any(|range| range.contains(peer))
    }
}

impl Cookies {
    pub fn name(self, cookie: Cookie) -> &'static str {
        match (cookie, self.secure) {
            (Cookie::Session, true) => "__Host-wgfleet",
            (Cookie::Session, false) => "wgfleet",
            (Cookie::Browser, true) => "__Host-wgfleet-browser",
            (Cookie::Browser, false) => "wgfleet-browser",
        }
    }

    /// The token in the headers of that name, if they hold one that could be.
    pub fn read<'a>(self, cookie: Cookie, headers: impl Iterator<Item = &'a str>) -> Option<Token> {
        let name = self.name(cookie);
        headers
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .and_then(|(_, value)| Token::parse(value))
    }

    /// The header that sets a cookie. It goes with the browser's window; the controller ends it before if need be.
    pub fn set(self, cookie: Cookie, token: &Token) -> String {
        format!(
            "{}={}; {}",
            self.name(cookie),
            *token.reveal(),
            self.attributes()
        )
    }

    /// The header that takes a cookie away.
    pub fn clear(self, cookie: Cookie) -> String {
        format!("{}=; {}; Max-Age=0", self.name(cookie), self.attributes())
    }

    fn attributes(self) -> &'static str {
        match self.secure {
            true => "Path=/; HttpOnly; SameSite=Lax; Secure",
            false => "Path=/; HttpOnly; SameSite=Lax",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn site(text: &str) -> Site {
        Site::new(&Config::parse("test.toml".as_ref(), text).unwrap())
    }

    fn own() -> Site {
        site("base_url = \"http://vpn.example.org\"\n")
    }

    fn check(site: &Site, fetch_site: Option<&str>, origin: Option<&str>) -> bool {
        let host = Some("vpn.example.org");
        let from = Origin {
            fetch_site,
            origin,
            host,
        };
        site.check_origin(from).is_ok()
    }

    #[test]
    fn only_pages_of_this_site_change_something() {
        for site in [own(), site("")] {
            assert!(check(&site, Some("same-origin"), None));
            assert!(check(&site, Some("none"), None));
            assert!(check(&site, None, Some("http://vpn.example.org")));
            assert!(check(&site, None, None));
            for fetch_site in ["cross-site", "same-site", "", "SAME-ORIGIN"] {
                assert!(!check(
                    &site,
                    Some(fetch_site),
                    Some("http://vpn.example.org")
                ));
            }
            for origin in [
                "null",
                "",
                "http://evil.example",
                "http://vpn.example.org.evil.example",
                "http://vpn.example.org:81",
            ] {
                assert!(!check(&site, None, Some(origin)), "{origin}");
            }
        }
        assert!(!check(&own(), None, Some("https://vpn.example.org")));
    }

    #[test]
    fn cookies_are_for_this_host_and_https_alone_but_on_plain_loopback() {
        let name = |text: &str, proto| {
            let peer = Some([10, 0, 0, 1].into());
            site(text).cookies(peer, proto).name(Cookie::Session)
        };
        let proxied = "trusted_proxies = [\"10.0.0.0/8\"]\n";

        assert_eq!(name("", None), "wgfleet");
        assert_eq!(name("", Some("https")), "wgfleet", "a stranger says so");
        assert_eq!(name(proxied, Some("https")), "__Host-wgfleet");
        assert_eq!(name(proxied, Some("http")), "wgfleet");
        assert_eq!(name("listen = \"0.0.0.0:1\"\n", None), "__Host-wgfleet");
        assert_eq!(
            name("base_url = \"https://a.example\"\n", None),
            "__Host-wgfleet"
        );
    }

    #[test]
    fn a_cookie_says_what_the_browser_must_hold_to() {
        let token = Token::from_random([7; 32]);
        let secure = Cookies { secure: true };
        let plain = Cookies { secure: false };

        let text = secure.set(Cookie::Session, &token);
        assert_eq!(
            text,
            format!(
                "__Host-wgfleet={}; Path=/; HttpOnly; SameSite=Lax; Secure",
                *token.reveal()
            )
        );
        assert!(!plain.set(Cookie::Session, &token).contains("Secure"));
        assert!(secure.clear(Cookie::Browser).ends_with("; Max-Age=0"));
    }

    proptest! {
        #[test]
        fn a_cookie_that_is_set_is_read_among_others(bytes: [u8; 32], other in "[a-z]{1,8}=[ -:<-~]{0,20}") {
            let token = Token::from_random(bytes);
            let cookies = Cookies { secure: false };
            let set = cookies.set(Cookie::Session, &token);
            let pair = set.split(';').next().unwrap();
            prop_assume!(!other.starts_with("wgfleet="));

            let header = format!("{other}; {pair}; {other}");

            prop_assert_eq!(cookies.read(Cookie::Session, [header.as_str()].into_iter()), Some(token));
            prop_assert_eq!(cookies.read(Cookie::Browser, [header.as_str()].into_iter()), None);
        }
    }
}

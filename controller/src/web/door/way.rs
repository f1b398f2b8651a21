//! Where somebody wanted to go before they had to sign in: only to pages of this controller.

/// The longest address that is kept in mind.
const MOST_BYTES: usize = 1024;

/// The address, if it is a path of ours and no way to another site, and the overview else.
pub(in crate::web) fn own(text: &str) -> &str {
    let second = text.as_bytes().get(1);
    // Two slashes begin the name of a host, and browsers read a backslash as a slash.
    let is_own = text.starts_with('/')
        && second != Some(&b'/')
        && text.len() <= MOST_BYTES
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_own { text } else { "/" }
}

/// A page at the door that leads on to `next`.
pub(super) fn with_next(path: &str, next: &str) -> String {
    if next == "/" {
        return path.to_owned();
    }
    let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    format!("{path}?next={next}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    #[test]
    fn only_paths_of_our_own_are_gone_to() {
        for path in ["/", "/nodes", "/nodes?q=a%20b&pool=3", "/a//b"] {
            assert_eq!(own(path), path);
        }
        let elsewhere = [
            "",
            "nodes",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "https://evil.example",
            "/é",
            "/a b",
        ];
        for path in elsewhere {
            assert_eq!(own(path), "/", "{path:?}");
        }
    }

    #[test]
    fn what_comes_after_survives_the_way_through_the_door() {
        let link = with_next("/login", "/nodes?q=a&b=c");

        assert_eq!(link, "/login?next=%2Fnodes%3Fq%3Da%26b%3Dc");
        assert_eq!(with_next("/login", "/"), "/login");
    }

    proptest! {
        #[test]
        fn nothing_that_anybody_writes_leads_to_another_site(text in "[/\\\\a-z:@.?#\t \n]{0,12}") {
            let here = Url::parse("https://wgfleet.example/login").unwrap();
            let there = here.join(own(&text)).unwrap();

            prop_assert_eq!(there.origin(), here.origin());
        }
    }
}

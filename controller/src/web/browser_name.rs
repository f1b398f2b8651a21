//! What people call the browser that a session is of: "Firefox 144, Windows".
//!
//! Browsers bear each other's names, so the most particular is looked for first. Nothing is decided by this.

const PRODUCTS: [(&str, &str); 9] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
];

const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// None where it calls itself something else.
pub(super) fn of(user_agent: &str) -> Option<String> {
    let (version, product) = PRODUCTS
        .iter()
        .find_map(|(mark, name)| Some((user_agent.split_once(mark)?.1, name)))?;
    let major: String = version.chars().take_while(char::is_ascii_digit).collect();
    let system = SYSTEMS.iter().find(|(mark, _)| user_agent.contains(mark));
    Some(match system {
        Some((_, system)) => format!("{product} {major}, {system}"),
        None => format!("{product} {major}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_what_its_people_call_it_and_a_program_what_it_calls_itself() {
        let cases = [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
                Some("Firefox 144, Windows"),
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
                Some("Edge 141, Windows"),
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
                Some("Chrome 141, Android"),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
                Some("Safari 26, iPhone"),
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
                Some("Safari 26, macOS"),
            ),
            ("curl/8.14.1", None),
            ("", None),
        ];
        for (user_agent, expected) in cases {
            assert_eq!(of(user_agent).as_deref(), expected, "{user_agent}");
        }
    }
}

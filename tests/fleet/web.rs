//! What a browser is served: the page that documents the API, and the files it refers to.

mod audit;
mod door;
mod french;
mod networks;
mod nodes;
mod overview;
mod own;
mod peers;
mod people;
mod pools;

use std::collections::BTreeSet;
use std::io::Read;

use controller::domain::role::Role;
use flate2::read::GzDecoder;
use reqwest::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH,
};
use reqwest::{Client, Response};

use crate::stage::{Running, Visitor};

/// Somebody without a key, as a browser is.
struct Browser {
    client: Client,
    base: String,
}

impl Browser {
    fn new(stage: &Running) -> Self {
        Self {
            client: Client::builder().no_proxy().build().unwrap(),
            base: stage.base.clone(),
        }
    }

    async fn get(&self, path: &str) -> Response {
        self.with(path, ACCEPT_ENCODING.as_str(), "identity").await
    }

    async fn with(&self, path: &str, header: &str, value: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.base));
        request.header(header, value).send().await.unwrap()
    }

    /// All that the page refers to on this server.
    async fn references(&self) -> Vec<String> {
        let page = self.get("/api/docs").await.text().await.unwrap();
        let quoted = page.split('"').filter(|text| text.starts_with('/'));
        quoted.map(str::to_owned).collect()
    }
}

fn header(answer: &Response, name: reqwest::header::HeaderName) -> &str {
    answer
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_page_that_documents_the_api_holds_no_script_or_style_and_allows_none_from_elsewhere() {
    let stage = Running::start().await;

    let page = Browser::new(&stage).get("/api/docs").await;

    assert_eq!(page.status(), 200);
    assert_eq!(header(&page, CONTENT_TYPE), "text/html; charset=utf-8");
    let policy = header(&page, CONTENT_SECURITY_POLICY).to_owned();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"));
    let html = page.text().await.unwrap();
    assert!(!html.contains("<style") && !html.contains("style=") && !html.contains("http"));
    for script in html.split("<script ").skip(1) {
        assert!(script.starts_with("src=\"/static/"), "{script}");
        assert!(script.contains("></script>"), "{script}");
    }
}

#[tokio::test]
async fn all_that_the_page_refers_to_is_there_and_files_may_be_kept_for_good() {
    let stage = Running::start().await;
    let browser = Browser::new(&stage);

    let references = browser.references().await;

    let files = references.iter().filter(|path| path.contains("/static/"));
    assert_eq!(files.count(), 4, "{references:?}");
    for path in &references {
        let answer = browser.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        let kept = header(&answer, CACHE_CONTROL).contains("immutable");
        assert_eq!(kept, path.starts_with("/static/"), "{path}");
    }
}

#[tokio::test]
async fn a_large_file_goes_packed_to_whoever_takes_that_and_is_the_same_file() {
    let stage = Running::start().await;
    let browser = Browser::new(&stage);
    let path = browser.references().await;
    let path = path.iter().find(|path| path.ends_with("bundle.js"));
    let path = path.unwrap();

    let plain = browser.get(path).await;
    let packed = browser.with(path, "accept-encoding", "br, gzip").await;
    let refused = browser.with(path, "accept-encoding", "gzip;q=0").await;

    assert_eq!(header(&plain, CONTENT_ENCODING), "");
    assert_eq!(header(&packed, CONTENT_ENCODING), "gzip");
    assert_eq!(header(&refused, CONTENT_ENCODING), "");
    let (plain, packed) = (plain.bytes().await.unwrap(), packed.bytes().await.unwrap());
    assert!(packed.len() * 3 < plain.len());
    let mut unpacked = Vec::new();
    GzDecoder::new(&packed[..])
        .read_to_end(&mut unpacked)
        .unwrap();
    assert!(unpacked == plain, "the packed file is another");
}

#[tokio::test]
async fn the_first_page_and_all_that_it_loads_are_at_most_a_hundred_kilobytes() {
    let stage = Running::start().await;
    let browser = Browser::new(&stage);
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;

    let page = ada.get("/").await.text;

    let files: BTreeSet<&str> = page
        .split('"')
        .filter(|text| text.starts_with("/static/"))
        .collect();
    for kind in [".css", ".js", ".svg"] {
        let has_one = files.iter().any(|path| path.ends_with(kind));
        assert!(has_one, "{kind}: {files:?}");
    }
    // Pages are never packed: they hold what is the visitor's alone beside what others may have them ask for.
    let mut weight = page.len();
    for path in files {
        let file = browser.with(path, "accept-encoding", "gzip").await;
        assert_eq!(file.status(), 200, "{path}");
        weight += file.bytes().await.unwrap().len();
    }
    assert!(weight <= 100_000, "{weight} bytes");
}

#[tokio::test]
async fn a_file_that_the_browser_holds_is_not_sent_again_and_one_of_another_release_is_not_there() {
    let stage = Running::start().await;
    let browser = Browser::new(&stage);
    let references = browser.references().await;
    let path = references.iter().find(|path| path.ends_with(".css"));
    let path = path.unwrap();
    let tag = header(&browser.get(path).await, ETAG).to_owned();

    let held = browser.with(path, IF_NONE_MATCH.as_str(), &tag).await;
    let other = browser
        .with(path, IF_NONE_MATCH.as_str(), "\"other\"")
        .await;
    let hash = path.split('/').nth(2).unwrap();
    let gone = browser
        .get(&path.replace(hash, "0123456789abcdef01234567"))
        .await;
    let outside = browser.get(&format!("/static/{hash}/../Cargo.toml")).await;

    assert_eq!(held.status(), 304);
    assert_eq!(held.bytes().await.unwrap().len(), 0);
    assert_eq!(other.status(), 200);
    assert_eq!(gone.status(), 404);
    assert_eq!(outside.status(), 404);
}

//! The order of the list, its tags, and the room that its rows have.

use serde_json::json;

use super::{listed, with_peers};
use crate::stage::{Page, peer};

/// Where the next page begins.
fn next(page: &Page) -> Option<String> {
    let (_, rest) = page.text.split_once("rel=\"next\" href=\"")?;
    Some(
        rest.split_once('"')?
            .0
            .replace("&#38;", "&")
            .replace("&amp;", "&"),
    )
}

#[tokio::test]
async fn each_order_goes_through_all_peers_page_by_page_and_each_once() {
    let (stage, mut ada) = with_peers(120).await;
    let twin = json!([peer(121)]);
    stage.api.post("/peers/bulk", twin).await.ok();
    let mut by_name: Vec<String> = (1..=121)
        .map(|n| peer(n)["name"].as_str().unwrap().to_owned())
        .collect();
    let as_made = by_name.clone();
    by_name.sort();

    for (order, expected, backwards) in [
        ("made", &as_made, false),
        ("newest", &as_made, true),
        ("name", &by_name, false),
        ("name-down", &by_name, true),
    ] {
        let mut found: Vec<String> = Vec::new();
        let mut path = Some(format!("/peers?order={order}"));
        while let Some(here) = path {
            let page = ada.get(&here).await;
            assert_eq!(page.status, 200, "{here}");
            found.extend(listed(&page).into_iter().map(str::to_owned));
            path = next(&page);
        }
        if backwards {
            found.reverse();
        }
        assert!(found == *expected, "{order}: {found:?}");
    }
    let wrong = ada.get("/peers?order=name&cursor=aWQ6Nw").await;
    assert_eq!(
        wrong.status, 422,
        "a place in another order is none in this"
    );
}

#[tokio::test]
async fn a_tag_is_a_way_to_those_that_have_it_and_rows_have_the_room_that_was_chosen() {
    let (stage, mut ada) = with_peers(3).await;
    stage
        .sql("UPDATE peers SET tags = '{lab,\"second floor\"}' WHERE id = 2")
        .await;

    let all = ada.get("/peers").await;
    assert!(all.has("href=\"/peers?tag=second+floor\""), "{}", all.text);
    let tagged = ada.get("/peers?tag=second+floor").await;
    assert_eq!(listed(&tagged).len(), 1);
    assert_eq!(listed(&ada.get("/peers?tag=second").await).len(), 0);

    assert!(all.has("data-density=\"compact\""));
    let roomy = ada.get("/peers?density=comfortable").await;
    assert!(roomy.has("data-density=\"comfortable\""));
    let later = ada.get("/peers/rows").await;
    assert!(later.has("data-density=\"comfortable\""), "it is kept");
}

//! Many peers at once: ticked or all that match, looked at first, exported, imported.

use std::collections::BTreeSet;

use serde_json::json;

use super::{DISABLED, PEERS, csrf, field, with_peers};
use crate::stage::{key, peer};

#[tokio::test]
async fn those_that_are_ticked_are_disabled_after_a_page_that_says_so_and_no_others() {
    let (stage, mut ada) = with_peers(3).await;
    let list = ada.get("/peers").await;
    let ticked = [
        csrf(&list, "/peers/bulk"),
        field("do", "disable"),
        field("id", 1),
        field("id", 3),
        field("id", 99),
    ];

    let preview = ada.post("/peers/bulk", &ticked).await;

    assert!(
        preview.has("Disable 2 peers?") && preview.has("1 node is told."),
        "{}",
        preview.text
    );
    assert_eq!(stage.count(DISABLED).await, 0);
    let done = ada.send(&preview, "/peers/bulk/run", &[]).await;
    assert!(done.has("2 of 2 peers changed"), "{}", done.text);
    let disabled = "SELECT count(*) FROM peers WHERE NOT enabled AND id IN (1, 3)";
    assert_eq!(
        (stage.count(DISABLED).await, stage.count(disabled).await),
        (2, 2)
    );
    let logged = "SELECT count(*) FROM audit_log WHERE action = 'peer.disable_many' AND after LIKE '%[1,3]%' AND actor = 'ada'";
    assert_eq!(stage.count(logged).await, 1);
    let waiting = "SELECT count(*) FROM placements JOIN interfaces ON interfaces.id = interface_id
        WHERE peer_id IN (1, 3) AND generation = desired_generation";
    assert_eq!(stage.count(waiting).await, 2);
}

#[tokio::test]
async fn more_than_25_need_their_number_written_and_another_number_of_them_is_looked_at_again() {
    let (stage, mut ada) = with_peers(26).await;
    let list = ada.get("/peers?q=peer").await;
    let all = [
        csrf(&list, "/peers/bulk"),
        field("do", "delete"),
        field("id", 1),
        field("scope", "all"),
        field("q", "peer"),
    ];
    let preview = ada.post("/peers/bulk", &all).await;
    assert!(preview.has("Delete 26 peers?") && preview.has("Type 26 to confirm"));

    let unsure = ada.send(&preview, "/peers/bulk/run", &[]).await;
    let wrong = ada
        .send(&preview, "/peers/bulk/run", &[("confirm", "25")])
        .await;
    assert_eq!((unsure.status, wrong.status), (422, 422));
    assert_eq!(stage.count(PEERS).await, 26);

    stage.api.post("/peers", peer(27)).await.ok();
    let moved = ada
        .send(&preview, "/peers/bulk/run", &[("confirm", "26")])
        .await;
    assert_eq!(moved.status, 422);
    assert!(moved.has("changed meanwhile") && moved.has("Type 27 to confirm"));
    assert_eq!(stage.count(PEERS).await, 27);

    let done = ada
        .send(&moved, "/peers/bulk/run", &[("confirm", "27")])
        .await;
    assert!(done.has("27 of 27 peers changed"));
    assert_eq!(stage.count(PEERS).await, 0);
    assert_eq!(stage.count("SELECT count(*) FROM departures").await, 27);
    assert_eq!(stage.count("SELECT count(*) FROM retired_keys").await, 27);
    assert_eq!(
        stage.count("SELECT placed::bigint FROM interfaces").await,
        0
    );
}

#[tokio::test]
async fn a_tag_is_given_and_taken_and_one_that_is_none_changes_nothing() {
    let (stage, mut ada) = with_peers(3).await;
    let tagged = "SELECT count(*) FROM peers WHERE tags = '{lab}'";
    let list = ada.get("/peers").await;
    let chosen = |act: &str| {
        [
            csrf(&list, "/peers/bulk"),
            field("do", act),
            field("id", 1),
            field("id", 2),
        ]
    };

    let preview = ada.post("/peers/bulk", &chosen("tag")).await;
    let refused = ada
        .send(&preview, "/peers/bulk/run", &[("new_tag", "a,b")])
        .await;
    assert_eq!(refused.status, 422);
    assert!(refused.has("id=\"e-new_tag\"") && refused.has("value=\"a,b\""));
    assert_eq!(
        stage
            .count("SELECT count(*) FROM peers WHERE tags <> '{}'")
            .await,
        0
    );

    ada.send(&refused, "/peers/bulk/run", &[("new_tag", "lab")])
        .await;
    assert_eq!(stage.count(tagged).await, 2);
    let again = ada
        .send(&preview, "/peers/bulk/run", &[("new_tag", "lab")])
        .await;
    assert!(again.has("0 of 2 peers changed"));
    let preview = ada.post("/peers/bulk", &chosen("untag")).await;
    ada.send(&preview, "/peers/bulk/run", &[("new_tag", "lab")])
        .await;
    assert_eq!(stage.count(tagged).await, 0);
}

#[tokio::test]
async fn of_those_with_a_tag_all_get_another_one_and_both_stand_in_fields_of_their_own() {
    let (stage, mut ada) = with_peers(3).await;
    stage
        .sql("UPDATE peers SET tags = '{old}' WHERE id < 3")
        .await;
    let list = ada.get("/peers?tag=old").await;
    let all = [
        csrf(&list, "/peers/bulk"),
        field("do", "tag"),
        field("scope", "all"),
        field("tag", "old"),
    ];

    let preview = ada.post("/peers/bulk", &all).await;
    let form = preview.form("/peers/bulk/run");
    let names: BTreeSet<&String> = form.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), form.len(), "{form:?}");
    let new = [("new_tag", "lab")];
    let done = ada.send(&preview, "/peers/bulk/run", &new).await;

    assert!(done.has("2 of 2 peers changed"), "{}", done.text);
    let both = "SELECT count(*) FROM peers WHERE tags = '{old,lab}'";
    assert_eq!(stage.count(both).await, 2);
}

#[tokio::test]
async fn more_than_can_be_changed_at_once_are_not_even_when_their_number_is_written() {
    let (stage, mut ada) = with_peers(0).await;
    stage
        .sql(
            "INSERT INTO peers (network_id, name, public_key)
             SELECT 1, 'p-' || n, encode(sha256(n::text::bytea), 'base64') FROM generate_series(1, 10001) AS n",
        )
        .await;
    let list = ada.get("/peers").await;
    let all = [
        csrf(&list, "/peers/bulk"),
        field("do", "disable"),
        field("scope", "all"),
    ];

    let preview = ada.post("/peers/bulk", &all).await;
    let number = [("confirm", "10001")];
    let refused = ada.send(&preview, "/peers/bulk/run", &number).await;

    assert_eq!(refused.status, 422);
    assert!(refused.has("More than 10,000 peers"), "{}", refused.text);
    assert_eq!(stage.count(DISABLED).await, 0);
}

#[tokio::test]
async fn an_export_holds_those_that_match_and_no_formula() {
    let (stage, mut eva) = with_peers(3).await;
    stage
        .sql("UPDATE peers SET tags = '{=1+1}' WHERE id = 2")
        .await;
    let list = eva.get("/peers").await;
    let chosen = |format: &str| {
        [
            csrf(&list, "/peers/bulk"),
            field("do", format),
            field("id", 2),
            field("id", 3),
        ]
    };

    let table = eva.post("/peers/bulk", &chosen("csv")).await;
    let lines = eva.post("/peers/bulk", &chosen("ndjson")).await;

    assert_eq!(table.headers["content-type"], "text/csv; charset=utf-8");
    let rows: Vec<&str> = table.text.lines().collect();
    assert_eq!(rows.len(), 3);
    assert!(rows[0].starts_with("id,name,public_key,") && rows[1].starts_with("2,peer-2,"));
    assert!(rows[1].contains("\"'=1+1\"") && rows[2].contains("10.8.0.3"));
    let names: Vec<String> = lines
        .text
        .lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            row["name"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(names, ["peer-2", "peer-3"]);
}

#[tokio::test]
async fn an_import_makes_all_or_tells_of_every_row_that_is_wrong() {
    let (stage, mut ada) = with_peers(1).await;
    let form = ada.get("/peers/import").await;
    let wrong = format!(
        "name,network,public_key\nx,nowhere,{}\nbad name,office,{}\nz,office,\n",
        key(5),
        key(6)
    );
    let taken = format!(
        "name,network,public_key\nfree,office,{}\npeer-1,office,{}\n",
        key(5),
        key(6)
    );
    let right = format!(
        "name,network,public_key,tags\na,office,{},\"lab, x\"\nb,office,{},\n",
        key(5),
        key(6)
    );

    let keyless = ada
        .send(&form, "/peers/import", &[("rows", wrong.as_str())])
        .await;
    let unknown = ada
        .send(
            &form,
            "/peers/import",
            &[("rows", wrong.replace("z,office,\n", "").as_str())],
        )
        .await;
    let clash = ada
        .send(&form, "/peers/import", &[("rows", taken.as_str())])
        .await;

    assert_eq!(
        (keyless.status, unknown.status, clash.status),
        (422, 422, 422)
    );
    assert!(
        keyless.has("<th scope=\"row\" class=\"num\">3</th>"),
        "{}",
        keyless.text
    );
    assert!(
        unknown.has("2 rows are wrong") && unknown.has("nowhere"),
        "{}",
        unknown.text
    );
    assert!(clash.has("<th scope=\"row\" class=\"num\">2</th>") && clash.has("free,office"));
    assert_eq!(stage.count(PEERS).await, 1);

    let done = ada
        .send(&clash, "/peers/import", &[("rows", right.as_str())])
        .await;
    assert!(done.has("2 peers were made"), "{}", done.text);
    assert_eq!(
        stage.api.get("/peers/2").await.ok()["tags"],
        json!(["lab", "x"])
    );
    let lines = format!(
        "{{\"name\":\"c\",\"network\":\"office\",\"public_key\":\"{}\"}}",
        key(8)
    );
    ada.send(&form, "/peers/import", &[("rows", lines.as_str())])
        .await;
    assert_eq!(stage.count(PEERS).await, 4);
}

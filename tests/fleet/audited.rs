//! The audit log over the API: nothing is changed or refused without a row, and the chain can be walked.

use controller::domain::role::Scope;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::stage::{Running, writes};

/// The newest row: actor, action, object, outcome and the reason or what became.
type Row = (String, String, String, String, Option<String>);

async fn newest(pool: &PgPool) -> Row {
    sqlx::query_as(
        "SELECT actor, action, object, outcome, after FROM audit_log ORDER BY seq DESC LIMIT 1",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

async fn rows(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM audit_log")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// A log of a few rows.
async fn with_rows() -> Running {
    let stage = Running::start().await;
    for (name, prefix) in [("one", "10.1.0.0/16"), ("two", "10.2.0.0/16")] {
        let draft = json!({"name": name, "cidr_v4": prefix});
        stage.api.post("/networks", draft).await.ok();
    }
    stage.api.delete("/networks/1").await.ok();
    stage.api.delete("/networks/1").await.refused(404);
    stage
}

#[tokio::test]
async fn every_operation_that_changes_something_leaves_a_row_even_if_refused() {
    let stage = Running::start().await;
    let pool = stage.rows();

    for operation in writes() {
        let before = rows(pool).await;
        let path = operation.path("999999");

        let answer = stage
            .api
            .call(operation.method.clone(), &path, Some(json!({})), &[])
            .await;

        assert!(answer.status >= 400, "{operation:?}: {}", answer.text);
        assert_eq!(rows(pool).await, before + 1, "{operation:?}");
        let (actor, action, object, outcome, reason) = newest(pool).await;
        assert_eq!(actor, stage.api.key_id);
        assert_eq!(action, operation.named());
        assert_eq!(object, path[1..]);
        assert_eq!(outcome, "refused", "{}", answer.text);
        assert_eq!(reason.as_deref(), answer.json()["code"].as_str());
    }
}

#[tokio::test]
async fn a_denied_call_is_on_record_with_who_tried() {
    let stage = Running::start().await;
    let reader = stage.caller(Scope::Read).await;

    reader.delete("/networks/1").await.refused(403);

    let row = newest(stage.rows()).await;
    let expected = [
        &reader.key_id,
        "DELETE /api/v1/networks/{id}",
        "/api/v1/networks/1",
        "refused",
    ];
    assert_eq!([&row.0, row.1.as_str(), &row.2, &row.3], expected);
    assert_eq!(row.4.as_deref(), Some("not_permitted"));
}

#[tokio::test]
async fn pages_of_the_log_go_back_in_time_and_are_filtered() {
    let stage = with_rows().await;
    let items = async |query: &str| {
        let page = stage.api.get(&format!("/audit?{query}")).await.ok();
        page["items"].as_array().unwrap().clone()
    };
    let seqs = |items: &[Value]| -> Vec<i64> {
        items
            .iter()
            .map(|item| item["seq"].as_i64().unwrap())
            .collect()
    };

    let first = stage.api.get("/audit?limit=3").await.ok();
    let next = first["next"].as_str().unwrap();
    let rest = stage
        .api
        .get(&format!("/audit?limit=3&cursor={next}"))
        .await
        .ok();
    assert_eq!(seqs(first["items"].as_array().unwrap()), [4, 3, 2]);
    assert_eq!(seqs(rest["items"].as_array().unwrap()), [1]);
    assert_eq!(rest.get("next"), None);

    assert_eq!(seqs(&items("action=network.create").await), [2, 1]);
    assert_eq!(seqs(&items("action=network.").await), [3, 2, 1]);
    assert_eq!(seqs(&items("object=network/1").await), [3, 1]);
    assert_eq!(seqs(&items("outcome=refused").await), [4]);
    assert_eq!(
        seqs(&items(&format!("actor={}", stage.api.key_id)).await).len(),
        4
    );
    assert_eq!(seqs(&items("actor=nobody").await), [0; 0]);
    let at = items("object=network/2").await[0]["at"]
        .as_str()
        .unwrap()
        .to_owned();
    let at = at.replace('+', "%2B");
    assert_eq!(seqs(&items(&format!("from={at}")).await), [4, 3, 2]);
    assert_eq!(seqs(&items(&format!("until={at}")).await), [1]);

    let refused = &items("outcome=refused").await[0];
    assert_eq!(
        (&refused["reason"], &refused["after"]),
        (&json!("not_found"), &Value::Null)
    );
    assert_eq!(items("object=network/2").await[0]["after"]["name"], "two");
    for query in [
        "limit=0",
        "outcome=lost",
        "from=yesterday",
        "actor=%00",
        "what=ever",
    ] {
        let answer = stage.api.get(&format!("/audit?{query}")).await;
        assert!([400, 422].contains(&answer.status), "{query}: {answer:?}");
    }
}

#[tokio::test]
async fn the_export_is_the_whole_chain_in_parts() {
    let stage = with_rows().await;

    let mut lines: Vec<Value> = Vec::new();
    loop {
        let after = lines.last().map_or(0, |line| line["seq"].as_i64().unwrap());
        let part = stage
            .api
            .get(&format!("/audit/export?after={after}&limit=3"))
            .await;
        assert_eq!(part.status, 200, "{}", part.text);
        assert_eq!(part.header("content-type"), Some("application/x-ndjson"));
        if part.text.is_empty() {
            break;
        }
        assert!(part.text.ends_with('\n'));
        let read = part
            .text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        lines.extend(read.collect::<Vec<Value>>());
    }

    assert_eq!(lines.len(), 4);
    let mut hash = "00".repeat(32);
    for line in &lines {
        assert_eq!(line["prev_hash"], hash.as_str());
        hash = line["hash"].as_str().unwrap().to_owned();
    }
    let verified = stage.api.get("/audit/verification").await.ok();
    assert_eq!(verified["head"], json!({"seq": 4, "hash": hash}));
    assert_eq!(
        (&verified["ok"], &verified["rows"]),
        (&json!(true), &json!(4))
    );
    stage.api.get("/audit/export?limit=0").await.refused(400);
    stage.api.get("/audit/export?after=-1").await.refused(400);
}

#[tokio::test]
async fn a_row_that_somebody_edited_is_named() {
    let stage = with_rows().await;
    let tamper = "
        ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only;
        UPDATE audit_log SET actor = 'somebody' WHERE seq = 2;
        ALTER TABLE audit_log ENABLE TRIGGER audit_log_append_only;";
    sqlx::raw_sql(tamper).execute(stage.rows()).await.unwrap();

    let verified = stage.api.get("/audit/verification").await.ok();

    assert_eq!(
        (&verified["ok"], &verified["rows"]),
        (&json!(false), &json!(1))
    );
    assert_eq!(verified["broken"]["seq"], 2);
    assert_eq!(
        verified["broken"]["why"],
        "audit row 2 does not have the content that its hash covers"
    );
}

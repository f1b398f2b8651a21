//! Webhooks made, changed and deleted, by those who may.

use std::time::Duration;

use controller::domain::role::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use super::{delivered, deliveries, happen, is_believed, start, taking, tell, times, url};
use protocol::signing::Secret;

#[tokio::test]
async fn a_secret_is_shown_once_and_written_nowhere() {
    let stage = start().await;
    let api = &stage.api;
    let draft = json!({"name": "one", "url": "http://localhost:9/token-in-path"});
    let made = api.post("/webhooks", draft).await.ok();
    let secret = made["secret"].as_str().unwrap().to_owned();
    let webhook = format!("/webhooks/{}", made["id"]);

    let mut shown = vec![
        api.get("/webhooks").await.text,
        api.get(&webhook).await.text,
    ];
    shown.push(api.patch(&webhook, json!({"enabled": false})).await.text);
    let given = "a secret of the receiver's own choice";
    let changed = api.patch(&webhook, json!({"secret": given})).await;
    assert_eq!(changed.status, 200);
    shown.push(changed.text);
    let draft = json!({"name": "two", "url": "http://localhost:9/", "secret": given});
    shown.push(api.post("/webhooks", draft).await.text);
    let written = "SELECT coalesce(string_agg(concat(before, after), ''), '') FROM audit_log";
    let audit: String = sqlx::query_scalar(written)
        .fetch_one(&stage.fleet.pool)
        .await
        .unwrap();
    shown.extend([audit, api.get("/events?limit=500").await.text]);

    for text in &shown {
        assert!(!text.contains(&secret) && !text.contains(given), "{text}");
        assert!(!text.contains("\"secret\""), "{text}");
    }
    // The address may hold a token, and is shown to those alone who administer.
    assert!(!shown[5].contains("token-in-path") && !shown[6].contains("token-in-path"));
}

#[tokio::test]
async fn a_new_secret_signs_from_the_next_delivery_on() {
    let stage = start().await;
    let receiver = taking();
    let (webhook, first) = tell(&stage.api, "one", &url(&receiver)).await;
    happen(&stage.api, 1, 1).await;
    delivered(&stage.api, &webhook, 1).await;
    let second = "a secret of the receiver's own choice";

    stage
        .api
        .patch(&webhook, json!({"secret": second}))
        .await
        .ok();
    happen(&stage.api, 2, 1).await;
    delivered(&stage.api, &webhook, 2).await;

    let second = Secret::parse(second).unwrap();
    let seen = receiver.seen();
    assert!(is_believed(&seen[0], &first) && is_believed(&seen[1], &second));
    assert!(!is_believed(&seen[1], &first));
}

#[tokio::test]
async fn what_happens_while_a_webhook_is_off_it_is_not_told() {
    let stage = start().await;
    let receiver = taking();
    let (webhook, _) = tell(&stage.api, "off", &url(&receiver)).await;
    stage
        .api
        .patch(&webhook, json!({"enabled": false}))
        .await
        .ok();
    happen(&stage.api, 1, 3).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(deliveries(&stage.api, &webhook).await, [Value::Null; 0]);

    stage
        .api
        .patch(&webhook, json!({"enabled": true}))
        .await
        .ok();
    happen(&stage.api, 4, 1).await;
    delivered(&stage.api, &webhook, 1).await;

    assert_eq!(receiver.seen().len(), 1);
}

#[tokio::test]
async fn a_delivery_that_succeeded_is_sent_again_only_when_somebody_asks() {
    let stage = start().await;
    let (receiver, other) = (taking(), taking());
    let (webhook, secret) = tell(&stage.api, "one", &url(&receiver)).await;
    let (another, _) = tell(&stage.api, "two", &url(&other)).await;
    happen(&stage.api, 1, 1).await;
    delivered(&stage.api, &webhook, 1).await;
    let id = deliveries(&stage.api, &webhook).await[0]["id"].clone();

    let of_another = format!("{another}/deliveries/{id}/replay");
    let refused = stage.api.post(&of_another, json!({})).await;
    assert_eq!(refused.refused(404), "not_found");
    let again = format!("{webhook}/deliveries/{id}/replay");
    let tried = stage
        .api
        .post(&format!("{again}?dry_run=true"), json!({}))
        .await;
    assert_eq!(tried.status, 202);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(receiver.seen().len(), 1);
    stage.api.post(&again, json!({})).await.ok();
    delivered(&stage.api, &webhook, 1).await;

    assert_eq!(times(&receiver).into_values().collect::<Vec<_>>(), [2]);
    let seen = receiver.seen();
    assert_eq!(seen[0].body, seen[1].body);
    assert!(is_believed(&seen[1], &secret));
}

#[tokio::test]
async fn an_address_that_cannot_be_called_is_refused_and_makes_nothing() {
    let stage = start().await;
    let api = &stage.api;
    for url in [
        "ftp://a/",
        "http://me:secret@a/",
        "http://a/#b",
        "nowhere",
        "file:///etc/passwd",
    ] {
        let draft = json!({"name": "one", "url": url, "kinds": ["A B"]});
        let refused = api.post("/webhooks", draft).await;
        assert!(
            refused.text.contains("url ") && refused.text.contains("kinds "),
            "{}",
            refused.text
        );
        assert_eq!(refused.refused(422), "invalid_fields", "{url}");
    }
    assert_eq!(api.get("/webhooks").await.ok()["items"], json!([]));

    let draft = json!({"name": "one", "url": "http://localhost/"});
    let made = api.post("/webhooks", draft.clone()).await.ok();
    assert_eq!(
        api.post("/webhooks", draft).await.refused(409),
        "name_taken"
    );
    let webhook = format!("/webhooks/{}", made["id"]);
    assert_eq!(
        api.patch(&webhook, json!({"url": "nowhere"}))
            .await
            .refused(422),
        "invalid_fields"
    );
    assert_eq!(api.get(&webhook).await.ok()["url"], "http://localhost/");
    assert_eq!(api.delete(&webhook).await.status, 204);
    assert_eq!(api.get(&webhook).await.refused(404), "not_found");
}

#[tokio::test]
async fn only_who_administers_sees_or_changes_webhooks() {
    let stage = start().await;
    let receiver = taking();
    let (webhook, _) = tell(&stage.api, "one", &url(&receiver)).await;
    happen(&stage.api, 1, 1).await;
    delivered(&stage.api, &webhook, 1).await;
    let id = deliveries(&stage.api, &webhook).await[0]["id"].clone();
    let caller = stage.caller(Scope::Write).await;

    let draft = json!({"name": "two", "url": "http://localhost/"});
    for (method, path, body) in [
        (Method::GET, "/webhooks".to_owned(), None),
        (Method::POST, "/webhooks".to_owned(), Some(draft)),
        (Method::GET, webhook.clone(), None),
        (
            Method::PATCH,
            webhook.clone(),
            Some(json!({"enabled": false})),
        ),
        (Method::DELETE, webhook.clone(), None),
        (Method::GET, format!("{webhook}/deliveries"), None),
        (Method::GET, format!("{webhook}/deliveries/{id}"), None),
        (
            Method::POST,
            format!("{webhook}/deliveries/{id}/replay"),
            Some(json!({})),
        ),
    ] {
        let answer = caller.call(method, &path, body, &[]).await;
        assert_eq!(answer.refused(403), "not_permitted", "{path}");
    }

    let webhooks = stage.api.get("/webhooks").await.ok();
    assert_eq!(webhooks["items"].as_array().unwrap().len(), 1);
    assert_eq!(webhooks["items"][0]["enabled"], true);
    assert_eq!(receiver.seen().len(), 1);
}

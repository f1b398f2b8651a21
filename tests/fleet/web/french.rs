//! What goes wrong is told in the language of whoever reads it, beside the field that it is about.

use controller::domain::role::Role;
use serde_json::json;

use crate::stage::{Page, Running, Visitor};

/// What stands beside a field.
fn beside<'a>(page: &'a Page, field: &str) -> &'a str {
    let from = format!("id=\"e-{field}\" role=\"alert\">");
    let rest = page.text.split_once(&from);
    let (_, rest) = rest.unwrap_or_else(|| panic!("nothing beside {field}: {}", page.text));
    rest.split_once('<').unwrap().0
}

#[tokio::test]
async fn mistakes_and_refusals_are_told_in_french_with_their_facts_and_nothing_is_made() {
    let stage = Running::start().await;
    let network = json!({"name": "office", "cidr_v4": "10.8.0.0/24"});
    stage.api.post("/networks", network).await.ok();
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    ada.language = "fr";
    let form = ada.get("/networks/new").await;

    let bits = [("name", "no name"), ("cidr_v4", "10.9.0.1/24")];
    let wrong = ada.send(&form, "/networks", &bits).await;
    let overlap = [("name", "lab"), ("cidr_v4", "10.8.0.128/25")];
    let overlapping = ada.send(&form, "/networks", &overlap).await;
    let nowhere = ada.get("/networks/99").await;
    let form = ada.get("/nodes/new").await;
    let node = [
        ("name", "fra-1"),
        ("agent_url", "http://127.0.0.1:8"),
        ("secret", "short"),
        ("weight", "many"),
    ];
    let worded = ada.send(&form, "/nodes", &node).await;
    let short = ada
        .send(
            &form,
            "/nodes",
            &[&node[..3], &[("weight", "1001")]].concat(),
        )
        .await;

    assert!(beside(&wrong, "name").starts_with("n’est pas un nom d’hôte"));
    let prefix = beside(&wrong, "cidr_v4");
    assert!(
        prefix.contains("le préfixe") && prefix.contains("10.9.0.0/24"),
        "{prefix}"
    );
    let told = "10.8.0.128/25 chevauche 10.8.0.0/24 du réseau office.";
    assert!(
        overlapping.status == 422 && overlapping.has(told),
        "{}",
        overlapping.text
    );
    assert_eq!(nowhere.status, 404);
    assert!(nowhere.has("Il n’y a rien ici") && !nowhere.has("there is no"));
    assert_eq!(beside(&worded, "weight"), "n’est pas un nombre entier");
    assert_eq!(beside(&short, "secret"), "a moins de 32 octets");
    assert_eq!(
        stage.api.get("/networks").await.ok()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        stage.api.get("/nodes").await.ok()["items"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
}

#[tokio::test]
async fn each_row_of_an_import_and_a_key_that_is_taken_are_told_in_french() {
    let stage = Running::start().await;
    let network = json!({"name": "office", "cidr_v4": "10.8.0.0/24"});
    stage.api.post("/networks", network).await.ok();
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    ada.language = "fr";

    let form = ada.get("/peers/import").await;
    let rows = "name,network,public_key\nno name,office,abc\n";
    let refused = ada.send(&form, "/peers/import", &[("rows", rows)]).await;

    assert_eq!(refused.status, 422);
    assert!(
        refused.has("n’est pas une clé WireGuard"),
        "{}",
        refused.text
    );
    assert!(refused.has("n’est pas un nom DNS"), "{}", refused.text);
    assert_eq!(stage.count("SELECT count(*) FROM peers").await, 0);
}

#[tokio::test]
async fn what_a_test_of_a_connection_finds_and_what_a_form_cannot_hold_is_told_in_french() {
    let stage = Running::start().await;
    let network = json!({"name": "office", "cidr_v4": "10.8.0.0/24"});
    stage.api.post("/networks", network).await.ok();
    let mut ada = Visitor::signed_in(&stage, "ada", Role::Admin).await;
    ada.language = "fr";
    let form = ada.get("/nodes/new").await;
    let node = [
        ("name", "fra-1"),
        ("agent_url", "http://127.0.0.1:1"),
        ("secret", "0123456789abcdef0123456789abcdef"),
        ("interface.name", "wg0"),
    ];

    let mut filled = form.form("/nodes");
    filled.retain(|(name, _)| node.iter().all(|(other, _)| other != name));
    filled.extend(node.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let tested = ada.post("/nodes/test", &filled).await;
    let large = [&node[..], &[("weight", "5000000000")]].concat();
    let large = ada.send(&form, "/nodes", &large).await;
    let strange = [&node[..], &[("interface.drift_policy", "destroy")]].concat();
    let strange = ada.send(&form, "/nodes", &strange).await;

    let refused = "L’agent est injoignable : la connexion a été refusée (";
    assert!(tested.has(refused), "{}", tested.text);
    assert!(tested.has("Cela n’a pas pu être examiné"));
    assert!(!tested.has("cannot be reached") && !tested.has("could not be looked at"));
    let beyond = "est un nombre au-delà de ce que ce champ peut contenir";
    assert_eq!((large.status, beside(&large, "weight")), (422, beyond));
    assert_eq!(strange.status, 422);
    let none = "interface.drift_policy n’est aucun de report, adopt, enforce";
    assert!(strange.has(none), "{}", strange.text);
    assert_eq!(stage.count("SELECT count(*) FROM nodes").await, 0);
}

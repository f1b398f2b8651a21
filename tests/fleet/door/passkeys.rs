//! Passkeys, made and used by an authenticator of the tests: what it signs is signed for real.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use controller::domain::ids::UserId;
use controller::domain::role::Role;
use controller::fleet::FleetError;
use controller::fleet::factors::{list, remove_passkey};
use controller::fleet::sign_in::passkeys::{
    begin, begin_registration, finish, finish_registration,
};
use controller::fleet::sign_in::{Denied, SignInError};
use controller::fleet::users::{Change, audited};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Browser, call, denied, log, user};
use crate::stage::Running;

const ORIGIN: &str = "http://localhost:8000";

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A device with one passkey.
struct Device {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    handle: String,
    counter: u32,
    origin: &'static str,
}

impl Device {
    fn new() -> Self {
        Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            id: controller::random::bytes::<16>().to_vec(),
            handle: String::new(),
            counter: 1,
            origin: ORIGIN,
        }
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = &options["publicKey"]["challenge"];
        json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false})
            .to_string()
            .into_bytes()
    }

    /// Whose site it is, that somebody was there and verified themselves, and how often it signed.
    fn data(&self, flags: u8) -> Vec<u8> {
        let mut data = Sha256::digest("localhost").to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// What `navigator.credentials.create` gives.
    fn create(&mut self, options: &Value) -> String {
        self.handle = options["publicKey"]["user"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let point = self.key.public_key().as_ref();
        let mut data = self.data(0x45);
        data.extend([0; 16]);
        data.extend([0, 16]);
        data.extend(&self.id);
        // COSE: EC2, ES256, P-256, x, y.
        data.extend([0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 32]);
        data.extend(&point[33..65]);
        let mut attestation = vec![0xa3, 0x63];
        attestation.extend(b"fmt\x64none\x67attStmt\xa0\x68authData\x58");
        attestation.push(u8::try_from(data.len()).unwrap());
        attestation.extend(data);
        json!({
            "id": b64(&self.id), "rawId": b64(&self.id), "type": "public-key", "extensions": {},
            "response": {
                "attestationObject": b64(&attestation),
                "clientDataJSON": b64(&self.client_data("webauthn.create", options)),
            },
        })
        .to_string()
    }

    /// What `navigator.credentials.get` gives.
    fn get(&mut self, options: &Value) -> String {
        self.counter += 1;
        let client = self.client_data("webauthn.get", options);
        let data = self.data(0x05);
        let signed = [data.as_slice(), &Sha256::digest(&client)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": b64(&self.id), "rawId": b64(&self.id), "type": "public-key", "extensions": {},
            "response": {
                "authenticatorData": b64(&data), "clientDataJSON": b64(&client),
                "signature": b64(signature.as_ref()), "userHandle": self.handle,
            },
        })
        .to_string()
    }
}

async fn registered(stage: &Running, user: UserId) -> Device {
    let fleet = &stage.fleet;
    let browser = Browser::at("192.0.2.7");
    let mut device = Device::new();
    let options = begin_registration(fleet, &browser.visitor(), user)
        .await
        .unwrap();
    let answer = device.create(&options);
    finish_registration(
        fleet,
        &call("ada"),
        &browser.visitor(),
        user,
        "phone",
        &answer,
    )
    .await
    .unwrap();
    device
}

#[tokio::test]
async fn a_passkey_is_a_way_in_by_itself() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    let ada = user(fleet, "ada", Role::Admin).await;
    let mut device = registered(&stage, ada.id).await;
    let shown = list(fleet, ada.id).await.unwrap().passkeys;
    assert_eq!((shown.len(), shown[0].name.as_str()), (1, "phone"));
    let browser = Browser::at("192.0.2.8");

    let options = begin(fleet, &browser.visitor()).await.unwrap();
    assert_eq!(options["publicKey"]["userVerification"], "required");
    let begun = finish(fleet, &browser.visitor(), &device.get(&options))
        .await
        .unwrap();

    assert_eq!(begun.user, ada.id);
    let rows = log(&stage).await;
    assert!(rows[0][4].contains("\"method\":\"passkey\""), "{rows:?}");
    let used = list(fleet, ada.id).await.unwrap().passkeys;
    assert!(used[0].last_used_at.is_some());
}

#[tokio::test]
async fn an_answer_is_good_once_in_one_browser_for_this_site() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    let ada = user(fleet, "ada", Role::Admin).await;
    let mut device = registered(&stage, ada.id).await;
    let [browser, other] = [Browser::at("192.0.2.8"), Browser::at("192.0.2.9")];

    let options = begin(fleet, &browser.visitor()).await.unwrap();
    let answer = device.get(&options);
    let elsewhere = finish(fleet, &other.visitor(), &answer).await;
    assert_eq!(denied(elsewhere), Denied::Expired);
    finish(fleet, &browser.visitor(), &answer).await.unwrap();
    let replayed = finish(fleet, &browser.visitor(), &answer).await;
    assert_eq!(denied(replayed), Denied::Expired);
    let options = begin(fleet, &browser.visitor()).await.unwrap();
    let replayed = finish(fleet, &browser.visitor(), &answer).await;
    assert_eq!(denied(replayed), Denied::WrongPasskey);

    device.origin = "http://localhost.evil.example";
    let options_again = begin(fleet, &other.visitor()).await.unwrap();
    assert_ne!(options, options_again);
    let phished = finish(fleet, &other.visitor(), &device.get(&options_again)).await;
    assert_eq!(denied(phished), Denied::WrongPasskey);
    assert_eq!(stage.count("SELECT count(*) FROM sessions").await, 1);
}

#[tokio::test]
async fn a_device_that_is_not_known_a_forged_signature_and_a_disabled_user_stay_outside() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    user(fleet, "root", Role::Admin).await;
    let ada = user(fleet, "ada", Role::Operator).await;
    let mut device = registered(&stage, ada.id).await;
    let browser = Browser::at("192.0.2.8");
    let tries = async |device: &mut Device| {
        let options = begin(fleet, &browser.visitor()).await.unwrap();
        let answer = device.get(&options);
        denied(finish(fleet, &browser.visitor(), &answer).await)
    };

    let mut stranger = Device::new();
    stranger.handle.clone_from(&device.handle);
    assert_eq!(tries(&mut stranger).await, Denied::WrongPasskey);
    stranger.id.clone_from(&device.id);
    assert_eq!(
        tries(&mut stranger).await,
        Denied::WrongPasskey,
        "another key"
    );
    let disabled = Change {
        enabled: Some(false),
        ..Change::default()
    };
    audited::change(&fleet.pool, &call("root"), ada.id, disabled)
        .await
        .unwrap();
    assert_eq!(tries(&mut device).await, Denied::WrongPasskey);
    assert_eq!(stage.count("SELECT count(*) FROM sessions").await, 0);
}

#[tokio::test]
async fn a_copy_of_a_device_is_noticed_by_its_counter() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    let ada = user(fleet, "ada", Role::Admin).await;
    let mut device = registered(&stage, ada.id).await;
    let browser = Browser::at("192.0.2.8");
    device.counter = 40;
    let options = begin(fleet, &browser.visitor()).await.unwrap();
    finish(fleet, &browser.visitor(), &device.get(&options))
        .await
        .unwrap();

    device.counter = 10;
    let options = begin(fleet, &browser.visitor()).await.unwrap();
    let copied = finish(fleet, &browser.visitor(), &device.get(&options)).await;

    assert_eq!(denied(copied), Denied::WrongPasskey);
}

#[tokio::test]
async fn a_passkey_belongs_to_whoever_made_it_and_goes_when_they_say_so() {
    let stage = Running::start().await;
    let fleet = &stage.fleet;
    let ada = user(fleet, "ada", Role::Admin).await;
    let ben = user(fleet, "ben", Role::Viewer).await;
    let mut device = registered(&stage, ada.id).await;
    let browser = Browser::at("192.0.2.7");

    let options = begin_registration(fleet, &browser.visitor(), ben.id)
        .await
        .unwrap();
    let answer = device.create(&options);
    let taken = finish_registration(
        fleet,
        &call("ben"),
        &browser.visitor(),
        ben.id,
        "stolen",
        &answer,
    )
    .await;
    assert!(matches!(
        taken,
        Err(SignInError::Fault(FleetError::Refused(_)))
    ));
    let options = begin_registration(fleet, &browser.visitor(), ben.id)
        .await
        .unwrap();
    let answer = Device::new().create(&options);
    let crossed = finish_registration(
        fleet,
        &call("ada"),
        &browser.visitor(),
        ada.id,
        "x",
        &answer,
    )
    .await;
    assert_eq!(denied(crossed), Denied::Expired);

    let id = list(fleet, ada.id).await.unwrap().passkeys[0].id;
    assert!(
        remove_passkey(fleet, &call("ben"), ben.id, id)
            .await
            .is_err()
    );
    remove_passkey(fleet, &call("ada"), ada.id, id)
        .await
        .unwrap();
    assert!(list(fleet, ada.id).await.unwrap().passkeys.is_empty());
}

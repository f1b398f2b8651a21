//! Signing and verifying against the HMAC itself, over the very bytes that the signature covers.

use std::hint::black_box;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use protocol::signing::{RawHeaders, Request, SignedHeaders};
use sha2::{Digest, Sha256};

use crate::http;
use crate::peers;
use crate::sample::{Extent, Samples};
use crate::table::{Table, Target};

const NONCE: &str = "bench-0123456789";
/// One is too short for the clock.
const PER_SAMPLE: u32 = 100;

pub(crate) fn measure(table: &mut Table, extent: Extent) {
    let secret = http::secret();
    let body = serde_json::to_vec(&peers::newcomer(1)).unwrap();
    let timestamp = http::now().to_string();
    let target = "/v1/wg/wg0/peers";
    let request = Request {
        method: "POST",
        target,
        body: &body,
        timestamp: &timestamp,
        nonce: Some(NONCE),
    };
    let sum = hex::encode(Sha256::digest(&body));
    let covered = format!("v2|POST|{target}|{sum}|{timestamp}|{NONCE}");
    let signature = request.sign(&secret).to_string();
    let headers = SignedHeaders::parse(RawHeaders {
        signature: &[signature.as_bytes()],
        timestamp: &[timestamp.as_bytes()],
        nonce: &[NONCE.as_bytes()],
        key_id: &[],
    })
    .unwrap();

    let mut samples = [(); 3].map(|()| Samples::default());
    for _ in 0..extent.signatures / PER_SAMPLE as usize {
        let [sign, verify, bare] = &mut samples;
        sign.push(each(|| {
            black_box(black_box(&request).sign(&secret));
        }));
        verify.push(each(|| {
            assert!(black_box(&headers).verifies(&secret, "POST", target, &body));
        }));
        bare.push(each(|| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).unwrap();
            mac.update(black_box(covered.as_bytes()));
            black_box(mac.finalize());
        }));
    }
    let [sign, verify, bare] = samples;
    let row = |table: &mut Table, what: &str, samples: &Samples| {
        table.percentiles(what, samples, &bare, [Target::None, Target::None]);
    };
    row(table, "signing a request against its HMAC", &sign);
    row(table, "verifying a request against its HMAC", &verify);
}

fn each(mut action: impl FnMut()) -> Duration {
    let began = Instant::now();
    for _ in 0..PER_SAMPLE {
        action();
    }
    began.elapsed() / PER_SAMPLE
}

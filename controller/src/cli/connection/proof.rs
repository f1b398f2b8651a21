//! Whether an answer is the controller's own: signed with the key's secret, and for this very request.

use protocol::signing::{Secret, Signature, verify_response};
use reqwest::header::{HeaderMap, HeaderValue};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    Signed,
    /// Somebody else's answer, or the controller's to a request that it did not believe.
    Absent,
    Wrong,
}

impl Proof {
    pub(super) fn of(
        headers: &HeaderMap,
        status: u16,
        body: &[u8],
        secret: &Secret,
        request: &Signature,
    ) -> Self {
        let all = |name: &str| -> Vec<&HeaderValue> { headers.get_all(name).iter().collect() };
        let (signature, timestamp) = match (&all("x-signature")[..], &all("x-timestamp")[..]) {
            ([], _) => return Self::Absent,
            ([signature], [timestamp]) => {
                (Signature::parse(signature.as_bytes()), timestamp.to_str())
            }
            _ => return Self::Wrong,
        };
        match (signature, timestamp) {
            (Some(signature), Ok(timestamp))
                if verify_response(secret, status, body, timestamp, request, &signature) =>
            {
                Self::Signed
            }
            _ => Self::Wrong,
        }
    }
}

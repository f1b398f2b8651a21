//! Clients of servers, some of which may speak HTTPS, on machines that may trust no authority at all.
//!
//! Such a machine calls over plain HTTP, or whom an authority of the fleet's own vouches for; that it trusts
//! nobody else is a line in the log and no failure. Nothing is ever believed for want of an authority.

use std::error::Error;

use reqwest::{Certificate, Client, ClientBuilder};

/// A client that believes the authorities of this machine and these. `callees` names in the log whom it calls.
pub(crate) fn client(
    callees: &str,
    builder: impl Fn() -> ClientBuilder,
    own: &[Certificate],
) -> Result<Client, reqwest::Error> {
    let own = || own.iter().cloned();
    builder().tls_certs_merge(own()).build().or_else(|err| {
        // Whatever else may be wrong is wrong with this one too.
        let client = builder().tls_certs_only(own()).build()?;
        tracing::warn!(
            error = &err as &dyn Error,
            "this machine trusts no authority: {callees} are called over plain HTTP alone"
        );
        Ok(client)
    })
}

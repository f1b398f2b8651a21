//! Turns away whoever connects from an address that may not, before anything is asked or answered.

use std::any::Any;
use std::net::IpAddr;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use protocol::Cidr;
use rustix::net::{Shutdown, shutdown};

/// On a connection that was turned away.
struct TurnedAway;

/// Tells whether a request came over a connection that was turned away.
///
/// What had arrived before the connection was shut down can still be read from it.
pub(crate) fn is_turned_away(request: &HttpRequest) -> bool {
    request.conn_data::<TurnedAway>().is_some()
}

/// Makes the check that the server runs on each new connection.
///
/// The server offers no way to refuse one, so it is shut down under it; the server then finds it at
/// its end and drops it. It is marked as well, so that nothing which was sent at once is done.
pub(crate) fn turn_away(
    allow_from: Vec<Cidr>,
) -> impl Fn(&dyn Any, &mut Extensions) + Send + Sync + Clone {
    move |connection, data| {
        let plain = connection.downcast_ref::<TcpStream>();
        let tls = || {
            connection
                .downcast_ref::<TlsStream<TcpStream>>()
                .map(|tls| tls.get_ref().0)
        };
        let Some(stream) = plain.or_else(tls) else {
            tracing::error!("turned away a connection of an unknown kind");
            data.insert(TurnedAway);
            return;
        };
        match stream.peer_addr() {
            Ok(from) if is_allowed(&allow_from, from.ip()) => return,
            Ok(from) => {
                tracing::warn!(from = %from.ip(), "turned away a connection from an address that may not connect");
            }
            // It is gone already.
            Err(_) => {}
        }
        data.insert(TurnedAway);
        close(stream);
    }
}

fn close(stream: &TcpStream) {
    if let Err(err) = shutdown(stream, Shutdown::Both) {
        tracing::debug!(
            error = &err as &dyn std::error::Error,
            "the connection was closed already"
        );
    }
}

/// A client that comes over IPv4 to an IPv6 socket is judged by its IPv4 address.
fn is_allowed(allow_from: &[Cidr], from: IpAddr) -> bool {
    let from = from.to_canonical();
    allow_from.iter().any(|range| range.contains(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_judged_by_the_ranges_that_may_connect() {
        let ranges = ["127.0.0.0/8", "2001:db8::/32"].map(|text| Cidr::parse(text).unwrap());

        for (from, allowed) in [
            ("127.9.9.9", true),
            ("::ffff:127.0.0.1", true),
            ("192.0.2.1", false),
            ("2001:db8::1", true),
            ("::1", false),
        ] {
            assert_eq!(
                is_allowed(&ranges, from.parse().unwrap()),
                allowed,
                "{from}"
            );
        }
        assert!(!is_allowed(&[], "127.0.0.1".parse().unwrap()));
    }
}

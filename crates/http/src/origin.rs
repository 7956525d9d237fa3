//! Where a request comes from: the client's address, and the scheme and host that it used.
//!
//! Proxies say so in `Forwarded` (RFC 7239) and in `X-Forwarded-For`, `-Proto` and `-Host`, and so can
//! anyone. What is written there is believed only as far as trusted proxies wrote it.

mod forwarded;
mod network;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};
use axum_server::tls::TlsInfo;

pub(crate) use self::forwarded::host;
use self::forwarded::{Hop, Said};
pub use self::network::{Network, NetworkError};
use crate::error::{self, ApiError};

/// Hops that are followed back; a longer way is cut there.
const HOPS_MAX: usize = 16;

/// Where a request comes from, as far as it can be believed. Every request has one, as
/// `Arc<Origin>` in its extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The client's address: the peer's, or what trusted proxies say. The address of the last of them
    /// where they hide it, none in tests without a connection.
    pub(crate) address: Option<IpAddr>,
    /// True where the client used TLS.
    pub(crate) is_secure: bool,
    /// The host, and the port where it is not the scheme's own, that the client asked for.
    pub(crate) host: Option<String>,
    /// True for a caller on this machine that no proxy speaks for.
    pub(crate) is_local: bool,
}

impl Origin {
    /// Reads a request's origin.
    pub(crate) fn of(request: &Request, trusted: &[Network]) -> Self {
        let headers = request.headers();
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical());
        let asked = headers.get(header::HOST).and_then(|value| value.to_str().ok());
        let asked = asked.or_else(|| request.uri().authority().map(Authority::as_str));
        let is_forwarded = forwarded::is_forwarded(headers);
        let mut origin = Self {
            address: peer,
            is_secure: request.extensions().get::<Arc<TlsInfo>>().is_some(),
            host: None,
            is_local: !is_forwarded && peer.is_some_and(|peer| peer.is_loopback()),
        };
        let believed = peer.filter(|peer| is_forwarded && contains(trusted, *peer));
        let said = believed.and_then(|peer| follow(peer, headers, trusted)).unwrap_or_default();
        origin.address = said.address.or(origin.address);
        origin.is_secure = said.is_secure.unwrap_or(origin.is_secure);
        origin.host = said.host.or_else(|| asked.and_then(forwarded::host));
        if let Some(host) = &mut origin.host {
            let own_port = if origin.is_secure { ":443" } else { ":80" };
            host.truncate(host.strip_suffix(own_port).unwrap_or(host).len());
        }
        origin
    }

    /// True where a browser says that the request comes from a page of this very host. One that was
    /// not loaded over TLS does not speak for one that was.
    pub(crate) fn is_same_origin(&self, headers: &HeaderMap) -> bool {
        let claimed = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
        let (Some((scheme, authority)), Some(host)) = (claimed.and_then(|text| text.split_once("://")), &self.host)
        else {
            return false;
        };
        authority.eq_ignore_ascii_case(host) && (scheme == "https" || !self.is_secure)
    }
}

fn contains(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// What the two kinds of header say together. Where both are there and name different clients, one of
/// them was written by the client itself: then neither is believed.
fn follow(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> Option<Said> {
    let standard = forwarded::standard(headers).map(|hops| Some(walk(peer, &hops?, trusted)));
    let usual = forwarded::usual(headers).map(|hops| Some(walk(peer, &hops?, trusted)));
    match (standard, usual) {
        (Some(standard), Some(usual)) => {
            let is_agreed = |said: &Said| usual.as_ref().is_some_and(|usual| usual.address == said.address);
            standard.filter(is_agreed)
        }
        (standard, usual) => standard.or(usual).flatten(),
    }
}

/// Follows the way back from the peer, each step being told by a hop that is trusted.
fn walk(peer: IpAddr, hops: &[Hop], trusted: &[Network]) -> Said {
    let mut said = Said { address: Some(peer), ..Said::default() };
    let mut teller = peer;
    for hop in hops.iter().rev().take(HOPS_MAX) {
        if !contains(trusted, teller) {
            break;
        }
        said.is_secure = hop.is_secure.or(said.is_secure);
        said.host = hop.host.clone().or(said.host);
        let Some(before) = hop.address else { break };
        said.address = Some(before);
        teller = before;
    }
    said
}

/// The origin of the request at hand.
#[derive(Debug, Clone)]
pub(crate) struct From(pub(crate) Arc<Origin>);

impl<S: Sync> FromRequestParts<S> for From {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Arc<Origin>>().cloned().map(Self).ok_or_else(|| ApiError::new(&error::INTERNAL))
    }
}

#[cfg(test)]
mod tests;

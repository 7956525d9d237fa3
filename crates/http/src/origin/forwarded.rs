//! Reads what proxies write: `Forwarded` (RFC 7239) and the older `X-Forwarded-…`.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// Bytes of a host with its port: a DNS name has at most 253.
const HOST_MAX: usize = 260;

/// What one proxy says of the request as it got it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Hop {
    /// From whom; none where it hides or does not know that.
    pub(super) address: Option<IpAddr>,
    pub(super) is_secure: Option<bool>,
    pub(super) host: Option<String>,
}

/// What trusted proxies say of the client.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) address: Option<IpAddr>,
    pub(super) is_secure: Option<bool>,
    pub(super) host: Option<String>,
}

/// True where any header tells of a proxy.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    let tells = |name: &HeaderName| {
        *name == header::FORWARDED || *name == header::VIA || {
            let name = name.as_str();
            name == "x-real-ip" || name.starts_with("x-forwarded")
        }
    };
    headers.keys().any(tells)
}

/// The hops of `Forwarded`, the client's first; `Some(None)` where it cannot be read.
pub(super) fn standard(headers: &HeaderMap) -> Option<Option<Vec<Hop>>> {
    headers.contains_key(header::FORWARDED).then(|| {
        let mut hops = Vec::new();
        for value in headers.get_all(header::FORWARDED) {
            read_elements(value.to_str().ok()?, &mut hops)?;
        }
        Some(hops)
    })
}

/// `for=192.0.2.1;proto=https, for="[2001:db8::1]:80"`
fn read_elements(text: &str, hops: &mut Vec<Hop>) -> Option<()> {
    for element in split(text, b',')? {
        let mut hop = Hop::default();
        for pair in split(element, b';')? {
            let pair = pair.trim();
            if pair.is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=')?;
            let value = unquoted(value)?;
            match name.to_ascii_lowercase().as_str() {
                "for" => hop.address = address(&value),
                "proto" => hop.is_secure = is_secure(&value),
                "host" => hop.host = host(&value),
                _ => {}
            }
        }
        hops.push(hop);
    }
    Some(())
}

/// Splits outside of quotes; none where a quote is not closed.
fn split(text: &str, separator: u8) -> Option<Vec<&str>> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ if byte == separator && !is_quoted => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (!is_quoted).then_some(parts)
}

fn unquoted(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"') else {
        return (!value.contains('"')).then(|| value.to_owned());
    };
    let (mut text, mut letters) = (String::new(), inner.strip_suffix('"')?.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => text.push(letters.next()?),
            '"' => return None,
            _ => text.push(letter),
        }
    }
    Some(text)
}

/// The hops of `X-Forwarded-For`, the client's first, with what `-Proto` and `-Host` say of each.
/// Where those have fewer entries, as most proxies write them, their first is the client's.
pub(super) fn usual(headers: &HeaderMap) -> Option<Option<Vec<Hop>>> {
    [FOR, PROTO, HOST].iter().any(|name| headers.contains_key(name)).then(|| {
        let mut addresses = list(headers, &FOR)?;
        if addresses.is_empty() {
            addresses.push("unknown");
        }
        let (protos, hosts) = (list(headers, &PROTO)?, list(headers, &HOST)?);
        let mut hops = Vec::with_capacity(addresses.len());
        for (index, text) in addresses.iter().enumerate() {
            let from_right = addresses.len() - index;
            hops.push(Hop {
                address: address(text),
                is_secure: of_hop(&protos, from_right).and_then(is_secure),
                host: of_hop(&hosts, from_right).and_then(host),
            });
        }
        Some(hops)
    })
}

fn of_hop<'a>(list: &[&'a str], from_right: usize) -> Option<&'a str> {
    list.len().checked_sub(from_right.min(list.len())).and_then(|index| list.get(index).copied())
}

fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Vec<&'a str>> {
    let mut entries = Vec::new();
    for value in headers.get_all(name) {
        entries.extend(value.to_str().ok()?.split(',').map(str::trim));
    }
    Some(entries)
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))?;
    Some(address.to_canonical())
}

fn is_secure(scheme: &str) -> Option<bool> {
    match scheme.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    }
}

/// A host as a `Host` header has it, else none.
pub(crate) fn host(text: &str) -> Option<String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    ((1..=HOST_MAX).contains(&text.len()) && text.bytes().all(is_allowed)).then(|| text.to_ascii_lowercase())
}

//! Where an answer may be sent: the addresses that a client was registered with, letter by letter.

/// Bytes of an address, at most.
const BYTES_MAX: usize = 1_000;

/// Judges an address to be registered: `https`, or `http` on this machine for programs that people run
/// there (RFC 8252, section 7.3); in the one form in which it can be compared.
pub(super) fn is_registrable(uri: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?&=%+,;!$'()[]".contains(&byte);
    if uri.len() > BYTES_MAX || !uri.bytes().all(is_plain) {
        return false;
    }
    if let Some((_, rest)) = loopback(uri) {
        return has_plain_path(rest);
    }
    let Some((scheme, rest)) = uri.split_once("://") else { return false };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let is_host = match scheme {
        "https" => host.split('.').all(is_label),
        "http" => host == "localhost",
        _ => false,
    };
    is_host && port.is_none_or(is_port) && has_plain_path(rest)
}

/// A path begins with a slash and goes down only.
fn has_plain_path(rest: &str) -> bool {
    let path = rest.split('?').next().unwrap_or_default();
    path.starts_with('/') && !path.contains("//") && !path.split('/').any(|part| matches!(part, "." | ".."))
}

fn is_port(text: &str) -> bool {
    !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// True where an address of a request is the registered one: the same letters, but for the port where it
/// is on this machine, which a program takes as it gets one (RFC 8252, section 7.3).
pub(super) fn is_registered(registered: &str, given: &str) -> bool {
    match (loopback(registered), loopback(given)) {
        _ if registered == given => true,
        (Some(registered), Some(given)) => registered == given,
        _ => false,
    }
}

/// True for an address on the machine of the browser, at a port that any program there can take.
pub(super) fn is_on_any_port(uri: &str) -> bool {
    loopback(uri).is_some()
}

/// The host and what follows the port, of an address on this machine by number. The name `localhost` may
/// lead elsewhere (section 8.3), so its port counts.
fn loopback(uri: &str) -> Option<(&'static str, &str)> {
    let hosts = ["http://127.0.0.1", "http://[::1]"].into_iter();
    let (host, rest) = hosts.filter_map(|host| uri.strip_prefix(host).map(|rest| (host, rest))).next()?;
    let rest = match rest.strip_prefix(':') {
        None => rest,
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (port, rest) = rest.split_at(digits);
            is_port(port).then_some(rest)?
        }
    };
    rest.starts_with('/').then_some((host, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_are_registered() {
        for uri in [
            "https://app.example.org/callback",
            "https://app.example.org:8443/callback?a=b",
            "http://127.0.0.1/cb",
            "http://127.0.0.1:8765/cb",
            "http://[::1]/cb",
            "http://localhost:3000/cb",
        ] {
            assert!(is_registrable(uri), "{uri}");
        }
        for uri in [
            "",
            "https://app.example.org",
            "https://App.example.org/cb",
            "http://app.example.org/cb",
            "https://app.example.org/cb#part",
            "https://user@app.example.org/cb",
            "https://*.example.org/cb",
            "https://app.example.org/a/../cb",
            "https://app.example.org//cb",
            "https://app.example.org\\@evil.example/cb",
            "https:///cb",
            "https://app.example.org:0/cb",
            "https://app.example.org:99999/cb",
            "javascript:alert(1)",
            "com.example.app:/cb",
            "http://127.0.0.1:80@evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://localhost.evil.example/cb",
            "http://127.0.0.1/../cb",
            "https://app.example.org/c b",
            "https://app.example.org/cb\r\n",
        ] {
            assert!(!is_registrable(uri), "{uri}");
        }
    }

    #[test]
    fn an_address_is_the_registered_one_or_another() {
        let check = |registered: &str, given: &str, expected: bool| {
            assert_eq!(is_registered(registered, given), expected, "{registered} {given}");
        };
        let app = "https://app.example.org/cb";
        check(app, app, true);
        for given in [
            "https://app.example.org/cb/",
            "https://app.example.org/cb?x=1",
            "https://app.example.org/cb/../evil",
            "https://app.example.org/c",
            "https://app.example.org/cbx",
            "https://app.example.org:8443/cb",
            "https://app.example.org@evil.example/cb",
            "https://app.example.org/cb#x",
            "http://app.example.org/cb",
            "HTTPS://app.example.org/cb",
        ] {
            check(app, given, false);
        }
        check("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", true);
        check("http://127.0.0.1:1/cb", "http://127.0.0.1/cb", true);
        check("http://[::1]/cb", "http://[::1]:51004/cb", true);
        for given in [
            "http://127.0.0.1:51004/cb2",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:80@evil.example/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.2:1/cb",
            "http://[::1]:1/cb",
            "http://localhost:1/cb",
            "https://127.0.0.1/cb",
        ] {
            check("http://127.0.0.1/cb", given, false);
        }
        check("http://localhost:3000/cb", "http://localhost:3001/cb", false);
    }
}

use axum::body::Body;

use super::*;

/// The origin of a request of a peer with these headers, where `10.0.0.0/8` and `::1` are trusted.
fn origin(peer: &str, headers: &[(&str, &str)]) -> Origin {
    let mut request = Request::builder().uri("/").header("host", "inner.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).expect("a request");
    let peer: IpAddr = peer.parse().expect("an address");
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from((peer, 4_711))));
    let trusted: Vec<Network> = ["10.0.0.0/8", "::1"].map(|text| text.parse().expect("a network")).to_vec();
    Origin::of(&request, &trusted)
}

/// Checks address, TLS and host.
#[track_caller]
fn check(peer: &str, headers: &[(&str, &str)], address: &str, is_secure: bool, host: &str) {
    let origin = origin(peer, headers);
    let expected = (Some(address.parse().expect("an address")), is_secure, Some(host.to_owned()));
    assert_eq!((origin.address, origin.is_secure, origin.host), expected, "{peer} {headers:?}");
}

#[test]
fn an_untrusted_peer_speaks_for_itself_only() {
    let forged = [
        ("forwarded", "for=10.0.0.9;proto=https;host=evil.example"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
    ];
    check("203.0.113.5", &forged, "203.0.113.5", false, "inner.example");
    check("203.0.113.5", &[], "203.0.113.5", false, "inner.example");
    check("::ffff:203.0.113.5", &[], "203.0.113.5", false, "inner.example");
}

#[test]
fn only_a_caller_without_any_proxy_is_local() {
    for peer in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        assert!(origin(peer, &[]).is_local, "{peer}");
        for name in ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"] {
            assert!(!origin(peer, &[(name, "127.0.0.1")]).is_local, "{peer} {name}");
        }
    }
    for peer in ["203.0.113.5", "10.0.0.1", "2001:db8::1"] {
        assert!(!origin(peer, &[]).is_local, "{peer}");
    }
}

#[test]
fn a_trusted_proxy_tells_of_the_client() {
    let usual =
        [("x-forwarded-for", "203.0.113.5"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "Tidings.example")];
    check("10.0.0.1", &usual, "203.0.113.5", true, "tidings.example");
    check("::1", &usual, "203.0.113.5", true, "tidings.example");
    let standard = "for=\"[2001:db8::7]:4711\";proto=https;host=\"tidings.example:443\"";
    check("10.0.0.1", &[("forwarded", standard)], "2001:db8::7", true, "tidings.example");
    check("10.0.0.1", &[("x-forwarded-proto", "https")], "10.0.0.1", true, "inner.example");
    check("10.0.0.1", &[("forwarded", "FOR=203.0.113.5 ; Proto=HTTP")], "203.0.113.5", false, "inner.example");
}

#[test]
fn the_way_is_followed_from_the_right_to_the_first_untrusted_hop() {
    let forged = [("x-forwarded-for", "127.0.0.1, 203.0.113.5, 10.0.0.2"), ("x-forwarded-proto", "http, https, http")];
    check("10.0.0.1", &forged, "203.0.113.5", true, "inner.example");
    let lines = [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-for", "203.0.113.5")];
    check("10.0.0.1", &lines, "203.0.113.5", false, "inner.example");
    let standard = "for=10.0.0.7;host=evil.example, for=203.0.113.5;proto=https, for=10.0.0.2;proto=http";
    check("10.0.0.1", &[("forwarded", standard)], "203.0.113.5", true, "inner.example");
    // All are trusted: the first one is the client.
    check("10.0.0.1", &[("x-forwarded-for", "10.0.0.3, 10.0.0.2")], "10.0.0.3", false, "inner.example");
    let long = vec!["10.0.0.2"; 1_000].join(",");
    check("10.0.0.1", &[("x-forwarded-for", &long)], "10.0.0.2", false, "inner.example");
}

#[test]
fn what_hides_or_cannot_be_read_ends_the_way() {
    check("10.0.0.1", &[("x-forwarded-for", "203.0.113.5, unknown")], "10.0.0.1", false, "inner.example");
    check("10.0.0.1", &[("forwarded", "for=203.0.113.5, for=_hidden;proto=https")], "10.0.0.1", true, "inner.example");
    check("10.0.0.1", &[("forwarded", "for=\"203.0.113.5")], "10.0.0.1", false, "inner.example");
    check("10.0.0.1", &[("forwarded", "for=\"x, for=203.0.113.5")], "10.0.0.1", false, "inner.example");
    check("10.0.0.1", &[("forwarded", "")], "10.0.0.1", false, "inner.example");
    check("10.0.0.1", &[("x-forwarded-for", "")], "10.0.0.1", false, "inner.example");
    for host in ["a b", "a/b", "a@b", "a,b\"", ""] {
        let headers = [("x-forwarded-for", "203.0.113.5"), ("x-forwarded-host", host)];
        let told = origin("10.0.0.1", &headers).host;
        assert_eq!(told.as_deref(), Some("inner.example"), "{host}");
    }
}

#[test]
fn headers_that_disagree_are_not_believed() {
    let forged = [("forwarded", "for=127.0.0.1;proto=https;host=evil.example"), ("x-forwarded-for", "203.0.113.5")];
    check("10.0.0.1", &forged, "10.0.0.1", false, "inner.example");
    let agreed = [("forwarded", "for=203.0.113.5;proto=https"), ("x-forwarded-for", "203.0.113.5")];
    check("10.0.0.1", &agreed, "203.0.113.5", true, "inner.example");
}

#[test]
fn a_page_speaks_for_its_own_host_and_not_for_one_with_tls() {
    let claims = |origin: &Origin, text: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, text.parse().expect("a header"));
        origin.is_same_origin(&headers)
    };
    let plain = origin("203.0.113.5", &[]);
    assert!(claims(&plain, "http://inner.example") && claims(&plain, "https://INNER.example"));
    for text in ["null", "http://evil.example", "http://inner.example.evil.example", "inner.example", ""] {
        assert!(!claims(&plain, text), "{text}");
    }
    assert!(!plain.is_same_origin(&HeaderMap::new()));
    let secure = origin("10.0.0.1", &[("x-forwarded-for", "203.0.113.5"), ("x-forwarded-proto", "https")]);
    assert!(claims(&secure, "https://inner.example") && !claims(&secure, "http://inner.example"));
}

//! TLS from the first byte on: what is spoken, whom it lets in, how it is renewed.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Certificate, ClientBuilder, Identity, Version};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version};
use serde_json::json;
use tidings_http::{Options, Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::app::{TestApp, quick, send};
use crate::certificates::{Authority, Folder, HOST};
use crate::client::{PATIENCE, raw};

/// A server with TLS beside the plain one of a [`TestApp`].
struct Secured {
    app: TestApp,
    authority: Authority,
    folder: Folder,
    tls: Arc<Tls>,
    address: SocketAddr,
    _stop: DropGuard,
}

impl Secured {
    async fn with(options: Options, clients: Option<&Authority>) -> Self {
        let authority = Authority::new();
        let folder = Folder::with(&authority.pair());
        let tls = Arc::new(Tls::open(folder.files(clients)).expect("good files"));
        let app = TestApp::with(options).await;
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(tidings_http::serve_tls(listener, app.app.clone(), Arc::clone(&tls), stopped));
        Self { app, authority, folder, tls, address, _stop: stop.drop_guard() }
    }

    fn client(&self) -> ClientBuilder {
        let authority = Certificate::from_pem(self.authority.pem().as_bytes()).expect("a certificate");
        ClientBuilder::new().tls_certs_only([authority]).resolve(HOST, self.address).no_proxy()
    }

    fn url(&self, path: &str) -> String {
        format!("https://{HOST}:{}{path}", self.address.port())
    }

    /// Opens a connection by hand.
    async fn connect(&self, versions: &[&'static SupportedProtocolVersion], protocols: &[&str]) -> Connection {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.authority.der())).expect("an authority");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions);
        let mut config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(self.address).await.expect("connects");
        let host = HOST.try_into().expect("a name");
        Connection(TlsConnector::from(Arc::new(config)).connect(host, stream).await.expect("a handshake"))
    }
}

/// A connection whose bytes a test writes itself.
struct Connection(TlsStream<TcpStream>);

impl Connection {
    fn certificate(&self) -> Vec<u8> {
        self.0.get_ref().1.peer_certificates().expect("one")[0].to_vec()
    }

    /// Asks something of a connection that is kept.
    async fn ask(&mut self) -> String {
        self.0.write_all(b"GET /livez HTTP/1.1\r\nhost: tidings.example\r\n\r\n").await.expect("writes");
        let mut answer = vec![0; 16 << 10];
        let read = self.0.read(&mut answer).await.expect("reads");
        String::from_utf8_lossy(&answer[..read]).into_owned()
    }

    /// What comes until the server ends it.
    async fn end(mut self) -> String {
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut answer)).await.expect("an end in time");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

const BOTH: [&SupportedProtocolVersion; 2] = [&version::TLS13, &version::TLS12];

#[tokio::test]
async fn both_versions_and_both_protocols_are_spoken() {
    let secured = Secured::with(Options::default(), None).await;
    for (version, spoken) in [(&version::TLS12, ProtocolVersion::TLSv1_2), (&version::TLS13, ProtocolVersion::TLSv1_3)]
    {
        for (offered, agreed) in [(&["h2", "http/1.1"][..], "h2"), (&["http/1.1"][..], "http/1.1")] {
            let connection = secured.connect(&[version], offered).await;
            let session = connection.0.get_ref().1;
            assert_eq!(session.protocol_version(), Some(spoken));
            assert_eq!(session.alpn_protocol(), Some(agreed.as_bytes()));
        }
    }
    let second =
        secured.client().build().expect("a client").get(secured.url("/livez")).send().await.expect("an answer");
    assert_eq!((second.status().as_u16(), second.version()), (200, Version::HTTP_2));
    let first = secured.client().http1_only().build().expect("a client").get(secured.url("/livez"));
    assert_eq!(first.send().await.expect("an answer").version(), Version::HTTP_11);
}

#[tokio::test]
async fn what_is_not_tls_is_not_answered() {
    let secured = Secured::with(Options::default(), None).await;
    let answer = raw(secured.address, &[b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"]).await;
    assert!(!answer.contains("HTTP/"), "{answer}");
}

#[tokio::test]
async fn only_answers_over_tls_ask_for_tls() {
    let secured = Secured::with(Options::default(), None).await;
    let client = secured.client().build().expect("a client");
    let answer = send(client.get(secured.url("/livez"))).await;
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
    let plain = secured.app.http.get(secured.app.url("/livez")).header("x-forwarded-proto", "https");
    assert_eq!(send(plain).await.header("strict-transport-security"), "");
    let opened = send(client.post(secured.url("/v1/session")).json(&json!({ "key": secured.app.viewer }))).await;
    let cookie = opened.header("set-cookie");
    assert!(cookie.starts_with("__Host-") && cookie.ends_with("; Secure"), "{cookie}");
}

#[tokio::test]
async fn a_page_over_tls_changes_things_with_its_cookie_over_either_protocol() {
    let secured = Secured::with(Options::default(), None).await;
    for client in [secured.client(), secured.client().http1_only()] {
        let client = client.build().expect("a client");
        let opened = send(client.post(secured.url("/v1/session")).json(&json!({ "key": secured.app.curator }))).await;
        let cookie = opened.header("set-cookie").split(';').next().expect("a cookie").to_owned();
        let token = opened.body["csrf_token"].as_str().expect("a token");
        let subscribe = |origin: String| {
            let request = client.post(secured.url("/v1/subscriptions")).json(&json!({ "filter": {} }));
            send(request.header("cookie", &cookie).header("origin", origin).header("x-csrf-token", token))
        };
        let own = secured.url("");
        assert_eq!(subscribe(own.clone()).await.status, 201);
        subscribe(own.replace("https", "http")).await.is_problem(403, "cross_origin");
        subscribe("https://evil.example".to_owned()).await.is_problem(403, "cross_origin");
    }
}

#[tokio::test]
async fn a_socket_opens_over_tls() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;
    let secured = Secured::with(Options::default(), None).await;
    let stream = secured.connect(&BOTH, &["http/1.1"]).await.0;
    let mut request = format!("wss://{HOST}/v1/ws").into_client_request().expect("a request");
    let key = format!("Bearer {}", secured.app.viewer);
    for (name, value) in [("sec-websocket-protocol", "tidings.v1+json"), ("authorization", key.as_str())] {
        request.headers_mut().insert(name, value.parse().expect("a header"));
    }
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.expect("opens");
    socket.send(Message::text(r#"{"op":"ping"}"#)).await.expect("sends");
    let heard = tokio::time::timeout(PATIENCE, socket.next()).await.expect("in time").expect("a frame");
    assert!(heard.expect("a frame").to_text().expect("a text").contains("pong"));
}

#[tokio::test]
async fn renewed_files_are_used_while_connections_live() {
    let secured = Secured::with(Options::default(), None).await;
    let mut old = secured.connect(&BOTH, &["http/1.1"]).await;
    assert!(old.ask().await.starts_with("HTTP/1.1 200"));
    assert!(!secured.tls.reload().expect("the same files"));
    let renewed = secured.authority.pair();
    secured.folder.put(&renewed);
    assert!(secured.tls.reload().expect("good files"));
    let new = secured.connect(&BOTH, &["http/1.1"]).await;
    assert_eq!(new.certificate(), renewed.der);
    assert_ne!(old.certificate(), renewed.der);
    assert!(old.ask().await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn bad_files_change_nothing_and_are_named() {
    let secured = Secured::with(Options::default(), None).await;
    let before = secured.connect(&BOTH, &[]).await.certificate();
    let other = secured.authority.pair();
    let key = std::fs::read_to_string(secured.folder.file("key.pem")).expect("there");
    for (file, text, what) in [
        ("cert.pem", "", "read the certificates in"),
        ("cert.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "use "),
        ("cert.pem", &other.certificate, "use "),
        ("key.pem", "nonsense", "read the private key in"),
    ] {
        std::fs::write(secured.folder.file(file), text).expect("writes");
        let error = secured.tls.reload().expect_err("bad files");
        assert!(error.to_string().starts_with(what) && error.to_string().contains(file), "{error}");
        assert!(!format!("{error:?} {:?}", secured.tls).contains(&key[40..60]));
        assert!(!secured.tls.reload().expect("they were looked at"), "{what}");
        assert_eq!(secured.connect(&BOTH, &[]).await.certificate(), before);
    }
    std::fs::remove_file(secured.folder.file("key.pem")).expect("there");
    assert!(secured.tls.reload().expect_err("it is gone").to_string().ends_with("key.pem"));
    secured.folder.put(&other);
    assert!(secured.tls.reload().expect("good files"));
    assert_eq!(secured.connect(&BOTH, &[]).await.certificate(), other.der);
}

#[tokio::test]
async fn a_server_sees_renewed_files_by_itself() {
    let options = Options { tls_look_every: Duration::from_millis(10), ..Options::default() };
    let secured = Secured::with(options, None).await;
    let renewed = secured.authority.pair();
    secured.folder.put(&renewed);
    let seen = async {
        while secured.connect(&BOTH, &[]).await.certificate() != renewed.der {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.expect("seen in time");
}

#[tokio::test]
async fn only_clients_with_the_right_certificate_get_in() {
    let (clients, strangers) = (Authority::new(), Authority::new());
    let secured = Secured::with(Options::default(), Some(&clients)).await;
    let identity = |authority: &Authority| {
        let pair = authority.pair();
        Identity::from_pem(format!("{}{}", pair.certificate, pair.key).as_bytes()).expect("an identity")
    };
    let right = secured.client().identity(identity(&clients)).build().expect("a client");
    assert_eq!(right.get(secured.url("/livez")).send().await.expect("an answer").status(), 200);
    let wrong = secured.client().identity(identity(&strangers)).build().expect("a client");
    assert!(wrong.get(secured.url("/livez")).send().await.is_err());
    let missing = secured.client().build().expect("a client");
    assert!(missing.get(secured.url("/livez")).send().await.is_err());
}

#[tokio::test]
async fn slow_handshakes_and_slow_heads_are_cut_off() {
    let secured = Secured::with(quick(), None).await;
    assert_eq!(raw(secured.address, &[b""]).await, "");
    raw(secured.address, &[b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"]).await;
    for protocol in ["h2", "http/1.1"] {
        assert_eq!(secured.connect(&BOTH, &[protocol]).await.end().await, "", "{protocol}");
    }
    let mut slow = secured.connect(&BOTH, &["http/1.1"]).await;
    slow.0.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n").await.expect("writes");
    let answer = slow.end().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    let mut preface = secured.connect(&BOTH, &["h2"]).await;
    // A preface and settings, then the first byte of a frame and no more.
    let begun = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0";
    preface.0.write_all(begun).await.expect("writes");
    preface.end().await;
    let mut idle = secured.connect(&BOTH, &["http/1.1"]).await;
    assert!(idle.ask().await.starts_with("HTTP/1.1 200"));
    idle.end().await;
}

//! The server on a network: TLS files that are renewed, addresses that it refuses, secrets that stay out of its logs.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use reqwest::{Client, ClientBuilder, Method};
use serde_json::{Value, json};

/// Longer than anything here takes; reached only when it fails.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections until a renewed certificate must be seen.
const LOOKS: u32 = 3_000;

/// A server with everything that it says.
pub(crate) struct Talking {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Talking {
    pub(crate) fn start(data: &Path, log: &str, flags: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
        command.env_clear().args(["--log", log, "serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(flags);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary was built");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let (tx, lines) = channel();
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| tx.send(line)));
        Self { child, lines, said: Vec::new() }
    }

    /// The rest of the first line that begins so.
    pub(crate) fn hear(&mut self, beginning: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("it says so");
            self.said.push(line.clone());
            if let Some(rest) = line.strip_prefix(beginning) {
                return rest.to_owned();
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().expect("it runs").success());
    }

    /// Stops it; everything that it said.
    pub(crate) fn stop(mut self) -> Vec<String> {
        self.signal("-TERM");
        self.child.wait().expect("it is ours");
        self.said.extend(self.lines.iter());
        std::mem::take(&mut self.said)
    }
}

impl Drop for Talking {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a certificate of its own authority for this host.
fn write_pair(folder: &Path, host: &str) -> reqwest::Certificate {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![host.to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("signs").pem();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).expect("writes");
    std::fs::write(folder.join("cert.pem"), &certificate).expect("writes");
    reqwest::Certificate::from_pem(certificate.as_bytes()).expect("a certificate")
}

fn client(certificate: reqwest::Certificate) -> Client {
    // Another test may have been first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    ClientBuilder::new().tls_certs_only([certificate]).no_proxy().build().expect("a client")
}

#[tokio::test]
async fn a_server_with_tls_renews_its_files_and_answers_commands() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = write_pair(folder.path(), "127.0.0.1");
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let flags = ["--tls-cert", cert.to_str().expect("UTF-8"), "--tls-key", key.to_str().expect("UTF-8")];
    let data = folder.path().join("data");
    let mut server = Talking::start(&data, "error", &flags);
    let url = server.hear("listening on ");
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    assert!(server.hear("open ").starts_with(&format!("{url}/#ticket=")));
    let livez = format!("{url}/livez");
    assert_eq!(client(first).get(&livez).send().await.expect("an answer").status(), 200);

    // Bad files are named once and change nothing.
    std::fs::write(&cert, "nonsense").expect("writes");
    server.signal("-HUP");
    let said = server.hear("{");
    assert!(said.contains("tls_not_renewed") && said.contains("cert.pem"), "{said}");

    let second = client(write_pair(folder.path(), "127.0.0.1"));
    server.signal("-HUP");
    let mut looks = 0;
    while second.get(&livez).send().await.is_err() {
        looks += 1;
        assert!(looks < LOOKS, "the renewed certificate is not in force");
    }

    let list = Command::new(env!("CARGO_BIN_EXE_tidings"))
        .env_clear()
        .args(["key", "list", "--data"])
        .arg(&data)
        .output()
        .expect("it runs");
    assert!(list.status.success(), "{}", String::from_utf8_lossy(&list.stderr));
    server.stop();
}

#[test]
fn an_address_that_others_reach_wants_protection() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |flags: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
        let output = command.env_clear().args(["serve", "--data"]).arg(folder.path()).args(flags).output();
        let output = output.expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let said = refused(&["--listen", address]);
        for way in ["--tls-cert", "--trusted-proxy", "--plain-http"] {
            assert!(said.contains(way), "{said}");
        }
    }
    let missing = refused(&["--tls-cert", "/nowhere/cert.pem", "--tls-key", "/nowhere/key.pem"]);
    assert!(missing.contains("/nowhere/cert.pem"), "{missing}");
    for flags in [
        ["--tls-cert", "cert.pem"],
        ["--tls-client-ca", "ca.pem"],
        ["--trusted-proxy", "10.0.0.0/33"],
        ["--cors-origin", "*"],
        ["--cors-origin", "null"],
    ] {
        refused(&flags);
    }
}

/// What a server answered, all of it.
struct Asked {
    client: Client,
    url: String,
    answers: String,
}

impl Asked {
    /// Asks; the answer is kept.
    async fn ask(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> String {
        let (text, head) = self.ask_quietly(method, path, headers, body).await;
        self.answers += &(text + &head);
        head
    }

    async fn ask_quietly(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> (String, String) {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
        let head = format!("{:?}", answer.headers());
        (answer.text().await.expect("a text"), head)
    }
}

#[tokio::test]
async fn no_secret_is_in_logs_errors_metrics_or_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let certificate = write_pair(folder.path(), "127.0.0.1");
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let flags = ["--tls-cert", cert.to_str().expect("UTF-8"), "--tls-key", key.to_str().expect("UTF-8")];
    let data = folder.path().join("data");
    let log = "trace,h2=trace,hyper=trace,rustls=trace,tungstenite=trace";
    let mut server = Talking::start(&data, log, &flags);
    let url = server.hear("listening on ");
    let admin = server.hear("admin key ").split(' ').next().expect("a key").to_owned();
    let ticket = server.hear("open ");
    let ticket = ticket.split_once("#ticket=").expect("a ticket").1.split(' ').next().expect("a ticket").to_owned();
    let first_admin = server.hear("make the first account ");
    let first_admin =
        first_admin.split_once("#first-admin=").expect("a link").1.split(' ').next().expect("one").to_owned();
    let mut asked = Asked { client: client(certificate), url: url.clone(), answers: String::new() };

    let bearer = format!("Bearer {admin}");
    let admin_says = [("authorization", bearer.as_str())];
    let new = json!({ "role": "curator" });
    let (made, _) = asked.ask_quietly(Method::POST, "/v1/keys", &admin_says, Some(&new)).await;
    let made: Value = serde_json::from_str(&made).expect("JSON");
    let made = made["key"].as_str().unwrap_or_else(|| panic!("a key in {made}")).to_owned();
    let own = "It's a Secret to Everybody";
    let new = json!({ "name": "desk", "kind": "github", "secret": own });
    let (hook, _) = asked.ask_quietly(Method::POST, "/v1/inbound-webhooks", &admin_says, Some(&new)).await;
    let hook: Value = serde_json::from_str(&hook).expect("JSON");
    let id = hook["id"].as_str().unwrap_or_else(|| panic!("an id in {hook}")).to_owned();
    let rotate = format!("/v1/inbound-webhooks/{id}:rotate");
    let (rotated, _) = asked.ask_quietly(Method::POST, &rotate, &admin_says, Some(&json!({}))).await;
    let rotated: Value = serde_json::from_str(&rotated).expect("JSON");
    let hook_secret = rotated["secret"].as_str().unwrap_or_else(|| panic!("a secret in {rotated}")).to_owned();
    let swap = json!({ "ticket": ticket });
    let (_, head) = asked.ask_quietly(Method::POST, "/v1/session", &[], Some(&swap)).await;
    let cookie = head.split("tidings_session=").nth(1).expect("a cookie").split(';').next().expect("one").to_owned();

    let wrong = format!("{made}0");
    let with_cookie = format!("__Host-tidings_session={cookie}");
    let bearer_made = format!("Bearer {made}");
    let bearer_wrong = format!("Bearer {wrong}");
    let basic = format!("Basic {made}");
    for path in ["/v1/events", "/v1/keys", "/v1/nope", "/v1/subscriptions", "/v1/ws"] {
        for (name, value) in [
            ("authorization", bearer_made.as_str()),
            ("authorization", bearer_wrong.as_str()),
            ("authorization", basic.as_str()),
            ("cookie", with_cookie.as_str()),
        ] {
            asked.ask(Method::GET, path, &[(name, value)], None).await;
            asked.ask(Method::POST, path, &[(name, value)], Some(&json!({ "title": "x" }))).await;
        }
    }
    // Used, mistyped and misplaced ones.
    for body in [
        &swap,
        &json!({ "key": wrong }),
        &json!({ "ticket": [ticket] }),
        &json!({ "kye": made }),
        &json!({ "email": made, "password": cookie }),
    ] {
        asked.ask(Method::POST, "/v1/session", &[], Some(body)).await;
    }
    asked.ask(Method::POST, &rotate, &admin_says, Some(&json!({ "secret": "short" }))).await;
    asked.ask(Method::POST, &rotate, &admin_says, Some(&json!({ "secret": own, "x": 1 }))).await;
    for path in ["/v1/inbound-webhooks", &format!("/v1/inbound-webhooks/{id}"), "/v1/audit"] {
        asked.ask(Method::GET, path, &admin_says, None).await;
    }
    let misplaced = [("x-hub-signature-256", hook_secret.as_str()), ("x-github-delivery", "1")];
    asked.ask(Method::POST, &format!("/v1/hooks/{id}"), &misplaced, Some(&json!({}))).await;
    asked.ask(Method::GET, "/metrics", &admin_says, None).await;
    asked.ask(Method::GET, "/readyz?verbose", &admin_says, None).await;
    let private = std::fs::read_to_string(&key).expect("there");
    let said = server.stop();
    assert!(said.iter().any(|line| line.contains("\"DEBUG\"")), "a log at level trace says more: {said:?}");

    let logs: Vec<_> = said
        .iter()
        .filter(|line| !["admin key ", "open ", "make the first account "].iter().any(|start| line.starts_with(start)))
        .collect();
    let mut stored = Vec::new();
    read_all(&data, &mut stored);
    let stored = String::from_utf8_lossy(&stored);
    let private = private.lines().nth(1).expect("a line of base64");
    for (what, secret) in [
        ("admin key", &admin),
        ("key", &made),
        ("mistyped key", &wrong),
        ("ticket", &ticket),
        ("cookie", &cookie),
        ("first link", &first_admin),
    ] {
        let told = logs.iter().find(|line| line.contains(secret.as_str()));
        assert!(told.is_none(), "the log tells the {what}: {told:?}");
        assert!(!asked.answers.contains(secret.as_str()), "an answer tells the {what}");
        assert!(!stored.contains(secret.as_str()), "a file holds the {what}");
    }
    assert!(!logs.iter().any(|line| line.contains(private)), "the log tells the private key");
    // Signatures are checked by making them again, so the store has these two.
    for secret in [own, hook_secret.as_str()] {
        let told = logs.iter().find(|line| line.contains(secret));
        assert!(told.is_none(), "the log tells the secret of a webhook: {told:?}");
        assert!(!asked.answers.contains(secret), "an answer tells the secret of a webhook");
    }
}

/// The bytes of every file in a folder but the one that is meant to hold a key.
fn read_all(folder: &Path, bytes: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_all(&path, bytes);
        } else if path.file_name().is_some_and(|name| name != "admin.key") {
            std::fs::File::open(&path).and_then(|mut file| file.read_to_end(bytes)).expect("reads");
        }
    }
}

//! The mock providers of `tidings serve --sso mock`, from the button to the session.

use serde_json::Value;

use crate::transport::Talking;

fn client() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}

/// Where an answer sends the browser.
async fn follow(client: &reqwest::Client, url: &str, cookie: &str) -> (String, Vec<String>) {
    let answer = client.get(url).header("cookie", cookie).send().await.expect("an answer");
    let header = |value: &reqwest::header::HeaderValue| value.to_str().expect("text").to_owned();
    let cookies = answer.headers().get_all("set-cookie").iter().map(header).collect();
    (answer.headers().get("location").map(header).unwrap_or_default(), cookies)
}

#[tokio::test]
async fn mock_providers_let_anyone_in_on_this_machine_and_are_gone_with_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Talking::start(folder.path(), "info", &["--sso", "mock"]);
    server.hear("mock sign-ins at ");
    let url = server.hear("listening on ");
    let client = client();
    for (name, role) in [("mock", "curator"), ("mock-github", "viewer")] {
        let (there, cookies) = follow(&client, &format!("{url}/sso/{name}/start?next=/"), "").await;
        let state = cookies[0].split(';').next().expect("a cookie").to_owned();
        let asked = client.get(&there).send().await.expect("an answer").text().await.expect("a page");
        assert!(asked.contains("Mock sign-in"), "{asked}");
        let query = there.split_once('?').expect("a query").1;
        let issuer = &there[..there[8..].find('/').expect("a path") + 8];
        let who = format!("{issuer}/sign-in?{query}&email={name}@example.org&group=curator");
        let (back, _) = follow(&client, &who, "").await;
        assert!(back.starts_with(&format!("{url}/sso/{name}/callback?")), "{back}");
        let (next, cookies) = follow(&client, &back, &state).await;
        assert_eq!(next, "/", "{cookies:?}");
        let session = cookies.iter().find(|it| it.starts_with("tidings_session=")).expect("a session");
        let session = session.split(';').next().expect("a cookie");
        let me = client.get(format!("{url}/v1/me")).header("cookie", session).send().await.expect("an answer");
        let me: Value = me.json().await.expect("JSON");
        assert_eq!(me["role"], role, "{me}");
    }
    server.stop();
    let mut server = Talking::start(folder.path(), "info", &[]);
    let url = server.hear("listening on ");
    let left = client.get(format!("{url}/v1/sso")).send().await.expect("an answer").text().await.expect("a text");
    assert_eq!(left, r#"{"data":[]}"#);
    server.stop();
}

#[test]
fn nobody_else_reaches_a_server_with_mock_providers() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tidings"));
    command.env_clear().arg("--data").arg(folder.path());
    let said =
        command.args(["serve", "--listen", "0.0.0.0:0", "--plain-http", "--sso", "mock"]).output().expect("it runs");
    assert_eq!(said.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&said.stderr).contains("anyone signs in as anyone"));
}

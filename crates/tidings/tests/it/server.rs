//! A server of its own process, on a port that it picks.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

/// How often a process that should end is looked at, 10 ms apart, at most.
const LOOKS: u32 = 6_000;

/// A running `tidings serve`; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Mutex<Child>,
    url: String,
    /// The Admin key of its data directory.
    pub key: String,
    http: reqwest::Client,
}

/// A client that does without the machine's certificate authorities.
fn http() -> reqwest::Client {
    // Another test may have been first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().tls_certs_only([]).build().expect("a client")
}

/// Starts the process and waits for nothing.
pub fn spawn(data: &Path, flags: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tidings"))
        .args(["--log", "error", "serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .args(flags)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built")
}

impl Server {
    /// Starts one on a data directory and waits until it listens; what it said when it does not.
    pub fn start(data: &Path, flags: &[&str]) -> Result<Self, String> {
        let mut child = spawn(data, flags);
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let mut said = String::new();
        let url = lines.by_ref().map_while(Result::ok).find_map(|line| {
            said = said.clone() + &line + "\n";
            line.strip_prefix("listening on ").map(str::to_owned)
        });
        let Some(url) = url else {
            let status = child.wait().expect("it is ours");
            return Err(format!("the server ended before it listened: {status}\n{said}"));
        };
        // Whatever it says later must not fill the pipe and block it.
        std::thread::spawn(move || lines.for_each(drop));
        let key = std::fs::read_to_string(data.join("admin.key")).unwrap_or_default();
        Ok(Self { child: Mutex::new(child), url, key: key.trim().to_owned(), http: http() })
    }

    /// Asks something; the status and the answer, or `None` when the server is gone.
    pub async fn ask(&self, method: Method, path: &str, key: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(key);
        if let Some(body) = body {
            request = request.json(body);
        }
        Self::answer(request).await
    }

    /// Changes a revision of something shared, as the Admin.
    pub async fn change(&self, method: Method, path: &str, revision: u32) -> Option<(u16, Value)> {
        let request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key);
        Self::answer(request.header("if-match", format!("\"{revision}\""))).await
    }

    async fn answer(request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.ok()?;
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).ok()? };
        Some((status, body))
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kills it without warning, as kill -9 does, and waits until it is gone.
    pub fn kill(&self) {
        let mut child = self.child();
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().expect("it is ours");
    }

    /// Tells it to stop, and kills it where it has not within `patience`.
    pub fn stop(&self, patience: Duration) {
        self.terminate();
        if self.ended(patience).is_none() {
            self.kill();
        }
    }

    /// Tells it to stop.
    pub fn terminate(&self) {
        send(&self.child(), "TERM");
    }

    /// How it ended, where it does within `patience`.
    pub fn ended(&self, patience: Duration) -> Option<ExitStatus> {
        ended(&mut self.child(), patience)
    }
}

/// Sends a process a signal.
pub fn send(child: &Child, signal: &str) {
    // It may have ended by itself.
    let _ = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
}

/// How a process ended, where it does within `patience`, of a minute at most.
pub fn ended(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let looks = u32::try_from(patience.as_millis() / 10).unwrap_or(LOOKS).min(LOOKS);
    for _ in 0..looks {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

//! A server of its own process, on a port that it picks.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use serde_json::Value;

/// A running `tidings serve`; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Mutex<Child>,
    url: String,
    key: String,
    http: reqwest::Client,
}

impl Server {
    /// Starts one on a data directory and waits until it listens.
    pub fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tidings"))
            .args(["--log", "error", "serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let url =
            lines.by_ref().map_while(Result::ok).find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
        let url = url.unwrap_or_else(|| panic!("the server ended before it listened: {:?}", child.wait()));
        // Whatever it says later must not fill the pipe and block it.
        std::thread::spawn(move || lines.for_each(drop));
        let key = std::fs::read_to_string(data.join("admin.key")).expect("made at the first start");
        Self { child: Mutex::new(child), url, key: key.trim().to_owned(), http: reqwest::Client::new() }
    }

    /// Posts JSON; the status and the answer, or `None` when the server is gone.
    pub async fn post(&self, path: &str, body: String) -> Option<(u16, Value)> {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.key);
        let answer = request.header("content-type", "application/json").body(body).send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.ok()?))
    }

    /// Reads JSON that must be there.
    pub async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.key);
        let answer = request.send().await.expect("the server runs");
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        answer.json().await.expect("JSON")
    }

    /// Kills it without warning, as kill -9 does.
    pub fn kill(&self) {
        self.child.lock().expect("no holder panics").kill().expect("it is ours");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed already.
        let child = self.child.get_mut().expect("no holder panics");
        let _ = child.kill();
        let _ = child.wait();
    }
}

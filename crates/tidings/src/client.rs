//! The commands' way to a server: the one that was named, the one that runs on the data directory,
//! or one of our own for as long as the command runs.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::config::Global;
use crate::exit::Failure;
use crate::local::{self, Local};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long a server on this machine may take to accept.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A server to ask.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    /// Its URL, without a slash at the end.
    pub url: String,
    /// The key to ask with.
    pub key: String,
    own: Option<Local>,
}

impl Client {
    /// Finds a server.
    ///
    /// # Errors
    /// When the data directory cannot be opened or there is no key to ask with.
    pub async fn connect(global: &Global) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).connect_timeout(CONNECT_TIMEOUT);
        let http = http.no_proxy().build().context("set up the HTTP client")?;
        let kept_key = || fs::read_to_string(global.admin_key_file()).ok().map(|text| text.trim().to_owned());
        if let Some(url) = &global.server {
            let key = global.key.clone().or_else(kept_key).ok_or_else(no_key)?;
            return Ok(Self { http, url: url.trim_end_matches('/').to_owned(), key, own: None });
        }
        if let Some(url) = running_server(global, &http).await {
            let key = global.key.clone().or_else(kept_key).ok_or_else(no_key)?;
            return Ok(Self { http, url, key, own: None });
        }
        let any_port: SocketAddr = ([127, 0, 0, 1], 0).into();
        let own = local::start(global, any_port, tidings_adapters::fjall::Options::default()).await?;
        let key = global.key.clone().or_else(|| Some(own.admin_key.clone()).filter(|key| !key.is_empty()));
        Ok(Self { http, url: own.url(), key: key.ok_or_else(no_key)?, own: Some(own) })
    }

    /// Asks, with a JSON body where there is one; the answer's JSON.
    ///
    /// # Errors
    /// [`Failure`] with the code for the answer's kind.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|error| unreachable(&self.url, &error))?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(|error| unreachable(&self.url, &error))?;
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status.is_success() { Ok(json) } else { Err(failure(status, &json)) }
    }

    /// Sends bytes; the status and the answer's JSON, whatever they are.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn send(
        &self,
        path: &str,
        media_type: Option<&str>,
        bytes: Vec<u8>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let mut request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.key).body(bytes);
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        let answer = request.send().await.map_err(|error| unreachable(&self.url, &error))?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(|error| unreachable(&self.url, &error))?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// [`Failure`] with the code for the answer's kind.
    pub async fn bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.key);
        let answer = request.send().await.map_err(|error| unreachable(&self.url, &error))?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(|error| unreachable(&self.url, &error))?;
        if status.is_success() {
            return Ok(bytes.to_vec());
        }
        Err(failure(status, &serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// Opens a stream, which has no time limit.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn stream(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<reqwest::Response> {
        let http = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).no_proxy().build()?;
        let request = http.get(format!("{}{path}", self.url)).query(query).bearer_auth(&self.key);
        request.send().await.map_err(|error| unreachable(&self.url, &error))
    }

    /// Closes a server of our own.
    pub async fn close(self) {
        if let Some(own) = self.own {
            own.stop().await;
        }
    }
}

/// The URL of a server that runs on the data directory and answers.
async fn running_server(global: &Global, http: &reqwest::Client) -> Option<String> {
    let url = fs::read_to_string(global.server_file()).ok()?.trim().to_owned();
    let answer = http.get(format!("{url}/livez")).send().await.ok()?;
    answer.status().is_success().then_some(url)
}

fn no_key() -> anyhow::Error {
    Failure::error(Failure::NOT_ALLOWED, "no API key to ask with: give one by --key or TIDINGS_KEY")
}

fn unreachable(url: &str, error: &reqwest::Error) -> anyhow::Error {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    Failure::error(Failure::UNREACHABLE, format!("{url} does not answer: {error}{cause}"))
}

/// A refused request, with every fault that the answer names.
pub fn failure(status: StatusCode, problem: &Value) -> anyhow::Error {
    let code = match status.as_u16() {
        401 | 403 => Failure::NOT_ALLOWED,
        404 => Failure::NOT_FOUND,
        409 | 412 | 428 => Failure::CONFLICT,
        429 => Failure::RATE_LIMITED,
        503 | 504 => Failure::UNREACHABLE,
        _ => 1,
    };
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut message = match text(problem, "detail") {
        detail if detail.is_empty() => format!("the server answered {status}"),
        detail => detail,
    };
    for fault in problem.get("errors").and_then(Value::as_array).into_iter().flatten() {
        message.push_str(&format!("\n  {}: {}", text(fault, "pointer"), text(fault, "detail")));
    }
    Failure::error(code, message)
}

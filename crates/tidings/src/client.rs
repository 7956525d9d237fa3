//! The commands' way to a server: the one that was named, the one that runs on the data directory,
//! or one of our own for as long as the command runs.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tidings_core::secret::Secret;

use crate::config::Global;
use crate::exit::Failure;
use crate::local::{self, Local};
use crate::output::text;

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
    pub key: Secret<String>,
    own: Option<Local>,
}

/// What a command needs to find, so that a mistyped directory is not taken for a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// A server that runs: it waits for what others send there.
    Server,
    /// A server, or a directory that was one's: it reads.
    Store,
    /// A server, or a directory, which may be empty: it makes something.
    Directory,
}

impl Client {
    /// Finds a server.
    ///
    /// # Errors
    /// When there is none and the data directory is not what the command needs, when the directory
    /// cannot be opened, or when there is no key to ask with.
    pub async fn connect(global: &Global, needs: Needs) -> anyhow::Result<Self> {
        let url = global.server.as_deref().unwrap_or_default();
        let http = http(url).timeout(TIMEOUT).build().context("set up the HTTP client")?;
        let kept_key = || fs::read_to_string(global.admin_key_file()).ok().map(|text| text.trim().to_owned().into());
        if let Some(url) = &global.server {
            let key = global.key.clone().or_else(kept_key).ok_or_else(no_key)?;
            return Ok(Self { http, url: url.clone(), key, own: None });
        }
        if let Some(url) = running_server(global, &http).await {
            let key = global.key.clone().or_else(kept_key).ok_or_else(no_key)?;
            return Ok(Self { http, url, key, own: None });
        }
        needs.check(&global.data)?;
        let any_port: SocketAddr = ([127, 0, 0, 1], 0).into();
        let own = local::start(global, any_port, tidings_adapters::fjall::Options::default()).await?;
        let key = global.key.clone().or_else(|| Some(own.admin_key.clone()).filter(|key| !key.reveal().is_empty()));
        Ok(Self { http, url: own.url(), key: key.ok_or_else(no_key)?, own: Some(own) })
    }

    /// Asks, with a JSON body where there is one; the answer's JSON.
    ///
    /// # Errors
    /// [`Failure`] with the code for the answer's kind.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let request = self.http.request(method, format!("{}{path}", self.url));
        self.answer(request, body).await
    }

    /// Changes a revision of something shared; refused where it has another one by now.
    ///
    /// # Errors
    /// [`Failure`] with the code for the answer's kind.
    pub async fn change(
        &self,
        method: Method,
        path: &str,
        revision: u64,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let request = self.http.request(method, format!("{}{path}", self.url));
        self.answer(request.header("if-match", format!("\"{revision}\"")), body).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder, body: Option<&Value>) -> anyhow::Result<Value> {
        let mut request = request.bearer_auth(self.key.reveal());
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
        request_id: Option<&str>,
        bytes: Vec<u8>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let mut request = self.http.post(format!("{}{path}", self.url)).bearer_auth(self.key.reveal()).body(bytes);
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        if let Some(id) = request_id {
            request = request.header("x-request-id", id);
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
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(self.key.reveal());
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
        let http = http(&self.url).build().context("set up the HTTP client")?;
        let request = http.get(format!("{}{path}", self.url)).query(query).bearer_auth(self.key.reveal());
        request.send().await.map_err(|error| unreachable(&self.url, &error))
    }

    /// Closes a server of our own.
    pub async fn close(self) {
        if let Some(own) = self.own {
            own.stop().await;
        }
    }
}

/// A client for one server. Only TLS needs the machine's certificate authorities, which may be missing.
fn http(url: &str) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).no_proxy();
    if url.starts_with("https:") { builder } else { builder.tls_certs_only([]) }
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

impl Needs {
    fn check(self, data: &Path) -> anyhow::Result<()> {
        let is_there = match self {
            Self::Server => false,
            Self::Store => data.join("store").is_dir(),
            Self::Directory => data.is_dir(),
        };
        if is_there {
            return Ok(());
        }
        let what = match self {
            Self::Server => "",
            Self::Store => ", and nothing is stored there",
            Self::Directory => ", and there is no such directory",
        };
        let data = data.display();
        let message = format!(
            "no server runs on {data}{what}; start one with `tidings serve --data {data}`, or name another by --data \
             or --server"
        );
        Err(Failure::error(Failure::UNREACHABLE, message))
    }
}

fn unreachable(url: &str, error: &reqwest::Error) -> anyhow::Error {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let cause = if error.is_timeout() { "no answer in time".to_owned() } else { cause.to_string() };
    let message = format!("{url} does not answer: {cause}; is a server running there?");
    Failure::error(Failure::UNREACHABLE, message)
}

/// Says which thing is missing, and how to see those that are there.
pub fn naming<T>(answer: anyhow::Result<T>, what: &str, id: &str, list: &str) -> anyhow::Result<T> {
    answer.map_err(|error| match error.downcast_ref::<Failure>() {
        Some(failure) if failure.code == Failure::NOT_FOUND => {
            Failure::error(Failure::NOT_FOUND, format!("there is no {what} `{id}` that is yours to see; {list}"))
        }
        _ => error,
    })
}

/// A refused request, with every fault that the answer names.
pub fn failure(status: StatusCode, problem: &Value) -> anyhow::Error {
    let code = match status.as_u16() {
        400 | 422 => Failure::USAGE,
        401 | 403 => Failure::NOT_ALLOWED,
        404 => Failure::NOT_FOUND,
        409 | 412 | 428 => Failure::CONFLICT,
        429 => Failure::RATE_LIMITED,
        502..=504 => Failure::UNREACHABLE,
        _ => 1,
    };
    let place = |fault: &Value| match text(fault, "pointer") {
        "" => String::new(),
        pointer => format!("{}: ", pointer.trim_start_matches('/')),
    };
    let faults: Vec<String> = (problem.get("errors").and_then(Value::as_array).into_iter().flatten())
        .map(|fault| format!("{}{}", place(fault), text(fault, "detail")))
        .collect();
    let message = match (faults.as_slice(), text(problem, "detail")) {
        ([], "") => format!("the server answered {status}"),
        ([], detail) => detail.to_owned(),
        ([only], _) => only.clone(),
        (several, _) => format!("{} faults\n  {}", several.len(), several.join("\n  ")),
    };
    Failure::error(code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, expected: u8) {
        let status = StatusCode::from_u16(status).expect("a status");
        let error = failure(status, &serde_json::json!({ "detail": "x" }));
        assert_eq!(error.downcast_ref::<Failure>().map(|failure| failure.code), Some(expected), "{status}");
    }

    #[test]
    fn each_answer_has_its_exit_code() {
        for (status, code) in [(400, 2), (422, 2), (401, 4), (403, 4), (404, 3), (409, 5), (412, 5), (428, 5)] {
            check(status, code);
        }
        for (status, code) in [(429, 6), (503, 7), (504, 7), (500, 1), (413, 1)] {
            check(status, code);
        }
    }

    #[test]
    fn faults_are_named_once_each() {
        let faults = serde_json::json!([{ "pointer": "/a", "detail": "one" }, { "pointer": "", "detail": "two" }]);
        let problem = serde_json::json!({ "detail": "one; and 1 more, see `errors`", "errors": faults });
        let error = failure(StatusCode::UNPROCESSABLE_ENTITY, &problem);
        assert_eq!(error.to_string(), "2 faults\n  a: one\n  two");
    }
}

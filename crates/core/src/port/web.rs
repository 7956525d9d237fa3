use async_trait::async_trait;
use bytes::Bytes;

use crate::port::PortError;
use crate::secret::Secret;

/// What another server is asked.
#[derive(Debug, Clone)]
pub struct WebRequest {
    /// An address of `https`, or of `http` on this machine.
    pub url: String,
    /// Header fields.
    pub headers: Vec<(&'static str, Secret<String>)>,
    /// A form to send by POST; without one it is a GET.
    pub form: Option<Vec<(&'static str, Secret<String>)>>,
}

impl WebRequest {
    /// A GET that asks for JSON.
    pub fn get(url: impl Into<String>) -> Self {
        Self { url: url.into(), headers: vec![("accept", "application/json".to_owned().into())], form: None }
    }
}

/// What it said.
#[derive(Debug, Clone)]
pub struct WebAnswer {
    /// The status code.
    pub status: u16,
    /// The body, whole.
    pub body: Bytes,
}

/// Other servers on the web.
#[async_trait]
pub trait Web: Send + Sync {
    /// Asks once, within some seconds; a redirection is an answer like others, and a body has at most
    /// 1 MiB.
    ///
    /// # Errors
    /// `Retry::Later` where there is no answer, or one that is too large; `Retry::Never` for an address
    /// that is not asked.
    async fn ask(&self, request: WebRequest) -> Result<WebAnswer, PortError>;
}

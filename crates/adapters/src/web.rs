//! Asks other servers on the web, each once and for a short time.

use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use reqwest::redirect::Policy;
use url::{Host, Url};

use tidings_core::port::{PortError, Retry, Web, WebAnswer, WebRequest};

/// How long an answer may take, connecting included.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer, at most.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The web, over TLS with the certificates that this machine trusts.
#[derive(Debug, Clone)]
pub struct Https {
    client: reqwest::Client,
}

impl Https {
    /// Makes the client; nothing is asked yet.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn open() -> Result<Self, PortError> {
        // Another part may have been first; they ask for the same.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(TIMEOUT).redirect(Policy::none()).no_proxy();
        let client = client.user_agent(concat!("tidings/", env!("CARGO_PKG_VERSION"))).build();
        Ok(Self { client: client.map_err(|error| PortError::never("set up a client for the web", error))? })
    }
}

/// The address of a request, if it is one that is asked: without TLS only on this machine.
fn allowed(text: &str) -> Result<Url, PortError> {
    let refuse = |why: &str| PortError {
        what: format!("ask `{}`: {why}", text.chars().take(200).collect::<String>()),
        retry: Retry::Never,
        source: None,
    };
    let url = Url::parse(text).map_err(|_| refuse("it is not an address"))?;
    let is_near = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_near => Ok(url),
        _ => Err(refuse("it must begin with https://, or with http:// on this machine")),
    }
}

#[async_trait]
impl Web for Https {
    async fn ask(&self, request: WebRequest) -> Result<WebAnswer, PortError> {
        let url = allowed(&request.url)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        // The cause of such a fault may hold the whole address, and with it what was asked for.
        let fault = move |error: reqwest::Error| PortError::later(format!("ask {host}"), error.without_url());
        let mut asked = match &request.form {
            None => self.client.get(url),
            Some(form) => {
                let mut body = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in form {
                    body.append_pair(name, value.reveal());
                }
                self.client.post(url).header("content-type", "application/x-www-form-urlencoded").body(body.finish())
            }
        };
        for (name, value) in &request.headers {
            asked = asked.header(*name, value.reveal());
        }
        let mut answer = asked.send().await.map_err(fault.clone())?;
        let status = answer.status().as_u16();
        let mut body = BytesMut::new();
        while let Some(part) = answer.chunk().await.map_err(fault.clone())? {
            if body.len() + part.len() > ANSWER_BYTES_MAX {
                let what = format!("the answer has more than {ANSWER_BYTES_MAX} bytes");
                return Err(PortError { what, retry: Retry::Later, source: None });
            }
            body.extend_from_slice(&part);
        }
        Ok(WebAnswer { status, body: body.freeze() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, is_asked: bool) {
        assert_eq!(allowed(url).is_ok(), is_asked, "{url}");
    }

    #[test]
    fn only_tls_leaves_this_machine() {
        check("https://accounts.example.org/keys", true);
        check("http://127.0.0.1:8080/keys", true);
        check("http://[::1]/keys", true);
        check("http://localhost:1/keys", true);
        check("http://accounts.example.org/keys", false);
        check("http://127.0.0.1.example.org/", false);
        check("http://localhost.example.org/", false);
        check("file:///etc/passwd", false);
        check("ftp://127.0.0.1/", false);
        check("/keys", false);
    }
}

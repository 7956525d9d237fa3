//! Another issuer's documents: its configuration and its keys, fetched from the issuer that was set up
//! and never from an address in a token, kept for a while, and kept longer where it does not answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Map, Value};
use tidings_core::port::{Clock, PortError, Web, WebRequest};
use tidings_core::time::Timestamp;

use super::json;
use super::key_set::KeySet;

/// How long documents are taken as they are.
const FRESH: Duration = Duration::from_secs(3_600);
/// How long one waits before fetching again, whatever happens: a token with an unknown key must not make
/// us ask its issuer each time.
const PAUSE: Duration = Duration::from_secs(60);
/// Issuers kept at hand.
const ISSUERS_MAX: usize = 1_000;

/// What an issuer says of itself (OpenID Connect Discovery 1.0, section 3; RFC 8414, section 2).
#[derive(Debug, Clone)]
pub struct Issuer {
    /// Where people sign in.
    pub authorization_endpoint: Option<String>,
    /// Where codes are swapped for tokens.
    pub token_endpoint: Option<String>,
    /// Where it says more of a person than its ID token does.
    pub userinfo_endpoint: Option<String>,
    /// Its keys.
    pub keys: KeySet,
    fetched: Timestamp,
}

/// The documents of issuers, at hand.
#[derive(Debug, Default)]
pub struct Issuers {
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Debug)]
struct Known {
    issuer: Option<Arc<Issuer>>,
    /// When it was asked last, answered or not.
    asked: Timestamp,
}

impl Issuers {
    /// An issuer's documents; with a `key` id that must be among its keys, they are fetched anew where it
    /// is not, though not more often than once a minute.
    ///
    /// # Errors
    /// When it was never read and does not answer rightly now, or was asked just before.
    pub async fn get(
        &self,
        url: &str,
        key: Option<&str>,
        web: &dyn Web,
        clock: &dyn Clock,
    ) -> Result<Arc<Issuer>, PortError> {
        let now = clock.now();
        let (known, asked) = {
            let known = self.known.lock().expect("no holder panics");
            known.get(url).map_or((None, None), |known| (known.issuer.clone(), Some(known.asked)))
        };
        let age = |since: Timestamp| u128::try_from(now.millis_since(since)).unwrap_or_default();
        let lacks = |issuer: &Issuer| key.is_some_and(|key| !issuer.keys.keys().iter().any(|it| it.id() == Some(key)));
        let may_ask = asked.is_none_or(|asked| age(asked) >= PAUSE.as_millis());
        if let Some(issuer) = &known
            && (!may_ask || age(issuer.fetched) < FRESH.as_millis() && !lacks(issuer))
        {
            return Ok(Arc::clone(issuer));
        }
        if !may_ask {
            return Err(PortError::later(format!("read {url}"), "it did not answer a moment ago"));
        }
        self.note(url, None, now);
        match fetch(url, web, now).await {
            Ok(issuer) => {
                let issuer = Arc::new(issuer);
                self.note(url, Some(issuer.clone()), now);
                Ok(issuer)
            }
            Err(fault) => known.ok_or(fault),
        }
    }

    fn note(&self, url: &str, issuer: Option<Arc<Issuer>>, asked: Timestamp) {
        let mut known = self.known.lock().expect("no holder panics");
        if known.len() >= ISSUERS_MAX && !known.contains_key(url) {
            known.clear();
        }
        let entry = known.entry(url.to_owned()).or_insert(Known { issuer: None, asked });
        entry.asked = asked;
        if issuer.is_some() {
            entry.issuer = issuer;
        }
    }
}

async fn fetch(url: &str, web: &dyn Web, now: Timestamp) -> Result<Issuer, PortError> {
    let base = url.strip_suffix('/').unwrap_or(url);
    let document = read(web, format!("{base}/.well-known/openid-configuration")).await?;
    let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
    // Discovery, section 4.3: else one issuer could speak as another.
    if text("issuer").as_deref() != Some(url) {
        return Err(PortError::later(format!("read {url}"), "its configuration names another issuer"));
    }
    let keys = text("jwks_uri").ok_or_else(|| PortError::later(format!("read {url}"), "it names no keys"))?;
    let answer = web.ask(WebRequest::get(keys)).await?;
    if answer.status != 200 {
        return Err(PortError::later(format!("read the keys of {url}"), format!("status {}", answer.status)));
    }
    let keys = KeySet::parse(&answer.body);
    let keys = keys.map_err(|error| PortError::later(format!("read the keys of {url}"), error))?;
    Ok(Issuer {
        authorization_endpoint: text("authorization_endpoint"),
        token_endpoint: text("token_endpoint"),
        userinfo_endpoint: text("userinfo_endpoint"),
        keys,
        fetched: now,
    })
}

async fn read(web: &dyn Web, url: String) -> Result<Map<String, Value>, PortError> {
    let answer = web.ask(WebRequest::get(url.clone())).await?;
    if answer.status != 200 {
        return Err(PortError::later(format!("read {url}"), format!("status {}", answer.status)));
    }
    json::object(&answer.body).ok_or_else(|| PortError::later(format!("read {url}"), "it is not a JSON object"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidings_testkit::{HandClock, SmallWeb};

    use super::*;
    use crate::token::{SigningAlgorithm, SigningKey};

    const URL: &str = "https://login.example.org";

    fn serve(web: &SmallWeb, issuer: &str, keys: &[&SigningKey]) {
        let document = json!({ "issuer": issuer, "jwks_uri": "https://login.example.org/keys" }).to_string();
        web.answer("https://login.example.org/.well-known/openid-configuration", move |_| (200, document.clone()));
        let keys: Vec<_> = keys.iter().map(|key| key.public().clone()).collect();
        let keys = json!({ "keys": keys }).to_string();
        web.answer("https://login.example.org/keys", move |_| (200, keys.clone()));
    }

    fn key() -> SigningKey {
        SigningKey::generate(SigningAlgorithm::EdDsa).unwrap()
    }

    #[tokio::test]
    async fn documents_are_kept_and_fetched_anew_for_an_unknown_key_though_not_for_each() {
        let (web, clock, issuers) = (SmallWeb::default(), HandClock::default(), Issuers::default());
        let (old, new) = (key(), key());
        serve(&web, URL, &[&old]);
        let get = |key: Option<String>| {
            let (issuers, web, clock) = (&issuers, &web, &clock);
            async move { issuers.get(URL, key.as_deref(), web, clock).await }
        };
        assert_eq!(get(None).await.unwrap().keys.keys().len(), 1);
        get(Some(old.id().to_owned())).await.unwrap();
        assert_eq!(web.asked().len(), 2, "the configuration and the keys, once");
        serve(&web, URL, &[&old, &new]);
        get(Some(new.id().to_owned())).await.unwrap();
        assert_eq!(web.asked().len(), 2, "it was asked a moment ago");
        clock.advance_millis(60_000);
        assert_eq!(get(Some(new.id().to_owned())).await.unwrap().keys.keys().len(), 2);
        clock.advance_millis(60_000);
        for _ in 0..9 {
            get(Some("never heard of".to_owned())).await.unwrap();
        }
        assert_eq!(web.asked().len(), 6, "one more look for all of them");
        // Where it is silent, what it said before is kept.
        web.silence("https://login.example.org/keys");
        clock.advance_hours(9);
        assert_eq!(get(None).await.unwrap().keys.keys().len(), 2);
    }

    #[tokio::test]
    async fn one_issuer_does_not_speak_as_another() {
        let (web, clock, issuers) = (SmallWeb::default(), HandClock::default(), Issuers::default());
        serve(&web, "https://other.example.org", &[&key()]);
        issuers.get(URL, None, &web, &clock).await.unwrap_err();
        serve(&web, URL, &[&key()]);
        issuers.get(URL, None, &web, &clock).await.unwrap_err();
        clock.advance_millis(60_000);
        issuers.get(URL, None, &web, &clock).await.unwrap();
    }
}

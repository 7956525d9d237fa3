//! What clients do to the server, and what each of them knows: what was answered, what was not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Method;
use serde_json::{Value, json};
use tidings_core::time::Timestamp;

use super::Fault;
use crate::server::Server;

/// Messages of a chain at most.
const CHAIN_MAX: u32 = 5;
/// Letters of a long description: some fill the store's memory, so that it writes tables.
const LONG: usize = 60_000;

/// Posts chains of messages: a first one, updates that rise and fall, a cancel.
#[derive(Debug)]
pub struct Publisher {
    name: u32,
    dice: StdRng,
    chain: u32,
    step: u32,
    /// Posts whose answer never came; they are sent again.
    unheard: Vec<Value>,
    /// The id answered for each message, under the sender's own id.
    pub accepted: BTreeMap<String, String>,
    /// Those since this was last cleared.
    pub fresh: Vec<String>,
    last: Option<Value>,
}

impl Publisher {
    pub fn new(name: u32, seed: u64) -> Self {
        let dice = StdRng::seed_from_u64(seed ^ u64::from(name) << 32);
        let (accepted, fresh) = (BTreeMap::new(), Vec::new());
        Self { name, dice, chain: 0, step: 0, unheard: Vec::new(), accepted, fresh, last: None }
    }

    /// Posts until the server is gone; first what it may not have heard.
    pub async fn run(&mut self, server: Arc<Server>) -> Result<(), Fault> {
        self.repeat(&server).await?;
        while self.unheard.is_empty() {
            let again = self.last.clone().filter(|_| self.dice.random_ratio(1, 6));
            let body = again.unwrap_or_else(|| self.next_post());
            self.post(&server, body).await?;
        }
        Ok(())
    }

    /// Sends again what was not answered.
    pub async fn repeat(&mut self, server: &Server) -> Result<(), Fault> {
        for body in std::mem::take(&mut self.unheard) {
            self.post(server, body).await?;
        }
        Ok(())
    }

    async fn post(&mut self, server: &Server, body: Value) -> Result<(), Fault> {
        let answer = match server.ask(Method::POST, "/v1/events", &server.key, Some(&body)).await {
            Some((202, answer)) => answer,
            // Not stored, as far as the server can tell: its disk is gone.
            None | Some((500.., _)) => {
                self.unheard.push(body);
                return Ok(());
            }
            Some(other) => return Err(Fault::Wrong(format!("a post was answered {other:?}"))),
        };
        let items = body.as_array().map_or(std::slice::from_ref(&body), Vec::as_slice);
        let results = answer["results"].as_array().map_or(&[][..], Vec::as_slice);
        if results.len() != items.len() {
            return Err(Fault::Wrong(format!("{} messages were answered {answer}", items.len())));
        }
        for (item, result) in items.iter().zip(results) {
            let (name, id) = (text(&item["id"]), text(&result["id"]));
            let known = self.accepted.insert(name.clone(), id.clone());
            if known.as_ref().is_some_and(|known| *known != id) {
                return Err(Fault::Wrong(format!("{name} is {known:?} and later {id}")));
            }
            if known.is_none() {
                self.fresh.push(id);
            }
        }
        self.last = Some(body);
        Ok(())
    }

    fn next_post(&mut self) -> Value {
        if self.dice.random_ratio(1, 4) {
            let count = self.dice.random_range(1..=4);
            return (0..count).map(|_| self.next_message()).collect();
        }
        self.next_message()
    }

    fn next_message(&mut self) -> Value {
        let (chain, step) = (format!("c{}-{}", self.name, self.chain), self.step);
        let is_last = step + 1 >= CHAIN_MAX || step > 0 && self.dice.random_ratio(1, 4);
        let action = match (step, is_last) {
            (0, _) => "new",
            (_, true) => "cancel",
            (_, false) => "update",
        };
        (self.chain, self.step) = if is_last { (self.chain + 1, 0) } else { (self.chain, step + 1) };
        let severity = ["Minor", "Moderate", "Severe", "Extreme"][self.dice.random_range(0..4)];
        let category = ["flood", "wildfire"][self.chain as usize % 2];
        let length = if self.dice.random_ratio(1, 6) { LONG } else { 10 };
        // Some messages are older than the one before them.
        let sent = now().as_millis() - self.dice.random_range(0..3) * 20;
        json!({
            "id": format!("{chain}-{step}"), "thread": chain, "action": action, "category": category,
            "severity": severity, "title": format!("{category} {chain}"), "sent": Timestamp::from_millis(sent),
            "lat": 40.0 + f64::from(self.dice.random_range(0..8)), "lon": 12.0,
            "texts": [{"lang": "en", "description": "x".repeat(length)}],
        })
    }
}

/// Makes, changes, pauses and deletes subscriptions of their own.
#[derive(Debug)]
pub struct Subscriber {
    dice: StdRng,
    key: String,
    /// The revision last answered of each subscription, 0 once its deletion was answered.
    known: BTreeMap<String, u64>,
    /// The subscription whose last change was not answered; empty where it was to be made.
    in_doubt: Option<String>,
}

impl Subscriber {
    /// One with a key of their own.
    pub async fn new(name: &str, seed: u64, server: &Server) -> Result<Self, Fault> {
        let wanted = json!({"role": "viewer", "user": name});
        let answer = server.ask(Method::POST, "/v1/keys", &server.key, Some(&wanted)).await;
        let Some((201, answer)) = answer else { return Err(Fault::Wrong(format!("no key: {answer:?}"))) };
        let dice = StdRng::seed_from_u64(seed);
        Ok(Self { dice, key: text(&answer["key"]), known: BTreeMap::new(), in_doubt: None })
    }

    /// Compares what the server has with what it answered, then changes subscriptions until it is
    /// gone.
    pub async fn run(&mut self, server: Arc<Server>) -> Result<(), Fault> {
        while self.in_doubt.is_none() {
            let live: Vec<String> = self.live().map(|(id, _)| id.clone()).collect();
            let number = self.dice.random_range(0..live.len() + 1);
            match live.get(number) {
                Some(id) => self.change(&server, id.clone()).await?,
                None if live.len() < 4 => self.create(&server).await?,
                None => {}
            }
        }
        Ok(())
    }

    fn live(&self) -> impl Iterator<Item = (&String, &u64)> {
        self.known.iter().filter(|(_, revision)| **revision > 0)
    }

    /// What was answered is still there; what was in doubt is either.
    pub async fn check(&mut self, server: &Server) -> Result<(), Fault> {
        let answer = server.ask(Method::GET, "/v1/subscriptions", &self.key, None).await;
        let Some((200, answer)) = answer else {
            return Err(Fault::Lost(format!("a key was made and is gone: {answer:?}")));
        };
        let found: BTreeMap<String, u64> = answer["data"].as_array().into_iter().flatten().map(entry).collect();
        let doubt = self.in_doubt.take();
        for (id, revision) in &self.known {
            let there = found.get(id).copied().unwrap_or(0);
            let may_differ = doubt.as_ref() == Some(id) && (there == revision + 1 || there == 0);
            if there != *revision && !may_differ {
                return Err(Fault::Lost(format!("revision {revision} of {id} was answered and there is {there}")));
            }
        }
        for id in found.keys().filter(|id| !self.known.contains_key(*id)) {
            if doubt.as_deref() != Some("") {
                return Err(Fault::Wrong(format!("nobody made {id}")));
            }
        }
        self.known.values_mut().for_each(|revision| *revision = 0);
        self.known.extend(found);
        Ok(())
    }

    async fn create(&mut self, server: &Server) -> Result<(), Fault> {
        let body = self.wish();
        match server.ask(Method::POST, "/v1/subscriptions", &self.key, Some(&body)).await {
            None | Some((500.., _)) => self.in_doubt = Some(String::new()),
            Some((201, answer)) => self.known.extend([entry(&answer)]),
            Some(other) => return Err(Fault::Wrong(format!("a new subscription was answered {other:?}"))),
        }
        Ok(())
    }

    async fn change(&mut self, server: &Server, id: String) -> Result<(), Fault> {
        let path = format!("/v1/subscriptions/{id}");
        let (method, path, body) = match self.dice.random_range(0..8) {
            0 => (Method::DELETE, path, None),
            1 | 2 => (Method::POST, format!("{path}:pause"), Some(json!({}))),
            3 | 4 => (Method::POST, format!("{path}:resume"), Some(json!({}))),
            _ => (Method::PATCH, path, Some(self.wish())),
        };
        match server.ask(method, &path, &self.key, body.as_ref()).await {
            None | Some((500.., _)) => self.in_doubt = Some(id),
            Some((200, answer)) => self.known.extend([entry(&answer)]),
            Some((204, _)) => self.known.extend([(id, 0)]),
            Some(other) => return Err(Fault::Wrong(format!("a change of {id} was answered {other:?}"))),
        }
        Ok(())
    }

    fn wish(&mut self) -> Value {
        let filter = match self.dice.random_range(0..3) {
            0 => json!({"category": "flood"}),
            1 => json!({"severity_min": "Severe"}),
            _ => json!({"near": {"lat": 43.0, "lon": 12.0, "radius_km": 200}}),
        };
        let updates = ["first", "escalations", "until_cancelled", "all"][self.dice.random_range(0..4)];
        json!({"filter": filter, "updates": updates})
    }
}

fn entry(subscription: &Value) -> (String, u64) {
    (text(&subscription["id"]), subscription["revision"].as_u64().unwrap_or(0))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    Timestamp::from_millis(i64::try_from(since.as_millis()).expect("it is before the year 292 million"))
}

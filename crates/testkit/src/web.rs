//! Servers that answer from a table.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tidings_core::port::{PortError, Web, WebAnswer, WebRequest};

/// Answers by address; clones share them.
#[derive(Clone, Default)]
pub struct SmallWeb(Arc<Mutex<Table>>);

type Answering = Arc<dyn Fn(&WebRequest) -> WebAnswer + Send + Sync>;

#[derive(Default)]
struct Table {
    answers: HashMap<String, Answering>,
    asked: Vec<WebRequest>,
}

impl std::fmt::Debug for SmallWeb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SmallWeb")
    }
}

impl SmallWeb {
    /// Answers an address with what `answer` makes of the request: a status and a body.
    ///
    /// # Panics
    /// When another holder panicked.
    pub fn answer(&self, url: &str, answer: impl Fn(&WebRequest) -> (u16, String) + Send + Sync + 'static) {
        let answering = move |request: &WebRequest| {
            let (status, body) = answer(request);
            WebAnswer { status, body: body.into() }
        };
        self.0.lock().expect("no holder panics").answers.insert(url.to_owned(), Arc::new(answering));
    }

    /// Lets an address answer no more.
    ///
    /// # Panics
    /// When another holder panicked.
    pub fn silence(&self, url: &str) {
        self.0.lock().expect("no holder panics").answers.remove(url);
    }

    /// What was asked so far.
    ///
    /// # Panics
    /// When another holder panicked.
    pub fn asked(&self) -> Vec<WebRequest> {
        self.0.lock().expect("no holder panics").asked.clone()
    }
}

#[async_trait]
impl Web for SmallWeb {
    async fn ask(&self, request: WebRequest) -> Result<WebAnswer, PortError> {
        let answering = {
            let mut table = self.0.lock().expect("no holder panics");
            table.asked.push(request.clone());
            table.answers.get(&request.url).cloned()
        };
        answering.map(|answer| answer(&request)).ok_or_else(|| PortError::later("ask a server", "nobody is there"))
    }
}

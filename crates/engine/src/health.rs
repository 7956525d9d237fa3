//! Whether the parts do their work.

use serde::Serialize;
use tidings_core::position::Position;

use crate::Engine;

/// One part and how it is.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Which part.
    pub name: &'static str,
    /// True where it does its work.
    pub ok: bool,
    /// How far behind it is, or what is wrong.
    pub detail: String,
}

impl Engine {
    /// How each part is: the log, the notifier, the read view.
    pub async fn checks(&self) -> Vec<Check> {
        let head = self.ports.log.head();
        let log = self.ports.log.read(head, 1, 1).await.map(|_| head);
        let notifier = self.ports.deliveries.notifier_cursor().await.map(|cursor| cursor.position);
        let view = self.ports.projection.cursor().await;
        let check = |name, at: Result<Position, _>| match at {
            Ok(at) => {
                Check { name, ok: true, detail: format!("{} entries behind", head.offset.saturating_sub(at.offset)) }
            }
            Err(error) => Check { name, ok: false, detail: format!("{error}") },
        };
        vec![check("log", log), check("notifier", notifier), check("view", view)]
    }
}

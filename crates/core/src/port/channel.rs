use async_trait::async_trait;

use crate::port::PortError;

/// Where a delivery goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A mailbox.
    Email(String),
}

/// One message for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Where it goes.
    pub to: Address,
    /// Its first line.
    pub subject: String,
    /// The rest, as plain text.
    pub text: String,
}

/// What the outside world said when it took a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Its name for the delivery, where it gives one.
    pub id: Option<String>,
}

/// A way to reach a person.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Hands one delivery to the outside world, once.
    ///
    /// # Errors
    /// `Retry::Later` or `Retry::After` when the medium may recover; `Retry::Never` when this address
    /// will never work.
    async fn deliver(&self, delivery: &Delivery) -> Result<Receipt, PortError>;
}

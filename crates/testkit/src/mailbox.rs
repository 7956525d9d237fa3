//! A channel that keeps what it is given.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tidings_core::port::{Address, Channel, Delivery, PortError, Receipt};

/// Deliveries, oldest first. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Mailbox(Arc<Mutex<Vec<Delivery>>>);

impl Mailbox {
    /// All that came.
    ///
    /// # Panics
    /// When another holder panicked.
    pub fn all(&self) -> Vec<Delivery> {
        self.0.lock().expect("no holder panics").clone()
    }

    /// The last one to an address, once there is one, within some seconds.
    ///
    /// # Panics
    /// When none comes.
    pub async fn last_to(&self, address: &str) -> Delivery {
        for _ in 0..500 {
            let to = Address::Email(address.to_owned());
            if let Some(found) = self.all().into_iter().rfind(|delivery| delivery.to == to) {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("nothing was delivered to {address}");
    }
}

#[async_trait]
impl Channel for Mailbox {
    async fn deliver(&self, delivery: &Delivery) -> Result<Receipt, PortError> {
        self.0.lock().expect("no holder panics").push(delivery.clone());
        Ok(Receipt::default())
    }
}

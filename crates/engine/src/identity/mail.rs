//! What people who have an account are written.

use std::sync::Arc;

use tidings_core::id::TenantId;
use tidings_core::port::{Address, Delivery};
use tidings_core::secret::Secret;
use tracing::warn;

use crate::engine::Engine;

impl Engine {
    pub(super) fn send_invitation(&self, to: &str, tenant: &TenantId, link: &Secret<String>) {
        let address = self.link_address("join", link);
        let address = address.reveal();
        let text = format!(
            "You have been invited to Tidings, into the tenant {tenant}.\n\nTo join, open this link within seven \
             days; it works once:\n\n{address}\n\nIf you do not know why you got this, leave it be: nothing happens \
             then."
        );
        self.send(to, format!("You are invited to {tenant} on Tidings"), text);
    }

    pub(super) fn send_reset_link(&self, to: &str, link: &Secret<String>) {
        let address = self.link_address("reset", link);
        let address = address.reveal();
        let text = format!(
            "Someone, probably you, asked for a new password for Tidings.\n\nTo choose one, open this link within \
             the hour; it works once:\n\n{address}\n\nIf it was not you, leave it be: your password stays as it is."
        );
        self.send(to, "A new password for Tidings".to_owned(), text);
    }

    pub(super) fn send_email_link(&self, to: &str, link: &Secret<String>) {
        let address = self.link_address("verify", link);
        let address = address.reveal();
        let text = format!(
            "To use this address with your Tidings account, open this link within a day; it works once:\n\n\
             {address}\n\nIf you did not ask for it, leave it be."
        );
        self.send(to, "Is this your address?".to_owned(), text);
    }

    pub(super) fn send_change_notice(&self, to: &str, new: &str) {
        let text = format!(
            "Someone who knows your password asked for another address of your Tidings account: {new}.\n\nIt takes \
             the place of this one when the link that was sent there is used. If it was not you, change your \
             password now: the link ends with it."
        );
        self.send(to, "Your address is about to change".to_owned(), text);
    }

    /// The secret stands in the fragment, which no server log and no referrer shows.
    fn link_address(&self, purpose: &str, link: &Secret<String>) -> Secret<String> {
        Secret::new(format!("{}/account#{purpose}={}", self.public_url(), link.reveal()))
    }

    /// Sends it beside whatever goes on, so that nobody can tell by the time whether something is sent.
    fn send(&self, to: &str, subject: String, text: String) {
        let delivery = Delivery { to: Address::Email(to.to_owned()), subject, text };
        let mail = Arc::clone(&self.ports.mail);
        tokio::spawn(async move {
            if let Err(fault) = mail.deliver(&delivery).await {
                let cause = fault.source.as_ref().map(ToString::to_string).unwrap_or_default();
                warn!(code = "mail_not_sent", "a message to a user was not sent: {fault}: {cause}");
            }
        });
    }
}

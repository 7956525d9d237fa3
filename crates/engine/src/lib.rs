#![doc = include_str!("../README.md")]

mod engine;
mod access;
mod subscriptions;
mod reading;
mod stream;
mod view;

pub use access::{NewKey, SecretKey};
pub use engine::{Engine, Options, Ports};
pub use reading::{Condition, EventPage, Explanation, PageRequest};
pub use stream::{InboxFrame, InboxReader, StreamError, TailFrame, TailReader};
pub use subscriptions::{ControlError, Fault, SubscriptionDraft, SubscriptionPatch};
pub use view::{EventView, NotificationView, Step};

//! One file or folder per technology: storage, search, places, channels. Each implements ports of
//! the core and knows nothing of the others.

pub mod clock;
pub mod console;
pub mod fjall;
pub mod gazetteer;
pub mod tantivy;
pub mod web;

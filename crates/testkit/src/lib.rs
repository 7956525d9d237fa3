//! What tests stand on: storage in memory, a clock turned by hand, ports that fail on command, and
//! the contract suites that every adapter of a port passes.

pub mod contract;
pub mod sample;
mod clock;
mod failing;
mod mailbox;
mod memory;
mod view;
mod web;
mod atlas;
mod world;

pub use atlas::SmallAtlas;
pub use clock::{HandClock, START, SeededRandomness};
pub use failing::{Failing, Faults, TakenStep};
pub use mailbox::Mailbox;
pub use memory::MemoryStore;
pub use view::MemoryView;
pub use web::SmallWeb;
pub use world::{World, ports};

//! The engine through its own interface, over ports in memory.

mod line;
mod chains;

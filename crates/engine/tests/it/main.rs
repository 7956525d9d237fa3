//! The engine through its own interface, over ports in memory.

mod line;
mod zones;
mod lifecycle;
mod chains;
mod broad;

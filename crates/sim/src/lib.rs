#![doc = include_str!("../README.md")]

mod dice;
mod geography;
mod climate;
mod language;
mod city;
mod hazard;
mod seismic;
mod bulletin;
mod write;
mod story;
mod bad;
mod message;
mod world;
mod subscriptions;

pub use city::{City, cities, population_point};
pub use dice::Dice;
pub use message::{Intent, Kind, Message};
pub use subscriptions::subscriptions;
pub use world::{BAD_SHARE, DUPLICATE_SHARE, LATE_SHARE, World};

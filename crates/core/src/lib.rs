#![doc = include_str!("../README.md")]

pub mod time;
pub mod id;
pub mod vocabulary;
pub mod geometry;
pub mod position;
pub mod principal;
pub mod envelope;
pub mod draft;
pub mod event;
pub mod rejection;
pub mod batch;
pub mod decode;
pub mod filter;
pub mod subscription;
pub mod port;

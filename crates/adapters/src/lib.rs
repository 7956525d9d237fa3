//! placeholder
pub mod gazetteer;

pub mod tantivy;

//! Log lines on stderr: text on a terminal, JSON otherwise.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Global, LogFormat};

/// Starts logging.
pub fn start(global: &Global) {
    // It was read once already, when the arguments were.
    let filter = EnvFilter::new(quiet_libraries(&global.log));
    let is_terminal = std::io::stderr().is_terminal();
    let format = global.log_format.unwrap_or(if is_terminal { LogFormat::Text } else { LogFormat::Json });
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => {
            let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(is_terminal);
            registry.with(layer).init();
        }
        LogFormat::Json => {
            let layer = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false);
            registry.with(layer.with_span_list(false).with_writer(std::io::stderr)).init();
        }
    }
}

/// The storage and search libraries tell of every table and segment; that is for their developers.
fn quiet_libraries(level: &str) -> String {
    if level.contains('=') || level.contains(',') {
        return level.to_owned();
    }
    format!("{level},fjall=warn,lsm_tree=warn,tantivy=warn,hyper=warn,reqwest=warn,tungstenite=warn,h2=warn")
}

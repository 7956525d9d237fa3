//! What may be set: flags over environment over defaults. Only this file reads the environment.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tidings_core::secret::Secret;

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The directory that holds everything a server keeps
    #[arg(long, global = true, env = "TIDINGS_DATA", value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// The server to ask; by default the one that runs on the data directory
    #[arg(long, global = true, env = "TIDINGS_SERVER", value_name = "URL", value_parser = server)]
    pub server: Option<String>,
    /// The API key to ask with; by default DIR/admin.key
    #[arg(long, global = true, env = "TIDINGS_KEY", value_name = "KEY", hide_env_values = true)]
    pub key: Option<Secret<String>>,
    /// What to log: error, warn, info, debug, trace, or by module
    #[arg(long, global = true, env = "TIDINGS_LOG", value_name = "LEVEL", default_value = "info", value_parser = level)]
    pub log: String,
    /// How to log: text on a terminal, JSON otherwise
    #[arg(long, global = true, env = "TIDINGS_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Letters that a line of a table may have; as wide as it gets by default
    #[arg(long, global = true, env = "COLUMNS", value_name = "N", hide = true)]
    pub columns: Option<usize>,
}

fn server(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.map(|_| text.trim_end_matches('/').to_owned())
        .ok_or_else(|| "write a URL like http://127.0.0.1:8080".to_owned())
}

fn level(text: &str) -> Result<String, String> {
    match tracing_subscriber::EnvFilter::builder().parse(text) {
        Ok(_) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => Err("write error, warn, info, debug or trace, or module=level pairs like tidings_http=debug".to_owned()),
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Global {
    /// Where `serve` keeps the first Admin key.
    pub fn admin_key_file(&self) -> PathBuf {
        self.data.join("admin.key")
    }

    /// Where `serve` says how it can be reached.
    pub fn server_file(&self) -> PathBuf {
        self.data.join("server.url")
    }
}

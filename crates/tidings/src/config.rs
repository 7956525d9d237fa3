//! What may be set: flags over environment over defaults. Only this file reads the environment.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The directory that holds everything a server keeps
    #[arg(long, global = true, env = "TIDINGS_DATA", value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// The server to ask; by default the one that runs on the data directory
    #[arg(long, global = true, env = "TIDINGS_SERVER", value_name = "URL")]
    pub server: Option<String>,
    /// The API key to ask with; by default DIR/admin.key
    #[arg(long, global = true, env = "TIDINGS_KEY", value_name = "KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// What to log: error, warn, info, debug, trace, or by module
    #[arg(long, global = true, env = "TIDINGS_LOG", value_name = "LEVEL", default_value = "info")]
    pub log: String,
    /// How to log: text on a terminal, JSON otherwise
    #[arg(long, global = true, env = "TIDINGS_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
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

//! How a server is reached: TLS, the proxies that it believes, and the sites that may call it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::builder::FalseyValueParser;
use tidings_http::{CorsOrigin, Network, Tls, TlsFiles};
use url::Url;

use crate::exit::Failure;
use crate::local::Reach;

/// What stands between a server and the network.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct Transport {
    /// Serve over TLS with this certificate chain in PEM; read again whenever the file changes
    #[arg(long, env = "TIDINGS_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of that certificate, in PEM
    #[arg(long, env = "TIDINGS_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Let only those connect who have a certificate of these authorities
    #[arg(long, env = "TIDINGS_TLS_CLIENT_CA", value_name = "FILE", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
    /// Believe `Forwarded` and `X-Forwarded-For`, `-Proto` and `-Host` of these peers; none by default
    #[arg(long, env = "TIDINGS_TRUSTED_PROXY", value_name = "CIDR", num_args = 1.., value_delimiter = ',')]
    trusted_proxy: Vec<Network>,
    /// Let pages of these sites call the API, with a key and never with a cookie; none by default
    #[arg(long, env = "TIDINGS_CORS_ORIGIN", value_name = "URL", num_args = 1.., value_delimiter = ',')]
    cors_origin: Vec<CorsOrigin>,
    /// The address under which people reach this server, for links and tokens; by default the one it listens on
    #[arg(long, env = "TIDINGS_PUBLIC_URL", value_name = "URL")]
    public_url: Option<Url>,
    /// Serve others without TLS: keys and events can be read and changed on their way
    #[arg(long, env = "TIDINGS_PLAIN_HTTP", value_parser = FalseyValueParser::new())]
    plain_http: bool,
}

impl Transport {
    /// True where someone said that this is to be plain HTTP.
    pub fn is_plain_http(&self) -> bool {
        self.plain_http
    }

    /// Reads the files, and refuses an address that others can reach where nothing protects it.
    ///
    /// # Errors
    /// [`Failure::USAGE`] for that, and for files that cannot be used.
    pub fn open(self, listen: SocketAddr) -> anyhow::Result<Reach> {
        let is_protected = self.tls_cert.is_some() || !self.trusted_proxy.is_empty() || self.plain_http;
        if !listen.ip().to_canonical().is_loopback() && !is_protected {
            let message = format!(
                "others can reach {listen}, and nothing there protects keys and events on their way: give TLS files \
                 (--tls-cert FILE --tls-key FILE), name the proxy that ends TLS (--trusted-proxy CIDR), or say \
                 --plain-http"
            );
            return Err(Failure::error(Failure::USAGE, message));
        }
        let tls = match (self.tls_cert, self.tls_key) {
            (Some(certificate), Some(key)) => {
                let tls = Tls::open(TlsFiles { certificate, key, client_ca: self.tls_client_ca });
                let tls = tls.map_err(|error| {
                    Failure::error(Failure::USAGE, format!("start TLS: {:#}", anyhow::Error::new(error)))
                })?;
                Some(Arc::new(tls))
            }
            _ => None,
        };
        let http = tidings_http::Options {
            trusted_proxies: self.trusted_proxy,
            cors_origins: self.cors_origin,
            ..tidings_http::Options::default()
        };
        Ok(Reach { http, tls, public_url: self.public_url.map(|url| url.to_string()) })
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;

    /// Whether a server may listen there.
    fn check(listen: &str, flags: &[&str], expected: bool) {
        let command = Transport::augment_args(Command::new("serve").no_binary_name(true));
        let matches = command.try_get_matches_from(flags).expect("good flags");
        let transport = Transport::from_arg_matches(&matches).expect("good flags");
        let reach = transport.open(listen.parse().expect("an address"));
        assert_eq!(reach.is_ok(), expected, "{listen} {flags:?}");
    }

    #[test]
    fn others_are_served_only_with_protection_or_on_demand() {
        for listen in ["127.0.0.1:80", "127.8.8.8:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            check(listen, &[], true);
        }
        for listen in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80", "[2001:db8::1]:80"] {
            check(listen, &[], false);
            check(listen, &["--cors-origin", "https://app.example"], false);
            check(listen, &["--trusted-proxy", "10.0.0.0/8,192.0.2.7", "2001:db8::/32"], true);
            check(listen, &["--plain-http"], true);
        }
    }
}

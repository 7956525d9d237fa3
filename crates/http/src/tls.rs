//! TLS 1.2 and 1.3 from files that may be renewed while connections live.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::digest;
use axum_server::tls_rustls::RustlsConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, version};
use tidings_core::secret::Secret;

/// Bytes of one file; a chain has some thousand.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// HTTP/2 where the client can, else HTTP/1.1, over which WebSockets are opened.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The files of a server's TLS, all in PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, followed by those of the authorities between it and a root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities of client certificates; when set, nobody connects without one.
    pub client_ca: Option<PathBuf>,
}

/// Why files cannot be used for TLS.
#[derive(Debug)]
pub struct TlsError {
    what: String,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl std::fmt::Display for TlsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

/// A server's TLS: what is in force, and the files that it is renewed from.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    in_force: InForce,
    /// The digest of the files when they were last looked at, good or bad.
    seen: Mutex<Vec<u8>>,
}

struct InForce(RustlsConfig);

impl std::fmt::Debug for InForce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InForce")
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// When one cannot be read or is not what it should be, or key and certificate do not belong
    /// together; it names the file.
    pub fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let pems = Pems::read(&files)?;
        let config = pems.config(&files)?;
        let seen = Mutex::new(pems.digest());
        Ok(Self { files, in_force: InForce(RustlsConfig::from_config(Arc::new(config))), seen })
    }

    /// Looks at the files; true where they have changed and new connections use what they hold now.
    /// Those that are open go on as they are. Files that were looked at before are not tried again.
    ///
    /// # Errors
    /// When they have changed and cannot be used; what was in force stays so.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let pems = Pems::read(&self.files)?;
        let digest = pems.digest();
        let mut seen = self.seen.lock().expect("no holder panics");
        if *seen == digest {
            return Ok(false);
        }
        *seen = digest;
        let config = pems.config(&self.files)?;
        self.in_force.0.reload_from_config(Arc::new(config));
        Ok(true)
    }

    /// Reloads and says how it went in the log.
    pub fn reload_and_say(&self) {
        match self.reload() {
            Ok(true) => tracing::info!("new TLS files are in force from {}", self.files.certificate.display()),
            Ok(false) => {}
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                tracing::error!(code = "tls_not_renewed", "{error}: {cause}; the TLS files read before stay in force");
            }
        }
    }

    pub(crate) fn config(&self) -> RustlsConfig {
        self.in_force.0.clone()
    }

    /// Looks at the files for ever.
    pub(crate) async fn watch(self: Arc<Self>, every: Duration) -> std::convert::Infallible {
        loop {
            tokio::time::sleep(every).await;
            let tls = Arc::clone(&self);
            if tokio::task::spawn_blocking(move || tls.reload_and_say()).await.is_err() {
                tracing::error!(code = "tls_not_renewed", "a look at the TLS files panicked");
            }
        }
    }
}

/// What the files hold.
struct Pems {
    certificate: Vec<u8>,
    key: Secret<Vec<u8>>,
    client_ca: Option<Vec<u8>>,
}

impl Pems {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: read(&files.key)?.into(),
            client_ca: files.client_ca.as_deref().map(read).transpose()?,
        })
    }

    fn digest(&self) -> Vec<u8> {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [&self.certificate, self.key.reveal(), self.client_ca.as_ref().unwrap_or(&Vec::new())] {
            context.update(&part.len().to_be_bytes());
            context.update(part);
        }
        context.finish().as_ref().to_vec()
    }

    fn config(&self, files: &TlsFiles) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(|error| fault("set up TLS", error))?;
        let builder = match (&self.client_ca, &files.client_ca) {
            (Some(pem), Some(file)) => {
                let reading = |error| fault(&format!("use the authorities in {}", file.display()), error);
                let mut roots = RootCertStore::empty();
                for authority in certificates(pem, file)? {
                    roots.add(authority).map_err(reading)?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = verifier
                    .build()
                    .map_err(|error| fault(&format!("use the authorities in {}", file.display()), error))?;
                builder.with_client_cert_verifier(verifier)
            }
            _ => builder.with_no_client_auth(),
        };
        let key = PrivateKeyDer::from_pem_slice(self.key.reveal())
            .map_err(|error| fault(&format!("read the private key in {}", files.key.display()), error))?;
        let both = format!("use {} with {}", files.certificate.display(), files.key.display());
        let certificates = certificates(&self.certificate, &files.certificate)?;
        let mut config = builder.with_single_cert(certificates, key).map_err(|error| fault(&both, error))?;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(config)
    }
}

fn fault(what: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> TlsError {
    TlsError { what: what.to_owned(), source: source.into() }
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    let reading = |error: std::io::Error| fault(&format!("read {}", file.display()), error);
    let mut bytes = Vec::new();
    File::open(file).and_then(|open| open.take(FILE_BYTES_MAX).read_to_end(&mut bytes)).map_err(reading)?;
    Ok(bytes)
}

fn certificates(pem: &[u8], file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let what = format!("read the certificates in {}", file.display());
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| fault(&what, error))?;
    if certificates.is_empty() {
        return Err(fault(&what, "there is none"));
    }
    Ok(certificates)
}

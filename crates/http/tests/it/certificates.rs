//! Certificates made for a test.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use tidings_http::TlsFiles;

/// The host that they are for.
pub(crate) const HOST: &str = "tidings.example";

/// An authority that signs whatever a test asks for.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, both in PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
    pub(crate) der: Vec<u8>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signs"))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }

    pub(crate) fn pair(&self) -> Pair {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![HOST.to_owned()]).expect("a name");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.0).expect("signs");
        Pair { certificate: certificate.pem(), key: key.serialize_pem(), der: certificate.der().to_vec() }
    }
}

/// The files of a server in a folder of their own.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn with(pair: &Pair) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        folder.put(pair);
        folder
    }

    pub(crate) fn put(&self, pair: &Pair) {
        std::fs::write(self.file("cert.pem"), &pair.certificate).expect("writes");
        std::fs::write(self.file("key.pem"), &pair.key).expect("writes");
    }

    pub(crate) fn file(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Those files; with an authority of clients where one is given.
    pub(crate) fn files(&self, clients: Option<&Authority>) -> TlsFiles {
        let client_ca = clients.map(|authority| {
            std::fs::write(self.file("clients.pem"), authority.pem()).expect("writes");
            self.file("clients.pem")
        });
        TlsFiles { certificate: self.file("cert.pem"), key: self.file("key.pem"), client_ca }
    }
}

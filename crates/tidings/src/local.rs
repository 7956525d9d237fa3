//! A server in this process on a port of its own: what `serve` runs, and what client commands talk
//! to when no server runs on the data directory.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use tidings_core::id::TenantId;
use tidings_core::permission::Role;
use tidings_core::principal::Principal;
use tidings_core::secret::Secret;
use tidings_engine::{Engine, NewKey};
use tidings_http::{App, Tls};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::config::Global;
use crate::wire::{self, Embedded};

/// A running server.
#[derive(Debug)]
pub struct Local {
    /// Where it listens.
    pub address: SocketAddr,
    /// The Admin key of the data directory.
    pub admin_key: Secret<String>,
    /// True where that key was just made.
    pub is_new_key: bool,
    /// The HTTP interface.
    pub app: App,
    embedded: Embedded,
    /// Where commands on this machine find it, where that is another place.
    commands: Option<SocketAddr>,
    /// Dropped with the owner of this server, which ends it too.
    stop: DropGuard,
    serving: JoinHandle<std::io::Result<()>>,
}

/// How a server is reached.
#[derive(Debug, Default)]
pub struct Reach {
    /// What its HTTP interface is told.
    pub http: tidings_http::Options,
    /// Its TLS, where it has any.
    pub tls: Option<Arc<Tls>>,
    /// The address under which people reach it, where that is not its own.
    pub public_url: Option<String>,
}

/// Starts a server on the data directory.
///
/// # Errors
/// When the directory cannot be opened or the address cannot be bound; both say what to do.
pub async fn start(
    global: &Global,
    listen: SocketAddr,
    storage: tidings_adapters::fjall::Options,
) -> anyhow::Result<Local> {
    start_reached(global, listen, storage, Reach::default()).await
}

/// The same, with a say in how it is reached. With TLS, commands on this machine have a place of their
/// own on loopback, since they know neither the host that the certificate is for nor its authority.
///
/// # Errors
/// As for [`start`].
pub async fn start_reached(
    global: &Global,
    listen: SocketAddr,
    storage: tidings_adapters::fjall::Options,
    reach: Reach,
) -> anyhow::Result<Local> {
    let listener = TcpListener::bind(listen).with_context(|| {
        format!("listen on {listen}; is another server running there? --listen takes another address")
    })?;
    listener.set_nonblocking(true).context("set up the listener")?;
    let address = listener.local_addr().context("read the listener's address")?;
    let embedded = wire::open(&global.data, None, storage).await?;
    let (admin_key, is_new_key) = admin_key(&embedded.engine, &global.admin_key_file()).await?;
    let app = App::new(embedded.engine.clone(), reach.http);
    let scheme = if reach.tls.is_some() { "https" } else { "http" };
    let own = || format!("{scheme}://{}", openable(address));
    embedded.engine.set_public_url(&reach.public_url.unwrap_or_else(own));
    let stop = CancellationToken::new();
    let mut commands = None;
    let serving = match reach.tls {
        None => tokio::spawn(tidings_http::serve(listener, app.clone(), stop.clone().cancelled_owned())),
        Some(tls) => {
            let near = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listen for commands on this machine")?;
            commands = Some(near.local_addr().context("read the listener's address")?);
            let near = tidings_http::serve(near, app.clone(), stop.clone().cancelled_owned());
            let far = tidings_http::serve_tls(listener, app.clone(), tls, stop.clone().cancelled_owned());
            tokio::spawn(async { tokio::try_join!(far, near).map(|_| ()) })
        }
    };
    Ok(Local { address, admin_key, is_new_key, app, embedded, commands, stop: stop.drop_guard(), serving })
}

/// The address that a browser on this machine opens: not the one that means all of them.
pub fn openable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    address
}

/// The directory's Admin key: the one in its file, or a new one when there is no key at all. The
/// file is there, empty, before the key is made: who is cut off between the two is not locked out.
async fn admin_key(engine: &Engine, file: &Path) -> anyhow::Result<(Secret<String>, bool)> {
    let writing = || format!("write {}", file.display());
    match fs::read_to_string(file) {
        Ok(text) if !text.trim().is_empty() => return Ok((text.trim().to_owned().into(), false)),
        Ok(_) => {}
        Err(_) if !engine.has_no_key() => return Ok((String::new().into(), false)),
        Err(_) => write_private(file, "").with_context(writing)?,
    }
    let user_name = Some("admin".parse().expect("a name of letters"));
    let new = NewKey { user_name, ..NewKey::of(TenantId::default_tenant(), Role::Admin) };
    let (_, secret) = engine.create_key(new).await.context("make the first Admin key")?;
    write_private(file, secret.reveal()).with_context(writing)?;
    Ok((secret, true))
}

/// Writes a file that only its owner may read; after a crash it is as before or as written.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let beside = file.with_extension("new");
    let mut new = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    writeln!(new, "{text}")?;
    new.sync_all()?;
    fs::rename(&beside, file)?;
    // The name is durable once the directory is.
    file.parent().map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all())
}

impl Local {
    /// Its URL.
    pub fn url(&self) -> String {
        let scheme = if self.has_tls() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The URL for commands on this machine.
    pub fn commands_url(&self) -> String {
        format!("http://{}", self.commands.unwrap_or(self.address))
    }

    /// True where it speaks TLS.
    pub fn has_tls(&self) -> bool {
        self.commands.is_some()
    }

    /// The engine behind it.
    pub fn engine(&self) -> &std::sync::Arc<Engine> {
        &self.embedded.engine
    }

    /// Who the Admin key stands for.
    pub fn admin(&self) -> Option<Principal> {
        self.embedded.engine.authenticate(self.admin_key.reveal())
    }

    /// Returns when the server cannot go on: its listener or one of the engine's tasks failed.
    pub async fn failed(&mut self) -> anyhow::Error {
        tokio::select! {
            ended = &mut self.serving => match ended {
                Ok(Ok(())) => anyhow::anyhow!("the listener ended by itself"),
                Ok(Err(error)) => anyhow::Error::new(error).context("serve connections"),
                Err(error) => anyhow::Error::new(error).context("serve connections"),
            },
            role = self.embedded.running.ended() => anyhow::anyhow!("the {role} has stopped and intake with it"),
        }
    }

    /// Lets open requests end, tells sockets, and closes the directory.
    pub async fn stop(self) {
        let Self { app, embedded, stop, serving, .. } = self;
        drop(stop);
        let _ = serving.await;
        drop(app);
        embedded.close().await;
    }
}

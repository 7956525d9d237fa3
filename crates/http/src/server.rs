//! Accepting connections, with a limit on everything a stranger can make us wait for or hold.

use std::future::Future;
use std::io::Result;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum_server::tls_rustls::RustlsAcceptor;
use axum_server::{Handle, Server};

use crate::{App, Tls};

/// Fields of one request's head.
const HEADERS_MAX: usize = 100;
/// Bytes of one request's head, and of one connection's answer that waits to be written.
const HEAD_BYTES_MAX: u32 = 64 << 10;
/// Requests of one HTTP/2 connection at once.
const STREAMS_MAX: u32 = 200;

/// Serves until `shutdown` is ready, then lets what is open end within [`crate::Options::drain`].
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()> + Send) -> Result<()> {
    let handle = Handle::new();
    let server = limited(axum_server::from_tcp(listener)?, &app, &handle);
    let service = crate::router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    until_told(server.serve(service), &app, &handle, shutdown).await
}

/// Serves over TLS, renewed whenever its files are. A handshake has as long as a first head.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve_tls(
    listener: TcpListener,
    app: App,
    tls: Arc<Tls>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<()> {
    let handle = Handle::new();
    let acceptor = RustlsAcceptor::new(tls.config()).handshake_timeout(app.options.header_timeout);
    let server = limited(axum_server::from_tcp(listener)?.acceptor(acceptor), &app, &handle);
    let service = crate::router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let serving = until_told(server.serve(service), &app, &handle, shutdown);
    tokio::select! {
        ended = serving => ended,
        never = tls.watch(app.options.tls_look_every) => match never {},
    }
}

fn limited<A>(server: Server<SocketAddr, A>, app: &App, handle: &Handle<SocketAddr>) -> Server<SocketAddr, A> {
    let options = &app.options;
    let mut server = server.handle(handle.clone()).first_request_timeout(options.header_timeout).accept_error_handler(
        |peer: Option<&SocketAddr>, error| match peer {
            Some(_) => tracing::debug!("a connection was not made: {error}"),
            None => tracing::warn!("accept connections: {error}"),
        },
    );
    server
        .http_builder()
        .http1()
        .header_read_timeout(options.idle_timeout)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX as usize);
    server
        .http_builder()
        .http2()
        .max_header_list_size(HEAD_BYTES_MAX)
        .max_concurrent_streams(STREAMS_MAX)
        .max_send_buf_size(HEAD_BYTES_MAX as usize)
        .keep_alive_interval(options.ping_every)
        .keep_alive_timeout(options.header_timeout);
    server
}

async fn until_told(
    serving: impl Future<Output = Result<()>> + Send,
    app: &App,
    handle: &Handle<SocketAddr>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<()> {
    tokio::pin!(serving);
    tokio::select! {
        // The server first, so that it listens for the stop before the stop can come.
        biased;
        ended = &mut serving => return ended,
        () = shutdown => {}
    }
    app.drain();
    app.sockets.close();
    handle.graceful_shutdown(Some(app.options.drain));
    let sockets = tokio::time::timeout(app.options.drain, app.sockets.wait());
    let (ended, _timed_out) = tokio::join!(serving, sockets);
    ended
}

//! Accepting connections, with a limit on everything a stranger can make us wait for or hold.

use std::future::Future;
use std::net::{SocketAddr, TcpListener};

use axum_server::Handle;

use crate::App;

/// Fields of one request's head.
const HEADERS_MAX: usize = 100;
/// Bytes of one request's head, and of one connection's answer that waits to be written.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Serves until `shutdown` is ready, then lets what is open end within [`crate::Options::drain`].
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()> + Send) -> std::io::Result<()> {
    let handle: Handle<SocketAddr> = Handle::new();
    let mut server =
        axum_server::from_tcp(listener)?.handle(handle.clone()).first_request_timeout(app.options.header_timeout);
    server
        .http_builder()
        .http1()
        .header_read_timeout(app.options.idle_timeout)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    let service = crate::router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let serving = server.serve(service);
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

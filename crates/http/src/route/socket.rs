//! `GET /v1/ws`: inbox and tails over one WebSocket, CONTRACT section 5.

mod client;
mod outbox;
pub(super) mod reader;
mod session;

use axum::extract::State;
use axum::extract::ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::response::{IntoResponse, Response};
use tidings_core::permission::Permission;

use crate::App;
use crate::auth::{Access, MaybeCaller};
use crate::context::Around;
use crate::error::{self, ApiError};
use crate::operation::Operation;

/// The subprotocol.
const PROTOCOL: &str = "tidings.v1+json";
/// Bytes of one message of a client.
const MESSAGE_MAX: usize = 256 << 10;
/// The library's default of 128 KiB a buffer would cost 126 KB a connection; this costs 12 KB.
const BUFFER: usize = 4 << 10;

/// Its name, also in audit logs.
const OPERATION: &str = "openSocket";

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/v1/ws", OPERATION, open)
            .summary("Inbox and tails over a WebSocket with the subprotocol tidings.v1+json")
            .access(Access::Later(Permission::EventsRead))
            .answers_as(101, None, None)
            .ends_in(&error::QUOTA_REACHED)
            .ends_in(&error::UPGRADE_REQUIRED),
    ]
}

async fn open(
    State(app): State<App>,
    MaybeCaller(principal): MaybeCaller,
    Around(context): Around,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|rejection| match rejection.status().as_u16() {
        400 | 426 => ApiError::new(&error::UPGRADE_REQUIRED).header(axum::http::header::UPGRADE, "websocket"),
        _ => ApiError::new(&error::BAD_REQUEST).detail(rejection.body_text()),
    })?;
    if app.is_draining() {
        return Err(ApiError::new(&error::DRAINING).retry_after(1));
    }
    // Before the handshake a quota can still be answered with its status.
    let quota = principal.as_ref().map(|principal| app.streams.open(&app.engine, principal)).transpose()?;
    let identity = principal.zip(quota);
    let token = app.sockets.token();
    let response = upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(MESSAGE_MAX)
        .max_frame_size(MESSAGE_MAX)
        .on_upgrade(move |socket| async move {
            session::run(app, context, identity, socket).await;
            drop(token);
        });
    Ok(response.into_response())
}

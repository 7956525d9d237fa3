//! Who may speak for whom, for the operator.

use axum::extract::State;
use axum::response::Response;
use tidings_core::permission::Permission;

use crate::App;
use crate::auth::{Access, Caller};
use crate::error::ApiError;
use crate::operation::Operation;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/v1/trust", "getTrust", trust)
            .summary(
                "Who may speak for whom, over all tenants: issuers with the keys bound to them, and who speaks for all",
            )
            .access(Access::Needs(Permission::Tenants))
            .answers(200, "Trust"),
    ]
}

async fn trust(State(app): State<App>, Caller(_): Caller) -> Result<Response, ApiError> {
    Ok(super::json(&app.engine.trust().await?))
}

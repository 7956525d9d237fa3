//! Audit logs, a chain for each tenant.

use async_trait::async_trait;

use tidings_core::audit::{AuditEntry, ChainEnd};
use tidings_core::id::TenantId;
use tidings_core::port::{AuditLog, PortError};

use super::spaces::Space;
use super::{Core, FjallStore, keys, values};

#[async_trait]
impl AuditLog for FjallStore {
    async fn audit_end(&self, tenant: &TenantId) -> Result<ChainEnd, PortError> {
        self.core.audit_end(tenant)
    }

    async fn audit(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, PortError> {
        let (first, last) = (keys::audit(tenant, after.saturating_add(1)), keys::audit(tenant, u64::MAX));
        if after == u64::MAX {
            return Ok(Vec::new());
        }
        self.blocking(move |core| {
            let rows = core.range(Space::Audit, &first, &last).take(limit);
            rows.map(|row| values::read_json("an audit entry", &row?.1)).collect()
        })
        .await
    }
}

impl Core {
    pub(super) fn audit_end(&self, tenant: &TenantId) -> Result<ChainEnd, PortError> {
        let last = self.prefix(Space::Audit, &keys::audit_of(tenant)).next_back().transpose()?;
        let Some((_, value)) = last else { return Ok(ChainEnd::default()) };
        let AuditEntry { number, hash, .. } = values::read_json("an audit entry", &value)?;
        Ok(ChainEnd { number, hash })
    }
}

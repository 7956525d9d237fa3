//! Dead letters to look at and act on.

use async_trait::async_trait;
use bytes::Bytes;

use tidings_core::id::{DeadLetterId, TenantId};
use tidings_core::port::{DeadLetter, DeadLetters, PortError, Retry};
use tidings_core::position::Position;

use super::spaces::Space;
use super::values::{DeadIdRow, damaged};
use super::writer::{Kind, Rows};
use super::{Core, FjallStore, keys, values};

#[async_trait]
impl DeadLetters for FjallStore {
    async fn dead_letter(&self, tenant: &TenantId, id: DeadLetterId) -> Result<Option<DeadLetter>, PortError> {
        let Some(position) = self.core.letter_position(tenant, id)? else { return Ok(None) };
        let value = self.core.get(Space::Dead, &keys::dead(tenant, position))?;
        value.map(|value| values::read_json("a dead letter", &value)).transpose()
    }

    async fn dead_letter_raw(&self, tenant: &TenantId, id: DeadLetterId) -> Result<Option<Bytes>, PortError> {
        let Some(position) = self.core.letter_position(tenant, id)? else { return Ok(None) };
        self.blocking(move |core| core.raw(position)).await
    }

    async fn dead_letters(
        &self,
        tenant: &TenantId,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<(Position, DeadLetter)>, PortError> {
        let from = keys::dead(tenant, Position::default());
        // The last place before `before`; at the start of a log there is none.
        let last = before.map_or(u128::MAX, |before| u128::from_be_bytes(before.to_key()).saturating_sub(1));
        let to = keys::dead(tenant, Position::from_key(last.to_be_bytes()));
        self.blocking(move |core| {
            let rows = core.range(Space::Dead, &from, &to).rev().take(limit);
            rows.map(|row| row.and_then(|(key, value)| letter_of(&key, &value))).collect()
        })
        .await
    }

    async fn update_dead_letter(&self, letter: &DeadLetter) -> Result<(), PortError> {
        let Some(position) = self.core.letter_position(&letter.tenant, letter.id)? else {
            let what = format!("update dead letter {}: there is none", letter.id);
            return Err(PortError { what, retry: Retry::Never, source: None });
        };
        let mut rows = Rows::with_capacity(1);
        rows.put(Space::Dead, keys::dead(&letter.tenant, position), values::json(letter));
        self.write(rows, Kind::Letter(position)).await
    }
}

impl Core {
    fn letter_position(&self, tenant: &TenantId, id: DeadLetterId) -> Result<Option<Position>, PortError> {
        let Some(value) = self.get(Space::DeadId, &keys::dead_id(tenant, id))? else { return Ok(None) };
        values::read_json::<DeadIdRow>("a dead letter's place", &value).map(|row| Some(row.position))
    }
}

fn letter_of(key: &[u8], value: &[u8]) -> Result<(Position, DeadLetter), PortError> {
    let position = keys::ending_position(key).ok_or_else(|| damaged("a dead letter"))?;
    Ok((position, values::read_json("a dead letter", value)?))
}

//! How the disk forgets removed rows: tables are written anew without them, and the journal that they came
//! through is filled up until fjall takes another and removes it.

use std::fs;
use std::path::PathBuf;

use tidings_core::port::{PortError, Randomness};

use super::super::spaces::Space;
use super::super::writer::{Kind, Rows};
use super::super::{Core, FjallStore, keys, values};
use crate::clock::SystemRandomness;

/// Bytes of padding written at once.
const PADDING_BYTES: usize = 1 << 20;
/// How often padding is written at most: fjall takes another journal beyond 64 MB.
const PADDINGS_MAX: usize = 96;
/// After so much padding fjall is asked to look at its journal.
const PADDINGS_A_LOOK: usize = 8;
/// How often tables are written to get an old journal removed.
const SETTLINGS_MAX: usize = 20;

impl FjallStore {
    /// One keyspace after the other, then the journal, then what these left.
    pub(super) async fn forget_step(&self, step: usize) -> Result<bool, PortError> {
        let spaces: Vec<Space> = Space::all().collect();
        match (spaces.get(step).copied(), step.checked_sub(spaces.len())) {
            (Some(space), _) => self.rewrite(space).await?,
            (None, Some(0)) => self.take_another_journal().await?,
            (None, Some(1)) => self.tidy().await?,
            (None, _) => return Ok(false),
        }
        Ok(true)
    }

    /// Writes a keyspace's tables anew. What was removed a moment ago counts as removed once fjall has
    /// looked at its readers, which it does whenever any table is written.
    async fn rewrite(&self, space: Space) -> Result<(), PortError> {
        self.pad(1).await?;
        self.blocking(move |core| {
            core.write_tables(Space::Meta)?;
            core.write_tables(space)?;
            core.spaces.get(space).major_compact().map_err(|error| PortError::later("write tables anew", error))
        })
        .await
    }

    async fn take_another_journal(&self) -> Result<(), PortError> {
        let old = self.blocking(|core| core.journals()).await?;
        for count in 1..=PADDINGS_MAX {
            self.pad(PADDING_BYTES).await?;
            if count % PADDINGS_A_LOOK == 0 {
                let before = old.clone();
                let has_another = self.blocking(move |core| {
                    core.write_tables(Space::Meta)?;
                    Ok(core.journals()?.iter().any(|journal| !before.contains(journal)))
                });
                if has_another.await? {
                    break;
                }
            }
        }
        for _ in 0..SETTLINGS_MAX {
            self.pad(1).await?;
            let before = old.clone();
            let are_gone = self.blocking(move |core| {
                core.settle()?;
                Ok(core.journals()?.iter().all(|journal| !before.contains(journal)))
            });
            if are_gone.await? {
                return Ok(());
            }
        }
        Err(PortError::later("take another journal", "the old one is still there"))
    }

    /// Takes out the padding, and has fjall let go of tables that nobody reads any more.
    async fn tidy(&self) -> Result<(), PortError> {
        for _ in 0..2 {
            self.rewrite(Space::Meta).await?;
        }
        let mut rows = Rows::with_capacity(1);
        rows.remove(Space::Meta, keys::meta("padding"));
        self.write(rows, Kind::Erase(None)).await?;
        self.blocking(|core| core.write_tables(Space::Meta)).await
    }

    /// Writes bytes that say nothing over those of the time before.
    async fn pad(&self, bytes: usize) -> Result<(), PortError> {
        let mut padding = vec![0; bytes];
        SystemRandomness::default().fill(&mut padding);
        let mut rows = Rows::with_capacity(1);
        rows.put(Space::Meta, keys::meta("padding"), values::raw(&padding));
        self.write(rows, Kind::Erase(None)).await
    }
}

impl Core {
    /// Writes what memory holds of a keyspace into tables.
    fn write_tables(&self, space: Space) -> Result<(), PortError> {
        let written = self.spaces.get(space).rotate_memtable_and_wait();
        written.map_err(|error| PortError::later("settle the store", error))
    }

    fn journals(&self) -> Result<Vec<PathBuf>, PortError> {
        let list = || -> std::io::Result<Vec<PathBuf>> {
            let paths = fs::read_dir(&self.store_dir)?.map(|entry| entry.map(|entry| entry.path()));
            let paths = paths.collect::<std::io::Result<Vec<_>>>()?;
            Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|it| it == "jnl")).collect())
        };
        list().map_err(|error| PortError::later("list the journals", error))
    }
}

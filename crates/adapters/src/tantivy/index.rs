//! The index on disk: opened or made anew, written in commits that carry the cursor.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, TantivyDocument, TantivyError, Term};
use tidings_core::port::PortError;
use tidings_core::position::Position;
use tracing::warn;

use super::terms::Fields;

/// Raised when documents are written in another way, so that an older index is built anew.
const FORMAT: &str = "1";
/// The least that the writer accepts.
const WRITER_BYTES: usize = 15_000_000;
/// How long changes may wait for others to be committed with.
const COMMIT_EVERY: Duration = Duration::from_millis(500);
/// How many changes may wait.
const CHANGES_MAX: usize = 20_000;
/// How often files with documents taken out are merged, at most.
const MERGES_MAX: usize = 20;
/// How long changes may wait once somebody searches.
const SEARCH_WAITS: Duration = Duration::from_millis(200);

/// A change of the index.
#[derive(Debug)]
pub(super) enum Change {
    /// Take out what has this term.
    Delete(Term),
    /// Put in a document.
    Add(Box<TantivyDocument>),
}

/// The documents as of a commit, and the cursor kept with it.
#[derive(Clone)]
pub(super) struct Shown {
    pub searcher: Searcher,
    pub cursor: Position,
}

/// One index with at most one writer, which is there from the first change on.
pub(super) struct Shelf {
    index: Index,
    reader: IndexReader,
    writing: Mutex<Writing>,
    shown: Mutex<Shown>,
}

struct Writing {
    writer: Option<IndexWriter>,
    /// The last entry that was applied, committed or not.
    applied: Position,
    /// How many changes wait, and since when entries have waited.
    changes: usize,
    waiting_since: Option<Instant>,
    /// True once changes were forgotten without their giver hearing of it: it has to begin again from the
    /// cursor.
    lost: bool,
}

impl Shelf {
    /// Opens the index of a directory; what cannot be read, or was written in another way, is taken
    /// away and begun anew.
    pub(super) fn open(dir: &Path, fields: &Fields) -> Result<Self, PortError> {
        std::fs::create_dir_all(dir).map_err(|error| PortError::never(format!("create {}", dir.display()), error))?;
        let (index, reader, cursor) = match existing(dir, fields) {
            Ok(found) => found,
            Err(cause) => {
                if let Some(cause) = cause {
                    warn!("the search index in {} is built anew: {cause}", dir.display());
                }
                clear(dir).map_err(|error| PortError::never(format!("clear {}", dir.display()), error))?;
                begun(dir, fields).map_err(fault("create the search index"))?
            }
        };
        let writing = Writing { writer: None, applied: cursor, changes: 0, waiting_since: None, lost: false };
        let shown = Shown { searcher: reader.searcher(), cursor };
        Ok(Self { index, reader, writing: Mutex::new(writing), shown: Mutex::new(shown) })
    }

    /// The last entry that was applied.
    pub(super) fn applied(&self) -> Position {
        self.writing().applied
    }

    /// What searches see.
    pub(super) fn shown(&self) -> Shown {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What searches see, with what has waited for long committed before.
    pub(super) fn fresh(&self) -> Result<Shown, PortError> {
        let mut writing = self.writing();
        if writing.waiting_since.is_some_and(|since| since.elapsed() >= SEARCH_WAITS) {
            let result = self.commit(&mut writing);
            writing.lost |= result.is_err();
            self.settle(&mut writing, result)?;
        }
        drop(writing);
        Ok(self.shown())
    }

    /// Makes changes that bring the index up to an entry; commits when it is time, or at once with
    /// `now`. After a failure everything since the last commit is forgotten, the cursor too.
    pub(super) fn change(&self, changes: Vec<Change>, up_to: Position, now: bool) -> Result<(), PortError> {
        let mut writing = self.writing();
        if std::mem::take(&mut writing.lost) {
            return Err(PortError::later("change the search index", "it was set back meanwhile"));
        }
        let result = self.write(&mut writing, changes, up_to, now);
        self.settle(&mut writing, result)
    }

    /// After a failure, goes back to what was committed.
    fn settle(&self, writing: &mut Writing, result: Result<(), PortError>) -> Result<(), PortError> {
        if result.is_err() {
            // Dropping the writer drops what it holds. What it committed last stands on the disk,
            // even where showing it failed.
            writing.writer = None;
            writing.applied = cursor_of(&self.index).unwrap_or_else(|_| self.shown().cursor);
            (writing.changes, writing.waiting_since) = (0, None);
        }
        result
    }

    fn write(&self, writing: &mut Writing, changes: Vec<Change>, up_to: Position, now: bool) -> Result<(), PortError> {
        if up_to > writing.applied {
            // A log that began anew has none of the entries that we know.
            if up_to.epoch != writing.applied.epoch && writing.applied != Position::default() {
                self.writer(writing)?.delete_all_documents().map_err(fault("empty the search index"))?;
            }
            if !changes.is_empty() {
                writing.changes += changes.len();
                let writer = self.writer(writing)?;
                for change in changes {
                    match change {
                        Change::Delete(term) => {
                            writer.delete_term(term);
                        }
                        Change::Add(document) => {
                            writer.add_document(*document).map_err(fault("add to the search index"))?;
                        }
                    }
                }
            }
            writing.applied = up_to;
            writing.waiting_since.get_or_insert_with(Instant::now);
        }
        let has_waited = writing.waiting_since.is_some_and(|since| since.elapsed() >= COMMIT_EVERY);
        if has_waited || writing.changes >= CHANGES_MAX || (now && writing.waiting_since.is_some()) {
            self.commit(writing)?;
        }
        Ok(())
    }

    /// Commits what waits together with its cursor, and shows it.
    fn commit(&self, writing: &mut Writing) -> Result<(), PortError> {
        let cursor = writing.applied;
        let writer = self.writer(writing)?;
        let mut commit = writer.prepare_commit().map_err(fault("commit the search index"))?;
        commit.set_payload(&format!("{FORMAT} {cursor}"));
        commit.commit().map_err(fault("commit the search index"))?;
        (writing.changes, writing.waiting_since) = (0, None);
        self.show(cursor)
    }

    /// Takes out what has a term, and writes the files that held any of it anew.
    pub(super) fn forget(&self, term: Term) -> Result<(), PortError> {
        let mut writing = self.writing();
        let result = self.take_out(&mut writing, term);
        writing.lost |= result.is_err();
        self.settle(&mut writing, result)
    }

    fn take_out(&self, writing: &mut Writing, term: Term) -> Result<(), PortError> {
        self.writer(writing)?.delete_term(term);
        self.commit(writing)?;
        let cursor = writing.applied;
        for _ in 0..MERGES_MAX {
            let metas = self.index.searchable_segment_metas().map_err(fault("read the search index"))?;
            let pitted: Vec<_> =
                metas.iter().filter(|meta| meta.num_deleted_docs() > 0).map(|meta| meta.id()).collect();
            if pitted.is_empty() {
                break;
            }
            // One that is being merged already is refused, and without deletions a moment later.
            let merged = self.writer(writing)?.merge(&pitted).wait();
            if let Err(cause) = merged {
                warn!("the search index is merged again: {cause}");
            }
            self.show(cursor)?;
        }
        self.show(cursor)?;
        // Files that a search still reads are left until the next time.
        let files =
            self.writer(writing)?.garbage_collect_files().wait().map_err(fault("remove files of the search index"))?;
        match files.failed_to_delete_files.is_empty() {
            true => Ok(()),
            false => Err(PortError::later("remove files of the search index", "they are in use")),
        }
    }

    /// Shows what is committed.
    fn show(&self, cursor: Position) -> Result<(), PortError> {
        self.reader.reload().map_err(fault("read the search index"))?;
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Shown { searcher: self.reader.searcher(), cursor };
        Ok(())
    }

    /// The writer. An idle server has none: it takes threads and 15 MB.
    fn writer<'w>(&self, writing: &'w mut Writing) -> Result<&'w mut IndexWriter, PortError> {
        let writer = match writing.writer.take() {
            Some(writer) => writer,
            None => {
                let opened = self.index.writer_with_num_threads(1, WRITER_BYTES);
                let writer: IndexWriter = opened.map_err(fault("open the search index"))?;
                // What a killed process left may have the name of a file that is about to be written.
                writer.garbage_collect_files().wait().map_err(fault("remove files of the search index"))?;
                writer
            }
        };
        Ok(writing.writer.insert(writer))
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The index that is there with its cursor; `Err(None)` where there is none.
fn existing(dir: &Path, fields: &Fields) -> Result<(Index, IndexReader, Position), Option<String>> {
    if !dir.join("meta.json").exists() {
        return Err(None);
    }
    let index = Index::open_in_dir(dir).map_err(|error| Some(error.to_string()))?;
    if index.schema() != fields.schema {
        return Err(Some("it has other fields".to_owned()));
    }
    let cursor = cursor_of(&index)?;
    let reader = reader(&index).map_err(|error| Some(error.to_string()))?;
    Ok((index, reader, cursor))
}

/// The cursor kept with the last commit; the start before the first.
fn cursor_of(index: &Index) -> Result<Position, String> {
    let Some(payload) = index.load_metas().map_err(|error| error.to_string())?.payload else {
        return Ok(Position::default());
    };
    let of_format = payload.strip_prefix(FORMAT).and_then(|rest| rest.strip_prefix(' '));
    let cursor = of_format.and_then(|cursor| cursor.parse().ok());
    cursor.ok_or_else(|| format!("it was written in another way: `{payload}`"))
}

fn begun(dir: &Path, fields: &Fields) -> Result<(Index, IndexReader, Position), TantivyError> {
    let index = Index::create_in_dir(dir, fields.schema.clone())?;
    let reader = reader(&index)?;
    Ok((index, reader, Position::default()))
}

fn reader(index: &Index) -> Result<IndexReader, TantivyError> {
    index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()
}

/// Takes away the files of an index, and nothing else: the directory may be the wrong one.
fn clear(dir: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_file() && name.to_str().is_some_and(is_of_index) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// True for `meta.json`, the list of files, locks, and segments named by 32 hexadecimal digits.
fn is_of_index(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let is_segment = stem.len() == 32 && stem.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_segment
        || matches!(name, "meta.json" | ".managed.json")
        || (name.starts_with(".tantivy-") && name.ends_with(".lock"))
}

/// The view can be asked again: it is only a view.
pub(super) fn fault(what: &'static str) -> impl Fn(TantivyError) -> PortError {
    move |error| PortError::later(what, error)
}

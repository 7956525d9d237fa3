//! What is in files and folders: one document after the other, lines of a line format each by
//! itself.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::exit::Failure;

/// Folders in folders are read this far.
const DEPTH_MAX: usize = 32;
/// A line longer than this ends the file, since no message is that long.
const LINE_BYTES_MAX: usize = 16 << 20;

/// One document: a file, or a line of one.
#[derive(Debug, Clone)]
pub struct Document {
    /// The file's name as given.
    pub file: String,
    /// Its number in the file, from 1.
    pub number: u64,
    /// The declared media type.
    pub media_type: Option<String>,
    /// Its bytes.
    pub bytes: Bytes,
}

/// The documents of several paths, in order of name within a folder.
pub fn documents(paths: &[PathBuf], media_type: Option<&str>) -> impl Iterator<Item = anyhow::Result<Document>> {
    Documents {
        paths: paths.iter().map(|path| (path.clone(), 0)).collect(),
        media_type: media_type.map(str::to_owned),
        lines: None,
        ready: VecDeque::new(),
    }
}

struct Documents {
    paths: VecDeque<(PathBuf, usize)>,
    media_type: Option<String>,
    lines: Option<Lines>,
    ready: VecDeque<Document>,
}

/// A file of lines that is being read.
struct Lines {
    file: String,
    number: u64,
    reader: Box<dyn BufRead + Send>,
}

impl Iterator for Documents {
    type Item = anyhow::Result<Document>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(document) = self.ready.pop_front() {
                return Some(Ok(document));
            }
            if let Some(lines) = &mut self.lines {
                match lines.next(self.media_type.as_deref()) {
                    Some(line) => return Some(line),
                    None => self.lines = None,
                }
            }
            let (path, depth) = self.paths.pop_front()?;
            if let Err(error) = self.open(&path, depth) {
                return Some(Err(error));
            }
        }
    }
}

impl Documents {
    fn open(&mut self, path: &Path, depth: usize) -> anyhow::Result<()> {
        let file = path.display().to_string();
        if file == "-" {
            return self.read(file, Box::new(std::io::stdin()), false);
        }
        let kind =
            std::fs::metadata(path).map_err(|error| Failure::error(Failure::NOT_FOUND, format!("{file}: {error}")))?;
        if !kind.is_dir() {
            let opened = File::open(path).with_context(|| format!("open {file}"))?;
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            return self.read(file, Box::new(opened), matches!(extension, "jsonl" | "ndjson"));
        }
        if depth >= DEPTH_MAX {
            return Err(Failure::error(Failure::USAGE, format!("{file}: folders are read {DEPTH_MAX} deep")));
        }
        let listed = std::fs::read_dir(path).with_context(|| format!("list {file}"))?;
        let mut inside = Vec::new();
        for entry in listed {
            inside.push(entry.with_context(|| format!("list {file}"))?.path());
        }
        inside.sort();
        for path in inside.into_iter().rev() {
            self.paths.push_front((path, depth + 1));
        }
        Ok(())
    }

    fn read(&mut self, file: String, mut source: Box<dyn Read + Send>, is_lines: bool) -> anyhow::Result<()> {
        if is_lines {
            self.lines = Some(Lines { file, number: 0, reader: Box::new(BufReader::new(source)) });
            return Ok(());
        }
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).with_context(|| format!("read {file}"))?;
        let parts = vectors(&bytes).unwrap_or_else(|| vec![(self.media_type.clone(), bytes.into())]);
        for (index, (media_type, bytes)) in parts.into_iter().enumerate() {
            self.ready.push_back(Document { file: file.clone(), number: index as u64 + 1, media_type, bytes });
        }
        Ok(())
    }
}

impl Lines {
    fn next(&mut self, media_type: Option<&str>) -> Option<anyhow::Result<Document>> {
        loop {
            let mut line = Vec::new();
            let mut limited = (&mut self.reader).take(LINE_BYTES_MAX as u64 + 1);
            let read = limited.read_until(b'\n', &mut line).with_context(|| format!("read {}", self.file));
            match read {
                Err(error) => return Some(Err(error)),
                Ok(0) => return None,
                Ok(_) => self.number += 1,
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            return Some(Ok(Document {
                file: self.file.clone(),
                number: self.number,
                media_type: media_type.map(str::to_owned),
                bytes: line.into(),
            }));
        }
    }
}

/// The cases of a file of CloudEvents conformance vectors, each a document of its own.
fn vectors(bytes: &[u8]) -> Option<Vec<(Option<String>, Bytes)>> {
    #[derive(serde::Deserialize)]
    struct Vectors<'a> {
        #[serde(rename = "testType")]
        _kind: Value,
        #[serde(borrow)]
        tests: Vec<Case<'a>>,
    }
    #[derive(serde::Deserialize)]
    struct Case<'a> {
        #[serde(borrow)]
        event: Option<&'a RawValue>,
        #[serde(borrow)]
        batch: Option<&'a RawValue>,
    }
    let vectors: Vectors<'_> = serde_json::from_slice(bytes).ok()?;
    let case = |case: Case<'_>| {
        let (media_type, json) = match (case.event, case.batch) {
            (Some(event), _) => ("application/cloudevents+json", event),
            (None, Some(batch)) => ("application/cloudevents-batch+json", batch),
            (None, None) => return None,
        };
        Some((Some(media_type.to_owned()), Bytes::copy_from_slice(json.get().as_bytes())))
    };
    vectors.tests.into_iter().map(case).collect()
}

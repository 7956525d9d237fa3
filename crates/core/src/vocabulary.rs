//! The closed word lists of the event model, spelled as CAP 1.2 spells them.

use std::fmt;
use std::str::FromStr;

/// A word that is not in its list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not one of {list}")]
pub struct VocabularyError {
    word: String,
    list: String,
}

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every word of the list, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word as it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(self.as_str()) }
        }

        impl FromStr for $name {
            type Err = VocabularyError;
            /// Accepts any case.
            fn from_str(text: &str) -> Result<Self, VocabularyError> {
                Self::ALL.iter().copied().find(|word| word.as_str().eq_ignore_ascii_case(text)).ok_or_else(|| VocabularyError {
                    word: text.chars().take(64).collect(),
                    list: [$($word),*].join(", "),
                })
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

vocabulary! {
    /// What kind of happening this is. The list is closed; types below it are open.
    Category {
        /// Storms, heat, cold, wind, snow, fog.
        Weather = "weather",
        /// Floods of any cause but tsunami.
        Flood = "flood",
        /// Weather in which fires spread.
        FireWeather = "fire_weather",
        /// Fires in vegetation.
        Wildfire = "wildfire",
        /// Structure fires and fire alarms.
        Fire = "fire",
        /// Earthquakes, and what seismographs see besides.
        Earthquake = "earthquake",
        /// Tsunamis.
        Tsunami = "tsunami",
        /// Volcanic activity and ash.
        Volcano = "volcano",
        /// Landslides and avalanches.
        Landslide = "landslide",
        /// Lack of water.
        Drought = "drought",
        /// Air quality.
        AirQuality = "air_quality",
        /// Pollution and other environmental matters.
        Environment = "environment",
        /// Public health.
        Health = "health",
        /// Civil emergencies, evacuations, missing persons, police matters.
        PublicSafety = "public_safety",
        /// Chemical, biological, radiological, nuclear, explosive.
        Cbrne = "cbrne",
        /// Traffic, rail, air and sea transport.
        Transport = "transport",
        /// Power, water, telecommunication, monitoring alerts.
        Infrastructure = "infrastructure",
        /// Geomagnetic storms and the like.
        SpaceWeather = "space_weather",
        /// News items.
        News = "news",
        /// Positions and states of devices.
        Device = "device",
        /// Messages about the system itself.
        System = "system",
        /// Anything else.
        Other = "other",
    }
}

impl Category {
    /// True for the categories whose senders give no severity, where a severity filter does not
    /// let `Unknown` pass by itself.
    pub const fn has_no_severity(self) -> bool {
        matches!(self, Self::News | Self::Device | Self::System | Self::Other)
    }

    /// The CAP 1.2 category word, for export.
    pub const fn cap_code(self) -> &'static str {
        match self {
            Self::Weather | Self::Flood | Self::FireWeather | Self::Drought => "Met",
            Self::Wildfire | Self::Fire => "Fire",
            Self::Earthquake | Self::Tsunami | Self::Volcano | Self::Landslide => "Geo",
            Self::AirQuality | Self::Environment => "Env",
            Self::Health => "Health",
            Self::PublicSafety => "Safety",
            Self::Cbrne => "CBRNE",
            Self::Transport => "Transport",
            Self::Infrastructure => "Infra",
            Self::SpaceWeather | Self::News | Self::Device | Self::System | Self::Other => "Other",
        }
    }
}

vocabulary! {
    /// How bad it is; ordered, with `Unknown` lowest. `Unknown` means "not said", not "harmless".
    Severity {
        /// Not said.
        Unknown = "Unknown",
        /// Minimal to no known threat.
        Minor = "Minor",
        /// Possible threat.
        Moderate = "Moderate",
        /// Significant threat.
        Severe = "Severe",
        /// Extraordinary threat.
        Extreme = "Extreme",
    }
}

vocabulary! {
    /// How soon to act.
    Urgency {
        /// Not said.
        Unknown = "Unknown",
        /// No longer required.
        Past = "Past",
        /// In the near future.
        Future = "Future",
        /// Within the next hour.
        Expected = "Expected",
        /// At once.
        Immediate = "Immediate",
    }
}

vocabulary! {
    /// How sure the sender is.
    Certainty {
        /// Not said.
        Unknown = "Unknown",
        /// Not expected to occur.
        Unlikely = "Unlikely",
        /// At most an even chance.
        Possible = "Possible",
        /// More than an even chance.
        Likely = "Likely",
        /// Has occurred or is occurring.
        Observed = "Observed",
    }
}

vocabulary! {
    /// What a message is for. Only `actual` notifies unless a subscription asks for drills.
    Status {
        /// To be acted on.
        Actual = "actual",
        /// A drill.
        Exercise = "exercise",
        /// A technical test.
        Test = "test",
        /// For the alerting systems themselves.
        System = "system",
        /// Not to be acted on.
        Draft = "draft",
    }
}

vocabulary! {
    /// What a message does to its thread.
    Action {
        /// Begins it.
        New = "new",
        /// Changes it.
        Update = "update",
        /// Takes it back.
        Cancel = "cancel",
        /// Says it is over.
        End = "end",
        /// Acknowledges another message.
        Ack = "ack",
        /// Says another message was wrong.
        Error = "error",
    }
}

vocabulary! {
    /// How a thread stands.
    State {
        /// Under way or expected.
        Active = "active",
        /// Over, as its sender said.
        Ended = "ended",
        /// Taken back by its sender.
        Cancelled = "cancelled",
        /// Over by its own times.
        Expired = "expired",
        /// Withdrawn by its source as never having been.
        Retracted = "retracted",
    }
}

impl State {
    /// True for every state in which there is nothing more to act on.
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Active)
    }
}

vocabulary! {
    /// Whether a severity was given by the sender or inferred from other values.
    SeverityOrigin {
        /// The sender said it.
        Given = "given",
        /// We inferred it from a native scale.
        Inferred = "inferred",
    }
}

vocabulary! {
    /// Where a geometry came from.
    GeometryOrigin {
        /// A shape in the message.
        Exact = "exact",
        /// A circle in the message.
        Circle = "circle",
        /// A point in the message.
        Point = "point",
        /// The shapes of its area codes.
        Geocode = "geocode",
        /// A bounding box.
        Bbox = "bbox",
        /// Read from text.
        Text = "text",
        /// None.
        None = "none",
    }
}

vocabulary! {
    /// How closely an event is placed; ordered, the closest first.
    PlacePrecision {
        /// By its own geometry.
        Exact = "exact",
        /// By the shapes of its area codes.
        Code = "code",
        /// By the region that a code names by itself.
        Region = "region",
        /// By its issuer's country.
        Country = "country",
        /// Not at all.
        None = "none",
    }
}

impl PlacePrecision {
    /// True where shapes are too coarse for `near`, `bbox` and `within` to be judged exactly.
    pub const fn is_coarse(self) -> bool {
        matches!(self, Self::Region | Self::Country)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case_and_written_in_one() {
        assert_eq!("EXTREME".parse(), Ok(Severity::Extreme));
        assert_eq!(Category::ALL.len(), 22);
        assert!(Severity::Extreme > Severity::Severe && Severity::Minor > Severity::Unknown);
        for category in Category::ALL {
            assert_eq!(category.as_str().parse(), Ok(*category));
        }
        let fault = "hot".parse::<Severity>().expect_err("not a severity").to_string();
        assert_eq!(fault, "`hot` is not one of Unknown, Minor, Moderate, Severe, Extreme");
    }
}

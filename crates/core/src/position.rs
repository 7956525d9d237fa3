//! Where an event is in the log, and where a reader of the log is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A place in the log: topic epoch, partition, offset. Embedded there is one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// Raised when the log is created anew.
    pub epoch: u32,
    /// Which partition.
    pub partition: u32,
    /// Place in the partition; the first entry has 1, so 0 is before everything.
    pub offset: u64,
}

impl Position {
    /// The place before everything of an epoch's only partition.
    pub const fn start(epoch: u32) -> Self {
        Self { epoch, partition: 0, offset: 0 }
    }

    /// The place `count` entries later.
    #[must_use]
    pub const fn plus(self, count: u64) -> Self {
        Self { offset: self.offset + count, ..self }
    }

    /// Its storage key: big-endian, so that keys sort as positions do.
    pub fn to_key(self) -> [u8; 16] {
        let mut key = [0; 16];
        key[..4].copy_from_slice(&self.epoch.to_be_bytes());
        key[4..8].copy_from_slice(&self.partition.to_be_bytes());
        key[8..].copy_from_slice(&self.offset.to_be_bytes());
        key
    }

    /// The position of a storage key.
    pub fn from_key(key: [u8; 16]) -> Self {
        let number = u128::from_be_bytes(key);
        Self { epoch: (number >> 96) as u32, partition: (number >> 64) as u32, offset: number as u64 }
    }
}

/// A position text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a position of the form epoch-partition-offset")]
pub struct PositionError(String);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.epoch, self.partition, self.offset)
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let mut parts = text.split('-');
        let mut read = || {
            let (epoch, partition, offset) = (parts.next()?, parts.next()?, parts.next()?);
            let position =
                Self { epoch: epoch.parse().ok()?, partition: partition.parse().ok()?, offset: offset.parse().ok()? };
            (parts.next().is_none() && position.to_string() == text).then_some(position)
        };
        read().ok_or_else(|| PositionError(text.chars().take(64).collect()))
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_key_keep_the_order() {
        let earlier = Position { epoch: 1, partition: 0, offset: 255 };
        let later = earlier.plus(1);
        assert!(earlier < later && earlier.to_key() < later.to_key());
        assert_eq!(Position::from_key(later.to_key()), later);
        assert_eq!(later.to_string().parse(), Ok(later));
        assert!("1-0-+5".parse::<Position>().is_err() && "1-0".parse::<Position>().is_err());
    }
}

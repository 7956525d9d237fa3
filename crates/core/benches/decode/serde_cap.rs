//! The peer: a CAP decoder as one derives it with serde, down to typed times and coordinates.
//!
//! It does less than ours: no namespaces, no repairs, no languages joined, nothing unknown kept.

#![expect(dead_code, reason = "what is decoded is only counted")]

use serde::Deserialize;
use tidings_core::time::Timestamp;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    pub identifier: String,
    pub sender: String,
    pub sent: Timestamp,
    pub status: String,
    pub msg_type: String,
    pub source: Option<String>,
    pub scope: Option<String>,
    pub restriction: Option<String>,
    pub addresses: Option<String>,
    #[serde(default)]
    pub code: Vec<String>,
    pub note: Option<String>,
    pub references: Option<String>,
    pub incidents: Option<String>,
    #[serde(default)]
    pub info: Vec<Info>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    pub language: Option<String>,
    #[serde(default)]
    pub category: Vec<String>,
    pub event: String,
    #[serde(default)]
    pub response_type: Vec<String>,
    pub urgency: String,
    pub severity: String,
    pub certainty: String,
    pub audience: Option<String>,
    #[serde(default)]
    pub event_code: Vec<Pair>,
    pub effective: Option<Timestamp>,
    pub onset: Option<Timestamp>,
    pub expires: Option<Timestamp>,
    pub sender_name: Option<String>,
    pub headline: Option<String>,
    pub description: Option<String>,
    pub instruction: Option<String>,
    pub web: Option<String>,
    pub contact: Option<String>,
    #[serde(default)]
    pub parameter: Vec<Pair>,
    #[serde(default)]
    pub resource: Vec<Resource>,
    #[serde(default)]
    pub area: Vec<Area>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pair {
    pub value_name: String,
    #[serde(default)]
    pub value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    pub resource_desc: Option<String>,
    pub mime_type: Option<String>,
    pub uri: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Area {
    pub area_desc: String,
    #[serde(default)]
    pub polygon: Vec<Points>,
    #[serde(default)]
    pub circle: Vec<String>,
    #[serde(default)]
    pub geocode: Vec<Pair>,
    pub altitude: Option<f64>,
    pub ceiling: Option<f64>,
}

#[derive(Deserialize)]
#[serde(from = "String")]
pub struct Points(pub Vec<(f64, f64)>);

impl From<String> for Points {
    fn from(text: String) -> Self {
        let pairs = text.split_ascii_whitespace().filter_map(|pair| pair.split_once(','));
        Self(pairs.filter_map(|(lat, lon)| Some((lat.parse().ok()?, lon.parse().ok()?))).collect())
    }
}

pub fn read(text: &str) -> Result<Alert, quick_xml::DeError> {
    quick_xml::de::from_str(text)
}

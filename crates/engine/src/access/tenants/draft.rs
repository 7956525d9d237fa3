//! A tenant's JSON, read with all its faults at once.

use serde_json::{Map, Value, json};
use tidings_core::filter::Fault;
use tidings_core::id::TenantId;
use tidings_core::tenant::{Branding, Quotas, RateSetting, TenantRates, TenantRecord};
use tidings_core::time::Timestamp;

/// Letters of a name and of a contact.
const TEXT_MAX: usize = 200;
/// Bytes of the address of a logo.
const URL_BYTES_MAX: usize = 2_000;
/// The largest number that a structured field can say (RFC 9651, section 3.3.1).
const RATE_QUOTA_MAX: u64 = 999_999_999_999_999;
/// The longest time over which anything is counted: a day.
const RATE_SECONDS_MAX: u64 = 86_400;
/// Tenants that one reads besides itself.
const READS_MAX: usize = 100;

/// What the operator may decide.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    branding: Branding,
    quotas: Quotas,
    rates: TenantRates,
    reads: Vec<TenantId>,
}

impl Wanted {
    /// A record that says this.
    pub fn over(self, before: &TenantRecord, now: Timestamp) -> TenantRecord {
        let Self { branding, quotas, rates, reads } = self;
        TenantRecord { branding, quotas, rates, reads, updated: now, ..before.clone() }
    }
}

/// The members that a patch may change, as they are.
pub(super) fn write(record: &TenantRecord) -> Map<String, Value> {
    let members =
        json!({ "branding": record.branding, "quotas": record.quotas, "rates": record.rates, "reads": record.reads });
    match members {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// The id in a new tenant.
pub(super) fn id(value: Option<Value>) -> Option<TenantId> {
    value.as_ref().and_then(Value::as_str)?.parse().ok()
}

/// The fault of a new tenant without an id.
pub(super) fn no_id() -> Fault {
    fault("/id", "`id` must have 1 to 63 lower-case letters, digits or hyphens")
}

/// Reads a tenant; every fault is named.
pub(super) fn read(
    own: &TenantId,
    members: &Map<String, Value>,
    is_there: impl Fn(&TenantId) -> bool,
) -> Result<Wanted, Vec<Fault>> {
    let mut faults = Vec::new();
    for name in members.keys().filter(|name| !["branding", "quotas", "rates", "reads"].contains(&name.as_str())) {
        let detail = "this is not a member of a tenant that can be set: branding, quotas, rates, reads";
        faults.push(fault(format!("/{}", pointer_part(name)), detail));
    }
    let wanted = Wanted {
        branding: read_branding(members.get("branding"), &mut faults),
        quotas: read_quotas(members.get("quotas"), &mut faults),
        rates: read_rates(members.get("rates"), &mut faults),
        reads: read_reads(own, members.get("reads"), is_there, &mut faults),
    };
    if faults.is_empty() { Ok(wanted) } else { Err(faults) }
}

fn fault(pointer: impl Into<String>, detail: impl Into<String>) -> Fault {
    Fault { pointer: pointer.into(), code: "invalid_field", detail: detail.into() }
}

fn pointer_part(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The members of an object, those it does not have being faults.
fn members_of<'a>(
    value: Option<&'a Value>,
    under: &str,
    known: &[&str],
    faults: &mut Vec<Fault>,
) -> Option<&'a Map<String, Value>> {
    let value = value.filter(|value| !value.is_null())?;
    let Some(members) = value.as_object() else {
        faults.push(fault(under, format!("this must be an object of {}", known.join(", "))));
        return None;
    };
    for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
        let detail = format!("there is no such member; there are {}", known.join(", "));
        faults.push(fault(format!("{under}/{}", pointer_part(name)), detail));
    }
    Some(members)
}

fn read_branding(value: Option<&Value>, faults: &mut Vec<Fault>) -> Branding {
    const KNOWN: &[&str] = &["display_name", "logo_url", "accent_color", "contact"];
    let Some(members) = members_of(value, "/branding", KNOWN, faults) else { return Branding::default() };
    let mut text = |name: &str, is_good: fn(&str) -> bool, wanted: &str| {
        let value = members.get(name).filter(|value| !value.is_null())?;
        let text = value.as_str().filter(|text| is_good(text)).map(str::to_owned);
        if text.is_none() {
            faults.push(fault(format!("/branding/{name}"), format!("`{name}` must be {wanted}")));
        }
        text
    };
    let plain = "a text of 1 to 200 letters without control characters";
    Branding {
        display_name: text("display_name", is_text, plain),
        logo_url: text("logo_url", is_logo, "an https:// address of at most 2,000 bytes"),
        accent_color: text("accent_color", is_color, "a color like #0f5fae"),
        contact: text("contact", is_text, plain),
    }
}

fn is_text(text: &str) -> bool {
    (1..=TEXT_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// Only over TLS: a page shows it to everyone who signs in.
fn is_logo(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\`".contains(&byte);
    let host = text.strip_prefix("https://").and_then(|rest| rest.split('/').next());
    host.is_some_and(|host| !host.is_empty() && !host.contains('@'))
        && text.len() <= URL_BYTES_MAX
        && text.bytes().all(is_plain)
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|it| it.is_ascii_hexdigit()))
}

fn read_quotas(value: Option<&Value>, faults: &mut Vec<Fault>) -> Quotas {
    const KNOWN: &[&str] = &["events_per_day", "subscriptions", "streams", "storage_bytes"];
    let Some(members) = members_of(value, "/quotas", KNOWN, faults) else { return Quotas::default() };
    let mut number = |name: &str| {
        let value = members.get(name).filter(|value| !value.is_null())?;
        let number = value.as_u64();
        if number.is_none() {
            let detail = format!("`{name}` must be a whole number, or null for no limit");
            faults.push(fault(format!("/quotas/{name}"), detail));
        }
        number
    };
    Quotas {
        events_per_day: number("events_per_day"),
        subscriptions: number("subscriptions"),
        streams: number("streams"),
        storage_bytes: number("storage_bytes"),
    }
}

fn read_rates(value: Option<&Value>, faults: &mut Vec<Fault>) -> TenantRates {
    const KNOWN: &[&str] = &["requests", "bytes", "events"];
    let Some(members) = members_of(value, "/rates", KNOWN, faults) else { return TenantRates::default() };
    let mut rate = |name: &str| {
        let value = members.get(name).filter(|value| !value.is_null())?;
        let read = |part: &str, max: u64| value.get(part)?.as_u64().filter(|number| (1..=max).contains(number));
        let is_whole = value.as_object().is_some_and(|parts| parts.len() == 2);
        match (read("quota", RATE_QUOTA_MAX), read("window_seconds", RATE_SECONDS_MAX)) {
            (Some(quota), Some(window_seconds)) if is_whole => Some(RateSetting { quota, window_seconds }),
            _ => {
                let detail = format!(
                    "`{name}` must be null, or a `quota` from 1 to {RATE_QUOTA_MAX} and `window_seconds` from 1 to \
                     {RATE_SECONDS_MAX}"
                );
                faults.push(fault(format!("/rates/{name}"), detail));
                None
            }
        }
    };
    TenantRates { requests: rate("requests"), bytes: rate("bytes"), events: rate("events") }
}

fn read_reads(
    own: &TenantId,
    value: Option<&Value>,
    is_there: impl Fn(&TenantId) -> bool,
    faults: &mut Vec<Fault>,
) -> Vec<TenantId> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Vec::new() };
    let Some(names) = value.as_array().filter(|names| names.len() <= READS_MAX) else {
        faults.push(fault("/reads", format!("`reads` must be a list of at most {READS_MAX} tenants")));
        return Vec::new();
    };
    let mut reads: Vec<TenantId> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let tenant =
            name.as_str().and_then(|name| name.parse().ok()).filter(|tenant| tenant != own && is_there(tenant));
        match tenant {
            Some(tenant) if !reads.contains(&tenant) => reads.push(tenant),
            Some(_) => {}
            None => faults.push(fault(format!("/reads/{index}"), "there is no such other tenant to read")),
        }
    }
    reads
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(members: Value, expected: &[&str]) {
        let Value::Object(members) = members else { panic!("an object") };
        let own: TenantId = "acme".parse().unwrap();
        let faults = read(&own, &members, |tenant| tenant.as_str() == "public").err().unwrap_or_default();
        assert_eq!(faults.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_fault_is_named() {
        check(json!({}), &[]);
        check(json!({ "branding": null, "quotas": { "streams": 0 }, "reads": ["public", "public"] }), &[]);
        check(
            json!({
                "state": "erased", "branding": { "accent_color": "red", "logo_url": "http://x", "contact": "a\nb", "x": 1 },
                "quotas": { "streams": -1, "events_per_day": 1.5, "y": 1 }, "reads": ["acme", "nobody", 5, "public"],
                "rates": { "requests": { "quota": 0, "window_seconds": 1 }, "events": { "quota": 5 }, "bytes": null },
            }),
            &[
                "/state",
                "/branding/x",
                "/branding/logo_url",
                "/branding/accent_color",
                "/branding/contact",
                "/quotas/y",
                "/quotas/events_per_day",
                "/quotas/streams",
                "/rates/requests",
                "/rates/events",
                "/reads/0",
                "/reads/1",
                "/reads/2",
            ],
        );
        for url in ["https://", "https://a@b/", "javascript:alert(1)", "https://x/\"onload=", "https://x y"] {
            check(json!({ "branding": { "logo_url": url } }), &["/branding/logo_url"]);
        }
        check(json!({ "branding": { "logo_url": "https://acme.example/logo.svg?v=2" } }), &[]);
    }
}

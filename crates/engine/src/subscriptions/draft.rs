//! A subscription's JSON, read with all its faults at once.

use serde_json::{Map, Value, json};
use tidings_core::filter::{Compiled, Fault, Filter};
use tidings_core::id::SubscriptionId;
use tidings_core::permission::Permission;
use tidings_core::principal::Principal;
use tidings_core::subscription::{Subscription, UpdatePolicy};
use tidings_core::time::Timestamp;

/// Letters of a name.
const NAME_MAX: usize = 200;
/// Members whose rule this build does not have: refused, never stored and ignored.
const NOT_SUPPORTED: &[&str] = &["quiet_hours", "related_suppression", "digest", "throttle"];
/// Members that answers carry and that may come back unchanged.
const READ_ONLY: &[&str] = &["id", "revision", "owner", "tenant", "filter_text", "broad", "created", "updated"];

/// What an owner may decide.
#[derive(Debug)]
pub(super) struct Wanted {
    name: Option<String>,
    filter: Filter,
    channels: Vec<String>,
    updates: UpdatePolicy,
    include_drills: bool,
    paused_until: Option<Timestamp>,
}

/// Reads a subscription; every fault is named.
pub(super) fn read(members: &Map<String, Value>) -> Result<Wanted, Vec<Fault>> {
    let mut faults = Vec::new();
    for name in members.keys() {
        faults.extend(judge_name(name));
    }
    let filter = match members.get("filter").map(read_filter) {
        Some(Ok(filter)) => Some(filter),
        Some(Err(inner)) => {
            faults.extend(inner.into_iter().map(|it| Fault { pointer: format!("/filter{}", it.pointer), ..it }));
            None
        }
        None => {
            faults.push(fault(
                "/filter",
                "missing_field",
                "say what to tell, for example {\"category\": \"earthquake\"}",
            ));
            None
        }
    };
    let wanted = Wanted {
        name: read_name(members, &mut faults),
        filter: filter.unwrap_or(Filter::All(Vec::new())),
        channels: read_channels(members, &mut faults),
        updates: read_as(members, "updates", "first, escalations, until_cancelled or all", &mut faults),
        include_drills: read_as(members, "include_drills", "true or false", &mut faults),
        paused_until: read_as(members, "paused_until", "an RFC 3339 time or null", &mut faults),
    };
    if faults.is_empty() { Ok(wanted) } else { Err(faults) }
}

/// The members that a patch may change, as they are.
pub(super) fn write(subscription: &Subscription) -> Map<String, Value> {
    let members = json!({
        "name": subscription.name,
        "filter": subscription.filter.to_json(),
        "channels": subscription.channels,
        "updates": subscription.updates,
        "include_drills": subscription.include_drills,
        "paused_until": subscription.paused_until,
    });
    match members {
        Value::Object(members) => members.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}

impl Wanted {
    pub fn into_subscription(
        self,
        id: SubscriptionId,
        revision: u32,
        principal: &Principal,
        created: Timestamp,
        updated: Timestamp,
    ) -> Subscription {
        Subscription {
            id,
            revision,
            tenant: principal.tenant.clone(),
            reads: principal.reads.clone(),
            owner: principal.user,
            name: self.name,
            filter: self.filter,
            channels: self.channels,
            updates: self.updates,
            include_drills: self.include_drills,
            // What a role may see goes into the subscription, since it is judged without its owner at hand.
            sees_restricted: principal.may(Permission::RestrictedRead),
            sees_devices: principal.may(Permission::DeviceRead),
            sees_only: principal.sees_only.as_ref().map(|bound| bound.filter().clone()),
            role: Some(principal.role.clone()),
            paused_until: self.paused_until,
            created,
            updated,
        }
    }
}

fn fault(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Fault {
    Fault { pointer: pointer.into(), code, detail: detail.into() }
}

fn judge_name(name: &str) -> Option<Fault> {
    let known = ["name", "filter", "channels", "updates", "include_drills", "paused_until"];
    if known.contains(&name) || READ_ONLY.contains(&name) {
        return None;
    }
    let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    if NOT_SUPPORTED.contains(&name) {
        return Some(fault(pointer, "not_supported", "this build has no such rule yet; leave it out"));
    }
    let detail = format!("a subscription has no such member; it has {}", known.join(", "));
    Some(fault(pointer, "unknown_field", detail))
}

fn read_filter(value: &Value) -> Result<Filter, Vec<Fault>> {
    let filter = Filter::from_json(value)?;
    Compiled::new(&filter)?;
    Ok(filter)
}

fn read_name(members: &Map<String, Value>, faults: &mut Vec<Fault>) -> Option<String> {
    let name: Option<String> = read_as(members, "name", "a text", faults);
    if name.as_ref().is_some_and(|name| name.chars().count() > NAME_MAX) {
        faults.push(fault("/name", "too_large", format!("use at most {NAME_MAX} letters")));
    }
    name
}

fn read_channels(members: &Map<String, Value>, faults: &mut Vec<Fault>) -> Vec<String> {
    let channels: Option<Vec<String>> = read_as(members, "channels", "a list of texts", faults);
    for (index, channel) in channels.iter().flatten().enumerate() {
        if channel != "inbox" {
            let detail =
                format!("there is no channel `{channel}`; this build tells the inbox, which streams show live");
            faults.push(fault(format!("/channels/{index}"), "not_supported", detail));
        }
    }
    vec!["inbox".to_owned()]
}

fn read_as<T: Default + serde::de::DeserializeOwned>(
    members: &Map<String, Value>,
    name: &str,
    expected: &str,
    faults: &mut Vec<Fault>,
) -> T {
    let Some(value) = members.get(name).filter(|value| !value.is_null()) else { return T::default() };
    serde_json::from_value(value.clone()).unwrap_or_else(|_| {
        faults.push(fault(format!("/{name}"), "invalid_field", format!("must be {expected}")));
        T::default()
    })
}

//! Who may say what: judged before anything is stored.

use crate::event::Event;
use crate::issuer;
use crate::principal::{Authority, Issuers};
use crate::rejection::{Reason, Rejection, Stage};

/// Refuses what its bringer may not publish.
///
/// # Errors
/// `publish_not_permitted` for one who may not publish at all, `sender_not_permitted` for a
/// message in the name of an issuer that the bringer is not bound to, `event_not_permitted` for one
/// that its role does not let it publish, in whole or in part.
pub fn may_publish(event: &Event, authority: &Authority) -> Result<(), Rejection> {
    let refuse = |reason, pointer: &str, detail| {
        Err(Rejection { stage: Stage::Authorize, reason, pointer: pointer.to_owned(), detail })
    };
    if !authority.may_publish {
        let detail = "this key may not publish events; use one with the role curator or admin".to_owned();
        return refuse(Reason::PublishNotPermitted, "", detail);
    }
    if !authority.speaks_for(&event.issuer) {
        let detail = format!(
            "`{}` speaks for {}, which this key or source is not bound to; it may speak as `{}`",
            event.sender, event.issuer, authority.namespace
        );
        return refuse(Reason::SenderNotPermitted, "/source", detail);
    }
    if let Some(bound) = authority.says_only.as_ref().filter(|bound| !bound.admits_whole(event)) {
        let detail = format!(
            "your role publishes only what `{}` holds for, in each part; a cancel repeats category and place of its alert",
            bound.filter()
        );
        return refuse(Reason::EventNotPermitted, "", detail);
    }
    Ok(())
}

/// True where a message of this issuer, brought under this authority, is official: the issuer is
/// bound by name, or it is a registered one and the bringer is bound to all.
pub fn is_official(issuer: &str, authority: &Authority) -> bool {
    match &authority.issuers {
        Issuers::All => issuer::registered(issuer).is_some(),
        Issuers::Only(names) => names.iter().any(|name| name == issuer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(names: Option<&[&str]>) -> Authority {
        let issuers =
            names.map_or(Issuers::All, |names| Issuers::Only(names.iter().map(|name| (*name).into()).collect()));
        Authority { namespace: "key".into(), issuers, may_publish: true, says_only: None }
    }

    #[test]
    fn official_is_by_binding_only() {
        for (issuer, names, expected) in [
            ("usgs", None, true),
            ("key", None, false),
            ("usgs", Some(&["usgs"][..]), true),
            ("usgs", Some(&["dwd"][..]), false),
            ("key", Some(&[][..]), false),
            ("city fire", Some(&["city fire"][..]), true),
        ] {
            assert_eq!(is_official(issuer, &authority(names)), expected, "{issuer} {names:?}");
        }
    }
}

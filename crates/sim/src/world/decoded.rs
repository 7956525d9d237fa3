//! What the core's decoders make of the world.

use tidings_core::batch::Batch;
use tidings_core::decode::decode;
use tidings_core::draft::Draft;
use tidings_core::envelope::{Coordinate, Envelope, Limits};
use tidings_core::id::TenantId;
use tidings_core::normalize::{Believed, normalize};
use tidings_core::principal::{Authority, Issuers};
use tidings_core::validate::validate;

use super::tests::some;
use super::*;

fn envelope(message: &Message) -> Envelope {
    Envelope {
        bytes: message.body.clone().into(),
        media_type: Some(message.media_type.to_owned()),
        headers: Vec::new(),
        source: "api".to_owned(),
        tenant: TenantId::default_tenant(),
        authority: Authority {
            namespace: "admin".to_owned(),
            issuers: Issuers::All,
            may_publish: true,
            says_only: None,
        },
        coordinate: Coordinate::Drawn(message.intent.identity.clone()),
        first_item: 0,
        received: message.at,
        correlation_id: message.intent.identity.clone(),
    }
}

/// What is believed of one message, or why it is not.
fn believed(message: &Message) -> Result<Believed, String> {
    let envelope = [envelope(message)];
    let mut drafts: Batch<Draft> = decode(&envelope, &Limits::default());
    let keep = |draft: &Draft| (draft.raw.clone(), None);
    drafts.refuse(keep, |_, draft| validate(draft, &Limits::default()));
    let mut items = normalize(drafts, &envelope).into_items();
    match items.len() {
        1 => items.remove(0).fate.map_err(|refused| refused.rejection.to_string()),
        count => Err(format!("{count} messages")),
    }
}

#[test]
fn good_messages_are_believed_and_bad_ones_refused() {
    for message in some(9, 20_000) {
        let text = String::from_utf8_lossy(&message.body);
        match (message.intent.kind, believed(&message)) {
            (Kind::Bad, Ok(_)) => panic!("{} should be refused: {text}", message.intent.identity),
            (Kind::Bad, Err(_)) => {}
            (kind, Err(fault)) => panic!("{kind:?} is refused: {fault}: {text}"),
            (Kind::Cancel, Ok(it)) => assert!(it.event.action == Action::Cancel || it.retracted, "{text}"),
            (Kind::End, Ok(it)) => {
                let is_over = it.event.action == Action::End || it.event.urgency.as_str() == "Past";
                assert!(is_over, "{:?}: {text}", it.event.action);
            }
            (_, Ok(it)) => assert_ne!(it.event.action, Action::Cancel, "{text}"),
        }
    }
}

#[test]
fn duplicates_have_the_id_of_what_they_repeat() {
    let mut ids = std::collections::HashMap::new();
    let mut repeated = 0;
    for message in some(10, 30_000) {
        if message.intent.kind == Kind::Bad {
            continue;
        }
        let it = believed(&message).expect("it is good");
        let known = *ids.entry(message.intent.identity.clone()).or_insert(it.event.id);
        if message.intent.kind == Kind::Duplicate {
            let text = String::from_utf8_lossy(&message.body);
            assert_eq!(it.event.id, known, "{} by {}: {text}", message.intent.identity, message.media_type);
            repeated += 1;
        }
    }
    assert!(repeated > 300, "{repeated}");
}

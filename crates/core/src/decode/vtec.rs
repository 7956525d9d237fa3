//! Valid Time Event Codes of the US National Weather Service (NWSI 10-1703), P-VTEC only.

use crate::draft::{Closing, ThreadKey};
use crate::time::Timestamp;
use crate::vocabulary::Action;

/// What a message does to one of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// `NEW CON EXT EXA EXB COR ROU`: it goes on.
    Lives,
    /// `CAN`.
    Cancelled,
    /// `EXP`.
    Expired,
    /// `UPG`: another event takes its place.
    Upgraded,
}

/// One code: `/O.NEW.KMLB.MA.W.0213.260803T1935Z-260803T2030Z/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Vtec<'a> {
    pub(super) step: Step,
    /// `KMLB.MA.W.0213`: office, phenomenon, significance and number within a year.
    name: &'a str,
    /// Two digits of the year in which it begins; `None` when it began before this message.
    year: Option<&'a str>,
}

impl<'a> Vtec<'a> {
    /// Reads a code; `None` for anything else.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let inner = text.trim().strip_prefix('/')?.strip_suffix('/')?;
        let mut parts = inner.split('.');
        let class = parts.next().filter(|class| class.len() == 1)?;
        let action = parts.next()?;
        let step = match action {
            "NEW" | "CON" | "EXT" | "EXA" | "EXB" | "COR" | "ROU" => Step::Lives,
            "CAN" => Step::Cancelled,
            "EXP" => Step::Expired,
            "UPG" => Step::Upgraded,
            _ => return None,
        };
        for length in [4, 2, 1, 4] {
            parts
                .next()
                .filter(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
        }
        let name = &inner[class.len() + action.len() + 2..][..14];
        let begin = parts.next()?.split('-').next()?;
        let year = begin.get(..2).filter(|year| year.bytes().all(|byte| byte.is_ascii_digit()))?;
        (parts.next().is_none()).then_some(Self { step, name, year: (!begin.starts_with("000000")).then_some(year) })
    }

    /// The name of its thread. An event that has begun no longer tells its year: then it is that
    /// of the first message about it, which numbers are given out by.
    pub(super) fn key(&self, first_sent: Option<Timestamp>) -> ThreadKey {
        let year = match (self.year, first_sent) {
            (Some(year), _) => format!("20{year}"),
            (None, Some(sent)) => sent.to_string()[..4].to_owned(),
            (None, None) => "0000".to_owned(),
        };
        ThreadKey { scheme: "vtec", value: format!("{}.{year}", self.name) }
    }
}

/// What all codes of a message come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Course {
    /// Threads it belongs to.
    pub(super) keys: Vec<ThreadKey>,
    /// Threads that it closes besides.
    pub(super) closings: Vec<Closing>,
    /// What it does to its own, where the codes say more than the message type.
    pub(super) action: Option<Action>,
}

/// Where one event lives on, the others are closed by it; where none does, the message ends its
/// own: cancelled when one of them is, else over.
pub(super) fn course(codes: &[Vtec<'_>], first_sent: Option<Timestamp>) -> Course {
    let lives = codes.iter().any(|code| code.step == Step::Lives);
    let mut course = Course::default();
    for code in codes {
        let key = code.key(first_sent);
        if lives && code.step != Step::Lives {
            course.closings.push(Closing { key, upgraded: code.step == Step::Upgraded });
        } else if !course.keys.contains(&key) {
            course.keys.push(key);
        }
    }
    let is_cancelled = codes.iter().any(|code| code.step == Step::Cancelled);
    course.action = match (codes.is_empty() || lives, is_cancelled) {
        (true, _) => None,
        (false, true) => Some(Action::Cancel),
        (false, false) => Some(Action::End),
    };
    course
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(texts: &[&str], sent: &str, keys: &[&str], closings: &[(&str, bool)], action: Option<Action>) {
        let codes: Vec<Vtec<'_>> = texts.iter().filter_map(|text| Vtec::parse(text)).collect();
        assert_eq!(codes.len(), texts.len());
        let course = course(&codes, Timestamp::parse(sent).ok());
        assert_eq!(course.keys.iter().map(|key| key.value.as_str()).collect::<Vec<_>>(), keys);
        let closed: Vec<_> = course.closings.iter().map(|one| (one.key.value.as_str(), one.upgraded)).collect();
        assert_eq!(closed, closings);
        assert_eq!(course.action, action);
    }

    #[test]
    fn codes_lead_to_threads() {
        let sent = "2027-01-01T00:10:00Z";
        check(&["/O.NEW.KMLB.MA.W.0213.260803T1935Z-260803T2030Z/"], sent, &["KMLB.MA.W.0213.2026"], &[], None);
        check(&["/O.CON.KMLB.MA.W.0213.000000T0000Z-260803T2030Z/"], sent, &["KMLB.MA.W.0213.2027"], &[], None);
        check(
            &["/O.UPG.KBOX.WS.A.0001.260101T0000Z-260102T0000Z/", "/O.NEW.KBOX.WS.W.0002.260101T0000Z-260102T0000Z/"],
            sent,
            &["KBOX.WS.W.0002.2026"],
            &[("KBOX.WS.A.0001.2026", true)],
            None,
        );
        check(
            &["/O.CAN.KBOX.WS.W.0002.260101T0000Z-260102T0000Z/"],
            sent,
            &["KBOX.WS.W.0002.2026"],
            &[],
            Some(Action::Cancel),
        );
        check(
            &["/O.EXP.KBOX.WS.W.0002.000000T0000Z-260102T0000Z/"],
            sent,
            &["KBOX.WS.W.0002.2027"],
            &[],
            Some(Action::End),
        );
    }

    #[test]
    fn anything_else_is_none() {
        for text in
            ["", "/", "//", "/O.NEW/", "/O.XXX.KMLB.MA.W.0213.260803T1935Z-260803T2030Z/", "/O.NEW.KMLé.MA.W.0213.26-/"]
        {
            assert_eq!(Vtec::parse(text), None, "{text}");
        }
    }
}

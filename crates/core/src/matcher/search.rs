//! Looking an event up: candidates from the index, each judged.

use super::audience::Audiences;
use super::index::Index;
use super::keys::KeyId;
use super::mask::Mask;
use super::posting::{List, Posting, Verdict};
use super::probe::{Whereabouts, find_keys, words_of};
use super::rule::{Access, Judged, NONE};
use super::{Matcher, SlotId};
use crate::filter::Subject;

/// Memory that one search after another uses; any matcher may use it.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The number of the last search of a segment.
    epoch: u32,
    /// By slot, the search that last found it.
    found: Vec<u32>,
    /// By conjunction, the search that last judged it exactly.
    judged: Vec<u32>,
    keys: Vec<KeyId>,
}

impl Scratch {
    /// Makes room, and makes sure that `searches` more have numbers.
    fn prepare(&mut self, slots: usize, rules: usize, searches: usize) {
        if self.epoch as usize + searches >= u32::MAX as usize {
            self.epoch = 0;
            self.found.clear();
            self.judged.clear();
        }
        self.found.resize(self.found.len().max(slots), 0);
        self.judged.resize(self.judged.len().max(rules), 0);
    }
}

/// The search of one segment.
struct Search<'a> {
    matcher: &'a Matcher,
    judged: Judged<'a>,
    words: Mask,
    whereabouts: Whereabouts,
    tenant: u32,
    /// The first search of this event.
    first_epoch: u32,
    epoch: u32,
    found_in: &'a mut [u32],
    judged_in: &'a mut [u32],
    found: &'a mut Vec<SlotId>,
}

/// Finds every subscription that reads the tenant and matches the subject.
pub(super) fn search(
    matcher: &Matcher,
    subject: &Subject<'_>,
    tenant: u32,
    scratch: &mut Scratch,
    found: &mut Vec<SlotId>,
) {
    scratch.prepare(matcher.slots.len(), matcher.rules.len(), subject.segment_count());
    let first_epoch = scratch.epoch + 1;
    for segment in 0..subject.segment_count() {
        scratch.epoch += 1;
        find_keys(&matcher.index.keys, subject, segment, &mut scratch.keys);
        let mut search = Search {
            matcher,
            judged: Judged { subject, segment, keys: &scratch.keys, coarse: subject.coarse_answer(segment) },
            words: words_of(subject, segment),
            whereabouts: Whereabouts::of(subject, segment),
            tenant,
            first_epoch,
            epoch: scratch.epoch,
            found_in: &mut scratch.found,
            judged_in: &mut scratch.judged,
            found,
        };
        search.run();
    }
}

impl Search<'_> {
    fn run(&mut self) {
        let Index { keys, cells, .. } = &self.matcher.index;
        let view = self.judged.subject.segment(self.judged.segment);
        for list in self.matcher.index.by_words(view.category, view.severity) {
            self.scan(list);
        }
        for key in self.judged.keys {
            self.scan(keys.list(*key));
        }
        match std::mem::replace(&mut self.whereabouts, Whereabouts::Nowhere) {
            Whereabouts::Nowhere => {}
            Whereabouts::Everywhere => {
                self.whereabouts = Whereabouts::Everywhere;
                self.scan_all_places();
            }
            Whereabouts::Point(point, spotted) => {
                self.whereabouts = Whereabouts::Point(point, spotted);
                cells.at(point, |list| self.scan(list));
            }
            Whereabouts::Shape(rects) => {
                self.whereabouts = Whereabouts::Shape(Vec::new());
                cells.meeting(&rects, &mut |list| self.scan(list));
            }
        }
    }

    fn scan(&mut self, list: &List) {
        for posting in &list.postings {
            if posting.allows(self.words) {
                self.consider(posting);
            }
        }
    }

    /// Judges a posting whose mask lets the segment pass.
    fn consider(&mut self, posting: &Posting) {
        let verdict = match &self.whereabouts {
            _ if posting.is_anywhere() => Verdict::Yes,
            Whereabouts::Point(_, spotted) => posting.judge(spotted),
            Whereabouts::Shape(_) => Verdict::Perhaps,
            Whereabouts::Everywhere => Verdict::Yes,
            Whereabouts::Nowhere => Verdict::No,
        };
        if verdict != Verdict::No {
            self.decide(posting.rule, verdict, posting.is_plain(), posting.is_anywhere());
        }
    }

    /// Every conjunction listed by cells, for an event that counts as being in all places.
    fn scan_all_places(&mut self) {
        for (number, rule) in self.matcher.rules.iter().enumerate() {
            if rule.slot != NONE && rule.access == Access::Cells && rule.mask.allows(self.words) {
                self.decide(number as u32, Verdict::Yes, false, false);
            }
        }
    }

    fn decide(&mut self, number: u32, spot: Verdict, is_plain: bool, is_anywhere: bool) {
        let Matcher { rules, slots, tests, index, audiences, .. } = self.matcher;
        let rule = &rules[number as usize];
        if rule.slot == NONE || self.found_in[rule.slot as usize] >= self.first_epoch {
            return;
        }
        if !Audiences::reads(audiences, rule.audience, self.tenant) {
            return;
        }
        if !(is_plain && spot == Verdict::Yes) {
            // A shape meets several cells of a conjunction, which need not be judged each time.
            if std::mem::replace(&mut self.judged_in[number as usize], self.epoch) == self.epoch {
                return;
            }
            let known = usize::from(rule.access == Access::Keys) + usize::from(!is_anywhere && spot == Verdict::Yes);
            let program = slots[rule.slot as usize].program.as_deref();
            let mut left = tests.chain(rule.tests).skip(known);
            if !left.all(|test| test.holds(&self.judged, &index.keys, program)) {
                return;
            }
        }
        self.found_in[rule.slot as usize] = self.epoch;
        self.found.push(SlotId(rule.slot));
    }
}

//! Looking an event up: candidates from the index, each judged.

use super::cell::Rect;
use super::index::Index;
use super::keys::KeyId;
use super::mask::Mask;
use super::posting::{KeysOfEvent, List, Posting, Verdict};
use super::probe::{Whereabouts, find_keys, find_measures, words_of};
use super::rule::{Access, Judged, NONE, Rule};
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
    decided: Vec<u32>,
    left: Vec<(u32, bool)>,
    keys: Vec<KeyId>,
    measures: Vec<(KeyId, f64)>,
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
    tenant: u32,
    /// The audience last asked about, and whether it reads the tenant.
    audience: (u32, bool),
    /// True where a posting marked so needs no look at what was found before.
    trusts_alone: bool,
    /// The first search of this event.
    first_epoch: u32,
    epoch: u32,
    /// Conjunctions that hold, each the only one to find its subscription.
    decided: &'a mut Vec<u32>,
    /// Conjunctions with more to judge, and whether their spots hold.
    left: &'a mut Vec<(u32, bool)>,
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
    scratch.prepare(matcher.slots.places().len(), matcher.owners.len(), subject.segment_count());
    let first_epoch = scratch.epoch + 1;
    find_measures(&matcher.index.keys, subject, &mut scratch.measures);
    for segment in 0..subject.segment_count() {
        scratch.epoch += 1;
        find_keys(&matcher.index.keys, subject, segment, &mut scratch.keys);
        let mut search = Search {
            matcher,
            judged: Judged {
                subject,
                segment,
                keys: KeysOfEvent::new(&scratch.keys),
                measures: &scratch.measures,
                coarse: subject.coarse_answer(segment),
            },
            words: words_of(subject, segment),
            tenant,
            audience: (NONE, false),
            trusts_alone: subject.segment_count() == 1,
            first_epoch,
            epoch: scratch.epoch,
            decided: &mut scratch.decided,
            left: &mut scratch.left,
            found_in: &mut scratch.found,
            judged_in: &mut scratch.judged,
            found,
        };
        search.run();
    }
}

/// Lists to be scanned together. Reading a little of each first lets the processor fetch them from
/// memory at the same time.
struct Gathered<'a> {
    lists: [&'a [Posting]; Gathered::MANY],
    count: usize,
}

impl<'a> Gathered<'a> {
    const MANY: usize = 32;

    const fn new() -> Self {
        Self { lists: [&[]; Self::MANY], count: 0 }
    }

    /// Adds a list unless it is empty; true when there is no room for another.
    #[inline]
    fn add(&mut self, list: &'a List) -> bool {
        self.lists[self.count] = list.postings();
        self.count += usize::from(!list.postings().is_empty());
        self.count == Self::MANY
    }

    /// Reads a little of each.
    #[inline]
    fn touch(&self) {
        let some = self.lists[..self.count].iter().flat_map(|list| [list.first(), list.get(4)]).flatten();
        std::hint::black_box(some.fold(0, |sum, posting| sum ^ posting.touch()));
    }
}

impl<'a> Search<'a> {
    /// How many postings are set aside to be judged together.
    const PASSING_MAX: usize = 128;

    fn run(&mut self) {
        match &Whereabouts::of(self.judged.subject, self.judged.segment) {
            Whereabouts::Nowhere => {
                self.scan_keyed(|posting| if posting.is_anywhere() { Verdict::Yes } else { Verdict::No });
            }
            Whereabouts::Everywhere => {
                self.scan_keyed(|_| Verdict::Yes);
                self.scan_all_places();
            }
            Whereabouts::Point(point, spotted) => {
                let matcher = self.matcher;
                let judge = |posting: &Posting| posting.judge(spotted);
                let mut gathered = Gathered::new();
                self.gather_keyed(&mut gathered, &judge);
                matcher.index.cells.at(*point, |list| self.gather(list, &mut gathered, &judge));
                self.scan(&mut gathered, judge);
            }
            Whereabouts::Shape(rects, Some(extent)) => {
                self.scan_keyed(|posting| posting.judge_extent(extent));
                self.scan_meeting(rects, |posting| posting.judge_extent(extent));
            }
            Whereabouts::Shape(rects, None) => {
                self.scan_keyed(|posting| if posting.is_anywhere() { Verdict::Yes } else { Verdict::Perhaps });
                self.scan_meeting(rects, |_| Verdict::Perhaps);
            }
        }
    }

    /// The lists of the cells that a shape may meet.
    fn scan_meeting(&mut self, rects: &[Rect], judge: impl Fn(&Posting) -> Verdict) {
        // A shape may meet several cells of one conjunction.
        self.trusts_alone = false;
        let matcher = self.matcher;
        let mut gathered = Gathered::new();
        matcher.index.cells.meeting(rects, &mut |list| self.gather(list, &mut gathered, &judge));
        self.scan(&mut gathered, judge);
    }

    /// The lists by category and severity, and those by key.
    fn scan_keyed(&mut self, judge: impl Fn(&Posting) -> Verdict) {
        let mut gathered = Gathered::new();
        self.gather_keyed(&mut gathered, &judge);
        self.scan(&mut gathered, judge);
    }

    fn gather_keyed(&mut self, gathered: &mut Gathered<'a>, judge: &impl Fn(&Posting) -> Verdict) {
        let Index { keys, .. } = &self.matcher.index;
        let view = self.judged.subject.segment(self.judged.segment);
        for list in self.matcher.index.by_words(view.category, view.severity) {
            self.gather(list, gathered, judge);
        }
        for key in self.judged.keys.sorted() {
            self.gather(keys.list(*key), gathered, judge);
        }
    }

    #[inline]
    fn gather(&mut self, list: &'a List, gathered: &mut Gathered<'a>, judge: &impl Fn(&Posting) -> Verdict) {
        if gathered.add(list) {
            self.scan(gathered, judge);
        }
    }

    /// Judges every posting of the lists and forgets them.
    fn scan(&mut self, gathered: &mut Gathered<'a>, judge: impl Fn(&Posting) -> Verdict) {
        gathered.touch();
        // Which mask lets the segment pass is hard to foresee for the processor, so passing is
        // counted and not branched upon.
        let mut passing = [&Posting::NOTHING; Self::PASSING_MAX];
        let mut count = 0;
        for list in &gathered.lists[..gathered.count] {
            for posting in *list {
                passing[count] = posting;
                count += usize::from(posting.allows(self.words));
                if count == Self::PASSING_MAX {
                    self.judge_all(&passing, &judge);
                    count = 0;
                }
            }
        }
        self.judge_all(&passing[..count], &judge);
        gathered.count = 0;
        self.judge_left();
        self.find_decided();
    }

    /// Judges postings whose masks let the segment pass.
    #[inline]
    fn judge_all(&mut self, postings: &[&Posting], judge: &impl Fn(&Posting) -> Verdict) {
        for posting in postings {
            if posting.shares_key(&self.judged.keys) {
                let verdict = judge(posting);
                if verdict != Verdict::No {
                    self.decide(posting, verdict);
                }
            }
        }
    }

    /// Finds the owners of what needs no further look.
    #[inline]
    fn find_decided(&mut self) {
        let mut decided = std::mem::take(self.decided);
        for number in decided.drain(..) {
            let owner = self.matcher.owners[number as usize];
            if owner.slot != NONE && self.may_read(owner.audience) {
                self.found.push(SlotId(owner.slot));
            }
        }
        *self.decided = decided;
    }

    /// Every conjunction listed by cells, for an event that counts as being in all places.
    fn scan_all_places(&mut self) {
        for (number, rule) in (0..).zip(self.matcher.rules.places()) {
            if rule.access == Access::Cells && rule.mask.allows(self.words) {
                self.decide_left(number, true, false);
            }
        }
    }

    /// Judges a conjunction whose mask lets the segment pass, and whose place does or may.
    #[inline]
    fn decide(&mut self, posting: &Posting, place: Verdict) {
        let number = posting.rule;
        let is_decided = posting.is_plain() && place == Verdict::Yes;
        if is_decided && posting.is_alone() && self.trusts_alone {
            self.decided.push(number);
            return;
        }
        let is_spot_known = posting.has_keys() || (!posting.is_anywhere() && place == Verdict::Yes);
        if is_decided {
            self.decide_left(number, is_spot_known, true);
        } else {
            self.left.push((number, is_spot_known));
        }
    }

    /// Judges what was left, after a look at each so that they come from memory at the same time.
    fn judge_left(&mut self) {
        let mut left = std::mem::take(self.left);
        let Matcher { rules, .. } = self.matcher;
        let looks = left.iter().filter_map(|(number, _)| rules.get(*number)).map(Rule::touch);
        std::hint::black_box(looks.fold(0, |sum, look| sum ^ look));
        for (number, is_spot_known) in left.drain(..) {
            self.decide_left(number, is_spot_known, false);
        }
        *self.left = left;
    }

    /// Judges what is left of a conjunction, which may be all decided.
    fn decide_left(&mut self, number: u32, is_spot_known: bool, is_decided: bool) {
        let Matcher { rules, owners, tests, .. } = self.matcher;
        if !is_decided {
            // What several cells of a shape lead to need not be judged each time.
            if !self.trusts_alone && std::mem::replace(&mut self.judged_in[number as usize], self.epoch) == self.epoch {
                return;
            }
            let Some(rule) = rules.get(number) else { return };
            let known = usize::from(rule.access == Access::Keys) + usize::from(is_spot_known);
            let left = usize::from(rule.test_count).saturating_sub(known);
            if !rule.tests(tests).take(left).all(|test| test.holds(&self.judged)) {
                return;
            }
        }
        let owner = owners[number as usize];
        if owner.slot == NONE || !self.may_read(owner.audience) {
            return;
        }
        if self.found_in[owner.slot as usize] >= self.first_epoch {
            return;
        }
        self.found_in[owner.slot as usize] = self.epoch;
        self.found.push(SlotId(owner.slot));
    }

    #[inline]
    fn may_read(&mut self, audience: u32) -> bool {
        if self.audience.0 != audience {
            self.audience = (audience, self.matcher.audiences.reads(audience, self.tenant));
        }
        self.audience.1
    }
}

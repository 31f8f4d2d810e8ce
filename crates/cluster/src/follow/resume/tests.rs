#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use bytes::Bytes;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::follow::Line;

/// Returns a line at this number of milliseconds after some second.
fn line(millis: i64, text: &str) -> Stamped {
    let at = Timestamp::from_millisecond(1_767_780_000_000 + millis).unwrap();
    Stamped {
        line: Line {
            time: at.to_string(),
            text: Bytes::copy_from_slice(text.as_bytes()),
            partial: false,
        },
        at: Some(at),
        first: true,
    }
}

/// Returns a line in pieces of `size` bytes.
fn cut(line: Stamped, size: usize) -> Vec<Stamped> {
    let text = &line.line.text;
    let count = text.len().div_ceil(size).max(1);
    let piece = |n: usize| {
        let mut piece = line.clone();
        piece.line.text = text.slice(n * size..text.len().min((n + 1) * size));
        piece.line.partial = n + 1 < count;
        piece.first = n == 0;
        if !piece.first {
            piece.line.time.clear();
        }
        piece
    };
    (0..count).map(piece).collect()
}

fn lines(list: &[(i64, &str)]) -> Vec<Stamped> {
    list.iter().map(|(millis, text)| line(*millis, text)).collect()
}

/// A reader of a log that is cut off and asks for it again.
struct Reader {
    sent: Sent,
    passed: Vec<Stamped>,
    /// The number of lines sent at each reported gap.
    gaps: Vec<usize>,
    /// The size of pieces in bytes.
    size: usize,
    continuation: Option<LineContinuation>,
}

impl Reader {
    fn new(whole: bool, capacity: usize) -> Self {
        Self {
            sent: Sent::with_capacity(whole, capacity),
            passed: Vec::new(),
            gaps: Vec::new(),
            size: usize::MAX,
            continuation: None,
        }
    }

    fn pass(&mut self, lines: Vec<Stamped>) {
        for piece in lines {
            let next = match self
                .continuation
                .as_mut()
                .map(|continuation| continuation.take(piece.clone()))
            {
                None => Some(piece),
                Some(Continued::Old) => continue,
                Some(Continued::New(rest)) => rest,
                Some(Continued::Lost(piece)) => {
                    self.gaps.push(self.passed.len());
                    Some(piece)
                }
            };
            self.continuation = None;
            if let Some(piece) = next {
                self.sent.record(&piece);
                self.passed.push(piece);
            }
        }
    }

    /// Returns the times and texts of what was sent, with pieces joined.
    fn joined(&self) -> Vec<(Option<Timestamp>, String)> {
        let mut lines: Vec<(Option<Timestamp>, String)> = Vec::new();
        for piece in &self.passed {
            if piece.first {
                lines.push((piece.at, String::new()));
            }
            let (at, text) = lines.last_mut().unwrap();
            assert_eq!(*at, piece.at);
            text.push_str(std::str::from_utf8(&piece.line.text).unwrap());
        }
        lines
    }

    /// Reads at most `most` pieces of a kubelet's response for this log, and is cut off.
    fn read(&mut self, log: &[Stamped], most: usize) {
        let from = self.sent.from().unwrap_or(i64::MIN);
        let answer: Vec<_> = log
            .iter()
            .filter(|line| line.at.unwrap().as_second() >= from)
            .cloned()
            .flat_map(|line| cut(line, self.size))
            .collect();
        let cut = most < answer.len();
        let mut search = self.sent.search();
        self.continuation = self.sent.continuation();
        for line in answer.into_iter().take(most) {
            let step = match &mut search {
                Some(search) => search.push(line),
                None => Step::Found(vec![line]),
            };
            match step {
                Step::Wait => {}
                Step::Found(new) => {
                    search = None;
                    self.pass(new);
                }
                Step::Lost(new) => {
                    (search, self.continuation) = (None, None);
                    self.gaps.push(self.passed.len());
                    self.sent = Sent::with_capacity(false, self.sent.capacity);
                    self.pass(new);
                }
            }
        }
        match search.as_mut().map(Search::settle) {
            Some(Step::Found(new)) if !cut => self.pass(new),
            _ => {}
        }
    }

    fn texts(&self) -> String {
        self.passed
            .iter()
            .map(|line| std::str::from_utf8(&line.line.text).unwrap())
            .collect()
    }
}

#[test]
fn repeated_lines_are_recognised_with_their_number() {
    let log = lines(&[
        (100, "a"),
        (200, "x"),
        (200, "x"),
        (200, "x"),
        (300, "b"),
        (300, "b"),
        (1400, "c"),
    ]);
    for cut in 0..=log.len() {
        let mut reader = Reader::new(true, 100);
        reader.read(&log, cut);
        reader.read(&log, usize::MAX);
        assert_eq!(
            (reader.texts().as_str(), reader.gaps.len()),
            ("axxxbbc", 0),
            "cut after {cut}"
        );
    }
}

#[test]
fn stamps_out_of_order_over_a_second_lose_nothing() {
    let log = lines(&[(900, "a"), (1010, "b"), (990, "c"), (1020, "d"), (960, "e")]);
    for cut in 0..=log.len() {
        let mut reader = Reader::new(true, 100);
        reader.read(&log, cut);
        reader.read(&log, usize::MAX);
        assert_eq!(
            (reader.texts().as_str(), reader.gaps.len()),
            ("abcde", 0),
            "cut after {cut}"
        );
    }
}

#[test]
fn more_lines_in_a_second_than_are_remembered_are_still_recognised() {
    let log: Vec<_> = (0..1000)
        .map(|n| line(100 + n % 7, ["a", "b"][usize::try_from(n % 2).unwrap()]))
        .collect();
    let mut reader = Reader::new(true, 10);
    reader.read(&log, 700);
    reader.read(&log, 900);
    reader.read(&log, usize::MAX);
    assert_eq!(reader.passed, log);
    assert!(reader.gaps.is_empty());
}

#[test]
fn a_part_that_was_asked_for_is_found_behind_what_was_left_out() {
    let log = lines(&[(100, "a"), (200, "b"), (300, "c"), (400, "d"), (500, "e")]);
    let mut reader = Reader::new(false, 100);
    reader.pass(log[2..4].to_vec());
    reader.read(&log, usize::MAX);
    assert_eq!((reader.texts().as_str(), reader.gaps.len()), ("cde", 0));
}

#[test]
fn a_rotation_within_what_is_remembered_loses_nothing() {
    let log = lines(&[(100, "a"), (200, "b"), (300, "c"), (400, "d")]);
    let mut reader = Reader::new(true, 100);
    reader.read(&log, 3);
    reader.read(&log[1..], usize::MAX);
    assert_eq!((reader.texts().as_str(), reader.gaps.len()), ("abcd", 0));
}

#[test]
fn a_rotation_past_the_last_line_is_a_gap() {
    let log = lines(&[(100, "a"), (200, "b"), (300, "c"), (400, "d"), (2500, "e")]);
    for kept in [3, 4] {
        let mut reader = Reader::new(true, 100);
        reader.read(&log, 2);
        reader.read(&log[kept..], usize::MAX);
        let rest: String = ["d", "e"][kept - 3..].concat();
        assert_eq!(
            (reader.texts(), reader.gaps.as_slice()),
            (format!("ab{rest}"), [2].as_slice())
        );
    }
}

#[test]
fn after_a_rotation_that_hides_the_skipped_lines_new_ones_do_not_vanish_for_long() {
    let burst: Vec<_> = (0..100).map(|n| line(n, "x")).collect();
    let mut reader = Reader::new(true, 10);
    reader.read(&burst, 100);
    reader.read(&lines(&[(5000, "y"), (5001, "z")]), usize::MAX);
    assert!(reader.texts().ends_with("xyz"), "{}", reader.texts());
    assert_eq!(reader.gaps, [100]);
}

#[test]
fn a_line_that_was_cut_off_resumes_at_its_place() {
    let log = lines(&[(100, "one"), (200, "a long line"), (300, "three")]);
    let texts = |reader: &Reader| reader.joined().into_iter().map(|(_, text)| text).collect::<Vec<_>>();
    for (first, again) in [(3, 3), (3, 5), (5, 3), (1, usize::MAX), (11, 2)] {
        for most in 0..9 {
            let mut reader = Reader::new(true, 10);
            reader.size = first;
            reader.read(&log, most);
            reader.size = again;
            reader.read(&log, most + 1);
            reader.read(&log, usize::MAX);
            assert_eq!(
                texts(&reader),
                ["one", "a long line", "three"],
                "{first} {again} {most}"
            );
            assert!(reader.gaps.is_empty());
        }
    }
    // The very first line of a part, after lines that were left out.
    let mut reader = Reader::new(false, 10);
    reader.size = 4;
    reader.pass(cut(log[1].clone(), 4)[..2].to_vec());
    reader.read(&log, usize::MAX);
    assert_eq!(
        (texts(&reader), reader.gaps.len()),
        (vec!["a long line".to_owned(), "three".to_owned()], 0)
    );
}

#[test]
fn a_line_that_was_cut_off_and_is_gone_is_a_gap() {
    let log = lines(&[(100, "one"), (200, "a long line"), (300, "three")]);
    for other in [
        vec![log[0].clone(), log[2].clone()],
        lines(&[(100, "one"), (200, "another line"), (300, "three")]),
    ] {
        let mut reader = Reader::new(true, 10);
        reader.size = 3;
        reader.read(&log, 3);
        reader.read(&other, usize::MAX);
        assert_eq!(reader.gaps, [3]);
        assert!(reader.texts().ends_with("three"), "{}", reader.texts());
    }
}

#[test]
fn a_message_of_the_kubelet_is_not_a_line_of_the_log() {
    let log = lines(&[(100, "a"), (200, "b")]);
    let mut reader = Reader::new(true, 10);
    reader.read(&log, 1);
    let mut search = reader.sent.search().unwrap();
    let mut message = line(0, "unable to retrieve container logs");
    message.at = None;
    assert_eq!(search.push(message), Step::Wait);
    assert!(search.is_untouched());
    assert_eq!(search.push(log[0].clone()), Step::Found(vec![]));
}

/// Steps in time of -900 to 2000 ms, mostly zero, and few texts, so that many lines are equal.
fn any_log() -> impl Strategy<Value = Vec<Stamped>> {
    let step = prop_oneof![4 => Just(0i64), 2 => 1i64..200, 1 => 200i64..2000];
    let late = prop_oneof![3 => Just(0i64), 1 => 0i64..900];
    vec((step, late, 0usize..2), 1..120).prop_map(|steps| {
        let mut now = 0;
        let stamp = |(step, late, text): (i64, i64, usize)| {
            now += step;
            line(now - late, ["x", "y"][text])
        };
        steps.into_iter().map(stamp).collect()
    })
}

proptest! {
    #[test]
    fn nothing_is_lost_or_doubled_wherever_it_is_cut(log in any_log(), cuts in vec((0usize..60, 0usize..130), 0..8), capacity in 1usize..40) {
        let mut reader = Reader::new(true, capacity);
        let mut written = 0;
        for (more, most) in cuts {
            written = (written + more).min(log.len());
            reader.read(&log[..written], most);
        }
        reader.read(&log, usize::MAX);
        prop_assert_eq!(&reader.passed, &log);
        prop_assert!(reader.gaps.is_empty());
    }

    #[test]
    fn nothing_is_lost_or_doubled_where_lines_come_in_pieces(
        log in any_log(),
        cuts in vec((0_usize..60, 0_usize..300, 1_usize..8), 0..8),
        capacity in 1_usize..40,
    ) {
        let mut long = log;
        for (n, line) in long.iter_mut().enumerate() {
            line.line.text = [line.line.text.as_ref(), &b"abcdefgh"[..n % 9]].concat().into();
        }
        let mut reader = Reader::new(true, capacity);
        let mut written = 0;
        for (more, most, size) in cuts {
            written = (written + more).min(long.len());
            reader.size = size;
            reader.read(&long[..written], most);
        }
        reader.read(&long, usize::MAX);
        let want: Vec<_> = long.iter().map(|line| (line.at, String::from_utf8(line.line.text.to_vec()).unwrap())).collect();
        prop_assert_eq!(reader.joined(), want);
        prop_assert!(reader.gaps.is_empty());
    }

    #[test]
    fn missing_lines_after_rotations_are_reported(count in 1usize..150, pace in 1i64..700, cuts in vec((0usize..60, 0usize..40, 0usize..130), 0..8), capacity in 1usize..40) {
        let log: Vec<_> = (0..count).map(|n| line(i64::try_from(n).unwrap() * pace, "x")).collect();
        let mut reader = Reader::new(true, capacity);
        let (mut written, mut rotated) = (0, 0);
        for (more, gone, most) in cuts {
            written = (written + more).min(log.len());
            rotated = (rotated + gone).min(written);
            reader.read(&log[rotated..written], most);
        }
        reader.read(&log[rotated..], usize::MAX);
        for (index, pair) in reader.passed.windows(2).enumerate() {
            prop_assert!(pair[0].at < pair[1].at, "doubled or out of order");
            let next = log.iter().find(|line| line.at > pair[0].at).unwrap();
            prop_assert!(next.at == pair[1].at || reader.gaps.contains(&(index + 1)), "lines lost without a word");
        }
    }
}

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::{collection::vec, prelude::*};

use super::*;

const TIME: &str = "2026-01-07T10:00:00.123456789Z";

/// Feeds bytes in portions, and finishes.
fn pieces(splitter: &mut Splitter, portions: &[&[u8]]) -> Vec<Stamped> {
    let mut all = Vec::new();
    for portion in portions {
        for portion in portion.chunks(PORTION) {
            let mut portion = Bytes::copy_from_slice(portion);
            while let Some(piece) = splitter.next(&mut portion) {
                all.push(piece);
            }
            splitter.release();
        }
    }
    while let Some(piece) = splitter.finish() {
        all.push(piece);
    }
    all
}

fn splitter() -> Splitter {
    Splitter::new(LongLine::new(), true)
}

/// Returns the time and text of each line, for each way to cut the bytes in two.
fn split(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let cut = |at: usize| {
        let lines = pieces(&mut splitter(), &[&bytes[..at], &bytes[at..]]);
        assert!(lines.iter().all(|piece| piece.first && !piece.line.partial));
        let plain = lines
            .into_iter()
            .map(|stamped| (stamped.line.time, stamped.line.text.to_vec()));
        plain.collect::<Vec<_>>()
    };
    let whole = cut(0);
    for at in 1..=bytes.len() {
        assert_eq!(cut(at), whole, "cut at {at}");
    }
    whole
}

/// Returns the data of each line as it is sent, joined from its pieces, each of which is checked.
fn joined(pieces: &[Stamped], timestamps: bool) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    let mut first = true;
    for piece in pieces {
        assert_eq!(piece.first, first);
        let mut data = String::new();
        if timestamps && !piece.line.time.is_empty() {
            data = format!("{} ", piece.line.time);
        }
        data.push_str(&String::from_utf8_lossy(&piece.line.text));
        assert!(
            data.len() <= MAX_PIECE && json_len(&data) <= MAX_PIECE,
            "{}",
            json_len(&data)
        );
        line.push_str(&data);
        first = !piece.line.partial;
        if first {
            lines.push(std::mem::take(&mut line));
        }
    }
    assert!(first, "the last piece is there");
    lines
}

#[test]
fn a_line_is_what_is_before_its_line_feed() {
    let lines = split(format!("{TIME} one\n{TIME} \n{TIME} \x1b[31mred\x1b[0m\r\n{TIME} no end").as_bytes());
    let texts: Vec<_> = lines.iter().map(|(_, text)| text.as_slice()).collect();
    assert_eq!(texts, [b"one".as_slice(), b"", b"\x1b[31mred\x1b[0m\r", b"no end"]);
    assert!(lines.iter().all(|(time, _)| time == TIME));
}

#[test]
fn bytes_that_are_not_utf8_stay() {
    let lines = split(&[TIME.as_bytes(), b" \xff\xfe\x00\n"].concat());
    assert_eq!(lines, [(TIME.to_owned(), b"\xff\xfe\x00".to_vec())]);
}

#[test]
fn a_time_with_an_offset_is_shown_in_utc() {
    let lines = split(b"2026-01-07T18:00:00.5+08:00 x\n");
    assert_eq!(lines, [("2026-01-07T10:00:00.5Z".to_owned(), b"x".to_vec())]);
}

#[test]
fn a_line_without_a_time_is_passed_on_whole() {
    let lines = split(b"unable to retrieve container logs for containerd://x\n\nx");
    assert_eq!(
        lines[0],
        (
            String::new(),
            b"unable to retrieve container logs for containerd://x".to_vec()
        )
    );
    assert_eq!(lines[1], (String::new(), Vec::new()));
    assert_eq!(lines[2], (String::new(), b"x".to_vec()));
}

#[test]
fn a_line_of_128_kib_is_whole_and_a_longer_one_comes_in_pieces() {
    for (timestamps, prefix) in [(true, TIME.len() + 1), (false, 0)] {
        for (more, count) in [(0, 1), (1, 2), (3 * MAX_PIECE, 4)] {
            let text = "x".repeat(MAX_PIECE - prefix + more);
            let log = format!("{TIME} {text}\n{TIME} next\n");
            for size in [777, PORTION, log.len()] {
                let portions: Vec<_> = log.as_bytes().chunks(size).collect();
                let all = pieces(&mut Splitter::new(LongLine::new(), timestamps), &portions);
                let shown = if timestamps { format!("{TIME} ") } else { String::new() };
                assert!(joined(&all, timestamps) == [format!("{shown}{text}"), format!("{shown}next")]);
                assert_eq!(all.len(), count + 1, "{timestamps} {more} {size}");
                let (long, next) = all.split_at(count);
                assert!(
                    long.iter().all(|piece| piece.at == next[0].at),
                    "all pieces are of one time"
                );
                let times = long.iter().map(|piece| piece.line.time.as_str());
                assert!(times.eq(std::iter::once(TIME).chain(std::iter::repeat_n("", count - 1))));
            }
        }
    }
}

#[test]
fn the_json_of_a_piece_counts() {
    for text in ["\0", "\"", "\u{1f600}", "\u{e9}", "\n".trim_end()] {
        let line = text.repeat(200_000);
        let all = pieces(&mut splitter(), &[format!("{TIME} {line}\n").as_bytes()]);
        assert!(joined(&all, true) == [format!("{TIME} {line}")], "{text:?}");
    }
    let raw = [TIME.as_bytes(), b" ", &[0xff; 300_000], b"\xe2\x82"].concat();
    let all = pieces(&mut splitter(), &[&raw]);
    assert!(joined(&all, true) == [String::from_utf8_lossy(&raw)]);
}

#[test]
fn a_line_without_an_end_is_ended_by_a_last_piece() {
    let log = format!("{TIME} {}", "x".repeat(MAX_PIECE - TIME.len() - 1));
    let mut splitter = Splitter::new(LongLine::new(), true);
    let _others = splitter.long.0.clone().try_acquire_owned().unwrap();
    let all = pieces(&mut splitter, &[log.as_bytes()]);
    assert_eq!(joined(&all, true), [log]);
}

#[test]
fn one_of_many_readers_holds_a_long_line_and_the_others_neither_hold_nor_wait() {
    let long = LongLine::new();
    let mut readers: Vec<_> = (0..64).map(|_| Splitter::new(long.clone(), true)).collect();
    let portion = format!("{TIME} {}", "x".repeat(5000));
    let mut passed = [0; 64];
    for _ in 0..30 {
        for (splitter, passed) in readers.iter_mut().zip(&mut passed) {
            let mut portion = Bytes::copy_from_slice(portion.as_bytes());
            while let Some(piece) = splitter.next(&mut portion) {
                *passed += piece.line.text.len();
            }
            splitter.release();
        }
        let large = readers.iter().filter(|splitter| splitter.begun.len() > OWN).count();
        assert!(large <= 1, "{large} readers hold more than {OWN} bytes");
    }
    assert!(passed.iter().all(|passed| *passed >= MAX_PIECE - PORTION), "{passed:?}");
    // The reader that had it gives it back at the end of its line.
    let mut end = Bytes::from_static(b"\n");
    while readers[0].next(&mut end).is_some() {}
    readers[0].release();
    assert!(readers[0].begun.capacity() <= OWN && readers[1].may_hold());
}

proptest! {
    #[test]
    fn lines_are_the_same_however_they_come(
        lines in vec(prop_oneof![
            vec(any::<u8>().prop_filter("no line feed", |byte| *byte != b'\n'), 0..50),
            (any::<u8>().prop_filter("no line feed", |byte| *byte != b'\n'), 0_usize..300_000).prop_map(|(byte, count)| vec![byte; count]),
        ], 1..4),
        portion in 1_usize..40_000,
        free: bool,
    ) {
        let log: Vec<u8> = lines.iter().flat_map(|line| [TIME.as_bytes(), b" ", line, b"\n"].concat()).collect();
        let mut splitter = splitter();
        let other = (!free).then(|| splitter.long.0.clone().try_acquire_owned());
        let portions: Vec<_> = log.chunks(portion).collect();
        let all = pieces(&mut splitter, &portions);
        let want: Vec<String> = lines.iter().map(|line| format!("{TIME} {}", String::from_utf8_lossy(line))).collect();
        prop_assert!(joined(&all, true) == want);
        drop(other);
    }
}

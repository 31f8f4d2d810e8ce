//! How a process's input ends when its client has gone.

use std::time::Duration;

/// ^C: discards a half-typed line, interrupts what runs in the foreground.
const INTERRUPT: &[u8] = b"\x03";
/// ^D at the beginning of a line: the end of the input.
const END: &[u8] = b"\x04";

/// What is typed into a terminal whose client has gone, each with the pause after it. ^D comes apart from ^C, since a terminal in canonical
/// mode drops what it holds at a ^C.
pub(super) const KEYS: [(&[u8], Duration); 2] = [
    (INTERRUPT, Duration::from_millis(30)),
    (END, Duration::from_millis(150)),
];

/// How often a process that has started gets [`KEYS`]: a shell may have a program in the foreground, or a second shell. In all 0.72 s.
pub(super) const REPEATS: u32 = 4;

/// How often they are typed at most, while the process has not started: what is typed before may be lost. In all about 5 s.
pub(super) const MAX_REPEATS: u32 = 28;

/// After this age of the connection a process with a terminal has started, though it has shown nothing.
pub(super) const SLOW_START: Duration = Duration::from_secs(30);

/// Before this age of the connection a process without a terminal may not have started, and would not hear that the connection has ended.
pub(super) const EARLY: Duration = Duration::from_secs(1);

/// For the end of a process whose input was closed: a runtime that loses the connection meanwhile may forget to close the input.
pub(super) const CLOSED: Duration = Duration::from_secs(5);

/// For the close of the connection, which nobody waits for.
pub(super) const TAIL: Duration = Duration::from_millis(100);

/// For the connection to take [`KEYS`] or a close; then it is dropped.
pub(super) const LIMIT: Duration = Duration::from_millis(950);

//! How a process's input ends when its client has gone.

use std::time::Duration;

/// ^C: discards a half-typed line, interrupts what runs in the foreground.
const INTERRUPT: &[u8] = b"\x03";
/// ^D at the beginning of a line: the end of the input.
const END: &[u8] = b"\x04";

/// What is typed into a terminal whose client has gone, each after a pause. A shell may have a program in the foreground, or a second
/// shell, so ^C and ^D come several times; ^D comes apart from ^C, since a terminal in canonical mode drops what it holds at a ^C.
/// In all about 0.8 s.
pub(super) const TERMINAL: [(Duration, &[u8]); 8] = [
    (Duration::ZERO, INTERRUPT),
    (Duration::from_millis(30), END),
    (Duration::from_millis(150), INTERRUPT),
    (Duration::from_millis(30), END),
    (Duration::from_millis(200), INTERRUPT),
    (Duration::from_millis(30), END),
    (Duration::from_millis(200), INTERRUPT),
    (Duration::from_millis(60), END),
];

/// How often that is typed to a process that has not yet shown anything: it may not have started, and what is typed before may be lost.
pub(super) const EARLY_ROUNDS: u32 = 6;

/// Before this age of the connection a process may not have started, and would not hear that the connection has ended.
pub(super) const EARLY: Duration = Duration::from_secs(1);

/// For the end of a process whose input was closed: a runtime that loses the connection meanwhile may forget to close the input.
pub(super) const CLOSED: Duration = Duration::from_secs(5);

/// For the last key to reach the terminal before the connection ends.
pub(super) const TAIL: Duration = Duration::from_millis(100);

/// For one round of the farewell; then the connection is dropped.
pub(super) const LIMIT: Duration = Duration::from_millis(950);

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

/// For the last key to reach the terminal before the connection ends.
pub(super) const TAIL: Duration = Duration::from_millis(100);

/// For the whole farewell; then the connection is dropped.
pub(super) const LIMIT: Duration = Duration::from_millis(950);

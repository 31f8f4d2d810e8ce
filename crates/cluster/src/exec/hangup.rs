//! The constants of the hang-up, which ends the input of a process whose client has gone.

use std::time::Duration;

/// ^C: discards a half-typed line and interrupts the foreground process.
const INTERRUPT: &[u8] = b"\x03";
/// ^D at the beginning of a line: the end of input.
const END: &[u8] = b"\x04";

/// The keys to type into a terminal whose client has gone, each with the pause after it. ^D is sent
/// apart from ^C, because a terminal in canonical mode drops its buffer at a ^C.
pub(super) const KEYS: [(&[u8], Duration); 2] = [
    (INTERRUPT, Duration::from_millis(30)),
    (END, Duration::from_millis(150)),
];

/// How many times [`KEYS`] are typed into a started process, about 0.72 s in all. Once is not
/// enough, because a shell may run a program or another shell in the foreground.
pub(super) const REPEATS: u32 = 4;

/// How many times [`KEYS`] are typed at most while the process has not started, about 5 s in all.
/// Keys typed before the start may be lost.
pub(super) const MAX_REPEATS: u32 = 28;

/// The age of a connection at which a process with a terminal counts as started, even without
/// output.
pub(super) const SLOW_START: Duration = Duration::from_secs(30);

/// The age of a connection before which a process without a terminal may not have started, and
/// would miss the end of the connection.
pub(super) const EARLY: Duration = Duration::from_secs(1);

/// How long the connection stays open for a process to end after its input was closed. A runtime
/// that loses the connection earlier may fail to close the input.
pub(super) const CLOSED: Duration = Duration::from_secs(5);

/// How long closing the connection may take; nobody waits for it.
pub(super) const TAIL: Duration = Duration::from_millis(100);

/// How long the connection may take to accept [`KEYS`] or a close frame before it is dropped.
pub(super) const LIMIT: Duration = Duration::from_millis(950);

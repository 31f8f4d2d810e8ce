//! The line discipline of a terminal: echo, editing of the line, ^C and ^D, as `termios(3)` and a shell's prompt have them.

use super::{Output, io};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};

/// The longest line in canonical mode (`N_TTY_BUF_SIZE` of Linux, less one for the line feed); what goes beyond is dropped.
const MAX_LINE: usize = 4095;

/// Lines that a prompt recalls.
const MAX_HISTORY: usize = 100;

const INTERRUPT: u8 = 0x03;
const END_OF_FILE: u8 = 0x04;
const BELL: u8 = 0x07;
const ERASE_LINE: u8 = 0x15;
const ERASE_WORD: u8 = 0x17;
const ESCAPE: u8 = 0x1b;

/// The state of a terminal that both its line discipline and the commands on it see.
pub(super) struct Modes {
    /// Bytes pass as they come, in both directions (`stty raw`).
    pub(super) raw: AtomicBool,
    /// What is typed is not shown (`stty -echo`).
    pub(super) silent: AtomicBool,
    /// A prompt waits: the arrow keys recall earlier lines.
    editing: AtomicBool,
    /// Shells that prompt here: the innermost one takes ^C.
    shells: AtomicUsize,
    history: Mutex<VecDeque<Vec<u8>>>,
    interrupts: watch::Sender<u64>,
}

impl Modes {
    pub(super) fn new() -> Arc<Modes> {
        Arc::new(Modes {
            raw: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            editing: AtomicBool::new(false),
            shells: AtomicUsize::new(0),
            history: Mutex::default(),
            interrupts: watch::Sender::new(0),
        })
    }

    /// Changes with every ^C.
    pub(super) fn interrupts(&self) -> watch::Receiver<u64> {
        self.interrupts.subscribe()
    }

    /// Completes with a ^C that no shell's prompt takes.
    pub(super) async fn killed(&self) {
        let mut interrupts = self.interrupts();
        loop {
            interrupted(&mut interrupts).await;
            if self.shells.load(Ordering::Relaxed) == 0 {
                return;
            }
        }
    }

    /// Counts a shell that prompts, until the guard is dropped.
    pub(super) fn prompts(self: &Arc<Self>) -> Prompting {
        self.shells.fetch_add(1, Ordering::Relaxed);
        Prompting(self.clone())
    }

    /// Says whether a prompt waits for a line.
    pub(super) fn edit(&self, on: bool) {
        self.editing.store(on, Ordering::Relaxed);
    }

    /// Keeps a line for recall.
    pub(super) fn remember(&self, line: &str) {
        let line = line.trim_end().as_bytes();
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        if line.is_empty() || history.back().is_some_and(|last| last == line) {
            return;
        }
        if history.len() == MAX_HISTORY {
            history.pop_front();
        }
        history.push_back(line.to_vec());
    }

    fn recall(&self, back: usize) -> Option<Vec<u8>> {
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        history.len().checked_sub(back).and_then(|at| history.get(at)).cloned()
    }
}

/// A shell that prompts on a terminal.
pub(super) struct Prompting(Arc<Modes>);

impl Drop for Prompting {
    fn drop(&mut self) {
        self.0.shells.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Completes with the next ^C; never, when there is no terminal any more.
pub(super) async fn interrupted(interrupts: &mut watch::Receiver<u64>) {
    if interrupts.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Makes lines of what is typed, until the client is gone: then the terminal has hung up.
pub(super) async fn drive(
    mut typed: mpsc::Receiver<Bytes>,
    lines: mpsc::Sender<Bytes>,
    output: mpsc::Sender<Output>,
    modes: Arc<Modes>,
) {
    let mut discipline = Discipline {
        modes,
        line: Vec::new(),
        echo: Vec::new(),
        escape: Escape::None,
        back: 0,
    };
    while let Some(chunk) = typed.recv().await {
        if discipline.modes.raw.load(Ordering::Relaxed) {
            if !discipline.modes.silent.load(Ordering::Relaxed) {
                discipline.echo.extend_from_slice(&chunk);
            }
            if !discipline.show(&output).await || (!chunk.is_empty() && lines.send(chunk).await.is_err()) {
                return;
            }
            continue;
        }
        for byte in chunk {
            let Some(line) = discipline.key(byte) else { continue };
            // The reader may have gone (it ended); the terminal has not.
            if !discipline.show(&output).await || lines.send(line).await.is_err() {
                return;
            }
        }
        if !discipline.show(&output).await {
            return;
        }
    }
}

/// Where in an escape sequence (`ESC [ … letter`) the input stands.
#[derive(Clone, Copy, PartialEq)]
enum Escape {
    None,
    Started,
    Parameters,
}

struct Discipline {
    modes: Arc<Modes>,
    line: Vec<u8>,
    echo: Vec<u8>,
    escape: Escape,
    /// How many lines back in the history the line comes from; 0 for a new one.
    back: usize,
}

impl Discipline {
    async fn show(&mut self, output: &mpsc::Sender<Output>) -> bool {
        if self.echo.is_empty() {
            return true;
        }
        let echo = std::mem::take(&mut self.echo);
        let echo = if self.modes.raw.load(Ordering::Relaxed) {
            Bytes::from(echo)
        } else {
            io::carriage_returns(&echo)
        };
        output.send(Output::Stdout(echo)).await.is_ok()
    }

    fn print(&mut self, bytes: &[u8]) {
        if !self.modes.silent.load(Ordering::Relaxed) {
            self.echo.extend_from_slice(bytes);
        }
    }

    /// Takes a byte; returns what the reader gets, if it completes something (nothing at all being the end of the file).
    fn key(&mut self, byte: u8) -> Option<Bytes> {
        if self.escape != Escape::None || (byte == ESCAPE && self.modes.editing.load(Ordering::Relaxed)) {
            self.escaped(byte);
            return None;
        }
        match byte {
            b'\r' | b'\n' => {
                self.print(b"\n");
                self.back = 0;
                self.line.push(b'\n');
                return Some(std::mem::take(&mut self.line).into());
            }
            INTERRUPT => {
                self.print(b"^C");
                self.line.clear();
                self.back = 0;
                self.modes.interrupts.send_modify(|count| *count += 1);
            }
            END_OF_FILE => return Some(std::mem::take(&mut self.line).into()),
            0x7f | 0x08 => self.erase(1),
            ERASE_LINE => self.erase(usize::MAX),
            ERASE_WORD => {
                let text = self.line.trim_ascii_end();
                let keep = text.iter().rposition(u8::is_ascii_whitespace).map_or(0, |at| at + 1);
                let gone = self.line.split_off(keep);
                self.line.extend_from_slice(&gone);
                self.erase(columns(&gone));
            }
            _ if self.line.len() >= MAX_LINE => self.print(&[BELL]),
            0x20.. | b'\t' => {
                self.line.push(byte);
                self.print(&[byte]);
            }
            _ => {
                self.line.push(byte);
                self.print(&[b'^', byte | 0x40]);
            }
        }
        None
    }

    /// Erases characters (code points, each taken as one column wide) from the end of the line.
    fn erase(&mut self, count: usize) {
        for _ in 0..count {
            while self.line.last().is_some_and(|byte| byte & 0xc0 == 0x80) {
                self.line.pop();
            }
            match self.line.pop() {
                None => return,
                Some(byte) if byte < 0x20 && byte != b'\t' => self.print(b"\x08 \x08\x08 \x08"),
                Some(_) => self.print(b"\x08 \x08"),
            }
        }
    }

    fn escaped(&mut self, byte: u8) {
        self.escape = match (self.escape, byte) {
            (Escape::None, _) => Escape::Started,
            (Escape::Started, b'[' | b'O') => Escape::Parameters,
            (Escape::Parameters, 0x20..=0x3f) => Escape::Parameters,
            _ => Escape::None,
        };
        let back = match byte {
            b'A' => self.back.saturating_add(1),
            b'B' => self.back.saturating_sub(1),
            _ => return,
        };
        if self.escape != Escape::None {
            return;
        }
        let recalled = if back == 0 {
            Some(Vec::new())
        } else {
            self.modes.recall(back)
        };
        if let Some(line) = recalled {
            self.erase(usize::MAX);
            self.print(&line);
            self.line = line;
            self.back = back;
        }
    }
}

fn columns(text: &[u8]) -> usize {
    text.iter().filter(|byte| *byte & 0xc0 != 0x80).count()
}

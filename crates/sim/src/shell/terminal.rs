//! The line discipline of a terminal, with the features of `termios(3)` and of a shell's prompt:
//! echo, line editing, ^C and ^D.

use super::Output;
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};

/// The most bytes of a line in canonical mode: `N_TTY_BUF_SIZE` of Linux, less one for the line
/// feed. Further bytes are dropped.
const MAX_LINE: usize = 4095;

/// The most lines that a prompt keeps for recall.
const MAX_HISTORY: usize = 100;

const INTERRUPT: u8 = 0x03;
const END_OF_FILE: u8 = 0x04;
const BELL: u8 = 0x07;
const ERASE_LINE: u8 = 0x15;
const ERASE_WORD: u8 = 0x17;
const ESCAPE: u8 = 0x1b;

/// The state of a terminal, which its line discipline shares with the commands that run on it.
pub(super) struct Terminal {
    /// Whether bytes pass unchanged in both directions (`stty raw`).
    raw: AtomicBool,
    /// Whether typed bytes are not echoed (`stty -echo`).
    silent: AtomicBool,
    /// Whether a prompt waits for a line. Only then do the arrow keys recall earlier lines.
    editing: AtomicBool,
    /// How many shells have a prompt on this terminal. ^C goes to the innermost one.
    prompts: AtomicUsize,
    history: Mutex<VecDeque<Vec<u8>>>,
    interrupts: watch::Sender<u64>,
}

impl Terminal {
    pub(super) fn new() -> Arc<Terminal> {
        Arc::new(Terminal {
            raw: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            editing: AtomicBool::new(false),
            prompts: AtomicUsize::new(0),
            history: Mutex::default(),
            interrupts: watch::Sender::new(0),
        })
    }

    pub(super) fn set_raw(&self, on: bool) {
        self.raw.store(on, Ordering::Relaxed);
    }

    pub(super) fn set_echo(&self, on: bool) {
        self.silent.store(!on, Ordering::Relaxed);
    }

    /// Sets whether a prompt waits for a line.
    pub(super) fn set_editing(&self, on: bool) {
        self.editing.store(on, Ordering::Relaxed);
    }

    /// Returns a receiver that changes with every ^C.
    pub(super) fn interrupts(&self) -> watch::Receiver<u64> {
        self.interrupts.subscribe()
    }

    /// Completes at a ^C while no shell has a prompt on this terminal.
    pub(super) async fn interrupted_without_prompt(&self) {
        let mut interrupts = self.interrupts();
        loop {
            interrupted(&mut interrupts).await;
            if self.prompts.load(Ordering::Relaxed) == 0 {
                return;
            }
        }
    }

    /// Counts a shell that has a prompt on this terminal, until the guard is dropped.
    pub(super) fn prompt(self: &Arc<Self>) -> Prompt {
        self.prompts.fetch_add(1, Ordering::Relaxed);
        Prompt(self.clone())
    }

    /// Returns output as the terminal sends it. Except in raw mode, each line feed becomes a
    /// carriage return and a line feed.
    pub(super) fn output(&self, bytes: &[u8]) -> Bytes {
        if self.raw.load(Ordering::Relaxed) {
            return Bytes::copy_from_slice(bytes);
        }
        let mut out = BytesMut::with_capacity(bytes.len() + 16);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\n") {
                Some(text) => {
                    out.extend_from_slice(text);
                    out.extend_from_slice(b"\r\n");
                }
                None => out.extend_from_slice(line),
            }
        }
        out.freeze()
    }

    /// Keeps a line for recall.
    pub(super) fn push_history(&self, line: &str) {
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

/// A guard that counts a shell with a prompt on a terminal.
pub(super) struct Prompt(Arc<Terminal>);

impl Drop for Prompt {
    fn drop(&mut self) {
        self.0.prompts.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Completes at the next ^C, or never if the terminal has gone.
pub(super) async fn interrupted(interrupts: &mut watch::Receiver<u64>) {
    if interrupts.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Turns typed bytes into lines until the client has gone, which hangs up the terminal.
pub(super) async fn run_line_discipline(
    mut typed: mpsc::Receiver<Bytes>,
    lines: mpsc::Sender<Bytes>,
    output: mpsc::Sender<Output>,
    terminal: Arc<Terminal>,
) {
    let mut discipline = LineDiscipline {
        terminal,
        line: Vec::new(),
        echo: Vec::new(),
        escape: Escape::None,
        back: 0,
    };
    while let Some(chunk) = typed.recv().await {
        if discipline.terminal.raw.load(Ordering::Relaxed) {
            if !discipline.terminal.silent.load(Ordering::Relaxed) {
                discipline.echo.extend_from_slice(&chunk);
            }
            if !discipline.flush_echo(&output).await || (!chunk.is_empty() && lines.send(chunk).await.is_err()) {
                return;
            }
            continue;
        }
        for byte in chunk {
            let Some(line) = discipline.key(byte) else { continue };
            // The reader may have ended, while the terminal continues.
            if !discipline.flush_echo(&output).await || lines.send(line).await.is_err() {
                return;
            }
        }
        if !discipline.flush_echo(&output).await {
            return;
        }
    }
}

/// How much of an escape sequence (`ESC [ … letter`) has arrived.
#[derive(Clone, Copy, PartialEq)]
enum Escape {
    None,
    Started,
    Parameters,
}

struct LineDiscipline {
    terminal: Arc<Terminal>,
    line: Vec<u8>,
    echo: Vec<u8>,
    escape: Escape,
    /// How many lines back in the history the current line comes from. 0 is a new line.
    back: usize,
}

impl LineDiscipline {
    /// Sends the echo so far. Returns whether the client is still there.
    async fn flush_echo(&mut self, output: &mpsc::Sender<Output>) -> bool {
        if self.echo.is_empty() {
            return true;
        }
        let echo = self.terminal.output(&std::mem::take(&mut self.echo));
        output.send(Output::Stdout(echo)).await.is_ok()
    }

    fn print(&mut self, bytes: &[u8]) {
        if !self.terminal.silent.load(Ordering::Relaxed) {
            self.echo.extend_from_slice(bytes);
        }
    }

    /// Handles a typed byte. Returns the bytes that it completes for the reader. Empty bytes are an
    /// end of file.
    fn key(&mut self, byte: u8) -> Option<Bytes> {
        if self.escape != Escape::None || (byte == ESCAPE && self.terminal.editing.load(Ordering::Relaxed)) {
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
                self.terminal.interrupts.send_modify(|count| *count += 1);
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

    /// Erases characters from the end of the line. A character is a code point, and counts as one
    /// column wide.
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

    /// Handles a byte of an escape sequence: the arrow keys recall lines.
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
            self.terminal.recall(back)
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

//! The evaluation of parsed scripts.

use super::files::Files;
use super::io::{self, Broken, Input, Out};
use super::parse::{self, Command, Condition, Piece, Redirect, RedirectKind, Script, Step, Word};
use super::terminal::Terminal;
use super::{Container, Size, commands};
use futures_util::future::{BoxFuture, join_all};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// How deep shells may be nested.
const MAX_DEPTH: usize = 8;

/// The reason why a script stops before its end.
#[derive(Debug)]
pub(super) enum Stop {
    Exit(i32),
    /// The output has no reader.
    Broken,
}

impl From<Broken> for Stop {
    fn from(_: Broken) -> Stop {
        Stop::Broken
    }
}

/// The exit status of a command, or the reason why everything after it is skipped.
pub(super) type Flow = Result<i32, Stop>;

/// Returns the exit status of a process, given the result of its script.
pub(super) fn exit_status(flow: Flow) -> i32 {
    match flow {
        Ok(status) | Err(Stop::Exit(status)) => status,
        Err(Stop::Broken) => super::BROKEN_PIPE,
    }
}

/// The standard streams of a command.
pub(super) struct Io<'a> {
    pub(super) input: &'a mut Input,
    pub(super) out: Out,
    pub(super) err: Out,
}

impl Io<'_> {
    pub(super) fn reborrow(&mut self) -> Io<'_> {
        Io {
            input: self.input,
            out: self.out.clone(),
            err: self.err.clone(),
        }
    }
}

/// The state of a shell. Each command of a pipeline and each nested shell has its own copy.
#[derive(Clone)]
pub(super) struct Shell {
    pub(super) container: Arc<Container>,
    pub(super) files: Files,
    pub(super) directory: String,
    pub(super) environment: BTreeMap<String, String>,
    /// The name that the shell was started by.
    pub(super) name: String,
    /// The exit status of the last pipeline.
    pub(super) status: i32,
    pub(super) terminal: Option<Arc<Terminal>>,
    pub(super) size: watch::Receiver<Size>,
    depth: usize,
}

impl Shell {
    /// Makes the state of the first process of an exec.
    pub(super) fn new(
        container: Container,
        files: Files,
        command: &[String],
        terminal: Option<Arc<Terminal>>,
        size: watch::Receiver<Size>,
    ) -> Shell {
        let usual = [
            ("HOME", "/root"),
            ("HOSTNAME", container.pod.as_str()),
            ("KUBERNETES_SERVICE_HOST", "10.96.0.1"),
            ("KUBERNETES_SERVICE_PORT", "443"),
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ("PWD", "/"),
        ];
        let usual = usual.into_iter().chain(terminal.is_some().then_some(("TERM", "xterm")));
        let usual = usual.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Shell {
            files,
            directory: "/".to_owned(),
            environment: usual.chain(container.environment.iter().cloned()).collect(),
            name: command.first().cloned().unwrap_or_default(),
            status: 0,
            terminal,
            size,
            depth: 0,
            container: Arc::new(container),
        }
    }

    /// Makes a shell within this one; `None` if shells are nested too deep.
    pub(super) fn nested(&self) -> Option<Shell> {
        let depth = self.depth + 1;
        (depth <= MAX_DEPTH).then(|| Shell { depth, ..self.clone() })
    }

    /// Parses and runs a script, and returns its exit status.
    pub(super) async fn source(&mut self, source: &str, io: Io<'_>) -> i32 {
        match parse::parse(source) {
            Ok(script) => exit_status(self.script(&script, io).await),
            Err(error) => match io.err.write(error.message().as_bytes()).await {
                Ok(()) => 2,
                Err(Broken) => super::BROKEN_PIPE,
            },
        }
    }

    /// Runs a script.
    pub(super) fn script<'a>(&'a mut self, script: &'a Script, mut io: Io<'a>) -> BoxFuture<'a, Flow> {
        Box::pin(async move {
            for Step { condition, pipeline } in script {
                let runs = match condition {
                    Condition::Any => true,
                    Condition::Success => self.status == 0,
                    Condition::Failure => self.status != 0,
                };
                if runs {
                    // Commands that never wait must not keep the executor busy for a whole script.
                    tokio::task::yield_now().await;
                    self.status = match pipeline.as_slice() {
                        [command] => self.command(command, io.reborrow()).await?,
                        commands => self.pipeline(commands, io.reborrow()).await,
                    };
                }
            }
            Ok(self.status)
        })
    }

    /// Runs commands concurrently, each in a copy of the shell, and returns the exit status of the
    /// last one.
    async fn pipeline(&mut self, commands: &[Command], io: Io<'_>) -> i32 {
        let mut running: Vec<BoxFuture<'_, i32>> = Vec::with_capacity(commands.len());
        let Io { input, out, err } = io;
        let mut first = Some(input);
        let mut piped = Input::Empty;
        for (index, command) in commands.iter().enumerate() {
            let (out, next) = if index + 1 == commands.len() {
                (out.clone(), Input::Empty)
            } else {
                io::pipe()
            };
            let mut input = std::mem::replace(&mut piped, next);
            let (shared, err, mut shell) = (first.take(), err.clone(), self.clone());
            running.push(Box::pin(async move {
                let input = shared.unwrap_or(&mut input);
                exit_status(shell.command(command, Io { input, out, err }).await)
            }));
        }
        drop(out);
        join_all(running).await.last().copied().unwrap_or(0)
    }

    async fn command(&mut self, command: &Command, mut io: Io<'_>) -> Flow {
        let mut opened = None;
        for redirect in &command.redirects {
            if let Err(problem) = self.redirect(redirect, &mut io, &mut opened) {
                io.err.write(format!("sh: {problem}\n").as_bytes()).await?;
                return Ok(1);
            }
        }
        let io = Io {
            input: opened.as_mut().unwrap_or(io.input),
            ..io
        };
        let words: Vec<String> = command.words.iter().flat_map(|word| self.fields(word)).collect();
        commands::run(self, &words, io).await
    }

    fn redirect(&self, redirect: &Redirect, io: &mut Io<'_>, opened: &mut Option<Input>) -> Result<(), String> {
        let target = self.fields(&redirect.target).concat();
        let out = match redirect.kind {
            RedirectKind::Read => {
                let input = Input::open(&self.files, &self.directory, &target);
                *opened = Some(input.map_err(|problem| format!("can't open {target}: {problem}"))?);
                return Ok(());
            }
            RedirectKind::Duplicate => match target.as_str() {
                "1" => io.out.clone(),
                "2" => io.err.clone(),
                _ => return Err(format!("{target}: bad file descriptor")),
            },
            kind @ (RedirectKind::Write | RedirectKind::Append) => {
                let append = kind == RedirectKind::Append;
                Out::create(&self.files, &self.directory, &target, append)
                    .map_err(|problem| format!("can't create {target}: {problem}"))?
            }
        };
        match redirect.fd {
            1 => io.out = out,
            2 => io.err = out,
            fd => return Err(format!("{fd}: bad file descriptor")),
        }
        Ok(())
    }

    /// Expands a word. The value of a variable without quotes is split at white space.
    fn fields(&self, word: &Word) -> Vec<String> {
        let mut fields = Vec::new();
        let mut open: Option<String> = None;
        for piece in word {
            let (text, whole) = match piece {
                Piece::Text(text) => (text.clone(), true),
                Piece::Variable { name, quoted } => (self.variable(name), *quoted),
            };
            if whole {
                open.get_or_insert_default().push_str(&text);
                continue;
            }
            for (at, part) in text.split(|c: char| c.is_ascii_whitespace()).enumerate() {
                if at > 0 {
                    fields.extend(open.take());
                }
                if !part.is_empty() {
                    open.get_or_insert_default().push_str(part);
                }
            }
        }
        fields.extend(open);
        fields
    }

    /// Returns the value of a variable; empty if it is not set.
    pub(super) fn variable(&self, name: &str) -> String {
        match name {
            "?" => self.status.to_string(),
            _ => self.environment.get(name).cloned().unwrap_or_default(),
        }
    }
}

//! Runs what `parse` made of a script.

use super::files::Files;
use super::io::{self, Broken, Input, Out};
use super::lex::{Error, RedirectKind, Word};
use super::parse::{self, AndOr, Command, Join, List, Pipeline, Redirect, Stage};
use super::terminal::Modes;
use super::{Container, Size, commands, expand};
use futures_util::future::{BoxFuture, join_all};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// Scripts within scripts (`$(…)`, `sh -c`, pipelines), at most.
const MAX_DEPTH: usize = 8;

/// Why a list ends before its end.
#[derive(Debug)]
pub(super) enum Stop {
    Exit(i32),
    /// Nobody reads the output any more.
    Broken,
    Break,
    Continue,
}

impl From<Broken> for Stop {
    fn from(_: Broken) -> Stop {
        Stop::Broken
    }
}

/// The exit status of a command, or why all that follows is skipped.
pub(super) type Flow = Result<i32, Stop>;

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

/// A shell variable; exported ones are in the environment of commands.
#[derive(Clone)]
pub(super) struct Variable {
    pub(super) value: String,
    pub(super) exported: bool,
}

/// The state of a shell; a subshell has a copy.
#[derive(Clone)]
pub(super) struct Shell {
    pub(super) container: Arc<Container>,
    pub(super) files: Files,
    pub(super) directory: String,
    pub(super) variables: BTreeMap<String, Variable>,
    /// `$0` and what follows it.
    pub(super) arguments: Vec<String>,
    pub(super) status: i32,
    pub(super) terminal: Option<Arc<Modes>>,
    pub(super) size: watch::Receiver<Size>,
    pub(super) depth: usize,
}

impl Shell {
    pub(super) fn parameter(&self, name: &str) -> String {
        match name {
            "?" => self.status.to_string(),
            "$" => "7".to_owned(),
            "#" => self.arguments.len().saturating_sub(1).to_string(),
            "@" | "*" => self.arguments.get(1..).unwrap_or_default().join(" "),
            _ => match name.parse::<usize>() {
                Ok(index) => self.arguments.get(index).cloned().unwrap_or_default(),
                Err(_) => self.variables.get(name).map(|it| it.value.clone()).unwrap_or_default(),
            },
        }
    }

    pub(super) fn set(&mut self, name: &str, value: String, export: bool) {
        let exported = export || self.variables.get(name).is_some_and(|it| it.exported);
        self.variables.insert(name.to_owned(), Variable { value, exported });
    }

    /// A script in a copy of this shell; what it exits with.
    pub(super) fn subshell<'a>(&'a mut self, source: &'a str, io: Io<'a>) -> BoxFuture<'a, i32> {
        Box::pin(async move {
            self.depth += 1;
            let flow = match parse::parse(source) {
                Ok(_) if self.depth > MAX_DEPTH => io
                    .err
                    .write(b"sh: nested too deep\n")
                    .await
                    .map(|()| 2)
                    .map_err(Stop::from),
                Ok(list) => self.list(&list, io).await,
                Err(error) => io
                    .err
                    .write(complaint(&error).as_bytes())
                    .await
                    .map(|()| 2)
                    .map_err(Stop::from),
            };
            status(flow, self.status)
        })
    }

    pub(super) fn list<'a>(&'a mut self, list: &'a List, mut io: Io<'a>) -> BoxFuture<'a, Flow> {
        Box::pin(async move {
            let mut status = 0;
            for and_or in list {
                status = self.and_or(and_or, io.reborrow()).await?;
            }
            Ok(status)
        })
    }

    async fn and_or(&mut self, and_or: &AndOr, mut io: Io<'_>) -> Flow {
        self.pipeline(&and_or.first, io.reborrow()).await?;
        for (join, pipeline) in &and_or.rest {
            if (*join == Join::And) == (self.status == 0) {
                self.pipeline(pipeline, io.reborrow()).await?;
            }
        }
        Ok(self.status)
    }

    async fn pipeline(&mut self, pipeline: &Pipeline, io: Io<'_>) -> Flow {
        // A loop of commands that never wait must not keep the executor from everything else.
        tokio::task::yield_now().await;
        let status = match pipeline.stages.as_slice() {
            [stage] => self.stage(stage, io).await?,
            stages => self.stages(stages, io).await,
        };
        self.status = if pipeline.negate {
            i32::from(status == 0)
        } else {
            status
        };
        Ok(self.status)
    }

    /// All stages at the same time, each in a copy of the shell; the status is the last one's.
    async fn stages(&mut self, stages: &[Stage], io: Io<'_>) -> i32 {
        let mut running: Vec<BoxFuture<'_, i32>> = Vec::with_capacity(stages.len());
        let Io { input, out, err } = io;
        let mut first = Some(input);
        let mut piped = Input::Empty;
        for (index, stage) in stages.iter().enumerate() {
            let (out, next) = if index + 1 == stages.len() {
                (out.clone(), Input::Empty)
            } else {
                io::pipe()
            };
            let mut input = std::mem::replace(&mut piped, next);
            let (shared, err, mut shell) = (first.take(), err.clone(), self.clone());
            shell.depth += 1;
            running.push(Box::pin(async move {
                let input = shared.unwrap_or(&mut input);
                let flow = shell.stage(stage, Io { input, out, err }).await;
                status(flow, shell.status)
            }));
        }
        drop(out);
        join_all(running).await.last().copied().unwrap_or(0)
    }

    async fn stage(&mut self, stage: &Stage, mut io: Io<'_>) -> Flow {
        let mut replaced = None;
        for redirect in &stage.redirects {
            if let Err(problem) = self.redirect(redirect, &mut io, &mut replaced).await? {
                io.err.write(format!("sh: {problem}\n").as_bytes()).await?;
                return Ok(1);
            }
        }
        let io = Io {
            input: replaced.as_mut().unwrap_or(io.input),
            out: io.out,
            err: io.err,
        };
        match &stage.command {
            Command::Simple { assignments, words } => self.simple(assignments, words, io).await,
            Command::Group(list) => self.list(list, io).await,
            Command::Subshell(list) => {
                let mut shell = self.clone();
                shell.depth += 1;
                let flow = shell.list(list, io).await;
                Ok(status(flow, shell.status))
            }
            Command::If { branches, otherwise } => self.branches(branches, otherwise.as_ref(), io).await,
            Command::While { until, condition, body } => self.repeat(*until, condition, body, io).await,
            Command::For { variable, words, body } => self.each(variable, words, body, io).await,
        }
    }

    async fn redirect(
        &mut self,
        redirect: &Redirect,
        io: &mut Io<'_>,
        input: &mut Option<Input>,
    ) -> Result<Result<(), String>, Stop> {
        let target = expand::joined(self, &redirect.target, io).await?;
        let out = match redirect.kind {
            RedirectKind::Read => {
                return Ok(self
                    .files
                    .open(&self.directory, &target)
                    .map(|opened| *input = Some(opened))
                    .map_err(|problem| format!("can't open {target}: {problem}")));
            }
            RedirectKind::Duplicate => match target.as_str() {
                "1" => io.out.clone(),
                "2" => io.err.clone(),
                _ => return Ok(Err(format!("{target}: bad file descriptor"))),
            },
            RedirectKind::Write | RedirectKind::Append => {
                match self
                    .files
                    .create(&self.directory, &target, redirect.kind == RedirectKind::Append)
                {
                    Ok(out) => out,
                    Err(problem) => return Ok(Err(format!("can't create {target}: {problem}"))),
                }
            }
        };
        match redirect.fd {
            1 => io.out = out,
            2 => io.err = out,
            _ => return Ok(Err(format!("{}: bad file descriptor", redirect.fd))),
        }
        Ok(Ok(()))
    }

    async fn simple(&mut self, assignments: &[(String, Word)], words: &[Word], io: Io<'_>) -> Flow {
        let mut arguments = Vec::new();
        for word in words {
            arguments.extend(expand::fields(self, word, &io).await?);
        }
        if arguments.is_empty() {
            self.status = 0;
            for (name, word) in assignments {
                let value = expand::joined(self, word, &io).await?;
                self.set(name, value, false);
            }
            return Ok(self.status);
        }
        if assignments.is_empty() {
            return commands::run(self, &arguments, io).await;
        }
        let mut shell = self.clone();
        for (name, word) in assignments {
            let value = expand::joined(&mut shell, word, &io).await?;
            shell.set(name, value, true);
        }
        commands::run(&mut shell, &arguments, io).await
    }

    async fn branches(&mut self, branches: &[(List, List)], otherwise: Option<&List>, mut io: Io<'_>) -> Flow {
        for (condition, body) in branches {
            if self.list(condition, io.reborrow()).await? == 0 {
                return self.list(body, io).await;
            }
        }
        match otherwise {
            Some(body) => self.list(body, io).await,
            None => Ok(0),
        }
    }

    async fn repeat(&mut self, until: bool, condition: &List, body: &List, mut io: Io<'_>) -> Flow {
        let mut last = 0;
        while (self.list(condition, io.reborrow()).await? == 0) != until {
            match self.list(body, io.reborrow()).await {
                Ok(status) => last = status,
                Err(Stop::Continue) => {}
                Err(Stop::Break) => break,
                Err(stop) => return Err(stop),
            }
        }
        Ok(last)
    }

    async fn each(&mut self, variable: &str, words: &[Word], body: &List, mut io: Io<'_>) -> Flow {
        let mut values = Vec::new();
        for word in words {
            values.extend(expand::fields(self, word, &io).await?);
        }
        let mut last = 0;
        for value in values {
            self.set(variable, value, false);
            match self.list(body, io.reborrow()).await {
                Ok(status) => last = status,
                Err(Stop::Continue) => {}
                Err(Stop::Break) => break,
                Err(stop) => return Err(stop),
            }
        }
        Ok(last)
    }
}

/// The exit status of a process whose script ended so; `last` is its last command's.
pub(super) fn status(flow: Flow, last: i32) -> i32 {
    match flow {
        Ok(status) => status,
        Err(Stop::Exit(status)) => status,
        Err(Stop::Broken) => super::BROKEN_PIPE,
        Err(Stop::Break | Stop::Continue) => last,
    }
}

/// What a shell prints about a script that it can't parse.
pub(super) fn complaint(error: &Error) -> String {
    match error {
        Error::Incomplete => "sh: syntax error: unexpected end of file\n".to_owned(),
        Error::Unexpected(what) => format!("sh: syntax error: unexpected {what}\n"),
    }
}

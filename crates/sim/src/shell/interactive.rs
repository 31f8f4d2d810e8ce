//! A shell that reads its commands from the standard input: with a prompt on a terminal, without one else.

use super::eval::{self, Flow, Io, Shell, Stop};
use super::lex::Error;
use super::parse;
use super::terminal::{Modes, interrupted};
use futures_util::future::BoxFuture;
use tokio::sync::watch;

/// Bytes that one command may span, over all its lines.
const MAX_COMMAND: usize = 1 << 20;

/// Runs commands until `exit` or the end of the input; returns the exit status.
pub(super) fn run<'a>(mut shell: Shell, mut io: Io<'a>) -> BoxFuture<'a, i32> {
    Box::pin(async move {
        if !io.input.is_terminal() {
            // `… | sh` on a terminal: it reads a pipe and has no prompt.
            shell.terminal = None;
        }
        let _prompting = shell.terminal.as_ref().map(Modes::prompts);
        let mut interrupts = shell.terminal.as_ref().map(|modes| modes.interrupts());
        let mut source = String::new();
        loop {
            match line(&shell, &mut io, &mut interrupts, !source.is_empty()).await {
                Ok(Read::Line(line)) => source.push_str(&line),
                Ok(Read::Interrupted) => {
                    source.clear();
                    shell.status = super::INTERRUPTED;
                    continue;
                }
                Ok(Read::End) if source.is_empty() => return shell.status,
                Ok(Read::End) => return eval::status(complain(&io, &Error::Incomplete).await, 2),
                Err(stop) => return eval::status(Err(stop), shell.status),
            }
            let flow = match parse::parse(&source) {
                Err(Error::Incomplete) if source.len() < MAX_COMMAND => continue,
                Err(error) => complain(&io, &error).await,
                Ok(list) if list.is_empty() => Ok(shell.status),
                Ok(list) => interruptible(&mut shell, &list, &mut io, &mut interrupts).await,
            };
            source.clear();
            match flow {
                Ok(status) => shell.status = status,
                Err(Stop::Break | Stop::Continue) => {}
                Err(stop) => return eval::status(Err(stop), shell.status),
            }
        }
    })
}

async fn complain(io: &Io<'_>, error: &Error) -> Flow {
    io.err.write(eval::complaint(error).as_bytes()).await?;
    Ok(2)
}

enum Read {
    Line(String),
    Interrupted,
    End,
}

async fn line(
    shell: &Shell,
    io: &mut Io<'_>,
    interrupts: &mut Option<watch::Receiver<u64>>,
    continued: bool,
) -> Result<Read, Stop> {
    let (Some(modes), Some(interrupts)) = (&shell.terminal, interrupts) else {
        return Ok(match io.input.line().await {
            Some(line) => Read::Line(String::from_utf8_lossy(&line).into_owned()),
            None => Read::End,
        });
    };
    interrupts.mark_unchanged();
    let home = shell.parameter("HOME");
    let place = if shell.directory == home { "~" } else { &shell.directory };
    let prompt = if continued {
        "> ".to_owned()
    } else {
        format!("{place} # ")
    };
    io.out.write(prompt.as_bytes()).await?;
    modes.edit(true);
    let read = tokio::select! {
        line = io.input.line() => line,
        () = interrupted(interrupts) => {
            modes.edit(false);
            io.out.write(b"\n").await?;
            return Ok(Read::Interrupted);
        }
    };
    modes.edit(false);
    match read {
        Some(line) => {
            let line = String::from_utf8_lossy(&line).into_owned();
            modes.remember(&line);
            Ok(Read::Line(line))
        }
        None => {
            io.out.write(b"\n").await?;
            Ok(Read::End)
        }
    }
}

/// Runs a command; ^C on the terminal ends it, and only it.
async fn interruptible(
    shell: &mut Shell,
    list: &parse::List,
    io: &mut Io<'_>,
    interrupts: &mut Option<watch::Receiver<u64>>,
) -> Flow {
    let Some(interrupts) = interrupts else {
        return shell.list(list, io.reborrow()).await;
    };
    let flow = tokio::select! {
        flow = shell.list(list, io.reborrow()) => Some(flow),
        () = interrupted(interrupts) => None,
    };
    match flow {
        Some(flow) => flow,
        None => {
            io.out.write(b"\n").await?;
            Ok(super::INTERRUPTED)
        }
    }
}

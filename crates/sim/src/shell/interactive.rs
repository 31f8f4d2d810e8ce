//! Shells that read commands from their standard input, with a prompt if that is a terminal.

use super::eval::{self, Flow, Io, Shell, Stop};
use super::parse::{self, Error, Script};
use super::terminal::{Terminal, interrupted};
use futures_util::future::BoxFuture;
use tokio::sync::watch;

/// The most bytes of one command, including all its lines.
const MAX_COMMAND: usize = 1 << 20;

/// Runs commands until `exit` or the end of the input, and returns the exit status.
pub(super) fn run<'a>(mut shell: Shell, mut io: Io<'a>) -> BoxFuture<'a, i32> {
    Box::pin(async move {
        if !io.input.is_terminal() {
            // In `… | sh`, the shell reads a pipe, so it has no prompt even on a terminal.
            shell.terminal = None;
        }
        let _prompt = shell.terminal.as_ref().map(Terminal::prompt);
        let mut interrupts = shell.terminal.as_ref().map(|terminal| terminal.interrupts());
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
                Ok(Read::End) => return eval::exit_status(report(&io, &Error::Incomplete).await),
                Err(stop) => return eval::exit_status(Err(stop)),
            }
            let flow = match parse::parse(&source) {
                Err(Error::Incomplete) if source.len() < MAX_COMMAND => continue,
                Err(error) => report(&io, &error).await,
                Ok(script) => interruptible(&mut shell, &script, &mut io, &mut interrupts).await,
            };
            source.clear();
            match flow {
                Ok(status) => shell.status = status,
                Err(stop) => return eval::exit_status(Err(stop)),
            }
        }
    })
}

async fn report(io: &Io<'_>, error: &Error) -> Flow {
    io.err.write(error.message().as_bytes()).await?;
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
    let (Some(terminal), Some(interrupts)) = (&shell.terminal, interrupts) else {
        return Ok(match io.input.line().await {
            Some(line) => Read::Line(String::from_utf8_lossy(&line).into_owned()),
            None => Read::End,
        });
    };
    interrupts.mark_unchanged();
    let home = shell.variable("HOME");
    let place = if shell.directory == home { "~" } else { &shell.directory };
    let prompt = if continued {
        "> ".to_owned()
    } else {
        format!("{place} # ")
    };
    io.out.write(prompt.as_bytes()).await?;
    terminal.set_editing(true);
    let read = tokio::select! {
        line = io.input.line() => line.map_or(Read::End, |line| Read::Line(String::from_utf8_lossy(&line).into_owned())),
        () = interrupted(interrupts) => Read::Interrupted,
    };
    terminal.set_editing(false);
    match &read {
        Read::Line(line) => terminal.push_history(line),
        Read::Interrupted | Read::End => io.out.write(b"\n").await?,
    }
    Ok(read)
}

/// Runs a command. A ^C on the terminal ends the command, but not the shell.
async fn interruptible(
    shell: &mut Shell,
    script: &Script,
    io: &mut Io<'_>,
    interrupts: &mut Option<watch::Receiver<u64>>,
) -> Flow {
    let Some(interrupts) = interrupts else {
        return shell.script(script, io.reborrow()).await;
    };
    let flow = tokio::select! {
        flow = shell.script(script, io.reborrow()) => Some(flow),
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

//! Commands that change the shell itself, and shells within shells.

use super::super::eval::{Flow, Io, Shell, Stop};
use super::super::files::{Node, resolve};
use super::super::interactive;
use super::{fail, print};

pub(super) async fn cd(shell: &mut Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let path = arguments.first().cloned().unwrap_or_else(|| shell.variable("HOME"));
    let absolute = resolve(&shell.directory, &path);
    match shell.files.get(&absolute) {
        Some(Node::Directory) => {
            shell.environment.insert("PWD".to_owned(), absolute.clone());
            shell.directory = absolute;
            Ok(0)
        }
        Some(Node::File(_)) => fail(io, format!("sh: cd: can't cd to {path}: Not a directory")).await,
        None => fail(io, format!("sh: cd: can't cd to {path}: No such file or directory")).await,
    }
}

/// Ends the shell with an exit status. Only its last eight bits count, as for a process.
pub(super) fn exit(shell: &Shell, arguments: &[String]) -> Flow {
    let status = match arguments.first() {
        None => shell.status,
        Some(text) => text.parse::<i64>().map_or(2, |number| (number & 0xff) as i32),
    };
    Err(Stop::Exit(status))
}

/// Runs a command in place of the shell, which ends when the command ends.
pub(super) async fn exec(shell: &mut Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let status = Box::pin(super::run(shell, arguments, io.reborrow())).await?;
    if arguments.is_empty() {
        return Ok(status);
    }
    Err(Stop::Exit(status))
}

pub(super) async fn env(shell: &Shell, io: &mut Io<'_>) -> Flow {
    let variables = shell.environment.iter();
    let text: String = variables.map(|(name, value)| format!("{name}={value}\n")).collect();
    print(io, &text).await
}

/// Runs `sh -c SCRIPT`, or a shell that reads commands from the standard input.
pub(super) async fn sh(shell: &mut Shell, words: &[String], io: &mut Io<'_>) -> Flow {
    let Some(mut inner) = shell.nested() else {
        return fail(io, "sh: nested too deep").await;
    };
    inner.name = words.first().cloned().unwrap_or_default();
    let arguments = words.get(1..).unwrap_or_default();
    let options = arguments.iter().take_while(|it| it.starts_with('-')).count();
    let (options, rest) = arguments.split_at(options);
    if !options.iter().any(|it| it.contains('c')) {
        return Ok(interactive::run(inner, io.reborrow()).await);
    }
    match rest.first() {
        Some(script) => Ok(inner.source(script, io.reborrow()).await),
        None => fail(io, "sh: -c requires an argument").await.map(|_| 2),
    }
}

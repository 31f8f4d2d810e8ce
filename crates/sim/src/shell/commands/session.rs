//! Commands that change the shell itself, and shells within shells.

use super::super::eval::{Flow, Io, Shell, Stop};
use super::super::files::{Node, resolve};
use super::super::{interactive, lex};
use super::complain;

pub(super) async fn cd(shell: &mut Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let path = arguments.first().cloned().unwrap_or_else(|| shell.parameter("HOME"));
    let absolute = resolve(&shell.directory, &path);
    match shell.files.get(&absolute) {
        Some(Node::Directory) => {
            shell.set("PWD", absolute.clone(), true);
            shell.directory = absolute;
            Ok(0)
        }
        Some(Node::File(_)) => complain(io, format!("sh: cd: can't cd to {path}: Not a directory")).await,
        None => complain(io, format!("sh: cd: can't cd to {path}: No such file or directory")).await,
    }
}

/// Ends the shell; of a number its last eight bits count, as a process has no more.
pub(super) fn exit(shell: &Shell, arguments: &[String]) -> Flow {
    let status = match arguments.first() {
        None => shell.status,
        Some(text) => text.parse::<i64>().map_or(2, |number| (number & 0xff) as i32),
    };
    Err(Stop::Exit(status))
}

/// The command takes the shell's place: when it ends, so does the shell.
pub(super) async fn exec(shell: &mut Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    if arguments.is_empty() {
        return Ok(0);
    }
    let status = Box::pin(super::run(shell, arguments, io.reborrow())).await?;
    Err(Stop::Exit(status))
}

pub(super) async fn export(shell: &mut Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    if arguments.is_empty() {
        let exported = shell.variables.iter().filter(|(_, it)| it.exported);
        let text: String = exported
            .map(|(name, it)| format!("export {name}='{}'\n", it.value))
            .collect();
        io.out.write(text.as_bytes()).await?;
    }
    for argument in arguments {
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => (argument.as_str(), shell.parameter(argument)),
        };
        if !lex::is_name(name) {
            return complain(io, format!("sh: export: {name}: bad variable name"))
                .await
                .map(|_| 2);
        }
        shell.set(name, value, true);
    }
    Ok(0)
}

pub(super) fn unset(shell: &mut Shell, arguments: &[String]) -> Flow {
    for argument in arguments {
        shell.variables.remove(argument);
    }
    Ok(0)
}

pub(super) fn shift(shell: &mut Shell) -> Flow {
    if shell.arguments.len() < 2 {
        return Ok(1);
    }
    shell.arguments.remove(1);
    Ok(0)
}

/// The environment, or one variable of it.
pub(super) async fn env(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let text: String = match arguments.first() {
        None => {
            let exported = shell.variables.iter().filter(|(_, it)| it.exported);
            exported.map(|(name, it)| format!("{name}={}\n", it.value)).collect()
        }
        Some(name) => match shell.variables.get(name).filter(|it| it.exported) {
            Some(it) => format!("{}\n", it.value),
            None => return Ok(1),
        },
    };
    io.out.write(text.as_bytes()).await?;
    Ok(0)
}

/// A signal to the shell itself (`kill -9 $$`) ends it; there is nothing else to send one to.
pub(super) async fn kill(arguments: &[String], io: &mut Io<'_>) -> Flow {
    let (mut signal, mut pid) = (15, None);
    for argument in arguments {
        match argument.strip_prefix('-') {
            Some("KILL") => signal = 9,
            Some("INT") => signal = 2,
            Some(number) => signal = number.parse().unwrap_or(signal),
            None => pid = Some(argument.as_str()),
        }
    }
    match pid {
        Some("7") => Err(Stop::Exit(128 + (signal & 0x7f))),
        Some(pid) => complain(io, format!("sh: can't kill pid {pid}: No such process")).await,
        None => complain(io, "sh: kill: usage: kill [-SIGNAL] PID").await,
    }
}

/// One line into variables: the last gets the rest.
pub(super) async fn read(shell: &mut Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let names: Vec<&String> = arguments.iter().filter(|it| lex::is_name(it)).collect();
    let Some(line) = io.input.line().await else {
        return Ok(1);
    };
    let line = String::from_utf8_lossy(&line).into_owned();
    let mut rest = line.trim();
    for (index, name) in names.iter().enumerate() {
        let value = if index + 1 == names.len() {
            std::mem::take(&mut rest)
        } else {
            let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            rest = after.trim_start();
            word
        };
        shell.set(name, value.to_owned(), false);
    }
    Ok(i32::from(!line.ends_with('\n')))
}

/// `sh -c SCRIPT [NAME ARG…]`, or a shell that reads its commands from the standard input.
pub(super) async fn sh(shell: &mut Shell, words: &[String], io: &mut Io<'_>) -> Flow {
    let mut inner = shell.clone();
    inner.variables.retain(|_, it| it.exported);
    let name = words.first().cloned().unwrap_or_default();
    let options: Vec<&String> = words
        .iter()
        .skip(1)
        .take_while(|it| it.starts_with('-') && it.len() > 1)
        .collect();
    let rest = words.get(1 + options.len()..).unwrap_or_default();
    if options.iter().any(|it| it.contains('c')) {
        let Some((script, arguments)) = rest.split_first() else {
            return complain(io, "sh: -c requires an argument").await.map(|_| 2);
        };
        inner.arguments = if arguments.is_empty() {
            vec![name]
        } else {
            arguments.to_vec()
        };
        return Ok(inner.subshell(script, io.reborrow()).await);
    }
    if let Some((path, _)) = rest.split_first() {
        let Some(Node::File(script)) = inner.files.get(&resolve(&inner.directory, path)) else {
            return complain(io, format!("sh: can't open '{path}': No such file or directory"))
                .await
                .map(|_| 2);
        };
        inner.arguments = rest.to_vec();
        return Ok(inner.subshell(&String::from_utf8_lossy(&script), io.reborrow()).await);
    }
    inner.arguments = vec![name];
    inner.depth += 1;
    Ok(interactive::run(inner, io.reborrow()).await)
}

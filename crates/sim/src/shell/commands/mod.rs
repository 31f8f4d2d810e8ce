//! The commands that a container has, as BusyBox has them.

mod files;
mod session;
mod system;
mod text;

use super::eval::{Flow, Io, Shell};

/// Every command that is a file in `/bin`; an exec can start these.
pub(super) const NAMES: &[&str] = &[
    "ash", "cat", "clear", "date", "echo", "env", "false", "grep", "head", "hostname", "id", "ls", "mkdir", "printenv",
    "printf", "ps", "pwd", "rm", "seq", "sh", "sleep", "stty", "tail", "test", "touch", "true", "tty", "uname", "wc",
    "whoami", "yes",
];

/// The command that an executable's name or path stands for.
pub(super) fn lookup(name: &str) -> Option<&str> {
    let base = match name.rsplit_once('/') {
        None => name,
        Some(("/bin" | "/usr/bin", base)) => base,
        Some(_) => return None,
    };
    NAMES.contains(&base).then_some(base)
}

/// Runs a command by its words, the first being its name.
pub(super) async fn run(shell: &mut Shell, words: &[String], mut io: Io<'_>) -> Flow {
    let Some((name, arguments)) = words.split_first() else {
        return Ok(0);
    };
    let io = &mut io;
    match name.as_str() {
        ":" => return Ok(0),
        "break" => return Err(super::eval::Stop::Break),
        "continue" => return Err(super::eval::Stop::Continue),
        "cd" => return session::cd(shell, arguments, io).await,
        "exec" => return session::exec(shell, arguments, io).await,
        "exit" => return session::exit(shell, arguments),
        "export" => return session::export(shell, arguments, io).await,
        "kill" => return session::kill(arguments, io).await,
        "read" => return session::read(shell, arguments, io).await,
        "set" | "trap" | "umask" => return Ok(0),
        "shift" => return session::shift(shell),
        "unset" => return session::unset(shell, arguments),
        "[" => return system::bracket(shell, arguments, io).await,
        _ => {}
    }
    match lookup(name) {
        Some("ash" | "sh") => session::sh(shell, words, io).await,
        Some("cat") => files::cat(shell, arguments, io).await,
        Some("clear") => {
            io.out.write(b"\x1b[H\x1b[J").await?;
            Ok(0)
        }
        Some("date") => system::date(arguments, io).await,
        Some("echo") => text::echo(arguments, io).await,
        Some("env" | "printenv") => session::env(shell, arguments, io).await,
        Some("false") => Ok(1),
        Some("grep") => text::grep(shell, arguments, io).await,
        Some("head") => text::head(shell, arguments, io).await,
        Some("hostname") => system::hostname(shell, io).await,
        Some("id") => system::id(arguments, io).await,
        Some("ls") => files::ls(shell, arguments, io).await,
        Some("mkdir") => files::mkdir(shell, arguments, io).await,
        Some("printf") => text::printf(arguments, io).await,
        Some("ps") => system::ps(shell, words, io).await,
        Some("pwd") => {
            io.out.write(format!("{}\n", shell.directory).as_bytes()).await?;
            Ok(0)
        }
        Some("rm") => files::rm(shell, arguments, io).await,
        Some("seq") => text::seq(arguments, io).await,
        Some("sleep") => system::sleep(arguments, io).await,
        Some("stty") => system::stty(shell, arguments, io).await,
        Some("tail") => text::tail(shell, arguments, io).await,
        Some("test") => Ok(i32::from(!system::test(shell, arguments))),
        Some("touch") => files::touch(shell, arguments, io).await,
        Some("true") => Ok(0),
        Some("tty") => system::tty(shell, io).await,
        Some("uname") => system::uname(shell, arguments, io).await,
        Some("wc") => text::wc(shell, arguments, io).await,
        Some("whoami") => {
            io.out.write(b"root\n").await?;
            Ok(0)
        }
        Some("yes") => text::yes(arguments, io).await,
        Some(_) | None => {
            io.err.write(format!("sh: {name}: not found\n").as_bytes()).await?;
            Ok(127)
        }
    }
}

/// Prints a command's complaint and gives the status that goes with it.
async fn complain(io: &Io<'_>, message: impl std::fmt::Display) -> Flow {
    io.err.write(format!("{message}\n").as_bytes()).await?;
    Ok(1)
}

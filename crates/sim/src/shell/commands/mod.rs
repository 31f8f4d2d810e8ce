//! The commands of a container, which behave like those of `BusyBox`.

mod files;
mod session;
mod system;
mod text;

use super::eval::{Flow, Io, Shell};

/// The commands that are files in `/bin`. An exec can start these.
pub(super) const NAMES: &[&str] = &[
    "cat", "clear", "date", "echo", "env", "false", "grep", "head", "hostname", "id", "ls", "ps", "pwd", "sh", "sleep",
    "stty", "true", "uname", "whoami", "yes",
];

/// Returns the command that an executable's name or path stands for.
pub(super) fn lookup(name: &str) -> Option<&str> {
    let base = match name.rsplit_once('/') {
        None => name,
        Some(("/bin" | "/usr/bin", base)) => base,
        Some(_) => return None,
    };
    NAMES.contains(&base).then_some(base)
}

/// Runs a command, whose name is the first of its words.
pub(super) async fn run(shell: &mut Shell, words: &[String], mut io: Io<'_>) -> Flow {
    let Some((name, arguments)) = words.split_first() else {
        return Ok(0);
    };
    let io = &mut io;
    match name.as_str() {
        "cd" => return session::cd(shell, arguments, io).await,
        "exec" => return session::exec(shell, arguments, io).await,
        "exit" => return session::exit(shell, arguments),
        _ => {}
    }
    match lookup(name).unwrap_or_default() {
        "cat" => files::cat(shell, arguments, io).await,
        "clear" => print(io, "\x1b[H\x1b[J").await,
        "date" => {
            let now = jiff::Timestamp::now();
            print(io, &format!("{}\n", now.strftime("%a %b %e %H:%M:%S UTC %Y"))).await
        }
        "echo" => text::echo(arguments, io).await,
        "env" => session::env(shell, io).await,
        "false" => Ok(1),
        "grep" => text::grep(shell, arguments, io).await,
        "head" => text::head(shell, arguments, io).await,
        "hostname" => print(io, &format!("{}\n", shell.container.pod)).await,
        "id" => print(io, "uid=0(root) gid=0(root) groups=0(root)\n").await,
        "ls" => files::ls(shell, arguments, io).await,
        "ps" => system::ps(shell, words, io).await,
        "pwd" => print(io, &format!("{}\n", shell.directory)).await,
        "sh" => session::sh(shell, words, io).await,
        "sleep" => system::sleep(arguments, io).await,
        "stty" => system::stty(shell, arguments, io).await,
        "true" => Ok(0),
        "uname" => print(io, &format!("Linux {} 6.12.0 x86_64 GNU/Linux\n", shell.container.pod)).await,
        "whoami" => print(io, "root\n").await,
        "yes" => text::yes(arguments, io).await,
        _ => {
            io.err.write(format!("sh: {name}: not found\n").as_bytes()).await?;
            Ok(127)
        }
    }
}

async fn print(io: &Io<'_>, text: &str) -> Flow {
    io.out.write(text.as_bytes()).await?;
    Ok(0)
}

/// Prints why a command failed and returns its exit status.
async fn fail(io: &Io<'_>, message: impl std::fmt::Display) -> Flow {
    io.err.write(format!("{message}\n").as_bytes()).await?;
    Ok(1)
}

/// Splits a command's options, as one string of letters, from its other arguments.
fn options(arguments: &[String]) -> (String, Vec<&str>) {
    let (options, others): (Vec<&str>, Vec<&str>) = arguments
        .iter()
        .map(String::as_str)
        .partition(|it| it.len() > 1 && it.starts_with('-'));
    (options.concat().replace('-', ""), others)
}

//! Commands that make or filter text.

use super::super::eval::{Flow, Io, Shell};
use super::super::io::Input;
use super::{fail, options, print};

/// Prints its arguments. `-n` leaves the line feed out.
pub(super) async fn echo(arguments: &[String], io: &mut Io<'_>) -> Flow {
    match arguments.split_first() {
        Some((option, rest)) if option == "-n" => print(io, &rest.join(" ")).await,
        _ => print(io, &(arguments.join(" ") + "\n")).await,
    }
}

/// Prints lines without end, as fast as the reader takes them.
pub(super) async fn yes(arguments: &[String], io: &mut Io<'_>) -> Flow {
    let line = if arguments.is_empty() {
        "y\n".to_owned()
    } else {
        format!("{}\n", arguments.join(" "))
    };
    let block = line.repeat((4096 / line.len()).max(1));
    loop {
        io.out.write(block.as_bytes()).await?;
        // An output that never makes us wait, such as `/dev/null`, must not keep the executor busy.
        tokio::task::yield_now().await;
    }
}

/// Returns the file with this name, or the standard input without a name.
fn source<'a>(
    shell: &Shell,
    path: Option<&&str>,
    stdin: &'a mut Input,
    opened: &'a mut Option<Input>,
) -> Result<&'a mut Input, String> {
    match path {
        None => Ok(stdin),
        Some(path) => match Input::open(&shell.files, &shell.directory, path) {
            Ok(input) => Ok(opened.insert(input)),
            Err(problem) => Err(format!("{path}: {problem}")),
        },
    }
}

/// Prints the first ten lines, or as many as `-n NUMBER` says.
pub(super) async fn head(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let (lines, paths) = match arguments {
        [option, number, paths @ ..] if option == "-n" => (number.parse().ok(), paths),
        [option, paths @ ..] if option.starts_with('-') => (option.trim_start_matches(['-', 'n']).parse().ok(), paths),
        paths => (Some(10), paths),
    };
    let Some(lines) = lines else {
        return fail(io, "usage: head [-n LINES] [FILE]").await;
    };
    let mut opened = None;
    let path = paths.first().map(String::as_str);
    let input = match source(shell, path.as_ref(), io.input, &mut opened) {
        Ok(input) => input,
        Err(message) => return fail(io, format!("head: {message}")).await,
    };
    for _ in 0..lines {
        let Some(line) = input.line().await else { break };
        io.out.write(&line).await?;
    }
    Ok(0)
}

/// Prints the lines that contain a fixed string. `-i` ignores case, and `-v` prints the other
/// lines.
pub(super) async fn grep(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let (options, others) = options(arguments);
    let Some((pattern, paths)) = others.split_first() else {
        return fail(io, "usage: grep [-iv] PATTERN [FILE]").await;
    };
    let fold = |text: &str| {
        if options.contains('i') {
            text.to_lowercase()
        } else {
            text.to_owned()
        }
    };
    let pattern = fold(pattern);
    let mut opened = None;
    let input = match source(shell, paths.first(), io.input, &mut opened) {
        Ok(input) => input,
        Err(message) => return fail(io, format!("grep: {message}")).await,
    };
    let mut status = 1;
    while let Some(line) = input.line().await {
        if fold(&String::from_utf8_lossy(&line)).contains(&pattern) != options.contains('v') {
            io.out.write(&line).await?;
            status = 0;
        }
    }
    Ok(status)
}

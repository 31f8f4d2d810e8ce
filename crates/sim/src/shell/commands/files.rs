//! Commands on files.

use super::super::eval::{Flow, Io, Shell};
use super::super::files::{Node, resolve};
use super::super::io::Input;
use super::complain;

pub(super) async fn cat(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    if arguments.is_empty() {
        return copy(io.input, &io.out).await.map(|()| 0);
    }
    let mut status = 0;
    for path in arguments {
        if path == "-" {
            copy(io.input, &io.out).await?;
            continue;
        }
        match shell.files.open(&shell.directory, path) {
            Ok(mut input) => copy(&mut input, &io.out).await?,
            Err(problem) => status = complain(io, format!("cat: can't open '{path}': {problem}")).await?,
        }
    }
    Ok(status)
}

async fn copy(input: &mut Input, out: &super::super::io::Out) -> Result<(), super::super::eval::Stop> {
    loop {
        let chunk = input.read().await;
        if chunk.is_empty() {
            return Ok(());
        }
        out.write(&chunk).await?;
        tokio::task::yield_now().await;
    }
}

/// Splits options from paths.
fn options(arguments: &[String]) -> (String, Vec<&str>) {
    let (options, paths): (Vec<&str>, Vec<&str>) = arguments
        .iter()
        .map(String::as_str)
        .partition(|it| it.len() > 1 && it.starts_with('-'));
    (options.concat(), paths)
}

pub(super) async fn ls(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let (options, mut paths) = options(arguments);
    if paths.is_empty() {
        paths.push(".");
    }
    let several = paths.len() > 1;
    let (mut text, mut status) = (String::new(), 0);
    for path in paths {
        let absolute = resolve(&shell.directory, path);
        let entries = match shell.files.get(&absolute) {
            None => {
                status = complain(io, format!("ls: {path}: No such file or directory")).await?;
                continue;
            }
            Some(Node::Directory) if !options.contains('d') => {
                if several {
                    text.push_str(&format!("{path}:\n"));
                }
                let mut entries = shell.files.children(&absolute);
                if options.contains('a') {
                    entries.splice(
                        0..0,
                        [(".".to_owned(), Node::Directory), ("..".to_owned(), Node::Directory)],
                    );
                } else {
                    entries.retain(|(name, _)| !name.starts_with('.'));
                }
                if options.contains('l') {
                    text.push_str(&format!("total {}\n", entries.len() * 4));
                }
                entries
            }
            Some(node) => vec![(path.to_owned(), node)],
        };
        if options.contains('l') || options.contains('1') || shell.terminal.is_none() {
            for (name, node) in entries {
                text.push_str(&if options.contains('l') {
                    long(&name, &node)
                } else {
                    format!("{name}\n")
                });
            }
        } else {
            text.push_str(&columns(&entries, usize::from(shell.size.borrow().columns)));
        }
    }
    io.out.write(text.as_bytes()).await?;
    Ok(status)
}

fn long(name: &str, node: &Node) -> String {
    match node {
        Node::Directory => format!("drwxr-xr-x    2 root     root          4096 Jan  7 10:00 {name}\n"),
        Node::File(content) => format!(
            "-rw-r--r--    1 root     root     {:>9} Jan  7 10:00 {name}\n",
            content.len()
        ),
    }
}

/// Names in columns, top to bottom, as wide as the terminal.
fn columns(entries: &[(String, Node)], width: usize) -> String {
    let widest = entries.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) + 2;
    let columns = (width.max(20) / widest).max(1);
    let rows = entries.len().div_ceil(columns);
    let mut text = String::new();
    for row in 0..rows {
        let line: String = entries
            .iter()
            .skip(row)
            .step_by(rows)
            .map(|(name, _)| format!("{name:<widest$}"))
            .collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

pub(super) async fn mkdir(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let (options, paths) = options(arguments);
    let mut status = 0;
    for path in paths {
        if let Err(problem) = shell
            .files
            .make_directory(&shell.directory, path, options.contains('p'))
        {
            status = complain(io, format!("mkdir: can't create directory '{path}': {problem}")).await?;
        }
    }
    Ok(status)
}

pub(super) async fn rm(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let (options, paths) = options(arguments);
    let mut status = 0;
    for path in paths {
        let removed = shell.files.remove(&shell.directory, path, options.contains(['r', 'R']));
        if let (Err(problem), false) = (removed, options.contains('f')) {
            status = complain(io, format!("rm: can't remove '{path}': {problem}")).await?;
        }
    }
    Ok(status)
}

pub(super) async fn touch(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let mut status = 0;
    for path in arguments {
        if let Err(problem) = shell.files.create(&shell.directory, path, true) {
            status = complain(io, format!("touch: {path}: {problem}")).await?;
        }
    }
    Ok(status)
}

//! Commands on files.

use super::super::eval::{Flow, Io, Shell, Stop};
use super::super::files::{Node, resolve};
use super::super::io::{Input, Out};
use super::{fail, options};

pub(super) async fn cat(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    if arguments.is_empty() {
        copy(io.input, &io.out).await?;
    }
    let mut status = 0;
    for path in arguments {
        match Input::open(&shell.files, &shell.directory, path) {
            Ok(mut input) => copy(&mut input, &io.out).await?,
            Err(problem) => status = fail(io, format!("cat: can't open '{path}': {problem}")).await?,
        }
    }
    Ok(status)
}

async fn copy(input: &mut Input, out: &Out) -> Result<(), Stop> {
    loop {
        let chunk = input.read().await;
        if chunk.is_empty() {
            return Ok(());
        }
        out.write(&chunk).await?;
        tokio::task::yield_now().await;
    }
}

pub(super) async fn ls(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let (options, mut paths) = options(arguments);
    if paths.is_empty() {
        paths.push(".");
    }
    let (mut text, mut status) = (String::new(), 0);
    for path in &paths {
        let absolute = resolve(&shell.directory, path);
        let entries = match shell.files.get(&absolute) {
            None => {
                status = fail(io, format!("ls: {path}: No such file or directory")).await?;
                continue;
            }
            Some(Node::Directory) => {
                if paths.len() > 1 {
                    text.push_str(&format!("{path}:\n"));
                }
                let mut entries = shell.files.children(&absolute);
                if options.contains('a') {
                    let own = [".", ".."].map(|name| (name.to_owned(), Node::Directory));
                    entries.splice(0..0, own);
                } else {
                    entries.retain(|(name, _)| !name.starts_with('.'));
                }
                if options.contains('l') {
                    text.push_str(&format!("total {}\n", entries.len() * 4));
                }
                entries
            }
            Some(node) => vec![((*path).to_owned(), node)],
        };
        if options.contains('l') {
            text.extend(entries.iter().map(|(name, node)| long(name, node)));
        } else if shell.terminal.is_none() {
            text.extend(entries.iter().map(|(name, _)| format!("{name}\n")));
        } else {
            text.push_str(&columns(&entries, usize::from(shell.size.borrow().columns)));
        }
    }
    io.out.write(text.as_bytes()).await?;
    Ok(status)
}

fn long(name: &str, node: &Node) -> String {
    let (mode, links, size) = match node {
        Node::Directory => ("drwxr-xr-x", 2, 4096),
        Node::File(content) => ("-rw-r--r--", 1, content.len()),
    };
    format!("{mode}    {links} root     root     {size:>9} Jan  7 10:00 {name}\n")
}

/// Prints names in columns, top to bottom, as wide as the terminal.
fn columns(entries: &[(String, Node)], width: usize) -> String {
    let widest = entries.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) + 2;
    let columns = (width.max(20) / widest).max(1);
    let rows = entries.len().div_ceil(columns);
    let mut text = String::new();
    for row in 0..rows {
        let names = entries.iter().skip(row).step_by(rows);
        let line: String = names.map(|(name, _)| format!("{name:<widest$}")).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

//! Commands that make or filter text.

use super::super::eval::{Flow, Io, Shell};
use super::super::io::{Buffered, Input};
use super::complain;
use std::collections::VecDeque;

/// Lines that `tail` keeps, at most.
const MAX_TAIL: usize = 100_000;

pub(super) async fn echo(arguments: &[String], io: &mut Io<'_>) -> Flow {
    let (mut newline, mut escapes, mut from) = (true, false, 0);
    for argument in arguments {
        let Some(flags) = argument
            .strip_prefix('-')
            .filter(|it| !it.is_empty() && it.chars().all(|c| "neE".contains(c)))
        else {
            break;
        };
        from += 1;
        for flag in flags.chars() {
            match flag {
                'n' => newline = false,
                flag => escapes = flag == 'e',
            }
        }
    }
    let text = arguments.get(from..).unwrap_or_default().join(" ");
    let mut bytes = if escapes { unescape(&text) } else { text.into_bytes() };
    if newline {
        bytes.push(b'\n');
    }
    io.out.write(&bytes).await?;
    Ok(0)
}

/// `\n`, `\t`, `\033`, `\x1b` and their like.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let before = rest;
        let Some((kind, after)) = rest.split_first() else {
            out.push(b'\\');
            break;
        };
        rest = after;
        match kind {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'e' => out.push(0x1b),
            b'\\' => out.push(b'\\'),
            b'x' => out.push(number(&mut rest, 16, 2)),
            b'0' => out.push(number(&mut rest, 8, 3)),
            b'1'..=b'7' => {
                // The first digit is part of the number.
                rest = before;
                out.push(number(&mut rest, 8, 3));
            }
            other => out.extend_from_slice(&[b'\\', *other]),
        }
    }
    out
}

/// Takes up to `most` digits from the front.
fn number(rest: &mut &[u8], radix: u32, most: usize) -> u8 {
    let mut value = 0_u32;
    for _ in 0..most {
        let Some((digit, after)) = rest
            .split_first()
            .and_then(|(byte, after)| Some((char::from(*byte).to_digit(radix)?, after)))
        else {
            break;
        };
        value = value * radix + digit;
        *rest = after;
    }
    (value & 0xff) as u8
}

/// `%s`, `%d`, `%c`, `%%` and escapes; the format is used again while arguments are left.
pub(super) async fn printf(arguments: &[String], io: &mut Io<'_>) -> Flow {
    let Some((format, arguments)) = arguments.split_first() else {
        return complain(io, "usage: printf FORMAT [ARG]...").await;
    };
    let mut arguments = arguments.iter();
    loop {
        let mut text = String::new();
        let mut used = false;
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                text.push(c);
                continue;
            }
            match chars.find(|c| !c.is_ascii_digit() && !"-.+ 0".contains(*c)) {
                Some('%') => text.push('%'),
                Some('c') => {
                    used = true;
                    text.extend(arguments.next().and_then(|it| it.chars().next()));
                }
                Some('d' | 'i' | 'u') => {
                    used = true;
                    let number: i64 = arguments.next().and_then(|it| it.parse().ok()).unwrap_or(0);
                    text.push_str(&number.to_string());
                }
                _ => {
                    used = true;
                    // Backslashes of an argument are no escapes.
                    text.push_str(&arguments.next().map(|it| it.replace('\\', "\\\\")).unwrap_or_default());
                }
            }
        }
        io.out.write(&unescape(&text)).await?;
        if !used || arguments.as_slice().is_empty() {
            return Ok(0);
        }
    }
}

pub(super) async fn seq(arguments: &[String], io: &mut Io<'_>) -> Flow {
    let numbers: Option<Vec<i64>> = arguments.iter().map(|it| it.parse().ok()).collect();
    let (first, step, last) = match numbers.as_deref() {
        Some([last]) => (1, 1, *last),
        Some([first, last]) => (*first, 1, *last),
        Some([first, step, last]) if *step != 0 => (*first, *step, *last),
        _ => return complain(io, "usage: seq [FIRST [INC]] LAST").await,
    };
    let mut out = Buffered::new(&io.out);
    let mut at = first;
    while if step > 0 { at <= last } else { at >= last } {
        out.write(format!("{at}\n").as_bytes()).await?;
        let Some(next) = at.checked_add(step) else { break };
        at = next;
    }
    out.flush().await?;
    Ok(0)
}

/// Lines without end, as fast as the reader takes them.
pub(super) async fn yes(arguments: &[String], io: &mut Io<'_>) -> Flow {
    let line = if arguments.is_empty() {
        "y\n".to_owned()
    } else {
        format!("{}\n", arguments.join(" "))
    };
    let block = line.repeat((4096 / line.len()).max(1));
    loop {
        io.out.write(block.as_bytes()).await?;
        // A reader that never makes us wait (`> /dev/null`) must not keep the executor.
        tokio::task::yield_now().await;
    }
}

/// An option with a number (`-c 5`, `-c5`, `-5` for `n`), and the remaining arguments.
fn count<'a>(arguments: &'a [String], letters: &str) -> Option<(char, usize, &'a [String])> {
    let Some((option, rest)) = arguments
        .split_first()
        .and_then(|(first, rest)| Some((first.strip_prefix('-')?, rest)))
    else {
        return Some(('n', 10, arguments));
    };
    let letter = option.chars().next()?;
    if letter.is_ascii_digit() {
        return Some(('n', option.parse().ok()?, rest));
    }
    if !letters.contains(letter) {
        return None;
    }
    match option.get(1..) {
        Some("") | None => {
            let (number, rest) = rest.split_first()?;
            Some((letter, number.trim_start_matches('+').parse().ok()?, rest))
        }
        Some(number) => Some((letter, number.parse().ok()?, rest)),
    }
}

/// The one file named, or the standard input.
fn source<'a>(
    shell: &Shell,
    name: &str,
    paths: &[String],
    stdin: &'a mut Input,
    opened: &'a mut Option<Input>,
) -> Result<&'a mut Input, String> {
    match paths.first().filter(|path| *path != "-") {
        None => Ok(stdin),
        Some(path) => match shell.files.open(&shell.directory, path) {
            Ok(input) => Ok(opened.insert(input)),
            Err(problem) => Err(format!("{name}: {path}: {problem}")),
        },
    }
}

pub(super) async fn head(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let Some((unit, mut left, paths)) = count(arguments, "nc") else {
        return complain(io, "usage: head [-n LINES | -c BYTES] [FILE]").await;
    };
    let mut opened = None;
    let input = match source(shell, "head", paths, io.input, &mut opened) {
        Ok(input) => input,
        Err(message) => return complain(io, message).await,
    };
    let mut out = Buffered::new(&io.out);
    while left > 0 {
        if unit == 'n' {
            let Some(line) = input.line().await else { break };
            out.write(&line).await?;
            left -= 1;
        } else {
            let mut chunk = input.read().await;
            if chunk.is_empty() {
                break;
            }
            let rest = chunk.split_off(chunk.len().min(left));
            left -= chunk.len();
            out.write(&chunk).await?;
            if !rest.is_empty() {
                input.unread(rest);
            }
        }
    }
    out.flush().await?;
    Ok(0)
}

pub(super) async fn tail(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let Some((_, most, paths)) = count(arguments, "n") else {
        return complain(io, "usage: tail [-n LINES] [FILE]").await;
    };
    let most = most.min(MAX_TAIL);
    let mut opened = None;
    let input = match source(shell, "tail", paths, io.input, &mut opened) {
        Ok(input) => input,
        Err(message) => return complain(io, message).await,
    };
    let mut lines = VecDeque::new();
    while let Some(line) = input.line().await {
        lines.push_back(line);
        if lines.len() > most {
            lines.pop_front();
        }
    }
    let mut out = Buffered::new(&io.out);
    for line in lines {
        out.write(&line).await?;
    }
    out.flush().await?;
    Ok(0)
}

/// Lines that contain a fixed string; `-v`, `-i`, `-c` as usual.
pub(super) async fn grep(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let options: Vec<&str> = arguments
        .iter()
        .map_while(|it| it.strip_prefix('-').filter(|it| !it.is_empty()))
        .collect();
    let has = |letter: char| options.iter().any(|it| it.contains(letter));
    let Some((pattern, paths)) = arguments.get(options.len()..).and_then(<[String]>::split_first) else {
        return complain(io, "usage: grep [-ivc] PATTERN [FILE]").await;
    };
    let fold = |text: &str| if has('i') { text.to_lowercase() } else { text.to_owned() };
    let pattern = fold(pattern);
    let mut opened = None;
    let input = match source(shell, "grep", paths, io.input, &mut opened) {
        Ok(input) => input,
        Err(message) => return complain(io, message).await,
    };
    let mut found = 0_usize;
    while let Some(line) = input.line().await {
        if fold(&String::from_utf8_lossy(&line)).contains(&pattern) != has('v') {
            found += 1;
            if !has('c') {
                io.out.write(&line).await?;
            }
        }
    }
    if has('c') {
        io.out.write(format!("{found}\n").as_bytes()).await?;
    }
    Ok(i32::from(found == 0))
}

pub(super) async fn wc(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let options: Vec<&str> = arguments.iter().map_while(|it| it.strip_prefix('-')).collect();
    let paths = arguments.get(options.len()..).unwrap_or_default();
    let mut opened = None;
    let input = match source(shell, "wc", paths, io.input, &mut opened) {
        Ok(input) => input,
        Err(message) => return complain(io, message).await,
    };
    let (mut lines, mut words, mut bytes, mut inside) = (0_usize, 0_usize, 0_usize, false);
    loop {
        let chunk = input.read().await;
        if chunk.is_empty() {
            break;
        }
        bytes += chunk.len();
        for byte in chunk {
            lines += usize::from(byte == b'\n');
            let space = byte.is_ascii_whitespace();
            words += usize::from(!space && !inside);
            inside = !space;
        }
    }
    let mut counts: Vec<String> = [('l', lines), ('w', words), ('c', bytes)]
        .into_iter()
        .filter(|(letter, _)| options.is_empty() || options.iter().any(|it| it.contains(*letter)))
        .map(|(_, count)| count.to_string())
        .collect();
    counts.extend(paths.first().cloned());
    io.out.write(format!("{}\n", counts.join(" ")).as_bytes()).await?;
    Ok(0)
}

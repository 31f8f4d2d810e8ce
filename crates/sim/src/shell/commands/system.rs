//! Commands about the machine, the time, the terminal.

use super::super::eval::{Flow, Io, Shell};
use super::super::files::{Node, resolve};
use super::complain;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The longest sleep; longer ones end then.
const MAX_SLEEP: f64 = 30.0 * 24.0 * 3600.0;

pub(super) async fn hostname(shell: &Shell, io: &mut Io<'_>) -> Flow {
    io.out.write(format!("{}\n", shell.container.pod).as_bytes()).await?;
    Ok(0)
}

pub(super) async fn id(arguments: &[String], io: &mut Io<'_>) -> Flow {
    let text: &[u8] = match arguments.first().map(String::as_str) {
        Some("-u" | "-g") => b"0\n",
        Some("-un" | "-gn") => b"root\n",
        _ => b"uid=0(root) gid=0(root) groups=0(root)\n",
    };
    io.out.write(text).await?;
    Ok(0)
}

pub(super) async fn uname(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let pod = &shell.container.pod;
    let text = match arguments.first().map(String::as_str) {
        Some("-a") => format!("Linux {pod} 6.12.0 #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux"),
        Some("-n") => pod.clone(),
        Some("-r") => "6.12.0".to_owned(),
        Some("-m") => "x86_64".to_owned(),
        _ => "Linux".to_owned(),
    };
    io.out.write(format!("{text}\n").as_bytes()).await?;
    Ok(0)
}

pub(super) async fn date(arguments: &[String], io: &mut Io<'_>) -> Flow {
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let format = arguments
        .iter()
        .find_map(|it| it.strip_prefix('+'))
        .unwrap_or("%a %b %e %H:%M:%S UTC %Y");
    match jiff::fmt::strtime::format(format, &now) {
        Ok(text) => {
            io.out.write(format!("{text}\n").as_bytes()).await?;
            Ok(0)
        }
        Err(_) => complain(io, format!("date: invalid format '{format}'")).await,
    }
}

pub(super) async fn sleep(arguments: &[String], io: &mut Io<'_>) -> Flow {
    let mut seconds = 0.0;
    for argument in arguments {
        let (number, unit) = match argument.char_indices().last() {
            Some((at, 's')) => (argument.get(..at), 1.0),
            Some((at, 'm')) => (argument.get(..at), 60.0),
            Some((at, 'h')) => (argument.get(..at), 3600.0),
            _ => (Some(argument.as_str()), 1.0),
        };
        match number.and_then(|it| it.parse::<f64>().ok()).filter(|it| *it >= 0.0) {
            Some(number) => seconds += number * unit,
            None => return complain(io, format!("sleep: invalid number '{argument}'")).await,
        }
    }
    tokio::time::sleep(Duration::from_secs_f64(seconds.min(MAX_SLEEP))).await;
    Ok(0)
}

pub(super) async fn ps(shell: &Shell, words: &[String], io: &mut Io<'_>) -> Flow {
    let mut text = "PID   USER     TIME  COMMAND\n".to_owned();
    let own = shell.arguments.first().map_or("sh", String::as_str);
    for (pid, command) in [
        ("1", shell.container.command.as_str()),
        ("7", own),
        ("14", &words.join(" ")),
    ] {
        text.push_str(&format!("{pid:>5} root      0:00 {command}\n"));
    }
    io.out.write(text.as_bytes()).await?;
    Ok(0)
}

pub(super) async fn tty(shell: &Shell, io: &mut Io<'_>) -> Flow {
    let (text, status): (&[u8], i32) = if shell.terminal.is_some() {
        (b"/dev/pts/0\n", 0)
    } else {
        (b"not a tty\n", 1)
    };
    io.out.write(text).await?;
    Ok(status)
}

pub(super) async fn stty(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let Some(modes) = &shell.terminal else {
        return complain(io, "stty: standard input: Not a tty").await;
    };
    let size = *shell.size.borrow();
    if arguments.is_empty() {
        let text = format!("speed 38400 baud; rows {}; columns {};\n", size.rows, size.columns);
        io.out.write(text.as_bytes()).await?;
    }
    for argument in arguments {
        match argument.as_str() {
            "size" => {
                io.out
                    .write(format!("{} {}\n", size.rows, size.columns).as_bytes())
                    .await?
            }
            "raw" => modes.raw.store(true, Ordering::Relaxed),
            "-raw" | "cooked" => modes.raw.store(false, Ordering::Relaxed),
            "echo" => modes.silent.store(false, Ordering::Relaxed),
            "-echo" => modes.silent.store(true, Ordering::Relaxed),
            "sane" => {
                modes.raw.store(false, Ordering::Relaxed);
                modes.silent.store(false, Ordering::Relaxed);
            }
            other => return complain(io, format!("stty: invalid argument '{other}'")).await,
        }
    }
    Ok(0)
}

/// `[ … ]`: `test` with a closing bracket.
pub(super) async fn bracket(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    match arguments.split_last() {
        Some((last, arguments)) if last == "]" => Ok(i32::from(!test(shell, arguments))),
        _ => complain(io, "sh: [: missing ]").await.map(|_| 2),
    }
}

/// Comparisons of strings and numbers, and questions about files.
pub(super) fn test(shell: &Shell, arguments: &[String]) -> bool {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let node = |path: &str| shell.files.get(&resolve(&shell.directory, path));
    let number = |text: &str| text.trim().parse::<i64>().unwrap_or(0);
    match arguments.as_slice() {
        [] => false,
        ["!", rest @ ..] if !rest.is_empty() => {
            !test(shell, &rest.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
        }
        [text] => !text.is_empty(),
        ["-n", text] => !text.is_empty(),
        ["-z", text] => text.is_empty(),
        ["-e", path] => node(path).is_some(),
        ["-f", path] => matches!(node(path), Some(Node::File(_))),
        ["-d", path] => matches!(node(path), Some(Node::Directory)),
        ["-t", fd] => shell.terminal.is_some() && matches!(*fd, "0" | "1" | "2"),
        ["-x", path] => super::lookup(path).is_some(),
        [left, "=" | "==", right] => left == right,
        [left, "!=", right] => left != right,
        [left, "-eq", right] => number(left) == number(right),
        [left, "-ne", right] => number(left) != number(right),
        [left, "-lt", right] => number(left) < number(right),
        [left, "-le", right] => number(left) <= number(right),
        [left, "-gt", right] => number(left) > number(right),
        [left, "-ge", right] => number(left) >= number(right),
        _ => false,
    }
}

//! Commands about processes, time and the terminal.

use super::super::eval::{Flow, Io, Shell};
use super::{fail, print};
use std::time::Duration;

/// The longest sleep in seconds. A longer one ends after this time.
const MAX_SLEEP: f64 = 30.0 * 24.0 * 3600.0;

pub(super) async fn sleep(arguments: &[String], io: &mut Io<'_>) -> Flow {
    let mut seconds = 0.0;
    for argument in arguments {
        match argument.parse::<f64>().ok().filter(|it| *it >= 0.0) {
            Some(number) => seconds += number,
            None => return fail(io, format!("sleep: invalid number '{argument}'")).await,
        }
    }
    tokio::time::sleep(Duration::from_secs_f64(seconds.min(MAX_SLEEP))).await;
    Ok(0)
}

/// Prints the container's process, the shell and `ps` itself.
pub(super) async fn ps(shell: &Shell, words: &[String], io: &mut Io<'_>) -> Flow {
    let mut text = "PID   USER     TIME  COMMAND\n".to_owned();
    for (pid, command) in [(1, &shell.container.command), (7, &shell.name), (14, &words.join(" "))] {
        text.push_str(&format!("{pid:>5} root      0:00 {command}\n"));
    }
    print(io, &text).await
}

pub(super) async fn stty(shell: &Shell, arguments: &[String], io: &mut Io<'_>) -> Flow {
    let Some(terminal) = &shell.terminal else {
        return fail(io, "stty: standard input: Not a tty").await;
    };
    let size = *shell.size.borrow();
    for argument in arguments {
        match argument.as_str() {
            "size" => {
                print(io, &format!("{} {}\n", size.rows, size.columns)).await?;
            }
            "raw" => terminal.set_raw(true),
            "-raw" | "sane" => {
                terminal.set_raw(false);
                terminal.set_echo(true);
            }
            "echo" => terminal.set_echo(true),
            "-echo" => terminal.set_echo(false),
            other => return fail(io, format!("stty: invalid argument '{other}'")).await,
        }
    }
    Ok(0)
}

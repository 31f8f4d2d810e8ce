#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::time::Duration;

/// A command with the far ends of its streams.
struct Session {
    input: Option<mpsc::Sender<Bytes>>,
    output: mpsc::Receiver<Output>,
    size: watch::Sender<Size>,
    task: tokio::task::JoinHandle<Result<i32, StartError>>,
    seen: String,
}

fn start(command: &[&str], tty: bool) -> Session {
    let container = Container {
        pod: "web-0".to_owned(),
        command: "nginx".to_owned(),
        environment: vec![("SPACED".to_owned(), "a  b".to_owned())],
        ..Container::default()
    };
    start_in(container, command, tty)
}

fn start_in(container: Container, command: &[&str], tty: bool) -> Session {
    let (input, typed) = mpsc::channel(4);
    let (written, output) = mpsc::channel(4);
    let (size, resized) = watch::channel(Size { columns: 80, rows: 24 });
    let command: Vec<String> = command.iter().map(|it| (*it).to_owned()).collect();
    let streams = Streams {
        input: Some(typed),
        output: written,
        size: resized,
    };
    let task = tokio::spawn(async move { run(container, &command, tty, streams).await });
    Session {
        input: Some(input),
        output,
        size,
        task,
        seen: String::new(),
    }
}

impl Session {
    async fn write(&self, text: &str) {
        self.input
            .as_ref()
            .unwrap()
            .send(Bytes::copy_from_slice(text.as_bytes()))
            .await
            .unwrap();
    }

    /// Reads until the output since the last call contains `text`, and returns that output.
    async fn expect(&mut self, text: &str) -> String {
        let deadline = tokio::time::timeout(Duration::from_secs(20), async {
            while !self.seen.contains(text) {
                match self.output.recv().await {
                    Some(Output::Stdout(bytes) | Output::Stderr(bytes)) => {
                        self.seen.push_str(&String::from_utf8_lossy(&bytes));
                    }
                    None => panic!("ended before {text:?}: {:?}", self.seen),
                }
            }
        });
        if deadline.await.is_err() {
            panic!("no {text:?} in {:?}", self.seen);
        }
        std::mem::take(&mut self.seen)
    }

    /// Closes the input and returns the remaining output, the error output and the status.
    async fn finish(mut self) -> (String, String, i32) {
        self.input = None;
        self.collect().await
    }

    async fn collect(self) -> (String, String, i32) {
        let all = tokio::time::timeout(Duration::from_secs(20), self.all());
        all.await.expect("the command does not end")
    }

    async fn all(mut self) -> (String, String, i32) {
        let (mut out, mut err) = (self.seen.clone().into_bytes(), Vec::new());
        while let Some(output) = self.output.recv().await {
            match output {
                Output::Stdout(bytes) => out.extend_from_slice(&bytes),
                Output::Stderr(bytes) => err.extend_from_slice(&bytes),
            }
        }
        let status = self.task.await.unwrap().unwrap();
        (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap(), status)
    }
}

/// Runs a script and returns its output, error output and status.
async fn script(text: &str) -> (String, String, i32) {
    start(&["sh", "-c", text], false).finish().await
}

#[tokio::test]
async fn scripts_print_what_a_shell_prints() {
    let cases = [
        ("echo hi there", "hi there\n"),
        ("echo -n a; echo b", "ab\n"),
        (
            "echo 'a  b' \"c  $HOSTNAME\" d\\ e ${HOME}/x $",
            "a  b c  web-0 d e /root/x $\n",
        ),
        ("echo $SPACED; echo \"$SPACED\"; echo '' \"\"x", "a b\na  b\n x\n"),
        ("false; echo $?; true; echo $?", "1\n0\n"),
        ("true && echo yes || echo no; false && echo yes || echo no", "yes\nno\n"),
        (
            "env | grep -v web | grep -i kubernetes_service_h",
            "KUBERNETES_SERVICE_HOST=10.96.0.1\n",
        ),
        (
            "yes | head -n 2; yes no | head -1; yes | cat | cat | head -n1",
            "y\ny\nno\ny\n",
        ),
        ("cat /dev/zero | false; echo $?", "1\n"),
        ("cd /etc && pwd; cd ..; pwd; cd; pwd", "/etc\n/\n/root\n"),
        ("cd /tmp | true; pwd", "/\n"),
        (
            "echo one > /tmp/f; echo two >> /tmp/f; cat /tmp/f; cat < /tmp/f | head -1; grep w /tmp/f",
            "one\ntwo\none\ntwo\n",
        ),
        (
            "ls /var /nope 2>&1",
            "ls: /nope: No such file or directory\n/var:\nlog\n",
        ),
        (
            "cd /tmp; echo abc > f; ls -la",
            "total 12\n\
             drwxr-xr-x    2 root     root          4096 Jan  7 10:00 .\n\
             drwxr-xr-x    2 root     root          4096 Jan  7 10:00 ..\n\
             -rw-r--r--    1 root     root             4 Jan  7 10:00 f\n",
        ),
        (
            "ps",
            "PID   USER     TIME  COMMAND\n    1 root      0:00 nginx\n    7 root      0:00 sh\n   14 root      0:00 ps\n",
        ),
        ("hostname; whoami", "web-0\nroot\n"),
        (
            "sh -c 'echo $HOME'; echo 'echo from a pipe' | sh",
            "/root\nfrom a pipe\n",
        ),
        ("# a comment\necho a # another\n\n\necho b", "a\nb\n"),
        ("echo a |\n cat &&\n echo b\\\nc", "a\nbc\n"),
        (
            "command -v bash >/dev/null 2>&1 && exec bash; exec echo last; echo never",
            "last\n",
        ),
    ];
    for (text, expected) in cases {
        let (out, err, _) = script(text).await;
        assert_eq!((out.as_str(), err.as_str()), (expected, ""), "{text}");
    }
}

#[tokio::test]
async fn exit_statuses_and_errors_are_those_of_a_shell() {
    let cases = [
        ("exit 7", "", 7),
        ("exit 300", "", 44),
        ("exit 3 | true", "", 0),
        ("true | exit 3", "", 3),
        ("false; exit", "", 1),
        ("nope --now", "sh: nope: not found\n", 127),
        ("cat /nope", "cat: can't open '/nope': No such file or directory\n", 1),
        ("cat < /nope", "sh: can't open /nope: No such file or directory\n", 1),
        ("echo a > /etc", "sh: can't create /etc: Is a directory\n", 1),
        ("cd /nope", "sh: cd: can't cd to /nope: No such file or directory\n", 1),
        ("echo oops >&2; false", "oops\n", 1),
        ("stty size", "stty: standard input: Not a tty\n", 1),
        ("echo 'open", "sh: syntax error: unexpected end of file\n", 2),
        ("echo a; ; echo b", "sh: syntax error: unexpected ;\n", 2),
        ("echo )", "sh: syntax error: unexpected )\n", 2),
        ("echo a && ", "sh: syntax error: unexpected end of file\n", 2),
    ];
    for (text, expected, code) in cases {
        let (_, err, status) = script(text).await;
        assert_eq!((err.as_str(), status), (expected, code), "{text}");
    }
}

#[tokio::test]
async fn syntax_that_is_not_simulated_is_named() {
    for (text, name) in [
        ("sleep 5 &", "&"),
        ("while true; do echo a; done", "while"),
        ("for i in a b; do echo $i; done", "for"),
        ("if true; then echo a; fi", "if"),
        ("{ echo a; }", "{"),
        ("echo $(date)", "command substitution"),
        ("echo \"`date`\"", "command substitution"),
        ("cat << end", "<<"),
    ] {
        let (out, err, status) = script(text).await;
        assert_eq!((out.as_str(), status), ("", 2), "{text}");
        assert_eq!(err, format!("sh: {name}: not simulated\n"), "{text}");
    }
}

#[tokio::test]
async fn shells_nested_too_deep_are_refused() {
    let session = start(&["sh"], false);
    session.write(&"sh\n".repeat(100_000)).await;
    assert!(session.finish().await.1.contains("nested too deep"));
}

#[tokio::test]
async fn a_command_that_does_not_exist_is_not_started() {
    let error =
        |command: &'static [&'static str]| async move { start(command, false).task.await.unwrap().unwrap_err() };
    assert_eq!(error(&["nope", "-v9"]).await, StartError::NotInPath("nope".to_owned()));
    assert_eq!(error(&["/nope"]).await, StartError::NoSuchFile("/nope".to_owned()));
    assert_eq!(error(&["/etc"]).await, StartError::NotExecutable("/etc".to_owned()));
    assert_eq!(error(&["bash"]).await, StartError::NotInPath("bash".to_owned()));
    assert_eq!(error(&[]).await, StartError::NoCommand);
    let distroless = || Container {
        distroless: true,
        ..Container::default()
    };
    let refused = start_in(distroless(), &["/bin/sh"], true).task.await.unwrap();
    assert_eq!(refused, Err(StartError::NoSuchFile("/bin/sh".to_owned())));
}

#[tokio::test]
async fn cat_without_a_terminal_gives_back_every_byte() {
    let mut session = start(&["cat"], false);
    let input = session.input.take().unwrap();
    let sent: Vec<u8> = (0..300_000_u32).map(|at| (at * 7 % 251) as u8).collect();
    let copy = sent.clone();
    let writer = tokio::spawn(async move {
        for chunk in copy.chunks(10_000) {
            input.send(Bytes::copy_from_slice(chunk)).await.unwrap();
        }
    });
    let mut got = Vec::new();
    while let Some(Output::Stdout(bytes)) = session.output.recv().await {
        got.extend_from_slice(&bytes);
    }
    writer.await.unwrap();
    assert!(got == sent);
    assert_eq!(session.task.await.unwrap(), Ok(0));
}

#[tokio::test]
async fn a_shell_reads_its_commands_from_a_pipe() {
    let session = start(&["/bin/sh"], false);
    session
        .write("echo a\nhead -n 1\nvalue\necho 'b\nc'; exit 5\necho no\n")
        .await;
    let (out, err, status) = session.collect().await;
    assert_eq!((out.as_str(), err.as_str(), status), ("a\nvalue\nb\nc\n", "", 5));
}

#[tokio::test]
async fn a_command_ends_when_its_output_has_no_reader() {
    let session = start(&["yes"], false);
    drop(session.output);
    assert_eq!(session.task.await.unwrap(), Ok(BROKEN_PIPE));
    let session = start(&["sh", "-c", "yes; echo never"], false);
    drop(session.output);
    assert_eq!(session.task.await.unwrap(), Ok(BROKEN_PIPE));
}

#[tokio::test]
async fn a_terminal_prompts_echoes_and_edits() {
    let mut session = start(&["/bin/sh"], true);
    session.expect("/ # ").await;
    session.write("echo hi\r").await;
    assert_eq!(session.expect("hi\r\n/ # ").await, "echo hi\r\nhi\r\n/ # ");
    session.write("echo abx\x7fcé\x7fd\r").await;
    assert_eq!(
        session.expect("\n/ # ").await,
        "echo abx\x08 \x08cé\x08 \x08d\r\nabcd\r\n/ # "
    );
    session.write("junk more\x17\x15echo ok\r").await;
    assert!(session.expect("\n/ # ").await.ends_with("echo ok\r\nok\r\n/ # "));
    session.write("\x1b[A\x1b[A\r").await;
    assert!(session.expect("\n/ # ").await.ends_with("abcd\r\n/ # "));
    session.write("echo 'a\r").await;
    session.expect("> ").await;
    session.write("b'\r").await;
    assert!(session.expect("\n/ # ").await.ends_with("a\r\nb\r\n/ # "));
    session.write("cd\r").await;
    session.expect("~ # ").await;
    session.write("exit 3\r").await;
    let (_, _, status) = session.collect().await;
    assert_eq!(status, 3);
}

#[tokio::test]
async fn control_c_ends_the_command_and_not_the_shell() {
    let mut session = start(&["/bin/sh"], true);
    session.expect("# ").await;
    session.write("sleep 1000; echo never\r").await;
    session.expect("never\r\n").await;
    session.write("\x03").await;
    assert_eq!(session.expect("# ").await, "^C\r\n/ # ");
    session.write("echo $?\r").await;
    assert!(session.expect("# ").await.contains("130\r\n"));
    session.write("half a line\x03").await;
    assert_eq!(session.expect("\n/ # ").await, "half a line^C\r\n/ # ");
    session.write("yes\r").await;
    session.expect("y\r\ny\r\n").await;
    session.write("\x03").await;
    session.expect("^C").await;
    session.expect("\n/ # ").await;
    session.write("\x04").await;
    assert_eq!(session.collect().await.2, 130);
}

#[tokio::test]
async fn control_c_ends_a_command_without_a_shell() {
    let session = start(&["sleep", "1000"], true);
    session.write("\x03").await;
    assert_eq!(session.collect().await.2, INTERRUPTED);
    let mut session = start(&["sh", "-c", "clear; bash 2>/dev/null || sh"], true);
    session.expect("# ").await;
    session.write("\x03").await;
    session.expect("\n/ # ").await;
    session.write("exit 0\r").await;
    assert_eq!(session.collect().await.2, 0);
}

#[tokio::test]
async fn control_d_is_an_end_of_file_for_one_reader() {
    let mut session = start(&["/bin/sh"], true);
    session.expect("# ").await;
    session.write("cat\rline\r").await;
    session.expect("line\r\nline\r\n").await;
    session.write("part\x04").await;
    session.expect("partpart").await;
    session.write("\x04").await;
    session.expect("/ # ").await;
    session.write("echo $?\r\x04").await;
    assert_eq!(session.collect().await.2, 0);
}

#[tokio::test]
async fn a_resize_is_seen_by_stty() {
    let mut session = start(&["/bin/sh"], true);
    session.size.send(Size { columns: 120, rows: 40 }).unwrap();
    session.expect("# ").await;
    session.write("stty size\r").await;
    session.expect("40 120\r\n").await;
}

#[tokio::test]
async fn raw_mode_passes_bytes_as_they_come() {
    let mut session = start(&["sh", "-c", "stty raw -echo; echo ready; cat"], true);
    session.expect("ready\n").await;
    session.write("a\x03\rb").await;
    assert_eq!(session.expect("b").await, "a\x03\rb");
}

#[tokio::test]
async fn a_client_that_disconnects_hangs_the_terminal_up() {
    for command in [&["/bin/sh"][..], &["sleep", "1000"], &["cat"]] {
        let (_, _, status) = start(command, true).finish().await;
        assert_eq!(status, HUNG_UP, "{command:?}");
    }
}

//! The command as its user sees it: what it prints, and how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod limits;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

/// Builds the command `podgate serve` on a data directory, without the `PODGATE_…` variables of the
/// environment.
fn serve(data_dir: &Path, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_podgate"));
    let ours = std::env::vars().filter(|(name, _)| name.starts_with("PODGATE_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command.args(["serve", "--in-cluster", "never", "--data-dir"]);
    command.arg(data_dir).args(flags).stdin(Stdio::null());
    command
}

/// Runs a command that must fail before it serves, and returns its output.
#[track_caller]
fn fails(mut command: Command, part: &str) -> Output {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains(part) && errors.lines().count() == 1, "{errors}");
    output
}

/// A running server, killed when the test is done with it.
struct Running(Child);

impl Running {
    /// Starts it, and returns the first `count` lines that it prints.
    fn start(command: Command, count: usize) -> (Self, Vec<String>) {
        Self::start_with_log(command, count, Stdio::null())
    }

    /// Starts it with its log going to `log`, and returns the first `count` lines that it prints.
    fn start_with_log(mut command: Command, count: usize, log: impl Into<Stdio>) -> (Self, Vec<String>) {
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines = lines.take(count).map(Result::unwrap).collect();
        (Self(child), lines)
    }
}

impl Running {
    /// Sends SIGTERM.
    fn terminate(&self) {
        let sent = Command::new("kill").arg(self.0.id().to_string()).status().unwrap();
        assert!(sent.success());
    }
}

/// Runs a command under limits of the shell, such as `ulimit -n 256`.
fn under(limits: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{limits} && exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(Stdio::null());
    shell
}

/// Returns the address in the line that says where Podgate listens.
fn address(line: &str) -> String {
    let (_, rest) = line.split_once("http://").unwrap();
    rest.trim_end_matches('/').to_owned()
}

/// Returns the status of a GET. Fails on a server that answers nothing for long: no connection has
/// ended by its own time limit until then.
#[track_caller]
fn status(address: &str, path: &str) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_start_that_fails_does_not_use_up_the_first_password() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let nothing = dir.path().join("nothing").display().to_string();
    let free = ["--listen", "127.0.0.1:0"];
    for (flags, part) in [
        (vec!["--listen", &address], address.as_str()),
        ([&free[..], &["--kubeconfig", &nothing]].concat(), nothing.as_str()),
        (
            [&free[..], &["--metrics-token-file", &nothing]].concat(),
            nothing.as_str(),
        ),
        (
            [&free[..], &["--tls-cert", &nothing, "--tls-key", &nothing]].concat(),
            nothing.as_str(),
        ),
        (
            [&free[..], &["--admin-password-file", &nothing]].concat(),
            nothing.as_str(),
        ),
    ] {
        let output = fails(serve(dir.path(), &flags), part);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{flags:?}");
    }
    let (_running, lines) = Running::start(serve(dir.path(), &free), 2);
    assert!(
        lines[0].starts_with("Podgate listens on http://127.0.0.1:"),
        "{lines:?}"
    );
    assert!(
        lines[1].starts_with("Log in as `admin` with the password `"),
        "{lines:?}"
    );
}

#[test]
fn one_bad_file_context_or_entry_never_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let bad = file("bad", "contexts: [");
    let odd = file(
        "odd",
        "{clusters: [{name: c, cluster: {server: '127.0.0.1:1'}}], contexts: [{name: a, context: {cluster: gone}}, {name: ''},\n\
         {name: b, context: {cluster: c, user: gone}}, {name: b}, 7]}",
    );
    let free = ["--listen", "127.0.0.1:0"];
    for files in [format!(":{bad}:{odd}:/no/such/file:"), bad, String::new()] {
        let mut command = serve(dir.path(), &free);
        command.env("PODGATE_KUBECONFIG", &files);
        let (_running, lines) = Running::start(command, 1);
        assert!(lines[0].starts_with("Podgate listens on"), "{files}: {lines:?}");
    }
    for files in ["/no/such/file", "/no/such/file:/nor/this"] {
        let mut command = serve(dir.path(), &free);
        command.env("PODGATE_KUBECONFIG", files);
        fails(command, "none of the kubeconfig files exists (`/no/such/file`");
    }
}

/// Returns whether no process has this ID. A zombie counts as gone.
fn is_gone(process: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat")).map_or(true, |stat| stat.contains(") Z"))
}

/// Waits until a condition holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = std::time::Instant::now();
    while !holds() {
        assert!(begin.elapsed() < std::time::Duration::from_secs(60), "{what}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn an_exec_plug_in_ends_with_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let (kubeconfig, process) = (dir.path().join("kubeconfig"), dir.path().join("process"));
    let script = format!(
        "echo $$ > '{0}.new'; mv '{0}.new' '{0}'; exec sleep 1000",
        process.display()
    );
    std::fs::write(
        &kubeconfig,
        format!(
            "{{clusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:1'}}}}], contexts: [{{name: c, context: {{cluster: c, user: u}}}}],\n\
             users: [{{name: u, user: {{exec: {{apiVersion: client.authentication.k8s.io/v1beta1, command: sh, args: ['-c', \"{script}\"]}}}}}}]}}"
        ),
    )
    .unwrap();
    let path = kubeconfig.display().to_string();
    let (mut running, _) = Running::start(
        serve(dir.path(), &["--listen", "127.0.0.1:0", "--kubeconfig", &path]),
        1,
    );
    until("the plug-in runs", || process.exists());
    let process = std::fs::read_to_string(process).unwrap().trim().to_owned();
    assert!(!is_gone(&process));
    let server = running.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &server])
            .status()
            .unwrap()
            .success()
    );
    assert!(running.0.wait().unwrap().success());
    until("the plug-in has ended", || is_gone(&process));
}

/// Returns the first bytes that a listener receives when Podgate watches a cluster with these
/// environment variables. `PORT` in `server` and `proxy` stands for the listener's port.
fn arrives(server: &str, proxy: Option<&str>, variables: &[(&str, &str)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let here = |text: &str| text.replace("PORT", &port);
    let proxy = proxy.map_or(String::new(), |proxy| format!(", proxy-url: '{}'", here(proxy)));
    let kubeconfig = dir.path().join("kubeconfig");
    std::fs::write(
        &kubeconfig,
        format!(
            "{{clusters: [{{name: c, cluster: {{server: '{}'{proxy}}}}}], contexts: [{{name: c, context: {{cluster: c}}}}]}}",
            here(server)
        ),
    )
    .unwrap();
    let path = kubeconfig.display().to_string();
    let mut command = serve(dir.path(), &["--listen", "127.0.0.1:0", "--kubeconfig", &path]);
    for name in [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "NO_PROXY",
        "no_proxy",
    ] {
        command.env_remove(name);
    }
    command.envs(variables.iter().map(|(name, value)| (name, here(value))));
    let (_running, _) = Running::start(command, 1);
    let (mut stream, _) = listener.accept().unwrap();
    let mut begin = vec![0; 64];
    let count = std::io::Read::read(&mut stream, &mut begin).unwrap();
    String::from_utf8_lossy(&begin[..count]).into_owned()
}

#[test]
fn the_environments_proxies_never_apply_to_loopback_and_a_contexts_own_always_does() {
    let nobody = [
        ("HTTPS_PROXY", "http://127.0.0.1:1"),
        ("HTTP_PROXY", "127.0.0.1:1"),
        ("NO_PROXY", "x.example,"),
    ];
    // A TLS handshake begins with 22, and a request with its method.
    assert!(arrives("https://127.0.0.1:PORT", None, &nobody).starts_with('\u{16}'));
    assert!(arrives("https://localhost:PORT", None, &nobody).starts_with('\u{16}'));
    assert!(arrives("http://127.0.0.1:PORT", None, &nobody).starts_with("GET /"));
    let by_own = arrives("https://127.0.0.1:6443", Some("http://127.0.0.1:PORT"), &nobody);
    assert!(by_own.starts_with("CONNECT 127.0.0.1:6443 "), "{by_own}");
    let by_environment = arrives(
        "https://k8s.example:6443",
        None,
        &[("https_proxy", "127.0.0.1:PORT"), ("NO_PROXY", "k8s.example:443, ")],
    );
    assert!(
        by_environment.starts_with("CONNECT k8s.example:6443 "),
        "{by_environment}"
    );
}

#[test]
fn wrong_usage_and_failure_have_different_exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    for flags in [
        &["--nonsense"][..],
        &["--listen", "here"],
        &["--tls-cert", "a.pem"],
        &["--namespaces", "prod"],
    ] {
        let output = serve(dir.path(), flags).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert!(!output.stderr.is_empty(), "{flags:?}");
    }
}

#[test]
fn a_password_that_is_guessed_first_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    let data = dir.path().join("data");
    for (password, part) in [
        ("password123\n", "among the first that are guessed"),
        ("Admin-Admin-Admin", "must not contain the user name"),
        ("short", "at least 8 characters"),
    ] {
        std::fs::write(&file, password).unwrap();
        let flags = [
            "--listen",
            "127.0.0.1:0",
            "--admin-password-file",
            &file.display().to_string(),
        ];
        let output = fails(serve(&data, &flags), part);
        assert!(!String::from_utf8_lossy(&output.stderr).contains(password.trim()));
        let mut command = serve(&data, &flags[..2]);
        command.env("PODGATE_ADMIN_PASSWORD", password);
        fails(command, part);
    }
}

#[test]
fn a_start_on_files_that_others_may_use_is_refused() {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let chmod = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    std::fs::create_dir(&data).unwrap();
    chmod(&data, 0o777);
    fails(serve(&data, &["--listen", "127.0.0.1:0"]), "chmod o-w");
    chmod(&data, 0o770);
    let key = data.join("key");
    std::fs::write(&key, [7; 32]).unwrap();
    chmod(&key, 0o604);
    fails(serve(&data, &["--listen", "127.0.0.1:0"]), &key.display().to_string());
}

#[tokio::test]
async fn a_start_without_the_key_of_sealed_credentials_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    let url = format!("sqlite:{}", dir.path().join("podgate.db").display());
    let store = podgate_store::Store::open(&url, &key).await.unwrap();
    let cluster = podgate_store::NewCluster {
        name: "shop".to_owned(),
        description: String::new(),
        api_server: "https://127.0.0.1:1".to_owned(),
        namespaces: Vec::new(),
        credential: "a credential".to_owned().into(),
    };
    store.insert_cluster(cluster, 0).await.unwrap();
    store.close().await.unwrap();
    std::fs::remove_file(&key).unwrap();
    let part = format!("the key file {} is missing", key.display());
    fails(serve(dir.path(), &["--listen", "127.0.0.1:0"]), &part);
    assert!(!key.exists());
}

#[test]
fn a_database_url_is_not_quoted() {
    let dir = tempfile::tempdir().unwrap();
    for url in [
        "postgres://podgate:5432/hunter2@db/podgate",
        "hunter2@db",
        "sqlite://u:hunter2@db/x",
    ] {
        let mut command = serve(dir.path(), &["--listen", "127.0.0.1:0", "--database-url", url]);
        command.env("RUST_LOG", "error,sqlx=trace,sqlx_postgres=trace");
        let output = fails(command, "the database URL");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"), "{url}");
    }
}

#[test]
fn from_sigterm_on_only_readiness_changes_until_the_delay_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let flags = ["--listen", "127.0.0.1:0", "--shutdown-delay", "1h"];
    let wrong = serve(dir.path(), &flags).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    let flags = ["--listen", "127.0.0.1:0", "--shutdown-delay", "3600"];
    let (running, lines) = Running::start(serve(dir.path(), &flags), 1);
    let address = address(&lines[0]);
    assert_eq!(status(&address, "/readyz"), 200);
    running.terminate();
    while status(&address, "/readyz") != 503 {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(status(&address, "/healthz"), 200);
    assert_eq!(status(&address, "/api/openapi.json"), 200);
}

#[test]
fn sigterm_ends_it_with_success() {
    let dir = tempfile::tempdir().unwrap();
    let (mut running, lines) = Running::start(serve(dir.path(), &["--listen", "127.0.0.1:0"]), 1);
    let _silent = TcpStream::connect(address(&lines[0])).unwrap();
    running.terminate();
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_simulated_cluster_with_a_control_port_prints_its_address_on_a_second_line() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_podgate"));
    command.args(["sim", "--content", "empty", "--name", "lab", "--control", "127.0.0.1:0"]);
    let (running, lines) = Running::start(command, 2);
    assert!(
        std::fs::read_to_string(&lines[0])
            .unwrap()
            .contains("current-context: \"lab\"")
    );
    // It takes POST only.
    assert_eq!(status(&address(&lines[1]), "/"), 405);
    running.terminate();
}

//! The processes that are measured.

use std::{
    ffi::OsStr,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdout, Command},
    time::{sleep, timeout},
};

use crate::{Result, attack::Tls, http1::Connection};

/// How long a process may take until it serves, and for its first sync.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a process may take to end.
const STOP: Duration = Duration::from_secs(60);

/// `podgate serve` on a data directory of its own. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    pub(crate) started: Instant,
    password: String,
    log: PathBuf,
    _data: TempDir,
}

/// A process's memory in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) resident: u64,
    /// The peak since the start, or since [`Server::reset_peak`].
    pub(crate) peak: u64,
}

/// Settings of a server that differ from the usual ones.
#[derive(Default)]
pub(crate) struct Launch {
    /// The limit on its open files, soft and hard.
    pub(crate) files: Option<u32>,
    /// The certificate for TLS, with which nobody is logged in.
    pub(crate) tls: Option<Tls>,
}

impl Server {
    /// Starts a server with the clusters of a kubeconfig and logs in.
    pub(crate) async fn start(podgate: &Path, kubeconfig: &Path) -> Result<Self> {
        Self::launch(podgate, kubeconfig, &Launch::default()).await
    }

    /// Starts a server as [`Server::start`] does, with other settings.
    pub(crate) async fn launch(podgate: &Path, kubeconfig: &Path, launch: &Launch) -> Result<Self> {
        let data = TempDir::new()?;
        let log = data.path().join("server.log");
        let address = free_address()?;
        let password = format!("bench-{}", random()?);
        let started = Instant::now();
        let mut command = limited(podgate, launch.files);
        command.arg("serve");
        if let Some(tls) = &launch.tls {
            command.args([OsStr::new("--tls-cert"), tls.certificate().as_os_str()]);
            command.args([OsStr::new("--tls-key"), tls.key().as_os_str()]);
        }
        let child = command
            .args([OsStr::new("--listen"), OsStr::new(&address.to_string())])
            .args([OsStr::new("--data-dir"), data.path().join("data").as_os_str()])
            .args([OsStr::new("--kubeconfig"), kubeconfig.as_os_str()])
            .env("PODGATE_ADMIN_PASSWORD", &password)
            .stdout(fs::File::create(&log)?)
            .stderr(fs::File::options().append(true).open(&log)?)
            .spawn()
            .map_err(|e| format!("{} can't be run: {e}", podgate.display()))?;
        let mut server = Self {
            child,
            address,
            token: String::new(),
            started,
            password,
            log,
            _data: data,
        };
        let logged_in = server.wait_and_log_in(launch.tls.as_ref()).await;
        server.token = logged_in.map_err(|e| server.explained(&*e))?;
        Ok(server)
    }

    /// Waits until the server answers, and logs in unless it speaks TLS.
    async fn wait_and_log_in(&mut self, tls: Option<&Tls>) -> Result<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("the server ended with {status}").into());
            }
            if let Some(tls) = tls {
                if tls.healthz(self.address).await.is_ok() {
                    return Ok(String::new());
                }
            } else if let Ok(mut connection) = Connection::open(self.address, "").await
                && connection.get("/healthz").await.is_ok()
            {
                return self.session().await;
            }
            if Instant::now() > deadline {
                return Err("the server does not answer".into());
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Logs in again. Returns the session's token.
    pub(crate) async fn session(&self) -> Result<String> {
        #[derive(Deserialize)]
        struct Answer {
            data: Data,
        }
        #[derive(Deserialize)]
        struct Data {
            token: String,
        }
        let mut connection = Connection::open(self.address, "").await?;
        let body = serde_json::json!({"username": "admin", "password": self.password}).to_string();
        let request = Request::post("/api/auth/login")
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))?;
        let answer = connection.call(request).await?.successful("the log-in")?;
        Ok(serde_json::from_slice::<Answer>(&answer.body)?.data.token)
    }

    /// Opens a connection of the logged-in user.
    pub(crate) async fn connect(&self) -> Result<Connection> {
        Connection::open(self.address, &self.token).await
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        let status = fs::read_to_string(format!("{}/status", self.proc()?))?;
        let field = |name: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next());
            let kib: u64 = number.ok_or_else(|| format!("no {name} in its status"))?.parse()?;
            Ok(kib * 1024)
        };
        Ok(Memory {
            resident: field("VmRSS:")?,
            peak: field("VmHWM:")?,
        })
    }

    /// Returns the processor time so far, over all cores (`utime` and `stime` of proc(5)).
    pub(crate) fn cpu(&self) -> Result<Duration> {
        /// Linux's clock ticks per second on every machine that this runs on
        /// (`sysconf(_SC_CLK_TCK)`).
        const TICKS_PER_SECOND: u64 = 100;
        let stat = fs::read_to_string(format!("{}/stat", self.proc()?))?;
        // The second field is a name in parentheses, which may contain anything.
        let (_, rest) = stat.rsplit_once(") ").ok_or("its stat has no name")?;
        let ticks: u64 = rest
            .split(' ')
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    }

    /// Resets the peak of memory (`clear_refs` of proc(5)).
    pub(crate) fn reset_peak(&self) -> Result<()> {
        Ok(fs::write(format!("{}/clear_refs", self.proc()?), "5")?)
    }

    /// Returns how many files it has open, sockets included.
    pub(crate) fn open_files(&self) -> Result<usize> {
        Ok(fs::read_dir(format!("{}/fd", self.proc()?))?.count())
    }

    fn proc(&self) -> Result<String> {
        let pid = self.child.id().ok_or("the server has ended")?;
        Ok(format!("/proc/{pid}"))
    }

    /// Builds an error with the end of the server's log.
    pub(crate) fn explained(&self, error: &(dyn std::error::Error + Send + Sync)) -> crate::Failure {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let from = log.lines().count().saturating_sub(10);
        let tail: Vec<_> = log.lines().skip(from).collect();
        format!("{error}; the server's log ends with:\n{}", tail.join("\n")).into()
    }

    pub(crate) async fn stop(mut self) -> Result<()> {
        terminate(&mut self.child).await
    }
}

impl Server {
    /// Kills the server: one that was attacked may not end otherwise.
    pub(crate) async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// Ends a process with SIGTERM, so that it deletes its temporary files.
async fn terminate(child: &mut Child) -> Result<()> {
    let pid = child.id().ok_or("the process has ended by itself")?;
    Command::new("kill").arg(pid.to_string()).status().await?;
    timeout(STOP, child.wait())
        .await
        .map_err(|_| format!("process {pid} did not end within {} s of SIGTERM", STOP.as_secs()))??;
    Ok(())
}

/// `podgate sim`. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Simulated {
    child: Child,
    _stdout: BufReader<ChildStdout>,
    pub(crate) kubeconfig: PathBuf,
}

impl Simulated {
    /// Starts a cluster with a number of pods and of changes per second.
    pub(crate) async fn start(podgate: &Path, pods: usize, churn: f64) -> Result<Self> {
        let nodes = (pods / 100).clamp(10, 5_000).to_string();
        let (pods, churn) = (pods.to_string(), churn.to_string());
        let mut child = command(podgate)
            .args([
                "sim",
                "--pods",
                &pods,
                "--nodes",
                &nodes,
                "--namespaces",
                "50",
                "--churn",
                &churn,
            ])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{} can't be run: {e}", podgate.display()))?;
        let mut stdout = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let mut line = String::new();
        timeout(PATIENCE, stdout.read_line(&mut line)).await??;
        if line.trim().is_empty() {
            return Err("`podgate sim` ended without printing its kubeconfig's path".into());
        }
        Ok(Self {
            child,
            _stdout: stdout,
            kubeconfig: line.trim().into(),
        })
    }

    pub(crate) async fn stop(mut self) -> Result<()> {
        terminate(&mut self.child).await
    }
}

/// Builds a command without the `PODGATE_` variables of this shell.
fn command(podgate: &Path) -> Command {
    let mut command = Command::new(podgate);
    command.stdin(Stdio::null()).kill_on_drop(true);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PODGATE_") {
            command.env_remove(name);
        }
    }
    command
}

/// Builds a [`command`] with a limit on open files.
fn limited(podgate: &Path, files: Option<u32>) -> Command {
    let Some(files) = files else {
        return command(podgate);
    };
    let mut shell = command(Path::new("sh"));
    shell
        .args(["-c", &format!("ulimit -n {files} && exec \"$0\" \"$@\"")])
        .arg(podgate);
    shell
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Returns 16 random hexadecimal digits.
pub(crate) fn random() -> Result<String> {
    use std::io::Read;
    let mut bytes = [0; 8];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}

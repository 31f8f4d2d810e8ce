//! Exec plug-ins: programs, named in the operator's kubeconfig, that print a credential
//! (`client.authentication.k8s.io`).
//!
//! We do not use kube-rs for this, because it runs a plug-in on a thread that can't be stopped, and
//! keeps any amount of output.

use std::{io, process::Stdio, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time::timeout,
};

use super::Policy;
use crate::{
    source::{effective::Exec, yaml},
    text::{excerpt, quote},
};

/// The most bytes of an `ExecCredential`.
const MAX_OUTPUT: u64 = 1 << 20;
/// The most bytes that are kept of a plug-in's standard error. The rest is discarded.
const MAX_STDERR: u64 = 4 << 10;
/// How long to wait for the end of the output after the plug-in has ended, because its child
/// processes may hold the output open.
const OUTPUT_GRACE: Duration = Duration::from_secs(1);

/// The credential that a plug-in printed: at least one of token and certificate.
pub(super) struct Issued {
    pub(super) token: Option<String>,
    /// The client certificate with its chain, and its key, in PEM.
    pub(super) certificate: Option<(Vec<u8>, Vec<u8>)>,
    /// When the credential expires, so that the plug-in must be run again.
    pub(super) expires: Option<Timestamp>,
}

/// A guard for a plug-in's process group. Dropping it kills the plug-in and the processes that it
/// started.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // An error means that the group is empty.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs a plug-in for at most [`Policy::plug_in_timeout`].
///
/// The plug-in is killed when the future is dropped, and so when Podgate ends. `authorities` are
/// the cluster's certificate authorities, in PEM.
///
/// # Errors
/// A sentence that names the plug-in and says what failed. The beginning of the plug-in's standard
/// error is logged; its output, which may contain a credential, is not.
pub(super) async fn run(
    exec: &Exec,
    authorities: Option<&[u8]>,
    cluster: &str,
    policy: &Policy,
) -> Result<Issued, String> {
    let name = quote(&exec.command.display().to_string());
    let limit = policy.plug_in_timeout;
    match timeout(limit, run_to_end(exec, authorities, cluster, &name)).await {
        Ok(Ok(output)) => read(&output, &exec.api_version).map_err(|why| format!("the exec plug-in `{name}` {why}")),
        Ok(Err(why)) => Err(format!("the exec plug-in `{name}` {why}")),
        Err(_) => Err(format!(
            "the exec plug-in `{name}` did not end within {} s and was killed",
            limit.as_secs_f32()
        )),
    }
}

/// Runs a plug-in to its end and returns its output.
async fn run_to_end(exec: &Exec, authorities: Option<&[u8]>, cluster: &str, name: &str) -> Result<Vec<u8>, String> {
    let mut child = command(exec, authorities)
        .spawn()
        .map_err(|error| could_not_start(&error, &exec.install_hint))?;
    let _group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let status = {
        let read = async {
            tokio::join!(
                read_limited(stdout, MAX_OUTPUT + 1, &mut output),
                read_limited(stderr, MAX_STDERR, &mut errors)
            )
        };
        tokio::pin!(read);
        tokio::select! {
            _ = &mut read => child.wait().await,
            status = child.wait() => {
                // The plug-in's child processes may hold its output open for ever.
                let _ = timeout(OUTPUT_GRACE, read).await;
                status
            }
        }
    };
    let status = status.map_err(|error| format!("could not be waited for ({error})"))?;
    if !status.success() {
        let said = String::from_utf8_lossy(&errors);
        let said = quote(said.trim());
        tracing::warn!(cluster, plug_in = name, %status, stderr = said, "an exec plug-in failed");
        return Err(format!(
            "failed ({status}): what it printed on standard error is in the log"
        ));
    }
    if output.len() as u64 > MAX_OUTPUT {
        return Err(format!("printed more than {MAX_OUTPUT} bytes"));
    }
    Ok(output)
}

fn command(exec: &Exec, authorities: Option<&[u8]>) -> Command {
    let mut spec = json!({"interactive": false});
    if let Some(cluster) = &exec.cluster {
        spec["cluster"] = cluster.clone();
        if let Some(pem) = authorities {
            spec["cluster"]["certificate-authority-data"] = STANDARD.encode(pem).into();
        }
    }
    let info = json!({"kind": "ExecCredential", "apiVersion": exec.api_version, "spec": spec});
    let mut command = Command::new(&exec.command);
    command
        .args(&exec.args)
        .envs(exec.env.iter().map(|(name, value)| (name, value)))
        .env("KUBERNETES_EXEC_INFO", info.to_string())
        // Nobody sits at a server's terminal, so a plug-in that asks a question must fail instead
        // of waiting.
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    command
}

fn could_not_start(error: &io::Error, hint: &str) -> String {
    let hint = if hint.is_empty() {
        String::new()
    } else {
        format!(": {}", excerpt(hint))
    };
    match error.kind() {
        io::ErrorKind::NotFound => format!("is not installed where Podgate runs{hint}"),
        _ => format!("could not be started ({error}){hint}"),
    }
}

/// Reads the first bytes of a pipe and discards the rest. The rest must be read too, or the plug-in
/// would wait for its reader.
async fn read_limited(pipe: Option<impl AsyncRead + Unpin>, max: u64, bytes: &mut Vec<u8>) {
    if let Some(mut pipe) = pipe {
        // The bytes read before an error are kept.
        let _ = (&mut pipe).take(max).read_to_end(bytes).await;
        let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    }
}

/// Reads an `ExecCredential`, as `refreshCredsLocked` of client-go does.
fn read(output: &[u8], version: &str) -> Result<Issued, String> {
    let printed = std::str::from_utf8(output).ok().and_then(|text| yaml::read(text).ok());
    let Some(credential) = printed
        .map(|document| document.value)
        .filter(|value| value["kind"] == "ExecCredential")
    else {
        return Err("did not print an ExecCredential".to_owned());
    };
    if credential["apiVersion"] != version {
        return Err(format!(
            "printed an ExecCredential whose version is not `{version}`, which the kubeconfig names"
        ));
    }
    let status = &credential["status"];
    let text = |field: &str| match &status[field] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        _ => Err(format!("printed an ExecCredential whose `{field}` is not a text")),
    };
    let (certificate, key) = (text("clientCertificateData")?, text("clientKeyData")?);
    let certificate = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate.into_bytes(), key.into_bytes())),
        (None, None) => None,
        _ => return Err("printed a certificate without its key, or a key without its certificate".to_owned()),
    };
    let token = text("token")?;
    if token.is_none() && certificate.is_none() {
        return Err("printed an ExecCredential without a token and without a certificate".to_owned());
    }
    let expires = text("expirationTimestamp")?
        .map(|time| time.parse::<Timestamp>())
        .transpose()
        .map_err(|_| "printed an ExecCredential whose `expirationTimestamp` is not a time".to_owned())?;
    Ok(Issued {
        token,
        certificate,
        expires,
    })
}

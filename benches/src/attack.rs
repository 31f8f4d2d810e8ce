//! Attacks on a server from outside: measures its memory, and whether it still answers.
//!
//! Each attack starts a server of its own (with a low limit on files where that matters) and a
//! hostile API server. The attacker opens its connections, holds them for a moment, and closes
//! them. Everything is on loopback, and bounded in number and time.

mod hostile;
mod sessions;
mod strangers;
mod tls;

use std::{any::Any, fmt::Write, path::Path, time::Duration};

use futures_util::future::BoxFuture;
use tokio::time::{sleep, timeout};

use self::hostile::Hostile;
pub(crate) use self::tls::Tls;
use crate::{
    Args, Result,
    http1::Connection,
    server::{Launch, Server},
};

/// How long a server may take to settle, and to release what an attacker held.
const SETTLE: Duration = Duration::from_secs(3);
/// The longest that `/healthz` may take.
const HEALTHY: Duration = Duration::from_secs(1);
/// The longest that an attack may take to open its connections.
const LIMIT: Duration = Duration::from_secs(60);

/// The connections that an attacker holds, and its findings.
#[derive(Default)]
struct Held {
    connections: Vec<Box<dyn Any + Send>>,
    note: Option<String>,
}

/// One attack.
struct Attack {
    name: &'static str,
    /// The limit on files of the server.
    files: Option<u32>,
    /// The server speaks TLS.
    tls: bool,
    /// The bound that Podgate promises.
    bound: &'static str,
    open: for<'a> fn(&'a Server) -> BoxFuture<'a, Result<Held>>,
}

/// The effect of one attack on one binary.
struct Outcome {
    /// Resident bytes before the attack, at its peak, and after the attacker has gone.
    before: u64,
    peak: u64,
    after: u64,
    healthy: bool,
    note: Option<String>,
}

/// Attacks the binary, and the older one if there is one. Returns the table of outcomes.
pub(crate) async fn measure(args: &Args) -> Result<String> {
    let hostile = Hostile::start().await?;
    let binaries: Vec<(&str, &Path)> = match &args.against {
        Some(old) => vec![("before", old), ("now", &args.podgate)],
        None => vec![("now", &args.podgate)],
    };
    let mut table = String::from("| attack |");
    for (name, _) in &binaries {
        write!(table, " {name} |")?;
    }
    table.push_str(" bound |\n| --- |");
    table.push_str(&" --- |".repeat(binaries.len() + 1));
    for attack in strangers::ATTACKS.iter().chain(sessions::ATTACKS) {
        write!(table, "\n| {} |", attack.name)?;
        for (name, podgate) in &binaries {
            eprintln!("attack: {} ({name})", attack.name);
            let outcome = run(podgate, &hostile, attack).await?;
            write!(table, " {} |", outcome.written())?;
        }
        write!(table, " {} |", attack.bound)?;
    }
    table.push_str("\n\nEach cell: resident MB before the attack, at its peak, and 3 s after the attacker has gone; then whether `/healthz` answered within 1 s during the attack.");
    Ok(table)
}

async fn run(podgate: &Path, hostile: &Hostile, attack: &Attack) -> Result<Outcome> {
    let launch = Launch {
        files: attack.files,
        tls: attack.tls.then(Tls::new).transpose()?,
    };
    let server = Server::launch(podgate, hostile.kubeconfig(), &launch).await?;
    sleep(SETTLE).await;
    let before = server.memory()?.resident;
    server.reset_peak()?;
    let held = timeout(LIMIT, (attack.open)(&server)).await;
    let held = held.map_err(|_| "the attack did not come to its end")?;
    let held = held.map_err(|error| server.explained(&*error))?;
    sleep(SETTLE).await;
    let healthy = is_healthy(&server, &launch).await;
    let peak = server.memory()?.peak;
    drop(held.connections);
    sleep(SETTLE).await;
    let after = server.memory()?.resident;
    server.kill().await?;
    Ok(Outcome {
        before,
        peak,
        after,
        healthy,
        note: held.note,
    })
}

async fn is_healthy(server: &Server, launch: &Launch) -> bool {
    let asked = async {
        if let Some(tls) = &launch.tls {
            return tls.healthz(server.address).await;
        }
        let mut connection = Connection::open(server.address, "").await?;
        connection.get("/healthz").await.map(drop)
    };
    matches!(timeout(HEALTHY, asked).await, Ok(Ok(())))
}

impl Outcome {
    fn written(&self) -> String {
        let mb = |bytes: u64| bytes / 1_000_000;
        let Self {
            before, peak, after, ..
        } = *self;
        let healthy = if self.healthy { "answers" } else { "**dead**" };
        let mut text = format!("{} → {} → {}, {healthy}", mb(before), mb(peak), mb(after));
        if let Some(note) = &self.note {
            text.push_str("; ");
            text.push_str(note);
        }
        text
    }
}

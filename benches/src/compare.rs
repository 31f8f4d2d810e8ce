//! Compares two binaries in one run, in turn, against the noise that the old binary shows against
//! itself.

use std::{fmt::Write, path::Path, time::Duration};

use tokio::time::sleep;

use crate::{
    Args, Result, load,
    scale::{median, synced},
    server::{Server, Simulated},
    summary::Met,
};

const PATH: &str = "/api/clusters/sim/pods";
/// The number of pods at which the servers are compared.
const PODS: usize = 100_000;
/// The number of pods of the smaller cluster, which the bytes per pod are computed against.
const FEW: usize = 1_000;
/// How long a process may settle before its memory is read.
const SETTLE: Duration = Duration::from_secs(3);
/// How often the servers are loaded in turn within a round, and for how long each. Short turns
/// spread the load of other processes over all servers.
const TURNS: usize = 5;
const TURN: Duration = Duration::from_secs(1);
/// How much worse the new binary may be than the old one is against itself.
const ALLOWED: f64 = 0.03;

/// The figures of one server in one round.
#[derive(Clone, Copy, Debug)]
struct Figures {
    /// Requests per second of page 1.
    rate: f64,
    /// The median time of a request at the client, in seconds.
    p50: f64,
    /// Resident bytes after the sync.
    memory: f64,
    /// Resident bytes that each pod adds.
    bytes_per_pod: f64,
}

/// One round: the old binary, the old one again, and the new one, all running at once.
struct Round {
    old: Figures,
    again: Figures,
    new: Figures,
}

/// A figure as the report shows it.
struct Row {
    name: &'static str,
    of: fn(&Figures) -> f64,
    /// Whether a higher value is better.
    more_is_better: bool,
}

const ROWS: [Row; 4] = [
    Row {
        name: "page 1, requests/s",
        of: |figures| figures.rate,
        more_is_better: true,
    },
    Row {
        name: "page 1, p50 at the client",
        of: |figures| figures.p50,
        more_is_better: false,
    },
    Row {
        name: "resident memory",
        of: |figures| figures.memory,
        more_is_better: false,
    },
    Row {
        name: "resident bytes a pod",
        of: |figures| figures.bytes_per_pod,
        more_is_better: false,
    },
];

/// Measures the new binary against the old one, and returns the section for the report.
pub(crate) async fn measure(args: &Args, old: &Path) -> Result<String> {
    let many = Simulated::start(&args.podgate, PODS, 0.0).await?;
    let few = Simulated::start(&args.podgate, FEW, 0.0).await?;
    let mut rounds = Vec::new();
    for at in 0..args.pairs {
        eprintln!("compare: round {} of {}", at + 1, args.pairs);
        rounds.push(round(old, &args.podgate, &many, &few, at as usize).await?);
    }
    many.stop().await?;
    few.stop().await?;
    Ok(written(&rounds))
}

/// Starts all three, measures their memory, then loads them in turn. The first one changes from
/// round to round.
async fn round(old: &Path, new: &Path, many: &Simulated, few: &Simulated, at: usize) -> Result<Round> {
    let binaries = [old, old, new];
    let mut bases = [0.0; 3];
    let mut servers = [None, None, None];
    for turn in 0..3 {
        let which = (at + turn) % 3;
        bases[which] = resident(&started(binaries[which], few, FEW).await?).await?;
    }
    for turn in 0..3 {
        let which = (at + turn) % 3;
        servers[which] = Some(started(binaries[which], many, PODS).await?);
    }
    let [Some(first), Some(second), Some(third)] = &servers else {
        return Err("a server is missing".into());
    };
    let servers = [first, second, third];
    let mut memory = [0.0; 3];
    for (memory, server) in memory.iter_mut().zip(servers) {
        *memory = resident(server).await?;
    }
    let mut loads = [const { Vec::new() }; 3];
    for turn in 0..TURNS * 3 {
        let which = (at + turn) % 3;
        let server = servers[which];
        loads[which].push(load::run(server.address, &server.token, PATH, TURN).await?);
    }
    let figures = |which: usize| Figures {
        rate: median(loads[which].iter().map(|load| load.rate)),
        p50: median(loads[which].iter().map(|load| load.times.median().as_secs_f64())),
        memory: memory[which],
        bytes_per_pod: (memory[which] - bases[which]) / (PODS - FEW) as f64,
    };
    Ok(Round {
        old: figures(0),
        again: figures(1),
        new: figures(2),
    })
}

/// Starts a server and waits until it has synced a number of pods.
async fn started(podgate: &Path, cluster: &Simulated, pods: usize) -> Result<Server> {
    let server = Server::start(podgate, &cluster.kubeconfig).await?;
    synced(&server, PATH, pods).await.map_err(|e| server.explained(&*e))?;
    Ok(server)
}

async fn resident(server: &Server) -> Result<f64> {
    sleep(SETTLE).await;
    Ok(server.memory()?.resident as f64)
}

impl Row {
    /// Returns the median over the rounds of a server's figure divided by the old one's in the same
    /// round.
    fn ratio(&self, rounds: &[Round], server: impl Fn(&Round) -> &Figures) -> f64 {
        median(
            rounds
                .iter()
                .map(|round| (self.of)(server(round)) / (self.of)(&round.old)),
        )
    }

    /// Returns by how much a ratio is worse than 1.
    fn worse(&self, ratio: f64) -> f64 {
        if self.more_is_better { 1.0 - ratio } else { ratio - 1.0 }
    }

    /// Returns whether the new binary's ratio is allowed, given the old one's against itself.
    fn met(&self, new: f64, again: f64) -> bool {
        self.worse(new) <= self.worse(again).max(0.0) + ALLOWED
    }
}

fn written(rounds: &[Round]) -> String {
    let mut text = format!(
        "{} rounds at {PODS} pods; in each, three servers run at the same time and are loaded in turn, {TURNS} times {} s each over {} \
         connections. The ratios are the medians over the rounds.\n\n\
         | figure | old | new / old | old / old | at most {:.0} % worse than that |\n| --- | ---: | ---: | ---: | --- |\n",
        rounds.len(),
        TURN.as_secs(),
        load::CONNECTIONS,
        ALLOWED * 100.0,
    );
    for row in &ROWS {
        let old = median(rounds.iter().map(|round| (row.of)(&round.old)));
        let new = row.ratio(rounds, |round| &round.new);
        let again = row.ratio(rounds, |round| &round.again);
        let old = match row.name {
            name if name.contains("p50") => format!("{:.3} ms", old * 1000.0),
            name if name.contains("memory") => format!("{:.1} MB", old / 1e6),
            _ => format!("{old:.0}"),
        };
        let _ = writeln!(
            text,
            "| {} | {old} | {new:.3} | {again:.3} | {} |",
            row.name,
            Met(row.met(new, again))
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_per_cent_beyond_the_noise_are_allowed_in_the_bad_direction_only() {
        let [rate, p50, ..] = ROWS;
        assert!(rate.met(0.98, 1.0) && rate.met(1.5, 1.0) && !rate.met(0.96, 1.0));
        assert!(p50.met(1.02, 1.0) && p50.met(0.5, 1.0) && !p50.met(1.04, 1.0));
        assert!(rate.met(0.96, 0.98), "what old against old shows counts");
        assert!(!rate.met(0.96, 1.02), "but never against the new binary");
    }
}

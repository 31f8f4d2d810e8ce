//! A network that fails without a word.

use podgate_sim::Sim;
use tokio::{
    io::copy,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Carries connections to an address, and can let those that are open fall silent: neither end
/// hears of it.
pub(crate) struct Proxy {
    port: u16,
    stalls: watch::Sender<u32>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Returns a kubeconfig with the proxy's address.
    pub(crate) fn kubeconfig(&self, sim: &Sim) -> String {
        let (direct, here) = (format!(":{}", sim.address().port()), format!(":{}", self.port));
        sim.kubeconfig().replace(&direct, &here)
    }

    /// Lets the open connections fall silent.
    pub(crate) fn stall(&self) {
        self.stalls.send_modify(|stalls| *stalls += 1);
    }

    /// Starts a proxy in front of a simulated cluster.
    pub(crate) async fn start(sim: &Sim) -> Self {
        let to = sim.address();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stalls = watch::Sender::new(0);
        let signal = stalls.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let mut stalled = signal.subscribe();
                tokio::spawn(async move {
                    let server = TcpStream::connect(to).await.unwrap();
                    let (mut from_client, mut to_client) = client.into_split();
                    let (mut from_server, mut to_server) = server.into_split();
                    let both = async {
                        tokio::join!(
                            copy(&mut from_client, &mut to_server),
                            copy(&mut from_server, &mut to_client)
                        )
                    };
                    tokio::select! {
                        _ = both => return,
                        changed = stalled.changed() => if changed.is_err() { return },
                    }
                    // Open, and silent, for as long as the proxy is there.
                    while stalled.changed().await.is_ok() {}
                });
            }
        });
        Self { port, stalls, task }
    }
}

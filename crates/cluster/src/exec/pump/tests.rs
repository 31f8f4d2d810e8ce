#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use tokio::io::{DuplexStream, duplex};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

use super::*;
use crate::exec::{
    output::{Outputs, outputs},
    upgrade::SIZES,
};

/// The API server's end of a terminal, and the client's.
struct Ends {
    server: WebSocketStream<DuplexStream>,
    input: mpsc::Sender<Input>,
    output: Outputs,
}

/// Returns a terminal that was opened a while ago.
async fn open(ago: Duration) -> Ends {
    let (near, far) = duplex(64 << 10);
    let socket = Socket {
        stream: BoundedWebSocket::new(near, Role::Client, SIZES).await,
        opened: Instant::now().checked_sub(ago).unwrap(),
        closes_channels: true,
    };
    let (input, to_process) = mpsc::channel(1);
    let target = ExecTarget {
        container: "web".into(),
        pod_name: "pod `shop/web` on cluster `prod`".into(),
        program: "/bin/sh".into(),
    };
    let removed = Removal::default();
    let (from_process, output) = outputs(removed.clone(), target.clone());
    let config = SessionConfig {
        tty: true,
        silence: Duration::from_secs(60),
        removed,
        target,
    };
    tokio::spawn(run(socket, config, to_process, from_process));
    Ends {
        server: WebSocketStream::from_raw_socket(far, Role::Server, None).await,
        input,
        output,
    }
}

async fn show(server: &mut WebSocketStream<DuplexStream>, text: &[u8]) {
    let message = Message::Binary([&[STDOUT], text].concat().into());
    let _ = server.send(message).await;
}

impl Ends {
    async fn show(&mut self, text: &[u8]) {
        show(&mut self.server, text).await;
    }

    /// Lets the client leave. Returns how many ^C arrived before the end of the connection; the
    /// terminal echoes the n-th and later ones.
    async fn interrupts(self, echo_from: u32) -> u32 {
        let Self {
            mut server,
            input,
            output,
        } = self;
        drop((input, output));
        let mut count = 0;
        while let Some(Ok(message)) = server.next().await {
            if matches!(&message, Message::Binary(bytes) if **bytes == [STDIN, 3]) {
                count += 1;
                if count >= echo_from {
                    show(&mut server, b"^C").await;
                }
            }
        }
        count
    }
}

#[tokio::test]
async fn a_terminal_that_has_shown_something_gets_its_farewell_once() {
    let mut ends = open(Duration::ZERO).await;
    ends.show(b"$ ").await;
    assert!(matches!(ends.output.recv().await, Some(Output::Stdout(_))));
    assert_eq!(ends.interrupts(u32::MAX).await, hangup::REPEATS);
}

#[tokio::test]
async fn a_terminal_that_is_open_for_long_has_started_though_it_showed_nothing() {
    assert_eq!(
        open(hangup::SLOW_START).await.interrupts(u32::MAX).await,
        hangup::REPEATS
    );
}

#[tokio::test]
async fn the_first_echo_shows_that_a_terminal_has_started() {
    let most = hangup::MAX_REPEATS / 2;
    let soon = open(Duration::ZERO).await.interrupts(1).await;
    assert!((hangup::REPEATS..most).contains(&soon), "{soon}");
    let late = open(Duration::ZERO).await.interrupts(4).await;
    assert!((4 + hangup::REPEATS - 1..most).contains(&late), "{late}");
}

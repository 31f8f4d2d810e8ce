//! The `podgate` binary: its command line and exit codes.

mod config;
mod demo;
mod page;
mod run;
mod signal;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;

use crate::config::{Cli, Command, Serve};

// The pod index lives for weeks among short-lived buffers of every size. Over repeated reads of a
// 22 MB log, mimalloc v2 without huge pages grew by 3 MB and kept 25 MB after a log-in (Argon2's
// buffer), while v3 grew by 15 MB and kept 38 MB.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Usage errors end here with code 2.
    let cli = Cli::parse();
    match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("podgate: {message}");
            ExitCode::FAILURE
        }
    }
}

fn start(cli: Cli) -> Result<(), String> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| "another TLS provider is already installed".to_owned())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the runtime: {error}"))?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve(serve) => {
                telemetry::start(serve.log_format);
                run::serve(*serve).await
            }
            Command::Demo(flags) => {
                telemetry::start(config::LogFormat::Text);
                let dir = demo::data_dir()?;
                run::serve(Serve::for_demo(flags.listen, dir.path())).await
            }
            Command::Sim(sim) => {
                telemetry::start(config::LogFormat::Text);
                demo::sim(sim).await
            }
        }
    })
}

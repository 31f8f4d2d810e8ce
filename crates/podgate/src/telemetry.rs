//! The log on standard error.

use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, fmt, layer::SubscriberExt, registry::LookupSpan, util::SubscriberInitExt,
};

use crate::config::LogFormat;

/// Starts the log. `RUST_LOG` filters it; by default it has Podgate's own `info` and the warnings
/// of other crates.
pub(crate) fn start(format: LogFormat) {
    tracing_subscriber::registry().with(layer(format)).init();
}

fn layer<S: tracing::Subscriber + for<'a> LookupSpan<'a>>(format: LogFormat) -> impl Layer<S> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        EnvFilter::new("warn,podgate=info,podgate_api=info,podgate_access=info,podgate_cluster=info,podgate_store=info")
    });
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    lines.with_filter(filter).with_filter(filter_fn(|metadata| {
        may_be_logged(metadata.target(), *metadata.level())
    }))
}

/// Returns whether a message may be logged, whatever `RUST_LOG` says.
///
/// The database driver's messages below `error` may not: they quote parameters of the database URL,
/// and statements with their values.
fn may_be_logged(target: &str, level: tracing::Level) -> bool {
    let driver = target == "sqlx" || target.starts_with("sqlx_") || target.starts_with("sqlx::");
    !driver || level <= tracing::Level::ERROR
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::may_be_logged;

    #[test]
    fn only_errors_of_the_database_driver_are_logged() {
        for (target, level, logged) in [
            ("sqlx::query", Level::WARN, false),
            ("sqlx_postgres::options::parse", Level::WARN, false),
            ("sqlx_core::pool", Level::DEBUG, false),
            ("sqlx::query", Level::ERROR, true),
            ("podgate_store", Level::DEBUG, true),
            ("sqlxes", Level::INFO, true),
        ] {
            assert_eq!(may_be_logged(target, level), logged, "{target} {level}");
        }
    }
}

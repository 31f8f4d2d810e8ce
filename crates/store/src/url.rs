//! Checks that a database URL means what its author meant.
//!
//! A password with a `/`, `?`, `#` or `@` that is not percent-encoded still makes a URL, but of
//! another server. Such a URL is refused before any part of it gets into a message.

use sea_orm::sqlx::postgres::PgConnectOptions;

use crate::error::{Error, Result};

/// Checks a PostgreSQL URL. Returns its address for messages: `host:port/database`.
///
/// # Errors
/// [`Error::PostgresUrl`].
pub(crate) fn check_postgres(url: &str) -> Result<String> {
    let (_, rest) = url.split_once("://").ok_or(Error::PostgresUrl)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let database = path.strip_prefix('/').unwrap_or(path);
    let named = |pair: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.[]".contains(c);
        pair.split_once('=')
            .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(plain))
    };
    let meant = !url.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\')
        && authority.matches('@').count() <= 1
        && !rest.contains(['@', '#'])
        && !database.contains(['/', ':'])
        && query.split('&').filter(|pair| !pair.is_empty()).all(named);
    // The driver's connector panics on a URL that it can't parse, so parse it first. The reason may
    // quote a part and is left out.
    let parsed = url.parse::<PgConnectOptions>().ok().filter(|_| meant);
    let parsed = parsed.ok_or(Error::PostgresUrl)?;
    Ok(format!(
        "{}:{}/{}",
        parsed.get_host(),
        parsed.get_port(),
        parsed.get_database().unwrap_or_default()
    ))
}

/// Refuses a SQLite URL that seems to name a server and its credential: it would create a file of
/// that name.
///
/// # Errors
/// [`Error::SqliteUrl`].
pub(crate) fn check_sqlite(url: &str) -> Result<()> {
    let rest = url.strip_prefix("sqlite:").unwrap_or(url);
    let authority = rest.strip_prefix("//").map_or("", |rest| {
        rest.split_once(['/', '?']).map_or(rest, |(authority, _)| authority)
    });
    if authority.contains(['@', ':']) && authority != ":memory:" || rest.contains("://") {
        return Err(Error::SqliteUrl);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_url_is_shown_by_its_place_alone() {
        for (url, shown) in [
            ("postgres://user:hunter2@db:5433/podgate", "db:5433/podgate"),
            (
                "postgresql://u%40x:hunter%2F2@db/podgate?sslmode=require&password=hunter2",
                "db:5432/podgate",
            ),
            ("postgres://user:hun:ter2@10.0.0.1/podgate", "10.0.0.1:5432/podgate"),
        ] {
            assert_eq!(check_postgres(url).unwrap(), shown);
        }
    }

    #[test]
    fn a_url_that_means_something_else_is_refused_and_not_quoted() {
        for url in [
            "postgres://podgate:hunter2/x@db/podgate",
            "postgres://podgate:5432/hunter2@db/podgate",
            "postgres://podgate:5432?hunter2@db/podgate",
            "postgres://podgate:5432#hunter2@db/podgate",
            "postgres://podgate:x@hunter2@db/podgate",
            "postgres://podgate:hunter2 @db/podgate",
            "postgres://podgate:hunter2\\@db/podgate",
            "postgres://podgate:hunter2@db:port/podgate",
            "postgres://podgate:hunter2@db/a/b",
            "postgresql://podgate:hunter2@db/podgate?sslmode=hunter2",
            "postgresql://podgate@db/podgate?hunter2",
        ] {
            let error = check_postgres(url).unwrap_err().to_string();
            assert!(
                error.contains("percent-encoded") && !error.contains("hunter2"),
                "{url}: {error}"
            );
        }
        for url in ["sqlite://user:hunter2@host/podgate", "sqlite:postgres://hunter2@db/x"] {
            let error = check_sqlite(url).unwrap_err().to_string();
            assert!(error.contains("sqlite:/") && !error.contains("hunter2"), "{error}");
        }
        for url in [
            "sqlite:/data/a@b.db",
            "sqlite:///data/podgate.db?mode=rwc",
            "sqlite::memory:",
        ] {
            check_sqlite(url).unwrap();
        }
    }
}

//! Opening the database.

use std::time::Duration;

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr,
    sqlx::{
        postgres::PgConnectOptions,
        sqlite::{SqliteConnectOptions, SqliteJournalMode},
    },
};
use sea_orm_migration::MigratorTrait;

use crate::{
    Store,
    error::{Error, Result},
    migration::Migrator,
    password::Passwords,
    private::{create_private_dir, create_private_file},
    seal::Key,
};

/// How long to wait for a connection, and for another process that holds SQLite's lock.
const CONNECT: Duration = Duration::from_secs(10);
const SQLITE_LOCK: Duration = Duration::from_secs(5);
/// How long the database may take to say that it is there.
const PING: Duration = Duration::from_secs(2);
/// Of several processes that start at once on a new database one makes the tables, and the others fail: how often, and after how long, they look
/// again.
const MIGRATIONS: usize = 5;
const MIGRATION_PAUSE: Duration = Duration::from_millis(500);
/// How long a statement may take on PostgreSQL.
const STATEMENT: Duration = Duration::from_secs(30);
/// Connections to PostgreSQL. SQLite has one: it has a single writer anyway, and so nothing of ours ever meets a locked database.
const POSTGRES_CONNECTIONS: u32 = 8;

impl Store {
    /// Opens a database, making it first where there is none (SQLite: mode 0600 in a folder of mode 0700), and brings its tables up to date.
    ///
    /// `url` is `sqlite:PATH`, `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    /// [`Error::Url`], [`Error::PostgresUrl`], [`Error::File`], [`Error::Open`]; none shows the URL's password.
    pub async fn open(url: &str, key: Key) -> Result<Self> {
        let options = if url.starts_with("sqlite:") {
            sqlite(url)?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            postgres(url)?
        } else {
            return Err(Error::Url);
        };
        let fail = |error: DbErr| Error::Open {
            database: without_credential(url),
            reason: error.to_string(),
        };
        let db = Database::connect(options).await.map_err(fail)?;
        migrate(&db).await.map_err(fail)?;
        Ok(Self {
            db,
            key,
            passwords: Passwords::default(),
        })
    }

    /// Whether the database answers, within 2 seconds.
    ///
    /// # Errors
    /// [`Error::Silent`], [`Error::Database`].
    pub async fn ping(&self) -> Result<()> {
        let answer = tokio::time::timeout(PING, self.db.ping()).await;
        Ok(answer.map_err(|_| Error::Silent)??)
    }

    /// Waits for statements under way and closes the database; later calls fail.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn close(&self) -> Result<()> {
        Ok(self.db.close_by_ref().await?)
    }
}

async fn migrate(db: &DatabaseConnection) -> std::result::Result<(), DbErr> {
    for _ in 1..MIGRATIONS {
        if Migrator::up(db, None).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(MIGRATION_PAUSE).await;
    }
    Migrator::up(db, None).await
}

fn sqlite(url: &str) -> Result<ConnectOptions> {
    let parsed: SqliteConnectOptions = url.parse().map_err(|error: sea_orm::sqlx::Error| Error::Open {
        database: url.to_owned(),
        reason: error.to_string(),
    })?;
    if !url.contains(":memory:") && !url.contains("mode=memory") {
        let path = parsed.get_filename();
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            create_private_dir(folder)?;
        }
        create_private_file(path)?;
    }
    let mut options = common(url);
    options
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .map_sqlx_sqlite_opts(|options| {
            options
                .journal_mode(SqliteJournalMode::Wal)
                .busy_timeout(SQLITE_LOCK)
                .foreign_keys(true)
        });
    Ok(options)
}

fn postgres(url: &str) -> Result<ConnectOptions> {
    // The driver's connector panics on what is no URL, such as one with a `/` or `#` in its password. The reason is left out: it may quote a part.
    if url.parse::<PgConnectOptions>().is_err() {
        return Err(Error::PostgresUrl);
    }
    let mut options = common(url);
    options
        .max_connections(POSTGRES_CONNECTIONS)
        .statement_timeout(STATEMENT);
    Ok(options)
}

fn common(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .connect_timeout(CONNECT)
        .acquire_timeout(CONNECT)
        .sqlx_logging(false);
    options
}

/// A database URL for messages: without user, password and parameters.
fn without_credential(url: &str) -> String {
    let url = url.split_once('?').map_or(url, |(start, _)| start);
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
            format!("{scheme}://{place}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_credential;

    #[test]
    fn a_url_in_a_message_has_no_credential() {
        for (url, shown) in [
            (
                "postgres://user:p@ss/w@db:5432/podgate?password=x",
                "postgres://db:5432/podgate",
            ),
            ("postgresql://db/podgate", "postgresql://db/podgate"),
            ("sqlite:/data/podgate.db?mode=rwc", "sqlite:/data/podgate.db"),
        ] {
            assert_eq!(without_credential(url), shown);
        }
    }
}

//! Opening the database.

use std::{path::Path, time::Duration};

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use sea_orm_migration::MigratorTrait;

use crate::{
    Store,
    db::Db,
    error::{Error, Result, cut},
    migration::Migrator,
    password::Passwords,
    private::{create_private_dir, create_private_file},
    seal::Key,
    url,
};

/// How long to wait for a connection when the database is opened, and for another process that holds SQLite's lock.
const CONNECT: Duration = Duration::from_secs(10);
const SQLITE_LOCK: Duration = Duration::from_secs(5);
/// Of several processes that start at once on a new database one makes the tables, and the others fail: how often, and after how long, they look
/// again.
const MIGRATIONS: usize = 5;
const MIGRATION_PAUSE: Duration = Duration::from_millis(500);
/// How long PostgreSQL goes on with a statement whose caller has given up.
const STATEMENT: Duration = Duration::from_secs(30);
/// Connections to PostgreSQL. SQLite has one: it has a single writer anyway, and so nothing of ours ever meets a locked database.
const POSTGRES_CONNECTIONS: u32 = 8;

impl Store {
    /// Opens a database, making it first where there is none (SQLite: mode 0600 in a folder of mode 0700), and brings its tables up to date.
    ///
    /// `url` is `sqlite:PATH`, `postgres://…` or `postgresql://…`. `key_file` holds the key that stored credentials are encrypted with: 32
    /// bytes. Where there is none it is made with random bytes (mode 0600, its folder 0700), unless the database holds credentials that
    /// another key opens.
    ///
    /// # Errors
    /// [`Error::Url`], [`Error::SqliteUrl`] and [`Error::PostgresUrl`], which quote nothing; [`Error::File`], [`Error::Key`],
    /// [`Error::KeyMissing`], [`Error::Random`], [`Error::Unavailable`]; [`Error::Open`], which shows no password.
    pub async fn open(url: &str, key_file: &Path) -> Result<Self> {
        let (options, place) = if url.starts_with("sqlite:") {
            sqlite(url)?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            postgres(url)?
        } else {
            return Err(Error::Url);
        };
        // Before the database is touched: a file that is refused changes nothing.
        let key = Key::load(key_file)?;
        let fail = |error: DbErr| Error::Open {
            database: place.clone(),
            reason: cut(&error.to_string()),
        };
        let connection = Database::connect(options).await.map_err(fail)?;
        migrate(&connection).await.map_err(fail)?;
        let db = Db::new(connection);
        let key = match key {
            Some(key) => key,
            None if crate::cluster::hold_credentials(&db).await? => {
                return Err(Error::KeyMissing(key_file.to_owned()));
            }
            None => Key::create(key_file)?,
        };
        Ok(Self {
            db,
            key,
            passwords: Passwords::default(),
        })
    }

    /// Asks the database whether it is there, within a second.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Database`].
    pub async fn ping(&self) -> Result<()> {
        Ok(self.db.ping().await?)
    }

    /// Returns whether the database was there when it was last asked for anything. From memory.
    pub fn answers(&self) -> bool {
        self.db.answers()
    }

    /// Waits for statements under way and closes the database; later calls fail. Gives up after 5 seconds on a database that is away: its
    /// connections then end with the process.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Database`].
    pub async fn close(&self) -> Result<()> {
        Ok(self.db.close().await?)
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

/// How to open a file, and its name for messages.
fn sqlite(url: &str) -> Result<(ConnectOptions, String)> {
    url::check_sqlite(url)?;
    let parsed: SqliteConnectOptions = url.parse().map_err(|_| Error::SqliteUrl)?;
    let path = parsed.get_filename();
    if !url.contains(":memory:") && !url.contains("mode=memory") {
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
    Ok((options, path.display().to_string()))
}

/// How to reach a server, and its place for messages.
fn postgres(url: &str) -> Result<(ConnectOptions, String)> {
    let place = url::check_postgres(url)?;
    let mut options = common(url);
    options
        .max_connections(POSTGRES_CONNECTIONS)
        .statement_timeout(STATEMENT);
    Ok((options, place))
}

fn common(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .connect_timeout(CONNECT)
        .acquire_timeout(CONNECT)
        .sqlx_logging(false);
    options
}

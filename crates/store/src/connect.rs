//! Opening the database.

use std::{path::Path, time::Duration};

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr,
    sqlx::{
        self,
        sqlite::{SqliteConnectOptions, SqliteJournalMode},
    },
};
use sea_orm_migration::MigratorTrait;

use crate::{
    Store,
    db::Db,
    error::{Error, Result, excerpt},
    migration::Migrator,
    password::Passwords,
    private::{create_private_dir, create_private_file},
    seal::Key,
    url,
};

/// How long opening the database waits for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a statement waits for another process that holds SQLite's lock.
const SQLITE_LOCK: Duration = Duration::from_secs(5);
/// How many times the migrations are tried. If several processes start on a new database at once,
/// one creates the tables and the others fail at first.
const MIGRATIONS: usize = 5;
/// The pause between these attempts.
const MIGRATION_PAUSE: Duration = Duration::from_millis(500);
/// The pause before another attempt to connect, while another process holds SQLite's lock.
const LOCKED_PAUSE: Duration = Duration::from_millis(50);
/// How long PostgreSQL continues a statement whose caller has given up.
const STATEMENT: Duration = Duration::from_secs(30);
/// The number of connections to PostgreSQL. SQLite has one: it allows a single writer anyway, and
/// with one connection no statement of ours meets a locked database.
const POSTGRES_CONNECTIONS: u32 = 8;

impl Store {
    /// Opens a database, creates it if it does not exist, and brings its tables up to date.
    ///
    /// `url` is `sqlite:PATH`, `postgres://…` or `postgresql://…`. A SQLite file is created with
    /// mode 0600 in a folder of mode 0700.
    ///
    /// `key_file` holds the 32-byte key that encrypts stored credentials. If it does not exist, it
    /// is created from random bytes (mode 0600, its folder 0700), unless the database already holds
    /// credentials that another key encrypted.
    ///
    /// # Errors
    /// [`Error::Url`], [`Error::SqliteUrl`] and [`Error::PostgresUrl`], which quote nothing;
    /// [`Error::File`], [`Error::Key`], [`Error::KeyMissing`], [`Error::Random`],
    /// [`Error::Unavailable`]; [`Error::Open`], which shows no password.
    pub async fn open(url: &str, key_file: &Path) -> Result<Self> {
        let (options, place) = if url.starts_with("sqlite:") {
            sqlite(url)?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            postgres(url)?
        } else {
            return Err(Error::Url);
        };
        // Load the key before the database is touched: a refused key file changes nothing.
        let key = Key::load(key_file)?;
        let fail = |error: DbErr| Error::Open {
            database: place.clone(),
            reason: excerpt(&error.to_string()),
        };
        let connection = connect(options).await.map_err(fail)?;
        migrate(&connection).await.map_err(fail)?;
        let db = Db::new(connection);
        let key = match key {
            Some(key) => key,
            None if crate::cluster::has_credentials(&db).await? => {
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

    /// Asks the database for an answer within a second.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Database`].
    pub async fn ping(&self) -> Result<()> {
        Ok(self.db.ping().await?)
    }

    /// Returns whether the last statement reached the database. Answers from memory.
    pub fn answers(&self) -> bool {
        self.db.answers()
    }

    /// Waits for statements in progress and closes the database. Later calls fail.
    ///
    /// Gives up after 5 seconds if the database is unavailable; its connections then end with the
    /// process.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Database`].
    pub async fn close(&self) -> Result<()> {
        Ok(self.db.close().await?)
    }
}

/// Connects, and tries again for up to [`CONNECT`] while another process holds SQLite's lock.
///
/// To switch a new file to WAL, SQLite needs an exclusive lock that it does not wait for, whatever
/// its busy time-out. So when several processes start on a new file, some are refused at once.
async fn connect(options: ConnectOptions) -> std::result::Result<DatabaseConnection, DbErr> {
    let end = tokio::time::Instant::now() + CONNECT;
    loop {
        let result = Database::connect(options.clone()).await;
        match result {
            Err(error) if is_locked(&error) && tokio::time::Instant::now() < end => {
                tokio::time::sleep(LOCKED_PAUSE).await;
            }
            result => return result,
        }
    }
}

/// Returns whether a failure to connect is SQLite's `SQLITE_BUSY`, plain or extended: an extended
/// code has the plain one in its low byte (<https://www.sqlite.org/rescode.html>).
fn is_locked(error: &DbErr) -> bool {
    const SQLITE_BUSY: u32 = 5;
    let DbErr::Conn(RuntimeErr::SqlxError(error)) = error else {
        return false;
    };
    let sqlx::Error::Database(error) = &**error else {
        return false;
    };
    error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some()
        && error
            .code()
            .and_then(|code| code.parse::<u32>().ok())
            .is_some_and(|code| code & 0xff == SQLITE_BUSY)
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

/// Returns the options to open a file with, and its name for messages.
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

/// Returns the options to reach a server with, and its address for messages.
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

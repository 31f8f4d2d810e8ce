//! Runs every statement within its time limit, and records whether the database is available.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement, TransactionTrait, sqlx,
};
use sea_orm_migration::prelude::async_trait;

/// How long a statement or a transaction may take, including the wait for a connection.
const LIMIT: Duration = Duration::from_secs(1);

/// How long to wait for connections to close.
const CLOSE: Duration = Duration::from_secs(5);

/// The connections to the database. Cheap to clone.
///
/// The rest of this crate can run statements only through it, so that each statement has the time
/// limit.
#[derive(Clone)]
pub(crate) struct Db {
    connection: DatabaseConnection,
    answers: Arc<AtomicBool>,
}

impl Db {
    /// Wraps connections that have just been used.
    pub(crate) fn new(connection: DatabaseConnection) -> Self {
        Self {
            connection,
            answers: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Returns whether the last statement reached the database.
    pub(crate) fn answers(&self) -> bool {
        self.answers.load(Ordering::Relaxed)
    }

    pub(crate) async fn ping(&self) -> Result<(), DbErr> {
        self.within(Box::pin(self.connection.ping())).await
    }

    pub(crate) async fn close(&self) -> Result<(), DbErr> {
        let closed = tokio::time::timeout(CLOSE, self.connection.close_by_ref()).await;
        closed.unwrap_or(Ok(()))
    }

    /// Runs statements in one transaction, which has the time limit as a whole.
    ///
    /// They are rolled back unless `work` commits them.
    pub(crate) async fn transaction<T, E: From<DbErr>>(
        &self,
        work: impl AsyncFnOnce(DatabaseTransaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let limited = tokio::time::timeout(LIMIT, async { work(self.connection.begin().await?).await });
        match limited.await {
            Ok(done) => done,
            Err(_) => Err(self
                .record(Err::<(), _>(timed_out()))
                .err()
                .unwrap_or_else(timed_out)
                .into()),
        }
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        let done = tokio::time::timeout(LIMIT, work).await;
        self.record(done.unwrap_or_else(|_| Err(timed_out())))
    }

    /// Records from a statement's result whether the database is available.
    fn record<T>(&self, done: Result<T, DbErr>) -> Result<T, DbErr> {
        let answers = done.as_ref().err().is_none_or(|error| !is_unavailable(error));
        self.answers.store(answers, Ordering::Relaxed);
        done
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Db {
    fn get_database_backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.within(self.connection.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.within(self.connection.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.within(self.connection.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.within(self.connection.query_all_raw(statement)).await
    }
}

fn timed_out() -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(format!("no answer within {} s", LIMIT.as_secs())))
}

/// Returns whether an error says that the database is unreachable or unable to work, rather than
/// that a statement is wrong.
pub(crate) fn is_unavailable(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => match &**error {
            sqlx::Error::Database(error) => error.code().is_some_and(|code| is_unavailable_code(&code)),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => true,
            _ => false,
        },
        _ => false,
    }
}

/// Returns whether an error code of the database says that it is unreachable or unable to work.
///
/// PostgreSQL's codes have five characters (Appendix A: classes 08 connection, 53 resources, 57
/// operator, 58 system; 25006 is a replica that takes no writes). SQLite's are numbers whose lowest
/// byte is the primary result code.
fn is_unavailable_code(code: &str) -> bool {
    if code.len() == 5 {
        return code == "25006" || ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class));
    }
    // `SQLITE_BUSY`, `_LOCKED`, `_READONLY`, `_IOERR`, `_CORRUPT`, `_FULL`, `_CANTOPEN` and
    // `_NOTADB`.
    code.parse::<u32>()
        .is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 11 | 13 | 14 | 26))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use sea_orm::ConnectOptions;

    use super::*;

    #[tokio::test]
    async fn a_database_that_is_back_is_known_to_be() -> Result<(), DbErr> {
        let db = Db::new(sea_orm::Database::connect("sqlite::memory:").await?);
        assert!(db.record(Err::<(), _>(timed_out())).is_err() && !db.answers());
        db.ping().await?;
        assert!(db.answers());
        Ok(())
    }

    #[tokio::test]
    async fn a_database_that_hangs_is_unavailable_until_it_answers() -> Result<(), DbErr> {
        let options = ConnectOptions::new("sqlite::memory:").max_connections(1).to_owned();
        let db = Db::new(sea_orm::Database::connect(options).await?);
        // The holder of the one connection keeps it.
        let held = db.connection.begin().await?;
        let started = Instant::now();
        let statement = db.execute_unprepared("SELECT 1").await;
        assert!(statement.is_err_and(|error| is_unavailable(&error)) && !db.answers());
        let ping = db.ping().await;
        assert!(ping.is_err_and(|error| is_unavailable(&error)) && !db.answers());
        let work = db.transaction(async |transaction| transaction.commit().await).await;
        assert!(work.is_err_and(|error| is_unavailable(&error)) && !db.answers());
        assert!(started.elapsed() >= 3 * LIMIT, "each waits as long as it may");
        held.rollback().await?;
        db.ping().await?;
        assert!(db.answers());
        Ok(())
    }

    #[test]
    fn an_unavailable_database_is_distinguished_from_a_wrong_statement() {
        for (code, away) in [
            ("57P01", true),
            ("57014", true),
            ("08006", true),
            ("53300", true),
            ("25006", true),
            ("23505", false),
            ("42P01", false),
            ("5", true),
            ("517", true),
            ("8458", true),
            ("2067", false),
            ("1", false),
            ("", false),
        ] {
            assert_eq!(is_unavailable_code(code), away, "{code}");
        }
        assert!(is_unavailable(&timed_out()));
        assert!(!is_unavailable(&DbErr::RecordNotInserted));
    }
}

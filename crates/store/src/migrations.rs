//! Forward-only migrations, numbered by `user_version`.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::StoreError;

/// In the order in which they are run; the n-th brings the file to schema n.
/// A line each, so that two can be added side by side.
#[rustfmt::skip]
const ALL: &[&str] = &[
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
    include_str!("migrations/0004.sql"),
    include_str!("migrations/0005.sql"),
    include_str!("migrations/0006.sql"),
    include_str!("migrations/0007.sql"),
    include_str!("migrations/0008.sql"),
    include_str!("migrations/0009.sql"),
    include_str!("migrations/0010.sql"),
    include_str!("migrations/0011.sql"),
    include_str!("migrations/0012.sql"),
    include_str!("migrations/0013.sql"),
    include_str!("migrations/0014.sql"),
    include_str!("migrations/0015.sql"),
    include_str!("migrations/0016.sql"),
    include_str!("migrations/0017.sql"),
    include_str!("migrations/0018.sql"),
    include_str!("migrations/0019.sql"),
    include_str!("migrations/0020.sql"),
    include_str!("migrations/0021.sql"),
    include_str!("migrations/0022.sql"),
];

/// `Entr` in ASCII: marks the file as ours (SQLite, `PRAGMA application_id`), so that no other program's is migrated.
const APPLICATION: i32 = 0x456e_7472;

/// Brings the file to the newest schema, in one transaction.
pub(crate) fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    // Immediate: two processes that open a new file at once run the migrations one after the other.
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let application: i32 = tx.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (tables > 0 || found > 0) {
        return Err(StoreError::corrupt("the file is the database of another program"));
    }
    let known = i64::try_from(ALL.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    for (number, sql) in (1_i64..).zip(ALL.iter().copied()).filter(|(number, _)| *number > found) {
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "user_version", number)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION)?;
    tx.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_gets_the_newest_schema_and_keeps_it() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn).unwrap();
        let tables = |conn: &Connection| {
            conn.query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", [], |row| row.get::<_, i64>(0))
                .unwrap()
        };
        let made = tables(&conn);
        assert!(made > 20, "{made} tables");
        migrate(&mut conn).unwrap();
        assert_eq!(tables(&conn), made);
    }

    #[test]
    fn a_newer_schema_and_a_strange_file_are_refused() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn).unwrap();
        conn.pragma_update(None, "user_version", 99).unwrap();
        let refused = migrate(&mut conn).unwrap_err();
        let newest = i64::try_from(ALL.len()).unwrap();
        assert!(matches!(refused, StoreError::NewerSchema { found: 99, known } if known == newest), "{refused}");
        let mut conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE foreign_thing (a)").unwrap();
        assert!(matches!(migrate(&mut conn), Err(StoreError::Corrupt { .. })));
    }
}

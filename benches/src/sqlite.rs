//! The naive peer: a table of hashes in SQLite, durable inserts.

use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;

/// Inserts a second: write-ahead log, `synchronous = FULL`, `batch` rows in one transaction. A row
/// is what a clerk's table would hold: id, digest, business type, submitter, time.
pub(crate) fn inserts_per_second(dir: &Path, rows: u64, batch: u64) -> f64 {
    let file = dir.join(format!("peer-{batch}.sqlite"));
    let mut db = Connection::open(file).expect("SQLite opens");
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE evidence (id TEXT PRIMARY KEY, sm3 BLOB, business TEXT, submitter TEXT, at_ms INTEGER);",
    )
    .expect("SQLite takes the schema");
    let started = Instant::now();
    let mut number = 0_u64;
    while number < rows {
        let transaction = db.transaction().expect("SQLite begins");
        for _ in 0..batch.min(rows - number) {
            let digest = smkit::sm3(&number.to_be_bytes());
            transaction
                .prepare_cached(
                    "INSERT INTO evidence VALUES (?1, ?2, 'general', 'CN=operator-0', ?3)",
                )
                .and_then(|mut insert| {
                    let id = format!("CC22010011220100MB9999999R20261122{number:012}X");
                    insert.execute((id, digest.as_bytes().as_slice(), number as i64))
                })
                .expect("SQLite inserts");
            number += 1;
        }
        transaction.commit().expect("SQLite commits");
    }
    rows as f64 / started.elapsed().as_secs_f64()
}

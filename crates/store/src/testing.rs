//! What the tests share: a store in a directory of its own, and small values.

use model::{AudienceId, Commitment, Index, Origin, StixId, Timestamp};
use sha2::{Digest, Sha256};

use crate::connection::{Db, Store, Tx, Writer};
use crate::error::StoreError;
use crate::ids::{LogId, StatementId};
use crate::statements::{Fate, NewStatement, SealedBody};

/// A store that goes away with the test.
pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) store: Store,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        Self { dir, store }
    }

    /// One command in a group commit of its own.
    pub(crate) fn write<R>(&self, command: impl FnOnce(&Tx<'_>) -> Result<R, StoreError>) -> R {
        let mut writer: Writer = self.store.writer().unwrap();
        let mut batch = writer.begin().unwrap();
        let value = batch.savepoint(command).unwrap();
        batch.commit().unwrap();
        value
    }

    /// One read on a connection that remembers nothing.
    pub(crate) fn read<R>(&self, read: impl FnOnce(&Db<'_>) -> Result<R, StoreError>) -> R {
        self.store.reader().unwrap().snapshot(read).unwrap()
    }
}

pub(crate) fn origin(country: &str) -> Origin {
    format!("entraide/{country}/REAL/0123456789abcdef").parse().unwrap()
}

pub(crate) fn commitment(number: u64) -> Commitment {
    Commitment::new(Sha256::digest(number.to_be_bytes()).into())
}

pub(crate) fn audience(number: u8) -> AudienceId {
    AudienceId::new([number; 16])
}

pub(crate) fn indicator(number: u32) -> StixId {
    format!("indicator--{number:08x}-17d4-4cbf-938f-98ee46b3cd3f").parse().unwrap()
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + seconds)
}

/// A statement with a body of ten bytes.
pub(crate) fn say(tx: &Tx<'_>, log: LogId, index: u64) -> Result<StatementId, StoreError> {
    tx.insert_statement(&NewStatement {
        log,
        index: Index(index),
        arrived: at(0),
        commitment: commitment(index),
        entry_salt: [1; 32],
        envelope: b"envelope",
        body_commitment: model::BodyCommitment::new([2; 32]),
        sealed: Some(SealedBody { salt: [3; 32], wrapped_key: &[4; 72], ciphertext: b"ciphertext" }),
        fate: Fate::Fit,
    })
}

//! What a connection remembers so as not to ask the database again: rows that never change once they are committed, and
//! on the writer the chain tails and counters of the running savepoint, which are written back at its end.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use model::{AudienceId, Commitment, Lane, MemberSet, Origin};

use crate::ids::{LogId, SetId};
use crate::limits;

/// Which chain: one audience and lane of one log.
pub(crate) type ChainKey = (LogId, AudienceId, Lane);

/// A chain's row, and whether it has changed since it was read.
#[derive(Debug, Clone)]
pub(crate) struct ChainState {
    pub(crate) id: i64,
    pub(crate) low: u64,
    pub(crate) high: u64,
    pub(crate) count: u64,
    pub(crate) tail: Commitment,
    pub(crate) dirty: bool,
}

/// What is added to a log's counters at the end of the savepoint.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) bytes: i64,
    pub(crate) objects: i64,
}

/// One connection's memory.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    pub(crate) origins: RefCell<HashMap<LogId, Origin>>,
    pub(crate) sets: RefCell<HashMap<SetId, MemberSet>>,
    pub(crate) kind_ids: RefCell<HashMap<Arc<str>, i64>>,
    pub(crate) kind_names: RefCell<HashMap<i64, Arc<str>>>,
    pub(crate) chains: RefCell<HashMap<ChainKey, ChainState>>,
    pub(crate) tallies: RefCell<HashMap<LogId, Tally>>,
    /// Was a body erased since this was last asked? Too often is harmless: a savepoint that is undone leaves it.
    pub(crate) erased: Cell<bool>,
}

impl Memo {
    /// Forgets everything: what a rolled back savepoint had interned is not there any more.
    pub(crate) fn clear(&self) {
        self.origins.borrow_mut().clear();
        self.sets.borrow_mut().clear();
        self.kind_ids.borrow_mut().clear();
        self.kind_names.borrow_mut().clear();
        self.chains.borrow_mut().clear();
        self.tallies.borrow_mut().clear();
    }

    /// Forgets what another connection may have changed since the last transaction.
    pub(crate) fn begin(&self) {
        self.chains.borrow_mut().clear();
        self.tallies.borrow_mut().clear();
    }

    /// Notes the origin of a log.
    pub(crate) fn note_origin(&self, log: LogId, origin: &Origin) {
        insert(&mut self.origins.borrow_mut(), limits::MEMO, log, origin.clone());
    }

    /// Notes the members of a set.
    pub(crate) fn note_set(&self, set: SetId, members: &MemberSet) {
        insert(&mut self.sets.borrow_mut(), limits::MEMO_SETS, set, members.clone());
    }

    /// Notes an interned type name.
    pub(crate) fn note_kind(&self, id: i64, name: &Arc<str>) {
        insert(&mut self.kind_ids.borrow_mut(), limits::MEMO, Arc::clone(name), id);
        insert(&mut self.kind_names.borrow_mut(), limits::MEMO, id, Arc::clone(name));
    }

    /// Adds to a log's counters.
    pub(crate) fn tally(&self, log: LogId, bytes: i64, objects: i64) {
        let mut tallies = self.tallies.borrow_mut();
        let tally = tallies.entry(log).or_default();
        tally.bytes += bytes;
        tally.objects += objects;
    }
}

fn insert<K: std::hash::Hash + Eq, V>(map: &mut HashMap<K, V>, most: usize, key: K, value: V) {
    if map.len() >= most {
        map.clear();
    }
    map.insert(key, value);
}

//! The entry points of the fuzzer on random changes of good input, and on random bytes: `make fuzz` goes on from here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

#[path = "../../../fuzz/entry/mod.rs"]
mod entry;

use entry::ENTRIES;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Inputs of each kind for each parser.
const CASES: u32 = 300;

/// One change of a file: at a place, take some bytes away and put others there.
type Edit = (prop::sample::Index, usize, Vec<u8>);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let put = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4),
        // What parsers stumble over: ends, escapes, large numbers, empty lines.
        prop::sample::select(vec![
            &b"\n\n"[..],
            b"\\u0000",
            b"\"",
            b"-1",
            b"18446744073709551616",
            b"\xff\xff",
            b"{",
            b"]"
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), 0..6_usize, put), 1..5)
}

fn changed(seed: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for (at, take, put) in edits {
        let at = at.index(bytes.len() + 1);
        let end = bytes.len().min(at + take);
        bytes.splice(at..end, put.iter().copied());
    }
    bytes
}

#[test]
fn no_parser_panics_or_breaks_its_word_on_changed_input() {
    for entry in ENTRIES {
        let seeds = (entry.seeds)();
        assert!(!seeds.is_empty(), "{}", entry.name);
        for seed in &seeds {
            (entry.run)(seed);
        }
        let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        let changes = (any::<prop::sample::Index>(), edits());
        TestRunner::new(config.clone())
            .run(&changes, |(which, edits)| {
                (entry.run)(&changed(&seeds[which.index(seeds.len())], &edits));
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{}: {error}", entry.name));
        TestRunner::new(config)
            .run(&prop::collection::vec(any::<u8>(), 0..200), |bytes| {
                (entry.run)(&bytes);
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{}: {error}", entry.name));
    }
}

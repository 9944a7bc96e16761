//! Properties of splitting: it never panics, it loses no byte, and it undoes bundling.
#![allow(clippy::unwrap_used, reason = "a test's own input is known to be good")]

use intake::{Kind, Limits, batches, bundle, split};
use model::StixId;
use proptest::prelude::*;

/// Text of a STIX object with odd spelling: spaces, escapes, other scripts, any of which re-serialising would change.
fn object() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec!["tool", "malware", "x-own", "indicator"]);
    let space = prop::sample::select(vec!["", " ", "\n\t", "\r\n  "]);
    let name = prop::sample::select(vec!["é", "\\u00e9", "\\/", "a]},{[", "\\\"Event\\\":", "", "😀"]);
    (kind, space, name, any::<[u8; 16]>(), 0..1000_u32).prop_map(|(kind, space, name, random, number)| {
        let id = StixId::from_random(kind, random).unwrap();
        format!(r#"{{{space}"name":{space}"{name}","x":[{number}.50,1E1],"id":"{id}",{space}"type":"{kind}"{space}}}"#)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_panic(file in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = split(&file, Limits::default());
    }

    #[test]
    fn splitting_undoes_bundling_byte_for_byte(objects in prop::collection::vec(object(), 0..20), random: [u8; 16]) {
        let spans: Vec<&[u8]> = objects.iter().map(|object| object.as_bytes()).collect();
        let file = bundle(&StixId::from_random("bundle", random).unwrap(), &spans);
        let told = split(&file, Limits::default()).unwrap();
        prop_assert_eq!(told.kind, Kind::StixBundle);
        prop_assert_eq!(told.items.iter().map(|item| item.span).collect::<Vec<_>>(), spans);
        for item in &told.items {
            prop_assert!(item.head.is_ok(), "{:?}", item.head);
            prop_assert_eq!(&file[item.offset..item.offset + item.span.len()], item.span);
        }
    }

    /// A damaged file is refused, or gives spans that lie in it in order; an object next to the damage stays good.
    #[test]
    fn damaged_bundles_never_panic(
        objects in prop::collection::vec(object(), 1..5),
        at: prop::sample::Index,
        byte: u8,
    ) {
        let spans: Vec<&[u8]> = objects.iter().map(|object| object.as_bytes()).collect();
        let mut file = bundle(&StixId::from_random("bundle", [7; 16]).unwrap(), &spans);
        let at = at.index(file.len());
        let _ = split(&file[..at], Limits::default());
        file[at] = byte;
        if let Ok(told) = split(&file, Limits::default()) {
            let mut end = 0;
            for item in &told.items {
                prop_assert!(item.offset >= end);
                end = item.offset + item.span.len();
                prop_assert_eq!(&file[item.offset..end], item.span);
            }
            if told.kind == Kind::StixBundle && told.items.len() == objects.len() {
                for item in &told.items {
                    let damaged = (item.offset..item.offset + item.span.len()).contains(&at);
                    prop_assert!(damaged || item.head.is_ok(), "{:?}", item.head);
                }
            }
        }
    }

    #[test]
    fn runs_lose_nothing_and_keep_the_order(
        sizes in prop::collection::vec(0..40_usize, 0..60),
        objects in 1..9_usize,
        bytes in 1..99_usize,
    ) {
        let items: Vec<Vec<u8>> = sizes.iter().map(|size| vec![b'x'; *size]).collect();
        let runs = batches(&items, objects, bytes);
        prop_assert_eq!(&runs.concat(), &items);
        for run in runs {
            prop_assert!(!run.is_empty() && run.len() <= objects);
            prop_assert!(run.len() == 1 || run.iter().map(Vec::len).sum::<usize>() <= bytes);
        }
    }
}

//! Groups of objects: for bulk commands, and as a STIX bundle around bytes that stay as they are.

use model::StixId;

/// Cuts `items` into runs of at most `max_objects` and `max_bytes`, in order.
/// An item that alone has more bytes is a run of its own; a limit of 0 objects counts as 1.
#[must_use]
pub fn batches<T: AsRef<[u8]>>(items: &[T], max_objects: usize, max_bytes: usize) -> Vec<&[T]> {
    let mut runs = Vec::new();
    let (mut start, mut bytes) = (0, 0_usize);
    for (at, item) in items.iter().enumerate() {
        let size = item.as_ref().len();
        let full = at - start >= max_objects.max(1) || bytes.saturating_add(size) > max_bytes;
        if at > start && full {
            runs.push(&items[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes = bytes.saturating_add(size);
    }
    if start < items.len() {
        runs.push(&items[start..]);
    }
    runs
}

/// Wraps STIX objects into a bundle (STIX 2.1 §8) without touching their bytes.
/// Without objects it has no `objects`, since a STIX list is never empty (§2.12).
#[must_use]
pub fn bundle(id: &StixId, objects: &[&[u8]]) -> Vec<u8> {
    let size: usize = objects.iter().map(|object| object.len() + 1).sum();
    let mut out = Vec::with_capacity(size + 400);
    out.extend_from_slice(br#"{"type":"bundle","id":""#);
    out.extend_from_slice(id.as_str().as_bytes());
    out.push(b'"');
    for (at, object) in objects.iter().enumerate() {
        out.extend_from_slice(if at == 0 { br#","objects":["# } else { b"," });
        out.extend_from_slice(object);
    }
    out.extend_from_slice(if objects.is_empty() { b"}" } else { b"]}" });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_keep_both_limits() {
        let check = |sizes: &[usize], objects: usize, bytes: usize, expect: &[usize]| {
            let items: Vec<Vec<u8>> = sizes.iter().map(|size| vec![0; *size]).collect();
            let runs: Vec<usize> = batches(&items, objects, bytes).iter().map(|run| run.len()).collect();
            assert_eq!(runs, expect, "{sizes:?}");
        };
        check(&[], 2, 10, &[]);
        check(&[1, 1, 1, 1, 1], 2, 10, &[2, 2, 1]);
        check(&[5, 5, 5], 9, 10, &[2, 1]);
        check(&[1, 50, 1, 1], 9, 10, &[1, 1, 2]);
        check(&[50], 9, 10, &[1]);
        check(&[1, 1], 0, 10, &[1, 1]);
    }

    #[test]
    fn a_bundle_is_its_objects_with_a_line_around_them() {
        let id = StixId::from_random("bundle", [0; 16]).unwrap();
        let text = |objects: &[&[u8]]| String::from_utf8(bundle(&id, objects)).unwrap();
        let start = r#"{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000""#;
        assert_eq!(text(&[]), format!("{start}}}"));
        assert_eq!(text(&[b"{ }", b"{}"]), format!(r#"{start},"objects":[{{ }},{{}}]}}"#));
    }
}

//! The little of DER (ITU-T X.690 §10) that a time stamp needs: one value after the other, each whole.

/// One value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    /// Its tag, class and form included.
    pub(super) tag: u8,
    /// What it holds.
    pub(super) body: &'a [u8],
    /// The same with tag and length.
    pub(super) whole: &'a [u8],
}

/// What is left to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next value; `None` at the end, and for what is not DER.
    pub(super) fn next(&mut self) -> Option<Value<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        // Tags of more than one byte do not occur here.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x0f))?;
                let length = bytes.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
                let shortest = bytes.first().is_some_and(|byte| *byte != 0) && length > 0x7f;
                shortest.then_some((length, rest))?
            }
            _ => return None,
        };
        let (body, rest) = rest.split_at_checked(length)?;
        let whole = &self.0[..self.0.len() - rest.len()];
        self.0 = rest;
        Some(Value { tag, body, whole })
    }

    /// The next value, which has this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<Value<'a>> {
        self.next().filter(|value| value.tag == tag)
    }

    /// What the next value holds, which has this tag.
    pub(super) fn inside(&mut self, tag: u8) -> Option<Reader<'a>> {
        self.expect(tag).map(|value| Reader(value.body))
    }

    /// The next value if it has this tag; otherwise nothing is read.
    pub(super) fn optional(&mut self, tag: u8) -> Option<Value<'a>> {
        if self.0.first() == Some(&tag) { self.next() } else { None }
    }

    /// The values that are left, up to the first that is not DER.
    pub(super) fn rest(mut self) -> impl Iterator<Item = Value<'a>> {
        std::iter::from_fn(move || self.next())
    }
}

/// Writes a value that holds less than 128 bytes.
pub(super) fn short(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag, u8::try_from(body.len()).unwrap_or(u8::MAX)];
    out.extend_from_slice(body);
    out
}

/// Writes a number that is not negative: no leading zero but the one that keeps it positive (X.690 §8.3).
pub(super) fn number(value: u64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    let digits = &bytes[first..];
    let mut body = Vec::with_capacity(digits.len() + 1);
    if digits.first().is_some_and(|byte| byte & 0x80 != 0) {
        body.push(0);
    }
    body.extend_from_slice(digits);
    short(0x02, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_whole_or_not_at_all() {
        let check = |bytes: &[u8], expect: Option<usize>| {
            assert_eq!(Reader(bytes).next().map(|value| value.body.len()), expect, "{bytes:02x?}");
        };
        check(&[0x04, 0x02, 1, 2, 9], Some(2));
        check(&[0x04, 0x02, 1], None);
        check(&[0x04], None);
        check(&[0x1f, 0x01, 0], None);
        check(&[0x04, 0x80, 0, 0], None);
        check(&[0x04, 0x81, 0x05, 1, 2, 3, 4, 5], None);
        check(&[0x04, 0x84, 0xff, 0xff, 0xff, 0xff], None);
        let mut long = vec![0x04, 0x81, 0x80];
        long.extend([7; 0x80]);
        check(&long, Some(0x80));
        let mut reader = Reader(&[0x02, 1, 5, 0x04, 1, 6]);
        assert!(reader.optional(0x04).is_none());
        assert_eq!(reader.optional(0x02).map(|value| value.whole), Some(&[2, 1, 5][..]));
        assert_eq!(reader.rest().count(), 1);
        assert_eq!(number(0), [2, 1, 0]);
        assert_eq!(number(0x80), [2, 2, 0, 0x80]);
        assert_eq!(number(u64::MAX).len(), 11);
    }
}

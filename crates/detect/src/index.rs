//! The index: which values there are, in some eight bytes each. The values themselves stay with [`Records`], in a file or in
//! memory, and are read only where a hash says that one is likely met.

use crate::address;
use crate::filter::Filter;
use crate::hashing::{Begin, Key, load};
use crate::limits;
use crate::value::{First, Kind, Value};

/// What is known of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it is.
    pub kind: Kind,
    /// Its one form.
    pub text: String,
    /// Whose statement it is of: a number that means something to whoever built the index.
    pub tag: u64,
}

/// Why a record can't be read.
#[derive(Debug, thiserror::Error)]
#[error("the values of the index can't be read: {0}")]
pub struct RecordsError(pub String);

/// Where the values are: record n is that of place n of the index.
pub trait Records {
    /// One record.
    ///
    /// # Errors
    /// It can't be read.
    fn record(&self, place: u32) -> Result<Record, RecordsError>;
}

/// Values in memory: for few, and for tests.
#[derive(Debug, Clone, Default)]
pub struct Stored(Vec<Record>);

impl Records for Stored {
    fn record(&self, place: u32) -> Result<Record, RecordsError> {
        self.0.get(place as usize).cloned().ok_or_else(|| RecordsError(format!("there is no record {place}")))
    }
}

/// Why an index can't be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// More than [`limits::VALUES`].
    #[error("an index takes {} values at most: choose fewer, by label or by purpose", limits::VALUES)]
    TooMany,
    /// A stored index does not fit together.
    #[error("the index is damaged: build it again")]
    Damaged,
}

/// Takes values, and makes an index of them.
#[derive(Debug)]
pub struct Builder {
    key: Key,
    /// The hash of each value, and which value it was.
    hashes: Vec<(u64, u32)>,
    firsts: Vec<u64>,
    parts: Parts,
}

/// What is small: last labels, lengths of networks, the map of networks.
#[derive(Debug, Clone)]
struct Parts {
    labels: Vec<u64>,
    nets: Vec<u64>,
    lengths_four: u64,
    lengths_six: [u64; 3],
}

/// Bits of the map of last labels: the first cache holds it.
const LABELS: usize = 1 << 15;
/// One bit for each upper half of an address of IPv4.
const NETS: usize = 1 << 16;

impl Parts {
    fn new() -> Self {
        Self { labels: vec![0; LABELS / 64], nets: vec![0; NETS / 64], lengths_four: 0, lengths_six: [0; 3] }
    }

    fn net_four(&mut self, network: u32, length: u8) {
        self.lengths_four |= 1 << length;
        let first = network >> 16;
        let last = first + (1_u32 << 16_u32.saturating_sub(u32::from(length))) - 1;
        for half in first..=last {
            if let Some(word) = self.nets.get_mut(half as usize / 64) {
                *word |= 1 << (half % 64);
            }
        }
    }
}

impl Builder {
    /// An empty one. The key must be drawn at random and kept from whoever writes the telemetry.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self { key, hashes: Vec::new(), firsts: Vec::new(), parts: Parts::new() }
    }

    /// One value more; its number is how many came before it.
    ///
    /// # Errors
    /// [`BuildError::TooMany`].
    pub fn add(&mut self, value: &Value) -> Result<(), BuildError> {
        let number = u32::try_from(self.hashes.len()).map_err(|_| BuildError::TooMany)?;
        if self.hashes.len() >= limits::VALUES {
            return Err(BuildError::TooMany);
        }
        // A value that has no hash has no form in which it could be found; `Value` makes none.
        let Some(hashes) = value.hashes(&self.key) else { return Ok(()) };
        self.hashes.push((hashes.whole, number));
        match hashes.first {
            First::Value(hash) => self.firsts.push(hash),
            First::Four(network, length) => self.parts.net_four(network, length),
            First::Six(length) => self.parts.lengths_six[usize::from(length / 64)] |= 1 << (length % 64),
            First::Rare => {}
        }
        if let Some(label) = value.last_label() {
            let bit = label_bit(&self.key, label.as_bytes(), 0, label.len());
            if let Some(word) = self.parts.labels.get_mut(bit / 64) {
                *word |= 1 << (bit % 64);
            }
        }
        Ok(())
    }

    /// The index, and the order of its places: the number of the value that each place is of. Records must be given in it.
    #[must_use]
    pub fn finish(mut self) -> (Index, Vec<u32>) {
        self.hashes.sort_unstable();
        self.firsts.sort_unstable();
        self.firsts.dedup();
        let mut filter = Filter::new(self.firsts.len());
        self.firsts.iter().for_each(|hash| filter.insert(*hash));
        drop(self.firsts);
        let bits = bucket_bits(self.hashes.len());
        let mut starts = vec![0_u32; (1 << bits) + 1];
        for (hash, _) in &self.hashes {
            if let Some(count) = starts.get_mut(bucket(*hash, bits) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let prints = self.hashes.iter().map(|(hash, _)| print(*hash)).collect();
        let order = self.hashes.iter().map(|(_, number)| *number).collect();
        (Index { key: self.key, filter, parts: self.parts, bits, starts, prints }, order)
    }

    /// The index of records in memory.
    ///
    /// # Errors
    /// [`BuildError::TooMany`].
    pub fn of(key: Key, values: Vec<(Value, u64)>) -> Result<(Index, Stored), BuildError> {
        let mut builder = Self::new(key);
        for (value, _) in &values {
            builder.add(value)?;
        }
        let (index, order) = builder.finish();
        let of = |number: u32| values.get(number as usize);
        let record =
            |(value, tag): &(Value, u64)| Record { kind: value.kind(), text: value.text().to_owned(), tag: *tag };
        Ok((index, Stored(order.into_iter().filter_map(of).map(record).collect())))
    }
}

/// Values to look for, without the values.
#[derive(Debug, Clone)]
pub struct Index {
    key: Key,
    filter: Filter,
    parts: Parts,
    /// Buckets are chosen by so many upper bits.
    bits: u32,
    /// Where each bucket starts; one more at the end.
    starts: Vec<u32>,
    /// 32 bits of each hash, in the order of the hashes.
    prints: Vec<u32>,
}

fn bucket_bits(values: usize) -> u32 {
    (values / 8).max(1).next_power_of_two().trailing_zeros()
}

fn bucket(hash: u64, bits: u32) -> usize {
    hash.checked_shr(64 - bits).unwrap_or(0) as usize
}

const fn print(hash: u64) -> u32 {
    hash as u32
}

/// Where the last label of a name is in the map of them.
#[inline]
fn label_bit(key: &Key, around: &[u8], start: usize, end: usize) -> usize {
    let rest = (end - start).min(8);
    let mask = u64::MAX >> (64 - 8 * rest.max(1));
    let word = (load(around, start) | 0x2020_2020_2020_2020) & mask;
    (key.word(key.begin(Begin::Last), word) >> 49) as usize
}

impl Index {
    /// How many values.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.prints.len()
    }

    /// None at all?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.prints.is_empty()
    }

    /// Bytes of memory that it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        8 * (self.filter.words().len() + self.parts.labels.len() + self.parts.nets.len())
            + 4 * (self.starts.len() + self.prints.len())
    }

    pub(crate) const fn key(&self) -> &Key {
        &self.key
    }

    pub(crate) const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Does any value lead through a name with this last label? False is certain.
    #[inline]
    pub(crate) fn knows_label(&self, around: &[u8], start: usize, end: usize) -> bool {
        let bit = label_bit(&self.key, around, start, end);
        self.parts.labels.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }

    /// May a network hold this address? False is certain.
    #[inline]
    pub(crate) fn may_hold_four(&self, address: u32) -> bool {
        let half = address >> 16;
        self.parts.nets.get(half as usize / 64).is_some_and(|word| word >> (half % 64) & 1 == 1)
    }

    /// The hashes of an address and of its networks that may be known, each with its length.
    pub(crate) fn hashes_four(&self, address: u32) -> impl Iterator<Item = (u8, u64)> {
        let known = |length: &u8| *length == 32 || self.parts.lengths_four >> length & 1 == 1;
        (0..=32_u8)
            .filter(known)
            .map(move |length| (length, address::hash_four(&self.key, address::network_four(address, length), length)))
    }

    /// The same of IPv6.
    pub(crate) fn hashes_six(&self, address: u128) -> impl Iterator<Item = (u8, u64)> {
        let known =
            |length: &u8| *length == 128 || self.parts.lengths_six[usize::from(length / 64)] >> (length % 64) & 1 == 1;
        (0..=128_u8)
            .filter(known)
            .map(move |length| (length, address::hash_six(&self.key, address::network_six(address, length), length)))
    }

    /// The places whose hash this likely is.
    pub(crate) fn places(&self, hash: u64) -> impl Iterator<Item = u32> {
        let bucket = bucket(hash, self.bits);
        let bound = |at: usize| self.starts.get(at).copied().unwrap_or(0);
        let (start, end) = (bound(bucket), bound(bucket + 1));
        let prints = self.prints.get(start as usize..end as usize).unwrap_or_default();
        (start..end).zip(prints).filter(move |(_, known)| **known == print(hash)).map(|(place, _)| place)
    }

    /// Everything of it but the key, as words of 64 bits and of 32 bits: an index that is kept in a file.
    #[must_use]
    pub fn parts(&self) -> ([&[u64]; 3], [&[u32]; 2], [u64; 4]) {
        let six = self.parts.lengths_six;
        (
            [self.filter.words(), &self.parts.labels, &self.parts.nets],
            [&self.starts, &self.prints],
            [self.parts.lengths_four, six[0], six[1], six[2]],
        )
    }

    /// From what [`Index::parts`] gave.
    ///
    /// # Errors
    /// [`BuildError::Damaged`] if the parts don't fit together.
    pub fn from_parts(
        key: Key,
        wide: [Vec<u64>; 3],
        narrow: [Vec<u32>; 2],
        lengths: [u64; 4],
    ) -> Result<Self, BuildError> {
        let [filter, labels, nets] = wide;
        let [starts, prints] = narrow;
        let bits = bucket_bits(prints.len());
        let filter = Filter::from_words(filter).ok_or(BuildError::Damaged)?;
        let fits = labels.len() == LABELS / 64
            && nets.len() == NETS / 64
            && prints.len() <= limits::VALUES
            && starts.len() == (1 << bits) + 1
            && starts.is_sorted()
            && starts.last().is_some_and(|end| *end as usize == prints.len());
        if !fits {
            return Err(BuildError::Damaged);
        }
        let [lengths_four, one, two, three] = lengths;
        let parts = Parts { labels, nets, lengths_four, lengths_six: [one, two, three] };
        Ok(Self { key, filter, parts, bits, starts, prints })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(texts: &[&str]) -> Vec<(Value, u64)> {
        texts.iter().zip(1..).map(|(text, tag)| (Value::parse(text).unwrap(), tag)).collect()
    }

    #[test]
    fn every_value_has_its_place_and_its_record() {
        let texts = ["a.example", "b.a.example", "10.0.0.0/8", "::1", "http://a.example/x", "u@a.example", "1.2.3.4"];
        let (index, records) = Builder::of(Key::new([5; 32]), values(&texts)).unwrap();
        assert_eq!((index.len(), index.is_empty()), (texts.len(), false));
        for (value, tag) in values(&texts) {
            let hash = value.hashes(index.key()).unwrap().whole;
            let found: Vec<Record> = index.places(hash).map(|place| records.record(place).unwrap()).collect();
            assert_eq!(found, [Record { kind: value.kind(), text: value.text().to_owned(), tag }]);
        }
        assert!(records.record(99).is_err());
    }

    #[test]
    fn an_index_comes_back_from_its_parts_and_a_damaged_one_does_not() {
        let (index, _) = Builder::of(Key::new([5; 32]), values(&["a.example", "10.0.0.0/8"])).unwrap();
        let (wide, narrow, lengths) = index.parts();
        let (wide, narrow) = (wide.map(<[u64]>::to_vec), narrow.map(<[u32]>::to_vec));
        let again = Index::from_parts(Key::new([5; 32]), wide.clone(), narrow.clone(), lengths).unwrap();
        assert_eq!(again.parts(), index.parts());
        let damaged = [vec![0, 1, 0], narrow[1].clone()];
        assert_eq!(Index::from_parts(Key::new([5; 32]), wide, damaged, lengths).unwrap_err(), BuildError::Damaged);
    }

    #[test]
    fn networks_cover_their_halves() {
        let (index, _) = Builder::of(Key::new([5; 32]), values(&["10.0.0.0/8", "192.0.2.0/24"])).unwrap();
        for (address, expect) in [("10.255.1.1", true), ("11.0.0.1", false), ("192.0.9.1", true), ("192.1.0.0", false)]
        {
            assert_eq!(index.may_hold_four(address::four(address.as_bytes()).unwrap()), expect, "{address}");
        }
    }
}

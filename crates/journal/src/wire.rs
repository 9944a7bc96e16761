//! The federation's wire, versions 1 and 2: the query that a receiver sends and the binary page that answers it.
//!
//! A page is, in big-endian numbers: `u16` version; checkpoint (`u16` length); `u64` start; `u32` count of commitments,
//! 32 bytes each; `u32` count of items; both cursors (`u8` length each); `u8` more.
//! An item is: `u8` lane; `u8` kind; `u64` index; `u8` content (0 nothing, 1 opening without body, 2 with body);
//! then 32 bytes entry salt, envelope (`u16` length), 32 bytes body commitment; then 32 bytes body salt, body
//! (`u32` length). Version 2 adds `u8` count of notes, at least one, each with `u16` length; a page without notes is
//! of version 1. Nothing may follow the last byte, so a page has one spelling.

use std::io::Read;

use model::{BodyCommitment, Commitment, Index, Lane, OpenBody, Opening};
use serde::{Deserialize, Serialize};

use crate::cursor::MAX_CURSOR_BYTES;

/// The newest version that this codec speaks.
pub const WIRE_VERSION: u16 = 2;
/// All versions that it speaks.
pub const WIRE_VERSIONS: [u16; 2] = [1, WIRE_VERSION];
/// Most notes of a page: a checkpoint of every nation's log, twice.
pub const MAX_NOTES: usize = 64;
/// Largest note of a page, bytes: a checkpoint with five cosignatures takes less than 2 kB.
pub const MAX_NOTE_BYTES: usize = 4 * 1024;
/// Largest page, decoded, bytes: four of the largest bodies, and a minute on a line of 5 Mbit/s.
pub const MAX_PAGE_BYTES: usize = 32 * 1024 * 1024;
/// Most commitments of a page: 2 MiB, so that a far-behind partner catches up a million entries in 16 pages.
pub const MAX_COMMITMENTS: usize = 65_536;
/// Most items of a page: what the receiver folds in one transaction.
pub const MAX_ITEMS: usize = 5_000;
/// Longest long-poll, seconds: below the 60 s after which middleboxes cut silent connections.
pub const MAX_WAIT_SECONDS: u32 = 55;
/// Largest checkpoint with its cosignatures, bytes: five witnesses take less than 2 kB.
pub const MAX_CHECKPOINT_BYTES: usize = 16 * 1024;
/// Longest query, bytes: two cursors and two numbers fit twice.
pub const MAX_QUERY_BYTES: usize = 1_024;

/// Largest window that a sender's zstd may ask us to keep: 8 MiB, the least that every reader supports
/// (RFC 8878 §3.1.1.1.2).
const ZSTD_WINDOW_LOG: u32 = 23;
/// The level at which zstd costs less than the line saves.
const ZSTD_LEVEL: i32 = 3;
/// Smallest item, bytes: lane, kind, index, content.
const ITEM_MIN_BYTES: usize = 11;

/// What a receiver asks of `GET /federation/v1/releases`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedRequest {
    /// How many of the log's commitments the receiver holds: the page starts there.
    pub have: u64,
    /// The workflow lane's cursor; `None` from the beginning.
    pub workflow: Option<String>,
    /// The intelligence lane's cursor; `None` from the beginning.
    pub intelligence: Option<String>,
    /// How long the server may wait for news, seconds, at most [`MAX_WAIT_SECONDS`].
    pub wait_seconds: u32,
    /// The newest wire version that the caller reads; 0 and what is missing mean 1.
    pub wire: u16,
}

/// Why an entry stands in a feed (architecture §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseKind {
    /// It was said to an audience in which the caller is.
    Open,
    /// The caller was admitted later and a person gave it the audience's history.
    Backfill,
    /// It was taken back.
    Withdraw,
}

impl ReleaseKind {
    /// All three, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::Open, Self::Backfill, Self::Withdraw];
    /// One byte on the wire and in the store.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Backfill => 1,
            Self::Withdraw => 2,
        }
    }
    /// The kind of a byte.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// One release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedItem {
    /// The feed in which it stands.
    pub lane: Lane,
    /// Why.
    pub kind: ReleaseKind,
    /// The entry; an opening's own index is this one.
    pub index: Index,
    /// What opens it. A withdrawal has no body, and may have no opening at all.
    pub opening: Option<Opening>,
}

/// One answer of `GET /federation/v1/releases`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// The newest checkpoint that covers the page: a signed note, with cosignatures.
    pub checkpoint: String,
    /// The index of the first commitment: the caller's `have`.
    pub start: u64,
    /// The log's commitments from `start`.
    pub commitments: Vec<Commitment>,
    /// What this caller may see; empty unless the commitments reach the checkpoint's size.
    pub items: Vec<FeedItem>,
    /// Where the caller then stands in the workflow lane; empty if it has no place yet.
    pub workflow_cursor: String,
    /// Where the caller then stands in the intelligence lane; empty if it has no place yet.
    pub intelligence_cursor: String,
    /// There is more: ask again at once.
    pub more: bool,
    /// Checkpoints that the server knows and the caller may want to compare (architecture, "Gossip"): signed notes, not
    /// verified. Only for callers that read version 2.
    pub notes: Vec<String>,
}

/// Why a page or query was refused: a failure of transport, bounded, and tried again. It accuses nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Another version than ours.
    #[error(
        "wire version {0} is not spoken here: update this node, or ask the partner to serve version {WIRE_VERSION}"
    )]
    Version(u16),
    /// The bytes end too early.
    #[error("the page ends within its {0}: ask for it again")]
    Short(&'static str),
    /// More than a limit allows.
    #[error("the page has too many {0}: ask the partner to serve smaller pages")]
    Limit(&'static str),
    /// A byte that means nothing.
    #[error("the page's {0} means nothing in wire version {WIRE_VERSION}: ask for it again")]
    Value(&'static str),
    /// Bytes after the end.
    #[error("bytes follow the end of the page: ask for it again")]
    Trailing,
    /// The query can't be read.
    #[error("the query's `{0}` can't be read: write have=N&workflow=…&intelligence=…&wait=N")]
    Query(&'static str),
    /// Not zstd, cut short, or damaged.
    #[error("the page can't be decompressed: ask for it again")]
    Compression,
}

impl FeedRequest {
    /// The query string, without `?`.
    #[must_use]
    pub fn to_query(&self) -> String {
        let mut query = format!("have={}", self.have);
        for (name, cursor) in [("workflow", &self.workflow), ("intelligence", &self.intelligence)] {
            if let Some(cursor) = cursor {
                query.push_str(&format!("&{name}="));
                push_escaped(&mut query, cursor);
            }
        }
        query.push_str(&format!("&wait={}", self.wait_seconds));
        if self.wire > 1 {
            query.push_str(&format!("&wire={}", self.wire));
        }
        query
    }

    /// Reads a query string. Unknown names are left alone, so that a newer caller is served; a longer wait is
    /// shortened.
    ///
    /// # Errors
    /// [`WireError::Query`] with the name that is missing, wrong or there twice.
    pub fn from_query(query: &str) -> Result<Self, WireError> {
        if query.len() > MAX_QUERY_BYTES {
            return Err(WireError::Query("length"));
        }
        let (mut have, mut workflow, mut intelligence, mut wait, mut wire) = (None, None, None, None, None);
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "have" => once("have", &mut have, number(value))?,
                "wait" => once("wait", &mut wait, number(value))?,
                "wire" => once("wire", &mut wire, number(value))?,
                "workflow" => once("workflow", &mut workflow, cursor(value))?,
                "intelligence" => once("intelligence", &mut intelligence, cursor(value))?,
                _ => {}
            }
        }
        let wait = wait.unwrap_or(0).min(u64::from(MAX_WAIT_SECONDS));
        Ok(Self {
            have: have.ok_or(WireError::Query("have"))?,
            workflow,
            intelligence,
            wait_seconds: u32::try_from(wait).unwrap_or(MAX_WAIT_SECONDS),
            // A caller of a later version reads ours too.
            wire: u16::try_from(wire.unwrap_or(0)).unwrap_or(u16::MAX).min(WIRE_VERSION),
        })
    }
}

impl FeedItem {
    /// How many bytes it takes in a page, so that a server can fill one without passing [`MAX_PAGE_BYTES`].
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let opening = self.opening.as_ref().map_or(0, |opening| {
            66 + opening.envelope.len() + opening.body.as_ref().map_or(0, |body| 36 + body.bytes.len())
        });
        ITEM_MIN_BYTES + opening
    }
}

impl FeedPage {
    /// How many bytes it takes encoded.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let cursors = self.workflow_cursor.len() + self.intelligence_cursor.len();
        let items: usize = self.items.iter().map(FeedItem::encoded_len).sum();
        let notes: usize = self.notes.iter().map(|note| 2 + note.len()).sum();
        let notes = if self.notes.is_empty() { 0 } else { 1 + notes };
        23 + self.checkpoint.len() + cursors + self.commitments.len() * 32 + items + notes
    }
}

/// Writes a page. The builder keeps the limits; a page beyond them is refused by every reader.
#[must_use]
pub fn encode(page: &FeedPage) -> Vec<u8> {
    let mut out = Vec::with_capacity(page.encoded_len());
    let version = if page.notes.is_empty() { 1 } else { WIRE_VERSION };
    out.extend_from_slice(&version.to_be_bytes());
    put16(&mut out, page.checkpoint.as_bytes());
    out.extend_from_slice(&page.start.to_be_bytes());
    put_length(&mut out, page.commitments.len());
    for commitment in &page.commitments {
        out.extend_from_slice(commitment.as_bytes());
    }
    put_length(&mut out, page.items.len());
    for item in &page.items {
        encode_item(&mut out, item);
    }
    for cursor in [&page.workflow_cursor, &page.intelligence_cursor] {
        out.push(u8::try_from(cursor.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(cursor.as_bytes());
    }
    out.push(u8::from(page.more));
    if !page.notes.is_empty() {
        out.push(u8::try_from(page.notes.len()).unwrap_or(u8::MAX));
        for note in &page.notes {
            put16(&mut out, note.as_bytes());
        }
    }
    out
}

/// Writes one item as it stands in a page.
pub(crate) fn encode_item(out: &mut Vec<u8>, item: &FeedItem) {
    out.push(item.lane.code());
    out.push(item.kind.code());
    out.extend_from_slice(&item.index.0.to_be_bytes());
    let Some(opening) = &item.opening else {
        out.push(0);
        return;
    };
    out.push(if opening.body.is_some() { 2 } else { 1 });
    out.extend_from_slice(&opening.entry_salt);
    put16(out, &opening.envelope);
    out.extend_from_slice(opening.body_commitment.as_bytes());
    if let Some(body) = &opening.body {
        out.extend_from_slice(&body.salt);
        put_length(out, body.bytes.len());
        out.extend_from_slice(&body.bytes);
    }
}

/// Reads a page. Every length is checked against what is there before anything is allocated.
///
/// # Errors
/// See [`WireError`].
pub fn decode(bytes: &[u8]) -> Result<FeedPage, WireError> {
    if bytes.len() > MAX_PAGE_BYTES {
        return Err(WireError::Limit("bytes"));
    }
    let mut input = Input(bytes);
    let version = u16::from_be_bytes(input.array("version")?);
    if !WIRE_VERSIONS.contains(&version) {
        return Err(WireError::Version(version));
    }
    let length = usize::from(u16::from_be_bytes(input.array("checkpoint")?));
    if length > MAX_CHECKPOINT_BYTES {
        return Err(WireError::Limit("bytes of checkpoint"));
    }
    let checkpoint =
        std::str::from_utf8(input.take(length, "checkpoint")?).map_err(|_| WireError::Value("checkpoint"))?;
    let start = u64::from_be_bytes(input.array("start")?);
    let count = input.count("commitments", MAX_COMMITMENTS, 32)?;
    let (commitments, _) = input.take(count * 32, "commitments")?.as_chunks::<32>();
    let commitments = commitments.iter().copied().map(Commitment::new).collect();
    let count = input.count("items", MAX_ITEMS, ITEM_MIN_BYTES)?;
    let mut items = Vec::with_capacity(count);
    for _ in 0..count {
        items.push(input.item()?);
    }
    let page = FeedPage {
        checkpoint: checkpoint.to_owned(),
        start,
        commitments,
        items,
        workflow_cursor: input.cursor("workflow cursor")?,
        intelligence_cursor: input.cursor("intelligence cursor")?,
        more: match input.array("more")? {
            [0] => false,
            [1] => true,
            _ => return Err(WireError::Value("more")),
        },
        notes: if version == 1 { Vec::new() } else { input.notes()? },
    };
    if input.0.is_empty() { Ok(page) } else { Err(WireError::Trailing) }
}

/// Compresses an encoded page with zstd (RFC 8878).
///
/// # Errors
/// [`WireError::Compression`] if the compressor gets no memory.
pub fn compress(bytes: impl AsRef<[u8]>) -> Result<Vec<u8>, WireError> {
    zstd::bulk::compress(bytes.as_ref(), ZSTD_LEVEL).map_err(|_| WireError::Compression)
}

/// Decompresses to at most `limit` bytes. The output grows with what arrives, never with what a header announces.
///
/// # Errors
/// [`WireError::Limit`] for a bomb, [`WireError::Compression`] for anything that isn't whole zstd.
pub fn decompress(bytes: &[u8], limit: usize) -> Result<Vec<u8>, WireError> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(|_| WireError::Compression)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(|_| WireError::Compression)?;
    let mut out = Vec::new();
    // One byte more than allowed tells a page that fits from one that doesn't.
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(most).read_to_end(&mut out).map_err(|_| WireError::Compression)?;
    if out.len() > limit { Err(WireError::Limit("bytes")) } else { Ok(out) }
}

/// What is left to read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(WireError::Short(what))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], WireError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(WireError::Short(what))?;
        self.0 = rest;
        Ok(*taken)
    }

    /// A count of things that take at least `least` bytes each: refused if they can't all be there.
    fn count(&mut self, what: &'static str, most: usize, least: usize) -> Result<usize, WireError> {
        let count = usize::try_from(u32::from_be_bytes(self.array(what)?)).map_err(|_| WireError::Limit(what))?;
        if count > most {
            return Err(WireError::Limit(what));
        }
        if self.0.len() / least < count {
            return Err(WireError::Short(what));
        }
        Ok(count)
    }

    fn item(&mut self) -> Result<FeedItem, WireError> {
        let [lane, kind] = self.array("item")?;
        let lane = Lane::from_code(lane).ok_or(WireError::Value("lane"))?;
        let kind = ReleaseKind::from_code(kind).ok_or(WireError::Value("kind"))?;
        let index = Index(u64::from_be_bytes(self.array("index")?));
        let [content] = self.array("item")?;
        let opening = match content {
            0 => None,
            1 | 2 => Some(self.opening(index, content == 2)?),
            _ => return Err(WireError::Value("item")),
        };
        // What was taken back isn't sent again, and what is said is opened.
        let fits = match kind {
            ReleaseKind::Withdraw => content != 2,
            ReleaseKind::Open | ReleaseKind::Backfill => content != 0,
        };
        if fits { Ok(FeedItem { lane, kind, index, opening }) } else { Err(WireError::Value("item")) }
    }

    fn opening(&mut self, index: Index, has_body: bool) -> Result<Opening, WireError> {
        let entry_salt = self.array("entry salt")?;
        let length = usize::from(u16::from_be_bytes(self.array("envelope")?));
        let envelope = self.take(length, "envelope")?.to_vec();
        let body_commitment = BodyCommitment::new(self.array("body commitment")?);
        let body = if has_body {
            let salt = self.array("body salt")?;
            let length = u32::from_be_bytes(self.array("body")?);
            let length = usize::try_from(length).map_err(|_| WireError::Limit("bytes of body"))?;
            Some(OpenBody { salt, bytes: self.take(length, "body")?.to_vec() })
        } else {
            None
        };
        Ok(Opening { index, entry_salt, envelope, body_commitment, body })
    }

    /// At least one: a page without notes has another spelling.
    fn notes(&mut self) -> Result<Vec<String>, WireError> {
        let [count] = self.array("notes")?;
        if count == 0 {
            return Err(WireError::Value("notes"));
        }
        if usize::from(count) > MAX_NOTES {
            return Err(WireError::Limit("notes"));
        }
        let mut notes = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let length = usize::from(u16::from_be_bytes(self.array("notes")?));
            if length > MAX_NOTE_BYTES {
                return Err(WireError::Limit("bytes of a note"));
            }
            let text = std::str::from_utf8(self.take(length, "notes")?).map_err(|_| WireError::Value("notes"))?;
            notes.push(text.to_owned());
        }
        Ok(notes)
    }

    fn cursor(&mut self, what: &'static str) -> Result<String, WireError> {
        let [length] = self.array(what)?;
        let bytes = self.take(usize::from(length), what)?;
        let text = std::str::from_utf8(bytes).map_err(|_| WireError::Value(what))?;
        if text.is_empty() || is_cursor(text) { Ok(text.to_owned()) } else { Err(WireError::Value(what)) }
    }
}

fn put16(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

/// Base64url letters only, so that a cursor stands in a query as it is.
fn is_cursor(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !text.is_empty() && text.len() <= MAX_CURSOR_BYTES && text.bytes().all(good)
}

fn number(text: &str) -> Option<u64> {
    // `parse` alone would take a sign.
    text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
}

fn cursor(text: &str) -> Option<String> {
    is_cursor(text).then(|| text.to_owned())
}

fn once<T>(name: &'static str, place: &mut Option<T>, value: Option<T>) -> Result<(), WireError> {
    match (place.is_none(), value) {
        (true, Some(value)) => {
            *place = Some(value);
            Ok(())
        }
        _ => Err(WireError::Query(name)),
    }
}

/// A cursor from outside that isn't base64url can't add a parameter: its odd bytes are escaped (RFC 3986 §2.1).
fn push_escaped(query: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            query.push(char::from(byte));
        } else {
            query.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_opening() -> impl Strategy<Value = Opening> {
        let body = (any::<[u8; 32]>(), prop::collection::vec(any::<u8>(), 0..60))
            .prop_map(|(salt, bytes)| OpenBody { salt, bytes });
        (any::<[u8; 32]>(), prop::collection::vec(any::<u8>(), 0..60), any::<[u8; 32]>(), prop::option::of(body))
            .prop_map(|(entry_salt, envelope, body_c, body)| Opening {
                index: Index(0),
                entry_salt,
                envelope,
                body_commitment: BodyCommitment::new(body_c),
                body,
            })
    }

    fn any_item() -> impl Strategy<Value = FeedItem> {
        (0..2_u8, 0..3_u8, any::<u64>(), prop::option::of(any_opening()), any_opening()).prop_map(
            |(lane, kind, index, maybe, always)| {
                let kind = ReleaseKind::from_code(kind).unwrap();
                let opening = match kind {
                    ReleaseKind::Withdraw => maybe.map(|opening| Opening { body: None, ..opening }),
                    ReleaseKind::Open | ReleaseKind::Backfill => Some(always),
                };
                let opening = opening.map(|opening| Opening { index: Index(index), ..opening });
                FeedItem { lane: Lane::from_code(lane).unwrap(), kind, index: Index(index), opening }
            },
        )
    }

    fn any_page() -> impl Strategy<Value = FeedPage> {
        (
            "\\PC{0,60}",
            any::<u64>(),
            prop::collection::vec(any::<[u8; 32]>(), 0..8),
            prop::collection::vec(any_item(), 0..6),
            "[A-Za-z0-9_-]{0,40}",
            "[A-Za-z0-9_-]{0,40}",
            any::<bool>(),
            prop::collection::vec("\\PC{0,20}", 0..4),
        )
            .prop_map(
                |(checkpoint, start, commitments, items, workflow_cursor, intelligence_cursor, more, notes)| FeedPage {
                    checkpoint,
                    start,
                    commitments: commitments.into_iter().map(Commitment::new).collect(),
                    items,
                    workflow_cursor,
                    intelligence_cursor,
                    more,
                    notes,
                },
            )
    }

    fn empty_page() -> FeedPage {
        FeedPage {
            checkpoint: String::new(),
            start: 0,
            commitments: Vec::new(),
            items: Vec::new(),
            workflow_cursor: String::new(),
            intelligence_cursor: String::new(),
            more: false,
            notes: Vec::new(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn pages_read_back(page in any_page()) {
            let bytes = encode(&page);
            prop_assert_eq!(bytes.len(), page.encoded_len());
            let packed = compress(&bytes).unwrap();
            prop_assert_eq!(&decompress(&packed, bytes.len()).unwrap(), &bytes);
            prop_assert_eq!(decode(&bytes), Ok(page));
        }

        #[test]
        fn a_page_has_one_spelling(page in any_page(), at in any::<prop::sample::Index>(), mask in 1_u8..) {
            let mut bytes = encode(&page);
            let at = at.index(bytes.len());
            bytes[at] ^= mask;
            if let Ok(read) = decode(&bytes) {
                prop_assert_eq!(encode(&read), bytes);
            }
        }

        #[test]
        fn a_page_cut_short_is_refused(page in any_page(), at in any::<prop::sample::Index>()) {
            let bytes = encode(&page);
            let cut = at.index(bytes.len());
            prop_assert!(decode(&bytes[..cut]).is_err());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
            let _ = decode(&[&[0, 1, 0, 0], &bytes[..]].concat());
            let _ = decompress(&bytes, 100);
            let _ = decompress(&[&[0x28, 0xb5, 0x2f, 0xfd], &bytes[..]].concat(), 100);
        }

        #[test]
        fn queries_read_back(
            have: u64, workflow in prop::option::of("[A-Za-z0-9_-]{1,40}"), wait_seconds in 0..56_u32,
            newest: bool,
        ) {
            let wire = if newest { WIRE_VERSION } else { 0 };
            let request = FeedRequest { have, workflow, intelligence: None, wait_seconds, wire };
            prop_assert_eq!(FeedRequest::from_query(&request.to_query()), Ok(request));
        }
    }

    #[test]
    fn pages_beyond_a_limit_are_refused() {
        let check = |bytes: &[u8], expect| assert_eq!(decode(bytes), Err(expect));
        let good = encode(&empty_page());
        check(&[&good[..], &[0]].concat(), WireError::Trailing);
        check(&[&[0, 3], &good[2..]].concat(), WireError::Version(3));
        check(&[&[0, 2], &good[2..]].concat(), WireError::Short("notes"));
        check(&[&[0, 2], &good[2..], &[0]].concat(), WireError::Value("notes"));
        check(&[&[0, 2], &good[2..], &[65]].concat(), WireError::Limit("notes"));
        check(&[&[0, 2], &good[2..], &[1, 16, 1]].concat(), WireError::Limit("bytes of a note"));
        check(&[&[0, 2], &good[2..], &[1, 0, 1, 255]].concat(), WireError::Value("notes"));
        let with = |at: usize, new: &[u8]| [&good[..at], new, &good[at + new.len()..]].concat();
        check(&with(2, &[255, 255]), WireError::Limit("bytes of checkpoint"));
        check(&with(12, &[0, 1, 0, 1]), WireError::Limit("commitments"));
        check(&with(12, &[0, 1, 0, 0]), WireError::Short("commitments"));
        check(&with(16, &[0, 0, 0x13, 0x89]), WireError::Limit("items"));
        check(&with(16, &[0, 0, 0x13, 0x88]), WireError::Short("items"));
        check(&with(22, &[2]), WireError::Value("more"));
        check(&vec![0; MAX_PAGE_BYTES + 1], WireError::Limit("bytes"));
        let bad_cursor = FeedPage { workflow_cursor: "a&b".to_owned(), ..empty_page() };
        check(&encode(&bad_cursor), WireError::Value("workflow cursor"));
        let long_cursor = FeedPage { workflow_cursor: "a".repeat(129), ..empty_page() };
        check(&encode(&long_cursor), WireError::Value("workflow cursor"));
    }

    #[test]
    fn a_withdrawal_has_no_body_and_what_is_said_is_opened() {
        let opening = |body| Opening {
            index: Index(3),
            entry_salt: [1; 32],
            envelope: vec![1],
            body_commitment: BodyCommitment::new([2; 32]),
            body,
        };
        let full = opening(Some(OpenBody { salt: [3; 32], bytes: vec![4] }));
        let check = |kind, opening: Option<Opening>, good: bool| {
            let item = FeedItem { lane: Lane::Workflow, kind, index: Index(3), opening };
            let page = FeedPage { items: vec![item], ..empty_page() };
            let expect = if good { Ok(page.clone()) } else { Err(WireError::Value("item")) };
            assert_eq!(decode(&encode(&page)), expect);
        };
        check(ReleaseKind::Withdraw, None, true);
        check(ReleaseKind::Withdraw, Some(opening(None)), true);
        check(ReleaseKind::Withdraw, Some(full.clone()), false);
        check(ReleaseKind::Open, Some(full.clone()), true);
        check(ReleaseKind::Open, Some(opening(None)), true);
        check(ReleaseKind::Backfill, None, false);
    }

    #[test]
    fn a_decompression_bomb_stops_at_the_limit() {
        let bomb = compress(vec![0; 40 * 1024 * 1024]).unwrap();
        assert!(bomb.len() < 16 * 1024);
        assert_eq!(decompress(&bomb, 1_000_000), Err(WireError::Limit("bytes")));
        // It stops: what would follow beyond the limit is not even looked at.
        assert_eq!(decompress(&[&bomb[..], b"rubbish"].concat(), 1_000_000), Err(WireError::Limit("bytes")));
        let packed = compress(b"twelve bytes").unwrap();
        assert_eq!(decompress(&packed, 12).as_deref(), Ok(&b"twelve bytes"[..]));
        assert_eq!(decompress(&packed, 11), Err(WireError::Limit("bytes")));
        assert_eq!(decompress(&packed[..packed.len() - 1], 12), Err(WireError::Compression));
        assert_eq!(decompress(&[&packed[..], b"x"].concat(), 12), Err(WireError::Compression));
    }

    /// The window is what a decoder sets aside before it has read anything.
    #[test]
    fn a_frame_that_asks_for_a_large_window_is_refused() {
        let check = |log: u32, good: bool| {
            let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
            encoder.set_parameter(zstd::zstd_safe::CParameter::WindowLog(log)).unwrap();
            std::io::Write::write_all(&mut encoder, b"twelve bytes").unwrap();
            let frame = encoder.finish().unwrap();
            let expect = if good { Ok(b"twelve bytes".to_vec()) } else { Err(WireError::Compression) };
            assert_eq!(decompress(&frame, 12), expect, "{log}");
        };
        check(ZSTD_WINDOW_LOG, true);
        check(ZSTD_WINDOW_LOG + 1, false);
    }

    #[test]
    fn queries_are_read_strictly() {
        let check = |query: &str, expect| assert_eq!(FeedRequest::from_query(query), expect, "{query}");
        let three = FeedRequest { have: 3, ..FeedRequest::default() };
        check("have=3", Ok(three.clone()));
        check("have=3&later=1", Ok(three.clone()));
        check("have=3&wire=9", Ok(FeedRequest { wire: WIRE_VERSION, ..three.clone() }));
        check("have=3&wire=two", Err(WireError::Query("wire")));
        check("have=3&wait=600", Ok(FeedRequest { wait_seconds: MAX_WAIT_SECONDS, ..three.clone() }));
        check("", Err(WireError::Query("have")));
        check("have=+3", Err(WireError::Query("have")));
        check("have=3&have=3", Err(WireError::Query("have")));
        check("have=3&workflow=", Err(WireError::Query("workflow")));
        check("have=3&intelligence=a%20b", Err(WireError::Query("intelligence")));
        check(&format!("have=3&x={}", "y".repeat(2_000)), Err(WireError::Query("length")));
        let sly = FeedRequest { workflow: Some("a&have=9".to_owned()), ..three };
        assert_eq!(sly.to_query(), "have=3&workflow=a%26have%3D9&wait=0");
    }
}

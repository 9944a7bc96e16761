//! The binary form of an envelope: fixed, canonical, one spelling for one meaning. Test vectors: `tests/vectors.json`.
//!
//! ```text
//! version u8 = 1 ‖ realm: len8 ‖ bytes ‖ lane u8 ‖ thread 16 ‖ version u32 ‖ flag u8 [previous 32]
//! ‖ audience id 16 ‖ audience version u32 ‖ member set digest 32
//! ‖ flag u8 [sequence u64 ‖ flag u8 [previous 32]] ‖ tlp u8 ‖ wall and pap u8 ‖ media u8        (big-endian)
//! ```
//!
//! The high four bits of `wall and pap` say what stands behind the wall, the low four what may be done with it. A reader
//! of before the wall takes such a byte for an unknown PAP and shows the statement to nobody: the wall fails closed.

use model::{
    AudienceAt, AudienceId, Commitment, Envelope, Label, Lane, MediaType, MemberSetDigest, Pap, Realm, Slot, ThreadId,
    ThreadVersion, Tlp, Walled,
};

use crate::limits;

/// The version of this form.
pub const VERSION: u8 = 1;

/// Why an envelope was not read. Its statement is kept raw, and read again after an upgrade.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// A form of a later version.
    #[error("the envelope has form {version}, this node reads form {VERSION}: upgrade it")]
    Newer {
        /// Its first byte.
        version: u8,
    },
    /// A value of a later version.
    #[error("the envelope's {field} has the unknown value {value}")]
    Unknown {
        /// Which field.
        field: &'static str,
        /// Its byte.
        value: u8,
    },
    /// Not the canonical form.
    #[error("the envelope is malformed at its {field}")]
    Malformed {
        /// Which field.
        field: &'static str,
    },
}

/// Writes an envelope.
#[must_use]
pub fn encode(envelope: &Envelope) -> Vec<u8> {
    let mut out = Vec::with_capacity(224);
    let realm = envelope.realm.to_string();
    out.push(VERSION);
    // A realm has at most 35 bytes (`model::limits::REALM_BYTES`).
    out.push(u8::try_from(realm.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(realm.as_bytes());
    out.push(envelope.lane.code());
    out.extend_from_slice(envelope.thread.as_bytes());
    out.extend_from_slice(&envelope.version.0.to_be_bytes());
    put_optional(&mut out, envelope.previous.as_ref());
    out.extend_from_slice(envelope.audience.id.as_bytes());
    out.extend_from_slice(&envelope.audience.version.to_be_bytes());
    out.extend_from_slice(envelope.audience.members.as_bytes());
    match &envelope.slot {
        None => out.push(0),
        Some(slot) => {
            out.push(1);
            out.extend_from_slice(&slot.sequence.to_be_bytes());
            put_optional(&mut out, slot.previous.as_ref());
        }
    }
    out.push(envelope.label.tlp.code());
    out.push(Walled::code(envelope.walled) << 4 | Pap::code(envelope.label.pap));
    out.push(envelope.media.code());
    out
}

fn put_optional(out: &mut Vec<u8>, commitment: Option<&Commitment>) {
    match commitment {
        None => out.push(0),
        Some(commitment) => {
            out.push(1);
            out.extend_from_slice(commitment.as_bytes());
        }
    }
}

/// Reads an envelope; every byte string but the canonical one is refused.
///
/// # Errors
/// A later version, an unknown value, or a form that `encode` never writes.
pub fn decode(bytes: &[u8]) -> Result<Envelope, EnvelopeError> {
    if bytes.len() > limits::ENVELOPE_BYTES {
        return Err(EnvelopeError::Malformed { field: "length" });
    }
    let mut read = Reader(bytes);
    match read.byte("version")? {
        VERSION => {}
        version => return Err(EnvelopeError::Newer { version }),
    }
    let realm = realm(&mut read)?;
    let code = read.byte("lane")?;
    let lane = Lane::from_code(code).ok_or(EnvelopeError::Unknown { field: "lane", value: code })?;
    let thread = ThreadId::new(read.array("thread")?);
    let version = u32::from_be_bytes(read.array("thread version")?);
    let previous = read.optional("previous version")?;
    if previous.is_some() != (version > 0) {
        return Err(EnvelopeError::Malformed { field: "previous version" });
    }
    let audience = AudienceAt {
        id: AudienceId::new(read.array("audience")?),
        version: u32::from_be_bytes(read.array("audience version")?),
        members: MemberSetDigest::new(read.array("member set")?),
    };
    let slot = slot(&mut read)?;
    let (label, walled) = label(&mut read)?;
    if slot.is_none() != (label.tlp == Tlp::Red) {
        return Err(EnvelopeError::Malformed { field: "slot" });
    }
    let code = read.byte("media type")?;
    let media = MediaType::from_code(code).ok_or(EnvelopeError::Unknown { field: "media type", value: code })?;
    if !read.0.is_empty() {
        return Err(EnvelopeError::Malformed { field: "end" });
    }
    let version = ThreadVersion(version);
    Ok(Envelope { realm, lane, thread, version, previous, audience, slot, label, walled, media })
}

fn realm(read: &mut Reader<'_>) -> Result<Realm, EnvelopeError> {
    let malformed = EnvelopeError::Malformed { field: "realm" };
    let length = usize::from(read.byte("realm")?);
    let text = std::str::from_utf8(read.slice(length, "realm")?).map_err(|_| malformed.clone())?;
    text.parse().map_err(|_| malformed)
}

fn slot(read: &mut Reader<'_>) -> Result<Option<Slot>, EnvelopeError> {
    if !read.flag("slot")? {
        return Ok(None);
    }
    let sequence = u64::from_be_bytes(read.array("slot")?);
    let previous = read.optional("slot")?;
    if previous.is_some() != (sequence > 0) {
        return Err(EnvelopeError::Malformed { field: "slot" });
    }
    Ok(Some(Slot { sequence, previous }))
}

fn label(read: &mut Reader<'_>) -> Result<(Label, Option<Walled>), EnvelopeError> {
    let code = read.byte("label")?;
    let tlp = Tlp::from_code(code).ok_or(EnvelopeError::Unknown { field: "label", value: code })?;
    let code = read.byte("pap")?;
    let unknown = EnvelopeError::Unknown { field: "pap", value: code };
    let pap = Pap::from_code(code & 0x0f).ok_or(unknown.clone())?;
    let walled = Walled::from_code(code >> 4).ok_or(unknown)?;
    Ok((Label { tlp, pap }, walled))
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn slice(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], EnvelopeError> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(EnvelopeError::Malformed { field })?;
        self.0 = rest;
        Ok(head)
    }
    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], EnvelopeError> {
        self.slice(N, field)?.try_into().map_err(|_| EnvelopeError::Malformed { field })
    }
    fn byte(&mut self, field: &'static str) -> Result<u8, EnvelopeError> {
        Ok(self.array::<1>(field)?[0])
    }
    fn flag(&mut self, field: &'static str) -> Result<bool, EnvelopeError> {
        match self.byte(field)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(EnvelopeError::Malformed { field }),
        }
    }
    fn optional(&mut self, field: &'static str) -> Result<Option<Commitment>, EnvelopeError> {
        if self.flag(field)? { Ok(Some(Commitment::new(self.array(field)?))) } else { Ok(None) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn envelopes() -> impl Strategy<Value = Envelope> {
        let realm = prop_oneof![Just("REAL"), Just("EX-BLUE-26")];
        let ids = (any::<[u8; 16]>(), any::<[u8; 16]>(), any::<[u8; 32]>(), any::<[u8; 32]>(), any::<[u8; 32]>());
        let numbers = (0..3_u32, any::<u32>(), 0..3_u64, 0..5_u8, 0..5_u8, 1..3_u8, 0..2_u8, 0..5_u8);
        (realm, ids, numbers).prop_map(|(realm, (thread, audience, members, a, b), n)| {
            let (version, audience_version, sequence, tlp, pap, media, lane, walled) = n;
            let tlp = Tlp::from_code(tlp).unwrap();
            Envelope {
                realm: realm.parse().unwrap(),
                lane: Lane::from_code(lane).unwrap(),
                thread: ThreadId::new(thread),
                version: ThreadVersion(version),
                previous: (version > 0).then_some(Commitment::new(a)),
                audience: AudienceAt {
                    id: AudienceId::new(audience),
                    version: audience_version,
                    members: MemberSetDigest::new(members),
                },
                slot: (tlp != Tlp::Red)
                    .then_some(Slot { sequence, previous: (sequence > 0).then_some(Commitment::new(b)) }),
                label: Label { tlp, pap: Pap::from_code(pap).unwrap() },
                walled: Walled::from_code(walled).unwrap(),
                media: MediaType::from_code(media).unwrap(),
            }
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(envelope in envelopes()) {
            prop_assert_eq!(decode(&encode(&envelope)), Ok(envelope));
        }

        #[test]
        fn there_is_one_spelling(envelope in envelopes(), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
            let mut bytes = encode(&envelope);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            if let Ok(read) = decode(&bytes) {
                prop_assert_eq!(encode(&read), bytes);
            }
        }

        #[test]
        fn rubbish_is_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(read) = decode(&bytes) {
                prop_assert_eq!(encode(&read), bytes);
            }
        }
    }

    #[test]
    fn later_versions_are_told_apart_from_rubbish() {
        assert_eq!(decode(&[2, 0]), Err(EnvelopeError::Newer { version: 2 }));
        assert_eq!(decode(&[]), Err(EnvelopeError::Malformed { field: "version" }));
    }

    /// The second version of a thread, at its audience's second place.
    fn second() -> Envelope {
        Envelope {
            realm: Realm::Real,
            lane: Lane::Workflow,
            thread: ThreadId::new([1; 16]),
            version: ThreadVersion(1),
            previous: Some(Commitment::new([2; 32])),
            audience: AudienceAt { id: AudienceId::new([3; 16]), version: 1, members: MemberSetDigest::new([4; 32]) },
            slot: Some(Slot { sequence: 1, previous: Some(Commitment::new([5; 32])) }),
            label: Label { tlp: Tlp::Green, pap: Some(Pap::Amber) },
            walled: None,
            media: MediaType::Stix,
        }
    }

    #[test]
    fn what_is_not_canonical_is_refused_by_its_field() {
        let good = encode(&second());
        assert_eq!(decode(&good), Ok(second()));
        // Where the fields of this envelope begin: a realm of four letters, both optional commitments there.
        let (realm, lane, version, previous, slot, sequence, label) = (1, 6, 23, 27, 112, 113, 154);
        let check = |at: usize, bytes: &[u8], expect: EnvelopeError| {
            let mut bad = good.clone();
            bad[at..at + bytes.len()].copy_from_slice(bytes);
            assert_eq!(decode(&bad), Err(expect), "{bytes:?} at {at}");
        };
        let malformed = |field| EnvelopeError::Malformed { field };
        let unknown = |field, value| EnvelopeError::Unknown { field, value };
        check(realm, &[3], malformed("realm"));
        check(realm, &[255], malformed("realm"));
        check(realm + 1, b"real", malformed("realm"));
        check(realm + 1, &[0xff], malformed("realm"));
        check(lane, &[2], unknown("lane", 2));
        check(version, &[0, 0, 0, 0], malformed("previous version"));
        check(previous, &[2], malformed("previous version"));
        check(slot, &[2], malformed("slot"));
        check(sequence, &[0; 8], malformed("slot"));
        check(sequence + 8, &[2], malformed("slot"));
        check(label, &[Tlp::Red.code()], malformed("slot"));
        check(label, &[5], unknown("label", 5));
        check(label + 1, &[5], unknown("pap", 5));
        check(label + 1, &[0x50], unknown("pap", 0x50));
        check(label + 1, &[0x15], unknown("pap", 0x15));
        check(label + 2, &[0], unknown("media type", 0));
        check(label + 2, &[3], unknown("media type", 3));
        assert_eq!(good.len(), label + 3);
        for length in 0..good.len() {
            assert!(matches!(decode(&good[..length]), Err(EnvelopeError::Malformed { .. })), "{length}");
        }
        assert_eq!(decode(&[&good[..], &[0]].concat()), Err(malformed("end")));
        assert_eq!(decode(&vec![VERSION; limits::ENVELOPE_BYTES + 1]), Err(malformed("length")));
    }

    #[test]
    fn the_wall_stands_in_the_high_bits_of_the_pap_and_nothing_else_changes() {
        let plain = encode(&second());
        for (walled, bits) in (1_u8..).zip(Walled::ALL).map(|(bits, walled)| (*walled, bits)) {
            let envelope = Envelope { walled: Some(walled), ..second() };
            let bytes = encode(&envelope);
            let mut expect = plain.clone();
            expect[155] |= bits << 4;
            assert_eq!(bytes, expect);
            assert_eq!(decode(&bytes), Ok(envelope));
            // What a reader of before the wall makes of the byte: a PAP that it does not know, so that it shows nothing.
            assert_eq!(Pap::from_code(bytes[155]), None);
        }
    }

    #[test]
    fn what_the_fields_contradict_is_refused() {
        let check = |change: fn(&mut Envelope), field| {
            let mut envelope = second();
            change(&mut envelope);
            assert_eq!(decode(&encode(&envelope)), Err(EnvelopeError::Malformed { field }));
        };
        check(|envelope| envelope.previous = None, "previous version");
        check(|envelope| envelope.version = ThreadVersion(0), "previous version");
        check(|envelope| envelope.slot = None, "slot");
        check(|envelope| envelope.slot = Some(Slot { sequence: 1, previous: None }), "slot");
        check(|envelope| envelope.slot = Some(Slot { sequence: 0, previous: Some(Commitment::new([5; 32])) }), "slot");
        check(|envelope| envelope.label = Tlp::Red.into(), "slot");
    }
}

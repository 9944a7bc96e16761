//! Test vectors that were computed without this crate (`vectors.py`): whoever writes another implementation starts here.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

use journal::{commitment, envelope};
use model::{
    AudienceAt, AudienceId, Commitment, Envelope, Index, Label, Lane, MediaType, MemberSet, MemberSetDigest, OpenBody,
    Opening, Origin, Pap, Slot, ThreadId, ThreadVersion, Tlp, bytes,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    members: Members,
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
struct Members {
    of: Vec<Origin>,
    digest: MemberSetDigest,
}

#[derive(Deserialize)]
struct Statement {
    origin: Origin,
    realm: String,
    lane: u8,
    thread: ThreadId,
    version: u32,
    previous: Option<Commitment>,
    audience: AudienceId,
    audience_version: u32,
    members: MemberSetDigest,
    slot: Option<(u64, Option<Commitment>)>,
    tlp: u8,
    pap: u8,
    media: u8,
    body: String,
    salt_e: String,
    salt_b: String,
    encoded: String,
    body_c: String,
    commitment: Commitment,
}

impl Statement {
    fn envelope(&self) -> Envelope {
        Envelope {
            realm: self.realm.parse().unwrap(),
            lane: Lane::from_code(self.lane).unwrap(),
            thread: self.thread,
            version: ThreadVersion(self.version),
            previous: self.previous,
            audience: AudienceAt { id: self.audience, version: self.audience_version, members: self.members },
            slot: self.slot.map(|(sequence, previous)| Slot { sequence, previous }),
            label: Label { tlp: Tlp::from_code(self.tlp).unwrap(), pap: Pap::from_code(self.pap).unwrap() },
            walled: None,
            media: MediaType::from_code(self.media).unwrap(),
        }
    }
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("vectors.json")).unwrap()
}

#[test]
fn member_sets_have_the_digests_of_the_vectors() {
    let vectors = vectors();
    assert_eq!(MemberSet::new(vectors.members.of).unwrap().digest(), vectors.members.digest);
}

#[test]
fn statements_commit_to_what_the_vectors_say() {
    let statements = vectors().statements;
    assert_eq!(statements.len(), 3);
    for statement in statements {
        let encoded = envelope::encode(&statement.envelope());
        assert_eq!(bytes::hex(&encoded), statement.encoded);
        assert_eq!(envelope::decode(&encoded), Ok(statement.envelope()));
        let salt = bytes::unhex(&statement.salt_b).unwrap();
        let body_commitment = commitment::body_commitment(&salt, statement.body.as_bytes());
        assert_eq!(body_commitment.to_string(), statement.body_c);
        let opening = Opening {
            index: Index(0),
            entry_salt: bytes::unhex(&statement.salt_e).unwrap(),
            envelope: encoded,
            body_commitment,
            body: Some(OpenBody { salt, bytes: statement.body.into_bytes() }),
        };
        assert_eq!(commitment::of_opening(&statement.origin, &opening), Ok(statement.commitment));
    }
}

//! Good input of each kind, of our own writing: from here the fuzzer goes on.

use ed25519_dalek::SigningKey;
use journal::age;
use journal::checkpoint::{self, Checkpoint};
use journal::commitment;
use journal::cursor::{self, CursorKey, FeedCursor};
use journal::evidence_file::{EvidenceFile, Histories, TwoStatements};
use journal::heads::{Head, Heads};
use journal::identity::{self, Identity, Pin};
use journal::log_keys::{FormerLogKey, Past, Repudiated};
use journal::mandate::Lease;
use journal::manifest::{Manifest, Part};
use journal::note::{self, Bound, NoteVerifier};
use journal::peering::Invitation;
use journal::proof::{Extra, ProofFile};
use journal::purge::{Check, HEADER, Purged};
use journal::roster::{self, Roster};
use journal::rotation::Request;
use journal::signer_wire::{Answer, Ask, KeyKind, Marked, Pair};
use journal::successor::{self, Succeeds};
use journal::tree::{self, Frontier};
use journal::wire::{self, FeedItem, FeedPage, FeedRequest, ReleaseKind};
use journal::witness::AddCheckpoint;
use model::extension::Extension;
use model::extension::assistance::Mandate;
use model::{
    AudienceAt, AudienceId, Commitment, Envelope, Index, Label, Lane, MediaType, MemberSet, OpenBody, Opening, Origin,
    PartnerClass, Realm, RootId, Slot, ThreadId, ThreadVersion, Timestamp, Tlp,
};
use node::passkey::ceremony::{self, Purpose};
use sha2::{Digest, Sha256};

/// The key that signs everything here: log, root and witness in one.
pub fn key() -> SigningKey {
    SigningKey::from_bytes(&[5; 32])
}

/// The log of that key.
pub fn origin() -> Origin {
    let root = RootId::of_key(key().verifying_key().as_bytes());
    Origin::new("FR".parse().unwrap(), Realm::Real, root)
}

fn envelope(lane: Lane, label: Tlp) -> Vec<u8> {
    let audience = AudienceAt { id: AudienceId::new([4; 16]), version: 1, members: MemberSet::empty().digest() };
    journal::envelope::encode(&Envelope {
        realm: Realm::Real,
        lane,
        thread: ThreadId::new([3; 16]),
        version: ThreadVersion(0),
        previous: None,
        audience,
        slot: (label != Tlp::Red).then_some(Slot { sequence: 0, previous: None }),
        label: Label::from(label),
        walled: None,
        media: MediaType::Stix,
    })
}

fn opening(index: u64) -> Opening {
    let bytes = br#"{"type":"indicator"}"#.to_vec();
    Opening {
        index: Index(index),
        entry_salt: [1; 32],
        envelope: envelope(Lane::Intelligence, Tlp::Amber),
        body_commitment: commitment::body_commitment(&[2; 32], &bytes),
        body: Some(OpenBody { salt: [2; 32], bytes }),
    }
}

fn entry() -> Commitment {
    commitment::of_opening(&origin(), &opening(0)).unwrap()
}

fn signed(size: u64, entries: &[Commitment]) -> String {
    let mut frontier = Frontier::default();
    frontier.extend(entries);
    let checkpoint = Checkpoint { origin: origin(), size, root: frontier.root() };
    checkpoint::sign(&checkpoint, &key()).text().to_owned()
}

pub fn envelopes() -> Vec<Vec<u8>> {
    vec![envelope(Lane::Workflow, Tlp::Green), envelope(Lane::Intelligence, Tlp::Red)]
}

pub fn checkpoints() -> Vec<Vec<u8>> {
    let plain = signed(1, &[entry()]);
    let line = note::cosign(note::text_of(&plain).unwrap(), &origin().to_string(), 1_790_000_000, &key());
    vec![format!("{plain}{line}").into_bytes(), plain.into_bytes()]
}

pub fn checkpoint_texts() -> Vec<Vec<u8>> {
    let plain = signed(1, &[entry()]);
    vec![note::text_of(&plain).unwrap().as_bytes().to_vec()]
}

pub fn note_keys() -> Vec<Vec<u8>> {
    let log = NoteVerifier::new(&origin().to_string(), key().verifying_key()).unwrap().to_string();
    let witness = NoteVerifier::witness(&origin().to_string(), key().verifying_key()).unwrap().to_string();
    let former = NoteVerifier::new(&origin().to_string(), key().verifying_key()).unwrap();
    let former = former.bounded(Bound { until: 7, stolen: false });
    let repudiated = format!("repudiated {} 3 5", origin());
    let file = format!("# three keys\n{log}\n\n{witness}\n{former}\n{repudiated}\n");
    vec![file.into_bytes(), log.into_bytes()]
}

const MANDATE: &str = concat!(
    r#"{"type":"x-entraide-mandate","spec_version":"2.1","id":"x-entraide-mandate--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","#,
    r#""created_by_ref":"identity--01234567-89ab-4def-8652-000000000000","created":"2026-11-25T08:00:00.000Z","#,
    r#""modified":"2026-11-25T08:00:00.000Z","extensions":{},"#,
    r#""agreement":{"origin":"entraide/FR/REAL/0123456789abcdef","index":14,"commitment":"#,
    r#""0000000000000000000000000000000000000000000000000000000000000000"},"phase":"active","entity":"hospital group","#,
    r#""access":"ssh","systems":["mail1"],"actions":["read"],"from":"2026-11-25T08:00:00.000Z","#,
    r#""until":"2026-11-26T08:00:00.000Z","hours":"07:00-19:00","revokers":"A. B.","team":"two analysts","#,
    r#""consent":{"by":"C. D.","at":"2026-11-25T08:00:00.000Z","proof":{"how":"recorded","by":"E. F."}}}"#
);

pub fn leases() -> Vec<Vec<u8>> {
    assert!(Mandate::read(MANDATE.as_bytes()).is_ok(), "a seed is good input");
    let mandate = "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f".to_owned();
    let lease = Lease { origin: origin(), mandate, index: Index(7), active: true, body: MANDATE.to_owned() };
    let text = lease.text();
    let line = note::cosign(&text, &origin().to_string(), 1_790_000_000, &key());
    vec![format!("{text}\n{line}").into_bytes(), MANDATE.as_bytes().to_vec()]
}

pub fn cursors() -> Vec<Vec<u8>> {
    let cursor = FeedCursor { epoch: 0, seq: 77 };
    vec![cursor::seal(&CursorKey::new([7; 32]), &cursor, &origin(), Lane::Workflow).into_bytes()]
}

fn identity() -> identity::SignedIdentity {
    let public = *key().verifying_key().as_bytes();
    let identity = Identity {
        origin: origin(),
        name: "CERT-FR".to_owned(),
        version: 1,
        root_key: public,
        log_key: public,
        tls_pins: vec![Pin::new([6; 32])],
        witness_key: public,
        mandate_key: public,
        address: "127.0.0.1:7443".to_owned(),
        class: PartnerClass::EuState,
        wire: wire::WIRE_VERSIONS.to_vec(),
        issued: Timestamp::from_seconds(1_790_000_000),
        past: Past {
            log_keys: vec![FormerLogKey { key: *key().verifying_key().as_bytes(), until: 7, stolen: true }],
            repudiated: vec![Repudiated { from: 5, to: 7 }],
            ..Past::default()
        },
        succeeds: None,
    };
    identity::sign(&identity, &key())
}

pub fn identities() -> Vec<Vec<u8>> {
    vec![identity().to_bytes(), successor_identity().to_bytes()]
}

/// The identity of the log that takes the place of [`origin`]'s.
fn successor_identity() -> identity::SignedIdentity {
    let of = identity::verify(&identity()).unwrap().into_inner();
    let last = checkpoint::sign(&Checkpoint { origin: origin(), size: 7, root: tree::TreeHash::new([6; 32]) }, &key());
    let succeeds = Succeeds { origin: origin(), last: last.text().to_owned() };
    identity::sign(&successor::identity(&of, succeeds, of.log_key, of.issued).unwrap(), &key())
}

pub fn rotations() -> Vec<Vec<u8>> {
    let known = identity::verify(&identity()).unwrap().into_inner();
    let request = Request(vec![known.clone(), Identity { version: known.version + 1, ..known }]);
    let signed = request.sign(&key()).unwrap();
    vec![request.write().into_bytes(), signed.write().into_bytes()]
}

pub fn signer_frames() -> Vec<Vec<u8>> {
    let pair = |before| Pair { key: [1; 32], before };
    let mark = Marked::At(7, tree::empty_root());
    vec![
        Ask::Lease { origin: origin().to_string() }.encode(),
        Ask::Sign { size: 7, root: tree::empty_root() }.encode(),
        Ask::Settle(KeyKind::Log, [3; 32]).encode(),
        Answer::State { origin: origin().to_string(), mark, wrapping: pair(Some([2; 32])), cursor: pair(None) }
            .encode(),
        Answer::Publics { log: vec![[4; 32]; 2], witness: vec![[5; 32]], before: false }.encode(),
    ]
}

pub fn invitations() -> Vec<Vec<u8>> {
    let invitation = Invitation {
        address: "node.example:7443".to_owned(),
        pin: Pin::new([6; 32]),
        root_hash: [7; 32],
        secret: [8; 16],
    };
    vec![invitation.encode().into_bytes()]
}

pub fn peerings() -> Vec<Vec<u8>> {
    let identity = identity().to_base64();
    let zeros = "0".repeat(64);
    vec![
        format!(r#"{{"invitation":"{}","nonce":"{zeros}","identity":"{identity}","proof":"{zeros}"}}"#, "0".repeat(32))
            .into_bytes(),
        format!(r#"{{"identity":"{identity}","nonce":"{zeros}","proof":"{zeros}"}}"#).into_bytes(),
    ]
}

pub fn rosters() -> Vec<Vec<u8>> {
    let issued = Timestamp::from_seconds(1_790_000_000);
    let roster = Roster { title: "one".to_owned(), entries: vec![identity()], issued };
    vec![roster::sign(&roster, &key()).unwrap().into_bytes()]
}

pub fn proofs() -> Vec<Vec<u8>> {
    let other = Commitment::new([3; 32]);
    let file = |opening: Opening| ProofFile {
        extra: Extra { origin: origin(), opening },
        index: Index(0),
        hashes: vec![tree::leaf_hash(&other)],
        checkpoint: signed(2, &[entry(), other]),
    };
    let sealed = Opening { body: None, ..opening(0) };
    vec![file(opening(0)).write().into_bytes(), file(sealed).write().into_bytes()]
}

pub fn evidence() -> Vec<Vec<u8>> {
    let histories = Histories {
        origin: origin(),
        root: tree::leaf_hash(&entry()),
        proof: Vec::new(),
        ours: signed(1, &[entry()]),
        theirs: signed(1, &[Commitment::new([3; 32])]),
    };
    let sealed = ProofFile {
        extra: Extra { origin: origin(), opening: Opening { body: None, ..opening(0) } },
        index: Index(0),
        hashes: Vec::new(),
        checkpoint: signed(1, &[entry()]),
    };
    let statements = TwoStatements::new(sealed.clone(), sealed).unwrap();
    let files = [EvidenceFile::Histories(histories), EvidenceFile::Statements(statements)];
    files.iter().map(|file| file.write().into_bytes()).collect()
}

/// The authority of the stamped seed, and what it stamped.
pub const AUTHORITY: &[u8] = include_bytes!("../../crates/journal/tests/stamp/ca.pem");
pub const STAMPED: &str = "a checkpoint\n";

pub fn stamps() -> Vec<Vec<u8>> {
    vec![include_bytes!("../../crates/journal/tests/stamp/reply").to_vec()]
}

/// The private key to which [`sealed_files`] are sealed.
pub const SEALED_TO: [u8; 32] = [6; 32];

pub fn sealed_files() -> Vec<Vec<u8>> {
    let identity = age::Identity::new(SEALED_TO);
    let (key, nonce) = (age::FileKey::new([1; age::FILE_KEY_BYTES]), [2; age::NONCE_BYTES]);
    let other = age::Identity::new([7; 32]).recipient();
    let header = age::header(&key, &[(other, [8; 32]), (identity.recipient(), [9; 32])]).unwrap();
    let mut chunk = b"evidence".to_vec();
    age::Chunks::new(&key, &nonce).unwrap().seal(&mut chunk, true).unwrap();
    let keys = [identity.to_text().as_bytes().to_vec(), identity.recipient().to_string().into_bytes()];
    [vec![[header, nonce.to_vec(), chunk].concat()], keys.to_vec()].concat()
}

pub fn heads() -> Vec<Vec<u8>> {
    let head = |lane| Head { audience: AudienceId::new([4; 16]), version: 1, lane, sequence: 3, commitment: entry() };
    let heads = Lane::ALL.map(head).to_vec();
    vec![Heads { origin: origin(), heads }.write().into_bytes()]
}

pub fn add_checkpoints() -> Vec<Vec<u8>> {
    let checkpoint = signed(1, &[entry()]);
    let first = AddCheckpoint { old: 0, proof: Vec::new(), checkpoint: checkpoint.clone() };
    let later = AddCheckpoint { old: 7, proof: vec![tree::empty_root(); 2], checkpoint };
    vec![first.write().into_bytes(), later.write().into_bytes()]
}

fn page() -> FeedPage {
    let item =
        FeedItem { lane: Lane::Intelligence, kind: ReleaseKind::Open, index: Index(0), opening: Some(opening(0)) };
    FeedPage {
        checkpoint: signed(1, &[entry()]),
        start: 0,
        commitments: vec![entry()],
        items: vec![item],
        workflow_cursor: "w".to_owned(),
        intelligence_cursor: "i".to_owned(),
        more: false,
        notes: Vec::new(),
    }
}

pub fn pages() -> Vec<Vec<u8>> {
    let told = FeedPage { notes: vec![signed(1, &[entry()])], ..page() };
    vec![wire::encode(&page()), wire::encode(&told)]
}

pub fn compressed_pages() -> Vec<Vec<u8>> {
    pages().into_iter().map(|page| wire::compress(page).unwrap()).collect()
}

pub fn feed_requests() -> Vec<Vec<u8>> {
    let (workflow, intelligence) = (Some("w".to_owned()), Some("i".to_owned()));
    let request = FeedRequest { have: 3, workflow, intelligence, wait_seconds: 45, wire: wire::WIRE_VERSION };
    vec![request.to_query().into_bytes()]
}

pub fn trees() -> Vec<Vec<u8>> {
    let mut frontier = Frontier::default();
    frontier.extend(&[entry(); 3]);
    vec![frontier.encode(), b"0/x001/234.p/17".to_vec(), b"entries/000".to_vec()]
}

pub fn words() -> Vec<Vec<u8>> {
    [
        "entraide/FR/EX-BLUE-26/0123456789abcdef/2",
        "indicator--26ffb872-1dd9-446e-b6f5-d58527e5b5d2",
        "FR:1234",
        "2026-11-24T13:54:00.123456Z",
        "tlp:amber+strict",
        "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
        "PAP:GREEN",
    ]
    .map(|word| word.as_bytes().to_vec())
    .to_vec()
}

pub fn objects() -> Vec<Vec<u8>> {
    [
        r#"{"type":"indicator","spec_version":"2.1","id":"indicator--26ffb872-1dd9-446e-b6f5-d58527e5b5d2",
"created":"2026-11-20T08:00:00.000Z","modified":"2026-11-20T08:00:00Z","name":"a \u00e9","pattern":"[a:b = 'c']",
"object_marking_refs":["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"],"revoked":false,"confidence":1.5e1}"#,
        r#"{"uuid":"26ffb872-1dd9-446e-b6f5-d58527e5b5d2","info":"x","timestamp":"1790000000","distribution":"1",
"Orgc":{"uuid":"36ffb872-1dd9-446e-b6f5-d58527e5b5d2","name":"o"},"Tag":[{"name":"tlp:amber"}],
"Attribute":[{"uuid":"46ffb872-1dd9-446e-b6f5-d58527e5b5d2","type":"ip-dst","value":"192.0.2.1"},
{"type":"domain","value":"a.example","Tag":[{"name":"tlp:red"}]}]}"#,
        r#"{"type":"x-entraide-withdrawal","spec_version":"2.1",
"id":"x-entraide-withdrawal--26ffb872-1dd9-446e-b6f5-d58527e5b5d2","action":"purge","reason":"wrong"}"#,
        r#"{"type":"x-entraide-pointer","spec_version":"2.1",
"id":"x-entraide-pointer--26ffb872-1dd9-446e-b6f5-d58527e5b5d2","reference":"7K3Q-9XWM","level":"eu-secret"}"#,
        r#"{"type":"x-entraide-artefact","spec_version":"2.1","id":"x-entraide-artefact--26ffb872-1dd9-446e-b6f5-d58527e5b5d2",
"created_by_ref":"identity--26ffb872-1dd9-446e-b6f5-d58527e5b5d2","created":"2026-11-20T08:00:00Z",
"modified":"2026-11-20T08:00:00Z","extensions":{},"agreement":{"origin":"entraide/FR/REAL/0123456789abcdef","index":7,
"commitment":"0000000000000000000000000000000000000000000000000000000000000000"},"name":"disk","kind":"disk-image",
"size":2000,"way":"courier","seals":["A 1"],"carrier":"c","from":"f","to":"t","handed_over":"2026-11-20T08:00:00Z",
"added_by":"anna","malware":true,"personal_data":true,"judicial_hold":false}"#,
    ]
    .map(|object| object.as_bytes().to_vec())
    .to_vec()
}

pub fn files() -> Vec<Vec<u8>> {
    let objects = objects();
    let [stix, event, ..] = &objects[..] else { return objects };
    let join = |parts: &[&[u8]]| parts.concat();
    let bundle = br#"{"type":"bundle","id":"bundle--26ffb872-1dd9-446e-b6f5-d58527e5b5d2","objects":["#;
    vec![
        join(&[bundle, stix, b"]}"]),
        join(&[b"{\"Event\":", event, b"}"]),
        join(&[b"{\"response\":[{\"Event\":", event, b"}]}"]),
        join(&[b"[", stix, b",", stix, b"]"]),
    ]
}

pub fn lines() -> Vec<Vec<u8>> {
    ["RESTREINT UE/EU RESTRICTED", "a\nSECRET // REL TO EU\nb", "ΑΠΟΡΡΗΤΟ - X", "a\u{8}TITKOS!\u{2028}b", "Secret"]
        .map(|line| line.as_bytes().to_vec())
        .to_vec()
}

pub fn marks() -> Vec<Vec<u8>> {
    [model::exercise::EXERCISE_MARKING, "entraide:exercise=\"EX-A\"", " Exercise:generic", "tlp:amber"]
        .map(|mark| mark.as_bytes().to_vec())
        .to_vec()
}

/// Purge lists: an empty one, and one of three lines.
pub fn purge_lists() -> Vec<Vec<u8>> {
    let (mut text, mut check) = (HEADER.to_owned(), Check::default());
    for index in [0, 7, u64::MAX] {
        let at = Timestamp::from_seconds(1_790_000_000);
        let purged = Purged { at, origin: origin(), index: Index(index), commitment: Commitment::new([7; 32]) };
        let (line, next) = purged.line(check);
        text.push_str(&line);
        check = next;
    }
    vec![HEADER.as_bytes().to_vec(), text.into_bytes()]
}

/// Manifests of backups.
pub fn manifests() -> Vec<Vec<u8>> {
    let parts = ["truth.db", "identity.txt"].map(|name| Part { name: name.to_owned(), bytes: 9, sha256: [3; 32] });
    let manifest = Manifest {
        origin: origin(),
        made: Timestamp::from_seconds(1_790_000_000),
        schema: 5,
        size: 12,
        root: tree::TreeHash::new([7; 32]),
        statements: 20,
        parts: parts.to_vec(),
    };
    vec![manifest.write().into_bytes()]
}

pub fn client_data() -> Vec<Vec<u8>> {
    let until = Timestamp::from_seconds(300);
    let challenge = ceremony::challenge(&[7; 32], Purpose::LogIn, until, &[9; 32]);
    let challenge = data_encoding::BASE64URL_NOPAD.encode(&challenge);
    vec![
        format!(
            r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"https://fr.example:7442","crossOrigin":false}}"#
        )
        .into_bytes(),
    ]
}

pub fn authenticators() -> Vec<Vec<u8>> {
    // SHA-256 of `fr.example`, then: present and verified, one signature.
    let host = Sha256::digest(b"fr.example");
    let assertion = [&host[..], &[0x05, 0, 0, 0, 1]].concat();
    let attested = [&host[..], &[0x45, 0, 0, 0, 1], &[0; 16], &[0, 3], b"abc\xa5\x01\x02"].concat();
    let key = key().verifying_key().to_bytes();
    let ed25519 = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", &key[..]].concat();
    let mut p256 =
        b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07".to_vec();
    p256.extend(b"\x03\x42\x00\x04");
    p256.extend([0x11; 64]);
    vec![assertion, attested, ed25519, p256]
}

/// A duty roster as persons, as shifts, and as a calendar.
pub fn duty_rosters() -> Vec<Vec<u8>> {
    let calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n\
        DTSTART;TZID=Europe/Paris:20261023T200000\r\nDTEND;TZID=Europe/Paris:20261024T080000\r\nSUMMARY:duty: anna\r\n\
        RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=FR,SA;COUNT=9;WKST=MO\r\nEXDATE;TZID=Europe/Paris:20261024T200000\r\n\
        END:VEVENT\r\nEND:VCALENDAR\r\n";
    let persons =
        "person,name,telephone,mail,languages,login\nanna,\"Anna, A\",+33 1 00 00 00,a@b.example,fr en,anna\n";
    let shifts = "post,person,from,until,zone\nduty,anna,2026-11-28T20:00,2026-11-29 08:00,Europe/Paris\n\
        deputy,ben,2026-11-28T20:00:00Z,2026-11-29T08:00:00+01:00,\n";
    [calendar, persons, shifts].map(|text| text.as_bytes().to_vec()).into()
}

/// Addresses of gateways, and a ladder.
pub fn gateways() -> Vec<Vec<u8>> {
    let ladder =
        r#"[{"who":"post:duty","by":["mail","webhook"],"minutes":5},{"who":"anna","by":["mail"],"minutes":10}]"#;
    let texts = ["https://gw.example:8443/alert?x=1", "http://127.0.0.1:9000/a", "http://[::1]/", ladder];
    texts.map(|text| text.as_bytes().to_vec()).into()
}

pub fn mails() -> Vec<Vec<u8>> {
    let mail = |text: &str| text.replace('\n', "\r\n").into_bytes();
    vec![
        mail("From: \"A\" <cert@md.example>\nSubject: Re: letter 1\n\nyes, call us\n"),
        mail(
            "From: a@b.example\nContent-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=\"x\"\n\n\
             --x\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n--x\nContent-Type: application/octet-stream\n\n\
             -----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n\n--x--\n",
        ),
        mail(
            "From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/html\n\n<p>yes</p>\n--x\n\
             Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\nAQID\n--x--\n",
        ),
    ]
}

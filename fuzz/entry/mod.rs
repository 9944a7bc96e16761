//! Every parser of bytes from outside, with what must hold for any bytes: no panic, bounded, one spelling. The fuzzer
//! drives them (`fuzz/src/main.rs`), and in `make test` random changes of the seeds (`crates/entraide/tests/parsers.rs`).

mod seeds;

use http_room::client::webhook::WebhookUrl;
use intake::Limits;
use journal::cursor::{self, CursorKey};
use journal::evidence_file::EvidenceFile;
use journal::heads::{self, Heads};
use journal::identity::{self, SignedIdentity};
use journal::log_keys::LogKeys;
use journal::mandate::Lease;
use journal::manifest::Manifest;
use journal::note::{self, NoteVerifier};
use journal::peering::{Invitation, PeerAnswer, PeerRequest};
use journal::proof::ProofFile;
use journal::rotation::{Request, Signed};
use journal::signer_wire::{Answer, Ask};
use journal::stamp::{self, Authorities};
use journal::sync::{Outcome, Replica};
use journal::tree::{Frontier, TilePath};
use journal::wire::{self, FeedRequest};
use journal::witness::AddCheckpoint;
use journal::{age, checkpoint, envelope, purge, roster};
use model::alert::Ladder;
use model::extension::Extension;
use model::extension::assistance::Mandate;
use model::{EntryRef, Lane, MediaType, Origin, StixId, Timestamp, Tlp};
use node::passkey::ceremony::{self, AuthenticatorData, ClientData, Expected, HostName, PublicKey, Purpose};

/// One parser.
pub struct Entry {
    /// Its name on the command line.
    pub name: &'static str,
    /// What is called with any bytes.
    pub run: fn(&[u8]),
    /// Good input to begin from.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const ENTRIES: &[Entry] = &[
    Entry { name: "envelope", run: envelope_form, seeds: seeds::envelopes },
    Entry { name: "note", run: signed_note, seeds: seeds::checkpoints },
    Entry { name: "note_keys", run: note_keys, seeds: seeds::note_keys },
    Entry { name: "checkpoint", run: checkpoint_text, seeds: seeds::checkpoint_texts },
    Entry { name: "cursor", run: feed_cursor, seeds: seeds::cursors },
    Entry { name: "identity", run: signed_identity, seeds: seeds::identities },
    Entry { name: "rotation", run: rotation, seeds: seeds::rotations },
    Entry { name: "signer_wire", run: signer_frames, seeds: seeds::signer_frames },
    Entry { name: "invitation", run: invitation, seeds: seeds::invitations },
    Entry { name: "peering", run: peering, seeds: seeds::peerings },
    Entry { name: "roster", run: signed_roster, seeds: seeds::rosters },
    Entry { name: "mail", run: mail, seeds: seeds::mails },
    Entry { name: "proof", run: proof, seeds: seeds::proofs },
    Entry { name: "evidence", run: evidence, seeds: seeds::evidence },
    Entry { name: "heads", run: chain_heads, seeds: seeds::heads },
    Entry { name: "stamp", run: time_stamp, seeds: seeds::stamps },
    Entry { name: "age", run: sealed_file, seeds: seeds::sealed_files },
    Entry { name: "add_checkpoint", run: add_checkpoint, seeds: seeds::add_checkpoints },
    Entry { name: "lease", run: lease, seeds: seeds::leases },
    Entry { name: "purge_list", run: purge_list, seeds: seeds::purge_lists },
    Entry { name: "manifest", run: backup_manifest, seeds: seeds::manifests },
    Entry { name: "page", run: page, seeds: seeds::pages },
    Entry { name: "compressed_page", run: compressed_page, seeds: seeds::compressed_pages },
    Entry { name: "feed_request", run: feed_request, seeds: seeds::feed_requests },
    Entry { name: "sync", run: sync, seeds: seeds::pages },
    Entry { name: "tree", run: tree, seeds: seeds::trees },
    Entry { name: "words", run: words, seeds: seeds::words },
    Entry { name: "json", run: json, seeds: seeds::objects },
    Entry { name: "stix_head", run: stix_head, seeds: seeds::objects },
    Entry { name: "misp_head", run: misp_head, seeds: seeds::objects },
    Entry { name: "said", run: said, seeds: seeds::objects },
    Entry { name: "split", run: split, seeds: seeds::files },
    Entry { name: "classified", run: classified, seeds: seeds::lines },
    Entry { name: "exercise", run: exercise, seeds: seeds::marks },
    Entry { name: "duty_roster", run: duty_roster, seeds: seeds::duty_rosters },
    Entry { name: "gateway", run: gateway, seeds: seeds::gateways },
    Entry { name: "client_data", run: client_data, seeds: seeds::client_data },
    Entry { name: "authenticator", run: authenticator, seeds: seeds::authenticators },
];

/// What opens is what was signed, in its one spelling; what it carries is a mandate or nothing.
fn lease(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let name = seeds::origin().to_string();
    let keys = [NoteVerifier::witness(&name, seeds::key().verifying_key()).unwrap()];
    if let Ok((lease, _)) = Lease::open(text, &keys) {
        assert!(text.starts_with(&lease.text()), "a lease has one spelling");
        assert_eq!(lease.origin, seeds::origin(), "another nation's word");
        let _ = Mandate::read(lease.body.as_bytes());
    }
    // Unsigned, as a body that a node takes.
    if let Ok(mandate) = Mandate::read(bytes) {
        assert!(mandate.to_bytes().len() <= model::limits::MANDATE_BYTES && mandate.from < mandate.until);
    }
}

/// What is read is what would be written, up to a torn end.
fn purge_list(bytes: &[u8]) {
    let Ok(list) = purge::read(bytes) else { return };
    let (mut written, mut check) = (String::new(), purge::Check::default());
    if list.whole > 0 {
        written.push_str(purge::HEADER);
    }
    for purged in &list.purged {
        let (line, next) = purged.line(check);
        written.push_str(&line);
        check = next;
    }
    assert_eq!(written.as_bytes(), &bytes[..list.whole]);
    assert_eq!(check, list.check);
}

fn backup_manifest(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(manifest) = Manifest::read(text) {
        assert_eq!(manifest.write(), text);
        assert!(manifest.parts.iter().all(|part| !part.name.contains('/') && !part.name.starts_with('.')));
    }
}

/// What is read stays on this machine or is protected.
fn gateway(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(url) = WebhookUrl::read(text) {
        assert!(url.is_secure() || ["localhost", "127.0.0.1", "::1"].contains(&url.host()), "{text}");
    }
    if let Ok(ladder) = serde_json::from_slice::<Ladder>(bytes) {
        assert!((1..=model::limits::RUNGS).contains(&ladder.rungs().len()));
    }
}

/// Whatever it says, each shift goes forward, and the file is within its limits.
fn duty_roster(bytes: &[u8]) {
    let until = Timestamp::from_seconds(1_830_000_000);
    if let Ok(file) = intake::duty::read(bytes, Some("Europe/Paris"), until) {
        assert!(file.shifts.len() <= intake::limits::DUTY_ROWS && file.contacts.len() <= intake::limits::DUTY_ROWS);
        assert!(file.shifts.iter().all(|(_, shift)| shift.from < shift.until));
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn envelope_form(bytes: &[u8]) {
    if let Ok(read) = envelope::decode(bytes) {
        assert_eq!(envelope::encode(&read), bytes, "an envelope has one spelling");
    }
}

fn signed_note(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let key = seeds::key().verifying_key();
    let name = seeds::origin().to_string();
    let keys = [NoteVerifier::new(&name, key).unwrap(), NoteVerifier::witness(&name, key).unwrap()];
    if let Ok(opened) = note::open(text, &keys) {
        assert!(text.starts_with(opened.text) && opened.text.ends_with('\n'));
        assert!(!opened.signers.is_empty() || !opened.cosigned.is_empty());
    }
    if let Ok(claimed) = checkpoint::claimed(text) {
        assert!(text.starts_with(&claimed.text()), "a checkpoint has one spelling");
    }
    let _ = checkpoint::verify_cosigned(text, &seeds::origin(), &key, &keys[1..]);
}

fn note_keys(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(key) = text.parse::<NoteVerifier>() {
        assert_eq!(key.to_string().parse::<NoteVerifier>().as_ref(), Ok(&key));
    }
    if let Ok(keys) = note::read_keys(text) {
        assert!(keys.len() <= journal::limits::KEYS);
        assert!(note::read_repudiated(text).len() <= journal::limits::KEYS);
    }
}

fn checkpoint_text(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(read) = checkpoint::Checkpoint::parse(text) {
        assert!(text.starts_with(&read.text()), "a checkpoint has one spelling, extension lines apart");
    }
}

fn feed_cursor(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let key = CursorKey::new([7; 32]);
    if let Ok(read) = cursor::open(&key, text, &seeds::origin(), Lane::Workflow) {
        assert_eq!(cursor::seal(&key, &read, &seeds::origin(), Lane::Workflow), text, "made up");
    }
}

fn rotation(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(read) = Request::read(text) {
        assert!(read.0.len() <= 2);
        assert_eq!(Request::read(&read.write()).as_ref(), Ok(&read));
    }
    if let Ok(read) = Signed::read(text) {
        assert_eq!(read.write(), text, "what was signed has one spelling");
    }
}

fn signer_frames(bytes: &[u8]) {
    if let Ok(read) = Ask::decode(bytes) {
        assert_eq!(read.encode(), bytes, "a frame has one spelling");
    }
    if let Ok(read) = Answer::decode(bytes) {
        assert_eq!(read.encode(), bytes, "a frame has one spelling");
    }
}

fn signed_identity(bytes: &[u8]) {
    if let Ok(read) = SignedIdentity::from_bytes(bytes) {
        assert_eq!(read.to_bytes(), bytes, "an identity has one spelling");
        let _ = identity::verify(&read);
        assert_eq!(SignedIdentity::from_base64(&read.to_base64()), Ok(read));
    }
}

fn invitation(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(read) = Invitation::decode(text) {
        assert_eq!(Invitation::decode(&read.encode()).unwrap().encode(), read.encode());
    }
}

fn peering(bytes: &[u8]) {
    if let Ok(read) = PeerRequest::from_json(bytes) {
        assert!(PeerRequest::from_json(read.to_json().as_ref()).is_ok());
    }
    if let Ok(read) = PeerAnswer::from_json(bytes) {
        assert!(PeerAnswer::from_json(read.to_json().as_ref()).is_ok());
    }
}

fn signed_roster(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let _ = roster::verify(text, &seeds::key().verifying_key());
}

/// What is kept of a mail is bounded, and its subject is one line.
fn mail(bytes: &[u8]) {
    use intake::mail::Content;
    let Ok(mail) = intake::mail::read(bytes) else { return };
    let most = intake::limits::MAIL_HEADER_BYTES;
    assert!(mail.from.len() <= most && mail.subject.len() <= most && !mail.subject.chars().any(char::is_control));
    match mail.content {
        Content::Plain { text, files } => {
            assert!(text.len() <= intake::limits::MAIL_TEXT_BYTES && files.len() <= intake::limits::MAIL_PARTS);
        }
        Content::Pgp(sealed) | Content::Smime(sealed) => assert!(sealed.len() <= bytes.len()),
    }
}

fn proof(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(read) = ProofFile::read(text) {
        assert_eq!(ProofFile::read(&read.write()).as_ref(), Ok(&read));
        let key = NoteVerifier::new(&seeds::origin().to_string(), seeds::key().verifying_key()).unwrap();
        let _ = read.verify(&[key]);
    }
}

fn evidence(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(read) = EvidenceFile::read(text) {
        assert_eq!(EvidenceFile::read(&read.write()).as_ref(), Ok(&read));
        let key = NoteVerifier::new(&seeds::origin().to_string(), seeds::key().verifying_key()).unwrap();
        let _ = read.verify(&[key]);
    }
}

fn chain_heads(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(read) = Heads::read(text) {
        assert!(heads::is_heads(text) && read.heads.len() <= journal::limits::HEADS);
        assert_eq!(read.write(), text, "heads have one spelling");
    }
}

fn time_stamp(bytes: &[u8]) {
    let trusted = Authorities::read(seeds::AUTHORITY).unwrap();
    let Ok(token) = stamp::token(bytes) else { return };
    let answer = stamp::verify(token, seeds::STAMPED, None, &trusted);
    let note = format!("{}\n{}", seeds::STAMPED, stamp::line(token));
    assert!(stamp::is_stamped(&note));
    assert_eq!(stamp::verify_note(&note, &trusted).ok(), answer.ok().map(|stamp| vec![stamp]));
}

/// What opens is whole, and is sealed to the key that opens it.
fn sealed_file(bytes: &[u8]) {
    let identity = age::Identity::new(seeds::SEALED_TO);
    if let Some(other) = text(bytes).and_then(age::Identity::read) {
        assert_eq!(Some(other.to_text().as_str()), text(bytes));
    }
    if let Some(recipient) = text(bytes).and_then(|text| text.parse::<model::AgeRecipient>().ok()) {
        assert_eq!(Some(recipient.to_string().as_str()), text(bytes));
    }
    let Ok(header) = age::Header::read(bytes) else { return };
    assert!(header.length <= bytes.len().min(age::HEADER_BYTES));
    let Ok(key) = header.open(&identity) else { return };
    let rest = &bytes[header.length..];
    let Some((nonce, rest)) = rest.split_first_chunk() else { return };
    let mut chunks = age::Chunks::new(&key, nonce).unwrap();
    let mut chunk = rest.to_vec();
    if let Ok(opened) = chunks.open(&mut chunk, true) {
        assert_eq!(opened, b"evidence");
    }
}

fn add_checkpoint(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(read) = AddCheckpoint::read(text) {
        assert_eq!(AddCheckpoint::read(&read.write()).as_ref(), Ok(&read));
        let _ = read.check(
            &seeds::origin(),
            &LogKeys::only(seeds::key().verifying_key()),
            (0, journal::tree::empty_root()),
        );
    }
}

fn page(bytes: &[u8]) {
    if let Ok(read) = wire::decode(bytes) {
        assert_eq!(wire::encode(&read), bytes, "a page has one spelling");
        assert_eq!(read.encoded_len(), bytes.len());
    }
}

fn compressed_page(bytes: &[u8]) {
    const LIMIT: usize = 1024 * 1024;
    if let Ok(out) = wire::decompress(bytes, LIMIT) {
        assert!(out.len() <= LIMIT);
        let _ = wire::decode(&out);
    }
}

fn feed_request(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(read) = FeedRequest::from_query(text) {
        // A wire version that means 1 is not written.
        let read = FeedRequest { wire: if read.wire > 1 { read.wire } else { 0 }, ..read };
        assert_eq!(FeedRequest::from_query(&read.to_query()), Ok(read));
    }
}

fn sync(bytes: &[u8]) {
    let Ok(page) = wire::decode(bytes) else { return };
    let key = *seeds::key().verifying_key().as_bytes();
    let replica = Replica::new(seeds::origin(), &key, Frontier::default()).unwrap();
    let start = page.start;
    match replica.accept(page, |_| None) {
        Outcome::Verified(step) => {
            assert_eq!(start, 0);
            assert!(step.frontier.size() <= step.checkpoint.size);
            assert!(step.frontier.size() == 0 || step.frontier.root() == step.checkpoint.root);
            assert!(step.items.iter().all(|item| item.index.0 < step.checkpoint.size));
        }
        Outcome::Broken(evidence) => assert!(!evidence.summary.is_empty()),
    }
}

fn tree(bytes: &[u8]) {
    if let Some(read) = Frontier::decode(bytes) {
        assert_eq!(read.encode(), bytes, "a frontier has one spelling");
    }
    let Some(text) = text(bytes) else { return };
    if let Some(path) = TilePath::parse(text) {
        assert_eq!(path.to_string(), text, "a path has one spelling");
    }
}

fn words(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(read) = text.parse::<Origin>() {
        assert_eq!(read.to_string(), text, "an origin has one spelling");
    }
    if let Ok(read) = text.parse::<StixId>() {
        assert_eq!(read.to_string().parse::<StixId>().as_ref(), Ok(&read));
    }
    if let Ok(read) = text.parse::<EntryRef>() {
        assert_eq!(read.to_string().parse::<EntryRef>().as_ref(), Ok(&read));
    }
    if let Ok(read) = text.parse::<Timestamp>() {
        assert_eq!(read.to_string().parse::<Timestamp>().as_ref(), Ok(&read));
    }
    let _ = (model::Tlp::of_tag(text), model::Tlp::of_marking(text), model::Pap::of_tag(text));
}

fn json(bytes: &[u8]) {
    if model::json::check(bytes).is_ok() {
        assert!(serde_json::from_slice::<serde_json::Value>(bytes).is_ok(), "what we take, everybody reads");
    }
}

fn stix_head(bytes: &[u8]) {
    if model::stix::head(bytes).is_ok() {
        assert!(model::json::check(bytes).is_ok());
    }
}

fn misp_head(bytes: &[u8]) {
    if model::misp::head(bytes).is_ok() {
        assert!(model::json::check(bytes).is_ok());
    }
    let _ = model::misp::distribution(bytes);
    let Ok(cut) = intake::cut(bytes, Tlp::Green) else { return };
    for part in &cut.parts {
        let head = model::misp::head(&part.bytes).expect("a part is an event");
        assert_eq!(head.tlp, Some(part.tlp), "no part holds what is stricter than its label");
    }
    let spans: Vec<&[u8]> = cut.parts.iter().map(|part| part.bytes.as_slice()).collect();
    if let Some(joined) = intake::join(&spans) {
        assert!(model::json::check(&joined).is_ok());
    }
}

fn said(bytes: &[u8]) {
    for media in [MediaType::Stix, MediaType::MispEvent] {
        if domain::said::Said::read(media, bytes).is_ok() {
            assert!(model::json::check(bytes).is_ok());
        }
    }
}

fn split(bytes: &[u8]) {
    let Ok(parts) = intake::split(bytes, Limits::default()) else { return };
    let file = bytes.as_ptr_range();
    for item in &parts.items {
        let span = item.span.as_ptr_range();
        assert!(file.start <= span.start && span.end <= file.end, "an object is a span of its file");
    }
}

/// The mark of an exercise is found however its letters are written.
fn exercise(bytes: &[u8]) {
    let marked = |media, json: &str| intake::exercise::check(media, json.as_bytes()).is_err();
    for media in [MediaType::Stix, MediaType::MispEvent] {
        let _ = intake::exercise::check(media, bytes);
    }
    let Some(text) = text(bytes) else { return };
    let plain = serde_json::to_string(text).unwrap();
    let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let stix = |text: &str| marked(MediaType::Stix, &format!(r#"{{"object_marking_refs":[{text}]}}"#));
    let misp = |text: &str| marked(MediaType::MispEvent, &format!(r#"{{"Tag":[{{"name":{text}}}]}}"#));
    let escaped = format!("\"{escaped}\"");
    assert_eq!(stix(&plain), stix(&escaped), "{text:?}");
    assert_eq!(misp(&plain), misp(&escaped), "{text:?}");
}

/// The same line is found however its letters are written.
fn classified(bytes: &[u8]) {
    for ceiling in intake::Classification::ALL {
        let _ = intake::classified::check(bytes, ceiling);
    }
    let Some(text) = text(bytes) else { return };
    let plain = serde_json::to_string(&[text]).unwrap();
    let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let escaped = format!("[\"{escaped}\"]");
    let marked = |json: &str| intake::classified::check(json.as_bytes(), intake::Classification::Unclassified).is_err();
    assert_eq!(marked(&plain), marked(&escaped), "{text:?}");
}

fn client_data(bytes: &[u8]) {
    let _ = ClientData::read(bytes);
    let Some(host) = HostName::new("fr.example") else { return };
    let now = Timestamp::from_seconds(0);
    let expected = Expected { host: &host, purpose: Purpose::LogIn, key: &[7; 32], now };
    // Good authenticator data, so that nothing but what a browser says decides.
    let Some(data) = seeds::authenticators().into_iter().next() else { return };
    if let Ok((opened, _)) = ceremony::check(&expected, bytes, &data) {
        let challenge = ceremony::challenge(expected.key, expected.purpose, opened.until, &opened.nonce);
        let read = ClientData::read(bytes).map(|read| read.challenge);
        assert_eq!(read, Ok(data_encoding::BASE64URL_NOPAD.encode(&challenge)), "a challenge of ours, and no other");
    }
}

fn authenticator(bytes: &[u8]) {
    if let Ok(read) = AuthenticatorData::read(bytes) {
        assert_eq!(read.host, bytes[..32]);
        assert!(read.backup_eligible || !read.backed_up);
        assert!(read.credential.is_none_or(|id| (1..=1_023).contains(&id.len()) && bytes.len() >= 55 + id.len()));
    }
    for algorithm in PublicKey::ALGORITHMS {
        if let Ok(key) = PublicKey::read(algorithm, bytes) {
            assert!(bytes.ends_with(key.bytes()) && key.algorithm() == algorithm);
            assert!(ceremony::check_signature(&key, b"", b"", bytes).is_err());
        }
    }
}

//! A proof's page in words: for a judge, an auditor, a minister, who get a file and want to know what it shows.

use model::bytes::hex;
use model::{Envelope, MediaType, Origin, Timestamp};
use sha2::{Digest, Sha256};

use super::{ProofFile, ProvenStatement};
use crate::envelope;
use crate::stamp::{self, Stamp};

/// Letters of a line of the page as text: A4 in a typewriter's type.
const LINE: usize = 80;

/// The page, ready to be set as text or as a web page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What it is a proof of.
    pub title: String,
    /// Headings, each with its paragraphs.
    pub parts: Vec<(&'static str, Vec<String>)>,
}

impl Words {
    /// What a proof that holds shows, and what it does not. `stamps` are those of time authorities that hold; `None` if
    /// nobody named an authority to check them with.
    #[must_use]
    pub fn of(file: &ProofFile, proven: &ProvenStatement, stamps: Option<&[Stamp]>) -> Self {
        let origin = &file.extra.origin;
        let unchecked = stamps.is_none() && stamp::is_stamped(&file.checkpoint);
        let entry = format!("{}:{}", origin.country(), proven.opening.index);
        let envelope = envelope::decode(&proven.opening.envelope).ok();
        let parts = vec![
            ("What was said", what(&entry, envelope.as_ref(), proven)),
            ("By whom", whom(origin, proven)),
            ("When, at the latest", when(proven, stamps.unwrap_or_default(), unchecked)),
            ("What this does not show", not_shown()),
            ("How to check it without the node that made it", check(origin)),
        ];
        Self { title: format!("Proof of statement {entry}"), parts }
    }

    /// As plain text, in lines of at most 80 letters, but for words that are longer.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!("{}\n{}\n", self.title, "=".repeat(self.title.chars().count()));
        for (heading, paragraphs) in &self.parts {
            out.push_str(&format!("\n{heading}\n{}\n", "-".repeat(heading.chars().count())));
            for (at, paragraph) in paragraphs.iter().enumerate() {
                if at > 0 {
                    out.push('\n');
                }
                wrap(&mut out, paragraph);
            }
        }
        out
    }
}

fn wrap(out: &mut String, paragraph: &str) {
    let mut length = 0;
    for word in paragraph.split(' ') {
        let letters = word.chars().count();
        if length > 0 && length + 1 + letters > LINE {
            out.push('\n');
            length = 0;
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += letters;
    }
    out.push('\n');
}

fn what(entry: &str, envelope: Option<&Envelope>, proven: &ProvenStatement) -> Vec<String> {
    let mut lines = vec![match &proven.opening.body {
        Some(body) => {
            let digest: [u8; 32] = Sha256::digest(&body.bytes).into();
            let object = envelope.and_then(|envelope| object(envelope.media, &body.bytes));
            let object = object.map(|object| format!("{object}, ")).unwrap_or_default();
            format!(
                "The statement {entry} is in the file, word for word: {object}{} bytes, whose SHA-256 is {}",
                body.bytes.len(),
                hex(&digest)
            )
        }
        None => format!(
            "That something was said as {entry}, and not what: the words are left out of this file. Whoever has them \
             and their salt can show later that they are what was said, against the commitment {}",
            hex(proven.opening.body_commitment.as_bytes())
        ),
    }];
    lines.push(match envelope {
        Some(envelope) if envelope.slot.is_some() => format!(
            "It was said to the audience {}, version {}, under the label TLP:{}, which holds for this page and the file \
             too.",
            envelope.audience.id,
            envelope.audience.version,
            envelope.label.tlp.word()
        ),
        Some(envelope) => format!(
            "It was said to named persons only, under the label TLP:{}, which holds for this page and the file too.",
            envelope.label.tlp.word()
        ),
        None => "Its envelope is of a form that this program does not read: ask for a newer one.".to_owned(),
    });
    lines
}

/// What kind of thing was said, by its own head.
fn object(media: MediaType, bytes: &[u8]) -> Option<String> {
    let head = match media {
        MediaType::Stix => model::stix::head(bytes).ok()?,
        MediaType::MispEvent => model::misp::head(bytes).ok()?,
    };
    Some(format!("the object {}", head.id))
}

fn whom(origin: &Origin, proven: &ProvenStatement) -> Vec<String> {
    vec![
        format!(
            "By the log {origin}, of {}. Its key has signed a checkpoint over {} entries, and this statement is entry \
             {} of them. The key is one that the reader of this page gave, and not one from the file.",
            origin.country(),
            proven.checkpoint.size,
            proven.opening.index
        ),
        "Whoever signed this checkpoint cannot change or remove the statement unnoticed: another checkpoint that does \
         not contain it would be a second history of one log, which anybody can prove with both."
            .to_owned(),
    ]
}

fn when(proven: &ProvenStatement, stamps: &[Stamp], unchecked: bool) -> Vec<String> {
    let witnessed = proven.cosigned.iter().map(|one| {
        let at = Timestamp::from_seconds(i64::try_from(one.seconds).unwrap_or(i64::MAX));
        (at, format!("{at} by the clock of the witness {}, which had seen no other history of this log.", one.witness))
    });
    let stamped = stamps.iter().map(|one| (one.at, format!("{} by the time authority {}.", one.at, one.authority)));
    let mut lines: Vec<(Timestamp, String)> = witnessed.chain(stamped).collect();
    lines.sort();
    let mut out = match lines.first() {
        Some((first, _)) => vec![format!("It existed no later than {first}. By this have signed:")],
        None => vec![
            "That is not shown: nobody whose key the reader gave has signed by when the checkpoint was there."
                .to_owned(),
        ],
    };
    out.extend(lines.into_iter().map(|(_, line)| line));
    if unchecked {
        out.push(
            "The file also holds a time stamp (RFC 3161), which counts for nothing here, since no certificate of its \
             authority was given: entraide verify-proof checks it with --tsa."
                .to_owned(),
        );
    }
    out
}

fn not_shown() -> Vec<String> {
    let lines = [
        "That what was said is true.",
        "That it is still said: it may have been withdrawn since.",
        "That anybody received or read it, or that nothing else was said before or after it.",
        "How long before the time above it was said.",
    ];
    lines.map(str::to_owned).to_vec()
}

fn check(origin: &Origin) -> Vec<String> {
    vec![
        format!(
            "Get the key of {origin}, and those of the witnesses that you believe, from their people and not with this \
             file. Put them into a file of keys, one a line. On a machine that needs no network, run: entraide \
             verify-proof FILE --keys KEYS --words"
        ),
        "The file is a C2SP tlog-proof, and every step can be done with other programs: the body and its salt give the \
         commitment to the body; origin, salt, envelope and that commitment give the entry; the hashes lead from the \
         entry to the root in the checkpoint (RFC 6962); and the signatures under it are those of C2SP signed-note."
            .to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use model::{
        AudienceAt, AudienceId, Commitment, Index, Label, Lane, MemberSet, OpenBody, Opening, Realm, Slot, ThreadId,
        ThreadVersion, Tlp,
    };

    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::commitment;
    use crate::note::Cosigned;
    use crate::tree::TreeHash;

    fn origin() -> Origin {
        "entraide/FR/REAL/0123456789abcdef".parse().unwrap()
    }

    fn proven(sealed: bool, cosigned: Vec<Cosigned>) -> ProvenStatement {
        let bytes = br#"{"type":"identity","spec_version":"2.1","id":"identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
"created":"2026-11-20T08:00:00.000Z","modified":"2026-11-20T08:00:00.000Z","name":"x"}"#;
        let envelope = Envelope {
            realm: Realm::Real,
            lane: Lane::Intelligence,
            thread: ThreadId::new([1; 16]),
            version: ThreadVersion(0),
            previous: None,
            audience: AudienceAt { id: AudienceId::new([4; 16]), version: 2, members: MemberSet::empty().digest() },
            slot: Some(Slot { sequence: 0, previous: None }),
            label: Label::from(Tlp::Amber),
            walled: None,
            media: MediaType::Stix,
        };
        let opening = Opening {
            index: Index(12),
            entry_salt: [1; 32],
            envelope: envelope::encode(&envelope),
            body_commitment: commitment::body_commitment(&[2; 32], bytes),
            body: (!sealed).then(|| OpenBody { salt: [2; 32], bytes: bytes.to_vec() }),
        };
        let checkpoint = Checkpoint { origin: origin(), size: 30, root: TreeHash::new([3; 32]) };
        ProvenStatement { checkpoint, commitment: Commitment::new([5; 32]), opening, cosigned }
    }

    #[test]
    fn a_page_says_what_is_shown_and_what_is_not() {
        let witness = |name: &str, seconds| Cosigned { witness: name.to_owned(), seconds };
        let page = |sealed, cosigned, stamps: Option<&[Stamp]>, note: &str| {
            let proven = proven(sealed, cosigned);
            let extra = super::super::Extra { origin: origin(), opening: proven.opening.clone() };
            let file = ProofFile { extra, index: Index(12), hashes: Vec::new(), checkpoint: note.to_owned() };
            Words::of(&file, &proven, stamps).text()
        };
        let check = |text: &str, holds: &[&str], lacks: &[&str]| {
            let flat = text.replace('\n', " ");
            holds.iter().for_each(|part| assert!(flat.contains(part), "`{part}` is not in {text}"));
            lacks.iter().for_each(|part| assert!(!flat.contains(part), "`{part}` is in {text}"));
        };
        let open = page(false, vec![witness("LV", 1_790_000_060), witness("EE", 1_790_000_000)], None, "");
        let object = "identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";
        check(
            &open,
            &["Proof of statement FR:12", object, "TLP:AMBER", "entry 12 of them", "checkpoint over 30 entries"],
            &["left out"],
        );
        // The earliest time counts, and both clocks are named.
        check(&open, &["no later than 2026-09-21T14:13:20", "the witness EE", "the witness LV"], &["RFC 3161"]);
        let sealed = page(true, Vec::new(), None, "");
        check(&sealed, &["and not what", "left out", "not shown"], &[object, "no later than", "word for word"]);
        let stamp = Stamp { at: Timestamp::from_seconds(1_789_999_000), authority: "Stamps & Co".to_owned() };
        let stamped = page(true, vec![witness("EE", 1_790_000_000)], Some(&[stamp]), "");
        check(&stamped, &["no later than 2026-09-21T13:56:40", "time authority Stamps & Co", "the witness EE"], &[]);
        let note = format!("x\n\n{}", stamp::line(&[0x30, 0]));
        check(&page(true, Vec::new(), None, &note), &["not shown", "counts for nothing here"], &["no later than"]);
        for text in [open, sealed, stamped] {
            assert!(text.lines().count() < 60, "it fits on a page of A4");
            let long = text.lines().filter(|line| line.chars().count() > LINE && line.contains(' '));
            assert_eq!(long.collect::<Vec<_>>(), Vec::<&str>::new());
        }
    }
}

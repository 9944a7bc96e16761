//! What a letter to a partner without a node says: plain words and the signed file, made from what the gate releases to that
//! partner.

use domain::assist::Word;
use domain::said::Said;
use journal::proof::ProofFile;
use model::extension::assistance::{Agreement, AgreementStep, Answer, Relayed, RelayedWord, Request, RequestPhase};
use model::{EntryRef, MediaType, Origin, Tlp};
use policy::Released;

use super::post::Words;

/// A proof file on its way to a partner, with the words that go with it.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Which statement.
    pub entry: EntryRef,
    /// Its label.
    pub tlp: Tlp,
    /// Does it ask for help, so that it can be answered?
    pub asks: bool,
    /// In plain words.
    pub text: String,
    /// The signed file.
    pub file: ProofFile,
}

/// The subject of every mail: whose node, and which letter. Nothing of what it says.
#[must_use]
pub fn subject(here: &Origin, number: i64) -> String {
    let realm = if here.realm().is_real() { String::new() } else { format!(" {}", here.realm()) };
    format!("Entraide {}{realm}: letter {number}", here.country())
}

/// What a mail says for which there is no key: that there is something, its label, and whom to call.
#[must_use]
pub fn notice(here: &Origin, name: &str, tlp: Tlp, words: &Words) -> String {
    let call = words.call.as_deref().map_or_else(|| "Call us.".to_owned(), |call| format!("Call us: {call}."));
    format!(
        "{name} ({}) has a statement for you under TLP:{}. It is not in this mail, because we have no key of yours to \
         encrypt it with.\n{call}\nSend us your PGP key or S/MIME certificate, and tell us its fingerprint over the \
         telephone.\n",
        here.country(),
        tlp.word()
    )
}

/// The words of a statement for whoever gets it by mail.
#[must_use]
pub fn plain(name: &str, entry: EntryRef, tlp: Tlp, file: &ProofFile, words: &Words) -> String {
    let mut text = format!("{name} says, as entry {entry} of its log, under TLP:{}:\n\n", tlp.word());
    text.push_str(&in_words(file));
    text.push_str("\nTo answer, write to the address from which this came, signed with your key");
    match &words.call {
        Some(call) => text.push_str(&format!(", or call {call}.\n")),
        None => text.push_str(", or call us.\n"),
    }
    text.push_str(
        "\nThe attached file is the statement word for word, with the proof that it stands in our log. It verifies \
         without us: entraide open FILE --keys OUR-KEYS\n",
    );
    text
}

/// What the statement in a file says, in words; what has no words here is in the file.
#[must_use]
pub fn in_words(file: &ProofFile) -> String {
    let other = || "What it says is in the file itself.\n".to_owned();
    let Some(body) = &file.extra.opening.body else { return "Its words are left out of the file.\n".to_owned() };
    let Ok(Said::Assist(_, word)) = Said::read(MediaType::Stix, &body.bytes) else { return other() };
    match *word {
        Word::Request(request) => asked(&request),
        Word::Agreement(agreement) => agreed(&agreement),
        Word::Relayed(said) => relayed(&said),
        Word::Offer(_)
        | Word::Mission(_)
        | Word::Mandate(_)
        | Word::Helpers(_)
        | Word::Room(_)
        | Word::Acknowledgement(_) => other(),
    }
}

fn asked(request: &Request) -> String {
    let state = match request.phase {
        RequestPhase::Open => "HELP IS ASKED",
        RequestPhase::Anticipated => "Help may be needed",
        RequestPhase::Closed => "Help is no longer needed: the call is closed",
        RequestPhase::Withdrawn => "The call for help is withdrawn",
    };
    let mut text = format!("{state}: {} ({})\n", request.title, request.number);
    if request.life_at_risk {
        text.push_str("LIFE OR HEALTH IS AT RISK.\n");
    }
    text.push_str(&format!("Somebody must be on the case by {}.\n", request.by_when));
    for line in &request.lines {
        let place = line.place.as_ref().map(|place| format!(", {place}")).unwrap_or_default();
        let quantity = u32::from(line.quantity);
        text.push_str(&format!("  line {}: {} x {}, {}{place}\n", line.line, quantity, line.kind, line.mode));
    }
    if let Some(situation) = &request.situation {
        text.push_str(&format!("What happened: {situation}\n"));
    }
    text.push_str(&format!("Call: {}\n", request.call));
    text
}

fn agreed(agreement: &Agreement) -> String {
    match &agreement.step {
        AgreementStep::Accept { lines, terms, emergency } => {
            let mut text = "Your offer is accepted:\n".to_owned();
            for line in lines {
                text.push_str(&format!("  line {}: {}\n", line.line, u32::from(line.quantity)));
            }
            if let Some(terms) = terms {
                text.push_str(&format!("Terms: {terms}\n"));
            }
            if *emergency {
                text.push_str("Paper follows within 30 days.\n");
            }
            text.push_str("It is in force once you tell us that you sign.\n");
            text
        }
        AgreementStep::Retract { reason } => {
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("The acceptance of your offer is taken back{reason}\n")
        }
        AgreementStep::Countersign
        | AgreementStep::Decline { .. }
        | AgreementStep::Acknowledge
        | AgreementStep::End { .. } => "What it says is in the file itself.\n".to_owned(),
    }
}

/// What we took down as the partner's word, so that it can contradict.
fn relayed(said: &Relayed) -> String {
    let mut text = format!("We have taken down what {} said for {}:\n", said.said_by, said.partner_name);
    text.push_str(&answer(&said.said));
    text.push_str("If this is not what you said, call us at once.\n");
    text
}

/// An answer in words, as it is read back and shown.
#[must_use]
pub fn answer(said: &RelayedWord) -> String {
    let offer = match said {
        RelayedWord::Agreement(step) => return step_in_words(step),
        RelayedWord::Offer(offer) => offer,
    };
    let mut text = match offer.answer {
        Answer::Yes => format!("YES. It may be accepted until {}. You offer:\n", offer.valid_until),
        Answer::Maybe => "MAYBE: you are to be called.\n".to_owned(),
        Answer::No => "NO, not this time.\n".to_owned(),
        Answer::Withdrawn => "What you offered earlier is TAKEN BACK.\n".to_owned(),
    };
    for line in &offer.lines {
        text.push_str(&format!("  line {}: {}, {}\n", line.line, u32::from(line.quantity), line.mode));
    }
    if let Some(note) = &offer.note {
        text.push_str(&format!("You add: {note}\n"));
    }
    text.push_str(&format!("Whom to call: {}\n", offer.call));
    text
}

fn step_in_words(step: &AgreementStep) -> String {
    let because =
        |reason: &Option<String>| reason.as_ref().map(|reason| format!(", because: {reason}")).unwrap_or_default();
    match step {
        AgreementStep::Countersign => "You SIGN what was accepted of your offer: it is in force.\n".to_owned(),
        AgreementStep::Decline { reason } => format!("You do NOT SIGN what was accepted{}.\n", because(reason)),
        AgreementStep::Acknowledge => "You have read that the acceptance is taken back.\n".to_owned(),
        AgreementStep::End { fulfilled: true, reason } => {
            format!("What was agreed is DONE, and ends{}.\n", because(reason))
        }
        AgreementStep::End { fulfilled: false, reason } => {
            format!("You END what is in force, and call your people home{}.\n", because(reason))
        }
        AgreementStep::Accept { .. } | AgreementStep::Retract { .. } => String::new(),
    }
}

/// The mail as it is encrypted: the words, and the file beside them (RFC 2046 §5.1.3). Everything is in base64, so that no
/// line of what somebody wrote is read as a header or a boundary.
#[must_use]
pub fn mime(letter: &Released<Letter>) -> Vec<u8> {
    let Letter { entry, text, file, .. } = letter.as_ref();
    let name = format!("{}.tlog-proof", entry.to_string().replace(':', "-"));
    let part = |head: &str, bytes: &[u8]| {
        format!("--entraide\r\n{head}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n", base64_lines(bytes))
    };
    let mut out = "Content-Type: multipart/mixed; boundary=\"entraide\"\r\nMIME-Version: 1.0\r\n\r\n".to_owned();
    out.push_str(&part("Content-Type: text/plain; charset=utf-8", text.as_bytes()));
    let head = format!(
        "Content-Type: application/octet-stream; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\""
    );
    out.push_str(&part(&head, file.write().as_bytes()));
    out.push_str("--entraide--\r\n");
    out.into_bytes()
}

/// Base64 in lines of 76 letters (RFC 2045 §6.8).
fn base64_lines(bytes: &[u8]) -> String {
    let all = data_encoding::BASE64.encode(bytes);
    let lines: Vec<&str> =
        all.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    lines.join("\r\n")
}

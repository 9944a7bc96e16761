//! The mailbox: mail of partners without a node comes in, is opened and checked, and waits on a list. A person makes it the
//! relayed word of the partner, or sets it aside; nothing of it is done by itself.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use intake::mail::{self, Content};
use journal::note::NoteVerifier;
use journal::proof::{self, ProofFile};
use model::Citation;
use model::extension::assistance::{RelayWay, Sha256Digest};
use sha2::{Digest, Sha256};
use store::{Db, MailRow, MailSignature, MailState, ReachedRow, StoreError};
use tokio::sync::watch;

use super::letter;
use crate::actor::Actor;
use crate::alert;
use crate::assist::relay::{self, Saying, Source, Written};
use crate::assist::{AssistError, Spoken};
use crate::identities;
use crate::limits;
use crate::ports::{MailCipher, MailStandard, Mailbox, RawMail, Signed};
use crate::work::{View, Work};
use crate::writer::{Node, WriteError};

/// Why nothing was done with a mail.
#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What it says has no place.
    #[error(transparent)]
    Assist(#[from] AssistError),
    /// No such mail.
    #[error("there is no mail {0}: list them with `entraide mailbox list`")]
    Unknown(i64),
    /// Somebody was faster.
    #[error("mail {0} was {1} already")]
    Decided(i64, &'static str),
    /// No key that was compared has signed it.
    #[error("no key that was compared by telephone has signed mail {0}: call them, and use `entraide assist relay`")]
    Unsigned(i64),
    /// No reason.
    #[error("say in one line of at most 200 bytes why it is set aside")]
    Reason,
}

/// Takes mail in until `stop` says so.
pub async fn run(node: Node, mailbox: Arc<dyn Mailbox>, cipher: Arc<dyn MailCipher>, mut stop: watch::Receiver<bool>) {
    loop {
        let turn = async {
            if let Err(why) = once(&node, mailbox.as_ref(), cipher.as_ref()).await {
                tracing::warn!(%why, "the mailbox could not be read");
            }
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = turn => {}
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(Duration::from_secs(limits::MAILBOX_SECONDS)) => {}
        }
    }
}

/// Takes in what is new; each mail is kept here before it is no longer new there.
async fn once(node: &Node, mailbox: &dyn Mailbox, cipher: &dyn MailCipher) -> Result<(), String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let waiting = node.read(|view| view.db.mails_waiting()).await.map_err(|error| told(&error))?;
    // A flood stays where it is: it fills the mail server and not the node.
    let room = limits::MAILS_WAITING.saturating_sub(usize::try_from(waiting).unwrap_or(usize::MAX));
    for raw in mailbox.fetch(room.min(limits::MAILS_AT_ONCE)).await.map_err(|error| error.reason)? {
        let digest: [u8; 32] = Sha256::digest(&raw.bytes).into();
        let known = node.read(move |view| view.db.has_mail(&digest)).await.map_err(|error| told(&error))?;
        if !known {
            let row = looked_at(node, cipher, &raw, digest).await?;
            let kept = node.write_quietly(move |work| keep(work, row, &raw.bytes).map(|()| raw.name)).await;
            let name = kept.map_err(|error: WriteError<StoreError>| told(&error))?;
            mailbox.kept(&name).await.map_err(|error| error.reason)?;
        } else {
            mailbox.kept(&raw.name).await.map_err(|error| error.reason)?;
        }
    }
    Ok(())
}

fn keep(work: &mut Work<'_, '_>, row: MailRow, original: &[u8]) -> Result<(), StoreError> {
    work.tx.drop_mails_before(work.now.plus_seconds(-limits::MAIL_KEPT_SECONDS))?;
    let original = &original[..original.len().min(intake::limits::MAIL_BYTES)];
    let row = MailRow { received: work.now, ..row };
    let is_new = work.tx.put_mail(&row, original)?;
    // Whoever is not known wakes nobody: anybody can write.
    if let (true, Some(origin)) = (is_new, &row.origin) {
        let subject = format!("{origin} mail {}", model::bytes::hex(&row.digest[..8]));
        alert::answered_without_node(work, origin, subject, model::Tlp::AmberStrict)?;
    }
    Ok(())
}

/// Opens a mail as far as it can be, and says what it is worth.
async fn looked_at(node: &Node, cipher: &dyn MailCipher, raw: &RawMail, digest: [u8; 32]) -> Result<MailRow, String> {
    let mut row = MailRow {
        id: 0,
        digest,
        received: node.now(),
        sender: String::new(),
        subject: String::new(),
        origin: None,
        encrypted: false,
        signature: MailSignature::Nothing,
        fingerprint: None,
        body: String::new(),
        files: String::new(),
        state: MailState::Waiting,
        decided: None,
        decided_by: None,
        outcome: None,
    };
    let unread = |row: MailRow, why: String| MailRow { signature: MailSignature::Unread, body: why, ..row };
    let outer = match mail::read(&raw.bytes) {
        Ok(outer) => outer,
        Err(error) => return Ok(unread(row, error.to_string())),
    };
    (row.sender, row.subject) = (outer.from, outer.subject);
    let (standard, sealed) = match outer.content {
        Content::Plain { text, files } => return filled(node, row, text, files).await,
        Content::Pgp(sealed) => (MailStandard::Pgp, sealed),
        Content::Smime(sealed) => (MailStandard::Smime, sealed),
    };
    let reached = node.read(known).await.map_err(|error| error.to_string())?;
    let keys = reached.iter().filter(|(of, _)| *of == standard).filter_map(|(_, row)| row.key.clone());
    let keys: Vec<Vec<u8>> = keys.map(|(bytes, _)| bytes).collect();
    let opened = match cipher.open(standard, sealed, keys).await {
        Ok(opened) => opened,
        Err(error) => return Ok(unread(row, error.reason)),
    };
    row.encrypted = opened.encrypted;
    match opened.signed {
        Signed::Nothing => {}
        Signed::Bad => row.signature = MailSignature::Bad,
        Signed::Unknown => row.signature = MailSignature::Unknown,
        Signed::By(fingerprint) => {
            let is_by = |row: &&(MailStandard, ReachedRow)| {
                row.1.key.as_ref().is_some_and(|(_, known)| known.eq_ignore_ascii_case(&fingerprint))
            };
            let partner = reached.iter().find(is_by);
            row.signature = if partner.is_some() { MailSignature::Good } else { MailSignature::Unknown };
            row.origin = partner.map(|(_, partner)| partner.origin.clone());
            row.fingerprint = Some(fingerprint);
        }
    }
    match mail::read(&opened.plain).map(|inner| inner.content) {
        // What is inside of what was opened is not opened again.
        Ok(Content::Pgp(_) | Content::Smime(_)) => Ok(MailRow { body: "it is encrypted twice".to_owned(), ..row }),
        Ok(Content::Plain { text, files }) if !text.is_empty() || !files.is_empty() => {
            filled(node, row, text, files).await
        }
        // Text alone, without a mail's head.
        Ok(Content::Plain { .. }) | Err(_) => {
            let text = String::from_utf8_lossy(&opened.plain);
            let letters = text.chars().filter(|letter| *letter == '\n' || !letter.is_control());
            Ok(MailRow { body: letters.take(intake::limits::MAIL_TEXT_BYTES / 4).collect(), ..row })
        }
    }
}

/// The keys of partners without a node whose people were called.
fn known(view: &View<'_, '_>) -> Result<Vec<(MailStandard, ReachedRow)>, StoreError> {
    let mut all = Vec::new();
    for row in view.db.all_reached()? {
        let log = view.db.log_id(&row.origin)?;
        let partner = log.map(|log| view.db.partner(log)).transpose()?.flatten();
        let active = partner.filter(|partner| partner.state == store::PartnerState::Active);
        if let Some(standard) = active.and_then(|partner| super::post::standard(partner.reach)) {
            all.push((standard, row));
        }
    }
    Ok(all)
}

async fn filled(node: &Node, row: MailRow, text: String, files: Vec<Vec<u8>>) -> Result<MailRow, String> {
    let files = node.read(move |view| judged(view, &files)).await.map_err(|error: StoreError| error.to_string())?;
    Ok(MailRow { body: text, files, ..row })
}

/// What each attached signed file says, and whether the keys that we know prove it.
fn judged(view: &View<'_, '_>, files: &[Vec<u8>]) -> Result<String, StoreError> {
    let mut out = String::new();
    let keys = known_logs(view.db, view)?;
    for bytes in files {
        let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| proof::is_proof(text)) else {
            let _ = writeln!(out, "a file of {} bytes that is no signed file of ours", bytes.len());
            continue;
        };
        match ProofFile::read(text) {
            Err(error) => {
                let _ = writeln!(out, "a signed file that can't be read: {error}");
            }
            Ok(file) => {
                let entry = model::EntryRef::of(&file.extra.origin, file.index);
                let told = match file.verify(&keys) {
                    Ok(_) => "proven".to_owned(),
                    Err(error) => format!("NOT PROVEN: {error}"),
                };
                let says = letter::in_words(&file);
                let _ = writeln!(out, "{entry}, {told}: {}", says.lines().next().unwrap_or_default());
            }
        }
    }
    Ok(out)
}

fn known_logs(db: &Db<'_>, view: &View<'_, '_>) -> Result<Vec<NoteVerifier>, StoreError> {
    let mut all = Vec::new();
    for (origin, keys) in identities::all_log_keys(db, &view.me.identity)? {
        // A key that no note can name verifies nothing.
        all.extend(keys.verifiers(&origin).unwrap_or_default());
    }
    Ok(all)
}

/// A mail that waits.
fn waiting(work: &Work<'_, '_>, id: i64) -> Result<MailRow, MailboxError> {
    let row = work.tx.mail(id)?.ok_or(MailboxError::Unknown(id))?;
    match row.state {
        MailState::Waiting => Ok(row),
        MailState::Relayed | MailState::Dismissed => Err(MailboxError::Decided(id, row.state.word())),
    }
}

/// A person reads a mail as an answer to our call for help: it becomes the relayed word of the partner whose key signed it.
///
/// # Errors
/// It was decided already, no key that was compared has signed it, or what it says has no place.
pub fn relay(
    work: &mut Work<'_, '_>,
    id: i64,
    place: &Citation,
    said_by: &str,
    saying: &Saying,
    by: &Actor,
) -> Result<Spoken, MailboxError> {
    let row = waiting(work, id)?;
    let (Some(origin), Some(fingerprint), MailSignature::Good) = (&row.origin, &row.fingerprint, row.signature) else {
        return Err(MailboxError::Unsigned(id));
    };
    let way =
        if fingerprint.len() == 64 && is_smime(work.tx, origin)? { RelayWay::SmimeMail } else { RelayWay::PgpMail };
    let source = Source { partner: origin.to_string(), said_by: said_by.to_owned(), said_at: Some(row.received) };
    let original = Some(Sha256Digest::new(row.digest));
    let how = Written { way, original, signed_with: Some(fingerprint.clone()) };
    let spoken = relay::written(work, place, &source, saying, &how, &by.login)?;
    let entry = model::EntryRef::of(&work.me.origin, spoken.appended.index);
    work.tx.decide_mail(id, MailState::Relayed, &entry.to_string(), &by.login, work.now)?;
    Ok(spoken)
}

fn is_smime(db: &Db<'_>, origin: &model::Origin) -> Result<bool, StoreError> {
    let log = db.log_id(origin)?;
    let partner = log.map(|log| db.partner(log)).transpose()?.flatten();
    Ok(partner.is_some_and(|partner| partner.reach == model::Reach::MailSmime))
}

/// A person sets a mail aside.
///
/// # Errors
/// It was decided already, or there is no reason.
pub fn dismiss(work: &mut Work<'_, '_>, id: i64, reason: &str, by: &Actor) -> Result<MailRow, MailboxError> {
    let row = waiting(work, id)?;
    if reason.trim().is_empty() || reason.len() > model::limits::NAME_BYTES || reason.chars().any(char::is_control) {
        return Err(MailboxError::Reason);
    }
    work.tx.decide_mail(id, MailState::Dismissed, reason, &by.login, work.now)?;
    Ok(row)
}

//! The worker that has letters go out: what the feed of a partner without a node holds becomes a letter, each letter goes
//! through the gate once more, is noted in the ledger, encrypted, and handed to the mail server.

use std::sync::Arc;
use std::time::Duration;

use domain::assist::case;
use journal::wire::ReleaseKind;
use model::extension::Extension;
use model::extension::assistance::Request;
use model::{EntryRef, Lane, Reach};
use policy::{Facts, Governed, PolicyVersion, Purpose, Released, Viewer};
use store::{Face, LetterFate, LetterRow, ObjectRow, PartnerRow, PartnerState, ReleaseSeq, StatementId, StoreError};
use tokio::sync::watch;

use super::answer;
use super::letter::{self, Letter};
use crate::limits;
use crate::ports::{Mail, MailBody, MailCipher, MailStandard, Post};
use crate::query::entries;
use crate::query::objects::ObjectError;
use crate::successor;
use crate::work::{View, Work};
use crate::writer::{Node, WriteError};

pub use crate::alert::Words;

/// What is to be queued for one partner, and how far its feed was read.
struct Queue {
    partner: PartnerRow,
    statements: Vec<StatementId>,
    reached: ReleaseSeq,
    intelligence: ReleaseSeq,
}

/// Has letters go out until `stop` says so.
pub async fn run(
    node: Node,
    post: Option<Arc<dyn Post>>,
    cipher: Arc<dyn MailCipher>,
    words: Words,
    mut stop: watch::Receiver<bool>,
) {
    if let Err(error) = node.write_quietly(|work| work.tx.letters_again()).await {
        let error: WriteError<StoreError> = error;
        tracing::error!(%error, "letters that were on their way could not be looked at");
    }
    loop {
        let mut changes = node.changes();
        changes.mark_unchanged();
        let turn = async {
            match once(&node, post.as_deref(), cipher.as_ref(), &words).await {
                Ok(pause) => pause,
                Err(why) => {
                    tracing::warn!(%why, "letters could not be looked at");
                    limits::LETTER_SECONDS
                }
            }
        };
        let pause = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            pause = turn => pause,
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            _ = changes.changed() => {}
            () = tokio::time::sleep(Duration::from_secs(pause)) => {}
        }
    }
}

/// Queues what is new and has go out what is due; answers how many seconds may pass until the next look.
async fn once(node: &Node, post: Option<&dyn Post>, cipher: &dyn MailCipher, words: &Words) -> Result<u64, String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let queues = node.read(queues).await.map_err(|error: StoreError| told(&error))?;
    if !queues.is_empty() {
        let queued = node.write_quietly(move |work| queue(work, &queues)).await;
        queued.map_err(|error: WriteError<StoreError>| told(&error))?;
    }
    let waiting = node.read(|view| view.db.waiting_letters(limits::LETTERS)).await.map_err(|error| told(&error))?;
    for row in waiting {
        if row.next > node.now() {
            let seconds = (row.next.micros() - node.now().micros()) / 1_000_000 + 1;
            return Ok(u64::try_from(seconds).unwrap_or(1).min(limits::LETTER_SECONDS));
        }
        deliver(node, post, cipher, words, row).await?;
    }
    Ok(limits::LETTER_SECONDS)
}

/// What the feeds of partners without a node hold beyond what was queued. Nothing beyond what is signed.
fn queues(view: &View<'_, '_>) -> Result<Vec<Queue>, StoreError> {
    let mut all = Vec::new();
    if !view.signed.standing.speaks() {
        return Ok(all);
    }
    for partner in view.db.partners_of_any_reach()? {
        if partner.reach == Reach::Node || partner.state != PartnerState::Active {
            continue;
        }
        let after = match view.db.served(partner.log)? {
            Some(row) => row.workflow,
            None => successor::first_release(view)?,
        };
        let (mut statements, mut reached) = (Vec::new(), after);
        for row in view.db.feed(partner.log, Lane::Workflow, after, limits::LETTERS)? {
            let Some(statement) = view.db.statement(row.statement)? else { break };
            if statement.log == view.me.log && statement.index.0 >= view.signed.size {
                break;
            }
            reached = row.seq;
            let opens = ReleaseKind::from_code(row.kind).is_some_and(|kind| kind != ReleaseKind::Withdraw);
            if opens && statement.log == view.me.log && is_mailed(view, row.statement)? {
                statements.push(row.statement);
            }
        }
        // Only calls for help and what follows go out: of intelligence nothing waits for it.
        let intelligence = view.db.latest_release()?;
        if reached != after {
            all.push(Queue { partner, statements, reached, intelligence });
        }
    }
    Ok(all)
}

/// Calls for help, what was agreed, and what we took down as their word.
fn is_mailed(view: &View<'_, '_>, statement: StatementId) -> Result<bool, StoreError> {
    let object = view.db.object(statement)?;
    Ok(object.is_some_and(|object| case::TYPES.contains(&object.stix_id.type_name())))
}

fn queue(work: &mut Work<'_, '_>, queues: &[Queue]) -> Result<(), StoreError> {
    for one in queues {
        for statement in &one.statements {
            work.tx.queue_letter(&one.partner.origin, *statement, work.now)?;
        }
        work.tx.partner_served(one.partner.log, one.reached, one.intelligence, work.now)?;
    }
    Ok(())
}

/// How a letter goes out.
enum Way {
    /// Encrypted, with the signed file.
    Sealed { to: String, standard: MailStandard, key: Vec<u8>, letter: Box<Released<Letter>> },
    /// That there is something, and nothing of it.
    Notice { to: String, text: String, asks: bool },
    /// Not at all: what becomes of it instead, and why.
    Not(LetterFate, String),
}

async fn deliver(
    node: &Node,
    post: Option<&dyn Post>,
    cipher: &dyn MailCipher,
    words: &Words,
    row: LetterRow,
) -> Result<(), String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let (asked, said) = (row.clone(), words.clone());
    let way = node.read(move |view| way(view, &asked, &said)).await.map_err(|error| told(&error))?;
    let subject = letter::subject(&node.me().origin, row.id);
    let (body, to, good) = match way {
        Way::Not(fate, why) => return settle(node, LetterRow { fate, why: Some(why), ..row }).await,
        Way::Notice { to, text, asks } => {
            let link = link(node, words, row.id, asks).await?;
            (Ok(MailBody::Plain(text + &link)), to, LetterFate::Noticed)
        }
        Way::Sealed { to, standard, key, letter } => {
            let letter = with_link(node, words, row.id, *letter).await?;
            let sealed = cipher.encrypt(standard, key, letter::mime(&letter)).await;
            let body = sealed.map_err(|error| error.reason).map(|bytes| match standard {
                MailStandard::Pgp => MailBody::Pgp(bytes),
                MailStandard::Smime => MailBody::Smime(bytes),
            });
            (body, to, LetterFate::Sent)
        }
    };
    let mut row = LetterRow { tries: row.tries + 1, ..row };
    let done = match (body, post) {
        (Err(why), _) => Err(why),
        (Ok(_), None) => Err("no mail is configured: write [alerts.mail] into entraide.toml".to_owned()),
        (Ok(body), Some(post)) => {
            // The row of the ledger comes before the bytes, so that a receipt counts what was carried out.
            let begun = LetterRow { fate: LetterFate::Sending, ..row.clone() };
            let is_open = good == LetterFate::Sent;
            match node.write(move |work| begin(work, &begun, is_open)).await {
                Ok(()) => {}
                Err(WriteError::Refused(ObjectError::NotFound)) => {
                    let why = Some("it was taken back before it went out".to_owned());
                    return settle(node, LetterRow { fate: LetterFate::Denied, why, ..row }).await;
                }
                Err(error) => return Err(told(&error)),
            }
            let key = format!("{}-{}-{}", node.me().origin.root(), row.statement.0, row.origin.root());
            post.send(Mail { key, to, subject, body }).await.map_err(|error| error.reason)
        }
    };
    match done {
        Ok(()) => row.fate = good,
        Err(why) => {
            tracing::warn!(letter = row.id, %why, "a letter did not go out");
            row.fate = if row.tries < limits::LETTER_TRIES { LetterFate::Waiting } else { LetterFate::Failed };
            row.next = node.now().plus_seconds(again(row.tries));
            row.why = Some(why);
            return settle(node, row).await;
        }
    }
    row.why = None;
    settle(node, row).await
}

/// The letter with the link to the page on which a call for help is answered.
async fn with_link(node: &Node, words: &Words, id: i64, letter: Released<Letter>) -> Result<Released<Letter>, String> {
    let link = link(node, words, id, letter.as_ref().asks).await?;
    Ok(letter.map(|letter| Letter { text: letter.text + &link, ..letter }))
}

/// Where a call for help is answered. The link opens nothing by itself.
async fn link(node: &Node, words: &Words, id: i64, asks: bool) -> Result<String, String> {
    if words.address.is_none() || !asks {
        return Ok(String::new());
    }
    let link = node.write_quietly(move |work| answer::link(work, id)).await;
    let link = link.map_err(|error: WriteError<StoreError>| error.to_string())?;
    let address = answer::address(words, &link).unwrap_or_default();
    Ok(format!("\nOr answer on this page; call us for the code that opens it once:\n{address}\n"))
}

/// Seconds until the next try: a minute, and twice as long each time.
fn again(tries: u32) -> i64 {
    60 << tries.saturating_sub(1).min(6)
}

async fn settle(node: &Node, row: LetterRow) -> Result<(), String> {
    let done = node.write_quietly(move |work| work.tx.put_letter(&row)).await;
    done.map_err(|error: WriteError<StoreError>| error.to_string())
}

/// Notes that it is on its way; content that leaves is noted in the ledger with it.
fn begin(work: &mut Work<'_, '_>, row: &LetterRow, is_open: bool) -> Result<(), ObjectError> {
    if is_open {
        crate::ledger::note_for(work, row.statement, &format!("partner:{}", row.origin), Face::Mail)?;
    }
    Ok(work.tx.put_letter(row)?)
}

fn way(view: &View<'_, '_>, row: &LetterRow, words: &Words) -> Result<Way, StoreError> {
    let gone = || Way::Not(LetterFate::Denied, "it is no longer for that partner".to_owned());
    let log = view.db.log_id(&row.origin)?;
    let partner = log.map(|log| view.db.partner(log)).transpose()?.flatten();
    let active = partner.filter(|partner| partner.state == PartnerState::Active);
    let (Some(partner), Some(ways)) = (active, view.db.reached(&row.origin)?) else { return Ok(gone()) };
    let Some(object) = view.db.object(row.statement)? else { return Ok(gone()) };
    let Some(letter) = released(view, &partner, &object, words)? else { return Ok(gone()) };
    let Some(to) = ways.mail else {
        return Ok(Way::Not(LetterFate::Call, format!("call {}", ways.telephone)));
    };
    Ok(match (standard(partner.reach), ways.key) {
        (Some(standard), Some((key, _))) => Way::Sealed { to, standard, key, letter: Box::new(letter) },
        (_, _) => {
            let text = letter::notice(&view.me.origin, &view.me.name, object.tlp, words);
            Way::Notice { to, text, asks: letter.as_ref().asks }
        }
    })
}

/// The standard by which mail goes that way, if it goes by mail.
#[must_use]
pub fn standard(reach: Reach) -> Option<MailStandard> {
    match reach {
        Reach::MailPgp => Some(MailStandard::Pgp),
        Reach::MailSmime => Some(MailStandard::Smime),
        Reach::Node | Reach::Misp | Reach::Taxii | Reach::Phone => None,
    }
}

/// The letter, if the gate lets the partner have the statement now.
pub(super) fn released(
    view: &View<'_, '_>,
    partner: &PartnerRow,
    object: &ObjectRow,
    words: &Words,
) -> Result<Option<Released<Letter>>, StoreError> {
    let entry = EntryRef::of(&view.me.origin, object.index);
    let viewer = Viewer::Partner { origin: partner.origin.clone(), class: partner.class };
    match entries::released_proof(view, &viewer, entry, false) {
        Ok(file) => Ok(Some(file.map(|file| Letter {
            entry,
            tlp: object.tlp,
            asks: object.stix_id.type_name() == Request::KIND,
            text: letter::plain(&view.me.name, entry, object.tlp, &file, words),
            file,
        }))),
        Err(ObjectError::NotFound) => Ok(None),
        Err(ObjectError::Store(error)) => Err(error),
    }
}

struct Listed {
    entry: EntryRef,
    row: LetterRow,
    facts: Facts,
}

impl Governed for Listed {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

/// The newest letters to a partner, about statements that the viewer may see.
///
/// # Errors
/// The database.
pub fn letters(
    view: &View<'_, '_>,
    viewer: &Viewer,
    partner: &PartnerRow,
) -> Result<Released<Vec<(EntryRef, LetterRow)>>, StoreError> {
    let mut all = Vec::new();
    for row in view.db.letters(&partner.origin, limits::PAGE_ROWS)? {
        let Some(object) = view.db.object(row.statement)? else { continue };
        let entry = EntryRef::of(&view.db.origin(object.log)?, object.index);
        all.push(Listed { entry, row, facts: crate::query::facts_of_row(view, &object)? });
    }
    let all = policy::release_all(all, viewer, Purpose::Read, &PolicyVersion::CURRENT);
    Ok(all.map(|all| all.into_iter().map(|one| (one.entry, one.row)).collect()))
}

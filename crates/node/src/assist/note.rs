//! Messages of a case: short, to the other party alone, behind the wall.

use domain::assist::room::{self, Room};
use model::extension::Common;
use model::extension::assistance::Note;
use model::{Citation, Origin, Tlp, Walled};

use super::{AssistError, Spoken, gather, speak};
use crate::audience;
use crate::work::Work;

/// A new message.
#[derive(Debug, Clone)]
pub struct NewNote {
    /// What is said.
    pub text: String,
    /// To whom, as a country: needed where several could be meant.
    pub to: Option<String>,
    /// Who may see it at the other party.
    pub tlp: Tlp,
}

/// Says something to the other party of a case, named by any statement of it.
///
/// # Errors
/// There is no such case here, or nobody such to say it to; nothing is said then.
pub fn say(work: &mut Work<'_, '_>, place: &Citation, new: &NewNote) -> Result<Spoken, AssistError> {
    let case = super::case_at(work, place)?;
    let to = match (case.place.origin == work.me.origin, &new.to) {
        (false, None) => case.place.origin.clone(),
        (false, Some(name)) if *name == case.place.origin.country().as_str() => case.place.origin.clone(),
        (false, Some(_)) => return Err(AssistError::NotYours(case.place.origin.country().to_string())),
        (true, Some(name)) => addressed(work, &case.place, name)?,
        (true, None) => match case.offers.as_slice() {
            [one] => one.provider().clone(),
            _ => return Err(AssistError::Field("say to whom (`to`): EE".to_owned())),
        },
    };
    let common: Common = speak::common::<Note>(work)?;
    let note = Note { common, case: case.place.clone(), to: to.clone(), text: new.text.clone() };
    let appended = speak::in_room(work, &to, new.tlp, Walled::HelpConversation, &note)?;
    Ok(Spoken { appended, request: case.place })
}

/// A partner to whom the call for help was said: to anybody else its case would be news.
fn addressed(work: &Work<'_, '_>, request: &Citation, name: &str) -> Result<Origin, AssistError> {
    let named = audience::find_members(work.tx, &[name.to_owned()])?;
    let statement = work.tx.statement_at(work.me.log, request.index)?.ok_or(AssistError::Unknown)?;
    let reached = crate::query::reached(work.tx, statement.id)?;
    let found = named.as_slice().iter().find(|origin| reached.contains(origin)).cloned();
    let why = || AssistError::Field(format!("the call for help was not said to {name}: name one that has it"));
    found.ok_or_else(why)
}

/// The case room of the case to which a place belongs, as this node holds it.
///
/// # Errors
/// No such case here.
pub fn room_at(work: &Work<'_, '_>, place: &Citation) -> Result<(super::Case, Room), AssistError> {
    let log = work.tx.log_id(&place.origin)?.ok_or(AssistError::Unknown)?;
    let heard = gather::heard(work.tx, work.signer, log, place.index)?;
    let heard: Vec<_> = heard.into_iter().map(|(_, heard)| heard).collect();
    let case = domain::assist::case::fold(&heard).ok_or(AssistError::Unknown)?;
    let room = room::fold(&case, &heard);
    Ok((case, room))
}

//! The call for help: a hospital group in France is hit, Estonia and Germany offer, Germany takes its offer back while it is
//! being accepted, Estonia signs, and somebody is on the case.

use std::time::Duration;

use domain::assist::agreement::State;
use domain::assist::case::Case;
use model::extension::assistance::{
    Answer, Capacity, Funding, HelpKind, LegalBasis, Level, Line, MissionPhase, Mode, Payer, Quantity, RequestLine,
    RequestPhase, Sector, Severity,
};
use model::{Citation, EntryRef, Tlp};
use node::Node;
use node::assist::{self, Ask, AssistError, FollowUp, Progress, Reply, Spoken};
use node::audience::Choice;
use node::commit::Signature;
use node::query::objects::ObjectError;

use super::DemoError;
use super::fleet::Fleet;
use super::report::say;
use super::{gate, mail, measure};

/// The nodes of the demonstration let one person speak.
const ONE: Signature = Signature::ONE_PERSON;

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Helped {
    /// From the request until the first answer is at the requester.
    pub(super) first_answer: Duration,
    /// From the request until the agreement is in force at the requester.
    pub(super) agreement: Duration,
    /// From then until a helper is in by ssh, where that can be played.
    pub(super) access: Option<Duration>,
    /// Lines of the request with enough in force.
    pub(super) lines_covered: usize,
    /// What is in force beyond what was offered, summed over all nodes: none may be.
    pub(super) double_bookings: u32,
}

/// Plays it among nodes that are up, to the community `everybody`.
pub(super) async fn play(fleet: &Fleet, everybody: &str) -> Result<Helped, DemoError> {
    let france = fleet.of("FR")?.node().clone();
    let [estonia, germany] = [fleet.of("EE")?.node().clone(), fleet.of("DE")?.node().clone()];
    keeps(&estonia).await?;
    let begun = tokio::time::Instant::now();
    let request = asks(&france, everybody).await?;
    for partner in [&estonia, &germany] {
        measure::until("the call for help arrives", || holds(partner, &request)).await?;
    }
    let fills = fills(&estonia, &request).await?;
    let offers = [
        offers(&estonia, &request, assist::From::Matched).await?,
        offers(&germany, &request, assist::From::Asked).await?,
    ];
    measure::until("the first answer is there", || async {
        Ok(case(&france, &request).await?.is_some_and(|case| !case.offers.is_empty()))
    })
    .await?;
    let first_answer = begun.elapsed();
    measure::until("both answers are there", || async {
        Ok(case(&france, &request).await?.is_some_and(|case| case.offers.len() == 2))
    })
    .await?;
    say(&format!(
        "• a hospital group in France is hit: help is asked, and offered after {} ms",
        first_answer.as_millis()
    ));
    say(&fills);
    mail::offers(&france, &request).await?;
    crossing(&france, &germany, &request, &offers[1]).await?;
    let taken = accepted(&france, &offers[0]).await?;
    measure::until("the acceptance arrives", || holds(&estonia, &taken)).await?;
    let place = taken.clone();
    spoken("Estonia signs", &estonia, move |work| assist::follow_up(work, &place, FollowUp::Countersign, &ONE)).await?;
    measure::until("the agreement is in force", || in_force(&france, &request)).await?;
    let agreement = begun.elapsed();
    mission(&estonia, &taken).await?;
    measure::until("somebody is on the case", || async {
        let case = case(&france, &request).await?;
        Ok(case.is_some_and(|case| {
            case.offers.iter().flat_map(|offer| &offer.agreements).any(|one| one.mission.is_some())
        }))
    })
    .await?;
    let (lines_covered, double_bookings) = counted(fleet, &request).await?;
    say(&format!("    Estonia signs after {} ms, and its people are on the case", agreement.as_millis()));
    let access = gate::play(fleet.of("FR")?, &estonia, &taken).await?;
    Ok(Helped { first_answer, agreement, access, lines_covered, double_bookings })
}

async fn asks(france: &Node, everybody: &str) -> Result<Citation, DemoError> {
    let at = DemoError::at("France asks for help");
    let (line, quantity) = (Line::try_from(1), Quantity::try_from(2));
    let need = RequestLine {
        line: line.map_err(|error| at(&error))?,
        kind: HelpKind::Forensics,
        quantity: quantity.map_err(|error| at(&error))?,
        mode: Mode::Remote,
        place: None,
        from: None,
        until: None,
        languages: vec!["en".to_owned()],
        clearance: None,
        level: None,
        priority: 1,
        planned_use: None,
    };
    let by_when = france.now().plus_seconds(3 * 3_600);
    let ask = Ask {
        title: "Hospital group encrypted; two analysts wanted from afar".to_owned(),
        call: "CERT-FR duty officer (invented)".to_owned(),
        by_when,
        basis: LegalBasis::CsirtsNetwork,
        funding: Funding::Own,
        life_at_risk: true,
        emergency: false,
        severity: Some(Severity::Significant),
        essential: true,
        sectors: vec![Sector::Health],
        situation: None,
        mitigation: None,
        answer_by: None,
        expires: None,
        lines: vec![need],
        tlp: Tlp::Green,
        audience: Choice::Named(everybody.to_owned()),
    };
    Ok(spoken("France asks for help", france, move |work| assist::ask(work, &ask, &ONE)).await?.request)
}

/// Estonia keeps a team that it can lend: a statement to itself alone.
async fn keeps(estonia: &Node) -> Result<(), DemoError> {
    let at = DemoError::at("Estonia keeps a capacity");
    let quantity = Quantity::try_from(4).map_err(|error| at(&error))?;
    let kept = estonia.write(move |work| {
        assist::capacity::add(work, |common| Capacity {
            common,
            name: "night team (invented)".to_owned(),
            kind: HelpKind::Forensics,
            level: Level::Expert,
            quantity,
            mode: Mode::Either,
            windows: Vec::new(),
            stood_down: false,
            ready_hours: 1,
            travel_hours: 8,
            duration_hours: Some(96),
            recovery_hours: 12,
            team_size: None,
            skills: Vec::new(),
            tools: Vec::new(),
            sectors: vec![Sector::Health],
            languages: vec!["et".to_owned(), "en".to_owned()],
            clearance: None,
            certifications: Vec::new(),
            host_needs: None,
            rate: None,
            call: "duty officer (invented)".to_owned(),
            limits: None,
            provider: None,
        })
    });
    kept.await.map_err(|error| at(&error))?;
    Ok(())
}

/// Estonia's node says what it could fill, before anything leaves it.
async fn fills(estonia: &Node, request: &Citation) -> Result<String, DemoError> {
    let at = DemoError::at("Estonia's node proposes");
    let name = EntryRef::of(&request.origin, request.index);
    let seen = estonia.read(move |view| {
        let viewer = node::Actor::machine().viewer(&view.me.origin);
        node::query::capacities::matches(view, &viewer, name)
    });
    let made = seen.await.map_err(|error| at(&error))?.into_inner();
    let asked = |need: usize| made.needs.get(need).is_some_and(|need| need.request == made.case.place);
    let filled: u32 = made.proposal.pairings.iter().filter(|pair| asked(pair.need)).map(|pair| pair.quantity).sum();
    if filled == 0 {
        return Err(at(&"it could fill nothing"));
    }
    let why = made.proposal.pairings.iter().find(|pair| asked(pair.need)).map_or("", |pair| pair.why.as_str());
    Ok(format!("    Estonia's node says, to Estonia alone: you can fill {filled} ({why})"))
}

/// One tap of *yes*: everything that is asked.
fn tap(answer: Answer) -> Reply {
    Reply {
        answer,
        call: "duty officer (invented)".to_owned(),
        payer: Payer::Provider,
        recall_hours: Some(24),
        valid_until: None,
        note: None,
        lines: Vec::new(),
        from: assist::From::Asked,
    }
}

async fn offers(partner: &Node, request: &Citation, from: assist::From) -> Result<Citation, DemoError> {
    let place = request.clone();
    let reply = Reply { from, ..tap(Answer::Yes) };
    let said = spoken("a partner offers", partner, move |work| assist::reply(work, &place, &reply, &ONE)).await?;
    own(partner, &said)
}

/// Germany takes its offer back at the moment at which France accepts it: Germany's log decides, and both nodes say *lapsed*.
async fn crossing(france: &Node, germany: &Node, request: &Citation, offer: &Citation) -> Result<(), DemoError> {
    let place = request.clone();
    let (back, taken) = tokio::join!(
        spoken("Germany takes back", germany, move |work| assist::reply(work, &place, &tap(Answer::Withdrawn), &ONE)),
        accepted(france, offer),
    );
    back?;
    // Whether France had heard of it by then or not, nothing of Germany's is in force anywhere.
    let heard_first = taken.is_err();
    let lapsed = |case: &Case| {
        let mut of_germany = case.offers.iter().filter(|other| other.provider() == &offer.origin);
        of_germany.all(|other| {
            let none = other.agreements.iter().all(|agreed| agreed.state == State::Lapsed);
            other.offer.answer == Answer::Withdrawn && none && (heard_first || !other.agreements.is_empty())
        })
    };
    for node in [france, germany] {
        measure::until("the crossing ends alike", || async {
            Ok(case(node, request).await?.as_ref().is_some_and(lapsed))
        })
        .await?;
    }
    say("    Germany takes its offer back while France accepts it: lapsed on both nodes, nothing is booked twice");
    Ok(())
}

async fn accepted(france: &Node, offer: &Citation) -> Result<Citation, DemoError> {
    let place = offer.clone();
    let said =
        spoken("France accepts", france, move |work| assist::accept(work, &place, &[], None, (false, &ONE))).await?;
    own(france, &said)
}

async fn mission(estonia: &Node, taken: &Citation) -> Result<(), DemoError> {
    let news = Progress {
        phase: MissionPhase::OnTask,
        leader: Some("leader of the team (invented)".to_owned()),
        report: None,
        hours: None,
        cost_cents: None,
    };
    let place = taken.clone();
    spoken("Estonia begins its mission", estonia, move |work| assist::mission(work, &place, &news, &ONE)).await?;
    Ok(())
}

/// Lines that are covered as France sees it, and what is in force beyond what was offered as anybody sees it.
async fn counted(fleet: &Fleet, request: &Citation) -> Result<(usize, u32), DemoError> {
    let mut covered = 0;
    let mut twice = 0;
    for member in &fleet.members {
        let node = member.node();
        let Some(case) = case(node, request).await? else { continue };
        let now = node.now();
        for line in &case.request.lines {
            let have = case.coverage(line, now);
            if node.me().origin == request.origin {
                covered += usize::from(have.committed >= have.asked);
            }
            let offered: u32 = case
                .offers
                .iter()
                .flat_map(|offer| &offer.offer.lines)
                .filter(|offered| offered.line == line.line)
                .map(|offered| u32::from(offered.quantity))
                .sum();
            twice += have.committed.saturating_sub(offered);
        }
        if case.request.phase != RequestPhase::Open {
            return Err(DemoError::at("the call for help")(&"it is not open everywhere"));
        }
    }
    Ok((covered, twice))
}

pub(super) fn own(node: &Node, said: &Spoken) -> Result<Citation, DemoError> {
    let appended = &said.appended;
    Ok(Citation { origin: node.me().origin.clone(), index: appended.index, commitment: appended.commitment })
}

async fn spoken(
    what: &'static str,
    node: &Node,
    say: impl FnOnce(&mut node::Work<'_, '_>) -> Result<Spoken, AssistError> + Send + 'static,
) -> Result<Spoken, DemoError> {
    node.write(say).await.map_err(|error| DemoError::at(what)(&error))
}

async fn in_force(node: &Node, request: &Citation) -> Result<bool, DemoError> {
    let case = case(node, request).await?;
    Ok(case.is_some_and(|case| {
        case.offers.iter().flat_map(|offer| &offer.agreements).any(|agreed| agreed.state.is_in_force())
    }))
}

async fn holds(node: &Node, place: &Citation) -> Result<bool, DemoError> {
    Ok(case(node, place).await?.is_some())
}

/// The case as the duty officers of a node see it.
pub(super) async fn case(node: &Node, place: &Citation) -> Result<Option<Case>, DemoError> {
    let name = EntryRef::of(&place.origin, place.index);
    let seen = node.read(move |view| {
        let viewer = node::Actor::machine().viewer(&view.me.origin);
        match node::query::assist::one(view, &viewer, name) {
            Ok(shown) => Ok(Some(shown.into_inner().case)),
            Err(ObjectError::NotFound) => Ok(None),
            Err(ObjectError::Store(error)) => Err(error),
        }
    });
    seen.await.map_err(|error| DemoError::at("a call for help")(&error))
}

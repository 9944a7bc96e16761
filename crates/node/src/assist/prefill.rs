//! The lines of an offer as matching would fill them, so that a duty officer says *yes* with one word.

use domain::assist::capacity::Version;
use domain::assist::case::Case;
use domain::assist::matching::{self, Need, Source};
use model::Citation;
use model::extension::assistance::{Draw, Mode, OfferLine, Quantity};

use super::capacity::{holdings, without_reserved_for};
use super::{AssistError, From};
use crate::work::Work;

/// What own capacities fill of a call for help.
///
/// # Errors
/// One that is named is not there, they fill nothing, or something of our offer is taken already.
pub(super) fn lines(work: &Work<'_, '_>, case: &Case, from: &From) -> Result<Vec<OfferLine>, AssistError> {
    let ours = case.offers.iter().find(|offer| *offer.provider() == work.me.origin);
    if ours.is_some_and(|offer| offer.agreements.iter().any(|agreed| !agreed.state.is_over())) {
        let why = "part of our offer is accepted already: say the lines yourself (`--line LINE:QUANTITY`)";
        return Err(AssistError::Field(why.to_owned()));
    }
    let holdings = holdings(work.tx, work.signer, work.me)?;
    let versions: Vec<Version> = holdings.versions.iter().map(|(_, version)| version.clone()).collect();
    let mut pool = holdings.pool(work.me);
    without_reserved_for(&mut pool, &case.place);
    let mut others = case.clone();
    others.offers.retain(|offer| *offer.provider() != work.me.origin);
    let needs: Vec<Need> =
        case.request.lines.iter().filter_map(|line| Need::of(&others, line, &work.me.origin, work.now)).collect();
    let sources: Vec<Source> = match from {
        From::Capacities(places) => {
            let named = |place: &Citation| {
                let known = pool.at(&versions, place).ok_or(AssistError::NoCapacity)?;
                Ok(Source::Own(Box::new(known.clone())))
            };
            places.iter().map(named).collect::<Result<_, AssistError>>()?
        }
        From::Asked | From::Matched => pool
            .capacities
            .into_iter()
            .map(|one| Source::Own(Box::new(one)))
            .take(domain::limits::MATCH_SOURCES)
            .collect(),
    };
    let proposal = matching::propose(&needs, &sources, work.now);
    let lines: Vec<OfferLine> = (0..needs.len()).filter_map(|at| line(&needs, at, &sources, &proposal, work)).collect();
    if lines.is_empty() {
        let why: Vec<&str> = proposal.gaps.iter().map(|gap| gap.why.as_str()).collect();
        let why = if why.is_empty() { "nothing is missing".to_owned() } else { why.join("; ") };
        return Err(AssistError::Unbooked(format!("our capacities fill nothing of it: {why}")));
    }
    Ok(lines)
}

/// One line with everything that goes to it and is there at the same time.
fn line(
    needs: &[Need],
    at: usize,
    sources: &[Source],
    proposal: &matching::Proposal,
    work: &Work<'_, '_>,
) -> Option<OfferLine> {
    let mut pairs: Vec<_> = proposal.pairings.iter().filter(|pair| pair.need == at).collect();
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.quantity));
    let first = pairs.first()?;
    let (mut span, mut draws, mut mode) = (first.fit.span, Vec::new(), first.fit.mode);
    for pair in &pairs {
        let mut both = span;
        both.from = both.from.max(pair.fit.span.from);
        both.until = match (both.until, pair.fit.span.until) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        // A line has one time: who can't be there then is for another answer.
        if both.is_empty() {
            continue;
        }
        span = both;
        mode = if mode == pair.fit.mode { mode } else { Mode::Either };
        let quantity = Quantity::try_from(pair.quantity).ok()?;
        draws.push(Draw { capacity: sources[pair.source].place().clone(), quantity });
    }
    draws.truncate(model::limits::DRAWS);
    let sum: u32 = draws.iter().map(|draw| u32::from(draw.quantity)).sum();
    Some(OfferLine {
        line: needs[at].line,
        quantity: Quantity::try_from(sum).ok()?,
        mode,
        from: (span.from > work.now).then_some(span.from),
        until: span.until,
        conditions: None,
        draws,
    })
}

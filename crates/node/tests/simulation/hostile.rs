//! How a hostile nation spoils what it serves, beside running two copies of itself.

use journal::wire::FeedPage;

use super::Dice;

/// Spoils a page, one way or another. `earlier` is a page that it served before.
pub fn spoil(page: &mut FeedPage, earlier: Option<&FeedPage>, dice: &mut Dice) -> &'static str {
    match dice.below(6) {
        0 => {
            if let Some(earlier) = earlier {
                *page = earlier.clone();
            }
            "an earlier page"
        }
        1 => {
            page.commitments.pop();
            "a commitment left out"
        }
        2 => {
            if let Some(earlier) = earlier {
                page.checkpoint.clone_from(&earlier.checkpoint);
            }
            "an earlier checkpoint"
        }
        3 => {
            page.items.reverse();
            "another order"
        }
        4 => {
            let mut openings: Vec<_> = page.items.iter().map(|item| item.opening.clone()).collect();
            let by = usize::from(!openings.is_empty());
            openings.rotate_left(by);
            for (item, opening) in page.items.iter_mut().zip(openings) {
                item.opening = opening;
            }
            "openings of other entries"
        }
        _ => {
            for opening in page.items.iter_mut().filter_map(|item| item.opening.as_mut()) {
                if let Some(byte) = opening.body.as_mut().and_then(|body| body.bytes.last_mut()) {
                    *byte ^= 1;
                }
            }
            "other bodies"
        }
    }
}

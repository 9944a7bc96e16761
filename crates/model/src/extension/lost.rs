//! `x-entraide-lost`: a nation says which entries of its own log it lost, and that nobody whom it asked could give them
//! back. The commitments stand; what they commit to is known to nobody who answered.

use serde::{Deserialize, Serialize};

use super::{Common, Extension};
use crate::limits;

/// Entries that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostRange {
    /// The index of the first.
    pub first: u64,
    /// How many, at least one.
    pub count: u64,
}

/// What was lost when a log was recovered from partners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Type, id, owner, times.
    #[serde(flatten)]
    pub common: Common,
    /// How many entries the node still had.
    pub had: u64,
    /// How many entries it has known since, by their commitments.
    pub recovered: u64,
    /// The entries between the two whose content nobody gave back, ascending and apart.
    pub lost: Vec<LostRange>,
}

impl Extension for Lost {
    const KIND: &'static str = "x-entraide-lost";

    fn common(&self) -> &Common {
        &self.common
    }

    fn validate(&self) -> Result<(), String> {
        if self.lost.is_empty() || self.lost.len() > limits::LOST_RANGES {
            return Err(format!("`lost` has 1 to {} ranges", limits::LOST_RANGES));
        }
        let mut free = self.had;
        for range in &self.lost {
            let end = range.first.checked_add(range.count).filter(|end| range.count > 0 && *end <= self.recovered);
            match end {
                Some(end) if range.first >= free => free = end,
                Some(_) | None => return Err("`lost` names places between `had` and `recovered`, ascending".to_owned()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_ascend_and_stay_between_what_was_had_and_what_is_known() {
        let owner = "entraide/FR/REAL/0123456789abcdef".parse().unwrap();
        let common = Common::new(Lost::KIND, [1; 16], &owner, crate::Timestamp::from_seconds(0)).unwrap();
        let check = |ranges: &[(u64, u64)], good: bool| {
            let lost = ranges.iter().map(|(first, count)| LostRange { first: *first, count: *count }).collect();
            let said = Lost { common: common.clone(), had: 5, recovered: 20, lost };
            assert_eq!(Lost::read(&said.to_bytes()).is_ok(), good, "{ranges:?}");
        };
        check(&[(5, 1), (7, 3), (19, 1)], true);
        check(&[(5, 15)], true);
        check(&[], false);
        check(&[(4, 1)], false);
        check(&[(5, 0)], false);
        check(&[(19, 2)], false);
        check(&[(5, u64::MAX)], false);
        check(&[(7, 1), (5, 1)], false);
        check(&[(5, 3), (7, 1)], false);
    }
}

//! Time as a number: microseconds since 1970 in UTC, read from and printed as RFC 3339.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Why a time was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time: write RFC 3339 in UTC, such as 2026-11-24T13:54:00Z")]
pub struct TimeError(String);

impl Timestamp {
    /// From microseconds since 1970.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }
    /// From seconds since 1970, clamped to what fits.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }
    /// Microseconds since 1970.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// This moment and `seconds` more (or fewer), clamped to what fits.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }
    /// As an operator reads it: `24 Nov 13:54Z`.
    #[must_use]
    pub fn short(self) -> String {
        self.jiff().map_or_else(|| "?".to_owned(), |t| t.strftime("%-d %b %H:%MZ").to_string())
    }
    /// The year in UTC.
    #[must_use]
    pub fn year(self) -> i16 {
        self.jiff().map_or(1970, |t| jiff::tz::Offset::UTC.to_datetime(t).year())
    }
    /// This moment and some months more by the calendar of a time zone (an IANA name), and the end of that day there. Where
    /// the month has no such date it is the last one (Reg. (EEC, Euratom) 1182/71 Art 3(2)(c)). `None` for no such zone.
    #[must_use]
    pub fn plus_months(self, months: i32, zone: &str) -> Option<(Self, Self)> {
        let zone = jiff::tz::TimeZone::get(zone).ok()?;
        let then = zone.to_datetime(self.jiff()?).checked_add(jiff::Span::new().try_months(months).ok()?).ok()?;
        let end = then.date().tomorrow().ok()?.at(0, 0, 0, 0);
        let of = |local| zone.to_ambiguous_timestamp(local).compatible().ok().map(|t| Self(t.as_microsecond()));
        Some((of(then)?, of(end)?))
    }
    fn jiff(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_microsecond(self.0).ok()
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        text.parse::<jiff::Timestamp>()
            .map(|t| Self(t.as_microsecond()))
            .map_err(|_| TimeError(text.chars().take(60).collect()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.jiff() {
            Some(t) => write!(f, "{t:.6}"),
            None => write!(f, "{}us", self.0),
        }
    }
}
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_end_with_the_day_of_the_same_date_where_they_are_counted() {
        let check = |from: &str, months, zone: &str, target: &str, end: &str| {
            let at = |text: &str| text.parse::<Timestamp>().unwrap();
            assert_eq!(at(from).plus_months(months, zone), Some((at(target), at(end))), "{from}");
        };
        let zone = "Europe/Brussels";
        check("2026-11-30T10:00:00Z", 1, zone, "2026-12-30T10:00:00Z", "2026-12-30T23:00:00Z");
        // No 31st of February, and a leap year.
        check("2027-01-31T10:00:00Z", 1, zone, "2027-02-28T10:00:00Z", "2027-02-28T23:00:00Z");
        check("2028-01-30T10:00:00Z", 1, zone, "2028-02-29T10:00:00Z", "2028-02-29T23:00:00Z");
        // Summer time began meanwhile.
        check("2027-02-27T10:00:00Z", 2, zone, "2027-04-27T09:00:00Z", "2027-04-27T22:00:00Z");
        check("2027-02-27T10:00:00Z", 2, "UTC", "2027-04-27T10:00:00Z", "2027-04-28T00:00:00Z");
        assert_eq!(Timestamp::from_micros(0).plus_months(1, "Europe/Atlantis"), None);
        assert_eq!(Timestamp::from_micros(i64::MAX).plus_months(1, "UTC"), None);
    }

    #[test]
    fn times_read_and_print() {
        let time: Timestamp = "2026-11-24T13:54:00.5Z".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-24T13:54:00.500000Z");
        assert_eq!(time.short(), "24 Nov 13:54Z");
        assert_eq!(time.year(), 2026);
        assert!("yesterday".parse::<Timestamp>().is_err());
        assert_eq!(Timestamp::from_micros(i64::MAX).plus_seconds(1).micros(), i64::MAX);
    }
}

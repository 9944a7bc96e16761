//! A duty roster from outside: CSV or a calendar (iCalendar) in, persons and shifts out, or the one line that is not
//! understood. Nothing is guessed: a file that says something else than this reads is refused whole.

mod calendar;
mod csv;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::Timestamp;
use model::duty::{Contact, Shift};

use crate::limits;

/// What a file says, each with the line on which it begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DutyFile {
    /// Persons.
    pub contacts: Vec<(usize, Contact)>,
    /// Shifts.
    pub shifts: Vec<(usize, Shift)>,
}

/// Why a file was not read: which line, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct DutyFileError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, and what to write instead.
    pub reason: String,
}

fn wrong(line: usize, reason: impl Into<String>) -> DutyFileError {
    DutyFileError { line, reason: reason.into() }
}

/// Reads a file. `zone` is the time zone (an IANA name) of times that name none; recurring shifts are written out until
/// `until`.
///
/// # Errors
/// A line is not understood; nothing of the file counts then.
pub fn read(bytes: &[u8], zone: Option<&str>, until: Timestamp) -> Result<DutyFile, DutyFileError> {
    if bytes.len() > limits::DUTY_BYTES {
        return Err(wrong(1, "the file has more than 512 KiB: split it by months"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        wrong(line, "it is not UTF-8: save the file as UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let zone = zone.map(|name| zone_of(name, 1)).transpose()?;
    if text.trim_start().get(..15).is_some_and(|head| head.eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        calendar::read(text, zone.as_ref(), until)
    } else {
        csv::read(text, zone.as_ref())
    }
}

/// A time zone by its IANA name.
fn zone_of(name: &str, line: usize) -> Result<TimeZone, DutyFileError> {
    let known = if name.len() <= 64 { TimeZone::get(name).ok() } else { None };
    let shown: String = name.chars().filter(|letter| !letter.is_control()).take(60).collect();
    known.ok_or_else(|| wrong(line, format!("`{shown}` is not a time zone: write its IANA name, such as Europe/Paris")))
}

/// A local time as a moment; a time that the clocks pass over, or show twice, as RFC 5545 §3.3.5 takes it: by the offset
/// before the clocks change.
fn moment(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let at = zone.to_ambiguous_timestamp(local).compatible().ok()?;
    Some(Timestamp::from_micros(at.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use model::duty::Post;
    use proptest::prelude::*;

    use super::*;

    fn until() -> Timestamp {
        "2027-06-01T00:00:00Z".parse().unwrap()
    }

    fn shifts(text: &str) -> Vec<(String, String, String)> {
        let read = read(text.as_bytes(), Some("Europe/Paris"), until()).unwrap();
        let row = |(_, shift): (usize, Shift)| {
            let short = |at: Timestamp| at.to_string()[..16].to_owned();
            (shift.person.to_string(), short(shift.from), short(shift.until))
        };
        read.shifts.into_iter().map(row).collect()
    }

    fn refused(text: &str) -> String {
        read(text.as_bytes(), Some("Europe/Paris"), until()).unwrap_err().to_string()
    }

    #[test]
    fn persons_and_shifts_come_as_csv() {
        let text = "person,name,telephone,mail,languages,login\r\n\
            anna,\"Anna \"\"A\"\" Test\",+33 1 00 00 00 00,anna@cert.example,fr en,anna\r\n\
            ben,Ben,+33 1 00 00 00 01,,,\r\n";
        let read = read(text.as_bytes(), None, until()).unwrap();
        assert_eq!(read.contacts[0].1.name, "Anna \"A\" Test");
        assert_eq!(read.contacts[0].1.languages, ["fr", "en"]);
        assert_eq!((read.contacts[1].0, read.contacts[1].1.mail.clone()), (3, None));
        let text = "post,person,from,until,zone\nduty,anna,2026-11-28T20:00,2026-11-29T08:00,Europe/Tallinn\n\
            deputy,ben,2026-11-28T20:00:00Z,2026-11-29 08:00,\n";
        let expect =
            [("anna", "2026-11-28T18:00", "2026-11-29T06:00"), ("ben", "2026-11-28T20:00", "2026-11-29T07:00")];
        let found = shifts(text);
        for (found, expect) in found.iter().zip(expect) {
            assert_eq!((found.0.as_str(), found.1.as_str(), found.2.as_str()), expect);
        }
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn nights_on_which_clocks_change_are_as_long_as_they_are() {
        let hours = |from: &str, until: &str| {
            let text = format!("post,person,from,until\nduty,anna,{from},{until}\n");
            let file = read(text.as_bytes(), Some("Europe/Paris"), self::until()).unwrap();
            let shift = &file.shifts[0].1;
            (shift.until.micros() - shift.from.micros()) / 3_600_000_000
        };
        assert_eq!(hours("2026-10-24T20:00", "2026-10-25T08:00"), 13, "clocks go back on 25 October 2026");
        assert_eq!(hours("2027-03-27T20:00", "2027-03-28T08:00"), 11, "clocks go forward on 28 March 2027");
        assert_eq!(hours("2026-11-28T20:00", "2026-11-29T08:00"), 12);
        let row = |from: &str| refused(&format!("post,person,from,until\nduty,anna,{from},2027-04-01T08:00\n"));
        assert!(row("2027-03-28T02:30").contains("line 2: `2027-03-28T02:30` is passed over by the clocks"));
        let twice = refused("post,person,from,until\nduty,anna,2026-10-25T02:30,2026-10-25T08:00\n");
        assert!(twice.contains("comes twice"), "{twice}");
    }

    fn calendar(event: &str) -> String {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\n{event}END:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    }

    #[test]
    fn a_calendar_is_written_out_and_hands_over_by_the_clock_on_the_wall() {
        let text = calendar(
            "DTSTART;TZID=Europe/Paris:20261023T200000\r\nDTEND;TZID=Europe/Paris:20261024T080000\r\nSUMMARY:duty:\r\n  \
             anna\r\nRRULE:FREQ=DAILY;COUNT=4\r\nEXDATE;TZID=Europe/Paris:20261026T200000\r\n",
        );
        let row = |from: &str, until: &str| ("anna".to_owned(), from.to_owned(), until.to_owned());
        assert_eq!(
            shifts(&text),
            [
                row("2026-10-23T18:00", "2026-10-24T06:00"),
                row("2026-10-24T18:00", "2026-10-25T07:00"),
                row("2026-10-25T19:00", "2026-10-26T07:00"),
            ]
        );
        let weekly = calendar(
            "DTSTART:20261102T080000Z\r\nDTEND:20261102T160000Z\r\nSUMMARY:on-call: ben\r\n\
             RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20261130T080000Z\r\n",
        );
        let days: Vec<String> = shifts(&weekly).into_iter().map(|row| row.1[5..10].to_owned()).collect();
        assert_eq!(days, ["11-02", "11-04", "11-16", "11-18", "11-30"]);
        let endless = calendar(
            "DTSTART;TZID=Europe/Paris:20270401T080000\r\nDTEND;TZID=Europe/Paris:20270401T200000\r\nSUMMARY:duty: cy\r\n\
             RRULE:FREQ=WEEKLY\r\n",
        );
        assert_eq!(shifts(&endless).len(), 9, "an endless rule is written out as far as was asked");
    }

    #[test]
    fn what_a_calendar_says_beyond_this_is_refused_by_its_line() {
        let base = "DTSTART;TZID=Europe/Paris:20261023T200000\r\nDTEND;TZID=Europe/Paris:20261024T080000\r\n\
            SUMMARY:duty: anna\r\n";
        let check = |more: &str, says: &str| {
            let told = refused(&calendar(&format!("{base}{more}")));
            assert!(told.contains(says), "`{told}` does not say `{says}`");
        };
        check("RRULE:FREQ=MONTHLY\r\n", "line 9: `FREQ=MONTHLY`");
        check("RRULE:FREQ=WEEKLY;BYDAY=1FR\r\n", "line 9: `BYDAY=1FR`");
        check("RRULE:FREQ=WEEKLY;BYDAY=MO\r\n", "line 9: the shift begins on another day");
        check("RRULE:FREQ=DAILY;BYDAY=FR\r\n", "line 9: `BYDAY=FR`");
        check("RRULE:FREQ=DAILY;COUNT=0\r\n", "line 9: `COUNT=0`");
        check("RDATE:20261025T200000\r\n", "line 9: `RDATE`");
        check("RECURRENCE-ID:20261025T200000\r\n", "line 9: `RECURRENCE-ID`");
        check("DTSTART:20261023T200000Z\r\n", "line 9: `DTSTART` stands twice");
        let zone = calendar("DTSTART;TZID=Mars/Olympus:20261023T200000\r\n");
        assert!(refused(&zone).contains("line 6: `Mars/Olympus` is not a time zone"));
        let day = calendar("DTSTART;VALUE=DATE:20261023\r\n");
        assert!(refused(&day).contains("line 6"), "{}", refused(&day));
        let nobody = calendar(&base.replace("duty: anna", "Anna on duty"));
        assert!(refused(&nobody).contains("line 8: write the post and the person"), "{}", refused(&nobody));
        assert!(refused("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\n").contains("line 3"));
        assert!(refused("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n").contains("does not end"));
    }

    #[test]
    fn a_table_that_is_not_understood_is_refused_by_its_line() {
        let check = |text: &str, says: &str| {
            let told = refused(text);
            assert!(told.contains(says), "`{told}` does not say `{says}`");
        };
        check("", "line 1: the first line names the columns");
        check("person,name\nanna,Anna\n", "line 1: a column `telephone` is missing");
        check("person,name,telephone,shoe\n", "line 1: `shoe` is not a column");
        check("person,name,telephone\nanna,Anna\n", "line 2: it has 2 fields and 3 columns");
        check("person,name,telephone\nanna,\"An\nna\",+331\n", "line 2: a name has");
        check("person,name,telephone\nanna,\"Anna,+3311111\n", "line 2: a quotation mark is not closed");
        check("person,name,telephone\nanna,An\"na,+3311111\n", "line 2: a quotation mark stands inside");
        check("post,person,from,until\nboss,anna,x,y\n", "line 2: `boss` is not one of: duty, on-call, deputy, crisis");
        check("post,person,from,until\nduty,anna,tomorrow,y\n", "line 2: `tomorrow` is not a time");
        check("post,person,from,until\nduty,anna,2026-11-28T20:00,2026-11-28T20:00\n", "line 2: a shift ends after");
        let zoneless = read(b"post,person,from,until\nduty,anna,2026-11-28T20:00,2026-11-29T08:00\n", None, until());
        assert!(zoneless.unwrap_err().to_string().contains("name its time zone"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_what_is_read_is_within_limits(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(file) = read(&bytes, Some("Europe/Paris"), until()) {
                prop_assert!(file.shifts.len() + file.contacts.len() <= limits::DUTY_ROWS);
            }
        }

        #[test]
        fn a_written_shift_reads_back(hour in 0..20_000_i64, long in 1..48_i64, post in 0..4_usize) {
            let from = Timestamp::from_seconds(1_790_000_000 + hour * 3_600);
            let shift = Shift::new("anna".parse().unwrap(), Post::ALL[post], from, from.plus_seconds(long * 3_600)).unwrap();
            let text = format!("post,person,from,until\n{},{},{},{}\n", shift.post, shift.person, shift.from, shift.until);
            prop_assert_eq!(read(text.as_bytes(), None, until()).unwrap().shifts, vec![(2, shift)]);
        }
    }
}

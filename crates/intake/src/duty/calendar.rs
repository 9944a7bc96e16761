//! A duty roster as a calendar (iCalendar, RFC 5545): events whose summary is `post: person`, single, daily or weekly.
//!
//! An event that recurs ends each time at the same time of the clock on the wall. RFC 5545 §3.8.5.3 takes the same length
//! instead, which would leave an hour with nobody on duty in the night in which clocks go back.

use std::collections::BTreeSet;

use jiff::Span;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use model::Timestamp;
use model::duty::{Handle, Post, Shift};

use super::{DutyFile, DutyFileError, moment, wrong, zone_of};
use crate::limits;

/// Properties of an event that say nothing about who is on duty when (RFC 5545 §3.8).
const PASSED_OVER: [&str; 17] = [
    "UID",
    "DTSTAMP",
    "CREATED",
    "LAST-MODIFIED",
    "SEQUENCE",
    "TRANSP",
    "CLASS",
    "DESCRIPTION",
    "LOCATION",
    "ORGANIZER",
    "ATTENDEE",
    "CATEGORIES",
    "URL",
    "PRIORITY",
    "COLOR",
    "COMMENT",
    "CONTACT",
];

/// One line after unfolding: `NAME;PARAMETERS:VALUE`.
struct Property<'a> {
    line: usize,
    name: String,
    parameters: &'a str,
    value: &'a str,
}

pub(super) fn read(text: &str, zone: Option<&TimeZone>, until: Timestamp) -> Result<DutyFile, DutyFileError> {
    let lines = unfold(text)?;
    let mut file = DutyFile::default();
    let mut inside: Vec<String> = Vec::new();
    let mut event: Option<Event> = None;
    for (line, text) in &lines {
        let property = property(*line, text)?;
        let value = property.value.trim().to_ascii_uppercase();
        match property.name.as_str() {
            "BEGIN" => {
                begin(*line, &inside, &value)?;
                if value == "VEVENT" {
                    event = Some(Event::new(*line));
                }
                inside.push(value);
            }
            "END" => {
                if inside.pop().as_ref() != Some(&value) {
                    return Err(wrong(*line, "it ends what did not begin"));
                }
                if value == "VEVENT"
                    && let Some(event) = event.take()
                {
                    event.finish(zone, until, &mut file)?;
                }
            }
            _ => match (inside.len(), &mut event) {
                (0, _) => return Err(wrong(*line, "it stands outside of the calendar")),
                (2, Some(event)) => event.take(property, zone)?,
                (_, _) if property.name == "VERSION" && value != "2.0" => {
                    return Err(wrong(*line, "only iCalendar 2.0 is read"));
                }
                (_, _) => {}
            },
        }
    }
    if !inside.is_empty() {
        return Err(wrong(
            lines.last().map_or(1, |line| line.0),
            "the calendar does not end: END:VCALENDAR is missing",
        ));
    }
    Ok(file)
}

fn begin(line: usize, inside: &[String], name: &str) -> Result<(), DutyFileError> {
    let good = match (inside.first().map(String::as_str), inside.len(), name) {
        (None, 0, "VCALENDAR") | (Some("VCALENDAR"), 1, "VEVENT" | "VTIMEZONE") => true,
        (Some(_), 2, "VALARM") => inside[1] == "VEVENT",
        (Some(_), 2, "STANDARD" | "DAYLIGHT") => inside[1] == "VTIMEZONE",
        _ => false,
    };
    if good {
        Ok(())
    } else {
        Err(wrong(line, format!("`BEGIN:{}` is not read here: write events alone", short(name))))
    }
}

fn short(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(40).collect()
}

/// Joins lines that were folded (RFC 5545 §3.1), each with the number of its first.
fn unfold(text: &str) -> Result<Vec<(usize, String)>, DutyFileError> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (number, line) in (1..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.1.push_str(rest),
            (Some(_), None) => return Err(wrong(number, "the file begins with a folded line")),
            (None, _) if line.is_empty() => {}
            (None, _) => lines.push((number, line.to_owned())),
        }
        if lines.last().is_some_and(|line| line.1.len() > limits::DUTY_FIELD_BYTES) {
            return Err(wrong(number, "a line has more than 8 KiB"));
        }
    }
    Ok(lines)
}

fn property(line: usize, text: &str) -> Result<Property<'_>, DutyFileError> {
    // The colon that ends the parameters stands outside of quotation marks (RFC 5545 §3.1).
    let mut quoted = false;
    let colon = text.char_indices().find(|(_, letter)| {
        quoted ^= *letter == '"';
        *letter == ':' && !quoted
    });
    let (at, _) = colon.ok_or_else(|| wrong(line, "it is not NAME:VALUE"))?;
    let head = &text[..at];
    let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
    Ok(Property { line, name: name.to_ascii_uppercase(), parameters, value: &text[at + 1..] })
}

/// A time as it stands: local, or of UTC.
#[derive(Clone)]
struct Time {
    local: DateTime,
    zone: TimeZone,
}

struct Event {
    line: usize,
    start: Option<Time>,
    end: Option<Time>,
    who: Option<(Post, Handle)>,
    rule: Option<(usize, String)>,
    except: BTreeSet<Timestamp>,
    cancelled: bool,
}

impl Event {
    fn new(line: usize) -> Self {
        Self { line, start: None, end: None, who: None, rule: None, except: BTreeSet::new(), cancelled: false }
    }

    fn take(&mut self, property: Property<'_>, zone: Option<&TimeZone>) -> Result<(), DutyFileError> {
        let line = property.line;
        let twice = |there: bool| {
            if there { Err(wrong(line, format!("`{}` stands twice", property.name))) } else { Ok(()) }
        };
        match property.name.as_str() {
            "DTSTART" => {
                twice(self.start.is_some())?;
                self.start = Some(time(&property, property.value, zone)?);
            }
            "DTEND" => {
                twice(self.end.is_some())?;
                self.end = Some(time(&property, property.value, zone)?);
            }
            "SUMMARY" => {
                twice(self.who.is_some())?;
                self.who = Some(who(line, property.value)?);
            }
            "RRULE" => {
                twice(self.rule.is_some())?;
                self.rule = Some((line, property.value.to_ascii_uppercase()));
            }
            "EXDATE" => {
                for value in property.value.split(',') {
                    let time = time(&property, value, zone)?;
                    self.except.extend(moment(time.local, &time.zone));
                }
            }
            "STATUS" => self.cancelled = property.value.trim().eq_ignore_ascii_case("CANCELLED"),
            name if PASSED_OVER.contains(&name) || name.starts_with("X-") => {}
            name => {
                let shown = short(name);
                return Err(wrong(
                    line,
                    format!("`{shown}` is not understood: write each such shift as an event of its own"),
                ));
            }
        }
        Ok(())
    }

    fn finish(self, zone: Option<&TimeZone>, until: Timestamp, file: &mut DutyFile) -> Result<(), DutyFileError> {
        if self.cancelled {
            return Ok(());
        }
        let missing = |what: &str| wrong(self.line, format!("the event has no {what}"));
        let start = self.start.ok_or_else(|| missing("DTSTART"))?;
        let end = self.end.ok_or_else(|| missing("DTEND"))?;
        let (post, person) = self.who.ok_or_else(|| missing("SUMMARY"))?;
        let long = end.local.duration_since(start.local);
        let starts = match &self.rule {
            None => vec![start.local],
            Some((line, rule)) => {
                let rule = Rule::read(*line, rule, &start, zone)?;
                rule.starts(*line, &start, until)?
            }
        };
        for local in starts {
            let from = moment(local, &start.zone);
            if from.is_some_and(|from| self.except.contains(&from)) {
                continue;
            }
            let ends = local.checked_add(long).ok().and_then(|local| moment(local, &end.zone));
            let (Some(from), Some(until)) = (from, ends) else { return Err(missing("time that can be")) };
            let shift =
                Shift::new(person.clone(), post, from, until).map_err(|error| wrong(self.line, error.to_string()))?;
            if file.shifts.len() >= limits::DUTY_ROWS {
                return Err(wrong(self.line, "the calendar has more than 5,000 shifts: split it by months"));
            }
            file.shifts.push((self.line, shift));
        }
        Ok(())
    }
}

/// `duty: anna`, in the escapes of RFC 5545 §3.3.11.
fn who(line: usize, value: &str) -> Result<(Post, Handle), DutyFileError> {
    let (post, person) = value
        .split_once(':')
        .ok_or_else(|| wrong(line, "write the post and the person as the summary: `duty: anna`"))?;
    let post = post.trim().to_ascii_lowercase().parse::<Post>().map_err(|error| wrong(line, error.to_string()))?;
    let person = person.trim().parse::<Handle>().map_err(|error| wrong(line, error.to_string()))?;
    Ok((post, person))
}

/// `20261023T200000` with its zone, or `20261023T180000Z`.
fn time(property: &Property<'_>, value: &str, zone: Option<&TimeZone>) -> Result<Time, DutyFileError> {
    let line = property.line;
    let value = value.trim();
    let mut own = None;
    for parameter in property.parameters.split(';').filter(|parameter| !parameter.is_empty()) {
        let (name, of) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.to_ascii_uppercase().as_str() {
            "TZID" => own = Some(zone_of(of.trim_matches('"').trim_start_matches('/'), line)?),
            "VALUE" if of.eq_ignore_ascii_case("DATE-TIME") => {}
            _ => return Err(wrong(line, format!("`{}` is not understood: write a time with hours", short(parameter)))),
        }
    }
    let (digits, utc) = value.strip_suffix('Z').map_or((value, false), |digits| (digits, true));
    let unknown =
        || wrong(line, format!("`{}` is not a time: write 20261123T200000 with TZID, or with Z", short(value)));
    let local = local(digits).ok_or_else(unknown)?;
    let zone = match (utc, own) {
        (true, None) => TimeZone::UTC,
        (false, Some(zone)) => zone,
        (false, None) => zone.cloned().ok_or_else(|| wrong(line, "a local time: name the calendar's time zone"))?,
        (true, Some(_)) => return Err(unknown()),
    };
    Ok(Time { local, zone })
}

fn local(digits: &str) -> Option<DateTime> {
    let (date, time) = digits.split_once('T')?;
    if date.len() != 8 || time.len() != 6 || !date.bytes().chain(time.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = |text: &str| text.parse::<i8>().ok();
    let year = date[..4].parse::<i16>().ok()?;
    let (month, day) = (number(&date[4..6])?, number(&date[6..])?);
    let (hour, minute, second) = (number(&time[..2])?, number(&time[2..4])?, number(&time[4..])?);
    DateTime::new(year, month, day, hour, minute, second, 0).ok()
}

/// The part of a recurrence rule (RFC 5545 §3.3.10) that a roster needs.
struct Rule {
    weekly: bool,
    interval: u32,
    count: Option<usize>,
    until: Option<Timestamp>,
    days: Vec<Weekday>,
    week: Weekday,
}

impl Rule {
    fn read(line: usize, text: &str, start: &Time, zone: Option<&TimeZone>) -> Result<Self, DutyFileError> {
        let mut rule =
            Self { weekly: false, interval: 1, count: None, until: None, days: Vec::new(), week: Weekday::Monday };
        let (mut every, mut seen) = (None, BTreeSet::new());
        for part in text.trim().split(';') {
            let unknown =
                || wrong(line, format!("`{}` is not understood: a shift recurs daily or weekly", short(part)));
            let (name, value) = part.split_once('=').ok_or_else(unknown)?;
            if !seen.insert(name) {
                return Err(unknown());
            }
            match name {
                "FREQ" => every = Some(value),
                "INTERVAL" => {
                    let good = value.parse().ok().filter(|steps| (1..=limits::DUTY_INTERVAL).contains(steps));
                    rule.interval = good.ok_or_else(unknown)?;
                }
                "COUNT" => {
                    let good = value.parse().ok().filter(|count| (1..=limits::DUTY_ROWS).contains(count));
                    rule.count = Some(good.ok_or_else(unknown)?);
                }
                "UNTIL" => rule.until = Some(last(line, value, start, zone)?),
                "BYDAY" => rule.days = value.split(',').map(day).collect::<Option<_>>().ok_or_else(unknown)?,
                "WKST" => rule.week = day(value).ok_or_else(unknown)?,
                _ => return Err(unknown()),
            }
        }
        rule.weekly = match every {
            Some("DAILY") => false,
            Some("WEEKLY") => true,
            other => {
                let shown = short(other.unwrap_or(""));
                return Err(wrong(line, format!("`FREQ={shown}` is not understood: a shift recurs daily or weekly")));
            }
        };
        if !rule.weekly && !rule.days.is_empty() {
            let days = text.split(';').find(|part| part.starts_with("BYDAY")).unwrap_or("BYDAY");
            return Err(wrong(line, format!("`{}` is for weekly shifts: write FREQ=WEEKLY", short(days))));
        }
        if !rule.days.is_empty() && !rule.days.contains(&start.local.weekday()) {
            return Err(wrong(line, "the shift begins on another day than its rule says"));
        }
        Ok(rule)
    }

    /// The local times at which it begins, in order.
    fn starts(&self, line: usize, start: &Time, horizon: Timestamp) -> Result<Vec<DateTime>, DutyFileError> {
        let last = self.until.map_or(horizon, |until| until.min(horizon.plus_seconds(-1)));
        let mut starts = Vec::new();
        // Days from the first begin to those of its week on which it begins too.
        let begin = i64::from(start.local.weekday().since(self.week));
        let mut days: Vec<i64> = self.days.iter().map(|day| i64::from(day.since(self.week)) - begin).collect();
        days.sort_unstable();
        days.dedup();
        if days.is_empty() {
            days.push(0);
        }
        let step = i64::from(self.interval) * if self.weekly { 7 } else { 1 };
        for round in 0.. {
            for day in days.iter().filter(|day| round > 0 || **day >= 0) {
                let ahead = Span::new().try_days(round * step + day).ok();
                let local = ahead.and_then(|ahead| start.local.checked_add(ahead).ok());
                let at = local.and_then(|local| moment(local, &start.zone));
                let (Some(local), Some(at)) = (local, at) else { return Ok(starts) };
                if at > last || self.count.is_some_and(|count| starts.len() >= count) {
                    return Ok(starts);
                }
                if starts.len() >= limits::DUTY_ROWS {
                    return Err(wrong(line, "it recurs more than 5,000 times: let it end"));
                }
                starts.push(local);
            }
        }
        Ok(starts)
    }
}

/// The last moment at which it may begin: a moment, or a day, which counts whole.
fn last(line: usize, value: &str, start: &Time, zone: Option<&TimeZone>) -> Result<Timestamp, DutyFileError> {
    let unknown = || wrong(line, format!("`UNTIL={}` is not understood: write UNTIL=20261231T230000Z", short(value)));
    if value.len() == 8 {
        let day = local(&format!("{value}T235959")).ok_or_else(unknown)?;
        return moment(day, &start.zone).ok_or_else(unknown);
    }
    let (digits, utc) = value.strip_suffix('Z').map_or((value, false), |digits| (digits, true));
    let time = local(digits).ok_or_else(unknown)?;
    let zone = if utc { &TimeZone::UTC } else { zone.unwrap_or(&start.zone) };
    moment(time, zone).ok_or_else(unknown)
}

fn day(text: &str) -> Option<Weekday> {
    Some(match text {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    })
}

//! A duty roster as a table (RFC 4180): persons, or shifts, as its first line says.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use model::Timestamp;
use model::duty::{Contact, Handle, Post, Shift};

use super::{DutyFile, DutyFileError, wrong, zone_of};
use crate::limits;

/// A record, and the line on which it begins.
type Record = (usize, Vec<String>);

pub(super) fn read(text: &str, zone: Option<&TimeZone>) -> Result<DutyFile, DutyFileError> {
    let records = records(text)?;
    let empty = || wrong(1, "the first line names the columns: person,name,telephone,… or post,person,from,until,…");
    let ((_, head), rows) = records.split_first().ok_or_else(empty)?;
    let mut file = DutyFile::default();
    if head.iter().any(|column| column == "post") {
        let columns = Columns::of(head, &["post", "person", "from", "until"], &["zone"])?;
        for (line, row) in rows {
            file.shifts.push((*line, shift(&columns.row(*line, row)?, zone)?));
        }
    } else {
        let columns = Columns::of(head, &["person", "name", "telephone"], &["mail", "languages", "login"])?;
        for (line, row) in rows {
            file.contacts.push((*line, contact(&columns.row(*line, row)?)?));
        }
    }
    Ok(file)
}

struct Columns<'a>(&'a [String]);

struct Row<'a> {
    line: usize,
    columns: &'a [String],
    fields: &'a [String],
}

impl<'a> Columns<'a> {
    fn of(head: &'a [String], needed: &[&str], more: &[&str]) -> Result<Self, DutyFileError> {
        for (at, column) in head.iter().enumerate() {
            if !needed.contains(&column.as_str()) && !more.contains(&column.as_str()) {
                let shown: String = column.chars().take(40).collect();
                let known = [needed, more].concat().join(", ");
                return Err(wrong(1, format!("`{shown}` is not a column: write {known}")));
            }
            if head[..at].contains(column) {
                return Err(wrong(1, format!("the column `{column}` stands twice")));
            }
        }
        match needed.iter().find(|column| !head.iter().any(|known| known == *column)) {
            Some(missing) => Err(wrong(1, format!("a column `{missing}` is missing: write {}", needed.join(", ")))),
            None => Ok(Self(head)),
        }
    }

    fn row(&self, line: usize, fields: &'a [String]) -> Result<Row<'a>, DutyFileError> {
        if fields.len() != self.0.len() {
            return Err(wrong(line, format!("it has {} fields and {} columns", fields.len(), self.0.len())));
        }
        Ok(Row { line, columns: self.0, fields })
    }
}

impl Row<'_> {
    fn field(&self, column: &str) -> &str {
        let at = self.columns.iter().position(|known| known == column);
        at.and_then(|at| self.fields.get(at)).map_or("", |field| field.trim())
    }
    fn optional(&self, column: &str) -> Option<String> {
        Some(self.field(column)).filter(|field| !field.is_empty()).map(str::to_owned)
    }
    fn wrong(&self, reason: &impl ToString) -> DutyFileError {
        wrong(self.line, reason.to_string())
    }
    fn person(&self) -> Result<Handle, DutyFileError> {
        self.field("person").parse().map_err(|error| self.wrong(&error))
    }
}

fn contact(row: &Row<'_>) -> Result<Contact, DutyFileError> {
    let contact = Contact {
        person: row.person()?,
        name: row.field("name").to_owned(),
        telephone: row.field("telephone").to_owned(),
        mail: row.optional("mail"),
        languages: row.field("languages").split([' ', ';']).filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
        login: row.optional("login"),
    };
    contact.checked().map_err(|error| row.wrong(&error))
}

fn shift(row: &Row<'_>, zone: Option<&TimeZone>) -> Result<Shift, DutyFileError> {
    let post: Post = row.field("post").parse().map_err(|error| row.wrong(&error))?;
    let own = row.optional("zone").map(|name| zone_of(&name, row.line)).transpose()?;
    let zone = own.as_ref().or(zone);
    let (from, until) = (time(row, "from", zone)?, time(row, "until", zone)?);
    Shift::new(row.person()?, post, from, until).map_err(|error| row.wrong(&error))
}

/// A moment with its offset, or a local time of the zone. A local time that is not one moment is refused: a person wrote
/// it, and a person says what was meant.
fn time(row: &Row<'_>, column: &str, zone: Option<&TimeZone>) -> Result<Timestamp, DutyFileError> {
    let text = row.field(column);
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let shown: String = text.chars().filter(|letter| !letter.is_control()).take(40).collect();
    let unknown = || row.wrong(&format!("`{shown}` is not a time: write 2026-11-28T20:00, or 2026-11-28T20:00:00Z"));
    let form = matches!(text.len(), 16 | 19) && text.is_ascii() && matches!(text.as_bytes()[10], b'T' | b' ');
    let local: DateTime = if form { text.parse().map_err(|_| unknown())? } else { return Err(unknown()) };
    let zone =
        zone.ok_or_else(|| row.wrong(&format!("`{shown}` is a local time: name its time zone (Europe/Paris)")))?;
    let moment = zone.to_ambiguous_timestamp(local);
    match moment.offset() {
        AmbiguousOffset::Unambiguous { .. } => {}
        AmbiguousOffset::Gap { .. } => {
            return Err(row.wrong(&format!("`{shown}` is passed over by the clocks of that day: write another time")));
        }
        AmbiguousOffset::Fold { .. } => {
            return Err(
                row.wrong(&format!("`{shown}` comes twice on that day: write it with its offset, as in +01:00"))
            );
        }
    }
    let at = moment.compatible().map_err(|_| unknown())?;
    Ok(Timestamp::from_micros(at.as_microsecond()))
}

/// Splits the text into records.
fn records(text: &str) -> Result<Vec<Record>, DutyFileError> {
    let mut records = Vec::new();
    let mut letters = text.chars().peekable();
    let (mut line, mut begun) = (1, 1);
    let (mut record, mut field, mut state) = (Vec::new(), String::new(), Field::Begins);
    loop {
        let letter = letters.next();
        match (state, letter) {
            (Field::Quoted, None) => return Err(wrong(begun, "a quotation mark is not closed")),
            (Field::Quoted, Some('"')) if letters.next_if_eq(&'"').is_some() => field.push('"'),
            (Field::Quoted, Some('"')) => state = Field::Closed,
            (Field::Quoted, Some(letter)) => {
                line += usize::from(letter == '\n');
                field.push(letter);
            }
            (Field::Begins, Some('"')) => state = Field::Quoted,
            (Field::Plain | Field::Closed, Some('"')) => {
                return Err(wrong(line, "a quotation mark stands inside a field: put the field in quotation marks"));
            }
            (_, Some(',')) => {
                record.push(std::mem::take(&mut field));
                state = Field::Begins;
            }
            (_, Some('\r')) if letters.peek() == Some(&'\n') => {}
            (_, None | Some('\n')) => {
                let blank = record.is_empty() && field.is_empty() && state == Field::Begins;
                record.push(std::mem::take(&mut field));
                let whole = std::mem::take(&mut record);
                if !blank {
                    records.push((begun, whole));
                }
                if letter.is_none() {
                    return Ok(records);
                }
                line += 1;
                (begun, state) = (line, Field::Begins);
            }
            (Field::Closed, Some(_)) => return Err(wrong(line, "a field goes on after its quotation mark")),
            (Field::Begins | Field::Plain, Some(letter)) => {
                field.push(letter);
                state = Field::Plain;
            }
        }
        if field.len() > limits::DUTY_FIELD_BYTES {
            return Err(wrong(begun, "a field has more than 8 KiB"));
        }
        if records.len() > limits::DUTY_ROWS {
            return Err(wrong(line, "the file has more than 5,000 rows: split it by months"));
        }
    }
}

/// Where a record is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Begins,
    Plain,
    Quoted,
    Closed,
}

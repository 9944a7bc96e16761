//! What is looked for: the values of a table that the node gave out for detection (`crates/render/src/csv.rs`).

use detect::Value;

use super::super::Failure;

/// Whose word a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) entry: String,
    pub(super) label: String,
    pub(super) title: String,
    /// Does the value fulfil its pattern alone?
    pub(super) alone: bool,
}

/// All of it; the tag of a value is the place of its source.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) values: Vec<(Value, u64)>,
    pub(super) sources: Vec<Source>,
    /// Values of kinds that are not looked for in telemetry: file names, mutexes, rules.
    pub(super) left_out: u64,
}

impl Wanted {
    /// Reads the table.
    pub(super) fn read(table: &[u8]) -> Result<Self, Failure> {
        let text = std::str::from_utf8(table).map_err(|_| unreadable())?;
        let mut wanted = Self::default();
        for row in text.split("\r\n").skip(1).filter(|row| !row.is_empty()) {
            let cells = cells(row).ok_or_else(unreadable)?;
            let [entry, _, kind, value, title, label, ..] = cells.as_slice() else { return Err(unreadable()) };
            let source = |alone| Source { entry: entry.clone(), label: label.clone(), title: title.clone(), alone };
            if kind == "stix-pattern" {
                let compared = intake::pattern::values(value);
                wanted.left_out += u64::from(compared.is_empty());
                for one in compared {
                    wanted.add(is_visible(&one.path).then_some(one.value.as_str()), source(one.alone));
                }
            } else if is_misp(kind) {
                // `domain|ip`, `filename|md5`, `ip-dst|port`: either half may be seen; names of files and ports are no values.
                for (kind, half) in kind.split('|').zip(value.split('|')) {
                    if !matches!(kind, "filename" | "port") {
                        wanted.add(Some(half), source(true));
                    }
                }
            } else {
                wanted.left_out += 1;
            }
        }
        Ok(wanted)
    }

    fn add(&mut self, value: Option<&str>, source: Source) {
        let Some(Ok(value)) = value.map(Value::parse) else {
            self.left_out += 1;
            return;
        };
        if self.sources.last() != Some(&source) {
            self.sources.push(source);
        }
        self.values.push((value, self.sources.len() as u64 - 1));
    }
}

/// Is what a pattern looks at a value that telemetry shows as it is (STIX 2.1 §6)?
fn is_visible(path: &str) -> bool {
    let kinds = ["domain-name:value", "ipv4-addr:value", "ipv6-addr:value", "url:value", "email-addr:value"];
    kinds.contains(&path) || path.contains("hashes") || path.ends_with("_ref.value")
}

/// The same of the types of MISP attributes.
fn is_misp(kind: &str) -> bool {
    let begins = ["domain", "hostname", "ip-src", "ip-dst", "url", "link", "email-src", "email-dst", "filename|"];
    kind == "email" || begins.iter().any(|begin| kind.starts_with(begin)) || is_hash(kind)
}

fn is_hash(kind: &str) -> bool {
    matches!(kind, "md5" | "sha1" | "sha256" | "sha384" | "sha512")
}

fn unreadable() -> Failure {
    Failure::Refused("the node's table can't be read: is this program of the same version?".to_owned())
}

/// The cells of one row, all of them quoted; an apostrophe before what a spreadsheet would run is taken away again.
fn cells(row: &str) -> Option<Vec<String>> {
    let inside = row.strip_prefix('"')?.strip_suffix('"')?;
    let mut cells = vec![String::new()];
    let mut letters = inside.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '"' {
            cells.last_mut()?.push(letter);
            continue;
        }
        match letters.next()? {
            '"' => cells.last_mut()?.push('"'),
            ',' if letters.next()? == '"' => cells.push(String::new()),
            _ => return None,
        }
    }
    for cell in &mut cells {
        if let Some(rest) = cell.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@', '|', '%'])) {
            *cell = rest.to_owned();
        }
    }
    Some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rows: &[&str]) -> Wanted {
        let table = format!("entry,object,type,value,title,tlp,pap,version\r\n{}\r\n", rows.join("\r\n"));
        Wanted::read(table.as_bytes()).unwrap()
    }

    #[test]
    fn values_come_with_their_source_and_what_no_log_shows_is_counted() {
        let wanted = read(&[
            r#""FR:1","x","stix-pattern","[domain-name:value = 'a.x' AND url:value = 'http://b.x']","A ""b"", c","AMBER","","v""#,
            r#""FR:2","x","filename|md5","x.exe|d41d8cd98f00b204e9800998ecf8427e","E","GREEN","","v""#,
            r#""FR:3","x","mutex","a.example","E","GREEN","","v""#,
            r#""FR:4","x","stix-pattern","[file:name = 'a.example']","E","GREEN","","v""#,
            r#""FR:5","x","email-src","'-a@b.example","E","GREEN","","v""#,
        ]);
        let found: Vec<_> = wanted
            .values
            .iter()
            .map(|(value, tag)| (value.text(), wanted.sources[usize::try_from(*tag).unwrap()].entry.as_str()))
            .collect();
        let expect =
            [("a.x", "FR:1"), ("b.x/", "FR:1"), ("d41d8cd98f00b204e9800998ecf8427e", "FR:2"), ("-a@b.example", "FR:5")];
        assert_eq!(found, expect);
        assert_eq!(
            (wanted.left_out, wanted.sources[0].alone, wanted.sources[0].title.as_str()),
            (2, false, "A \"b\", c")
        );
        assert!(Wanted::read(b"h\r\nx\r\n").is_err());
    }
}

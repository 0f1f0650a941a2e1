//! Comma-separated values (RFC 4180), written and read.

/// Most fields of a line that is read.
const MOST_FIELDS: usize = 50;

/// The fields of a record, with the number of the line it begins on.
pub(crate) type Record = (usize, Vec<String>);

/// One line. Text that a spreadsheet would run as a formula is made plain.
pub(crate) fn line<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> String {
    let cell = |cell: T| {
        let text = cell.as_ref();
        let formula = text.starts_with(['=', '+', '@', '\t', '\r'])
            || (text.starts_with('-') && text.parse::<f64>().is_err());
        let text = if formula { format!("'{text}") } else { text.to_owned() };
        if text.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    };
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    cells.join(",") + "\r\n"
}

/// Records with the numbers of the lines they begin on, from 1; those without any text are left out. Fields are parted
/// by commas, or by semicolons when the first line has one and no comma.
///
/// # Errors
/// The line on which a quoted field begins that does not end, or that has too many fields, with what is wrong.
pub(crate) fn read(text: &str) -> Result<Vec<Record>, (usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let comma = if first.contains(';') && !first.contains(',') { ';' } else { ',' };
    let mut records = Vec::new();
    let mut record: Vec<String> = Vec::new();
    let mut field = String::new();
    let (mut line, mut began) = (1, 1);
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    loop {
        let next = chars.next();
        match next {
            Some('"') if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            Some('"') if quoted => quoted = false,
            Some('"') if field.is_empty() => quoted = true,
            None if quoted => return Err((began, "a quoted field does not end".into())),
            Some(c) if quoted => {
                line += usize::from(c == '\n');
                field.push(c);
            }
            Some(c) if c == comma => record.push(std::mem::take(&mut field)),
            Some('\r') if chars.peek() == Some(&'\n') => {}
            Some('\n') | None => {
                record.push(std::mem::take(&mut field));
                if record.iter().any(|field| !field.trim().is_empty()) {
                    records.push((began, std::mem::take(&mut record)));
                }
                record.clear();
                line += 1;
                began = line;
                if next.is_none() {
                    return Ok(records);
                }
            }
            Some(c) => field.push(c),
        }
        if record.len() > MOST_FIELDS {
            return Err((began, format!("a line has at most {MOST_FIELDS} fields")));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        assert_eq!(
            line(["a,b", "say \"x\"", "=1+1", "-0.5", "-cmd"]),
            "\"a,b\",\"say \"\"x\"\"\",'=1+1,-0.5,'-cmd\r\n"
        );
    }

    #[test]
    fn records_are_read_with_their_lines() {
        let read = read("\u{feff}mac,note\r\n1,\"a, \"\"b\"\"\nc\"\r\n\r\n2,\n").unwrap();
        let records: Vec<(usize, Vec<&str>)> =
            read.iter().map(|(line, fields)| (*line, fields.iter().map(String::as_str).collect())).collect();
        assert_eq!(records, [(1, vec!["mac", "note"]), (2, vec!["1", "a, \"b\"\nc"]), (5, vec!["2", ""])]);
        assert_eq!(super::read("a;b\n1;2").unwrap()[1].1, ["1", "2"]);
        assert_eq!(super::read("a\n\"b").unwrap_err().0, 2);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(cells in prop::collection::vec("[a-z0-9,\"\n ]{0,12}", 1..6)) {
            prop_assume!(cells.iter().any(|cell| !cell.trim().is_empty()));
            let records = read(&line(&cells)).unwrap();
            prop_assert_eq!(records.len(), 1);
            prop_assert_eq!(&records[0].1, &cells);
        }

        #[test]
        fn any_text_is_survived(text in ".{0,200}") {
            let _ = read(&text);
        }
    }
}

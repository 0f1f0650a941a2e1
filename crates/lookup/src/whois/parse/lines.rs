//! An answer as lines with a meaning: keys with values, heads of sections, text.

/// One line of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Nothing, or a line that only draws.
    Blank,
    /// A remark of the server, without its mark.
    Comment(&'a str),
    /// A key, in lower case with single blanks, and its value, which may be empty.
    Pair { indent: usize, key: String, value: &'a str },
    /// Anything else.
    Text { indent: usize, text: &'a str },
    /// What follows is not data.
    End,
}

/// The longest key; hosts of Hong Kong explain theirs in brackets, which do not count.
const LONGEST_KEY: usize = 60;

/// Reads one line.
pub(super) fn read(line: &str) -> Line<'_> {
    let trimmed = line.trim_end();
    let body = trimmed.trim_start();
    let indent = trimmed.len() - body.len();
    if body.is_empty() || body.bytes().all(|byte| b"-=*_".contains(&byte)) {
        return if body == "--" { Line::End } else { Line::Blank };
    }
    if let Some(head) = body.strip_prefix("** ") {
        return pair(0, head).unwrap_or(Line::Text { indent: 0, text: head });
    }
    if body.starts_with(">>>") || body.starts_with('*') {
        return Line::Comment(body);
    }
    if let Some(comment) = body.strip_prefix(['%', '#', ';']) {
        return Line::Comment(comment.trim_start_matches(['%', '#']).trim());
    }
    if let Some(line) = bracket(indent, body) {
        return line;
    }
    pair(indent, body).or_else(|| wide(indent, body)).unwrap_or(Line::Text { indent, text: body })
}

/// `a. [Domain Name]   EXAMPLE.JP`, `[Registered Date]   2019/09/27`, or `[Domain]` alone.
fn bracket(indent: usize, body: &str) -> Option<Line<'_>> {
    let rest = match body.split_once(". ") {
        Some((letter, rest)) if letter.len() <= 2 && rest.starts_with('[') => rest,
        _ => body,
    };
    let (key, value) = rest.strip_prefix('[')?.split_once(']')?;
    if key.len() > LONGEST_KEY || value.contains(']') {
        return None;
    }
    Some(Line::Pair { indent, key: normal(key), value: value.trim() })
}

fn pair(indent: usize, body: &str) -> Option<Line<'_>> {
    let (key, value) = body.split_once(':')?;
    let key = key.split('(').next().unwrap_or(key).trim_end_matches(['.', ' ', '\t']);
    let address =
        value.starts_with("//") || value.starts_with(':') || key.bytes().all(|b| b.is_ascii_hexdigit());
    // Tabs and wide gaps separate columns: what stands before them is no key.
    let columns = key.contains('\t') || (key.contains("  ") && key.contains('.'));
    if key.is_empty() || key.len() > LONGEST_KEY || address || columns {
        return None;
    }
    Some(Line::Pair { indent, key: normal(key), value: value.trim() })
}

/// `Registrar     Gandi SAS`: a key and a value in columns. Which words are keys, the reader knows.
fn wide(indent: usize, body: &str) -> Option<Line<'_>> {
    let at = body.find('\t').into_iter().chain(body.find("  ")).min()?;
    let (key, value) = body.split_at(at);
    let plain = key.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b' ');
    (plain && indent == 0 && super::keys::stands_in_columns(&normal(key))).then(|| Line::Pair {
        indent,
        key: normal(key),
        value: value.trim(),
    })
}

fn normal(key: &str) -> String {
    let mut normal = String::with_capacity(key.len());
    // Of two languages the second is English.
    let key = key.rsplit_once(" / ").map_or(key, |(_, english)| english);
    for word in key.trim().trim_end_matches('.').split_whitespace() {
        if !normal.is_empty() {
            normal.push(' ');
        }
        normal.extend(word.chars().flat_map(char::to_lowercase));
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(line: &str) -> Option<(usize, String, &str)> {
        match read(line) {
            Line::Pair { indent, key, value } => Some((indent, key, value)),
            _ => None,
        }
    }

    #[test]
    fn keys_and_values() {
        for (line, indent, key, value) in [
            ("Domain Name: GOOGLE.COM ", 0, "domain name", "GOOGLE.COM"),
            ("domain.............: druid.fi", 0, "domain", "druid.fi"),
            ("Created on..............: 2001-Aug-23.", 0, "created on", "2001-Aug-23."),
            ("a. [Domain Name]                YAHOO.CO.JP", 0, "domain name", "YAHOO.CO.JP"),
            ("[Registered Date]    2019/09/27", 0, "registered date", "2019/09/27"),
            ("    [Domain]", 4, "domain", ""),
            ("** Domain Name: google.com.tr", 0, "domain name", "google.com.tr"),
            ("   Registrant:", 3, "registrant", ""),
            ("Domain   name:  google.md", 0, "domain name", "google.md"),
            (
                "Company English Name (It should be: the same): GOOGLE",
                0,
                "company english name",
                "the same): GOOGLE",
            ),
            ("Registrar\t            Gandi SAS ", 0, "registrar", "Gandi SAS"),
        ] {
            assert_eq!(pair(line), Some((indent, key.to_owned(), value)), "{line}");
        }
    }

    #[test]
    fn other_lines() {
        assert_eq!(read("  \t"), Line::Blank);
        assert_eq!(read(" -----------"), Line::Blank);
        assert_eq!(read("--"), Line::End);
        assert_eq!(read("% No match"), Line::Comment("No match"));
        assert_eq!(read("%% x"), Line::Comment("x"));
        assert_eq!(read(">>> Last update"), Line::Comment(">>> Last update"));
        assert_eq!(read("  https://example.org"), Line::Text { indent: 2, text: "https://example.org" });
        assert_eq!(
            read("   ns2.switch.ch\t2001:620:0:ff::2f"),
            Line::Text { indent: 3, text: "ns2.switch.ch\t2001:620:0:ff::2f" }
        );
        assert_eq!(read("2001:620:0:ff::2f"), Line::Text { indent: 0, text: "2001:620:0:ff::2f" });
    }
}

//! Times as registries write them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// What a registry says of a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// RFC 3339 in UTC, or a date alone when no zone is told.
    At(String),
    /// Only that it was before this date.
    Before(String),
}

/// Reads a time in any of the notations of registries. Text around it is passed over.
pub(super) fn read(text: &str) -> Option<When> {
    let text = text.trim().trim_end_matches('.');
    let lower = text.get(..7).map(str::to_ascii_lowercase);
    if lower.as_deref() == Some("before ") {
        return date(&words(&text[7..])).map(|(date, _)| When::Before(date.to_string()));
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(When::At(spelled(time)));
    }
    let words = words(text);
    let (date, used) = date(&words)?;
    let known = words
        .get(used..)
        .and_then(clock)
        .and_then(|(time, offset)| offset.to_timestamp(DateTime::from_parts(date, time)).ok());
    Some(When::At(known.map_or_else(|| date.to_string(), spelled)))
}

fn spelled(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Splits at blanks and at what stands between the parts of a date; times and offsets stay whole.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || "()#,".contains(c)) {
        let (day, time) = match word.split_once(['T', 't']) {
            Some((day, time)) if time.contains(':') && day.ends_with(|c: char| c.is_ascii_digit()) => {
                (day, Some(time))
            }
            _ => (word, None),
        };
        if day.contains(':') || day.contains('@') {
            words.push(day);
        } else if let Some(sign) = day.strip_prefix('+').or_else(|| day.strip_prefix('-')) {
            // An offset that stands alone, such as `-0300`.
            words.push(if sign.is_empty() { "" } else { day });
        } else {
            words.extend(day.split(['-', '.', '/']));
        }
        words.extend(time);
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The first date among words, and how many words it takes from the beginning.
fn date(words: &[&str]) -> Option<(Date, usize)> {
    words.iter().enumerate().find_map(|(at, _)| {
        let rest = &words[at..];
        let (date, used) = whole(rest).or_else(|| parts(rest))?;
        Some((date, at + used))
    })
}

/// `20131029`, or `20190418171513` of which the time has no zone.
fn whole(words: &[&str]) -> Option<(Date, usize)> {
    let word = words.first()?;
    if !(word.len() == 8 || word.len() == 14) || !digits(word) {
        return None;
    }
    plausible(number(&word[..4])?, number(&word[4..6])?, number(&word[6..8])?).map(|date| (date, 1))
}

fn parts(words: &[&str]) -> Option<(Date, usize)> {
    if let [first, second, third, ..] = words {
        let date = if first.len() == 4 && digits(first) {
            plausible(number(first)?, month(second)?, number(third)?)
        } else if third.len() == 4 && digits(third) {
            match (number(first), month(first)) {
                // Only where a day cannot be a month, the month stands first as in the United States.
                (Some(day), _) if day <= 31 => plausible(number(third)?, month(second)?, day)
                    .or_else(|| plausible(number(third)?, day, number(second)?)),
                (_, Some(month)) => plausible(number(third)?, month, number(second)?),
                _ => None,
            }
        } else {
            None
        };
        if let Some(date) = date {
            return Some((date, 3));
        }
    }
    // A month and a year, of which no more is known: `Aug-1996`.
    let [first, second, ..] = words else { return None };
    if second.len() == 4 && digits(second) && !digits(first) {
        return plausible(number(second)?, month(first)?, 1).map(|date| (date, 2));
    }
    None
}

fn plausible(year: i16, month: i16, day: i16) -> Option<Date> {
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    (1970..=2999).contains(&year).then_some(date)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(text: &str) -> Option<i16> {
    if digits(text) { text.parse().ok() } else { None }
}

fn month(text: &str) -> Option<i16> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    if let Some(number) = number(text) {
        return Some(number);
    }
    let lower = text.get(..3)?.to_ascii_lowercase();
    let letters = text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let at = MONTHS.iter().position(|month| *month == lower).filter(|_| letters)?;
    i16::try_from(at + 1).ok()
}

/// A time of the day with its zone; without one nobody can tell when it was.
fn clock(words: &[&str]) -> Option<(Time, Offset)> {
    let word = words.first()?;
    let (time, attached) = match word.find(['Z', 'z', '+', '-']) {
        Some(at) => word.split_at(at),
        None => (*word, ""),
    };
    let mut parts = time.split(':');
    let hour = parts.next()?.parse().ok()?;
    let minute = parts.next()?.parse().ok()?;
    let second = parts.next().and_then(|second| second.split('.').next()?.parse().ok()).unwrap_or(0);
    let time = Time::new(hour, minute, second, 0).ok()?;
    let zone = if attached.is_empty() { *words.get(1)? } else { attached };
    zone_offset(zone).map(|offset| (time, offset))
}

fn zone_offset(zone: &str) -> Option<Offset> {
    let upper = zone.to_ascii_uppercase();
    let rest = upper.strip_prefix("GMT").or_else(|| upper.strip_prefix("UTC")).unwrap_or(&upper);
    match rest {
        "" | "Z" => return Some(Offset::UTC),
        "JST" | "KST" => return Offset::from_hours(9).ok(),
        "HKT" | "SGT" => return Offset::from_hours(8).ok(),
        _ => {}
    }
    let sign = match rest.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits: String = rest[1..].chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.parse::<i32>().ok()?, 0),
        3 => (digits[..1].parse().ok()?, digits[1..].parse().ok()?),
        4 => (digits[..2].parse().ok()?, digits[2..].parse().ok()?),
        _ => return None,
    };
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_registries_write_them() {
        for (given, expected) in [
            ("2019-09-09T08:39:04-0700", "2019-09-09T15:39:04Z"),
            ("2018-03-12T21:44:25+01:00", "2018-03-12T20:44:25Z"),
            ("2024-09-03T17:12:28.647770+00:00", "2024-09-03T17:12:28Z"),
            ("2018-05-07 00:54:15", "2018-05-07"),
            ("2002-12-04 00:00:00+02", "2002-12-03T22:00:00Z"),
            ("2002-10-22 17:48:23 CLST", "2002-10-22"),
            ("1999-06-07 13:01:43 (GMT+0:00)", "1999-06-07T13:01:43Z"),
            ("20110426 17:57:27", "2011-04-26"),
            ("20131029", "2013-10-29"),
            ("19990518 #162310", "1999-05-18"),
            ("18.7.2012 04:04:23", "2012-07-18"),
            ("1999.10.27 13:00:00", "1999-10-27"),
            ("2015/01/14 11:50:03(JST)", "2015-01-14T02:50:03Z"),
            ("2024/10/01 01:00:44 (JST)", "2024-09-30T16:00:44Z"),
            ("05-Dec-2020", "2020-12-05"),
            ("21-March-2002", "2002-03-21"),
            ("2001-Aug-23.", "2001-08-23"),
            ("05-06-1999", "1999-06-05"),
            ("03/25/2019", "2019-03-25"),
            ("2007. 03. 02.", "2007-03-02"),
            ("2000-08-29 (YYYY-MM-DD)", "2000-08-29"),
            ("hm-changed@apnic.net 20021025", "2002-10-25"),
            ("domain-registrar AT isoc.org.il 20181216 (Changed)", "2018-12-16"),
            ("Thu Feb 05 2015", "2015-02-05"),
            ("2014.06.02 23:44:16", "2014-06-02"),
            ("2025-01-31 10:00:00 UTC", "2025-01-31T10:00:00Z"),
            ("2000/11/17 01:08:32 -0300", "2000-11-17T04:08:32Z"),
        ] {
            assert_eq!(read(given), Some(When::At(expected.into())), "{given}");
        }
        assert_eq!(read("before Aug-1996"), Some(When::Before("1996-08-01".into())));
        assert_eq!(read("before 01 January 1996"), Some(When::Before("1996-01-01".into())));
        for given in ["", "n/a", "see at www.register.bg", "1.2.3.4", "31-02-2020", "9999999999999999", "é"]
        {
            assert_eq!(read(given), None, "{given}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "[0-9A-Za-zé:+./ T-]{0,40}") {
            let _ = read(&text);
        }
    }
}

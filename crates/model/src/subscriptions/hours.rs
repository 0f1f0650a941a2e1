//! Hours of the day on days of the week, by the clock of a place.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// Every day, Monday first.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    fn of(date: Date) -> Self {
        match date.weekday() {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// A time of the day to the minute, such as `07:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay {
    hour: i8,
    minute: i8,
}

impl TimeOfDay {
    /// From hours and minutes; none when there is no such time.
    pub fn new(hour: i8, minute: i8) -> Option<Self> {
        ((0..24).contains(&hour) && (0..60).contains(&minute)).then_some(Self { hour, minute })
    }

    /// When it is this time on a date. A time that a change of the clock leaves out is later by as much; of one that
    /// comes twice it is the first.
    fn on(self, date: Date, zone: &TimeZone) -> Option<Timestamp> {
        Some(date.at(self.hour, self.minute, 0, 0).to_zoned(zone.clone()).ok()?.timestamp())
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl FromStr for TimeOfDay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = |text: &str| {
            let two = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            two.then(|| text.parse().ok()).flatten()
        };
        let read = text.split_once(':').and_then(|(hour, minute)| Self::new(digits(hour)?, digits(minute)?));
        read.ok_or_else(|| {
            let shown: String = text.chars().take(20).collect();
            format!("must be a time from 00:00 to 23:59, got '{shown}'")
        })
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A stretch of time that comes again each week, by the time zone of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// The days on which it begins; every day when empty.
    #[serde(default)]
    pub days: Vec<Day>,
    /// When it begins.
    #[schema(value_type = String, example = "22:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub from: TimeOfDay,
    /// When it ends: on the next day, unless that is later than the beginning. The same time for a whole day.
    #[schema(value_type = String, example = "07:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub to: TimeOfDay,
}

/// Stretches that follow each other without a gap before it is given up to look for the end of them.
const LONGEST_ROW: usize = 8;

impl Hours {
    /// Whether it is never over.
    pub fn is_always(&self) -> bool {
        self.from == self.to && Day::ALL.iter().all(|day| self.begins_on(*day))
    }

    /// Whether a moment is within.
    pub fn contain(&self, at: Timestamp, zone: &TimeZone) -> bool {
        self.end(at, zone).is_some()
    }

    /// The first moment that is not within, at or after this one.
    pub fn over_at(&self, at: Timestamp, zone: &TimeZone) -> Timestamp {
        let mut now = at;
        for _ in 0..LONGEST_ROW {
            match self.end(now, zone) {
                Some(end) => now = end,
                None => return now,
            }
        }
        now
    }

    fn begins_on(&self, day: Day) -> bool {
        self.days.is_empty() || self.days.contains(&day)
    }

    /// The end of the stretch that a moment is in.
    fn end(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let today = zone.to_datetime(at).date();
        let yesterday = today.checked_sub(1.day()).ok();
        let begun = yesterday.into_iter().chain([today]).filter(|date| self.begins_on(Day::of(*date)));
        let ends = begun.filter_map(|date| {
            let last = if self.to > self.from { date } else { date.checked_add(1.day()).ok()? };
            let (begin, end) = (self.from.on(date, zone)?, self.to.on(last, zone)?);
            (begin <= at && at < end).then_some(end)
        });
        ends.max()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hours(days: &[Day], from: &str, to: &str) -> Hours {
        Hours { days: days.to_vec(), from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_read_and_written() {
        for text in ["00:00", "07:30", "23:59"] {
            assert_eq!(text.parse::<TimeOfDay>().unwrap().to_string(), text);
        }
        for text in ["24:00", "7:30", "07:60", "07:3", "+7:30", "", ":", "07:30:00", "0７:30"] {
            assert!(text.parse::<TimeOfDay>().is_err(), "{text}");
        }
        let read: Hours = serde_json::from_str(r#"{"from":"22:00","to":"07:00"}"#).unwrap();
        assert_eq!(read, hours(&[], "22:00", "07:00"));
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        // 2026-11-20 is a Friday.
        let night = hours(&[Day::Fri], "22:00", "07:00");
        let zone = TimeZone::UTC;
        assert!(!night.contain(at("2026-11-20T06:00:00Z"), &zone), "that of Thursday");
        assert!(!night.contain(at("2026-11-20T21:59:59Z"), &zone));
        assert!(night.contain(at("2026-11-20T22:00:00Z"), &zone));
        assert!(night.contain(at("2026-11-21T06:59:59Z"), &zone));
        assert!(!night.contain(at("2026-11-21T07:00:00Z"), &zone));
        assert!(!night.contain(at("2026-11-21T23:00:00Z"), &zone), "that of Saturday");
        assert_eq!(night.over_at(at("2026-11-20T23:00:00Z"), &zone), at("2026-11-21T07:00:00Z"));
        assert_eq!(night.over_at(at("2026-11-20T12:00:00Z"), &zone), at("2026-11-20T12:00:00Z"));
    }

    #[test]
    fn days_that_follow_each_other_are_one_stretch() {
        let weekend = hours(&[Day::Sat, Day::Sun], "00:00", "00:00");
        let over = weekend.over_at(at("2026-11-21T12:00:00Z"), &berlin());
        assert_eq!(over, at("2026-11-22T23:00:00Z"), "Monday at midnight");
        assert!(!weekend.is_always());
        assert!(hours(&[], "08:00", "08:00").is_always());
        assert!(!hours(&[], "08:00", "07:59").is_always());
    }

    #[test]
    fn clocks_go_forward() {
        // On 2026-03-29 the hour from two to three does not exist.
        let night = hours(&[], "22:00", "02:30");
        assert_eq!(night.over_at(at("2026-03-28T23:00:00Z"), &berlin()), at("2026-03-29T01:30:00Z"));
        let gap = hours(&[], "02:10", "02:40");
        assert!(gap.contain(at("2026-03-29T01:15:00Z"), &berlin()), "it is a quarter past three");
        assert!(!gap.contain(at("2026-03-29T00:59:00Z"), &berlin()));
        let day = hours(&[Day::Sun], "00:00", "00:00");
        assert_eq!(day.over_at(at("2026-03-29T05:00:00Z"), &berlin()), at("2026-03-29T22:00:00Z"));
    }

    #[test]
    fn clocks_go_back() {
        // On 2026-10-25 the hour from two to three comes twice; a stretch ends the first time.
        let night = hours(&[], "22:00", "02:30");
        let end = at("2026-10-25T00:30:00Z");
        assert_eq!(night.over_at(at("2026-10-24T23:00:00Z"), &berlin()), end);
        assert!(!night.contain(end, &berlin()));
        assert!(!night.contain(at("2026-10-25T01:15:00Z"), &berlin()), "a quarter past two again");
        let day = hours(&[Day::Sun], "00:00", "00:00");
        assert_eq!(day.over_at(at("2026-10-25T05:00:00Z"), &berlin()), at("2026-10-25T23:00:00Z"));
    }

    proptest! {
        #[test]
        fn what_is_over_is_not_within(
            second in 0_i64..4_000_000_000, from in 0_i8..24, to in 0_i8..24, minute in 0_i8..60, days in 1_u8..127,
        ) {
            let zone = TimeZone::get("America/New_York").unwrap();
            let picked = Day::ALL.into_iter().enumerate().filter(|(n, _)| days >> n & 1 == 1).map(|(_, day)| day);
            let hours = Hours {
                days: picked.collect(),
                from: TimeOfDay::new(from, minute).unwrap(),
                to: TimeOfDay::new(to, 0).unwrap(),
            };
            let at = Timestamp::from_second(second).unwrap();
            let over = hours.over_at(at, &zone);
            prop_assert!(!hours.contain(over, &zone));
            prop_assert_eq!(over == at, !hours.contain(at, &zone));
        }
    }
}

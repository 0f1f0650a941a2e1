//! `/stats/presence`: how many devices are there at which hour.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use netwark_store::watch::presence::PresenceCounts;
use netwark_store::watch::statistics::BUCKET_MS;
use serde::Serialize;
use utoipa::ToSchema;

use super::answers::{Invalid, MayRead};
use super::statistics::Range;
use crate::app::App;
use crate::error::Problem;
use crate::extract::Params;

const HOURS: usize = 24;
const DAYS: usize = 7;

/// Devices that were there in the hours of a day, on average. An hour in which nobody looked is null, and so is one that
/// has not come, or that the clock left out.
type Hours = [Option<f64>; HOURS];

/// One day.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct DayPresence {
    /// The day in the server's time zone.
    #[schema(value_type = String, format = Date, example = "2026-11-26")]
    day: Date,
    /// Devices that were there, by hour from 0 to 23 on average; null where nobody looked.
    #[schema(value_type = Vec<Option<f64>>)]
    hours: Hours,
}

/// One day of the week.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct WeekdayPresence {
    /// The day of the week, from 1 for Monday to 7 for Sunday.
    #[schema(minimum = 1, maximum = 7)]
    weekday: i8,
    /// Devices that were there, by hour from 0 to 23 on average; null where nobody looked.
    #[schema(value_type = Vec<Option<f64>>)]
    hours: Hours,
}

/// Who was there in some days.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PresenceStatistics {
    /// The first day, in the server's time zone.
    #[schema(value_type = String, format = Date)]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    to: Date,
    /// The server's time zone.
    #[schema(example = "Europe/Paris")]
    timezone: String,
    /// Most devices that were there in one quarter of an hour.
    most: u64,
    /// Each day of the range.
    days: Vec<DayPresence>,
    /// All days of the range by day of the week, Monday first.
    weekdays: Vec<WeekdayPresence>,
}

/// Count devices that were there, by hour.
///
/// Days and hours are those of the server's time zone. Without a range it is the last seven days, today included. A
/// device counts once, however many interfaces it has.
#[utoipa::path(
    get, path = "/stats/presence", operation_id = "count_presence", tag = "Watch",
    params(
        ("from" = Option<String>, Query, description = "The first day", example = "2026-11-20"),
        ("to" = Option<String>, Query, description = "The last day; today when left out", example = "2026-11-26"),
        ("network" = Option<Uuid>, Query, description = "Only on the network of this id"),
    ),
    responses((status = 200, body = PresenceStatistics), Invalid, MayRead),
)]
pub(crate) async fn presence_statistics(
    State(app): State<App>,
    mut params: Params,
) -> Result<Json<PresenceStatistics>, Problem> {
    let network = params.id("network");
    let range = Range::read(&app, &mut params)?;
    params.finish()?;
    let (since, until) = range.bounds()?;
    let now = Timestamp::now();
    let counts = app.store.count_presence(since, until.min(now), network).await?;
    let mut means = Means::default();
    let most =
        each_quarter(&counts, (since, until.min(now)), |at, present| means.add(&range.zone, at, present));
    let days = range.days().map(|day| DayPresence { day, hours: means.day(day) }).collect();
    Ok(Json(PresenceStatistics {
        from: range.from,
        to: range.to,
        timezone: app.settings.timezone.clone(),
        most,
        days,
        weekdays: means.weekdays(),
    }))
}

/// Tells of each quarter of an hour in which somebody looked how many devices were there; returns the most.
fn each_quarter(
    counts: &PresenceCounts,
    (since, until): (Timestamp, Timestamp),
    mut tell: impl FnMut(Timestamp, u64),
) -> u64 {
    let (mut changes, mut watched) = (counts.changes.iter().peekable(), counts.watched.iter().peekable());
    let (mut present, mut seen_until, mut most) = (0_i64, i64::MIN, 0);
    let mut at = since.as_millisecond();
    while at < until.as_millisecond() {
        while let Some((_, change)) = changes.next_if(|(when, _)| when.as_millisecond() <= at) {
            present += change;
        }
        // A sweep says who is there until the next one, which may be late by a quarter.
        while let Some((when, every)) = watched.next_if(|(when, _)| when.as_millisecond() <= at) {
            seen_until = seen_until.max(when.as_millisecond() + every + BUCKET_MS);
        }
        if let (true, Ok(time)) = (at < seen_until, Timestamp::from_millisecond(at)) {
            let present = u64::try_from(present).unwrap_or_default();
            most = most.max(present);
            tell(time, present);
        }
        at += BUCKET_MS;
    }
    most
}

/// Sums and how many numbers are in them.
type Sums = [(u64, u32); HOURS];

/// Means of numbers by hour, of each day and of each day of the week.
#[derive(Default)]
struct Means {
    days: std::collections::HashMap<Date, Sums>,
    weekdays: [Sums; DAYS],
}

impl Means {
    fn add(&mut self, zone: &TimeZone, at: Timestamp, number: u64) {
        let time = at.to_zoned(zone.clone());
        let hour = usize::try_from(time.hour()).unwrap_or_default();
        let weekday = place(time.weekday());
        let sums = [Some(self.days.entry(time.date()).or_default()), self.weekdays.get_mut(weekday)];
        for (sum, count) in sums.into_iter().flatten().filter_map(|sums| sums.get_mut(hour)) {
            *sum += number;
            *count += 1;
        }
    }

    fn day(&self, day: Date) -> Hours {
        self.days.get(&day).map(means).unwrap_or_default()
    }

    fn weekdays(&self) -> Vec<WeekdayPresence> {
        let weekday = |(at, sums): (i8, &Sums)| WeekdayPresence { weekday: at, hours: means(sums) };
        (1..).zip(&self.weekdays).map(weekday).collect()
    }
}

fn place(weekday: Weekday) -> usize {
    usize::try_from(weekday.to_monday_zero_offset()).unwrap_or_default()
}

/// Means to a tenth.
fn means(sums: &Sums) -> Hours {
    sums.map(|(sum, count)| {
        #[expect(clippy::cast_precision_loss, reason = "sums of devices are far below 2^53")]
        let mean = |sum: u64| (sum as f64 / f64::from(count) * 10.0).round() / 10.0;
        (count > 0).then(|| mean(sum))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// What is counted of a zone in which these changes happened and sweeps ended all the time.
    fn counted(zone: &str, (since, until): (&str, &str), changes: &[(&str, i64)]) -> Means {
        let zone = TimeZone::get(zone).unwrap();
        let counts = PresenceCounts {
            changes: changes.iter().map(|(at, change)| (time(at), *change)).collect(),
            watched: vec![(time(since), 7 * 24 * 3_600_000)],
        };
        let mut means = Means::default();
        each_quarter(&counts, (time(since), time(until)), |at, present| means.add(&zone, at, present));
        means
    }

    #[test]
    fn hours_are_means_of_their_quarters() {
        let day = ("2026-11-25T23:00:00Z", "2026-11-26T23:00:00Z");
        let changes =
            [("2026-11-25T23:00:00Z", 2), ("2026-11-26T08:45:00Z", 2), ("2026-11-26T10:00:00Z", -4)];
        let means = counted("Europe/Paris", day, &changes);
        let hours = means.day("2026-11-26".parse().unwrap());
        assert_eq!((hours[0], hours[9], hours[10], hours[11]), (Some(2.0), Some(2.5), Some(4.0), Some(0.0)));
        let thursday = &means.weekdays()[3];
        assert_eq!((thursday.weekday, thursday.hours), (4, hours));
        assert_eq!(means.weekdays()[4].hours, [None; 24]);
    }

    #[test]
    fn an_hour_that_the_clock_leaves_out_is_empty_and_one_that_comes_twice_is_one() {
        let spring = ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
        let hours = counted("Europe/Paris", spring, &[(spring.0, 3)]).day("2026-03-29".parse().unwrap());
        assert_eq!((hours[1], hours[2], hours[3]), (Some(3.0), None, Some(3.0)));
        let autumn = ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
        let changes = [(autumn.0, 1), ("2026-10-25T01:00:00Z", 1)];
        let hours = counted("Europe/Paris", autumn, &changes).day("2026-10-25".parse().unwrap());
        assert_eq!((hours[1], hours[2], hours[3], hours[23]), (Some(1.0), Some(1.5), Some(2.0), Some(2.0)));
    }

    #[test]
    fn where_nobody_looked_nobody_knows() {
        let counts = PresenceCounts {
            changes: vec![(time("2026-11-26T08:00:00Z"), 1)],
            watched: vec![(time("2026-11-26T08:00:00Z"), 420_000), (time("2026-11-26T11:00:00Z"), 420_000)],
        };
        let mut told = Vec::new();
        let bounds = (time("2026-11-26T07:00:00Z"), time("2026-11-26T12:00:00Z"));
        let most = each_quarter(&counts, bounds, |at, present| told.push((at.to_string(), present)));
        let at = ["08:00", "08:15", "11:00", "11:15"].map(|at| (format!("2026-11-26T{at}:00Z"), 1));
        assert_eq!((told, most), (at.to_vec(), 1));
    }
}

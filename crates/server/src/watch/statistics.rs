//! `/stats`: counting what happened.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use netwark_model::error::FieldError;
use netwark_model::events::Severity;
use netwark_store::watch::statistics::DeviceCount;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::{Invalid, MayRead};
use crate::app::App;
use crate::error::Problem;
use crate::extract::Params;

/// Longest range that is counted, in days.
const LONGEST_DAYS: i32 = 400;
/// Days that are counted when nobody says: a week, today included.
const USUAL_DAYS: i64 = 6;
/// Most devices that are named.
const MOST_DEVICES: u64 = 10;

/// How many events there were of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SeverityCounts {
    /// Something got better.
    ok: u64,
    /// Good to know.
    info: u64,
    /// Worth a look.
    warning: u64,
    /// Somebody should act.
    alert: u64,
}

impl SeverityCounts {
    fn add(&mut self, severity: Severity, number: u64) {
        *match severity {
            Severity::Ok => &mut self.ok,
            Severity::Info => &mut self.info,
            Severity::Warning => &mut self.warning,
            Severity::Alert => &mut self.alert,
        } += number;
    }
}

/// Events of one day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DayCounts {
    /// The day in the server's time zone.
    #[schema(value_type = String, format = Date, example = "2026-11-26")]
    day: Date,
    /// How many.
    counts: SeverityCounts,
}

/// Events of one network.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NetworkCounts {
    /// The network; absent for what is about none.
    network_id: Option<Uuid>,
    /// Its name.
    network: Option<String>,
    /// How many.
    counts: SeverityCounts,
}

/// A device and how often something happened with it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceNumber {
    /// The device.
    device_id: Uuid,
    /// What it is shown as.
    label: String,
    /// How often.
    number: u64,
}

impl From<DeviceCount> for DeviceNumber {
    fn from(count: DeviceCount) -> Self {
        Self { device_id: count.device, label: count.label, number: count.number }
    }
}

/// What happened in some days.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventStatistics {
    /// The first day, in the server's time zone.
    #[schema(value_type = String, format = Date)]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    to: Date,
    /// The server's time zone.
    #[schema(example = "Europe/Paris")]
    timezone: String,
    /// All of them.
    total: SeverityCounts,
    /// By day, each day of the range.
    days: Vec<DayCounts>,
    /// By network, most first.
    networks: Vec<NetworkCounts>,
    /// By hour of the day, from 0 to 23, in the server's time zone.
    hours: Vec<SeverityCounts>,
    /// Devices with most events.
    busiest: Vec<DeviceNumber>,
    /// Devices that went down most often.
    flapping: Vec<DeviceNumber>,
}

/// A word and how many devices it fits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tally {
    /// The type or vendor; empty where nobody knows it.
    name: String,
    /// How many devices.
    number: u64,
}

/// Newcomers of one day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DayNumber {
    /// The day in the server's time zone.
    #[schema(value_type = String, format = Date)]
    day: Date,
    /// How many.
    number: u64,
}

/// Which devices there are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceStatistics {
    /// By type, most first.
    types: Vec<Tally>,
    /// By vendor, most first.
    vendors: Vec<Tally>,
    /// Devices that were first seen, by day.
    newcomers: Vec<DayNumber>,
}

/// Days that are counted.
pub(super) struct Range {
    pub(super) zone: TimeZone,
    pub(super) from: Date,
    pub(super) to: Date,
}

impl Range {
    pub(super) fn read(app: &App, params: &mut Params) -> Result<Self, Problem> {
        let zone = TimeZone::get(&app.settings.timezone).unwrap_or(TimeZone::UTC);
        let day = |text: &str| {
            let shown: String = text.chars().take(60).collect();
            text.parse::<Date>().map_err(|_| format!("must be a day such as 2026-11-26, got '{shown}'"))
        };
        let (from, to) = (params.read("from", day), params.read("to", day));
        let to = to.unwrap_or_else(|| Timestamp::now().to_zoned(zone.clone()).date());
        let usual = || to.checked_sub(USUAL_DAYS.days()).unwrap_or(to);
        let from = from.unwrap_or_else(usual);
        let wrong = |what: String| Err(FieldError::query("from", what).into());
        if from > to {
            return wrong(format!("must not be after {to}, got {from}"));
        }
        let days = from.until(to).map(|span| span.get_days()).unwrap_or(i32::MAX);
        if days > LONGEST_DAYS {
            return wrong(format!("at most {LONGEST_DAYS} days can be counted at once"));
        }
        Ok(Self { zone, from, to })
    }

    /// When it begins and ends. A day has 23 or 25 hours where the clock changes.
    pub(super) fn bounds(&self) -> Result<(Timestamp, Timestamp), Problem> {
        let begin = |day: Date| day.to_zoned(self.zone.clone()).map(|time| time.timestamp());
        let after = self.to.tomorrow().and_then(begin);
        match (begin(self.from), after) {
            (Ok(from), Ok(to)) => Ok((from, to)),
            _ => Err(FieldError::query("from", "is out of the range of times").into()),
        }
    }

    pub(super) fn days(&self) -> impl Iterator<Item = Date> {
        self.from.series(1.day()).take_while(|day| *day <= self.to)
    }

    fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }
}

/// Count events by day, severity, network and device.
///
/// Days are those of the server's time zone. Without a range it is the last seven days, today included.
#[utoipa::path(
    get, path = "/stats/events", operation_id = "count_events", tag = "Watch",
    params(
        ("from" = Option<String>, Query, description = "The first day", example = "2026-11-20"),
        ("to" = Option<String>, Query, description = "The last day; today when left out", example = "2026-11-26"),
        ("network" = Option<Uuid>, Query, description = "Only about the network of this id"),
    ),
    responses((status = 200, body = EventStatistics), Invalid, MayRead),
)]
pub(crate) async fn event_statistics(
    State(app): State<App>,
    mut params: Params,
) -> Result<Json<EventStatistics>, Problem> {
    let network = params.id("network");
    let range = Range::read(&app, &mut params)?;
    params.finish()?;
    let (since, until) = range.bounds()?;
    let counts = app.store.count_events(since, until, network).await?;
    let names = app.store.network_names().await?;
    let mut total = SeverityCounts::default();
    let mut days: BTreeMap<Date, SeverityCounts> =
        range.days().map(|day| (day, SeverityCounts::default())).collect();
    let mut networks: BTreeMap<Option<Uuid>, SeverityCounts> = BTreeMap::new();
    let mut hours = vec![SeverityCounts::default(); 24];
    for (at, severity, number) in counts.quarters {
        total.add(severity, number);
        let time = at.to_zoned(range.zone.clone());
        if let Some(day) = days.get_mut(&time.date()) {
            day.add(severity, number);
        }
        if let Some(hour) = usize::try_from(time.hour()).ok().and_then(|hour| hours.get_mut(hour)) {
            hour.add(severity, number);
        }
    }
    for (network, severity, number) in counts.networks {
        networks.entry(network).or_default().add(severity, number);
    }
    let mut networks: Vec<NetworkCounts> = networks
        .into_iter()
        .map(|(id, counts)| NetworkCounts {
            network_id: id,
            network: id.and_then(|id| names.get(&id).cloned()),
            counts,
        })
        .collect();
    networks.sort_by_key(|network| {
        let SeverityCounts { ok, info, warning, alert } = network.counts;
        std::cmp::Reverse(ok + info + warning + alert)
    });
    let busiest = app.store.busiest_devices(since, until, &[], network, MOST_DEVICES).await?;
    let flapping = app.store.busiest_devices(since, until, &["device_down"], network, MOST_DEVICES).await?;
    Ok(Json(EventStatistics {
        from: range.from,
        to: range.to,
        timezone: app.settings.timezone.clone(),
        total,
        days: days.into_iter().map(|(day, counts)| DayCounts { day, counts }).collect(),
        networks,
        hours,
        busiest: busiest.into_iter().map(DeviceNumber::from).collect(),
        flapping: flapping.into_iter().map(DeviceNumber::from).collect(),
    }))
}

/// Count devices by type and vendor, and newcomers by day.
#[utoipa::path(
    get, path = "/stats/devices", operation_id = "count_devices", tag = "Watch",
    params(
        ("from" = Option<String>, Query, description = "The first day of newcomers", example = "2026-11-20"),
        ("to" = Option<String>, Query, description = "The last day; today when left out", example = "2026-11-26"),
    ),
    responses((status = 200, body = DeviceStatistics), Invalid, MayRead),
)]
pub(crate) async fn device_statistics(
    State(app): State<App>,
    mut params: Params,
) -> Result<Json<DeviceStatistics>, Problem> {
    let range = Range::read(&app, &mut params)?;
    params.finish()?;
    let (since, until) = range.bounds()?;
    let [types, vendors] = app.store.tally_devices().await?;
    let mut days: BTreeMap<Date, u64> = range.days().map(|day| (day, 0)).collect();
    for (at, number) in app.store.newcomers(since, until).await? {
        if let Some(day) = days.get_mut(&range.day(at)) {
            *day += number;
        }
    }
    let tally = |counts: BTreeMap<String, u64>| {
        let mut tally: Vec<Tally> = counts.into_iter().map(|(name, number)| Tally { name, number }).collect();
        tally.sort_by_key(|tally| std::cmp::Reverse(tally.number));
        tally
    };
    Ok(Json(DeviceStatistics {
        types: tally(types),
        vendors: tally(vendors),
        newcomers: days.into_iter().map(|(day, number)| DayNumber { day, number }).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn range(zone: &str, from: &str, to: &str) -> Range {
        Range { zone: TimeZone::get(zone).unwrap(), from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    #[test]
    fn days_on_which_the_clock_changes_are_whole_days() {
        for (day, hours) in [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-26", 24)] {
            let (from, to) = range("Europe/Paris", day, day).bounds().unwrap();
            assert_eq!(to.duration_since(from), SignedDuration::from_hours(hours), "{day}");
        }
        // In Lord Howe Island it changes by half an hour.
        let (from, to) = range("Australia/Lord_Howe", "2026-04-05", "2026-04-05").bounds().unwrap();
        assert_eq!(to.duration_since(from), SignedDuration::from_mins(24 * 60 + 30));
    }

    #[test]
    fn each_day_of_a_range_is_there_once() {
        let range = range("Europe/Paris", "2026-10-24", "2026-10-26");
        assert_eq!(range.days().count(), 3);
        let late: Timestamp = "2026-10-25T22:59:00Z".parse().unwrap();
        assert_eq!(range.day(late).to_string(), "2026-10-25");
    }
}

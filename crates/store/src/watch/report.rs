//! Taking in what the holder of a network reports.

use std::collections::HashSet;

use jiff::Timestamp;
use netwark_model::assignments::StreamReport;
use netwark_model::mac::Mac;
use netwark_model::watch::report::{
    Fact, HeardReport, MOST_FACTS, MOST_HEARD, MOST_SIGHTINGS, SweepReport, WatchReport,
};
use netwark_model::watch::sighting::Sighting;
use sea_orm::entity::prelude::*;
use sea_orm::{DatabaseTransaction, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use super::entity::{network, part, sweep};
use super::fold::{self, Look};
use super::{Vendors, load, save};
use crate::StoreError;
use crate::convert::{from_text, millis, to_text};

/// Most parts of a sweep; what a worker says beyond is no sweep.
const MOST_PARTS: u16 = 100;
/// Most characters of an error that a worker tells.
const LONGEST_ERROR: usize = 500;

/// Reports of a standing order, by the worker that holds or held it.
pub(crate) struct Reports<'r> {
    /// The standing order.
    pub stream: Uuid,
    /// The reports, in their order.
    pub reports: &'r [StreamReport],
    /// The worker with its name.
    pub worker: &'r (Uuid, String),
    /// The worker holds the order in the epoch of the reports. What comes later is kept and changes nothing else.
    pub is_current: bool,
}

/// Takes in reports; returns how many events they raised.
pub(crate) async fn take_in(
    transaction: &DatabaseTransaction,
    reports: Reports<'_>,
    vendors: &Vendors,
    now: Timestamp,
) -> Result<usize, StoreError> {
    // One after another, so that what one report teaches the next one knows.
    let row = network::Entity::find().filter(network::Column::AssignmentId.eq(reports.stream));
    let Some(mut row) = row.lock_exclusive().one(transaction).await? else { return Ok(0) };
    let mut events = 0;
    for report in reports.reports {
        let body = match serde_json::from_value::<WatchReport>(report.body.clone()) {
            Ok(body) => body,
            Err(error) => {
                // A report that nobody can read must not stand in the way of those behind it.
                tracing::warn!(network = %row.name, %error, "a report of a sweep is not understood and is left out");
                let problem =
                    format!("its worker sends reports that this server does not understand: {error}");
                row = save::problem(transaction, row, Some(problem)).await?;
                continue;
            }
        };
        let (saved, raised) = match body {
            WatchReport::Sweep(part) => swept(transaction, row, *part, &reports, vendors, now).await?,
            WatchReport::Heard(mut heard) if reports.is_current => {
                heard.sightings.truncate(MOST_HEARD);
                heard.facts.truncate(MOST_FACTS);
                let until = if report.at_ms > 0 { report.at_ms } else { millis(now) };
                overheard(transaction, row, until, &heard, vendors, now).await?
            }
            WatchReport::Heard(_) => (row, 0),
        };
        row = saved;
        events += raised;
    }
    Ok(events)
}

async fn overheard(
    transaction: &DatabaseTransaction,
    row: network::Model,
    until: i64,
    heard: &HeardReport,
    vendors: &Vendors,
    now: Timestamp,
) -> Result<(network::Model, usize), StoreError> {
    let (sightings, facts) = (&heard.sightings, &heard.facts);
    if sightings.is_empty() && facts.is_empty() {
        return Ok((row, 0));
    }
    let ask = |mac| vendors.of(mac);
    let known = load::known(transaction, &row, &macs(sightings), &ask, millis(now)).await?;
    let (watched, taken) = fold::heard(known, until, sightings, facts);
    let raised = taken.outcome.events.len();
    let row = save::save(transaction, row, watched, taken, None, now).await?;
    Ok((row, raised))
}

/// Takes in a part of a sweep: waits for the last one, and then takes in the whole.
async fn swept(
    transaction: &DatabaseTransaction,
    row: network::Model,
    mut last: SweepReport,
    reports: &Reports<'_>,
    vendors: &Vendors,
    now: Timestamp,
) -> Result<(network::Model, usize), StoreError> {
    last.sightings.truncate(MOST_SIGHTINGS);
    last.facts.truncate(MOST_FACTS);
    last.parts = last.parts.clamp(1, MOST_PARTS);
    if last.part < last.parts {
        // Reports come in order, so parts of another sweep wait for something that is missing for good.
        let others = part::Entity::delete_many().filter(part::Column::NetworkId.eq(row.id));
        others.filter(part::Column::Sweep.ne(last.sweep)).exec(transaction).await?;
        let waiting = part::ActiveModel {
            network_id: Set(row.id),
            sweep: Set(last.sweep),
            part: Set(i32::from(last.part)),
            body: Set(to_text("part of a sweep", &(&last.sightings, &last.facts))?),
        };
        let key = [part::Column::NetworkId, part::Column::Sweep, part::Column::Part];
        part::Entity::insert(waiting)
            .on_conflict_do_nothing_on(key)
            .exec_without_returning(transaction)
            .await?;
        return Ok((row, 0));
    }
    let (mut sightings, mut facts) = (Vec::new(), Vec::new());
    let mut is_whole = true;
    if last.parts > 1 {
        let waiting = part::Entity::find()
            .filter(part::Column::NetworkId.eq(row.id))
            .filter(part::Column::Sweep.eq(last.sweep))
            .order_by_asc(part::Column::Part)
            .all(transaction)
            .await?;
        is_whole = waiting.len() + 1 == usize::from(last.parts);
        for waiting in waiting {
            let (more, other): (Vec<Sighting>, Vec<Fact>) = from_text("part of a sweep", &waiting.body)?;
            sightings.extend(more);
            facts.extend(other);
        }
        part::Entity::delete_many().filter(part::Column::NetworkId.eq(row.id)).exec(transaction).await?;
    }
    sightings.append(&mut last.sightings);
    facts.append(&mut last.facts);
    let ended_at = millis(last.ended_at).min(millis(now));
    let look = Look {
        started_at: millis(last.started_at).min(ended_at),
        ended_at,
        // Whom a missing part saw is not missing.
        complete: last.complete && is_whole && last.error.is_none(),
        link: last.link.take(),
    };
    let error = last.error.take().map(|error| error.chars().take(LONGEST_ERROR).collect::<String>());
    let mut entry = sweep::Model {
        id: last.sweep,
        network_id: row.id,
        worker_id: reports.worker.0,
        worker_name: reports.worker.1.clone(),
        started_at: look.started_at,
        ended_at: look.ended_at,
        complete: look.complete,
        probed: i64::try_from(last.probed).unwrap_or(i64::MAX),
        hosts: i32::try_from(sightings.len()).unwrap_or(i32::MAX),
        newcomers: 0,
        gone: 0,
        error,
    };
    if !reports.is_current {
        // It is another's network by now: what was seen is kept, and nothing follows from it.
        save::late(transaction, entry).await?;
        return Ok((row, 0));
    }
    let ask = |mac| vendors.of(mac);
    let known = load::known(transaction, &row, &macs(&sightings), &ask, millis(now)).await?;
    let (watched, taken) = fold::sweep(known, &look, &sightings, &facts);
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    entry.hosts = number(taken.outcome.hosts);
    entry.newcomers = number(taken.outcome.newcomers);
    entry.gone = number(taken.outcome.gone);
    let raised = taken.outcome.events.len();
    let row = save::save(transaction, row, watched, taken, Some((entry, look)), now).await?;
    Ok((row, raised))
}

fn macs(sightings: &[Sighting]) -> HashSet<Mac> {
    sightings.iter().filter_map(|sighting| sighting.mac).filter(|mac| mac.is_unicast()).collect()
}

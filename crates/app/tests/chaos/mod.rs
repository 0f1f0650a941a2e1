//! Servers, workers, broker and database killed in turn and at random under a load of operations: nothing
//! that was acknowledged is lost, nothing is done twice, everything ends.
//!
//! Needs Debian's packages `postgresql` and `rabbitmq-server`; private ones are started and killed. Where
//! `CI` is set, their absence is a failure. `make soak` runs the same for minutes (`NETWARK_CHAOS_SECONDS`),
//! and `NETWARK_CHAOS_SEED` repeats a run.
//!
//! Tests begin in the order of their names, so what takes long is called what comes early.

mod asking;
mod cluster;
mod cut;
mod deaths;
mod detour;
mod fates;
mod inventory;
mod load;
mod outages;
mod process;
mod quiet;
mod scene;
mod services;
mod sightings;
mod site;

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use tokio::sync::Mutex;

use crate::chaos::cluster::{Cluster, PARTS, Part, Shape};
use crate::chaos::load::Load;

/// The seed of the run that is always the same.
const FIXED: u64 = 20_261_121;

/// Of the runs under load, one at a time; by their names the others begin between them. The other tests wait more than they work and can run beside them.
static TURN: Mutex<()> = Mutex::const_new(());

fn seconds() -> u64 {
    std::env::var("NETWARK_CHAOS_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_while_everything_is_killed_in_turn() {
    chaos(FIXED, Kills::InTurn).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anything_is_killed_at_random_and_nothing_acknowledged_is_lost() {
    let given = std::env::var("NETWARK_CHAOS_SEED").ok().and_then(|text| text.parse().ok());
    chaos(given.unwrap_or_else(|| rand::rng().random()), Kills::AtRandom).await;
}

/// In which order parts are killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kills {
    InTurn,
    AtRandom,
}

async fn chaos(seed: u64, kills: Kills) {
    if !services::are_installed() {
        return;
    }
    let _turn = TURN.lock().await;
    eprintln!("NETWARK_CHAOS_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut cluster = Cluster::start(Shape::FULL).await;
    let load = Load::start(&cluster, seed);

    let began = Instant::now();
    let mut turn = 0;
    let mut order = PARTS.to_vec();
    while began.elapsed() < Duration::from_secs(seconds()) {
        if turn % order.len() == 0 && kills == Kills::AtRandom {
            order.shuffle(&mut random);
        }
        let part = order[turn % order.len()];
        turn += 1;
        cluster.kill(part);
        tokio::time::sleep(Duration::from_millis(random.random_range(50..1500))).await;
        cluster.start_again(part).await;
        // The broker and the database need some seconds by themselves; the others die in quick succession.
        let pause = if matches!(part, Part::Broker | Part::Database) { 1500 } else { 400 };
        tokio::time::sleep(Duration::from_millis(random.random_range(pause / 2..pause))).await;
    }
    let killing = began.elapsed();
    let posted = load.stop().await;
    let counts = fates::settle_and_judge(&cluster, &posted).await;
    let (killing, all) = (killing.as_secs(), began.elapsed().as_secs());
    eprintln!("{turn} kills in {killing} s, all ended after {all} s: {counts}");
    cluster.stop().await;
}

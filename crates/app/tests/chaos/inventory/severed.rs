//! A worker that is cut from the server goes on, also when it is started again meanwhile, and delivers afterwards.

use std::collections::BTreeSet;

use jiff::Timestamp;
use netwark_model::mac::Mac;
use serde_json::{Value, json};

use super::{Watched, at, told};
use crate::chaos::process::until_or_tell;
use crate::laboratory::lan::{LanPlan, mac, v4};
use crate::laboratory::spoken;

const HOSTS: u32 = 30;
const LEAVES: u32 = 5;
const SWAPPED: u32 = 6;
const ROGUE: u32 = 7;
/// An address that nobody has: it is asked as often as a sweep tries.
const NOBODY: u32 = 100;
const TRIES: u64 = 3;
/// How often who is missing is asked again, by each of two sweeps.
const AGAIN: u64 = 2 * 5;
const NEW_CARD: Mac = Mac::new([0x00, 0x25, 0x90, 0, 0, 6]);

/// How many sweeps have begun, by what was heard on the wire.
fn begun(watched: &Watched) -> u64 {
    watched.lan.asked(v4(NOBODY)).div_ceil(TRIES)
}

/// Waits for so many sweeps on the wire, the last of which has begun.
async fn begins(watched: &Watched, more: u64) {
    let last = begun(watched) + more;
    until_or_tell(
        || format!("sweep {last} begins; {}", watched.scene.logs()),
        || async { begun(watched) >= last },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_cut_off_goes_on_and_delivers_in_order() {
    let plan = LanPlan { hosts: HOSTS, ..LanPlan::default() };
    let network = json!({
        "prefixes": ["10.88.0.0/24"], "names": false, "passive": true, "dhcp_servers": [v4(0)],
    });
    let Some(mut watched) = Watched::start(plan, &[], network).await else { return };
    watched.swept(Timestamp::UNIX_EPOCH, 2).await;
    let quiet = watched.events().await.len();
    assert_eq!(quiet, HOSTS as usize + 1);
    // The sweep that was told of last has ended, and the next one is some seconds away.
    watched.scene.kill_worker();
    watched.site.link("down");
    let cut = Timestamp::now();
    let asked = |watched: &Watched| (watched.lan.asked(v4(LEAVES)), watched.lan.asked(v4(NOBODY)));
    let before = asked(&watched);
    watched.lan.change(|plan| {
        plan.absent.insert(LEAVES);
    });
    watched.scene.start_worker(&watched.site);
    begins(&watched, 3).await;
    // Something more happens, and who was missed by two sweeps is down.
    watched.lan.change(|plan| {
        plan.swapped.insert(SWAPPED, NEW_CARD);
        plan.announced = vec![spoken::dhcp_server(mac(ROGUE), v4(ROGUE))];
    });
    let swapped = Timestamp::now();
    begins(&watched, 3).await;
    let joined = Timestamp::now();
    watched.site.link("up");
    let told_of = || format!("all {} sweeps arrive; {}", begun(&watched), watched.scene.logs());
    until_or_tell(told_of, || async {
        let sweeps = watched.sweeps().await;
        let late = sweeps.iter().filter(|sweep| sweep.began > joined).count();
        late >= 1 && sweeps.len() as u64 == begun(&watched)
    })
    .await;
    let after = asked(&watched);
    let sweeps = watched.sweeps().await;
    assert!(sweeps.iter().all(|sweep| sweep.complete && sweep.hosts >= u64::from(HOSTS)), "{sweeps:#?}");
    assert!(sweeps.windows(2).all(|two| two[0].ended <= two[1].began), "one after the other: {sweeps:#?}");
    assert!(
        sweeps.iter().filter(|sweep| sweep.began > cut && sweep.ended < joined).count() >= 5,
        "{sweeps:#?}"
    );

    let events = watched.events().await.split_off(quiet);
    let expected = [
        ("device_down", "warning", v4(LEAVES).to_string()),
        ("mac_changed", "warning", v4(SWAPPED).to_string()),
        ("rogue_dhcp", "alert", v4(ROGUE).to_string()),
    ];
    let expected = expected.map(|(kind, severity, about)| (kind.to_owned(), severity.to_owned(), about));
    assert_eq!(told(&events), expected.into(), "{events:#?}; {}", watched.scene.logs());
    let happened = |kind: &str| at(events.iter().find(|event| event["kind"] == kind).unwrap());
    let down = happened("device_down");
    assert!(sweeps.iter().any(|sweep| sweep.ended == down && sweep.began > cut), "{down}: {sweeps:#?}");
    assert!(down < swapped, "two sweeps after it left, and not when it was told");
    for kind in ["mac_changed", "rogue_dhcp"] {
        assert!(swapped < happened(kind) && happened(kind) < joined, "{events:#?}");
    }
    in_order(&watched, cut).await;
    gone_when_it_was_seen_last(&watched, cut).await;
    // The list of who is missing outlived the worker: both sweeps that missed it asked again.
    assert_eq!(after.0 - before.0, after.1 - before.1 + AGAIN, "{}", watched.scene.logs());
}

/// The timeline is in the order in which things happened, although the server was told of some of them late.
async fn in_order(watched: &Watched, cut: Timestamp) {
    let all = watched.scene.get("/events?per_page=1000").await;
    let times: Vec<Timestamp> = all.as_array().unwrap().iter().map(at).collect();
    assert!(times.is_sorted_by(|later, earlier| later >= earlier), "{all:#}");
    let kinds: BTreeSet<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| at(event) > cut)
        .filter_map(|event| event["kind"].as_str())
        .collect();
    assert!(kinds.contains("worker_online") && kinds.contains("device_down"), "{kinds:?}");
}

async fn gone_when_it_was_seen_last(watched: &Watched, cut: Timestamp) {
    let path = watched.path_of(mac(LEAVES)).await;
    let sessions: Value = watched.scene.get(&format!("{path}/presence")).await;
    let [session] = sessions.as_array().unwrap().as_slice() else { panic!("{sessions:#}") };
    let ended: Timestamp = session["ended_at"].as_str().unwrap().parse().unwrap();
    assert!(ended <= cut, "it was seen last before the cut: {session}");
    let path = watched.path_of(mac(SWAPPED + 1)).await;
    let sessions: Value = watched.scene.get(&format!("{path}/presence")).await;
    let [session] = sessions.as_array().unwrap().as_slice() else { panic!("{sessions:#}") };
    assert!(session["ended_at"].is_null(), "who stayed was there all the time: {session}");
}

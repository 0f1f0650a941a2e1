//! Channels, subscriptions, and notices on their way from one to the other.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use netwark_model::channels::ChannelConfig;
use netwark_model::events::Severity;
use netwark_model::subscriptions::{Delivery, DeliveryStatus, Rules};
use netwark_store::Store;
use netwark_store::channels::{
    Again, ChannelDraft, Claimed, DeliveryFilter, Finished, Outcome, SubscriptionDraft, Tried,
};
use netwark_store::events::EventFilter;
use serde_json::json;
use uuid::Uuid;

use super::at;

fn channel(name: &str) -> ChannelDraft {
    let config: ChannelConfig = serde_json::from_value(json!({"kind": "webhook"})).unwrap();
    let secrets = BTreeMap::from([("url".to_owned(), "v1.sealed".to_owned())]);
    ChannelDraft { name: name.into(), config, secrets }
}

async fn add_channel(store: &Store, name: &str) -> Uuid {
    let id = Uuid::now_v7();
    store.add_channel(id, channel(name), "user admin", at(0)).await.unwrap();
    id
}

fn subscription(name: &str, channels: &[Uuid], rules: Rules) -> SubscriptionDraft {
    SubscriptionDraft { name: name.into(), enabled: true, channels: channels.to_vec(), rules }
}

async fn subscribe(store: &Store, name: &str, channels: &[Uuid], rules: Rules) -> Uuid {
    store.add_subscription(subscription(name, channels, rules), "user admin", at(0)).await.unwrap()
}

async fn tell(store: &Store, text: &str, now: Timestamp) {
    store.tell(Severity::Warning, "device_new", text.into(), now).await.unwrap();
}

async fn notice(store: &Store, now: Timestamp) -> u64 {
    store.notice_events(&TimeZone::UTC, now).await.unwrap()
}

async fn claim(store: &Store, channel: Uuid, now: Timestamp) -> Option<Claimed> {
    let until = now + SignedDuration::from_secs(120);
    store.claim_notice(channel, &TimeZone::UTC, until, now).await.unwrap()
}

fn tried(claimed: &Claimed) -> Tried {
    Tried { claim: claimed.claim, channel: claimed.channel.id, delivery: claimed.delivery.id }
}

fn texts(claimed: &Claimed) -> Vec<&str> {
    claimed.gathered.events.iter().map(|event| event.text.as_str()).collect()
}

async fn delivered(store: &Store, claimed: &Claimed, now: Timestamp) -> Finished {
    store.finish_try(tried(claimed), Outcome::Delivered { answer: "ok".into() }, now).await.unwrap()
}

async fn fails(store: &Store, claimed: &Claimed, next_at: Timestamp, now: Timestamp) -> Finished {
    let outcome = Outcome::Later { error: "connection refused".into(), next_at };
    store.finish_try(tried(claimed), outcome, now).await.unwrap()
}

async fn log(store: &Store) -> Vec<Delivery> {
    store.deliveries(&DeliveryFilter { limit: 100, ..DeliveryFilter::default() }).await.unwrap()
}

async fn kinds(store: &Store) -> Vec<String> {
    let events = store.events(&EventFilter { limit: 100, ..EventFilter::default() }).await.unwrap();
    events.into_iter().map(|event| event.kind).collect()
}

pub(crate) async fn channels_are_kept_with_their_sealed_secrets(store: &Store) {
    let id = add_channel(store, "Hook").await;
    let taken = store.add_channel(Uuid::now_v7(), channel("hOOK"), "user admin", at(0)).await.unwrap_err();
    assert_eq!(taken.to_string(), "a channel named 'Hook' exists already");
    let kept = store.channel(id).await.unwrap().unwrap();
    assert_eq!((kept.config.clone(), kept.secrets), (channel("Hook").config, channel("Hook").secrets));
    assert_eq!((kept.state.waiting, kept.state.failing), (0, false));
    let before = store.channel(id).await.unwrap().unwrap();
    let changed = store.change_channel(before.clone(), channel("hook"), at(1)).await;
    assert!(changed.unwrap(), "letter case may change");
    let stale = store.change_channel(before.clone(), channel("Hook"), at(1)).await.unwrap_err();
    assert!(stale.to_string().contains("meanwhile"), "{stale}");
    add_channel(store, "Another").await;
    let names: Vec<String> =
        store.channels().await.unwrap().into_iter().map(|channel| channel.name).collect();
    assert_eq!(names, ["Another", "hook"]);
    assert_eq!(store.remove_channel(id).await.unwrap().as_deref(), Some("hook"));
    assert!(!store.change_channel(before, channel("x"), at(1)).await.unwrap());
    assert_eq!(store.remove_channel(id).await.unwrap(), None);
}

pub(crate) async fn subscriptions_name_channels_that_exist(store: &Store) {
    let (one, two) = (add_channel(store, "one").await, add_channel(store, "two").await);
    let missing = subscription("All", &[one, Uuid::nil()], Rules::default());
    let refused = store.add_subscription(missing, "user admin", at(0)).await.unwrap_err();
    assert!(refused.to_string().starts_with("there is no channel"), "{refused}");
    let id = subscribe(store, "All", &[two, one], Rules::default()).await;
    let taken = store.add_subscription(subscription("ALL", &[one], Rules::default()), "x", at(0)).await;
    assert!(taken.unwrap_err().to_string().contains("exists already"));
    let kept = store.subscription(id).await.unwrap().unwrap();
    assert_eq!((&kept.channels, &kept.rules), (&vec![one, two], &Rules::default()));
    let rules = Rules { kinds: vec!["device_new".into()], ..Rules::default() };
    let draft = SubscriptionDraft { enabled: false, ..subscription("Some", &[two], rules.clone()) };
    assert!(store.change_subscription(kept.clone(), draft.clone(), at(1)).await.unwrap());
    let stale = store.change_subscription(kept, draft, at(1)).await.unwrap_err();
    assert!(stale.to_string().contains("meanwhile"), "{stale}");
    let kept = &store.subscriptions().await.unwrap()[0];
    assert_eq!((kept.name.as_str(), kept.enabled, &kept.rules), ("Some", false, &rules));
    store.remove_channel(two).await.unwrap();
    assert!(store.subscription(id).await.unwrap().unwrap().channels.is_empty());
    assert_eq!(store.remove_subscription(id, at(2)).await.unwrap().as_deref(), Some("Some"));
    assert_eq!(store.remove_subscription(id, at(2)).await.unwrap(), None);
}

pub(crate) async fn events_gather_into_one_notice_for_each_channel(store: &Store) {
    tell(store, "before", at(0)).await;
    assert_eq!(notice(store, at(1)).await, 0, "nobody had subscribed");
    let (one, two) = (add_channel(store, "one").await, add_channel(store, "two").await);
    let id = subscribe(store, "All", &[one, two], Rules::default()).await;
    let off = SubscriptionDraft { enabled: false, ..subscription("Off", &[one], Rules::default()) };
    store.add_subscription(off, "user admin", at(0)).await.unwrap();
    tell(store, "first", at(2)).await;
    store.tell(Severity::Info, "device_up", "not wanted".into(), at(2)).await.unwrap();
    assert_eq!(notice(store, at(3)).await, 2);
    assert_eq!(notice(store, at(3)).await, 0);
    tell(store, "second", at(4)).await;
    assert_eq!(notice(store, at(5)).await, 1);
    assert_eq!(store.notices_waiting().await.unwrap(), 2);
    assert!(store.channels_with_notices(at(62)).await.unwrap().is_empty());
    let mut ready = store.channels_with_notices(at(63)).await.unwrap();
    ready.sort_unstable();
    assert_eq!(ready, [one, two]);

    let claimed = claim(store, one, at(63)).await.unwrap();
    assert_eq!(texts(&claimed), ["first", "second"]);
    assert_eq!(claimed.delivery.subscription_id, Some(id));
    assert_eq!((claimed.delivery.events, claimed.delivery.summary.as_str()), (2, "first"));
    assert_eq!(claim(store, one, at(64)).await, None, "somebody sends over it");
    // What it says is settled now; what comes later gathers behind it.
    tell(store, "third", at(65)).await;
    assert_eq!(notice(store, at(65)).await, 1);
    assert!(delivered(store, &claimed, at(66)).await.noted);
    assert_eq!(claim(store, one, at(67)).await, None, "the next one gathers");
    let next = claim(store, one, at(125)).await.unwrap();
    assert_eq!(texts(&next), ["third"]);
    let other = claim(store, two, at(125)).await.unwrap();
    assert_eq!(texts(&other), ["first", "second", "third"]);
    let done = store.delivery(claimed.delivery.id).await.unwrap().unwrap();
    assert_eq!(
        (done.status, done.attempts, done.answer.as_deref()),
        (DeliveryStatus::Delivered, 1, Some("ok"))
    );
    assert_eq!((done.ended_at, done.next_at), (Some(at(66)), None));
}

pub(crate) async fn while_a_channel_fails_its_oldest_notice_is_tried(store: &Store) {
    let down = add_channel(store, "down").await;
    let rules = Rules { group_for_ms: 0, ..Rules::default() };
    subscribe(store, "All", &[down], rules).await;
    tell(store, "one", at(0)).await;
    notice(store, at(0)).await;
    let first = claim(store, down, at(0)).await.unwrap();
    assert!(fails(store, &first, at(30), at(1)).await.noted);
    for second in 2..20 {
        tell(store, &format!("event {second}"), at(second)).await;
        notice(store, at(second)).await;
        assert!(store.channels_with_notices(at(second)).await.unwrap().is_empty(), "it waits for its try");
        assert_eq!(claim(store, down, at(second)).await, None);
    }
    let again = claim(store, down, at(30)).await.unwrap();
    assert_eq!((again.delivery.id, texts(&again)), (first.delivery.id, vec!["one"]), "the very same");
    assert_eq!(again.delivery.attempts, 1);
    delivered(store, &again, at(31)).await;
    let rest = claim(store, down, at(31)).await.unwrap();
    assert_eq!(rest.gathered.events.len(), 18, "the others are one notice");
    assert!(rest.gathered.events.is_sorted_by_key(|event| event.at));
    delivered(store, &rest, at(32)).await;
    assert_eq!(store.notices_waiting().await.unwrap(), 0);
}

pub(crate) async fn a_channel_that_fails_is_told_elsewhere(store: &Store) {
    let (bad, good) = (add_channel(store, "bad").await, add_channel(store, "good").await);
    let rules = Rules { group_for_ms: 0, ..Rules::default() };
    subscribe(store, "All", &[bad, good], rules).await;
    tell(store, "one", at(0)).await;
    notice(store, at(0)).await;
    for failure in 1..=4 {
        let claimed = claim(store, bad, at(failure * 10)).await.unwrap();
        let told = fails(store, &claimed, at(failure * 10 + 5), at(failure * 10 + 1)).await.told;
        assert_eq!(told, failure == 3, "after {failure} failures");
    }
    let state = store.channel(bad).await.unwrap().unwrap().state;
    assert_eq!((state.failing, state.failures, state.waiting), (true, 4, 1));
    assert_eq!(state.error.as_deref(), Some("connection refused"));
    assert_eq!(kinds(store).await, ["channel_failing", "device_new"]);
    notice(store, at(50)).await;
    let well = claim(store, good, at(50)).await.unwrap();
    assert_eq!(texts(&well), ["one", "channel bad fails: connection refused"]);
    delivered(store, &well, at(51)).await;
    let claimed = claim(store, bad, at(60)).await.unwrap();
    assert_eq!(texts(&claimed), ["one"]);
    assert!(delivered(store, &claimed, at(61)).await.told);
    assert_eq!(kinds(store).await[0], "channel_ok");
    notice(store, at(62)).await;
    assert_eq!(claim(store, bad, at(70)).await, None, "nothing about itself is told over it");
    let state = store.channel(bad).await.unwrap().unwrap().state;
    assert_eq!((state.failing, state.failures, state.error), (false, 0, None));
}

pub(crate) async fn who_is_killed_leaves_its_notice_to_others(store: &Store) {
    let hook = add_channel(store, "hook").await;
    subscribe(store, "All", &[hook], Rules { group_for_ms: 0, ..Rules::default() }).await;
    tell(store, "one", at(0)).await;
    notice(store, at(0)).await;
    let lost = claim(store, hook, at(0)).await.unwrap();
    tell(store, "two", at(1)).await;
    notice(store, at(1)).await;
    assert_eq!(claim(store, hook, at(119)).await, None);
    let again = claim(store, hook, at(120)).await.unwrap();
    assert_eq!((again.delivery.id, texts(&again)), (lost.delivery.id, vec!["one"]), "the same key and words");
    // The first was only slow. That it failed is of no interest any more, that it was taken is.
    assert!(!fails(store, &lost, at(200), at(121)).await.noted);
    assert!(delivered(store, &lost, at(122)).await.noted);
    assert!(!delivered(store, &again, at(123)).await.noted, "noted already");
    let next = claim(store, hook, at(124)).await.unwrap();
    assert_eq!(texts(&next), ["two"]);
    // A server that starts alone need not wait.
    store.forget_claims().await.unwrap();
    assert_eq!(claim(store, hook, at(125)).await.unwrap().delivery.id, next.delivery.id);
}

pub(crate) async fn a_storm_is_few_notices(store: &Store) {
    let hook = add_channel(store, "hook").await;
    let rules = Rules { group_for_ms: 0, most_per_hour: 3, ..Rules::default() };
    let id = subscribe(store, "All", &[hook], rules.clone()).await;
    let mut sent = 0;
    for second in 0..50 {
        for n in 0..20 {
            tell(store, &format!("event {second} {n}"), at(second)).await;
        }
        while notice(store, at(second)).await > 0 {}
        while let Some(claimed) = claim(store, hook, at(second)).await {
            sent += claimed.delivery.events;
            delivered(store, &claimed, at(second)).await;
        }
    }
    let counts: Vec<u64> = log(store).await.iter().map(|delivery| delivery.events).collect();
    assert_eq!((counts.len(), sent), (4, 60));
    assert_eq!(counts[0], 940, "held until its turn, and nothing is lost");
    let turn = log(store).await[0].next_at;
    assert_eq!(turn, Some(at(3600)), "an hour after the first of three");
    assert_eq!(claim(store, hook, at(3599)).await, None);
    let rest = claim(store, hook, at(3600)).await.unwrap();
    assert_eq!((rest.gathered.events.len(), rest.gathered.more), (100, 840));
    fails(store, &rest, at(3700), at(3601)).await;

    // Who changes the subscription does not wait for what was decided before.
    tell(store, "late", at(3610)).await;
    notice(store, at(3610)).await;
    let before = store.subscription(id).await.unwrap().unwrap();
    store.change_subscription(before, subscription("All", &[hook], rules), at(3611)).await.unwrap();
    delivered(store, &claim(store, hook, at(3700)).await.unwrap(), at(3701)).await;
    assert_eq!(texts(&claim(store, hook, at(3702)).await.unwrap()), ["late"]);
}

pub(crate) async fn quiet_hours_hold_all_but_alerts(store: &Store) {
    let hook = add_channel(store, "hook").await;
    // It is eight in the morning at the beginning of time.
    let quiet = serde_json::from_value(json!({"from": "07:00", "to": "09:00"})).unwrap();
    let rules = Rules { quiet_hours: Some(quiet), ..Rules::default() };
    let id = subscribe(store, "All", &[hook], rules).await;
    tell(store, "quiet", at(0)).await;
    notice(store, at(0)).await;
    assert_eq!(log(store).await[0].next_at, Some(at(3600)));
    assert_eq!(claim(store, hook, at(3599)).await, None);
    store.tell(Severity::Alert, "rogue_dhcp", "loud".into(), at(100)).await.unwrap();
    notice(store, at(100)).await;
    let claimed = claim(store, hook, at(100)).await.unwrap();
    assert_eq!(texts(&claimed), ["quiet", "loud"]);
    assert_eq!(claimed.delivery.worst, Severity::Alert);
    delivered(store, &claimed, at(101)).await;

    tell(store, "more", at(200)).await;
    notice(store, at(200)).await;
    store.remove_subscription(id, at(300)).await.unwrap();
    assert_eq!(texts(&claim(store, hook, at(300)).await.unwrap()), ["more"], "its subscription is gone");
}

pub(crate) async fn quiet_hours_hold_what_failed_before_they_began(store: &Store) {
    let hook = add_channel(store, "hook").await;
    // It is eight in the morning at the beginning of time.
    let quiet = serde_json::from_value(json!({"from": "09:00", "to": "10:00"})).unwrap();
    let rules = Rules { quiet_hours: Some(quiet), group_for_ms: 0, ..Rules::default() };
    let nights = subscribe(store, "Nights", &[hook], rules.clone()).await;
    tell(store, "late", at(3590)).await;
    notice(store, at(3590)).await;
    let late = claim(store, hook, at(3590)).await.unwrap();
    fails(store, &late, at(3620), at(3591)).await;
    // Its next try would be in quiet hours.
    assert_eq!(claim(store, hook, at(3620)).await, None);
    let held = log(store).await[0].clone();
    assert_eq!((held.status, held.next_at), (DeliveryStatus::Held, Some(at(7200))));
    assert_eq!((held.attempts, held.began_at), (1, Some(at(3590))));
    // An alert does not wait behind it, and neither does that it was taken let it go.
    store.tell(Severity::Alert, "rogue_dhcp", "loud".into(), at(3700)).await.unwrap();
    tell(store, "also quiet", at(3700)).await;
    notice(store, at(3700)).await;
    let loud = claim(store, hook, at(3700)).await.unwrap();
    assert_eq!(texts(&loud), ["loud", "also quiet"]);
    fails(store, &loud, at(3730), at(3701)).await;
    let again = claim(store, hook, at(3730)).await.unwrap();
    assert_eq!(again.delivery.id, loud.delivery.id, "an alert is tried again in quiet hours");
    delivered(store, &again, at(3731)).await;
    tell(store, "in the night", at(3800)).await;
    notice(store, at(3800)).await;
    assert_eq!(claim(store, hook, at(7199)).await, None);
    let before = store.channel(hook).await.unwrap().unwrap();
    assert!(store.change_channel(before, channel("hook"), at(7199)).await.unwrap());
    assert_eq!(claim(store, hook, at(7199)).await, None, "another password is no reason to wake anybody");

    // In the morning they leave in their order, the first as it was settled.
    let first = claim(store, hook, at(7200)).await.unwrap();
    assert_eq!((first.delivery.id, texts(&first)), (late.delivery.id, vec!["late"]));
    delivered(store, &first, at(7201)).await;
    let second = claim(store, hook, at(7201)).await.unwrap();
    assert_eq!(texts(&second), ["in the night"]);
    fails(store, &second, at(90_010), at(7202)).await;

    // The next night. Who asks for another try gets it, and who changes the hours is believed.
    assert_eq!(claim(store, hook, at(90_010)).await, None);
    assert_eq!(store.try_again(second.delivery.id, at(90_020)).await.unwrap(), Some(Again::Tried));
    let asked = claim(store, hook, at(90_020)).await.unwrap();
    assert_eq!(asked.delivery.id, second.delivery.id);
    fails(store, &asked, at(90_050), at(90_021)).await;
    assert_eq!(claim(store, hook, at(90_050)).await, None);
    let awake = Rules { quiet_hours: None, ..rules };
    let before = store.subscription(nights).await.unwrap().unwrap();
    store.change_subscription(before, subscription("Nights", &[hook], awake), at(90_060)).await.unwrap();
    assert_eq!(claim(store, hook, at(90_060)).await.unwrap().delivery.id, second.delivery.id);
}

pub(crate) async fn what_is_dead_can_be_sent_again(store: &Store) {
    let hook = add_channel(store, "hook").await;
    subscribe(store, "All", &[hook], Rules { group_for_ms: 0, ..Rules::default() }).await;
    tell(store, "one", at(0)).await;
    notice(store, at(0)).await;
    let first = claim(store, hook, at(0)).await.unwrap();
    let dead = Outcome::Dead { error: "401\0 Unauthorized".into(), rests_until: at(31) };
    assert!(store.finish_try(tried(&first), dead, at(1)).await.unwrap().noted);
    tell(store, "behind", at(2)).await;
    notice(store, at(2)).await;
    assert_eq!(claim(store, hook, at(30)).await, None, "it would meet the same");
    let behind = claim(store, hook, at(31)).await.unwrap();
    assert_eq!(texts(&behind), ["behind"]);
    let dead = Outcome::Dead { error: "401 Unauthorized".into(), rests_until: at(100) };
    store.finish_try(tried(&behind), dead, at(32)).await.unwrap();
    let before = store.channel(hook).await.unwrap().unwrap();
    store.change_channel(before, channel("hook"), at(33)).await.unwrap();
    assert_eq!(store.channel(hook).await.unwrap().unwrap().state.failures, 2);
    let filter = DeliveryFilter {
        status: Some(DeliveryStatus::Dead),
        channel: Some(hook),
        limit: 9,
        ..DeliveryFilter::default()
    };
    let dead = store.deliveries(&filter).await.unwrap();
    assert_eq!((dead.len(), dead[1].error.as_deref()), (2, Some("401 Unauthorized")));
    assert_eq!(store.try_again(first.delivery.id, at(40)).await.unwrap(), Some(Again::Tried));
    let again = claim(store, hook, at(40)).await.unwrap();
    assert_eq!((again.delivery.id, texts(&again)), (first.delivery.id, vec!["one"]));
    delivered(store, &again, at(41)).await;
    let not = store.try_again(first.delivery.id, at(42)).await.unwrap();
    assert_eq!(not, Some(Again::Not(DeliveryStatus::Delivered)));
    assert_eq!(store.try_again(Uuid::nil(), at(42)).await.unwrap(), None);
    assert_eq!(store.try_all_again(hook, at(43)).await.unwrap(), Some(1));
    assert_eq!(store.try_all_again(Uuid::nil(), at(43)).await.unwrap(), None);
    let again = claim(store, hook, at(43)).await.unwrap();
    assert_eq!((again.delivery.id, texts(&again)), (behind.delivery.id, vec!["behind"]));
    delivered(store, &again, at(44)).await;

    let (id, status) = (Uuid::now_v7(), DeliveryStatus::Delivered);
    let test = Delivery { id, status, answer: Some("ok".into()), ..again.delivery.clone() };
    assert!(store.note_test(test, at(50)).await.unwrap().noted);
    assert_eq!(store.try_again(id, at(51)).await.unwrap(), Some(Again::Test));

    tell(store, "two", at(60)).await;
    notice(store, at(60)).await;
    assert_eq!(store.forget_deliveries(at(45)).await.unwrap(), 2);
    let left: Vec<DeliveryStatus> = log(store).await.iter().map(|delivery| delivery.status).collect();
    assert_eq!(left, [DeliveryStatus::Gathering, DeliveryStatus::Delivered], "what waits is never forgotten");
}

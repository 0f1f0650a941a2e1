//! One suite of storage cases, run on every database.
//!
//! SQLite always runs. PostgreSQL runs when `NETWARK_TEST_POSTGRES_URL` names a server on which
//! databases may be made; where `CI` is set, its absence is a failure.

#![expect(clippy::panic, reason = "a test fails by panicking, in its helpers too")]
#![expect(clippy::unwrap_used, reason = "the same")]
#![expect(clippy::print_stderr, reason = "who runs the tests should see what was skipped")]

use netwark_store::{Store, StoreOptions};
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};

mod cases;
#[expect(dead_code, reason = "other tests begin with an empty database")]
mod support;

/// What a watched network costs in a year is what it costs in a day, once its devices are known.
#[tokio::test]
async fn a_year_of_sweeps_is_less_than_100_megabytes() {
    let url = support::sqlite_url();
    let store = Store::open(&StoreOptions::new(url.clone())).await.unwrap();
    let mut office = cases::watch::Site::new(&store, "office").await;
    office.office_day().await;
    let connection = Database::connect(url).await.unwrap();
    let used = async || {
        let asked = "SELECT (page_count - freelist_count) * page_size AS used \
                     FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()";
        let statement = Statement::from_string(DbBackend::Sqlite, asked);
        connection.query_one_raw(statement).await.unwrap().unwrap().try_get::<i64>("", "used").unwrap()
    };
    let before = used().await;
    office.office_day().await;
    let day = used().await - before;
    assert!(day > 0 && day * 365 < 100_000_000, "{day} bytes in a day");
}

/// Makes one test per case and database.
macro_rules! suite {
    ($($module:ident :: $case:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                crate::cases::$module::$case(&crate::support::sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $case() {
                if let Some(store) = crate::support::postgres().await {
                    crate::cases::$module::$case(&store).await;
                }
            })*
        }
    };
}

suite! {
    assignments::an_order_finds_the_least_loaded_holder,
    assignments::an_order_moves_when_the_lease_ends,
    assignments::a_holder_that_drains_is_asked_to_let_go,
    assignments::a_worker_without_its_numbers_begins_new_epochs,
    auth::names_are_unique_whatever_their_case,
    auth::users_come_in_the_order_they_were_made,
    auth::a_code_makes_one_first_user,
    auth::wrong_codes_are_counted,
    auth::a_code_expires,
    auth::a_user_from_elsewhere_ends_the_code,
    auth::an_administrator_remains,
    auth::sessions_end,
    auth::a_new_password_ends_other_sessions,
    auth::tokens_are_made_used_and_removed,
    auth::the_first_setting_stands,
    channels::channels_are_kept_with_their_sealed_secrets,
    channels::subscriptions_name_channels_that_exist,
    channels::events_gather_into_one_notice_for_each_channel,
    channels::while_a_channel_fails_its_oldest_notice_is_tried,
    channels::a_channel_that_fails_is_told_elsewhere,
    channels::who_is_killed_leaves_its_notice_to_others,
    channels::a_storm_is_few_notices,
    channels::quiet_hours_hold_all_but_alerts,
    channels::quiet_hours_hold_what_failed_before_they_began,
    channels::what_is_dead_can_be_sent_again,
    manage::a_token_belongs_to_its_worker,
    manage::of_two_that_want_a_name_one_gets_it,
    manage::a_code_is_exchanged_once_and_in_time,
    manage::what_is_set_wins_over_what_is_said,
    manage::draining_is_told_once,
    manage::the_timeline_is_told_of_what_concerns_no_worker,
    manage::the_timeline_tells_who_changed_what,
    manage::a_worker_drains_when_either_side_wants_it,
    manage::who_was_revoked_of_late_is_found_by_its_link,
    manage::who_is_revoked_brings_nothing_more,
    manage::who_is_online_is_not_deleted,
    manage::a_hello_does_not_undo_a_revocation,
    manage::queues_of_administrators_live_beside_the_declared,
    manage::a_queue_in_use_keeps_its_kind,
    operations::expects_one_result_per_online_member,
    operations::direct_queue_has_one_slot_for_whoever_takes_it,
    operations::a_worker_named_twice_runs_once,
    operations::nobody_online_stores_nothing,
    operations::same_workers_as_before,
    operations::repeated_key_answers_with_the_first,
    operations::reports_are_applied_once,
    operations::another_workers_report_is_refused,
    operations::a_direct_slot_goes_to_who_is_given_the_work_again,
    operations::late_report_keeps_timeout,
    operations::overdue_results_end,
    operations::cancel_ends_what_is_open,
    operations::restart_ends_only_what_had_begun,
    operations::versions_rise_and_resume,
    operations::list_filters_and_pages,
    operations::history_is_forgotten,
    operations::nul_in_a_payload_is_left_out,
    selectors::whom_a_selector_finds_gets_a_copy,
    selectors::a_limit_takes_that_many,
    selectors::plain_queues_work_as_queues_do,
    selectors::last_is_the_latest_of_whoever_asks,
    selectors::a_preview_tells_who_would_run,
    streams::reports_are_applied_once_and_in_order,
    streams::a_gap_leads_on_and_is_told,
    streams::an_earlier_epoch_is_data_only,
    streams::only_who_held_an_epoch_reports_of_it,
    streams::two_servers_apply_at_once,
    streams::what_is_held_is_bounded,
    watch::a_network_has_an_order_that_follows_it,
    watch::a_sweep_becomes_devices_and_events,
    watch::a_large_sweep_comes_in_parts,
    watch::what_says_nothing_new_writes_nothing,
    watch::a_stopped_network_lets_nobody_go_down,
    watch::who_lost_a_network_changes_nothing_there,
    watch::what_was_overheard_counts_at_once,
    watch::one_device_on_two_networks_is_one,
    watch::devices_are_found_and_sorted,
    watch::devices_are_merged_and_split,
    watch::the_list_never_contradicts_itself,
    watch::the_list_decides_at_once_and_until_it_expires,
    watch::a_network_goes_with_or_without_its_history,
    watch::old_sightings_are_forgotten,
    watch::what_is_told_late_stands_where_it_happened,
    watch::events_are_narrowed_counted_and_acknowledged,
    statistics::who_was_there_is_counted_once,
    workers::hello_makes_a_member_and_silence_ends_it,
    workers::what_is_said_again_is_recognised,
    workers::what_a_worker_says_stays_known_beside_what_is_set,
    workers::what_a_worker_finds_out_later_replaces_what_its_hello_said,
    workers::no_two_names_differ_in_case_alone,
    workers::queues_are_declared_anew,
}

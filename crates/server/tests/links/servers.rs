//! Two servers on one database.

use std::time::Duration;

use netwark_store::{Store, StoreOptions};
use serde_json::Value;
use sqlx::Connection;
use uuid::Uuid;

use crate::support::{Player, Server, run_order, within};

/// The URL of an empty PostgreSQL database, or nothing where there is no server.
pub(crate) async fn database() -> Option<String> {
    let Ok(server) = std::env::var("NETWARK_TEST_POSTGRES_URL") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "NETWARK_TEST_POSTGRES_URL is not set, and CI must test PostgreSQL"
        );
        eprintln!("skipped: NETWARK_TEST_POSTGRES_URL is not set");
        return None;
    };
    let name = format!("netwark_{}", Uuid::now_v7().simple());
    let mut admin = sqlx::PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::raw_sql(create).execute(&mut admin).await.unwrap();
    Some(format!("{server}/{name}"))
}

pub(crate) async fn server(url: &str) -> Server {
    Server::on(Store::open(&StoreOptions::new(url)).await.unwrap()).await
}

/// Reads a stream of events until one says that the operation is done; returns their names.
async fn events_until_done(server: &Server, operation: &str) -> Vec<String> {
    let url = format!("{}/api/v1/operations/{operation}/events", server.url);
    let mut answer = reqwest::Client::new().get(url).bearer_auth(&server.token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let mut text = String::new();
    let mut names = Vec::new();
    while let Some(bytes) = answer.chunk().await.unwrap() {
        text.push_str(std::str::from_utf8(&bytes).unwrap());
        while let Some((block, rest)) = text.split_once("\n\n") {
            names.extend(
                block.lines().find_map(|line| line.strip_prefix("event:")).map(|n| n.trim().to_owned()),
            );
            text = rest.to_owned();
        }
        if names.last().is_some_and(|name| name == "end") {
            break;
        }
    }
    names
}

#[tokio::test]
async fn events_cross_servers() {
    let Some(url) = database().await else { return };
    let (one, other) = (server(&url).await, server(&url).await);
    let (id, token) = one.enrol("paris").await;
    let (mut player, _) = Player::arrive(&one, id, &token).await;
    let mut work = player.work(&["netwark"], 4);
    let operation = one.operation("netwark").await;
    let incoming = within(work.next()).await.unwrap();
    // The other server is asked by who has never spoken to the first.
    let watching = tokio::spawn(async move { events_until_done(&other, &operation).await });
    let order = run_order(&incoming);
    let operation_id = order.operation_id;
    player.done(&order).await;
    incoming.acknowledge();
    let names = within(watching).await.unwrap();
    assert_eq!(names.last().map(String::as_str), Some("end"), "{names:?}");
    assert_eq!(one.results(&operation_id.to_string()).await[0]["status"], Value::from("done"));
}

#[tokio::test]
async fn lists_follow_what_happens_elsewhere() {
    let Some(url) = database().await else { return };
    let (one, other) = (server(&url).await, server(&url).await);
    let (id, token) = one.enrol("paris").await;
    let (_player, _) = Player::arrive(&one, id, &token).await;
    let list = format!("{}/api/v1/operations/events?list=true", other.url);
    let follow = async {
        loop {
            let request = reqwest::Client::new().get(&list).bearer_auth(&other.token);
            let mut answer = request.send().await.unwrap();
            let operation = one.operation("netwark").await;
            one.cancel(&operation).await;
            let mut text = String::new();
            // The stream ends, to be opened anew, when notices may have been lost.
            while let Some(bytes) = answer.chunk().await.unwrap() {
                text.push_str(std::str::from_utf8(&bytes).unwrap());
                if text.contains(&operation) {
                    return;
                }
            }
        }
    };
    within(follow).await;
}

#[tokio::test]
async fn a_worker_that_goes_to_another_server_is_cut_at_the_first() {
    let Some(url) = database().await else { return };
    let (one, other) = (server(&url).await, server(&url).await);
    let (id, token) = one.enrol("paris").await;
    let (first, _) = Player::arrive(&one, id, &token).await;
    let (second, _) = Player::arrive(&other, id, &token).await;
    let told = first.ended().await;
    assert!(told.reason.contains("another program"), "{told:?}");
    // Revoked at the first, cut at the second.
    one.app.store.revoke_worker(id, "the test", jiff::Timestamp::now()).await.unwrap().unwrap();
    one.app.store.notify(netwark_store::notices::Channel::Workers, &id.to_string()).await.unwrap();
    assert!(second.ended().await.revoked);
}

#[tokio::test]
async fn deadlines_are_kept_when_the_leader_goes() {
    let Some(url) = database().await else { return };
    let (one, other) = (server(&url).await, server(&url).await);
    let (id, token) = other.enrol("paris").await;
    let (_player, _) = Player::arrive(&other, id, &token).await;
    // The first of them leads.
    within(one.running.stop()).await;
    let operation = other.operation_within("netwark", 1_000).await;
    let ended = async {
        loop {
            let results = other.results(&operation).await;
            if results[0]["status"] != "pending" {
                return results[0]["status"].clone();
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    assert_eq!(within(ended).await, "timeout");
}

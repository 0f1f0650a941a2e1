//! Users, sessions, tokens, the set-up code and settings.

use jiff::{SignedDuration, Timestamp};
use netwark_model::auth::Role;
use netwark_store::setup_codes::FirstUser;
use netwark_store::user_changes::{Changed, UserChange};
use netwark_store::users::NewUser;
use netwark_store::{Store, StoreError};

const CODE: [u8; 32] = [1; 32];
const OTHER: [u8; 32] = [2; 32];

fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn new(name: &str, role: Role) -> NewUser {
    NewUser { name: name.into(), password_hash: format!("hash of {name}"), role }
}

pub(crate) async fn names_are_unique_whatever_their_case(store: &Store) {
    let user = store.add_user(new("Ännchen", Role::Viewer), start()).await.unwrap();
    let again = store.add_user(new("äNNCHEN", Role::Admin), start()).await;
    assert!(matches!(&again, Err(StoreError::NameTaken(text)) if text.contains("äNNCHEN")), "{again:?}");
    let found = store.user_secrets("ÄNNCHEN").await.unwrap().unwrap();
    assert_eq!(found.user, user);
    assert_eq!(found.password_hash, "hash of Ännchen");
    assert_eq!(store.user(user.id).await.unwrap(), Some(user));
    assert!(store.user_secrets("nobody").await.unwrap().is_none());
}

pub(crate) async fn users_come_in_the_order_they_were_made(store: &Store) {
    for name in ["zoe", "Adam", "eve"] {
        store.add_user(new(name, Role::Operator), start()).await.unwrap();
    }
    let (users, total) = store.users(1, 5).await.unwrap();
    assert_eq!(total, 3);
    assert_eq!(users.iter().map(|user| user.name.as_str()).collect::<Vec<_>>(), ["Adam", "eve"]);
}

pub(crate) async fn a_code_makes_one_first_user(store: &Store) {
    assert!(!store.has_users().await.unwrap());
    assert!(store.replace_setup_code(OTHER, after(60), 5).await.unwrap());
    assert!(store.replace_setup_code(CODE, after(60), 5).await.unwrap());
    let earlier = store.make_first_user(OTHER, new("a", Role::Admin), start()).await.unwrap();
    assert_eq!(earlier, FirstUser::WrongCode { tries_left: 4 });

    let tries = (0..8).map(|i| store.make_first_user(CODE, new(&format!("admin{i}"), Role::Admin), start()));
    let outcomes = futures::future::join_all(tries).await;
    let made = outcomes.iter().filter(|outcome| matches!(outcome, Ok(FirstUser::Made(_)))).count();
    let late = outcomes.iter().filter(|outcome| matches!(outcome, Ok(FirstUser::UserExists))).count();
    assert_eq!((made, late), (1, 7), "{outcomes:?}");
    assert_eq!(store.users(0, 10).await.unwrap().1, 1);
    assert!(store.has_users().await.unwrap());
    assert!(!store.replace_setup_code(CODE, after(60), 5).await.unwrap());
}

pub(crate) async fn wrong_codes_are_counted(store: &Store) {
    store.replace_setup_code(CODE, after(60), 3).await.unwrap();
    for tries_left in [2, 1, 0] {
        let tried = store.make_first_user(OTHER, new("a", Role::Admin), start()).await.unwrap();
        assert_eq!(tried, FirstUser::WrongCode { tries_left });
    }
    let tried = store.make_first_user(CODE, new("a", Role::Admin), start()).await.unwrap();
    assert_eq!(tried, FirstUser::NoCode);
    assert!(!store.has_users().await.unwrap());
}

pub(crate) async fn a_code_expires(store: &Store) {
    store.replace_setup_code(CODE, after(60), 5).await.unwrap();
    let tried = store.make_first_user(CODE, new("a", Role::Admin), after(60)).await.unwrap();
    assert_eq!(tried, FirstUser::NoCode);
    let tried = store.make_first_user(CODE, new("a", Role::Admin), after(59)).await.unwrap();
    assert!(matches!(tried, FirstUser::Made(_)), "{tried:?}");
}

pub(crate) async fn a_user_from_elsewhere_ends_the_code(store: &Store) {
    store.replace_setup_code(CODE, after(60), 5).await.unwrap();
    let user = store.add_user(new("shell", Role::Viewer), start()).await.unwrap();
    let tried = store.make_first_user(CODE, new("a", Role::Admin), start()).await.unwrap();
    assert_eq!(tried, FirstUser::UserExists);
    assert!(matches!(store.remove_user(user.id).await.unwrap(), Changed::Done(_)));
    let tried = store.make_first_user(CODE, new("a", Role::Admin), start()).await.unwrap();
    assert_eq!(tried, FirstUser::NoCode);
}

pub(crate) async fn an_administrator_remains(store: &Store) {
    let first = store.add_user(new("first", Role::Admin), start()).await.unwrap();
    let second = store.add_user(new("second", Role::Admin), start()).await.unwrap();
    let demote = || UserChange { role: Some(Role::Viewer), ..UserChange::default() };
    let both = futures::join!(store.change_user(first.id, demote()), store.change_user(second.id, demote()));
    let (both, refused): (Vec<_>, Vec<_>) = [both.0.unwrap(), both.1.unwrap()]
        .into_iter()
        .partition(|changed| matches!(changed, Changed::Done(_)));
    assert_eq!((both.len(), refused), (1, vec![Changed::LastAdmin]));

    let (users, _) = store.users(0, 10).await.unwrap();
    let last = users.iter().find(|user| user.role == Role::Admin).unwrap();
    let other = users.iter().find(|user| user.role == Role::Viewer).unwrap();
    assert_eq!(store.remove_user(last.id).await.unwrap(), Changed::LastAdmin);
    assert_eq!(store.remove_user(other.id).await.unwrap(), Changed::Done(other.clone()));
    assert_eq!(store.remove_user(other.id).await.unwrap(), Changed::Unknown);
    assert_eq!(store.change_user(other.id, demote()).await.unwrap(), Changed::Unknown);
}

pub(crate) async fn sessions_end(store: &Store) {
    let user = store.add_user(new("a", Role::Admin), start()).await.unwrap();
    let id = store.start_session(CODE, user.id, after(60), start()).await.unwrap();
    let session = store.session(&CODE, start()).await.unwrap().unwrap();
    assert_eq!((session.id, &session.user, session.expires_at), (id, &user, after(60)));
    assert!(store.session(&OTHER, start()).await.unwrap().is_none());
    assert!(store.session(&CODE, after(60)).await.unwrap().is_none());

    store.session_used(id, after(120), after(30)).await.unwrap();
    let session = store.session(&CODE, after(100)).await.unwrap().unwrap();
    assert_eq!(
        (session.expires_at, session.last_seen_at, session.created_at),
        (after(120), after(30), start())
    );

    // Starting another removes what has expired.
    store.start_session(OTHER, user.id, after(300), after(200)).await.unwrap();
    assert!(store.session(&CODE, start()).await.unwrap().is_none());
    store.end_session(OTHER).await.unwrap();
    store.end_session(OTHER).await.unwrap();
    assert!(store.session(&OTHER, start()).await.unwrap().is_none());
}

pub(crate) async fn a_new_password_ends_other_sessions(store: &Store) {
    let user = store.add_user(new("a", Role::Admin), start()).await.unwrap();
    let stranger = store.add_user(new("b", Role::Viewer), start()).await.unwrap();
    let mine = store.start_session([1; 32], user.id, after(60), start()).await.unwrap();
    store.start_session([2; 32], user.id, after(60), start()).await.unwrap();
    store.start_session([3; 32], stranger.id, after(60), start()).await.unwrap();
    let change =
        UserChange { password_hash: Some("new".into()), keep_session: Some(mine), ..UserChange::default() };
    assert_eq!(store.change_user(user.id, change).await.unwrap(), Changed::Done(user));
    assert_eq!(store.user_secrets("a").await.unwrap().unwrap().password_hash, "new");
    assert!(store.session(&[1; 32], start()).await.unwrap().is_some());
    assert!(store.session(&[2; 32], start()).await.unwrap().is_none());
    assert!(store.session(&[3; 32], start()).await.unwrap().is_some());
    store.remove_user(stranger.id).await.unwrap();
    assert!(store.session(&[3; 32], start()).await.unwrap().is_none());
}

pub(crate) async fn tokens_are_made_used_and_removed(store: &Store) {
    let token = store.add_token("ci", Role::Operator, CODE, start()).await.unwrap();
    let again = store.add_token("ci", Role::Viewer, OTHER, start()).await;
    assert!(matches!(&again, Err(StoreError::NameTaken(text)) if text.contains("ci")), "{again:?}");
    assert_eq!(store.token_by_hash(&CODE).await.unwrap(), Some(token.clone()));
    assert_eq!(store.token_by_hash(&OTHER).await.unwrap(), None);
    store.token_used(token.id, after(60)).await.unwrap();
    let (tokens, total) = store.tokens(0, 10).await.unwrap();
    assert_eq!((tokens.len(), total, tokens[0].last_used_at), (1, 1, Some(after(60))));
    assert!(store.remove_token(token.id).await.unwrap());
    assert!(!store.remove_token(token.id).await.unwrap());
    assert_eq!(store.token_by_hash(&CODE).await.unwrap(), None);
}

pub(crate) async fn the_first_setting_stands(store: &Store) {
    assert_eq!(store.setting("key").await.unwrap(), None);
    assert_eq!(store.add_setting("key", "one").await.unwrap(), "one");
    assert_eq!(store.add_setting("key", "two").await.unwrap(), "one");
    store.replace_setting("key", "three").await.unwrap();
    store.replace_setting("other", "four").await.unwrap();
    assert_eq!(store.setting("key").await.unwrap().as_deref(), Some("three"));
    assert_eq!(store.setting("other").await.unwrap().as_deref(), Some("four"));
    assert!(store.remove_setting("key").await.unwrap());
    assert!(!store.remove_setting("key").await.unwrap());
    assert_eq!(store.setting("key").await.unwrap(), None);
    assert_eq!(store.setting("other").await.unwrap().as_deref(), Some("four"));
}

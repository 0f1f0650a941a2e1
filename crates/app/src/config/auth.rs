//! `[auth]`: who gets in.

use netwark_model::auth::Role;

use super::layers::{Key, Layers};

/// Who gets in.
#[derive(Clone, Debug)]
pub struct Auth {
    /// What a stranger may do; absent means nothing.
    pub anonymous_role: Option<Role>,
    /// Days without a visit after which one has to sign in again.
    pub session_days: u32,
    /// Days after which one has to sign in again in any case.
    pub session_max_days: u32,
}

const ANONYMOUS_ROLE: Key = Key {
    name: "auth.anonymous_role",
    takes: "none, viewer or operator; as admin any stranger could make users",
    default: "none",
    about: "What someone may do who has not signed in.",
};
const SESSION_DAYS: Key = Key {
    name: "auth.session_days",
    takes: "a number from 1 to 365",
    default: "7",
    about: "Days without a visit after which one has to sign in again.",
};
const SESSION_MAX_DAYS: Key = Key {
    name: "auth.session_max_days",
    takes: "a number from 1 to 365, not less than auth.session_days",
    default: "30",
    about: "Days after which one has to sign in again in any case.",
};

impl Auth {
    /// Its keys.
    pub const KEYS: [&Key; 3] = [&ANONYMOUS_ROLE, &SESSION_DAYS, &SESSION_MAX_DAYS];

    pub(super) fn read(layers: &mut Layers) -> Self {
        let days = |n: &u32| match n {
            1..=365 => Ok(()),
            n => Err(format!("{n} is out of range")),
        };
        let anonymous_role = layers.checked(&ANONYMOUS_ROLE, None, |role: &Option<Role>| match role {
            Some(Role::Admin) => Err("admin is too much".into()),
            _ => Ok(()),
        });
        let session_days = layers.checked(&SESSION_DAYS, 7, days);
        Self {
            anonymous_role,
            session_days,
            session_max_days: layers.checked(&SESSION_MAX_DAYS, session_days.max(30), |n: &u32| match n {
                n if *n < session_days => {
                    Err(format!("{n} is less than auth.session_days, which is {session_days}"))
                }
                n => days(n),
            }),
        }
    }
}

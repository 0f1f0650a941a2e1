//! The `[auth]` section of the configuration.

use netwark_model::auth::{Permission, Role};
use serde::{Deserialize, Serialize};

/// How long sessions live and what strangers may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthSettings {
    /// What a request may do that brings neither a session nor a token: `viewer` for a looking
    /// glass, `operator` to let everybody run measurements. Absent, which is the default: nothing.
    /// Environment: `NETWARK_AUTH__ANONYMOUS_ROLE`.
    pub anonymous_role: Option<Role>,
    /// Days after which a session ends that nobody uses, 1 to 365. Default 7.
    /// Environment: `NETWARK_AUTH__SESSION_DAYS`.
    pub session_days: u16,
    /// Days after which a session ends however much it is used, 1 to 365. Default 30.
    /// Environment: `NETWARK_AUTH__SESSION_MAX_DAYS`.
    pub session_max_days: u16,
    /// Whether viewers may let the server ask others in a look-up, which otherwise takes an operator. Default no.
    /// Environment: `NETWARK_LOOKUPS__VIEWERS_MAY_ASK`.
    pub viewers_may_ask: bool,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self { anonymous_role: None, session_days: 7, session_max_days: 30, viewers_may_ask: false }
    }
}

impl AuthSettings {
    /// True when a role holds a permission on this server.
    pub(crate) fn allow(&self, role: Role, permission: Permission) -> bool {
        role.may(permission) || (permission == Permission::LookupsAsk && self.viewers_may_ask)
    }

    /// Everything that is wrong with these settings, a sentence each; none when all is well.
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if self.anonymous_role == Some(Role::Admin) {
            mistakes.push(
                "auth.anonymous_role may be viewer or operator; as admin any stranger could make users and tokens"
                    .to_owned(),
            );
        }
        for (name, days) in
            [("auth.session_days", self.session_days), ("auth.session_max_days", self.session_max_days)]
        {
            if !(1..=365).contains(&days) {
                mistakes.push(format!("{name} must be from 1 to 365, got {days}"));
            }
        }
        if self.session_days > self.session_max_days {
            mistakes.push(format!(
                "auth.session_days ({}) must not be more than auth.session_max_days ({})",
                self.session_days, self.session_max_days
            ));
        }
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_right() {
        assert_eq!(AuthSettings::default().mistakes(), Vec::<String>::new());
    }

    #[test]
    fn every_mistake_is_named() {
        let settings = AuthSettings {
            anonymous_role: Some(Role::Admin),
            session_days: 400,
            session_max_days: 0,
            viewers_may_ask: false,
        };
        let mistakes = settings.mistakes();
        assert_eq!(mistakes.len(), 4, "{mistakes:?}");
        assert!(mistakes[0].contains("auth.anonymous_role"));
        assert!(mistakes[1].contains("auth.session_days must be from 1 to 365, got 400"));
    }

    #[test]
    fn viewers_ask_others_where_that_is_set() {
        let closed = AuthSettings::default();
        assert!(!closed.allow(Role::Viewer, Permission::LookupsAsk));
        assert!(closed.allow(Role::Operator, Permission::LookupsAsk));
        let open = AuthSettings { viewers_may_ask: true, ..closed };
        assert!(open.allow(Role::Viewer, Permission::LookupsAsk));
        assert!(!open.allow(Role::Viewer, Permission::OperationsRun));
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(serde_json::from_str::<AuthSettings>(r#"{"anonymous_roles": "viewer"}"#).is_err());
        let settings: AuthSettings = serde_json::from_str(r#"{"anonymous_role": "viewer"}"#).unwrap();
        assert_eq!(settings.anonymous_role, Some(Role::Viewer));
        assert_eq!(settings.session_days, 7);
    }
}

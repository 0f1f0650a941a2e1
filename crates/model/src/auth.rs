//! Who may do what.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A set of permissions with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees everything, changes nothing.
    Viewer,
    /// Runs measurements, and looks after networks and devices.
    Operator,
    /// Also manages users, tokens, workers and queues.
    Admin,
}

impl Role {
    /// Every role, weakest first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// Its word in the API, the database and the shell.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// True when the role holds the permission.
    pub fn may(self, permission: Permission) -> bool {
        self >= permission.least_role()
    }

    /// Everything the role may do.
    pub fn permissions(self) -> Vec<Permission> {
        Permission::ALL.into_iter().filter(|permission| self.may(*permission)).collect()
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::from_word(word)
            .ok_or_else(|| format!("'{word}' is no role; the roles are viewer, operator, admin"))
    }
}

/// One thing that can be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum Permission {
    /// See operations and their results.
    #[serde(rename = "operations:read")]
    OperationsRead,
    /// Run and cancel operations.
    #[serde(rename = "operations:run")]
    OperationsRun,
    /// See workers and queues.
    #[serde(rename = "workers:read")]
    WorkersRead,
    /// Enrol, change, drain and revoke workers.
    #[serde(rename = "workers:manage")]
    WorkersManage,
    /// Make, change and delete queues.
    #[serde(rename = "queues:manage")]
    QueuesManage,
    /// See the timeline.
    #[serde(rename = "events:read")]
    EventsRead,
    /// Say that events were seen to.
    #[serde(rename = "events:acknowledge")]
    EventsAcknowledge,
    /// See watched networks, devices and the access list.
    #[serde(rename = "watch:read")]
    WatchRead,
    /// Make and change networks, devices and the access list.
    #[serde(rename = "watch:write")]
    WatchWrite,
    /// See which channels there are, and how they are doing.
    #[serde(rename = "channels:read")]
    ChannelsRead,
    /// Make, change and try out channels, and see how they are set up.
    #[serde(rename = "channels:manage")]
    ChannelsManage,
    /// See subscriptions.
    #[serde(rename = "subscriptions:read")]
    SubscriptionsRead,
    /// Make and change subscriptions, and see to deliveries.
    #[serde(rename = "subscriptions:manage")]
    SubscriptionsManage,
    /// Look up what the server knows by itself: addresses, prefixes, vendors, places.
    #[serde(rename = "lookups:read")]
    LookupsRead,
    /// Let the server ask others: DNS, WHOIS and RDAP.
    #[serde(rename = "lookups:ask")]
    LookupsAsk,
    /// Fetch newer data of look-ups, and say with which account.
    #[serde(rename = "lookups:manage")]
    LookupsManage,
    /// See and change users.
    #[serde(rename = "users:manage")]
    UsersManage,
    /// Make and revoke tokens.
    #[serde(rename = "tokens:manage")]
    TokensManage,
    /// See the server's own numbers.
    #[serde(rename = "metrics:read")]
    MetricsRead,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 19] = [
        Self::OperationsRead,
        Self::OperationsRun,
        Self::WorkersRead,
        Self::WorkersManage,
        Self::QueuesManage,
        Self::EventsRead,
        Self::EventsAcknowledge,
        Self::WatchRead,
        Self::WatchWrite,
        Self::ChannelsRead,
        Self::ChannelsManage,
        Self::SubscriptionsRead,
        Self::SubscriptionsManage,
        Self::LookupsRead,
        Self::LookupsAsk,
        Self::LookupsManage,
        Self::UsersManage,
        Self::TokensManage,
        Self::MetricsRead,
    ];

    /// The weakest role that holds it.
    pub fn least_role(self) -> Role {
        match self {
            Self::OperationsRead
            | Self::WorkersRead
            | Self::EventsRead
            | Self::WatchRead
            | Self::ChannelsRead
            | Self::SubscriptionsRead
            | Self::LookupsRead
            | Self::MetricsRead => Role::Viewer,
            Self::OperationsRun
            | Self::EventsAcknowledge
            | Self::WatchWrite
            | Self::SubscriptionsManage
            | Self::LookupsAsk => Role::Operator,
            Self::UsersManage
            | Self::TokensManage
            | Self::WorkersManage
            | Self::QueuesManage
            | Self::ChannelsManage
            | Self::LookupsManage => Role::Admin,
        }
    }

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OperationsRead => "operations:read",
            Self::OperationsRun => "operations:run",
            Self::WorkersRead => "workers:read",
            Self::WorkersManage => "workers:manage",
            Self::QueuesManage => "queues:manage",
            Self::EventsRead => "events:read",
            Self::EventsAcknowledge => "events:acknowledge",
            Self::WatchRead => "watch:read",
            Self::WatchWrite => "watch:write",
            Self::ChannelsRead => "channels:read",
            Self::ChannelsManage => "channels:manage",
            Self::SubscriptionsRead => "subscriptions:read",
            Self::SubscriptionsManage => "subscriptions:manage",
            Self::LookupsRead => "lookups:read",
            Self::LookupsAsk => "lookups:ask",
            Self::LookupsManage => "lookups:manage",
            Self::UsersManage => "users:manage",
            Self::TokensManage => "tokens:manage",
            Self::MetricsRead => "metrics:read",
        }
    }
}

/// A user as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// Name to sign in with.
    #[schema(example = "admin")]
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A token as the API shows it; the secret is shown once, when it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Its id, a UUIDv7.
    pub id: Uuid,
    /// What it is for, unique.
    #[schema(example = "ci")]
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
}

/// Who is asking, as the page needs to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// `user`, `token` or `anonymous`.
    #[schema(example = "user")]
    pub kind: String,
    /// Name of the user or token.
    pub name: Option<String>,
    /// What it may do; absent for a stranger.
    pub role: Option<Role>,
    /// The permissions of that role.
    pub permissions: Vec<Permission>,
    /// True while there is no user and the first administrator has to be made.
    pub setup_required: bool,
    /// True when the connection is not encrypted and not on loopback, so that a password would be readable on the way.
    pub insecure: bool,
}

/// What signing in takes.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Name of the user.
    #[schema(example = "admin")]
    pub name: String,
    /// Its password.
    pub password: String,
}

/// What making the first administrator takes.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The one-time code from the set-up link.
    pub code: String,
    /// Name of the user to make.
    #[schema(example = "admin")]
    pub name: String,
    /// Its password, at least 10 characters.
    pub password: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stronger_roles_hold_what_weaker_ones_hold() {
        for pair in Role::ALL.windows(2) {
            for permission in pair[0].permissions() {
                assert!(pair[1].may(permission), "{:?} lacks {permission:?}", pair[1]);
            }
        }
        assert!(!Role::Viewer.may(Permission::OperationsRun));
        assert!(!Role::Operator.may(Permission::UsersManage));
        assert_eq!(Role::Admin.permissions().len(), Permission::ALL.len());
    }

    #[test]
    fn words_match_the_wire() {
        for permission in Permission::ALL {
            assert_eq!(serde_json::to_value(permission).unwrap(), permission.as_str());
        }
    }
}

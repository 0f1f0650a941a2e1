//! Which route needs which permission: the one table.
//!
//! The guard asks it for every route the router knows, and a route that is not in it is denied to
//! everybody, so none can be opened by forgetting. A test compares it with the router.

use std::collections::HashMap;
use std::sync::LazyLock;

use netwark_model::auth::Permission::{
    self, ChannelsManage, ChannelsRead, EventsAcknowledge, EventsRead, LookupsAsk, LookupsManage,
    LookupsRead, MetricsRead, OperationsRead, OperationsRun, QueuesManage, SubscriptionsManage,
    SubscriptionsRead, TokensManage, UsersManage, WatchRead, WatchWrite, WorkersManage, WorkersRead,
};

use self::Access::{Needs, NeedsFromAfar, Public, User, Worker};

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Who holds the permission.
    Needs(Permission),
    /// Who holds the permission, and whoever asks on this machine itself.
    NeedsFromAfar(Permission),
    /// A signed-in user, whatever its role.
    User,
    /// A worker with its token.
    Worker,
}

/// A route and who may use it.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method; `GET` stands for `HEAD` too.
    pub method: &'static str,
    /// The whole path as the router spells it.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
}

const fn route(method: &'static str, path: &'static str, access: Access) -> Route {
    Route { method, path, access }
}

/// Every route of the server but the pages.
pub const ROUTES: &[Route] = &[
    route("GET", "/healthz", Public),
    route("GET", "/readyz", Public),
    route("GET", "/metrics", NeedsFromAfar(MetricsRead)),
    route("GET", "/api/docs", Public),
    route("GET", "/api/docs/", Public),
    route("GET", "/api/docs/{*rest}", Public),
    route("GET", "/api/v1/openapi.json", Public),
    route("GET", "/api/v1/session", Public),
    route("POST", "/api/v1/session", Public),
    route("DELETE", "/api/v1/session", Public),
    route("POST", "/api/v1/session/password", User),
    route("POST", "/api/v1/setup", Public),
    route("GET", "/api/v1/users", Needs(UsersManage)),
    route("POST", "/api/v1/users", Needs(UsersManage)),
    route("PATCH", "/api/v1/users/{id}", Needs(UsersManage)),
    route("DELETE", "/api/v1/users/{id}", Needs(UsersManage)),
    route("GET", "/api/v1/tokens", Needs(TokensManage)),
    route("POST", "/api/v1/tokens", Needs(TokensManage)),
    route("DELETE", "/api/v1/tokens/{id}", Needs(TokensManage)),
    route("GET", "/api/v1/tools", Needs(OperationsRead)),
    route("GET", "/api/v1/status", Needs(OperationsRead)),
    route("GET", "/api/v1/workers", Needs(WorkersRead)),
    route("POST", "/api/v1/workers", Needs(WorkersManage)),
    route("GET", "/api/v1/workers/select", Needs(WorkersRead)),
    route("POST", "/api/v1/workers/pairings", Needs(WorkersManage)),
    route("POST", "/api/v1/workers/pair", Public),
    route("GET", "/api/v1/workers/{id}", Needs(WorkersRead)),
    route("PATCH", "/api/v1/workers/{id}", Needs(WorkersManage)),
    route("DELETE", "/api/v1/workers/{id}", Needs(WorkersManage)),
    route("POST", "/api/v1/workers/{id}/token", Needs(WorkersManage)),
    route("POST", "/api/v1/workers/{id}/drain", Needs(WorkersManage)),
    route("POST", "/api/v1/workers/{id}/revoke", Needs(WorkersManage)),
    route("PUT", "/api/v1/worker/key", Worker),
    route("GET", "/api/v1/workers/link", Worker),
    route("GET", "/api/v1/events", Needs(EventsRead)),
    route("GET", "/api/v1/events.csv", Needs(EventsRead)),
    route("GET", "/api/v1/events/stream", Needs(EventsRead)),
    route("POST", "/api/v1/events/acknowledge", Needs(EventsAcknowledge)),
    route("GET", "/api/v1/networks", Needs(WatchRead)),
    route("POST", "/api/v1/networks", Needs(WatchWrite)),
    route("GET", "/api/v1/networks/offers", Needs(WatchRead)),
    route("POST", "/api/v1/networks/offers/dismiss", Needs(WatchWrite)),
    route("GET", "/api/v1/networks/{id}", Needs(WatchRead)),
    route("PATCH", "/api/v1/networks/{id}", Needs(WatchWrite)),
    route("DELETE", "/api/v1/networks/{id}", Needs(WatchWrite)),
    route("POST", "/api/v1/networks/{id}/start", Needs(WatchWrite)),
    route("POST", "/api/v1/networks/{id}/stop", Needs(WatchWrite)),
    route("GET", "/api/v1/networks/{id}/sweeps", Needs(WatchRead)),
    route("POST", "/api/v1/networks/{id}/sweeps", Needs(WatchWrite)),
    route("GET", "/api/v1/networks/{id}/addresses", Needs(WatchRead)),
    route("GET", "/api/v1/devices", Needs(WatchRead)),
    route("GET", "/api/v1/devices/types", Needs(WatchRead)),
    route("GET", "/api/v1/devices/{id}", Needs(WatchRead)),
    route("PATCH", "/api/v1/devices/{id}", Needs(WatchWrite)),
    route("DELETE", "/api/v1/devices/{id}", Needs(WatchWrite)),
    route("GET", "/api/v1/devices/{id}/history", Needs(WatchRead)),
    route("GET", "/api/v1/devices/{id}/presence", Needs(WatchRead)),
    route("POST", "/api/v1/devices/{id}/merge", Needs(WatchWrite)),
    route("POST", "/api/v1/devices/{id}/split", Needs(WatchWrite)),
    route("POST", "/api/v1/devices/{id}/access", Needs(WatchWrite)),
    route("DELETE", "/api/v1/devices/{id}/proposals/{proposal}", Needs(WatchWrite)),
    route("GET", "/api/v1/access-list", Needs(WatchRead)),
    route("POST", "/api/v1/access-list", Needs(WatchWrite)),
    route("GET", "/api/v1/access-list.csv", Needs(WatchRead)),
    route("POST", "/api/v1/access-list/import", Needs(WatchWrite)),
    route("GET", "/api/v1/access-list/{id}", Needs(WatchRead)),
    route("PATCH", "/api/v1/access-list/{id}", Needs(WatchWrite)),
    route("DELETE", "/api/v1/access-list/{id}", Needs(WatchWrite)),
    route("GET", "/api/v1/stats/events", Needs(WatchRead)),
    route("GET", "/api/v1/stats/devices", Needs(WatchRead)),
    route("GET", "/api/v1/channels", Needs(ChannelsRead)),
    route("POST", "/api/v1/channels", Needs(ChannelsManage)),
    route("GET", "/api/v1/channels/{id}", Needs(ChannelsRead)),
    route("PATCH", "/api/v1/channels/{id}", Needs(ChannelsManage)),
    route("DELETE", "/api/v1/channels/{id}", Needs(ChannelsManage)),
    route("POST", "/api/v1/channels/{id}/test", Needs(ChannelsManage)),
    route("GET", "/api/v1/channels/{id}/deliveries", Needs(SubscriptionsManage)),
    route("POST", "/api/v1/channels/{id}/retry", Needs(SubscriptionsManage)),
    route("GET", "/api/v1/deliveries", Needs(SubscriptionsManage)),
    route("POST", "/api/v1/deliveries/{id}/retry", Needs(SubscriptionsManage)),
    route("GET", "/api/v1/subscriptions", Needs(SubscriptionsRead)),
    route("POST", "/api/v1/subscriptions", Needs(SubscriptionsManage)),
    route("POST", "/api/v1/subscriptions/preview", Needs(SubscriptionsManage)),
    route("GET", "/api/v1/subscriptions/{id}", Needs(SubscriptionsRead)),
    route("PATCH", "/api/v1/subscriptions/{id}", Needs(SubscriptionsManage)),
    route("DELETE", "/api/v1/subscriptions/{id}", Needs(SubscriptionsManage)),
    route("GET", "/api/v1/stats/presence", Needs(WatchRead)),
    route("GET", "/api/v1/lookup", Needs(LookupsRead)),
    route("GET", "/api/v1/management/backend/queues", Needs(WorkersRead)),
    route("POST", "/api/v1/management/backend/queues", Needs(QueuesManage)),
    route("PATCH", "/api/v1/management/backend/queues/{name}", Needs(QueuesManage)),
    route("DELETE", "/api/v1/management/backend/queues/{name}", Needs(QueuesManage)),
    route("GET", "/api/v1/geoip", Needs(LookupsRead)),
    route("GET", "/api/v1/geoip/files", Needs(LookupsRead)),
    route("POST", "/api/v1/geoip/list", Needs(LookupsRead)),
    route("GET", "/api/v1/geoip/{ip}", Needs(LookupsRead)),
    route("GET", "/api/v1/ip-calc", Needs(LookupsRead)),
    route("GET", "/api/v1/ip-calc/split", Needs(LookupsRead)),
    route("GET", "/api/v1/ip-calc/list", Needs(LookupsRead)),
    route("POST", "/api/v1/ip-calc/list", Needs(LookupsRead)),
    route("GET", "/api/v1/ip-calc/{resource}/{cidr}", Needs(LookupsRead)),
    route("GET", "/api/v1/updates", Needs(LookupsRead)),
    route("POST", "/api/v1/updates/{source}", Needs(LookupsManage)),
    route("PUT", "/api/v1/updates/{source}/account", Needs(LookupsManage)),
    route("DELETE", "/api/v1/updates/{source}/account", Needs(LookupsManage)),
    route("GET", "/api/v1/mac-oui", Needs(LookupsRead)),
    route("POST", "/api/v1/mac-oui", Needs(LookupsRead)),
    route("GET", "/api/v1/mac-oui/{resource}", Needs(LookupsRead)),
    route("GET", "/api/v1/whois", Needs(LookupsAsk)),
    route("GET", "/api/v1/whois/{resource}", Needs(LookupsAsk)),
    route("GET", "/api/v1/operations", Needs(OperationsRead)),
    route("POST", "/api/v1/operations", Needs(OperationsRun)),
    route("GET", "/api/v1/operations/events", Needs(OperationsRead)),
    route("GET", "/api/v1/operations/{id}", Needs(OperationsRead)),
    route("POST", "/api/v1/operations/{id}/cancel", Needs(OperationsRun)),
    route("GET", "/api/v1/operations/{id}/events", Needs(OperationsRead)),
    route("GET", "/api/v1/operations/{id}/results.json", Needs(OperationsRead)),
    route("GET", "/api/v1/operations/{id}/results.csv", Needs(OperationsRead)),
    route("GET", "/api/v1/operations/{id}/results.txt", Needs(OperationsRead)),
    route("GET", "/api/v1/dns", Needs(LookupsAsk)),
    route("GET", "/api/v1/dns/{name}", Needs(LookupsAsk)),
];

/// What the table says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Required {
    /// The route is there.
    Route(Access),
    /// The path is there with these methods only.
    OtherMethods(Vec<&'static str>),
    /// The path is not in the table.
    Unknown,
}

/// The routes of the table by their paths, since every request asks.
static BY_PATH: LazyLock<HashMap<&'static str, Vec<&'static Route>>> = LazyLock::new(|| {
    let mut routes = HashMap::<_, Vec<_>>::new();
    for route in ROUTES {
        routes.entry(route.path).or_default().push(route);
    }
    routes
});

fn of_path(path: &str) -> &'static [&'static Route] {
    BY_PATH.get(path).map_or(&[], Vec::as_slice)
}

/// The path of the table that is spelled like this, if there is one.
pub fn known_path(path: &str) -> Option<&'static str> {
    of_path(path).first().map(|route| route.path)
}

/// Looks a method and a path, as the router spells it, up in the table.
pub fn required(method: &str, path: &str) -> Required {
    let method = if method == "HEAD" { "GET" } else { method };
    let of_path = of_path(path);
    if let Some(route) = of_path.iter().find(|route| route.method == method) {
        Required::Route(route.access)
    } else if of_path.is_empty() {
        Required::Unknown
    } else {
        Required::OtherMethods(of_path.iter().map(|route| route.method).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_route_stands_there_twice() {
        for (at, route) in ROUTES.iter().enumerate() {
            let twin = ROUTES[at + 1..].iter().find(|r| (r.method, r.path) == (route.method, route.path));
            assert!(twin.is_none(), "{} {}", route.method, route.path);
        }
    }

    #[test]
    fn what_changes_something_needs_more_than_reading() {
        for route in ROUTES {
            // A question that is too long for a path changes nothing.
            if route.access == Needs(LookupsRead) {
                continue;
            }
            if let (Needs(permission), true) = (route.access, route.method != "GET") {
                assert!(
                    !netwark_model::auth::Role::Viewer.may(permission),
                    "a viewer may {} {}",
                    route.method,
                    route.path
                );
            }
        }
    }

    #[test]
    fn look_ups() {
        assert_eq!(required("HEAD", "/healthz"), Required::Route(Public));
        assert_eq!(required("POST", "/api/v1/operations"), Required::Route(Needs(OperationsRun)));
        assert_eq!(required("PUT", "/api/v1/users/{id}"), Required::OtherMethods(vec!["PATCH", "DELETE"]));
        assert_eq!(required("GET", "/api/v1/secrets"), Required::Unknown);
    }
}

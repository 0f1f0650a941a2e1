//! The description of the API, generated from the code.

use netwark_model::auth::Role;
use netwark_model::tools::dns::{DnsOutcome, Transport};
use netwark_model::tools::http::HttpOutcome;
use netwark_model::tools::mtr::MtrOutcome;
use netwark_model::tools::ping::PingOutcome;
use netwark_model::tools::sweep::SweepOutcome;
use netwark_model::tools::tcp::TcpOutcome;
use netwark_model::tools::tls::TlsOutcome;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::{Modify, OpenApi};

use crate::answers::{denied, unasked};
use crate::asked::takes_query;
use crate::auth::access::{Access, Required, required};

/// What the description says besides routes and types.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Netwark",
        description = "Measurements from any number of places at once.\n\n\
            Send `Authorization: Bearer TOKEN`; `netwark token add NAME --role ROLE` makes a token. \
            Errors are `application/problem+json` (RFC 9457) and name every field that is wrong. \
            Times are RFC 3339 in UTC, durations are milliseconds, ids are UUIDs. \
            Lists are plain arrays; `X-Total-Count` and `Link` tell of the rest. \
            Watch an operation by its events instead of asking again and again.",
        license(name = "MIT", identifier = "MIT"),
    ),
    servers((url = "../v1", description = "Relative to this description, which is at /api/v1/openapi.json")),
    tags(
        (name = "Operations", description = "Run a tool against a target from some workers"),
        (name = "Look-ups", description = "Questions answered at once"),
        (name = "Watch", description = "Networks that are swept, the devices on them, and which of them should be there"),
        (name = "Events", description = "What happened"),
        (name = "Notices", description = "Who is told of events: channels, subscriptions, and what became of each notice"),
        (name = "Workers", description = "Vantage points and their queues"),
        (name = "Sign-in", description = "Sessions, users and tokens"),
        (name = "Server", description = "The server itself"),
    ),
    security(("token" = []), ("session" = [])),
    // No route names them: they are what the payload of a result holds.
    components(schemas(PingOutcome, MtrOutcome, SweepOutcome, TcpOutcome, TlsOutcome, HttpOutcome, DnsOutcome, Transport)),
    modifiers(&Schemes),
)]
pub struct Description;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let token = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        components.add_security_scheme("token", token);
        let cookie = ApiKey::Cookie(ApiKeyValue::new("netwark_session"));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    }
}

/// Says of every route who may use it, and what others are answered, or who asks what cannot be asked.
pub fn tell_access(openapi: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut openapi.paths.paths {
        let of_method = [
            ("GET", &mut item.get),
            ("PUT", &mut item.put),
            ("POST", &mut item.post),
            ("DELETE", &mut item.delete),
            ("PATCH", &mut item.patch),
        ];
        for (method, operation) in of_method {
            let Some(operation) = operation else { continue };
            if let Required::Route(access) = required(method, &format!("/api/v1{path}")) {
                tell_of(operation, access);
                if !takes_query(operation) {
                    let (status, answer) = unasked();
                    operation.responses.responses.entry(status).or_insert(answer);
                }
            }
        }
    }
}

fn tell_of(operation: &mut Operation, access: Access) {
    let told = match access {
        Access::Public => {
            operation.security = Some(vec![SecurityRequirement::default()]);
            "Open to everybody.".to_owned()
        }
        Access::User => "Needs a signed-in user, of whatever role.".to_owned(),
        Access::Worker => "Needs the token of a worker.".to_owned(),
        Access::Needs(permission) | Access::NeedsFromAfar(permission) => {
            for (status, answer) in denied(permission.as_str()) {
                operation.responses.responses.entry(status).or_insert(answer);
            }
            let roles: Vec<String> = Role::ALL
                .into_iter()
                .filter(|role| role.may(permission))
                .map(|role| format!("`{}`", role.as_str()))
                .collect();
            format!("Needs the permission `{}` ({}).", permission.as_str(), roles.join(", "))
        }
    };
    let said = operation.description.take().filter(|said| !said.is_empty());
    operation.description = Some(said.map_or_else(|| told.clone(), |said| format!("{said}\n\n{told}")));
}

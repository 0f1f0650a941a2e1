//! The errors of these routes as the API description tells them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::error::ProblemBody;

pub(super) const SET_UP_ALREADY: &str =
    "there is a user already; sign in, or ask an administrator for a user";
pub(super) const LAST_ADMIN: &str = "this is the last administrator; make another one first";

/// Answers of a route by status.
pub(crate) type Responses = BTreeMap<String, RefOr<Response>>;

/// What every route with a permission may answer: 401 and 403.
pub(super) struct Denied;

/// A body or parameter that is not acceptable: 400, and 415 when the body is no JSON.
pub(super) struct Invalid;

/// There is no user or token of this id.
pub(super) struct NotFound;

/// A name that is taken.
pub(super) struct Taken;

/// A change that would leave no administrator.
pub(super) struct LastAdmin;

/// A name or password that is wrong, or too many of them.
pub(super) struct NotSignedIn;

/// Too many tries.
pub(super) struct TooMany;

/// A set-up that is over, or a code that is wrong.
pub(super) struct NotSetUp;

impl IntoResponses for Denied {
    fn responses() -> Responses {
        [
            problem(
                401,
                "Nobody is signed in, and no token was sent",
                "unauthorized",
                "Sign in first",
                "sign in, or send a token; this needs the permission users:manage",
            ),
            problem(
                403,
                "The role lacks the permission, or the request comes from a page of another site",
                "forbidden",
                "This is not allowed",
                "this needs the permission users:manage, which the role viewer does not have",
            ),
        ]
        .into()
    }
}

impl IntoResponses for Invalid {
    fn responses() -> Responses {
        let field = "password: must be at least 10 characters, got 5";
        [
            problem(400, "Fields are wrong; all are named", "validation", "The request is not valid", field),
            problem(
                415,
                "The body is not JSON",
                "media-type",
                "The body is not JSON",
                "send the body as JSON with the header Content-Type: application/json",
            ),
        ]
        .into()
    }
}

impl IntoResponses for NotFound {
    fn responses() -> Responses {
        [problem(
            404,
            "There is none of this id",
            "not-found",
            "There is no such thing",
            "there is no user of this id",
        )]
        .into()
    }
}

impl IntoResponses for Taken {
    fn responses() -> Responses {
        let detail = "a user named 'admin' exists already";
        [problem(409, "The name is taken", "conflict", "Something stands in the way", detail)].into()
    }
}

impl IntoResponses for LastAdmin {
    fn responses() -> Responses {
        [problem(
            409,
            "It would leave no administrator",
            "conflict",
            "Something stands in the way",
            LAST_ADMIN,
        )]
        .into()
    }
}

impl IntoResponses for NotSignedIn {
    fn responses() -> Responses {
        [
            problem(
                401,
                "The name or the password is wrong; which of them is not told",
                "unauthorized",
                "Sign in first",
                "the name or the password is wrong",
            ),
            too_many(),
        ]
        .into()
    }
}

impl IntoResponses for NotSetUp {
    fn responses() -> Responses {
        [
            problem(
                403,
                "The code is wrong, expired or used up",
                "forbidden",
                "This is not allowed",
                "the code is wrong; 4 more tries",
            ),
            problem(
                409,
                "There is a user already",
                "conflict",
                "Something stands in the way",
                SET_UP_ALREADY,
            ),
            too_many(),
        ]
        .into()
    }
}

impl IntoResponses for TooMany {
    fn responses() -> Responses {
        [too_many()].into()
    }
}

/// Too many tries: 429.
pub(crate) fn too_many() -> (String, RefOr<Response>) {
    problem(
        429,
        "Too many tries; Retry-After says when the next may come, in seconds",
        "too-many-requests",
        "Too many requests",
        "too many tries from this address or for this name; try again in 10 s",
    )
}

/// A problem as the description shows it.
pub(crate) fn problem(
    status: u16,
    description: &str,
    word: &str,
    title: &str,
    detail: &str,
) -> (String, RefOr<Response>) {
    let example: Value = json!({
        "type": format!("urn:netwark:problem:{word}"), "title": title, "status": status, "detail": detail,
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(ProblemBody::name())))
        .example(Some(example))
        .build();
    let response =
        ResponseBuilder::new().description(description).content("application/problem+json", content).build();
    (status.to_string(), response.into())
}

//! Errors as the API description tells them, for the routes of every noun.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::error::ProblemBody;

/// Answers of a route by status.
pub(crate) type Responses = BTreeMap<String, RefOr<Response>>;

/// What every route with this permission may answer: 401 and 403.
pub(crate) fn denied(permission: &str) -> Responses {
    [
        problem(
            401,
            "Nobody is signed in, and no token was sent",
            "unauthorized",
            "Sign in first",
            &format!("sign in, or send a token; this needs the permission {permission}"),
        ),
        forbidden(
            "The role lacks the permission, or the request comes from a page of another site",
            &format!("this needs the permission {permission}, which the role viewer does not have"),
        ),
    ]
    .into()
}

/// A body or parameter that is not acceptable: 400, and 415 when the body is no JSON. `example` is what is wrong
/// with a field.
pub(crate) fn invalid(example: &str) -> Responses {
    [
        problem(400, "Fields are wrong; all are named", "validation", "The request is not valid", example),
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

/// A query parameter where there is none: 400.
pub(crate) fn unasked() -> (String, RefOr<Response>) {
    problem(
        400,
        "A query parameter is given, and this takes none",
        "validation",
        "The request is not valid",
        "colour: is no parameter of this request",
    )
}

/// It is not allowed: 403.
pub(crate) fn forbidden(description: &str, detail: &str) -> (String, RefOr<Response>) {
    problem(403, description, "forbidden", "This is not allowed", detail)
}

/// There is no such thing: 404.
pub(crate) fn not_found(description: &str, detail: &str) -> (String, RefOr<Response>) {
    problem(404, description, "not-found", "There is no such thing", detail)
}

/// What is there stands in the way: 409.
pub(crate) fn conflict(description: &str, detail: &str) -> (String, RefOr<Response>) {
    problem(409, description, "conflict", "Something stands in the way", detail)
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

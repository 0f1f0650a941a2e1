//! The errors of these routes as the API description tells them.

use utoipa::IntoResponses;

use super::enrol::WRONG_CODE;
use crate::auth::api::answers::{Responses, problem, too_many};

/// What every route with a permission may answer.
pub(crate) struct Denied;
/// A body or parameter that is not acceptable.
pub(crate) struct Invalid;
/// There is no worker of this id.
pub(crate) struct NoWorker;
/// There is no queue of this name.
pub(crate) struct NoQueue;
/// The name of a worker is taken.
pub(crate) struct NameTaken;
/// The name of a queue is taken.
pub(crate) struct QueueTaken;
/// A worker for which this is not possible.
pub(crate) struct NotThisWorker;
/// A queue for which this is not possible.
pub(crate) struct NotThisQueue;
/// A worker that is online cannot be deleted.
pub(crate) struct StillHere;
/// A code that is of no use, or too many tries.
pub(crate) struct NotPaired;
/// A route for workers with their token.
pub(crate) struct WorkersOnly;

fn not_found(description: &str, detail: &str) -> Responses {
    [problem(404, description, "not-found", "There is no such thing", detail)].into()
}

fn conflict(description: &str, detail: &str) -> Responses {
    [problem(409, description, "conflict", "Something stands in the way", detail)].into()
}

impl IntoResponses for Denied {
    fn responses() -> Responses {
        [
            problem(
                401,
                "Nobody is signed in, and no token was sent",
                "unauthorized",
                "Sign in first",
                "sign in, or send a token; this needs the permission workers:manage",
            ),
            problem(
                403,
                "The role lacks the permission, or the request comes from a page of another site",
                "forbidden",
                "This is not allowed",
                "this needs the permission workers:manage, which the role viewer does not have",
            ),
        ]
        .into()
    }
}

impl IntoResponses for Invalid {
    fn responses() -> Responses {
        let field = "country: must be two letters, such as FR, got 'FRA'";
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

impl IntoResponses for NoWorker {
    fn responses() -> Responses {
        not_found("There is none of this id", "there is no worker of this id")
    }
}

impl IntoResponses for NoQueue {
    fn responses() -> Responses {
        not_found("There is none of this name", "there is no queue of this name")
    }
}

impl IntoResponses for NameTaken {
    fn responses() -> Responses {
        conflict("The name is taken, also by a worker that was revoked", "another worker is named 'paris-1'")
    }
}

impl IntoResponses for QueueTaken {
    fn responses() -> Responses {
        conflict("The name is taken", "a queue named 'netwark.paris' exists already")
    }
}

impl IntoResponses for NotThisWorker {
    fn responses() -> Responses {
        conflict(
            "The worker was revoked, or runs inside the server's process",
            "paris-1 was revoked; enrol a new worker",
        )
    }
}

impl IntoResponses for NotThisQueue {
    fn responses() -> Responses {
        conflict(
            "The queue always exists, is declared in the configuration, or operations wait in it",
            "'netwark.paris' is declared by [[queues]] in the server's configuration; change it there",
        )
    }
}

impl IntoResponses for StillHere {
    fn responses() -> Responses {
        conflict("The worker is online", "paris-1 is online; revoke it first")
    }
}

impl IntoResponses for NotPaired {
    fn responses() -> Responses {
        let wrong = "The code is wrong, expired or used up";
        [problem(403, wrong, "forbidden", "This is not allowed", WRONG_CODE), too_many()].into()
    }
}

impl IntoResponses for WorkersOnly {
    fn responses() -> Responses {
        [
            problem(
                401,
                "No token was sent, it is unknown, or another took its place",
                "unauthorized",
                "Sign in first",
                "the worker's token is unknown, or another took its place",
            ),
            problem(
                403,
                "The worker was revoked (`worker-revoked`), or the token is not one of a worker",
                "worker-revoked",
                "This worker was revoked",
                "this worker was revoked by an administrator",
            ),
        ]
        .into()
    }
}

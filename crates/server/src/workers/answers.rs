//! The errors of these routes as the API description tells them.

use utoipa::IntoResponses;

use super::enrol::WRONG_CODE;
use crate::answers::{Responses, conflict, denied, forbidden, invalid, not_found, problem, too_many};

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

impl IntoResponses for Denied {
    fn responses() -> Responses {
        denied("workers:manage")
    }
}

impl IntoResponses for Invalid {
    fn responses() -> Responses {
        invalid("country: must be two letters, such as FR, got 'FRA'")
    }
}

impl IntoResponses for NoWorker {
    fn responses() -> Responses {
        [not_found("There is none of this id", "there is no worker of this id")].into()
    }
}

impl IntoResponses for NoQueue {
    fn responses() -> Responses {
        [not_found("There is none of this name", "there is no queue of this name")].into()
    }
}

impl IntoResponses for NameTaken {
    fn responses() -> Responses {
        [conflict(
            "The name is taken, also by a worker that was revoked",
            "another worker is named 'paris-1'",
        )]
        .into()
    }
}

impl IntoResponses for QueueTaken {
    fn responses() -> Responses {
        [conflict("The name is taken", "a queue named 'netwark.paris' exists already")].into()
    }
}

impl IntoResponses for NotThisWorker {
    fn responses() -> Responses {
        [conflict(
            "The worker was revoked, or runs inside the server's process",
            "paris-1 was revoked; enrol a new worker",
        )]
        .into()
    }
}

impl IntoResponses for NotThisQueue {
    fn responses() -> Responses {
        [conflict(
            "The queue always exists, is declared in the configuration, or operations wait in it",
            "'netwark.paris' is declared by [[queues]] in the server's configuration; change it there",
        )]
        .into()
    }
}

impl IntoResponses for StillHere {
    fn responses() -> Responses {
        [conflict("The worker is online", "paris-1 is online; revoke it first")].into()
    }
}

impl IntoResponses for NotPaired {
    fn responses() -> Responses {
        let wrong = "The code is wrong, expired or used up";
        [forbidden(wrong, WRONG_CODE), too_many()].into()
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

//! The errors of these routes as the API description tells them.

use utoipa::IntoResponses;

use crate::answers::{Responses, conflict, denied, forbidden, invalid, not_found, problem, too_many};

pub(super) const SET_UP_ALREADY: &str =
    "there is a user already; sign in, or ask an administrator for a user";
pub(super) const LAST_ADMIN: &str = "this is the last administrator; make another one first";

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
        denied("users:manage")
    }
}

impl IntoResponses for Invalid {
    fn responses() -> Responses {
        invalid("password: must be at least 10 characters, got 5")
    }
}

impl IntoResponses for NotFound {
    fn responses() -> Responses {
        [not_found("There is none of this id", "there is no user of this id")].into()
    }
}

impl IntoResponses for Taken {
    fn responses() -> Responses {
        [conflict("The name is taken", "a user named 'admin' exists already")].into()
    }
}

impl IntoResponses for LastAdmin {
    fn responses() -> Responses {
        [conflict("It would leave no administrator", LAST_ADMIN)].into()
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
            forbidden("The code is wrong, expired or used up", "the code is wrong; 4 more tries"),
            conflict("There is a user already", SET_UP_ALREADY),
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

//! The errors of these routes as the API description tells them.

use utoipa::IntoResponses;

use crate::answers::{Responses, conflict, denied, invalid, not_found};

const CHANGED_MEANWHILE: &str = "somebody has changed it meanwhile; read it again, then change it";

/// What every route that only reads may answer.
pub(super) struct MayRead;
/// What every route that changes something may answer.
pub(super) struct MayWrite;
/// A body or parameter that is not acceptable.
pub(super) struct Invalid;
/// There is no network of this id.
pub(super) struct NoNetwork;
/// The name of a network is taken.
pub(super) struct NetworkTaken;
/// The name is taken, or the network is no longer what was read.
pub(super) struct NetworkInTheWay;
/// There is no device of this id.
pub(super) struct NoDevice;
/// Devices that cannot be merged or split like this.
pub(super) struct NotThese;
/// There is no entry of this id.
pub(super) struct NoEntry;
/// Another entry stands in the way.
pub(super) struct EntryTaken;
/// Another entry stands in the way, or the entry is no longer what was read.
pub(super) struct EntryInTheWay;

impl IntoResponses for MayRead {
    fn responses() -> Responses {
        denied("watch:read")
    }
}

impl IntoResponses for MayWrite {
    fn responses() -> Responses {
        denied("watch:write")
    }
}

impl IntoResponses for Invalid {
    fn responses() -> Responses {
        invalid("prefixes[0]: must be a prefix such as 192.0.2.0/24 or 2001:db8::/64, got '192.0.2'")
    }
}

impl IntoResponses for NoNetwork {
    fn responses() -> Responses {
        [not_found("There is none of this id", "there is no network of this id")].into()
    }
}

impl IntoResponses for NetworkTaken {
    fn responses() -> Responses {
        [conflict("The name is taken", "a network named 'Office' exists already")].into()
    }
}

impl IntoResponses for NetworkInTheWay {
    fn responses() -> Responses {
        [conflict(
            "The name is taken, or somebody else changed the network at the same moment; read it again, then change it",
            CHANGED_MEANWHILE,
        )]
        .into()
    }
}

impl IntoResponses for NoDevice {
    fn responses() -> Responses {
        [not_found("There is none of this id", "there is no device of this id")].into()
    }
}

impl IntoResponses for NotThese {
    fn responses() -> Responses {
        [conflict(
            "One of them does not exist, or belongs to another device",
            "there is no device 01933f6e-1234-7abc-8def-0123456789ab",
        )]
        .into()
    }
}

impl IntoResponses for NoEntry {
    fn responses() -> Responses {
        [not_found("There is none of this id", "the access list has no entry of this id")].into()
    }
}

impl IntoResponses for EntryTaken {
    fn responses() -> Responses {
        [conflict(
            "The same address is in the list already, on one of the networks",
            "00:00:5e:00:53:01 is allowed already, on all networks ('Anna', by user admin); change or remove entry \
             01933f6e-1234-7abc-8def-0123456789ab",
        )]
        .into()
    }
}

impl IntoResponses for EntryInTheWay {
    fn responses() -> Responses {
        [conflict(
            "The same address is in the list already, on one of the networks, or somebody else changed the entry at the \
             same moment; read it again, then change it",
            CHANGED_MEANWHILE,
        )]
        .into()
    }
}

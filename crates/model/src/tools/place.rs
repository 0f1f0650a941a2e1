//! Where an address is that a measurement met.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::workers::Coordinates;

/// Where an address is, in short. Added by the server when it has a file that knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AddressPlace {
    /// City, region and country, as far as they are known.
    #[schema(example = "Lyon, Rhône, France")]
    pub words: String,
    /// Country by its two letters, ISO 3166-1.
    #[schema(example = "FR")]
    pub country: Option<String>,
    /// A point in the middle of where it may be.
    pub coordinates: Option<Coordinates>,
}

//! Networks that workers stand in and nobody watches.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::report::LinkFacts;

/// A network that a worker stands in and nobody watches, ready to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NetworkOffer {
    /// The worker.
    pub worker_id: Uuid,
    /// Name of that worker.
    #[schema(example = "paris-1")]
    pub worker: String,
    /// A name it could have.
    #[schema(example = "paris")]
    pub name: String,
    /// What would be swept.
    #[schema(value_type = Vec<String>, example = json!(["192.0.2.0/24"]))]
    pub prefixes: Vec<IpNet>,
    /// Who would sweep it.
    #[schema(example = "worker:paris-1")]
    pub from: String,
    /// What the worker knows of the link.
    pub link: LinkFacts,
    /// True when somebody said that it is not to be watched.
    pub dismissed: bool,
}

//! The system's resolver as the probes ask it.

use std::net::IpAddr;

use netwark_lookup::dns::{Families, Resolver};
use netwark_model::tools::args::Family;
use netwark_probe::resolve::{Answer, Resolve, ResolveError};

/// Names and addresses from the one DNS client.
#[derive(Clone, Debug)]
pub struct NameResolver(Resolver);

impl NameResolver {
    /// The probes' view of a resolver.
    pub fn new(resolver: Resolver) -> Self {
        Self(resolver)
    }
}

impl Resolve for NameResolver {
    fn addresses<'a>(
        &'a self,
        name: &'a str,
        family: Family,
    ) -> Answer<'a, Result<Vec<IpAddr>, ResolveError>> {
        Box::pin(async move {
            let wanted = match family {
                Family::V4 => Families::V4,
                Family::V6 => Families::V6,
                Family::Auto | Family::All => Families::Both,
            };
            self.0.addresses(name, wanted).await.map_err(|error| ResolveError::Resolver(error.to_string()))
        })
    }

    fn name(&self, address: IpAddr) -> Answer<'_, Option<String>> {
        Box::pin(async move { self.0.name_of(address).await.map(|name| name.to_string()) })
    }
}

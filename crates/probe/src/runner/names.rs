//! Names of hops, asked for beside the trace.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use netwark_model::tools::mtr::TraceReport;
use tokio::task::JoinSet;
use tokio::time;

use super::NameLookup;
use crate::resolve::Resolve;

/// Names of hops, known or being asked for. Dropping it ends what is under way.
pub(super) struct Names {
    resolver: Arc<dyn Resolve>,
    lookup: NameLookup,
    /// `None` while it is asked for and when there is none.
    known: HashMap<IpAddr, Option<String>>,
    asked: JoinSet<(IpAddr, Option<String>)>,
}

impl Names {
    pub(super) fn new(resolver: Arc<dyn Resolve>, lookup: NameLookup) -> Self {
        Self { resolver, lookup, known: HashMap::new(), asked: JoinSet::new() }
    }

    /// Asks for the names of responders that have not been asked for.
    pub(super) fn ask(&mut self, report: &TraceReport) {
        if self.lookup == NameLookup::Off {
            return;
        }
        for responder in report.hops.iter().flat_map(|hop| &hop.responders) {
            let address = responder.address;
            self.known.entry(address).or_insert_with(|| {
                let resolver = Arc::clone(&self.resolver);
                self.asked.spawn(async move { (address, resolver.name(address).await) });
                None
            });
        }
    }

    /// Waits for one more name; for ever when none is asked for. True when it is news.
    pub(super) async fn next(&mut self) -> bool {
        match self.asked.join_next().await {
            Some(Ok((address, Some(name)))) => {
                self.known.insert(address, Some(name));
                true
            }
            Some(_) => false,
            None => std::future::pending().await,
        }
    }

    /// Waits for the names that are still asked for, as long as is allowed.
    pub(super) async fn wait(&mut self) {
        let NameLookup::Within(patience) = self.lookup else { return };
        let all = async {
            while !self.asked.is_empty() {
                self.next().await;
            }
        };
        // What has no name by now stays an address.
        let _ = time::timeout(patience, all).await;
    }

    /// Writes what is known into a report.
    pub(super) fn fill(&self, report: &mut TraceReport) {
        for responder in report.hops.iter_mut().flat_map(|hop| &mut hop.responders) {
            if let Some(Some(name)) = self.known.get(&responder.address) {
                responder.name = Some(name.clone());
            }
        }
    }
}

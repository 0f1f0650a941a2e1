//! Query parameters of routes that take none are refused as those that a list does not know.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{OpenApi, RefOr};

use crate::error::Problem;
use crate::extract::Params;

/// Methods and paths of the routes that take no query parameters.
pub type Bare = Arc<HashSet<(&'static str, String)>>;

/// The routes that take no query parameters, as the description of the API says.
pub fn bare(description: &OpenApi, base: &str) -> Bare {
    let mut bare = HashSet::new();
    for (path, item) in &description.paths.paths {
        let of_method = [
            ("GET", &item.get),
            ("PUT", &item.put),
            ("POST", &item.post),
            ("DELETE", &item.delete),
            ("PATCH", &item.patch),
        ];
        for (method, operation) in of_method {
            if operation.as_ref().is_some_and(|operation| !takes_query(operation)) {
                bare.insert((method, format!("{base}{path}")));
            }
        }
    }
    Arc::new(bare)
}

/// True when an operation has a query parameter.
pub fn takes_query(operation: &Operation) -> bool {
    operation
        .parameters
        .iter()
        .flatten()
        .any(|one| matches!(one, RefOr::T(one) if matches!(one.parameter_in, ParameterIn::Query)))
}

/// Refuses what is asked of a route that can be asked for nothing.
pub async fn refuse_unknown(
    State(bare): State<Bare>,
    path: MatchedPath,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if request.uri().query().is_some_and(|query| !query.is_empty()) {
        let method = match request.method().as_str() {
            "HEAD" | "GET" => "GET",
            "PUT" => "PUT",
            "POST" => "POST",
            "DELETE" => "DELETE",
            "PATCH" => "PATCH",
            _ => "",
        };
        if bare.contains(&(method, path.as_str().to_owned())) {
            use axum::RequestExt;
            request.extract_parts::<Params>().await?.finish()?;
        }
    }
    Ok(next.run(request).await)
}

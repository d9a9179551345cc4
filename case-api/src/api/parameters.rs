//! Which parameters a route takes is what the OpenAPI document says of it; any other is refused.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use sluice_http::query;
use utoipa::openapi::{OpenApi, PathItem, path::ParameterIn};

use super::Problem;

/// The parameters of each route, by its method and path.
pub(crate) struct Parameters(HashMap<(Method, String), Vec<String>>);

impl Parameters {
    pub(crate) fn of(document: &OpenApi) -> Self {
        let routes = document.paths.paths.iter().flat_map(|(path, item)| {
            operations(item).map(|(method, operation)| {
                let parameters = operation.parameters.iter().flatten();
                let of_query = parameters.filter(|one| one.parameter_in == ParameterIn::Query);
                ((method, path.clone()), of_query.map(|one| one.name.clone()).collect())
            })
        });
        Self(routes.collect())
    }
}

fn operations(item: &PathItem) -> impl Iterator<Item = (Method, &utoipa::openapi::path::Operation)> {
    let all = [
        (Method::GET, &item.get),
        (Method::POST, &item.post),
        (Method::PUT, &item.put),
        (Method::DELETE, &item.delete),
        (Method::PATCH, &item.patch),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

/// Refuse a query with a parameter that the route does not take.
pub(crate) async fn known(
    State(parameters): State<Arc<Parameters>>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let route = path.map(|path| (request.method().clone(), path.as_str().to_owned()));
    if let Some(known) = route.and_then(|route| parameters.0.get(&route)) {
        query::only(request.uri(), known)?;
    }
    Ok(next.run(request).await)
}

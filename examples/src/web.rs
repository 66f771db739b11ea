//! The glue between HTTP and spans, with `axum` as the server and `reqwest` as the client.

use std::error::Error;
use std::fmt;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use dd_traced::{TraceFuture, active_span, extract, inject, traced};

/// Puts [`trace_request`] around all routes of a service.
pub fn trace_requests(router: Router, service: &'static str) -> Router {
    router.layer(from_fn_with_state(service, trace_request))
}

/// Runs the handler under a span `web.request`, which is a child of the caller's span if the headers name one.
pub async fn trace_request(State(service): State<&'static str>, request: Request, next: Next) -> Response {
    let method = request.method().as_str();
    // The template, `/items/{id}` and not `/items/7`: a resource is to be seen again. None where no route matches.
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let mut span = dd_traced::span("web.request")
        .service(service)
        .resource(route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}")))
        .span_type("web")
        .tag("span.kind", "server")
        .tag("component", "axum")
        .tag("http.method", method)
        // Without the query, which may hold secrets.
        .tag("http.url", request.uri().path())
        .child_of(&extract(request.headers()));
    if let Some(route) = route {
        span = span.tag("http.route", route);
    }
    let handled = async {
        let response = next.run(request).await;
        let span = active_span();
        span.set_tag("http.status_code", response.status().as_str());
        if response.status().is_server_error() {
            span.set_error(&ServerError(response.status()));
        }
        response
    };
    handled.traced(span.start()).await
}

/// Sends a request under a span `http.request`, with headers that let the other side continue the trace.
#[traced(
    name = "http.request",
    resource = format!("{} {}", request.method(), request.url().path()),
    span_type = "http",
    kind = "client",
    tags(http.method = request.method().as_str(), http.url = request.url().path(), component = "reqwest")
)]
pub async fn send(
    client: &reqwest::Client,
    mut request: reqwest::Request,
) -> reqwest::Result<reqwest::Response> {
    inject(&active_span(), request.headers_mut());
    let response = client.execute(request).await.map_err(reqwest::Error::without_url)?;
    let span = active_span();
    span.set_tag("http.status_code", response.status().as_str());
    if let Err(refused) = response.error_for_status_ref() {
        span.set_error(&refused.without_url());
    }
    Ok(response)
}

/// A response that says that the server failed.
#[derive(Debug)]
struct ServerError(StatusCode);

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for ServerError {}

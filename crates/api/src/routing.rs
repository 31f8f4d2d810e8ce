//! The functions that add routes, each to the router and to a table.
//!
//! The table feeds the OpenAPI document, the access-matrix and bad-input tests, and
//! `docs/routes.txt`.

use std::{future::ready, pin::Pin, time::Duration};

use axum::{
    Router,
    extract::Request,
    handler::Handler,
    response::{IntoResponse, Response},
    routing::{MethodFilter, on},
};
use http::Method;
use podgate_access::Action;
use utoipa::ToSchema;

use crate::{
    ApiError, State,
    extract::{
        authorized::Authorized,
        body::{Body, MaybeBody},
        content_negotiation::{JSON, MediaTypes, Negotiated, negotiate},
        parameters::{FromParameters, Parameters, Params},
    },
    http::{
        body_stream,
        fallback::{no_method, no_route},
    },
    openapi::{
        operation::{Operation, RequestBody},
        schema::Schemas,
    },
    route::{Route, Shape},
    ws::Upgrade,
};

/// How long a handler may take for an answer of [`Shape::Unary`]. Calls to clusters have shorter
/// limits of their own.
const UNARY_LIMIT: Duration = Duration::from_secs(120);

/// An argument of a handler that may add to its row of the table.
pub(crate) trait Describe {
    /// Adds to the route what follows from the argument.
    fn describe(_route: &mut Route) {}
}

impl<T: FromParameters> Describe for Params<T> {
    fn describe(route: &mut Route) {
        route.parameters = T::PARAMETERS;
    }
}

impl<T: ToSchema, const MAX: usize> Describe for Body<T, MAX> {
    fn describe(route: &mut Route) {
        route.body = Some(RequestBody {
            schema: Schemas::of::<T>,
            required: true,
        });
    }
}

impl<T: ToSchema> Describe for MaybeBody<T> {
    fn describe(route: &mut Route) {
        route.body = Some(RequestBody {
            schema: Schemas::of::<T>,
            required: false,
        });
    }
}

impl<T: MediaTypes> Describe for Negotiated<T> {
    fn describe(route: &mut Route) {
        route.types = T::TYPES;
    }
}

impl<A: Action, T: FromParameters> Describe for Upgrade<A, T> {
    fn describe(route: &mut Route) {
        route.shape = Shape::WebSocket;
        route.parameters = T::PARAMETERS;
        route.types = &[];
    }
}

impl<A: Action> Describe for Authorized<A> {}
impl Describe for axum::extract::State<State> {}
impl Describe for Result<axum::extract::Path<String>, axum::extract::rejection::PathRejection> {}
impl Describe for http::HeaderMap {}
impl Describe for http::Uri {}
impl Describe for crate::http::client_info::ClientInfo {}
impl Describe for crate::extract::auth::Tried {}
impl Describe for crate::http::content_coding::TakesGzip {}
impl Describe for crate::http::etag::IfMatch {}
impl Describe for crate::http::etag::IfNoneMatch {}

/// The arguments of a handler that opens the Gate for `A`. The first is an [`Authorized`] or an
/// [`Upgrade`].
pub(crate) trait Opens<A>: Describe {}

/// Implements [`Describe`] and [`Opens`] for the arguments of a handler. The first type is axum's
/// marker.
macro_rules! arguments {
    ($($argument:ident)*) => {
        impl<M, $($argument: Describe),*> Describe for (M, $($argument,)*) {
            fn describe(_route: &mut Route) {
                $($argument::describe(_route);)*
            }
        }
    };
}
arguments!();
arguments!(T1);
arguments!(T1 T2);
arguments!(T1 T2 T3);
arguments!(T1 T2 T3 T4);
arguments!(T1 T2 T3 T4 T5);

macro_rules! opens {
    ($($argument:ident)*) => {
        impl<M, A: Action, $($argument: Describe),*> Opens<A> for (M, Authorized<A>, $($argument,)*) {}
        impl<M, A: Action, T: FromParameters, $($argument: Describe),*> Opens<A> for (M, Upgrade<A, T>, $($argument,)*) {}
    };
}
opens!();
opens!(T1);
opens!(T1 T2);
opens!(T1 T2 T3);
opens!(T1 T2 T3 T4);

/// The routes added so far.
pub(crate) struct Routes {
    base: String,
    router: Router<State>,
    table: Vec<Route>,
}

impl Routes {
    pub(crate) fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            router: Router::new(),
            table: Vec::new(),
        }
    }

    /// Adds a route whose handler opens the Gate for `A`, by an [`Authorized`] or an [`Upgrade`] as
    /// its first argument.
    pub(crate) fn add<A, H, T>(self, method: Method, path: &'static str, operation: Operation, handler: H) -> Self
    where
        A: Action,
        T: Opens<A> + 'static,
        H: Handler<T, State>,
    {
        self.insert(
            method,
            path,
            Some((A::NAME, A::PERMISSION, A::MUTATES)),
            Shape::Unary,
            operation,
            handler,
        )
    }

    /// Adds a route like [`Routes::add`] whose answer may be long, without the time limit of the
    /// others.
    pub(crate) fn add_stream<A, H, T>(
        self,
        method: Method,
        path: &'static str,
        operation: Operation,
        handler: H,
    ) -> Self
    where
        A: Action,
        T: Opens<A> + 'static,
        H: Handler<T, State>,
    {
        self.insert(
            method,
            path,
            Some((A::NAME, A::PERMISSION, A::MUTATES)),
            Shape::Stream,
            operation,
            handler,
        )
    }

    /// Adds a route that anyone may call.
    pub(crate) fn add_public<H, T>(self, method: Method, path: &'static str, operation: Operation, handler: H) -> Self
    where
        T: Describe + 'static,
        H: Handler<T, State>,
    {
        self.insert(method, path, None, Shape::Unary, operation, handler)
    }

    /// Adds a path of the web page or one of its files, which anyone may read.
    pub(crate) fn add_page<H, T>(self, path: &'static str, operation: Operation, handler: H) -> Self
    where
        T: Describe + 'static,
        H: Handler<T, State>,
    {
        self.insert(Method::GET, path, None, Shape::Page, operation, handler)
    }

    fn insert<H, T>(
        mut self,
        method: Method,
        path: &'static str,
        action: Option<(&'static str, &'static str, bool)>,
        shape: Shape,
        operation: Operation,
        handler: H,
    ) -> Self
    where
        T: Describe + 'static,
        H: Handler<T, State>,
    {
        let mut route = Route {
            method,
            path,
            action,
            shape,
            parameters: &[],
            body: None,
            types: if path.starts_with("/api/") { &[JSON] } else { &[] },
            operation,
        };
        T::describe(&mut route);
        let filter = MethodFilter::try_from(route.method.clone()).unwrap_or(MethodFilter::GET);
        let endpoint = on(filter, Guarded::new(&route, handler));
        let full = format!("{}{path}", self.base);
        #[expect(clippy::disallowed_methods, reason = "this is the one place where routes are added")]
        {
            self.router = self.router.route(&full, endpoint);
        }
        self.table.push(route);
        self
    }

    /// Returns the router, with its answers for unknown paths and methods, and the table in the
    /// order in which the routes were added.
    pub(crate) fn finish(self) -> (Router<State>, Vec<Route>) {
        let router = self.router.fallback(no_route).method_not_allowed_fallback(no_method);
        (router, self.table)
    }
}

/// A handler wrapped in the checks that its row of the table asks for.
///
/// It is one wrapper rather than a layer for each check, because every layer costs every request
/// several allocations.
#[derive(Clone)]
struct Guarded<H> {
    handler: H,
    path: &'static str,
    shape: Shape,
    types: &'static [&'static str],
    /// Whether the route takes no query parameters.
    bare: bool,
}

impl<H> Guarded<H> {
    fn new(route: &Route, handler: H) -> Self {
        let enveloped = route.path.starts_with("/api/") && route.shape != Shape::WebSocket;
        Self {
            handler,
            path: route.path,
            shape: route.shape,
            types: route.types,
            bare: enveloped && route.parameters.is_empty(),
        }
    }

    /// Checks whether a request may reach the handler.
    fn admit(&self, request: &mut Request) -> Result<(), ApiError> {
        if !self.types.is_empty() {
            negotiate(self.types, request)?;
        }
        if self.bare {
            Parameters::parse(request.uri().query().unwrap_or_default(), &[])?;
        }
        Ok(())
    }
}

impl<T: 'static, H: Handler<T, State>> Handler<T, State> for Guarded<H> {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, mut request: Request, state: State) -> Self::Future {
        if let Err(error) = self.admit(&mut request) {
            return Box::pin(ready(error.into_response()));
        }
        let answer = self.handler.call(request, state);
        match self.shape {
            Shape::Unary => Box::pin(limited(answer)),
            Shape::Stream => Box::pin(body_stream::mark(self.path, answer)),
            Shape::WebSocket | Shape::Page => Box::pin(answer),
        }
    }
}

/// Awaits an answer for at most [`UNARY_LIMIT`].
async fn limited(answer: impl Future<Output = Response>) -> Response {
    let answer = tokio::time::timeout(UNARY_LIMIT, answer).await;
    answer.unwrap_or_else(|_| {
        ApiError::Timeout(format!("no answer within {} s: try again later", UNARY_LIMIT.as_secs())).into_response()
    })
}

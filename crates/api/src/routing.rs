//! How routes are added: through two functions, so that each also stands in a table. The table feeds the OpenAPI document, the access-matrix
//! and bad-input tests, and `docs/routes.txt`.

use axum::{
    Router,
    extract::Request,
    handler::Handler,
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, on},
};
use http::Method;
use podgate_access::Action;

use crate::{
    ApiError, State,
    accept::{Accepted, JSON, Types, negotiate},
    body::Body,
    middleware,
    opened::Opened,
    parameters::{FromParameters, Parameter, Parameters, Params},
    stream,
    ws::Upgrade,
};

/// What a route's answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// An answer with an end.
    Unary,
    /// An answer that may be long, or go on.
    Stream,
    /// A WebSocket.
    WebSocket,
}

/// One route, as the table shows it.
#[derive(Clone, Debug)]
pub struct Route {
    /// `GET`, …
    pub method: Method,
    /// Its path, with `{name}` for what varies.
    pub path: &'static str,
    /// Its action's name, permission and whether it changes anything; none for a public route.
    pub action: Option<(&'static str, &'static str, bool)>,
    /// What its answer is.
    pub shape: Shape,
    /// Its query parameters.
    pub parameters: &'static [Parameter],
    /// Whether it takes a JSON body.
    pub body: bool,
    /// The media types it answers, the default first; empty: not negotiated.
    pub types: &'static [&'static str],
}

/// An argument of a handler, as far as the table shows it.
pub trait Describe {
    /// Adds what the argument tells of its route.
    fn describe(_route: &mut Route) {}
}

impl<T: FromParameters> Describe for Params<T> {
    fn describe(route: &mut Route) {
        route.parameters = T::PARAMETERS;
    }
}

impl<T> Describe for Body<T> {
    fn describe(route: &mut Route) {
        route.body = true;
    }
}

impl<T: Types> Describe for Accepted<T> {
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

impl<A: Action> Describe for Opened<A> {}
impl Describe for axum::extract::State<State> {}
impl Describe for http::HeaderMap {}
impl Describe for crate::origin::Seen {}

/// The arguments of a handler that opens the Gate for `A` first: [`Opened`] or [`Upgrade`], then others.
pub trait Opens<A>: Describe {}

/// All arguments of a handler, described. The first is axum's marker.
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
        impl<M, A: Action, $($argument: Describe),*> Opens<A> for (M, Opened<A>, $($argument,)*) {}
        impl<M, A: Action, T: FromParameters, $($argument: Describe),*> Opens<A> for (M, Upgrade<A, T>, $($argument,)*) {}
    };
}
opens!();
opens!(T1);
opens!(T1 T2);
opens!(T1 T2 T3);
opens!(T1 T2 T3 T4);

/// Routes being added.
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

    /// Adds a route whose handler opens the Gate for `A`: an argument of type [`Opened`] or [`Upgrade`] of that action comes first.
    pub(crate) fn add<A, H, T>(self, method: Method, path: &'static str, handler: H) -> Self
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
            handler,
        )
    }

    /// As [`Routes::add`], for an answer that may be long: without the time limit of the others.
    pub(crate) fn add_stream<A, H, T>(self, method: Method, path: &'static str, handler: H) -> Self
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
            handler,
        )
    }

    /// Adds a route that anyone may call.
    pub(crate) fn add_public<H, T>(self, method: Method, path: &'static str, handler: H) -> Self
    where
        T: Describe + 'static,
        H: Handler<T, State>,
    {
        self.insert(method, path, None, Shape::Unary, handler)
    }

    fn insert<H, T>(
        mut self,
        method: Method,
        path: &'static str,
        action: Option<(&'static str, &'static str, bool)>,
        shape: Shape,
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
            body: false,
            types: if path.starts_with("/api/") { &[JSON] } else { &[] },
        };
        T::describe(&mut route);
        let endpoint = endpoint(&route, handler);
        let full = format!("{}{path}", self.base);
        #[expect(clippy::disallowed_methods, reason = "this is the one place where routes are added")]
        {
            self.router = self.router.route(&full, endpoint);
        }
        self.table.push(route);
        self
    }

    /// The router, with what answers where no route or method is, and the table in the order in which the routes were added.
    pub(crate) fn finish(self) -> (Router<State>, Vec<Route>) {
        let router = self
            .router
            .fallback(middleware::no_route)
            .method_not_allowed_fallback(no_method);
        (router, self.table)
    }
}

/// A route's handler within the middleware that its shape and types ask for.
fn endpoint<H, T>(route: &Route, handler: H) -> MethodRouter<State>
where
    T: 'static,
    H: Handler<T, State>,
{
    let filter = MethodFilter::try_from(route.method.clone()).unwrap_or(MethodFilter::GET);
    let mut endpoint = on(filter, handler);
    let path = route.path;
    match route.shape {
        Shape::Unary => endpoint = endpoint.route_layer(from_fn(middleware::limit)),
        Shape::Stream => {
            endpoint = endpoint.route_layer(from_fn(move |request: Request, next: Next| {
                stream::mark(path, request, next)
            }));
        }
        Shape::WebSocket => {}
    }
    let types = route.types;
    if route.parameters.is_empty() && route.shape != Shape::WebSocket && path.starts_with("/api/") {
        endpoint = endpoint.route_layer(from_fn(no_query));
    }
    if !types.is_empty() {
        endpoint = endpoint.route_layer(from_fn(move |request: Request, next: Next| {
            negotiate(types, request, next)
        }));
    }
    endpoint
}

/// Middleware of a route without parameters: refuses any.
async fn no_query(request: Request, next: Next) -> Response {
    match Parameters::parse(request.uri().query().unwrap_or_default(), &[]) {
        Ok(_) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// What a method that a path does not take answers; axum adds the `Allow` header.
async fn no_method(method: Method) -> Response {
    ApiError::Method(format!(
        "this path does not take {method}: the `Allow` header lists what it takes"
    ))
    .into_response()
}

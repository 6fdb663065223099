use axum::{Router, handler::Handler, routing::MethodRouter};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, Info, License, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, Required,
    ResponseBuilder, Tag,
    path::{Operation, ParameterBuilder, ParameterIn},
    schema::{ObjectBuilder, Type},
    security::{Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes, SecurityScheme},
};
use utoipa_axum::{
    PathItemExt,
    router::{OpenApiRouter, UtoipaMethodRouter},
};

/// What a function's table of contents is read for: its routes, as a [`Router`], or what the OpenAPI document says of them, as
/// [`Described`]. A function at work holds nothing of the document, and spends no time of its start on it.
pub trait Endpoints<S>: Sized {
    /// A table without rows.
    fn new() -> Self;

    /// One endpoint at its path, and under every other path of the contract's *also*: the same handler, the same
    /// behaviour. An alias is a path, for every method of the endpoint, or `PATCH` and a path, for that one alone. Where an
    /// endpoint takes PUT and PATCH, the latter is an alias of the former.
    #[must_use]
    fn endpoint(self, endpoint: Endpoint<S, impl FnOnce() -> UtoipaMethodRouter<S>>, also: &[&str]) -> Self;

    /// A route that is no part of the API: a page for people, or an asset.
    #[must_use]
    fn page(self, path: &str, handlers: MethodRouter<S>) -> Self;
}

/// An endpoint: what the macro `endpoint` makes of its handler.
pub struct Endpoint<S, D> {
    path: String,
    handlers: MethodRouter<S>,
    describe: D,
}

impl<S: Clone + Send + Sync + 'static, D: FnOnce() -> UtoipaMethodRouter<S>> Endpoint<S, D> {
    /// The endpoint that is described at `P`.
    pub fn new<P: utoipa::Path, T: 'static>(_: P, handler: impl Handler<T, S>, describe: D) -> Self {
        let handlers = P::methods()
            .iter()
            .fold(MethodRouter::new(), |handlers, method| handlers.on(method.to_method_filter(), handler.clone()));
        Self { path: P::path(), handlers, describe }
    }
}

/// The endpoint of a handler, by the module and the name of it.
#[macro_export]
macro_rules! endpoint {
    ($module:ident::$handler:ident) => {
        ::utoipa_axum::paste! {
            $crate::http::Endpoint::new($module::[<__path_ $handler>], $module::$handler, || {
                ::utoipa_axum::routes!($module::$handler)
            })
        }
    };
}

impl<S: Clone + Send + Sync + 'static> Endpoints<S> for Router<S> {
    fn new() -> Self {
        Router::new()
    }

    fn endpoint(self, endpoint: Endpoint<S, impl FnOnce() -> UtoipaMethodRouter<S>>, also: &[&str]) -> Self {
        let also = also.iter().map(|alias| alias.strip_prefix("PATCH ").unwrap_or(alias));
        let paths = [endpoint.path.as_str()].into_iter().chain(also);
        paths.fold(self, |router, path| router.route(path, endpoint.handlers.clone()))
    }

    fn page(self, path: &str, handlers: MethodRouter<S>) -> Self {
        self.route(path, handlers)
    }
}

/// What the OpenAPI document says of a function's endpoints.
pub struct Described<S>(OpenApiRouter<S>);

impl<S: Clone + Send + Sync + 'static> Endpoints<S> for Described<S> {
    fn new() -> Self {
        Self(OpenApiRouter::default())
    }

    fn endpoint(self, endpoint: Endpoint<S, impl FnOnce() -> UtoipaMethodRouter<S>>, also: &[&str]) -> Self {
        let (schemas, paths, handlers) = (endpoint.describe)();
        let mut listed = paths.clone();
        let mut router = self.0;
        for (path, item) in &paths.paths {
            for (number, alias) in also.iter().enumerate() {
                let mut item = item.clone();
                let of_one_method = alias.strip_prefix("PATCH ");
                if of_one_method.is_some() {
                    item.put = None;
                }
                let alias = of_one_method.unwrap_or(alias);
                listed.paths.insert(alias.to_owned(), alias_of(path, alias, &item, number + 2));
            }
            let own = listed.paths.get_mut(path).filter(|own| own.put.is_some());
            if let Some(patch) = own.and_then(|own| own.patch.as_mut()) {
                rename(patch, path, 1);
            }
        }
        router = router.routes((schemas, listed, handlers));
        Self(router)
    }

    fn page(self, _: &str, _: MethodRouter<S>) -> Self {
        self
    }
}

impl<S: Clone + Send + Sync + 'static> Described<S> {
    /// The function's part of the document.
    pub fn openapi(self) -> OpenApi {
        self.0.into_openapi()
    }
}

fn alias_of(path: &str, own: &str, item: &PathItem, number: usize) -> PathItem {
    let mut alias = item.clone();
    let operations = [&mut alias.get, &mut alias.put, &mut alias.post, &mut alias.delete, &mut alias.patch];
    for (place, operation) in operations.into_iter().flatten().enumerate() {
        rename(operation, path, number + place * 10);
        for name in parameters(own).filter(|name| !parameters(path).any(|other| other == *name)) {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
            let parameter =
                parameter.description(Some("`me`, or the caller's own id, or any id where the caller is an admin."));
            let schema = ObjectBuilder::new().schema_type(Type::String).build();
            operation.parameters.get_or_insert_default().push(RefOr::T(parameter.schema(Some(schema)).build()));
        }
    }
    alias
}

/// The names of a path's parameters.
fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

fn rename(operation: &mut Operation, path: &str, number: usize) {
    operation.operation_id = operation.operation_id.take().map(|id| format!("{id}_{number}"));
    operation.description = Some(format!("The same as `{path}`."));
}

/// The OpenAPI 3.1 document of the functions' parts.
pub fn document(parts: impl IntoIterator<Item = OpenApi>) -> OpenApi {
    let mut info = Info::new("user-service", "1");
    info.description = Some("Accounts, sign-in, profiles and coding-attempt tracking.".into());
    info.license = Some(License::new("MIT"));
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let scopes = [("user", "every verified account"), ("premium", "premium accounts"), ("admin", "admins")];
    let password = Flow::Password(Password::new("/api/v1/auth/token", Scopes::from_iter(scopes)));
    let components = ComponentsBuilder::new()
        .security_scheme("client", SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Basic).build()))
        .security_scheme("bearer", SecurityScheme::Http(bearer))
        .security_scheme("password", SecurityScheme::OAuth2(OAuth2::new([password])))
        .build();
    let tags = ["auth", "users", "avatars", "attempts", "system"].map(Tag::new);
    let mut whole = OpenApiBuilder::new().info(info).components(Some(components)).tags(Some(tags)).build();
    for part in parts {
        whole.merge(part);
    }
    let items = whole.paths.paths.values_mut();
    items
        .flat_map(|item| [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch])
        .flatten()
        .for_each(say_what_holds_everywhere);
    whole
}

/// Adds what any operation can answer: to a body that cannot be read, and where the service cannot go on.
fn say_what_holds_everywhere(operation: &mut Operation) {
    let of_bodies = [("400", "`malformed_body`"), ("413", "`body_too_large`"), ("415", "`unsupported_media_type`")];
    let with_body = of_bodies.into_iter().filter(|_| operation.request_body.is_some());
    let always = [("500", "`internal_error`"), ("503", "`unavailable`")];
    for (status, description) in with_body.chain(always).collect::<Vec<_>>() {
        let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response =
            ResponseBuilder::new().description(description).content("application/problem+json", problem).build();
        operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
    }
}

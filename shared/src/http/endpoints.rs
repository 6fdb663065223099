use axum::{Router, routing::MethodRouter};
use utoipa::openapi::{
    ComponentsBuilder, Info, License, OpenApi, OpenApiBuilder, PathItem, Tag,
    path::Operation,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

/// A function's table of contents: its routes, each with what the OpenAPI document says of it.
pub struct Endpoints<S>(OpenApiRouter<S>);

impl<S: Clone + Send + Sync + 'static> Endpoints<S> {
    /// An empty table.
    #[expect(clippy::new_without_default, reason = "a table without rows is not a sensible default")]
    pub fn new() -> Self {
        Self(OpenApiRouter::default())
    }

    /// One endpoint at its path, and under every other path of the contract's *also*: the same handler, the same
    /// behaviour.
    #[must_use]
    pub fn endpoint(self, (schemas, paths, handlers): UtoipaMethodRouter<S>, also: &[&str]) -> Self {
        let mut listed = paths.clone();
        let mut router = self.0;
        for (path, item) in &paths.paths {
            for (number, alias) in also.iter().enumerate() {
                listed.paths.insert((*alias).to_owned(), alias_of(path, item, number + 2));
            }
        }
        router = router.routes((schemas, listed, handlers));
        Self(router)
    }

    /// A route that is no part of the API: a page for people, or an asset.
    #[must_use]
    pub fn page(self, path: &str, handlers: MethodRouter<S>) -> Self {
        Self(self.0.route(path, handlers))
    }

    /// The routes.
    pub fn router(self) -> Router<S> {
        self.0.into()
    }

    /// What the document says of them.
    pub fn openapi(self) -> OpenApi {
        self.0.into_openapi()
    }
}

fn alias_of(path: &str, item: &PathItem, number: usize) -> PathItem {
    let mut alias = item.clone();
    let operations = [&mut alias.get, &mut alias.put, &mut alias.post, &mut alias.delete, &mut alias.patch];
    for operation in operations.into_iter().flatten() {
        rename(operation, path, number);
    }
    alias
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
    let components = ComponentsBuilder::new().security_scheme("bearer", SecurityScheme::Http(bearer)).build();
    let tags = ["auth", "users", "attempts", "system"].map(Tag::new);
    let mut whole = OpenApiBuilder::new().info(info).components(Some(components)).tags(Some(tags)).build();
    for part in parts {
        whole.merge(part);
    }
    whole
}

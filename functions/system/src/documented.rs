use std::sync::Arc;

use axum::http::Method;
use lambda_http::Error;
use matchit::Router;
use serde_json::Value;

/// The OpenAPI document, generated from the code of every function and checked in.
pub const DOCUMENT: &str = include_str!("../../../infra/openapi.json");

/// Which methods each documented path takes.
#[derive(Clone)]
pub struct Documented(Arc<Router<Vec<Method>>>);

impl Documented {
    /// Reads the document.
    ///
    /// # Errors
    /// Where it is not one; a test holds that it is.
    pub fn load() -> Result<Self, Error> {
        let document: Value = serde_json::from_str(DOCUMENT)?;
        let paths = document["paths"].as_object().ok_or("the OpenAPI document has no paths")?;
        let mut router = Router::new();
        for (path, item) in paths {
            let operations = item.as_object().ok_or("a path of the OpenAPI document has no operations")?;
            let methods = operations.keys().filter_map(|name| Method::from_bytes(name.to_uppercase().as_bytes()).ok());
            router.insert(path, methods.collect())?;
        }
        Ok(Self(Arc::new(router)))
    }

    /// The methods that `path` takes; nothing where nobody serves it.
    pub fn methods(&self, path: &str) -> Option<&[Method]> {
        Some(self.0.at(path).ok()?.value)
    }
}

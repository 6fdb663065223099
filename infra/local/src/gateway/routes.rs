use std::collections::HashMap;

use axum::http::Method;
use matchit::Router;

use crate::{StartError, template::Route};

/// The routes of the API. A route of the very method goes before one of any, and `$default` takes the rest.
pub struct Routes {
    by_method: HashMap<String, Router<Route>>,
    default: Option<Route>,
}

/// A route that a request took.
#[derive(Debug, PartialEq, Eq)]
pub struct Matched {
    pub key: String,
    pub function: String,
    pub parameters: Vec<(String, String)>,
}

const ANY: &str = "ANY";

impl Routes {
    /// The routes of the template.
    ///
    /// # Errors
    /// Where a key is not one, or stands twice.
    pub fn new(routes: Vec<Route>) -> Result<Self, StartError> {
        let mut by_method: HashMap<String, Router<Route>> = HashMap::new();
        let mut default = None;
        for route in routes {
            let Some((method, path)) =
                route.key.split_once(' ').map(|(method, path)| (method.to_owned(), path.to_owned()))
            else {
                default = Some(route);
                continue;
            };
            let router = by_method.entry(method).or_default();
            let refused = |error: matchit::InsertError| StartError::Template(format!("route {path}: {error}"));
            if let Some(prefix) = path.strip_suffix("/{proxy+}") {
                // A greedy route also takes the bare slash, which no other key can name.
                router.insert(format!("{prefix}/"), route.clone()).map_err(refused)?;
                router.insert(format!("{prefix}/{{*proxy}}"), route).map_err(refused)?;
            } else {
                router.insert(path.clone(), route).map_err(refused)?;
            }
        }
        Ok(Self { by_method, default })
    }

    /// The route that a request takes.
    pub fn find(&self, method: &Method, path: &str) -> Option<Matched> {
        let routers = [method.as_str(), ANY].into_iter().filter_map(|method| self.by_method.get(method));
        let found = routers.filter_map(|router| router.at(path).ok()).map(|found| {
            let parameters = found.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            matched(found.value, parameters)
        });
        found.into_iter().next().or_else(|| self.default.as_ref().map(|route| matched(route, Vec::new())))
    }
}

fn matched(route: &Route, parameters: Vec<(String, String)>) -> Matched {
    Matched { key: route.key.clone(), function: route.function.clone(), parameters }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_route_of_the_method_wins() {
        let route = |key: &str| Route { key: key.into(), function: key.into() };
        let keys = ["GET /a/me", "GET /a/{id}", "POST /a/{proxy+}", "ANY /a/{id}", "$default"];
        let routes = Routes::new(keys.map(route).to_vec()).unwrap();
        let key = |method: Method, path: &str| routes.find(&method, path).unwrap().key;
        assert_eq!(key(Method::GET, "/a/me"), "GET /a/me");
        assert_eq!(key(Method::GET, "/a/7"), "GET /a/{id}");
        assert_eq!(key(Method::POST, "/a/"), "POST /a/{proxy+}");
        assert_eq!(key(Method::PUT, "/a/7"), "ANY /a/{id}");
        assert_eq!(key(Method::GET, "/a/7/b"), "$default");
    }
}

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, header, request::Parts},
    response::{Html, IntoResponse, Response},
};
use minijinja::{Environment, Value};

use super::{NoStore, Problem};
use crate::{config::Settings, markup};

/// What an answer may be written in, by the request's `Accept`.
#[derive(Clone, Copy, Debug)]
pub struct Accepts {
    pub json: bool,
    pub html: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Accepts {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let names = |media_type: &str| {
            let values = parts.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).any(|part| {
                part.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(media_type))
            })
        };
        Ok(Self { json: names("application/json"), html: names("text/html") })
    }
}

/// The frame that all pages share, and its one style sheet.
const FRAME: &str = include_str!("pages/frame.html");
const STYLE: &str = include_str!("pages/style.css");

/// Renders the pages for people. Templates are embedded.
#[derive(Clone)]
pub struct Pages {
    environment: Arc<Environment<'static>>,
    policy: HeaderValue,
    app_name: Arc<str>,
}

impl Pages {
    /// The pages of these templates: names ending in `.html`, so that every value is escaped.
    pub fn new(settings: &Settings, templates: &[(&'static str, &'static str)]) -> Result<Self, minijinja::Error> {
        let mut environment = markup::environment();
        environment.add_template("frame.html", FRAME)?;
        for (name, template) in templates {
            environment.add_template(name, template)?;
        }
        Ok(Self { environment: Arc::new(environment), policy: policy(), app_name: settings.app_name.as_str().into() })
    }

    /// The page `name` with `context`.
    ///
    /// # Errors
    /// Where the template cannot be rendered.
    pub fn render(&self, name: &str, context: Value) -> Result<Page, Problem> {
        let style = Value::from_safe_string(STYLE.to_owned());
        let context = minijinja::context! { style, app_name => &*self.app_name, ..context };
        let rendered = self.environment.get_template(name).and_then(|template| template.render(context));
        let html = rendered.map_err(|error| Problem::internal(&error))?;
        Ok(Page { html, policy: self.policy.clone() })
    }
}

/// The one style sheet is allowed by its hash; scripts and everything else are not.
fn policy() -> HeaderValue {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, STYLE.as_bytes());
    let hash = data_encoding::BASE64.encode(hash.as_ref());
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// A rendered page with its strict policy.
pub struct Page {
    html: String,
    policy: HeaderValue,
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_SECURITY_POLICY, self.policy),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        ];
        NoStore((headers, Html(self.html))).into_response()
    }
}

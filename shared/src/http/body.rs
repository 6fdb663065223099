use axum::{
    body::{HttpBody, to_bytes},
    extract::{FromRequest, Request},
    http::header,
};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{Code, FieldError, Problem};
use crate::domain::Invalid;

/// Bytes of the largest JSON body. 256 KiB of code can take six times that once JSON has escaped it.
const LARGEST: usize = 2 * 1024 * 1024;

/// A JSON body of the shape `T`.
///
/// What is wrong with it is told in its own words: no JSON is 400, another content type 415, too large 413; a field that
/// is missing, unknown or of another type is 422 and named.
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(is_json) {
            return Err(Problem::new(Code::UnsupportedMediaType, "The body must be application/json."));
        }
        let bytes = to_bytes(request.into_body(), LARGEST)
            .await
            .map_err(|_| Problem::new(Code::BodyTooLarge, format!("The body must have at most {LARGEST} bytes.")))?;
        parse(&bytes).map(Self)
    }
}

/// A JSON body that may be left out altogether.
pub struct OptionalJsonBody<T>(pub Option<T>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for OptionalJsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if request.body().is_end_stream() {
            return Ok(Self(None));
        }
        JsonBody::from_request(request, state).await.map(|JsonBody(value)| Self(Some(value)))
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// A body is an object: serde would also take an array for one, by position.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        serde_json::from_slice::<IgnoredAny>(bytes).map_err(|_| malformed())?;
        let message = "must be an object".to_owned();
        return Err(Problem::invalid(vec![FieldError { field: "body".into(), message }]));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut deserializer);
    let value = parsed.map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_data() { Problem::invalid(vec![field_error(path, &inner.to_string())]) } else { malformed() }
    })?;
    deserializer.end().map_err(|_| malformed())?;
    Ok(value)
}

fn malformed() -> Problem {
    Problem::new(Code::MalformedBody, "The body is not valid JSON.")
}

/// Names the field of a data error; serde names a missing or unknown one only within its words.
pub(super) fn field_error(path: String, words: &str) -> FieldError {
    let words = words.rsplit_once(" at line ").map_or(words, |(words, _)| words);
    let named = |start: &str| words.strip_prefix(start)?.split('`').next();
    let within = |field: &str| if path == "." { field.to_owned() } else { format!("{path}.{field}") };
    if let Some(field) = named("missing field `") {
        return FieldError { field: within(field), message: "is required".into() };
    }
    if let Some(field) = named("unknown field `") {
        let outer = path.rsplit_once('.').map(|(outer, _)| format!("{outer}.")).unwrap_or_default();
        return FieldError { field: format!("{outer}{field}"), message: "is not a field of this request".into() };
    }
    if let Some(field) = named("duplicate field `") {
        return FieldError { field: within(field), message: "is given twice".into() };
    }
    let expected = words.rsplit_once("expected ").map(|(_, expected)| spoken(expected));
    let message = expected.map_or_else(|| "is not valid".to_owned(), |expected| format!("must be {expected}"));
    FieldError { field: if path == "." { "body".into() } else { path }, message }
}

/// What was expected, without the names of our types.
fn spoken(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

/// Collects what is wrong with the fields of a body, so that a person learns it all at once.
#[derive(Default)]
pub struct Fields(Vec<FieldError>);

impl Fields {
    /// The value, or nothing and a note of what is wrong with `field`.
    pub fn take<T>(&mut self, field: &str, parsed: Result<T, Invalid>) -> Option<T> {
        parsed.map_err(|invalid| self.refuse(field, invalid.to_string())).ok()
    }

    /// Notes what is wrong with `field`.
    pub fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    /// The problem, where anything was refused.
    ///
    /// # Errors
    /// `validation_failed` with every note.
    pub fn check(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }

    /// `value`, where nothing was refused and it is there.
    ///
    /// # Errors
    /// `validation_failed` with every note.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Problem> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Problem::invalid(self.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape is of interest")]
    struct Body {
        email: String,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape is of interest")]
    struct Inner {
        count: u8,
    }

    fn refused(body: &str) -> (Code, Vec<FieldError>) {
        let problem = parse::<Body>(body.as_bytes()).unwrap_err();
        (problem.code(), problem.errors().to_vec())
    }

    #[test]
    fn a_field_that_is_wrong_is_named() {
        let cases = [
            ("{}", "email", "is required"),
            (r#"{"email":"a","role":"ADMIN"}"#, "role", "is not a field of this request"),
            (r#"{"email":1}"#, "email", "must be a string"),
            (r#"{"email":"a","inner":{"count":-1}}"#, "inner.count", "must be a whole number, 0 or more"),
            (r#"{"email":"a","inner":{"count":1,"x":2}}"#, "inner.x", "is not a field of this request"),
            ("[]", "body", "must be an object"),
            (r#"["a@example.com"]"#, "body", "must be an object"),
        ];
        for (body, field, message) in cases {
            let (code, errors) = refused(body);
            assert_eq!(code, Code::ValidationFailed, "{body}");
            assert_eq!((errors[0].field.as_str(), errors[0].message.as_str()), (field, message), "{body}");
        }
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        for body in ["", "{", "{\"email\":\"a\"} x", "\u{feff}{}", "nope"] {
            assert_eq!(refused(body).0, Code::MalformedBody, "{body}");
        }
    }
}

use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
    http::header,
};
use serde::de::DeserializeOwned;

use super::{Code, Problem};

/// Bytes of the largest form.
const LARGEST: usize = 64 * 1024;

/// A form of the shape `T`. A field without a value counts as left out (RFC 6749 §3.2).
pub struct FormBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for FormBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(is_form) {
            return Err(no_form("The body must be application/x-www-form-urlencoded."));
        }
        let bytes = to_bytes(request.into_body(), LARGEST).await.map_err(|_| no_form("The form is too large."))?;
        parse(&bytes).map(Self)
    }
}

fn no_form(reason: &str) -> Problem {
    Problem::new(Code::MalformedBody, reason)
}

fn is_form(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let fields = form_urlencoded::parse(bytes).filter(|(_, value)| !value.is_empty());
    let sent = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    serde_urlencoded::from_str(&sent)
        .map_err(|_| no_form("A field of the form stands twice, or is not what it should be."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Asked {
        token: Option<String>,
    }

    fn token(form: &str) -> Option<Option<String>> {
        parse::<Asked>(form.as_bytes()).ok().map(|asked| asked.token)
    }

    #[test]
    fn a_field_counts_once_and_an_empty_one_not_at_all() {
        assert_eq!(token("token=a%20b&other=1&other=2"), Some(Some("a b".to_owned())));
        assert_eq!(token("token="), Some(None));
        assert_eq!(token("token=a&token="), Some(Some("a".to_owned())));
        assert_eq!(token("token=a&token=b"), None);
    }

    #[test]
    fn the_media_type_is_known_in_any_case_and_no_other_is() {
        assert!(is_form("Application/X-WWW-Form-URLencoded; charset=utf-8"));
        assert!(!is_form("application/x-www-form-urlencodedx"));
    }
}

use axum::{
    body::to_bytes,
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request, multipart::MultipartError},
    http::{StatusCode, header},
};
use shared::http::{Code, FieldError, Problem};

use crate::State;

/// Bytes that the form around a file may take.
const FORM: usize = 64 * 1024;

/// A file that is uploaded: the field `file` of a form, or the body itself.
pub struct Upload(pub Vec<u8>);

impl FromRequest<State> for Upload {
    type Rejection = Problem;

    async fn from_request(mut request: Request, state: &State) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().trim().to_ascii_lowercase();
        let most = state.settings.max_avatar_size;
        let bytes = if content_type.starts_with("multipart/form-data") {
            DefaultBodyLimit::max(most + FORM).apply(&mut request);
            file_of_form(request, state, most).await?
        } else if content_type.starts_with("image/") || content_type.starts_with("application/octet-stream") {
            to_bytes(request.into_body(), most).await.map_err(|_| too_large(most))?.to_vec()
        } else {
            let words = "The body must be a picture, or multipart/form-data with a field `file`.";
            return Err(Problem::new(Code::UnsupportedMediaType, words));
        };
        if bytes.len() > most {
            return Err(too_large(most));
        }
        if bytes.is_empty() {
            return Err(missing());
        }
        Ok(Self(bytes))
    }
}

async fn file_of_form(request: Request, state: &State, most: usize) -> Result<Vec<u8>, Problem> {
    let malformed = |error: MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(most),
        _ => Problem::new(Code::MalformedBody, "The form cannot be read."),
    };
    let mut form = Multipart::from_request(request, state)
        .await
        .map_err(|_| Problem::new(Code::MalformedBody, "The form cannot be read."))?;
    while let Some(field) = form.next_field().await.map_err(malformed)? {
        if field.name() == Some("file") {
            return field.bytes().await.map(|bytes| bytes.to_vec()).map_err(malformed);
        }
    }
    Err(missing())
}

fn missing() -> Problem {
    Problem::invalid(vec![FieldError { field: "file".into(), message: "is required".into() }])
}

fn too_large(most: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("The picture must have at most {most} bytes."))
}

use axum::{Json, extract::State as Extract, response::IntoResponse};
use shared::http::{Bearer, Code, NoStore, Problem, ProblemBody, UrlPath, User};

use crate::{State, picture::PictureError, upload::Upload};

/// Gives a user an avatar: one's own, or anyone's where the caller is an admin. A JPEG, PNG or WebP becomes 512 by 512
/// pixels of WebP, cut from its middle, with nothing else of what was sent in it.
#[utoipa::path(
    post,
    path = "/api/v1/users/{id}/avatar",
    operation_id = "upload_avatar",
    tag = "avatars",
    security(("bearer" = []), ("password" = [])),
    params(("id" = String, Path, description = "`me`, or the user.")),
    request_body(
        description = "The picture itself, or a form with a field `file`. Its kind is told by its content.",
        content(([u8] = "image/*"), ([u8] = "multipart/form-data"))
    ),
    responses(
        (status = 200, description = "The user as they are now.", body = User),
        (status = 400, description = "`malformed_body`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_image`, `validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn upload_avatar(
    Extract(state): Extract<State>,
    bearer: Bearer,
    UrlPath(id): UrlPath<String>,
    upload: Result<Upload, Problem>,
) -> Result<impl IntoResponse, Problem> {
    let (caller, subject) = state.subject(bearer, &id).await?;
    let Upload(bytes) = upload?;
    let avatar = state.studio.avatar(bytes).await.map_err(refused)?;
    // Under the user's id, so that one person's erasure never takes another's; and never named twice, so that what is deleted for
    // one upload is no other's.
    let object = format!("avatars/{}/{}.webp", subject.0.id, state.clock.new_id());
    state.objects.put_immutable(&object, avatar, "image/webp").await?;
    state.set(&caller, subject, Some(object)).await.map(|user| NoStore(Json(user)))
}

fn refused(error: PictureError) -> Problem {
    match error {
        PictureError::Kind => Problem::new(Code::UnsupportedMediaType, error.to_string()),
        PictureError::TooLarge | PictureError::Broken => Problem::new(Code::InvalidImage, error.to_string()),
        PictureError::Failed(_) => Problem::internal(&error),
    }
}

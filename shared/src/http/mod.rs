//! The HTTP edge: problems, bodies, the signed-in caller, the layers around every router, and the OpenAPI base.

mod avatar_address;
mod body;
mod caller;
mod cursor;
pub mod document;
mod edge;
mod endpoints;
mod form;
mod layers;
mod limiter;
mod origin;
mod page;
mod password_door;
mod patch;
mod path;
mod problem;
mod public_profile;
mod query;
mod user;

pub use avatar_address::AvatarAddress;
pub use body::{Fields, JsonBody, OptionalJsonBody};
pub use caller::{Authority, Bearer, Caller, PendingCaller, bearer_token, email_not_verified, session_ended};
pub use cursor::{decode_cursor, link_to_next, page_limit};
pub use endpoints::{Described, Endpoint, Endpoints, document};
pub use form::FormBody;
pub use layers::{finish, note_user, observed};
pub use limiter::{Limited, Limiter};
pub use origin::Origin;
pub use page::{Accepts, Page, Pages};
pub use password_door::{Guess, PasswordDoor, RightGuess, locked};
pub use patch::{Patch, word};
pub use path::UrlPath;
pub use problem::{Code, FieldError, Problem, ProblemBody, log_refusal};
pub use public_profile::{FoundUser, PublicProfile};
pub use query::UrlQuery;
pub use user::User;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

/// An answer with tokens or personal data: never kept by a cache (ASVS 14.3.2).
pub struct NoStore<T>(pub T);

impl<T: IntoResponse> IntoResponse for NoStore<T> {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

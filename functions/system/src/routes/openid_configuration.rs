use axum::{Json, extract::State as Extract, http::header, response::IntoResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::CACHEABLE;
use crate::State;

/// What a program needs to know to get and to verify tokens (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).
#[derive(Serialize, ToSchema)]
pub struct Discovery {
    issuer: String,
    jwks_uri: String,
    token_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    grant_types_supported: [&'static str; 2],
    /// A required field. There is no endpoint that takes one: people sign in at the token endpoint.
    response_types_supported: [&'static str; 1],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
    scopes_supported: [&'static str; 3],
    claims_supported: [&'static str; 16],
    token_endpoint_auth_methods_supported: [&'static str; 1],
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    revocation_endpoint_auth_methods_supported: [&'static str; 1],
    service_documentation: String,
}

/// Where keys and endpoints are, for a program that knows the issuer alone.
#[utoipa::path(
    get,
    path = "/.well-known/openid-configuration",
    operation_id = "openid_configuration",
    tag = "system",
    responses((status = 200, description = "The metadata.", body = Discovery))
)]
pub async fn openid_configuration(Extract(state): Extract<State>) -> impl IntoResponse {
    let issuer = state.settings.tokens.issuer.clone();
    let at = |path: &str| format!("{}{path}", issuer.trim_end_matches('/'));
    let discovery = Discovery {
        jwks_uri: at("/.well-known/jwks.json"),
        token_endpoint: at("/api/v1/auth/token"),
        introspection_endpoint: at("/oauth/introspect"),
        revocation_endpoint: at("/oauth/revoke"),
        grant_types_supported: ["password", "refresh_token"],
        response_types_supported: ["token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
        scopes_supported: ["user", "premium", "admin"],
        claims_supported: [
            "iss",
            "sub",
            "aud",
            "client_id",
            "iat",
            "nbf",
            "exp",
            "jti",
            "sid",
            "email",
            "email_verified",
            "name",
            "role",
            "plan",
            "scope",
            "type",
        ],
        token_endpoint_auth_methods_supported: ["none"],
        introspection_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
        revocation_endpoint_auth_methods_supported: ["none"],
        service_documentation: at("/docs"),
        issuer,
    };
    ([(header::CACHE_CONTROL, CACHEABLE)], Json(discovery))
}
